"""Head: what evaluation needs of every shape of task; TrainableHead: what training needs; protocols for the rest.

A head is a frozen value: its fields name the columns it reads, the labels it gives and the metrics it is scored by.
`Head` is abstract, its two families `TrainableHead` and `EmbeddingHead` say how the network is used, and the classes
below them are final. What only some heads can do is a protocol: `GivesProbabilities`, `WritesSubmissions`,
`CountsTokens` and `GathersRows`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, final, runtime_checkable

from datasets import Dataset

from xquality import _settings
from xquality.errors import SettingError
from xquality.heads.encoded import Encoded, TensorBatch, network_inputs, pad
from xquality.metrics import Metric, MetricValue

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Load = Callable[[str], Dataset]  # from a split's name to its rows


@final
@dataclass(frozen=True)
class EpochContext:
    """What decides the random choices of a head that shows a row differently in every epoch.

    Attributes:
        seed: the stage's seed.
        passes: for each row of the batch, in how many epochs it was read before, shape (rows,).
    """

    seed: int
    passes: Sequence[int]


@final
@dataclass(frozen=True)
class BatchRows:
    """The rows of one batch.

    Attributes:
        encoded: all rows.
        rows: the numbers of the rows in the batch.
        tokenizer: the model's tokenizer.
        epoch: the seed and the epoch of each row, in training; None in evaluation.
    """

    encoded: Encoded
    rows: Sequence[int]
    tokenizer: "PreTrainedTokenizerBase"
    epoch: EpochContext | None = None

    @property
    def targets(self) -> list[Any]:
        """The target of each row in the batch."""
        return [self.encoded.targets[row] for row in self.rows]


class Head(ABC):
    """Base of all heads.

    Attributes:
        tokens_at_once: the number of tokens scored at a time; less where the network's output for each is large.
    """

    tokens_at_once: ClassVar[int] = 16384

    def __repr__(self) -> str:
        """Return the settings; one with `repr=False` is listed only if it is not the default.

        A head's repr is part of the digests of stages: a setting can be added in this way without changing them.
        """
        return _settings.list_settings(self)

    @property
    @abstractmethod
    def reads(self) -> tuple[str, ...]:
        """The columns that decide what is learnt, besides `uid` and `weight`."""

    @property
    @abstractmethod
    def chosen_metrics(self) -> tuple[Metric, ...]:
        """The metrics that `score` reports, the main one first; weights are selected by the main one."""

    @abstractmethod
    def check(self, data: Dataset) -> None:
        """Raise `ColumnError` or `LabelError` if the rows are not what this head reads."""

    @abstractmethod
    def encode(self, data: Dataset, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> Encoded:
        """Return the rows as token ids of at most `max_length`, with targets, weights, keys and references.

        Raises:
            ColumnError, LabelError: as `check`.
        """

    @final
    def batch(
        self,
        encoded: Encoded,
        rows: Sequence[int],
        tokenizer: "PreTrainedTokenizerBase",
        epoch: EpochContext | None = None,
    ) -> TensorBatch:
        """Return some rows as padded tensors: what the network reads, and what the loss and `predict` need.

        Args:
            encoded: the rows.
            rows: the numbers of the rows in the batch.
            tokenizer: for padding.
            epoch: the seed and the epoch of each row, in training; None in evaluation, where a row is always the same.
        """
        padded = pad(encoded, rows, int(tokenizer.pad_token_id))
        return self.add_targets(padded, BatchRows(encoded, rows, tokenizer, epoch))

    @abstractmethod
    def add_targets(self, padded: TensorBatch, batch_rows: BatchRows) -> TensorBatch:
        """Return a batch of padded tensors with what the loss and `predict` need.

        Args:
            padded: what `pad` returns: what the network reads, and the weights.
            batch_rows: the rows of the batch.
        """

    @abstractmethod
    def read_length(self, trained_length: int, tokenizer: "PreTrainedTokenizerBase") -> int:
        """Return the number of tokens at which rows are cut, given the length that the model was trained with."""

    @abstractmethod
    def fits(self, signature: Mapping[str, Any]) -> bool:
        """Return whether a model whose head has `signature` can be scored by this head."""

    @abstractmethod
    def check_network(self, network: "PreTrainedModel") -> None:
        """Raise `ModelError` if the network is not what this head reads."""

    @abstractmethod
    def run(self, network: "PreTrainedModel", batch: Mapping[str, Any]) -> Any:
        """Return the network's output for a batch."""

    @abstractmethod
    def predict(self, outputs: Any, batch: TensorBatch) -> Sequence[Any]:
        """Return one prediction for each row of a batch."""

    @abstractmethod
    def join_rows(self, predictions: Sequence[Any], encoded: Encoded) -> list[Any]:
        """Return one prediction for each example from those of its rows."""

    @abstractmethod
    def score(self, predictions: Sequence[Any], references: Sequence[Any], language: str) -> list[MetricValue]:
        """Return the values of `chosen_metrics` on one language's examples, in that order."""

    @abstractmethod
    def signature(self) -> Mapping[str, Any]:
        """Return what identifies the label space; trained layers are carried over only between equal ones."""


