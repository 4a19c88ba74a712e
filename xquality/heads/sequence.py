"""SequenceHead: one label for a text or a pair of texts.

May import: errors, arrow, heads.head, metrics.classification | numpy, pyarrow, datasets, torch, transformers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pyarrow as pa
from datasets import ClassLabel, Dataset

from xquality.arrow import column, integers, strings, table_of
from xquality.errors import ColumnError, LabelError
from xquality.heads.head import Batch, Encoded, Head
from xquality.metrics import classification

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@final
@dataclass(frozen=True)
class SequenceHead(Head):
    """Sequence classification, with the stock head that transformers gives the encoder.

    Attributes:
        columns: one text column, or the two of a pair.
        labels: the class names, in the order of the ClassLabel column `label`.
        metrics: the metrics to report, the main one first.
    """

    columns: tuple[str, ...]
    labels: tuple[str, ...]
    metrics: tuple[str, ...] = ("accuracy", "macro_f1")

    def check(self, data: Dataset) -> None:
        """Raise where the rows are not what this head reads.

        Raises:
            ColumnError: for a missing column, or one that holds no text.
            LabelError: where `label` is not a ClassLabel with this head's classes, or a row is unlabelled.
        """
        table = table_of(data)
        for name in self.columns:
            if getattr(data.features.get(name), "dtype", "string") not in ("string", "large_string"):
                raise ColumnError(f"SequenceHead reads text from {name!r}, but the column is a {data.features[name]}.")
            column(table, name, "SequenceHead")
        labels, feature = column(table, "label", "SequenceHead"), data.features["label"]
        if not isinstance(feature, ClassLabel) or tuple(feature.names) != self.labels:
            found = feature.names if isinstance(feature, ClassLabel) else f"a {type(feature).__name__}"
            raise LabelError(f"This head gives {list(self.labels)}, but the label column has {found}; cast it.")
        self._check_weights(table)
        codes = np.full(1, -1) if labels.null_count else integers(labels)
        if ((codes < 0) | (codes >= len(self.labels))).any():
            raise LabelError("Some rows have no label (null or -1) or one out of range; filter them out first.")

    def _check_weights(self, table: pa.Table) -> None:
        """Raise where rows have weights that cannot weigh."""
        if "weight" not in table.column_names:
            return
        kind, values = table.column("weight").type, table.column("weight")
        numeric = pa.types.is_floating(kind) or pa.types.is_integer(kind)
        weights = np.asarray(values.to_numpy(), np.float64) if numeric and not values.null_count else np.array([np.nan])
        if not np.isfinite(weights).all() or (weights < 0).any():
            raise ColumnError("The column 'weight' must hold finite numbers, 0 or more, on every row; mend it.")

    def encode(self, data: Dataset, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> Encoded:
        """Return the rows as token ids, labels as class numbers and the column `weight` where there is one.

        Raises:
            ColumnError, LabelError: as `check`.
        """
        self.check(data)
        table = table_of(data)
        weights = table.column("weight").to_numpy().astype(np.float64) if "weight" in table.column_names else None
        if not len(table):
            return Encoded([], [], weights)
        texts = [strings(table.column(name)) for name in self.columns]
        tokens = tokenizer(*texts, truncation=True, max_length=max_length, return_attention_mask=False)
        segments = tokens["token_type_ids"] if "token_type_ids" in tokenizer.model_input_names else ()
        targets = [int(one) for one in integers(table.column("label"))]
        return Encoded(tokens["input_ids"], targets, weights, segments)

    def batch(self, encoded: Encoded, rows: Sequence[int], padding: int) -> Batch:
        """Return `input_ids` and `attention_mask` of shape (rows, longest), `labels` and `weights` of shape (rows,)."""
        import torch

        longest = max(len(encoded.input_ids[row]) for row in rows)
        ids = np.full((len(rows), longest), padding, np.int64)
        mask = np.zeros((len(rows), longest), np.int64)
        for place, row in enumerate(rows):
            tokens = encoded.input_ids[row]
            ids[place, : len(tokens)] = tokens
            mask[place, : len(tokens)] = 1
        made = {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(mask),
            "labels": torch.tensor([encoded.targets[row] for row in rows]),
        }
        if encoded.segments:
            segments = np.zeros((len(rows), longest), np.int64)
            for place, row in enumerate(rows):
                segments[place, : len(encoded.segments[row])] = encoded.segments[row]
            made["token_type_ids"] = torch.from_numpy(segments)
        if encoded.weights is not None:
            made["weights"] = torch.tensor([encoded.weights[row] for row in rows], dtype=torch.float32)
        return made

    def build(self, folder: Path) -> "PreTrainedModel":
        """Return the encoder in `folder` with a fresh classification head; the folder must hold an encoder alone."""
        from transformers import AutoModelForSequenceClassification

        names = dict(enumerate(self.labels))
        model: PreTrainedModel = AutoModelForSequenceClassification.from_pretrained(
            folder,
            id2label=names,
            label2id={name: number for number, name in names.items()},
            local_files_only=True,
        )
        return model

    def loss(self, outputs: Any, batch: Batch) -> "torch.Tensor":
        """Return the mean over rows of the cross-entropy, each times its row's weight where there are weights."""
        from torch.nn.functional import cross_entropy

        each = cross_entropy(outputs.logits.float(), batch["labels"], reduction="none")
        if "weights" not in batch:
            return each.mean()
        return (each * batch["weights"]).mean()  # not over the batch's own weights: a row's pull must not depend on it

    def predict(self, outputs: Any) -> list[int]:
        """Return the class of the highest logit for each row."""
        return [int(one) for one in outputs.logits.argmax(dim=-1)]

    def probabilities(self, outputs: Any, batch: Batch) -> list[Any]:  # noqa: ARG002 (the output says it all)
        """Return the probability of each class for each row."""
        found: list[Any] = outputs.logits.double().softmax(dim=-1).tolist()
        return found

    def score(self, predictions: Sequence[Any], references: Sequence[Any]) -> Mapping[str, float]:
        """Return the accuracy and the macro-averaged F1, times 100."""
        values = {
            **classification.accuracy(predictions, references),
            **classification.f1(predictions, references),
        }
        return {name: values[name] for name in self.metrics}

    def signature(self) -> Mapping[str, Any]:
        """Return the label space."""
        return {"head": "sequence", "labels": list(self.labels)}
