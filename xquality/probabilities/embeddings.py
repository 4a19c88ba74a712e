"""Probabilities from logistic regression on a frozen encoder's embeddings, out of sample over folds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
import pyarrow as pa
from datasets import ClassLabel, Dataset, List, Value

from xquality import _settings
from xquality.data.arrow import Floats, Indices, Mask, make_lists, read_strings
from xquality.data.missing import rows_without_text, warn_without_text
from xquality.data.rows import Rows
from xquality.errors import SettingError
from xquality.heads.embedding import check_layer
from xquality.heads.tokenisation import add_prefix
from xquality.label_issues.folds import assign_folds, check_enough, hash_texts, predict_out_of_fold
from xquality.label_issues.linear import predict_by_regression
from xquality.label_issues.predictions import read_tagging
from xquality.label_issues.text_models import UNKNOWN_LABELS
from xquality.models import Model, load_encoder
from xquality.models.isolation import isolate
from xquality.models.model import on_best_device
from xquality.probabilities.column_request import ColumnRequest
from xquality.text.columns import filled_text_columns, join_tokens, token_columns

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_BATCH = 128  # rows that the encoder reads at a time


def from_embeddings(
    data: Dataset,
    model: str | Path | Model,
    *,
    seed: int,
    column: str = "label",
    text_columns: Sequence[str] | None = None,
    folds: int = 5,
    max_length: int = 128,
    threads: int | None = None,
    name: str = "probabilities",
    prefix: str = "",
    layer: int | None = None,
) -> Dataset:
    """Return the rows with probabilities from logistic regression on a frozen encoder's embeddings, over folds.

    The embedding of a text is the mean of its tokens' vectors in one layer, the last by default. For a pair of texts
    the regression gets both, their absolute difference and their product (as InferSent does, Conneau et al. 2017). The
    embedding of a token is the mean of its pieces' first states beside that of their states in the layer. Rows with one
    text share a fold, folds are keyed by text and seed, and the order of rows changes nothing. The encoder must not
    have been fine-tuned on these labels: it would reproduce them, and the probabilities would not be out of sample.

    Args:
        data: rows with a ClassLabel column, or a column of lists of ClassLabel.
        model: a local folder, a Hub id, or a trained model, whose head is left out.
        seed: an integer.
        column: the column of labels.
        text_columns: the text to read; None for every string column, as for `CleanlabFilter`; for tags, one column with
            one string for each tag, None for the first such.
        folds: the number of folds, 2 or more.
        max_length: in word pieces; text beyond it is not read, and a token there gets no probabilities.
        threads: how many threads torch computes with; None leaves their number as it is.
        name: the column to add: a list of one probability for each class, or a list of such lists.
        prefix: put before every text, such as "query: " for E5; for tags, before the first token of a row.
        layer: the layer that is read: 0 for the embeddings, 1 for the first layer, -1 for the last; None for the last.

    Raises:
        DataKindError: if `data` is not a `Dataset`.
        SettingError: for a number out of range.
        ColumnError: if there is no text, or a column of that name already.
        LabelError: for unlabelled rows, or fewer texts or classes than folds need.
        ModelError: if the model cannot be loaded, or does not have the layer.

    Example:
        >>> import tempfile
        >>> from xquality import CleanlabFilter, LabelNoise, toy
        >>> from xquality.models import tiny_encoder
        >>> noisy = LabelNoise(rate=0.2)(toy.topics.load("es", "validation"), seed=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     tiny = tiny_encoder(noisy["text"][:], folder=f"{folder}/tiny", pieces=300, width=16, steps=1)
        ...     predicted = from_embeddings(noisy, tiny, seed=1)
        >>> flagged = CleanlabFilter(action="flag", probabilities="probabilities")(predicted, seed=1)
    """
    request = ColumnRequest.of("from_embeddings", data, seed, folds, name)
    _settings.integer(request.owner, "max_length", max_length, least=4)
    prefix = _settings.any_text(request.owner, "prefix", prefix)
    layer = None if layer is None else _settings.integer(request.owner, "layer", layer)
    rows = Rows(request.table, request.data.features, request.owner)
    rows.column(column)
    tags = getattr(rows.features[column], "feature", None)
    with isolate(threads):
        trained = model if isinstance(model, Model) else Model(*load_encoder(model), 0, {})
        encoder = FrozenEncoder(trained.encoder(), trained.tokenizer, max_length, prefix, layer)
        with on_best_device(encoder.network):
            if isinstance(tags, ClassLabel):
                names, values, feature = _predict_tags(rows, column, tuple(tags.names), text_columns, encoder, request)
            else:
                names, values, feature = _predict_classes(rows, column, text_columns, encoder, request)
    settings = {"column": column, "text_columns": names, "max_length": max_length}
    settings |= {} if layer is None else {"layer": encoder.layer_number}
    settings |= {"prefix": prefix} if prefix else {}
    details = {"model": trained.digest}
    return request.add_column(values, feature, settings, details, ("scikit-learn", "torch", "transformers"))


def _predict_classes(
    rows: Rows, column: str, text_columns: Sequence[str] | None, encoder: "FrozenEncoder", request: ColumnRequest
) -> tuple[list[str], pa.Array, Any]:
    """Return the columns that were read, each row's probabilities as lists, and their feature."""
    labels, classes = rows.labels(column), len(rows.class_names(column))
    names = filled_text_columns(rows, text_columns)
    columns = [read_strings(rows.text(name)) for name in names]
    warn_without_text(rows.owner, names, rows_without_text(columns), UNKNOWN_LABELS)
    groups = hash_texts(columns)
    check_enough(groups, labels, request.folds, request.owner)
    parts = [encoder.embed_texts(texts) for texts in columns]
    if len(parts) == 2:
        parts += [np.abs(parts[0] - parts[1]), parts[0] * parts[1]]
    fold = assign_folds(labels, groups, request.draw, request.folds)
    probabilities = _regress(np.concatenate(parts, axis=1), labels, classes, fold, request.folds)
    values = make_lists(pa.array(probabilities.ravel()), np.full(len(rows), classes))
    return list(names), values, List(Value("float64"))


def _predict_tags(
    rows: Rows,
    column: str,
    tags: tuple[str, ...],
    text_columns: Sequence[str] | None,
    encoder: "FrozenEncoder",
    request: ColumnRequest,
) -> tuple[list[str], pa.Array, Any]:
    """Return the column that was read, each token's probabilities as lists of lists, and their feature."""
    tagging = read_tagging(rows, column, tags, valid=False)
    name, tokens = next(iter(token_columns(rows, text_columns, tagging.counts).items()))
    groups = hash_texts([join_tokens(tokens, tagging.counts)])
    check_enough(groups, tagging.labels, request.folds, request.owner)
    features, read = encoder.embed_tokens(tokens, tagging.counts)
    fold = assign_folds(np.zeros(len(rows), np.int64), groups, request.draw, request.folds)[tagging.row_of]
    probabilities = _regress(features, tagging.labels[read], len(tags), fold[read], request.folds)
    of_tokens = make_lists(pa.array(probabilities.ravel()), np.where(read, len(tags), 0), ~read)
    return [name], make_lists(of_tokens, tagging.counts), List(List(Value("float64")))


def _regress(features: Floats, labels: Indices, classes: int, fold: Indices, folds: int) -> Floats:
    """Return the probabilities of a regression that was trained on the other folds, shape (rows, classes)."""

    def predict(training: Indices, held_out: Indices, _: int) -> Floats:
        return predict_by_regression(features[training], labels[training], features[held_out], classes)

    return predict_out_of_fold(fold, folds, classes, predict)


@final
@dataclass(frozen=True)
class FrozenEncoder:
    """An encoder that is not trained, and how much of a text it reads.

    Attributes:
        network: an encoder without a head, on its device.
        tokenizer: its tokenizer.
        max_length: in word pieces; text beyond it is not read.
        prefix: put before every text.
        layer: the layer that is read, from 0 for the embeddings or from -1 for the last; None for the last.
    """

    network: "PreTrainedModel" = field(repr=False)
    tokenizer: "PreTrainedTokenizerBase" = field(repr=False)
    max_length: int
    prefix: str = ""
    layer: int | None = None

    def __post_init__(self) -> None:
        check_layer(self.network, self.layer, "from_embeddings")
        if self.max_length > self.tokenizer.model_max_length:
            raise SettingError(
                f"max_length={self.max_length} is more than the {self.tokenizer.model_max_length} tokens that the "
                "encoder reads; lower it."
            )

    @property
    def layer_number(self) -> int:
        """The number of the layer that is read, from 0 for the embeddings."""
        depth = int(self.network.config.num_hidden_layers)
        return depth if self.layer is None else self.layer % (depth + 1)

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """Return the mean of each text's hidden states, special tokens included, shape (texts, width)."""
        embeddings = np.empty((len(texts), self._width))
        pieces = self.tokenizer(add_prefix(self.prefix, list(texts)), truncation=True, max_length=self.max_length)[
            "input_ids"
        ]
        for rows, _, last, mask in self._states(pieces):
            present = mask[:, :, None]
            embeddings[rows] = (last * present).sum(axis=1) / present.sum(axis=1)
        return embeddings

    def embed_tokens(self, tokens: Sequence[str], counts: Indices) -> tuple[Floats, Mask]:
        """Return the means of the first and of the layer's hidden states of each token's pieces, side by side.

        The last states hold the context of the sentence, and in some encoders little else; the first hold the token
        itself. A token has no embedding if it is beyond `max_length`, or if the tokenizer makes no piece of it.

        Args:
            tokens: all tokens, row after row.
            counts: the number of tokens of each row, shape (rows,).

        Returns:
            Embeddings of shape (tokens with pieces, 2 * width), and which tokens these are, shape (tokens,).
        """
        ends = np.cumsum(counts)
        before = [self.prefix.strip()] if self.prefix.strip() else []  # as a word of its own
        sentences = [[*before, *tokens[end - count : end]] for end, count in zip(ends, counts, strict=True)]
        encoded = self.tokenizer(sentences, is_split_into_words=True, truncation=True, max_length=self.max_length)
        total = np.zeros((len(tokens), 2 * self._width))
        pieces = np.zeros(len(tokens), np.int64)
        for rows, first, last, _ in self._states(encoded["input_ids"]):
            for row, states in zip(rows, np.concatenate([first, last], axis=-1), strict=True):
                numbered = [(piece, word) for piece, word in enumerate(encoded.word_ids(int(row))) if word is not None]
                words = [(piece, word - len(before)) for piece, word in numbered if word >= len(before)]
                positions, word_of = np.array(words, np.int64).reshape(-1, 2).T
                np.add.at(total, word_of + ends[row] - counts[row], states[positions])
                np.add.at(pieces, word_of + ends[row] - counts[row], 1)
        read = pieces > 0
        return total[read] / pieces[read, None], read

    @property
    def _width(self) -> int:
        """The size of the hidden states."""
        return int(self.network.config.hidden_size)

    def _states(self, pieces: Sequence[Sequence[int]]) -> Iterator[tuple[Indices, Floats, Floats, Indices]]:
        """Yield batches of rows of similar length, their first hidden states, the layer's, and which are no padding."""
        import torch

        order = np.argsort([len(row) for row in pieces], kind="stable")
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            longest = max(len(pieces[row]) for row in rows)
            ids = np.full((len(rows), longest), self.tokenizer.pad_token_id, np.int64)
            mask = np.zeros((len(rows), longest), np.int64)
            for number, row in enumerate(rows):
                ids[number, : len(pieces[row])] = pieces[row]
                mask[number, : len(pieces[row])] = 1
            batch = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
            with torch.inference_mode():
                moved = {name: tensor.to(self.network.device) for name, tensor in batch.items()}
                outputs = self.network(**moved, output_hidden_states=True)
            first = outputs.hidden_states[0]
            last = outputs.last_hidden_state if self.layer is None else outputs.hidden_states[self.layer]
            yield rows, first.double().cpu().numpy(), last.double().cpu().numpy(), mask
