"""ChoiceHead: which of several options is right, given a context and perhaps a question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, final

import numpy as np
import pyarrow as pa
from datasets import Dataset

from xquality import _settings
from xquality.data._datasets import table_of
from xquality.data.arrow import Indices, get_column, is_text_list, read_integers, read_strings
from xquality.errors import ColumnError, LabelError, SettingError
from xquality.heads.columns import check_no_null, check_texts, check_weights, read_keys, read_labels, read_weights
from xquality.heads.encoded import INPUTS, Encoded, TensorBatch, mean_loss
from xquality.heads.head import BatchRows, TrainableHead, choose_metrics, metrics_among
from xquality.heads.tokenisation import tokenise
from xquality.metrics import ACCURACY, Examples, Metric, MetricValue
from xquality.metrics.metric import measure

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


_option_columns = _settings.names_between(2)


def _column_or_columns(owner: str, name: str, value: object) -> str | tuple[str, ...]:
    """Return a name, or several names as a tuple."""
    return _settings.text(owner, name, value) if isinstance(value, str) else _option_columns(owner, name, value)


@final
@dataclass(frozen=True, repr=False)
class ChoiceHead(TrainableHead):
    """Multiple choice with any number of options, which may differ from row to row.

    Each option is read with the context as a pair of texts, the question before the option. The network gives each
    pair one number, and the loss is the cross-entropy over the options of a row; options that a row does not have are
    not read at all.

    Attributes:
        context: the column of what is read first.
        question: the column of questions; None if the options continue the context.
        options: the name of a column with a list of options, or the names of one column for each option.
        label: the column with the number of the right option, from 0; integers or a ClassLabel.
        metrics: the metrics to report, the main one first: "accuracy", or values of your own, whose predictions and
            references are numbers of options.
    """

    context: _settings.Name = "context"
    question: Annotated[str | None, _settings.optional(_settings.text)] = "question"
    options: Annotated[str | tuple[str, ...], _column_or_columns] = "options"
    label: _settings.Name = "label"
    metrics: Annotated[tuple[Metric | str, ...], metrics_among("accuracy")] = field(default=("accuracy",), repr=False)

    def __post_init__(self) -> None:
        _settings.check_settings(self)
        options = {"options": self.options} if isinstance(self.options, str) else {}
        columns = {"context": self.context, "question": self.question, **options, "label": self.label}
        _settings.check_different("ChoiceHead", **columns)
        if not options and not set(self.options).isdisjoint({self.context, self.question, self.label}):
            raise SettingError(
                f"ChoiceHead(options={self.options!r}) names a column that is the context, the question or the label; "
                "name columns of options."
            )

    @property
    def reads(self) -> tuple[str, ...]:
        """The columns of texts and the label."""
        options = (self.options,) if isinstance(self.options, str) else self.options
        return (*self._texts, *options, self.label)

    @property
    def _texts(self) -> tuple[str, ...]:
        return (self.context,) if self.question is None else (self.context, self.question)

    @property
    def chosen_metrics(self) -> tuple[Metric, ...]:
        """The metrics to report, the main one first."""
        return choose_metrics(self.metrics, (ACCURACY,))

    def check(self, data: Dataset) -> None:
        """Raise if the rows are not what this head reads.

        Raises:
            ColumnError: for a missing column, or one of another kind.
            LabelError: for a row with fewer than two options, or whose label is none of them.
        """
        check_texts(data, self._texts, "ChoiceHead")
        check_weights(data)
        table = table_of(data)
        if isinstance(self.options, str):
            kind = get_column(table, self.options, "ChoiceHead").type
            if not is_text_list(kind):
                raise ColumnError(f"ChoiceHead reads lists of texts from {self.options!r}, but the column is {kind}.")
            check_no_null(table.column(self.options), self.options, "ChoiceHead")
        else:
            check_texts(data, self.options, "ChoiceHead")
        labels = get_column(table, self.label, "ChoiceHead")
        if not pa.types.is_integer(labels.type):
            raise ColumnError(
                f"ChoiceHead reads the number of the right option, from 0, in {self.label!r}, but the column is "
                f"{labels.type}; convert it."
            )
        counts = np.array(list(map(len, self._options(table))))
        numbers = np.full(1, -1) if labels.null_count else read_integers(labels)
        if (counts < 2).any() or (numbers < 0).any() or (numbers >= counts).any():
            raise LabelError(
                f"ChoiceHead needs two options or more and the number of one of them, from 0, in {self.label!r} on "
                "every row; filter out the other rows first."
            )

    def _options(self, table: pa.Table) -> list[list[str]]:
        """Return the options of every row."""
        if isinstance(self.options, str):
            return [[text or "" for text in options or []] for options in table.column(self.options).to_pylist()]
        columns = [read_strings(table.column(name)) for name in self.options]
        return [list(options) for options in zip(*columns, strict=True)]

    def encode(self, data: Dataset, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> Encoded:
        """Return one sequence for each option, with `counts` the number of options of each row."""
        self.check(data)
        table = table_of(data)
        options = self._options(table)
        counts: Indices = np.fromiter(map(len, options), np.int64, len(options))
        rows = np.repeat(np.arange(len(options)), counts)
        contexts = read_strings(table.column(self.context))
        questions = [""] * len(options) if self.question is None else read_strings(table.column(self.question))
        seconds = [f"{questions[row]} {text}".strip() for row, texts in enumerate(options) for text in texts]
        ids, segments = tokenise(tokenizer, [[contexts[row] for row in rows], seconds], max_length)
        targets = read_labels(table, self.label)
        return Encoded(ids, targets, read_weights(table), segments, read_keys(table), counts=counts)

    def add_targets(self, padded: TensorBatch, batch_rows: BatchRows) -> TensorBatch:
        """Return inputs of shape (options of all rows, 1, longest), `labels` and `counts` of shape (rows,)."""
        import torch

        counts = batch_rows.encoded.counts
        assert counts is not None
        # Every option is given to the network as a question with one option: so rows may differ in their number.
        inputs = {name: tensor.unsqueeze(1) if name in INPUTS else tensor for name, tensor in padded.items()}
        labels = torch.tensor(batch_rows.targets)
        return {**inputs, "labels": labels, "counts": torch.from_numpy(counts[list(batch_rows.rows)])}

    def build(self, folder: Path) -> "PreTrainedModel":
        """Return the encoder in `folder` with a new layer that gives each option one number."""
        from transformers import AutoModelForMultipleChoice

        model: PreTrainedModel = AutoModelForMultipleChoice.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        return model

    def loss(self, outputs: Any, batch: TensorBatch) -> "torch.Tensor":
        """Return the mean over rows of the cross-entropy over their options, weighted if there are weights."""
        from torch.nn.functional import cross_entropy

        logits = _row_logits(outputs.logits, batch["counts"])
        return mean_loss(cross_entropy(logits, batch["labels"], reduction="none"), batch)

    def predict(self, outputs: Any, batch: TensorBatch) -> list[int]:
        """Return the number of the option with the highest logit for each row."""
        logits = _row_logits(outputs.logits, batch["counts"].to(outputs.logits.device))
        numbers: list[int] = logits.argmax(dim=-1).tolist()
        return numbers

    def join_rows(self, predictions: Sequence[Any], encoded: Encoded) -> list[int]:  # noqa: ARG002 (a row is an example)
        """Return the predictions: each row is an example."""
        return list(predictions)

    def probabilities(self, outputs: Any, batch: TensorBatch) -> list[list[float]]:
        """Return the probability of each of a row's options."""
        counts = batch["counts"].to(outputs.logits.device)
        shares = _row_logits(outputs.logits, counts).double().softmax(dim=-1).tolist()
        return [row[: int(count)] for row, count in zip(shares, counts, strict=True)]

    def join_probabilities(self, probabilities: Sequence[Any], encoded: Encoded) -> list[list[float]]:  # noqa: ARG002 (a row is an example)
        """Return the probabilities: each row is an example."""
        return list(probabilities)

    def score(self, predictions: Sequence[Any], references: Sequence[Any], language: str) -> list[MetricValue]:
        """Return the metrics over one language's rows."""
        return measure(self.chosen_metrics, Examples(predictions, references, language))

    def submission(self, predictions: Sequence[Any], references: Sequence[Any], data: Dataset) -> list[int]:  # noqa: ARG002 (predictions are enough)
        """Return the number of each row's predicted option."""
        return [int(number) for number in predictions]

    def references(self, data: Dataset) -> list[int]:
        """Return the number of each row's right option.

        Raises:
            ColumnError, LabelError: as `check`.
        """
        self.check(data)
        return read_labels(table_of(data), self.label)

    def signature(self) -> Mapping[str, Any]:
        """Return the label space: one number for each option, however many there are."""
        return {"head": "multiple_choice"}


def _row_logits(logits: "torch.Tensor", counts: "torch.Tensor") -> "torch.Tensor":
    """Return the options' logits, shape (rows, most options), with -inf for options that a row does not have."""
    import torch

    present = torch.arange(int(counts.max()), device=counts.device) < counts[:, None]
    filled = torch.full(present.shape, -torch.inf, device=logits.device)
    return filled.masked_scatter(present, logits.float().flatten())
