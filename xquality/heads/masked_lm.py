"""MaskedLMHead: predicting hidden word pieces of plain text."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, final

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from xquality import _settings
from xquality.data._datasets import table_of
from xquality.data.arrow import read_strings
from xquality.heads.batching import Batch, mean_token_loss, padded
from xquality.heads.columns import check_texts, check_weights, keys_of, weights_of
from xquality.heads.encoded import Encoded
from xquality.heads.head import EpochContext, TrainableHead, choose_metrics, metrics_among
from xquality.heads.tokens import tokenised
from xquality.metrics import MASKED_ACCURACY, PERPLEXITY, Examples, Metric, MetricValue
from xquality.metrics.metric import measure
from xquality.randomness import Draw, mix

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_IGNORED = -100  # where nothing is hidden
_MASKED, _SWAPPED = 0.8, 0.9  # of the hidden pieces, 80 % become the mask, 10 % another piece, 10 % stay


@final
@dataclass(frozen=True, repr=False)
class MaskedLMHead(TrainableHead):
    """Masked language modelling (Devlin et al. 2019), with the stock head that transformers gives the encoder.

    What is hidden of a row is decided by the stage's seed, the row's uid and how often it was looked at: another batch
    size or another order of rows hides the same pieces. Exactly `round(rate * pieces)` of a row's pieces are hidden,
    one at least; 80 % of them become the mask, 10 % any other piece and 10 % stay. In evaluation rows always look as
    on the first pass with seed 0.

    Attributes:
        text: the column of texts; what is longer than the stage's `max_length` is cut.
        rate: the share of a row's pieces that is hidden.
        metrics: the metrics to report, the main one first: "masked_accuracy" and "perplexity", or values of your own,
            which are given for each row the sum of the losses, the hidden pieces that were found, and all hidden ones.
    """

    tokens_at_once: ClassVar[int] = 2048  # every token's output is as long as the vocabulary

    text: _settings.Name = "text"
    rate: _settings.Rate = 0.15
    metrics: Annotated[tuple[Metric | str, ...], metrics_among("masked_accuracy", "perplexity")] = field(
        default=("masked_accuracy", "perplexity"), repr=False
    )

    def __post_init__(self) -> None:
        _settings.check_settings(self)

    @property
    def reads(self) -> tuple[str, ...]:
        """The column of texts."""
        return (self.text,)

    @property
    def chosen_metrics(self) -> tuple[Metric, ...]:
        """The metrics to report, the main one first."""
        return choose_metrics(self.metrics, (MASKED_ACCURACY, PERPLEXITY))

    def check(self, data: Dataset) -> None:
        """Raise `ColumnError` where the column is missing or holds no text."""
        check_texts(data, (self.text,), "MaskedLMHead")
        check_weights(data)

    def encode(self, data: Dataset, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> Encoded:
        """Return the rows as token ids; what is hidden is decided when a batch is made.

        Raises:
            ColumnError: as `check`.
        """
        self.check(data)
        table = table_of(data)
        ids, segments = tokenised(tokenizer, [read_strings(table.column(self.text))], max_length)
        return Encoded(ids, [0] * len(ids), weights_of(table), segments, keys_of(table))

    def batch(
        self,
        encoded: Encoded,
        rows: Sequence[int],
        tokenizer: "PreTrainedTokenizerBase",
        visit: EpochContext | None = None,
    ) -> Batch:
        """Return the rows with pieces hidden, and `labels` with the hidden pieces, shape (rows, longest)."""
        import torch

        assert encoded.keys is not None
        seen = visit or EpochContext(0, [0] * len(rows))
        made = padded(encoded, rows, int(tokenizer.pad_token_id))
        ids = made["input_ids"].numpy()
        passes = mix(np.asarray(seen.passes, np.uint64) + np.uint64(1))
        keys = mix(encoded.keys[list(rows)] ^ passes)[:, None] + np.arange(ids.shape[1], dtype=np.uint64)
        draw = Draw(seen.seed, "MaskedLMHead", 0, keys.astype(np.uint64).ravel())
        special = np.isin(ids, tokenizer.all_special_ids) | ~made["attention_mask"].numpy().astype(bool)
        hidden = self._hidden(draw.uniform("hide").reshape(ids.shape), ~special)
        how = draw.uniform("how").reshape(ids.shape)
        plain = _plain(len(tokenizer), tuple(tokenizer.all_special_ids))
        others = plain[draw.integers("piece", len(plain)).reshape(ids.shape)]
        shown = np.where(how < _MASKED, int(tokenizer.mask_token_id), np.where(how < _SWAPPED, others, ids))
        made["input_ids"] = torch.from_numpy(np.where(hidden, shown, ids))
        return {**made, "labels": torch.from_numpy(np.where(hidden, ids, _IGNORED))}

    def _hidden(self, chance: NDArray[np.float64], able: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which pieces to hide: those of each row with the smallest draws."""
        counts = able.sum(1, keepdims=True)
        wanted = np.minimum(np.maximum(np.rint(self.rate * counts), 1), counts)
        places = np.where(able, chance, 2.0).argsort(1, kind="stable").argsort(1, kind="stable")
        return np.asarray(places < wanted, np.bool_)

    def build(self, folder: Path) -> "PreTrainedModel":
        """Return the encoder in `folder` with a fresh head, whose output layer shares the input's embeddings."""
        from transformers import AutoModelForMaskedLM

        model: PreTrainedModel = AutoModelForMaskedLM.from_pretrained(folder, local_files_only=True)
        return model

    def loss(self, outputs: Any, batch: Batch) -> "torch.Tensor":
        """Return the mean loss of the hidden pieces, each times its row's weight where there are weights."""
        return mean_token_loss(*_losses(outputs.logits, batch["labels"]), batch)

    def counted(self, batch: Batch) -> int:
        """Return over how many hidden pieces the loss of a batch is a mean."""
        return int((batch["labels"] != _IGNORED).sum())

    def predict(self, outputs: Any, batch: Batch) -> list[tuple[float, int, int]]:
        """Return for each row the sum of the losses, the hidden pieces that were found, and all hidden pieces."""
        labels = batch["labels"].to(outputs.logits.device)
        each, hidden = _losses(outputs.logits, labels)
        right = (outputs.logits.argmax(dim=-1) == labels) & hidden
        sums = (each.double().sum(1).tolist(), right.sum(1).tolist(), hidden.sum(1).tolist())
        return list(zip(*sums, strict=True))

    def score(self, predictions: Sequence[Any], references: Sequence[Any], language: str) -> list[MetricValue]:
        """Return the metrics over one language's rows; the share of hidden pieces is printed in the score."""
        signature = {"hidden": sum(hidden for _, _, hidden in predictions), "rate": self.rate}
        return measure(self.chosen_metrics, Examples(predictions, references, language), signature)

    def signature(self) -> Mapping[str, Any]:
        """Return the label space: the vocabulary, which the tokenizer fixes."""
        return {"head": "masked_lm"}


@functools.lru_cache(maxsize=4)
def _plain(pieces: int, special: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the pieces that are not special; a step should not look through a large vocabulary again."""
    return np.setdiff1d(np.arange(pieces), special)


def _losses(logits: "torch.Tensor", labels: "torch.Tensor") -> tuple["torch.Tensor", "torch.Tensor"]:
    """Return the loss of every piece, 0 where it is not hidden, and which are hidden, both of shape (rows, longest)."""
    from torch.nn.functional import cross_entropy

    each = cross_entropy(logits.float().transpose(1, 2), labels, ignore_index=_IGNORED, reduction="none")
    return each, labels != _IGNORED
