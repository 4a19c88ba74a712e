"""Probabilities from a linear model over a frozen encoder's embeddings, out of sample over folds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import ClassLabel, Dataset, List, Value

from xquality import _settings
from xquality.data.arrow import Floats, Indices, make_lists, read_strings
from xquality.data.rows import Rows
from xquality.label_issues.folds import assign_folds, out_of_fold
from xquality.label_issues.linear import logistic
from xquality.label_issues.tags import read_tagging
from xquality.label_issues.text import check_enough, groups_of, sentences_of, text_columns_of, token_columns_of
from xquality.models.isolation import isolate
from xquality.models.model import Model, load_encoder, on_best_device
from xquality.probabilities.column_request import ColumnRequest
from xquality.probabilities.frozen import Encoder


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
) -> Dataset:
    """Return the rows with probabilities from logistic regression on a frozen encoder's embeddings, over folds.

    A text is the mean of its last hidden states. Of the two texts of a pair the regression sees both, their absolute
    difference and their product (as InferSent does, Conneau et al. 2017). A token is the mean of its pieces' states.
    Rows with one text share a fold, folds are keyed by text and seed, and the order of rows changes nothing. The
    encoder must not have been fine-tuned on these labels, or it gives them back.

    Args:
        data: rows with a ClassLabel column, or a column of lists of ClassLabel.
        model: a local folder, a Hub id, or a trained model, whose head is left out.
        seed: an integer.
        column: the column of labels.
        text_columns: the text to read; None for every string column as `CleanlabFilter` chooses them; for tags, one
            column with one string for each tag, None for the first such.
        folds: how many folds, 2 or more.
        max_length: in tokens; what lies beyond is not read, and a tagged token there gets no probabilities.
        threads: how many threads torch computes with; None leaves their number as it is.
        name: the column to add: a list of one probability for each class, or a list of such lists.

    Raises:
        DataKindError: where `data` is not a `Dataset`.
        SettingError: for a number out of range.
        ColumnError: where there is no text, or a column of that name already.
        LabelError: for unlabelled rows, or fewer texts or classes than folds need.
        ModelError: where the model cannot be loaded.

    Example:
        >>> import tempfile
        >>> from xquality import CleanlabFilter, LabelNoise, toy
        >>> from xquality.models.tiny_encoder import tiny_encoder
        >>> noisy = LabelNoise(rate=0.2)(toy.topics.load("es", "validation"), seed=1)
        >>> with tempfile.TemporaryDirectory() as place:
        ...     tiny = tiny_encoder(noisy["text"][:], folder=f"{place}/tiny", pieces=300, width=16, steps=1)
        ...     judged = from_embeddings(noisy, tiny, seed=1)
        >>> flagged = CleanlabFilter(action="flag", probabilities="probabilities")(judged, seed=1)
    """
    asked = ColumnRequest.of("from_embeddings", data, seed, folds, name)
    _settings.integer(asked.owner, "max_length", max_length, least=4)
    rows = Rows(asked.table, asked.data.features, asked.owner)
    rows.column(column)
    tags = getattr(rows.features[column], "feature", None)
    with isolate(threads):
        trained = model if isinstance(model, Model) else Model(*load_encoder(model), 0, {})
        encoder = Encoder(trained.encoder(), trained.tokenizer, max_length)
        with on_best_device(encoder.network):
            if isinstance(tags, ClassLabel):
                names, values, feature = _of_tags(rows, column, tuple(tags.names), text_columns, encoder, asked)
            else:
                names, values, feature = _of_classes(rows, column, text_columns, encoder, asked)
    settings = {"column": column, "text_columns": names, "max_length": max_length}
    return asked.answer(values, feature, settings, {"model": trained.digest}, ("scikit-learn", "torch", "transformers"))


def _of_classes(
    rows: Rows, column: str, asked_for: Sequence[str] | None, encoder: Encoder, asked: ColumnRequest
) -> tuple[list[str], pa.Array, Any]:
    """Return the columns that were read, each row's probabilities as lists, and their feature."""
    labels, classes = rows.labels(column), len(rows.class_names(column))
    names = text_columns_of(rows, asked_for, asked.owner)
    columns = [read_strings(rows.text(one)) for one in names]
    groups = groups_of(columns)
    check_enough(groups, labels, asked.folds, asked.owner)
    parts = [encoder.of_texts(one) for one in columns]
    if len(parts) == 2:
        parts += [np.abs(parts[0] - parts[1]), parts[0] * parts[1]]
    fold = assign_folds(labels, groups, asked.draw, asked.folds)
    found = _held_out(np.concatenate(parts, axis=1), labels, classes, fold, asked.folds)
    return list(names), make_lists(pa.array(found.ravel()), np.full(len(rows), classes)), List(Value("float64"))


def _of_tags(
    rows: Rows,
    column: str,
    tags: tuple[str, ...],
    asked_for: Sequence[str] | None,
    encoder: Encoder,
    asked: ColumnRequest,
) -> tuple[list[str], pa.Array, Any]:
    """Return the column that was read, each token's probabilities as lists of lists, and their feature."""
    tagging = read_tagging(rows, column, tags, asked.owner, valid=False)
    name, tokens = next(iter(token_columns_of(rows, tagging, asked_for, asked.owner).items()))
    groups = groups_of([sentences_of(tokens, tagging.counts)])
    check_enough(groups, tagging.labels, asked.folds, asked.owner)
    features, judged = encoder.of_tokens(tokens, tagging.counts)
    fold = assign_folds(np.zeros(len(rows), np.int64), groups, asked.draw, asked.folds)[tagging.row_of]
    found = _held_out(features, tagging.labels[judged], len(tags), fold[judged], asked.folds)
    each = make_lists(pa.array(found.ravel()), np.where(judged, len(tags), 0), ~judged)
    return [name], make_lists(each, tagging.counts), List(List(Value("float64")))


def _held_out(features: Floats, labels: Indices, classes: int, fold: Indices, folds: int) -> Floats:
    """Return the probabilities of a regression that did not see the row, shape (rows, classes)."""

    def predict_fold(rest: Indices, held: Indices, _: int) -> Floats:
        return logistic(features[rest], labels[rest], features[held], classes)

    return out_of_fold(fold, folds, classes, predict_fold)
