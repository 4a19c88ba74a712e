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
from xquality.heads.columns import check_texts, check_weights, read_keys, read_weights
from xquality.heads.encoded import IGNORED, Encoded, TensorBatch, mean_token_loss
from xquality.heads.head import BatchRows, EpochContext, TrainableHead, choose_metrics, metrics_among
from xquality.heads.tokenisation import tokenise
from xquality.metrics import MASKED_ACCURACY, PERPLEXITY, Examples, Metric, MetricValue
from xquality.metrics.metric import measure
from xquality.randomness import Draw, mix

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_MASKED, _SWAPPED = 0.8, 0.9  # of the hidden pieces, 80 % become the mask, 10 % another piece, 10 % stay


@final
@dataclass(frozen=True, repr=False)
class MaskedLMHead(TrainableHead):
    """Masked language modelling (Devlin et al. 2019), with the stock head of transformers on the encoder.

    What is hidden of a row is decided by the stage's seed, the row's uid and the number of epochs that it was read in:
    another batch size or another order of rows hides the same pieces. Exactly `round(rate * pieces)` of a row's pieces
    are hidden, at least one; 80 % of them become the mask, 10 % any other piece and 10 % stay. In evaluation, rows are
    always those of the first epoch with seed 0.

    Attributes:
        text: the column of texts, which are cut at the stage's `max_length`.
        rate: the share of a row's pieces that is hidden.
        metrics: the metrics to report, the main one first: "masked_accuracy" and "perplexity", or values of your own,
            whose predictions are for each row the sum of the losses, the number of hidden pieces that were predicted
            right, and the number of hidden pieces.
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
        """Raise `ColumnError` if the column is missing, is not text or has a null; a text may be empty."""
        check_texts(data, (self.text,), "MaskedLMHead", warn_of_blank=False)
        check_weights(data)

    def encode(self, data: Dataset, tokenizer: "PreTrainedTokenizerBase", max_length: int) -> Encoded:
        """Return the rows as token ids; `batch` decides what is hidden."""
        self.check(data)
        table = table_of(data)
        ids, segments = tokenise(tokenizer, [read_strings(table.column(self.text))], max_length)
        return Encoded(ids, [0] * len(ids), read_weights(table), segments, read_keys(table))

    def add_targets(self, padded: TensorBatch, batch_rows: BatchRows) -> TensorBatch:
        """Return the batch with pieces hidden, and `labels` with the hidden pieces, shape (rows, longest)."""
        import torch

        rows, tokenizer = list(batch_rows.rows), batch_rows.tokenizer
        epoch = batch_rows.epoch or EpochContext(0, [0] * len(rows))
        assert batch_rows.encoded.keys is not None
        ids = padded["input_ids"].numpy()
        passes = mix(np.asarray(epoch.passes, np.uint64) + np.uint64(1))
        keys = mix(batch_rows.encoded.keys[rows] ^ passes)[:, None] + np.arange(ids.shape[1], dtype=np.uint64)
        draw = Draw(epoch.seed, "MaskedLMHead", 0, keys.astype(np.uint64).ravel())
        special = np.isin(ids, tokenizer.all_special_ids) | ~padded["attention_mask"].numpy().astype(bool)
        hidden = self._choose_hidden(draw.uniform("hide").reshape(ids.shape), ~special)
        how = draw.uniform("how").reshape(ids.shape)
        plain = _plain_pieces(len(tokenizer), tuple(tokenizer.all_special_ids))
        others = plain[draw.integers("piece", len(plain)).reshape(ids.shape)]
        shown = np.where(how < _MASKED, int(tokenizer.mask_token_id), np.where(how < _SWAPPED, others, ids))
        tensors = {"input_ids": np.where(hidden, shown, ids), "labels": np.where(hidden, ids, IGNORED)}
        return {**padded, **{name: torch.from_numpy(values) for name, values in tensors.items()}}

    def _choose_hidden(self, draws: NDArray[np.float64], eligible: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which pieces are hidden: the eligible ones of each row with the smallest draws."""
        counts = eligible.sum(1, keepdims=True)
        wanted = np.minimum(np.maximum(np.rint(self.rate * counts), 1), counts)
        ranks = np.where(eligible, draws, 2.0).argsort(1, kind="stable").argsort(1, kind="stable")
        return np.asarray(ranks < wanted, np.bool_)

    def build(self, folder: Path) -> "PreTrainedModel":
        """Return the encoder in `folder` with a new head, whose output layer shares the input's embeddings."""
        from transformers import AutoModelForMaskedLM

        model: PreTrainedModel = AutoModelForMaskedLM.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
        return model

    def loss(self, outputs: Any, batch: TensorBatch) -> "torch.Tensor":
        """Return the mean loss of the hidden pieces, each times its row's weight if there are weights."""
        return mean_token_loss(*_piece_losses(outputs.logits, batch["labels"]), batch)

    def count_tokens(self, batch: TensorBatch) -> int:
        """Return the number of hidden pieces that the loss of a batch is a mean over."""
        return int((batch["labels"] != IGNORED).sum())

    def predict(self, outputs: Any, batch: TensorBatch) -> list[tuple[float, int, int]]:
        """Return for each row the sum of the losses, the hidden pieces predicted right, and all hidden pieces."""
        labels = batch["labels"].to(outputs.logits.device)
        losses, hidden = _piece_losses(outputs.logits, labels)
        right = (outputs.logits.argmax(dim=-1) == labels) & hidden
        sums = (losses.double().sum(1).tolist(), right.sum(1).tolist(), hidden.sum(1).tolist())
        return list(zip(*sums, strict=True))

    def join_rows(self, predictions: Sequence[Any], encoded: Encoded) -> list[tuple[float, int, int]]:  # noqa: ARG002 (a row is an example)
        """Return the predictions: each row is an example."""
        return list(predictions)

    def score(self, predictions: Sequence[Any], references: Sequence[Any], language: str) -> list[MetricValue]:
        """Return the metrics over one language's rows; a score's signature has the number of hidden pieces."""
        signature = {"hidden": sum(hidden for _, _, hidden in predictions), "rate": self.rate}
        return measure(self.chosen_metrics, Examples(predictions, references, language), signature)

    def signature(self) -> Mapping[str, Any]:
        """Return the label space: the vocabulary, which the tokenizer fixes."""
        return {"head": "masked_lm"}


@functools.lru_cache(maxsize=4)
def _plain_pieces(pieces: int, special: tuple[int, ...]) -> NDArray[np.int64]:
    """Return the pieces that are not special, cached: searching a large vocabulary at every step is slow."""
    return np.setdiff1d(np.arange(pieces), special)


def _piece_losses(logits: "torch.Tensor", labels: "torch.Tensor") -> tuple["torch.Tensor", "torch.Tensor"]:
    """Return the loss of every piece, 0 if it is not hidden, and which are hidden, both of shape (rows, longest)."""
    from torch.nn.functional import cross_entropy

    losses = cross_entropy(logits.float().transpose(1, 2), labels, ignore_index=IGNORED, reduction="none")
    return losses, labels != IGNORED
