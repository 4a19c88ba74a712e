"""Head: what evaluation asks of every shape of task, and what training asks on top."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, final

from datasets import Dataset

from xquality.errors import SettingError, TrainingError
from xquality.heads.batching import Batch, inputs
from xquality.heads.encoded import Encoded
from xquality.metrics import Metric, MetricValue

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Load = Callable[[str], Dataset]  # from a split's name to its rows


@final
@dataclass(frozen=True)
class EpochContext:
    """When rows are looked at, for heads to which a row looks different on every pass.

    Attributes:
        seed: the stage's own.
        passes: for each row of the batch, how often it was looked at before, shape (rows,).
    """

    seed: int
    passes: Sequence[int]


def metrics_among(*names: str) -> Callable[[str, str, Any], tuple[Metric | str, ...]]:
    """Return a check for metrics: `Metric` values, or some of the names that a head has metrics of its own for."""

    def check(owner: str, name: str, value: object) -> tuple[Metric | str, ...]:
        metrics = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else ()
        if not metrics or any(not isinstance(metric, Metric) and metric not in names for metric in metrics):
            raise SettingError(
                f"{owner}({name}={value!r}) must be a list of `xquality.metrics.Metric` values or of "
                f"{', '.join(map(repr, names))}."
            )
        reported = [metric.name if isinstance(metric, Metric) else metric for metric in metrics]
        if len(set(reported)) < len(reported):
            raise SettingError(f"{owner}({name}=...) must give each metric a name of its own, but has {reported}.")
        return metrics

    return check


def choose_metrics(metrics: Sequence[Metric | str], stock: Sequence[Metric]) -> tuple[Metric, ...]:
    """Return metrics as values, those that are named taken from `stock`."""
    by_name = {metric.name: metric for metric in stock}
    return tuple(by_name[metric] if isinstance(metric, str) else metric for metric in metrics)


class Head(ABC):
    """Base of the heads. A head is a frozen value: its fields name the columns it reads and the labels it gives.

    Attributes:
        separable: whether an example can be scored without the others, so that a few of them are measured.
        tokens_at_once: how many tokens are scored at a time; fewer where the output of each is large.
    """

    separable: ClassVar[bool] = True
    tokens_at_once: ClassVar[int] = 16384

    def __repr__(self) -> str:
        """Return the settings; one with `repr=False` stands there only where it is not the default.

        A head's repr is part of the digest of a stage: so a setting can be added and the digests stay.
        """
        shown = [one for one in fields(self) if one.repr or getattr(self, one.name) != one.default]  # type: ignore[arg-type]
        return f"{type(self).__name__}({', '.join(f'{one.name}={getattr(self, one.name)!r}' for one in shown)})"

    @property
    @abstractmethod
    def chosen_metrics(self) -> tuple[Metric, ...]:
        """The metrics that `score` reports, the main one first; by it weights are selected."""

    @property
    @abstractmethod
    def reads(self) -> tuple[str, ...]:
        """The columns that decide what is learnt, besides `uid` and `weight`."""

    @abstractmethod
    def check(self, data: Dataset) -> None:
        """Raise `ColumnError` or `LabelError` where the rows are not what this head reads."""

    def gather(self, load: Load, split: str) -> Dataset:
        """Return the rows that are scored together for one split of one language."""
        return load(split)

    def length(self, trained: int, tokenizer: "PreTrainedTokenizerBase") -> int:  # noqa: ARG002 (others need it)
        """Return the longest row in tokens, given the length that the model was trained on."""
        return trained

    @abstractmethod
    def encode(self, data: Dataset, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> Encoded:
        """Return the rows as token ids of at most `max_length`, with targets, weights, keys and references."""

    @abstractmethod
    def batch(
        self,
        encoded: Encoded,
        rows: Sequence[int],
        tokenizer: "PreTrainedTokenizerBase",
        visit: EpochContext | None = None,
    ) -> Batch:
        """Return some rows as padded tensors: what the network reads, and what the loss and `predict` need.

        Args:
            encoded: the rows.
            rows: which of them.
            tokenizer: for padding.
            visit: the pass they are looked at on, in training; None in evaluation, where rows always look alike.
        """

    def fits(self, signature: Mapping[str, Any]) -> bool:
        """Say whether a model whose head gives `signature` can be scored by this head."""
        return dict(signature) == dict(self.signature())

    def check_network(self, network: "PreTrainedModel") -> None:  # noqa: B027 (most heads ask for nothing)
        """Raise `ModelError` where the network is not what this head reads."""

    def run(self, network: "PreTrainedModel", batch: Mapping[str, Any]) -> Any:
        """Return the network's output for a batch."""
        return network(**inputs(batch))

    @abstractmethod
    def predict(self, outputs: Any, batch: Batch) -> Sequence[Any]:
        """Return one prediction for each row of a batch."""

    def join(self, predictions: Sequence[Any], encoded: Encoded) -> list[Any]:  # noqa: ARG002 (others need it)
        """Return one prediction an example from those of its rows."""
        return list(predictions)

    @abstractmethod
    def score(self, predictions: Sequence[Any], references: Sequence[Any], language: str) -> list[MetricValue]:
        """Return the task's metrics over one language's examples, the main one first."""

    def submitted(self, predictions: Sequence[Any], references: Sequence[Any], data: Dataset) -> Any:  # noqa: ARG002 (others need it)
        """Return predictions as a benchmark's file holds them: a list or a dict of plain values.

        Args:
            predictions: one for each example of one language.
            references: what they are scored against.
            data: the rows that they are for.

        Raises:
            SettingError: where nothing is submitted that is made in this way.
        """
        raise SettingError(f"{type(self).__name__} predicts nothing that could be submitted; call evaluate instead.")

    def gold(self, data: Dataset) -> Any:  # noqa: ARG002 (others need it)
        """Return what is right in the form of `submitted`, except that a question may have several answers.

        Raises:
            SettingError: as `submitted`.
        """
        raise SettingError(f"{type(self).__name__} predicts nothing that could be submitted; call evaluate instead.")

    @abstractmethod
    def signature(self) -> Mapping[str, Any]:
        """Return what identifies the head's label space; a head is carried over only between equal ones."""


class TrainableHead(Head):
    """Base of the heads that are trained on top of an encoder."""

    @abstractmethod
    def build(self, folder: Path) -> "PreTrainedModel":
        """Return a model with the encoder in `folder` and a fresh head, drawn from torch's present random state."""

    @abstractmethod
    def loss(self, outputs: Any, batch: Batch) -> "torch.Tensor":
        """Return the mean loss of a batch, weighted where the batch has weights."""

    def counted(self, batch: Batch) -> int | None:  # noqa: ARG002 (others need it)
        """Return over how many tokens the loss of a batch is a mean; None where it is one over rows."""
        return None

    def probabilities(self, outputs: Any, batch: Batch) -> Sequence[Any]:  # noqa: ARG002 (others need both)
        """Return what the network makes of the labels of each row of a batch, to find wrong ones by.

        A list with the probability of each class for one label a row; a list of such lists, one for each token, for
        tags; a list with the probability of each of the row's options for multiple choice; and one number, the
        probability of the row's own answer, where labels are no classes. Heads that are not asked for leave it out.

        Raises:
            TrainingError: where this head has no probabilities.
        """
        raise TrainingError(f"{type(self).__name__} gives no probabilities of labels; choose a task with another head.")

    def join_probabilities(self, judged: Sequence[Any], encoded: Encoded) -> list[Any]:  # noqa: ARG002 (others need it)
        """Return the probabilities of each example from those of its rows."""
        return list(judged)
