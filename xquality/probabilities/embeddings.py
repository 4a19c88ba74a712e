"""Probabilities from logistic regression on a frozen encoder's embeddings, out of sample over folds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import ClassLabel, Dataset, List, Value

from xquality import _settings
from xquality.data.arrow import Floats, Indices, make_lists, read_strings
from xquality.data.missing import rows_without_text, warn_without_text
from xquality.data.rows import Rows
from xquality.heads.frozen_encoder import FrozenEncoder
from xquality.label_issues.folds import assign_folds, check_enough, hash_texts, predict_out_of_fold
from xquality.label_issues.linear import predict_by_regression
from xquality.label_issues.predictions import read_tagging
from xquality.label_issues.text_models import UNKNOWN_LABELS
from xquality.models import Model, load_encoder
from xquality.models.isolation import isolate
from xquality.models.model import on_best_device
from xquality.probabilities.column_request import ColumnRequest
from xquality.text.columns import filled_text_columns, join_tokens, token_columns


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
        encoder = FrozenEncoder(trained.encoder(), trained.tokenizer, max_length, prefix, layer, owner=request.owner)
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