class TrainableHead(Head):
    """Base of the heads that are trained on top of an encoder."""

    @abstractmethod
    def build(self, folder: Path) -> "PreTrainedModel":
        """Return a model with the encoder in `folder` and new layers, drawn from torch's current random state."""

    @abstractmethod
    def loss(self, outputs: Any, batch: TensorBatch) -> "torch.Tensor":
        """Return the mean loss of a batch, weighted if the batch has weights."""

    @final
    def read_length(self, trained_length: int, tokenizer: "PreTrainedTokenizerBase") -> int:  # noqa: ARG002 (as Head)
        """Return the length that the model was trained with."""
        return trained_length

    @final
    def fits(self, signature: Mapping[str, Any]) -> bool:
        """Return whether the model was trained for the same label space."""
        return dict(signature) == dict(self.signature())

    @final
    def check_network(self, network: "PreTrainedModel") -> None:
        """Accept every network: `fits` has compared the label spaces."""

    @final
    def run(self, network: "PreTrainedModel", batch: Mapping[str, Any]) -> Any:
        """Return the network's output for a batch."""
        return network(**network_inputs(batch))


@runtime_checkable
class GivesProbabilities(Protocol):
    """A head that gives probabilities of labels, by which label issues are found.

    For a row: a list with the probability of each class; for tags a list of such lists, one for each token; for
    multiple choice a list with the probability of each option; and for labels that are no classes the probability of
    the row's own answer.
    """

    def probabilities(self, outputs: Any, batch: TensorBatch) -> Sequence[Any]:
        """Return the probabilities of the labels of each row of a batch."""
        ...

    def join_probabilities(self, probabilities: Sequence[Any], encoded: Encoded) -> list[Any]:
        """Return the probabilities of each example from those of its rows."""
        ...


@runtime_checkable
class WritesSubmissions(Protocol):
    """A head whose predictions can be written as a benchmark's files hold them: lists or dicts of plain values."""

    def submission(self, predictions: Sequence[Any], references: Sequence[Any], data: Dataset) -> Any:
        """Return predictions in the form of a submission.

        Args:
            predictions: one for each example of one language.
            references: what they are scored against.
            data: the rows that they are for.

        Raises:
            SettingError: for predictions of several layers.
            ColumnError: for questions without ids.
        """
        ...

    def references(self, data: Dataset) -> Any:
        """Return the right predictions in the form of `submission`; a question may have several right answers.

        Raises:
            ColumnError, LabelError: as `Head.check`.
        """
        ...


@runtime_checkable
class CountsTokens(Protocol):
    """A head whose loss is a mean over tokens, not over rows."""

    def count_tokens(self, batch: TensorBatch) -> int:
        """Return the number of tokens that the loss of a batch is a mean over."""
        ...


@runtime_checkable
class GathersRows(Protocol):
    """A head that scores all rows of a split together, and gathers them itself, perhaps from several splits."""

    def gather(self, load: Load, split: str) -> Dataset:
        """Return the rows that are scored together for one split of one language."""
        ...


def metrics_among(*names: str) -> Callable[[str, str, Any], tuple[Metric | str, ...]]:
    """Return a check for metrics: `Metric` values, or names of the metrics that a head has itself."""

    def check(owner: str, name: str, value: object) -> tuple[Metric | str, ...]:
        metrics = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else ()
        if not metrics or any(not isinstance(metric, Metric) and metric not in names for metric in metrics):
            raise SettingError(
                f"{owner}({name}={value!r}) must be a list of `xquality.metrics.Metric` values or of "
                f"{', '.join(map(repr, names))}."
            )
        reported = [metric.name if isinstance(metric, Metric) else metric for metric in metrics]
        if len(set(reported)) < len(reported):
            raise SettingError(f"{owner}({name}=...) must give each metric a different name, but has {reported}.")
        return metrics

    return check


def choose_metrics(metrics: Sequence[Metric | str], known: Sequence[Metric]) -> tuple[Metric, ...]:
    """Return metrics as values, those given by name taken from `known`."""
    by_name = {metric.name: metric for metric in known}
    return tuple(by_name[metric] if isinstance(metric, str) else metric for metric in metrics)


def load_with_labels(auto_class: Any, folder: Path, labels: Sequence[str]) -> "PreTrainedModel":
    """Return the encoder in `folder` with new layers for some labels, drawn from torch's current random state.

    Args:
        auto_class: one of transformers' classes, for example `AutoModelForTokenClassification`.
        folder: a folder that holds an encoder alone.
        labels: the names of the labels, in order.
    """
    names = dict(enumerate(labels))
    numbers = {name: number for number, name in names.items()}
    model: PreTrainedModel = auto_class.from_pretrained(
        folder, id2label=names, label2id=numbers, local_files_only=True, trust_remote_code=False
    )
    return model
