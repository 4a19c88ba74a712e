"""SequenceHead: one label for a text or a pair of texts."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, final

from datasets import Dataset

from xquality import _settings
from xquality.data._datasets import table_of
from xquality.data.arrow import get_column, read_strings
from xquality.errors import SettingError
from xquality.heads.columns import check_classes, check_texts, check_weights, read_keys, read_labels, read_weights
from xquality.heads.encoded import Encoded, TensorBatch, mean_loss
from xquality.heads.head import BatchRows, TrainableHead, choose_metrics, load_with_labels, metrics_among
from xquality.heads.tokenisation import add_prefix, tokenise
from xquality.metrics import ACCURACY, MACRO_F1, Examples, Metric, MetricValue
from xquality.metrics.metric import measure

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@final
@dataclass(frozen=True, repr=False)
class SequenceHead(TrainableHead):
    """Sequence classification, with the stock head of transformers on the encoder or one on the mean of its tokens.

    The stock head reads the first token through a dense layer that starts at random. With few rows, or an encoder such
    as E5 whose sentence vector is the mean of its tokens, `pooling="mean"` learns faster and varies less between seeds.

    Attributes:
        columns: one text column, or the two of a pair.
        labels: the class names, in the order of the ClassLabel column `label`.
        metrics: the metrics to report, the main one first: "accuracy", "macro_f1", or values of your own, whose
            predictions and references are class numbers.
        pooling: "first" for the stock head; "mean" for the mean of the last hidden states over all tokens but padding,
            normalised to length 20, and one linear layer.
        prefix: put before every text, of a pair before both, such as "query: " for E5.
    """

    columns: Annotated[tuple[str, ...], _settings.names_between(1, 2)]
    labels: Annotated[tuple[str, ...], _settings.names_between(2)]
    metrics: Annotated[tuple[Metric | str, ...], metrics_among("accuracy", "macro_f1")] = ("accuracy", "macro_f1")
    _: KW_ONLY
    pooling: Annotated[str, _settings.choice("first", "mean")] = field(
        default="first", repr=False, metadata=_settings.ADDED
    )
    prefix: _settings.Prefix = field(default="", repr=False, metadata=_settings.ADDED)

    def __post_init__(self) -> None:
        _settings.check_settings(self)
        if "label" in self.columns:
            raise SettingError(f"SequenceHead(columns={self.columns!r}) must be columns of texts, not the label.")

    @property
    def reads(self) -> tuple[str, ...]:
        """The text columns and the label."""
        return (*self.columns, "label")

    @property
    def chosen_metrics(self) -> tuple[Metric, ...]:
        """The metrics to report, the main one first."""
        return choose_metrics(self.metrics, (ACCURACY, MACRO_F1))

    def check(self, data: Dataset) -> None:
        """Raise if the rows are not what this head reads.

        Raises:
            ColumnError: for a missing column, or one that is not text.
            LabelError: if `label` is not a ClassLabel with this head's classes, or a row is unlabelled.
        """
        check_texts(data, self.columns, "SequenceHead")
        labels = get_column(table_of(data), "label", "SequenceHead")
        check_classes(data.features["label"], self.labels, labels, "label")
        check_weights(data)

    def encode(self, data: Dataset, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> Encoded:
        """Return the rows as token ids, with class numbers as targets and the column `weight` if there is one."""
        self.check(data)
        table = table_of(data)
        texts = [add_prefix(self.prefix, read_strings(table.column(name))) for name in self.columns]
        ids, segments = tokenise(tokenizer, texts, max_length)
        return Encoded(ids, read_labels(table, "label"), read_weights(table), segments, read_keys(table))

    def add_targets(self, padded: TensorBatch, batch_rows: BatchRows) -> TensorBatch:
        """Return the batch with `labels`, the class numbers, shape (rows,)."""
        import torch

        return {**padded, "labels": torch.tensor(batch_rows.targets)}

    def build(self, folder: Path) -> "PreTrainedModel":
        """Return the encoder in `folder` with a new classification layer; the folder must hold an encoder alone.

        Raises:
            ModelError: with `pooling="mean"`, for an encoder that transformers has no class for.
        """
        from transformers import AutoModelForSequenceClassification

        from xquality.models.mean_pooling import class_for_folder

        mean = self.pooling == "mean"
        kind: Any = class_for_folder(folder) if mean else AutoModelForSequenceClassification
        return load_with_labels(kind, folder, self.labels)

    def loss(self, outputs: Any, batch: TensorBatch) -> "torch.Tensor":
        """Return the mean over rows of the cross-entropy, each times its row's weight if there are weights."""
        from torch.nn.functional import cross_entropy

        return mean_loss(cross_entropy(outputs.logits.float(), batch["labels"], reduction="none"), batch)

    def predict(self, outputs: Any, batch: TensorBatch) -> list[int]:  # noqa: ARG002 (the output is enough)
        """Return the class number with the highest logit for each row."""
        classes: list[int] = outputs.logits.argmax(dim=-1).tolist()
        return classes

    def join_rows(self, predictions: Sequence[Any], encoded: Encoded) -> list[int]:  # noqa: ARG002 (a row is an example)
        """Return the predictions: each row is an example."""
        return list(predictions)

    def probabilities(self, outputs: Any, batch: TensorBatch) -> list[list[float]]:  # noqa: ARG002 (the output is enough)
        """Return the probability of each class for each row."""
        shares: list[list[float]] = outputs.logits.double().softmax(dim=-1).tolist()
        return shares

    def join_probabilities(self, probabilities: Sequence[Any], encoded: Encoded) -> list[list[float]]:  # noqa: ARG002 (a row is an example)
        """Return the probabilities: each row is an example."""
        return list(probabilities)

    def score(self, predictions: Sequence[Any], references: Sequence[Any], language: str) -> list[MetricValue]:
        """Return the metrics over one language's rows."""
        made = {**self._pooling, **({"prefix": self.prefix} if self.prefix else {})}
        return measure(self.chosen_metrics, Examples(predictions, references, language, self.labels), made)

    def submission(self, predictions: Sequence[Any], references: Sequence[Any], data: Dataset) -> list[str]:  # noqa: ARG002 (predictions are enough)
        """Return the name of each row's predicted class."""
        return [self.labels[number] for number in predictions]

    def references(self, data: Dataset) -> list[str]:
        """Return the name of each row's own class.

        Raises:
            ColumnError, LabelError: as `check`.
        """
        self.check(data)
        return [self.labels[number] for number in read_labels(table_of(data), "label")]

    def signature(self) -> Mapping[str, Any]:
        """Return the label space, and the pooling where it is not that of the stock head."""
        return {"head": "sequence", "labels": list(self.labels), **self._pooling}

    @property
    def _pooling(self) -> dict[str, str]:
        """The pooling for signatures; empty for that of the stock head."""
        return {} if self.pooling == "first" else {"pooling": self.pooling}
