"""Head: what training and evaluation ask of every shape of task.

May import: errors | numpy, datasets, torch, transformers.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from xquality.errors import TrainingError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Batch = dict[str, "torch.Tensor"]


@final
@dataclass(frozen=True)
class Encoded:
    """Rows as token ids.

    Attributes:
        input_ids: one list of token ids for each row, not padded.
        targets: what the head is trained on, one entry a row.
        weights: the rows' weights in the loss, shape (rows,); None where all are 1.
        segments: for models that tell the texts of a pair apart, the segment of each token; empty for others.
    """

    input_ids: Sequence[Sequence[int]]
    targets: Sequence[Any]
    weights: NDArray[np.float64] | None = None
    segments: Sequence[Sequence[int]] = ()

    def __len__(self) -> int:
        return len(self.input_ids)

    def lengths(self) -> NDArray[np.int64]:
        """Return the number of tokens of each row, shape (rows,)."""
        return np.fromiter((len(one) for one in self.input_ids), np.int64, len(self.input_ids))


class Head(ABC):
    """Base of the heads. A head is a frozen value: its fields name the columns it reads and the labels it gives."""

    columns: tuple[str, ...]

    @abstractmethod
    def check(self, data: Dataset) -> None:
        """Raise `ColumnError` or `LabelError` where the rows are not what this head reads."""

    @abstractmethod
    def encode(self, data: Dataset, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> Encoded:
        """Return the rows as token ids of at most `max_length`, with targets and weights."""

    @abstractmethod
    def batch(self, encoded: Encoded, rows: Sequence[int], padding: int) -> Batch:
        """Return some rows as padded tensors, with `labels` and, where there are any, `weights`."""

    @abstractmethod
    def build(self, folder: Path) -> "PreTrainedModel":
        """Return a model with the encoder in `folder` and a fresh head, drawn from torch's present random state."""

    @abstractmethod
    def loss(self, outputs: Any, batch: Batch) -> "torch.Tensor":
        """Return the mean loss of a batch, weighted where the batch has weights."""

    @abstractmethod
    def predict(self, outputs: Any) -> list[Any]:
        """Return one prediction for each row of a batch."""

    def probabilities(self, outputs: Any, batch: Batch) -> list[Any]:  # noqa: ARG002 (others need both)
        """Return what the network makes of the labels of each row of a batch, as `CleanlabFilter` reads it.

        A list with the probability of each class for one label a row; a list of such lists, one for each token, for
        tags; a list with the probability of each of the row's options for multiple choice; and one number, the
        probability of the row's own answer, where labels are no classes. Heads that are not asked for leave it out.

        Raises:
            TrainingError: where this head has no probabilities.
        """
        raise TrainingError(f"{type(self).__name__} gives no probabilities of labels; choose a task with another head.")

    @abstractmethod
    def score(self, predictions: Sequence[Any], references: Sequence[Any]) -> Mapping[str, float]:
        """Return the task's metrics on the scale from 0 to 100, the main one first."""

    @abstractmethod
    def signature(self) -> Mapping[str, Any]:
        """Return what identifies the head's label space; a head is carried over only between equal ones."""
