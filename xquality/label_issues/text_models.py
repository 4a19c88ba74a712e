"""Out-of-sample probabilities from the rows' own text: linear models, cheap, offline and in any language.

Texts and tokens are represented by character n-grams weighted by TF-IDF. The rows are brought into an order keyed by
their uids first, so that their order in the data changes nothing.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from xquality.data.arrow import Floats, Indices, Matrix, read_strings, value_indices
from xquality.data.missing import rows_without_text, warn_without_text
from xquality.data.rows import Rows
from xquality.errors import LabelError, warn
from xquality.label_issues.folds import assign_folds, check_enough, hash_texts, predict_out_of_fold
from xquality.label_issues.linear import predict_by_sgd
from xquality.label_issues.predictions import ClassPredictions, Tagging, TagPredictions, order_by_uid
from xquality.randomness import Bits, Draw, derive_seed
from xquality.text.columns import filled_text_columns, join_tokens, token_columns

_LONGEST = 100_000  # characters of a text, a short book, which take half a second
_MANY_CLASSES = 1_000
_MOST_CELLS_OF_MANY = 10_000_000  # rows times classes: some minutes of work
_MOST_CELLS = 100_000_000
_NEIGHBOUR = 0.5  # the weight of the words beside a token; at 1 they count for more than the token itself
_SHAPE = 0.5  # the weight of a token's shape
UNKNOWN_LABELS = "nothing is known about their labels, so filter them out first"


def predict_classes(
    rows: Rows, column: str, text_columns: Sequence[str] | None, draw: Draw, folds: int
) -> tuple[ClassPredictions, tuple[str, ...]]:
    """Return the labels of a ClassLabel column with probabilities from the rows' texts, and the columns that were read.

    Raises:
        ColumnError: if there is no text.
        LabelError: for unlabelled rows, fewer texts or classes than folds need, or so many rows and classes that the
            models would take hours.
    """
    labels, classes = rows.labels(column), len(rows.class_names(column))
    _check_feasible(rows.owner, len(labels), classes)
    names = filled_text_columns(rows, text_columns)
    columns = [read_strings(rows.text(name)) for name in names]
    warn_without_text(rows.owner, names, rows_without_text(columns), UNKNOWN_LABELS)
    probabilities = np.empty((0, classes))
    if len(rows):
        groups = hash_texts(columns)
        check_enough(groups, labels, folds, rows.owner)
        columns = [_cut_long(rows.owner, texts, "texts") for texts in columns]
        probabilities = class_probabilities(columns, labels, classes, groups, draw, folds)
    return ClassPredictions(labels, Matrix((probabilities,)), order_by_uid(draw.uids)), names


def predict_tags(
    rows: Rows, tagging: Tagging, text_columns: Sequence[str] | None, draw: Draw, folds: int
) -> tuple[TagPredictions, tuple[str, ...]]:
    """Return tags with probabilities from the forms of the rows' tokens, and the columns that were read.

    Raises:
        ColumnError: if no column holds one string for each tag.
        LabelError: for fewer texts or tags than folds need.
    """
    columns = token_columns(rows, text_columns, tagging.counts)
    blank = rows_without_text(list(columns.values())) if tagging.counts.any() else np.zeros(0, np.bool_)
    if blank.any():
        row = tagging.row_of[np.argmax(blank)]
        warn(
            f"{rows.owner}: {int(blank.sum())} tokens are null or blank in {', '.join(columns)}, the first in row "
            f"{row}; {UNKNOWN_LABELS}."
        )
    probabilities = np.empty((0, len(tagging.names)))
    if len(tagging.labels):
        groups = hash_texts([join_tokens(tokens, tagging.counts) for tokens in columns.values()])
        check_enough(groups, tagging.labels, folds, rows.owner)
        cut = [_cut_long(rows.owner, tokens, "tokens") for tokens in columns.values()]
        probabilities = tag_probabilities(cut, tagging, groups, draw, folds)
    predicted = np.ones(len(tagging.labels), np.bool_)
    return TagPredictions(tagging, Matrix((probabilities,)), predicted, order_by_uid(draw.uids)), tuple(columns)


def _check_feasible(owner: str, rows: int, classes: int) -> None:
    """Raise `LabelError` where training a linear model for each class, over all rows, would take hours."""
    if rows * classes > (_MOST_CELLS_OF_MANY if classes > _MANY_CLASSES else _MOST_CELLS):
        raise LabelError(
            f"{owner} trains a linear model for each of {classes:,} classes on {rows:,} rows, which would take hours; "
            "name a column of probabilities, for example of xquality.probabilities.from_embeddings, or remove the "
            "classes that no row has."
        )


def _cut_long(owner: str, texts: list[str], what: str) -> list[str]:
    """Return texts without what comes after `_LONGEST` characters, after a warning of those that have more."""
    long = [row for row, text in enumerate(texts) if len(text) > _LONGEST]
    if not long:
        return texts
    warn(
        f"{owner}: {len(long)} {what} are longer than {_LONGEST:,} characters, the first of them number {long[0]}; "
        "only so many of each are read."
    )
    return [text[:_LONGEST] for text in texts]


def class_probabilities(
    columns: Sequence[Sequence[str]], labels: Indices, classes: int, groups: Bits, draw: Draw, folds: int
) -> Floats:
    """Return the probability of each class for each row, from a model that did not see the row.

    A row's features are character n-grams (2 to 5, within word boundaries) weighted by TF-IDF. A linear model with log
    loss is trained on them by stochastic gradient descent.

    Args:
        columns: text columns, each with one string for each row; each has a vocabulary of its own.
        labels: given labels, shape (rows,).
        classes: the number of classes.
        groups: rows of one group share a fold, shape (rows,); for example a hash of the text.
        draw: the keyed randomness of the call.
        folds: the number of folds, at least 2.

    Returns:
        Probabilities, shape (rows, classes); each row sums to 1.
    """
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    order = np.lexsort((draw.order("rows"), draw.bits("rows")))
    vectoriser = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, dtype=np.float32)
    features = hstack([vectoriser.fit_transform([texts[row] for row in order]) for texts in columns], format="csr")
    given = labels[order]
    fold = assign_folds(given, groups[order], draw, folds)
    probabilities = np.empty((len(labels), classes))
    probabilities[order] = _predict(features, given, classes, fold, folds, draw, alpha=1e-5, epochs=20)
    return probabilities


def tag_probabilities(
    columns: Sequence[Sequence[str]], tagging: Tagging, groups: Bits, draw: Draw, folds: int
) -> Floats:
    """Return the probability of each tag for each token, from a model that did not see the token's row.

    A token's features are its character n-grams (1 to 4, with its boundaries) weighted by TF-IDF over the vocabulary,
    itself, its shape (capitals, digits, punctuation, its length up to 3, the sentence's ends), and the tokens beside
    it. A linear model with log loss is trained on them by stochastic gradient descent.

    Args:
        columns: columns of tokens, each with one string for each token, all rows one after the other.
        tagging: the given tags.
        groups: rows of one group share a fold, shape (rows,); for example a hash of the text.
        draw: the keyed randomness of the call, with one uid for each row.
        folds: the number of folds, at least 2.

    Returns:
        Probabilities, shape (tokens, tags); each row sums to 1.
    """
    from scipy.sparse import hstack

    order = draw.order("rows")
    tokens = value_indices(tagging.counts, order)
    rows = np.repeat(np.arange(len(order)), tagging.counts[order])
    features = hstack(
        [_token_features([strings[token] for token in tokens], rows) for strings in columns], format="csr"
    )
    fold = assign_folds(np.zeros(len(order), np.int64), groups[order], draw, folds)[rows]
    tags = len(tagging.names)
    probabilities = np.empty((len(tagging.labels), tags))
    probabilities[tokens] = _predict(features, tagging.labels[tokens], tags, fold, folds, draw, alpha=3e-5, epochs=10)
    return probabilities


def _predict(
    features: Any, labels: Indices, classes: int, fold: Indices, folds: int, draw: Draw, *, alpha: float, epochs: int
) -> Floats:
    """Return the probabilities of each row of features from a model trained on the other folds."""

    def predict(training: Indices, held_out: Indices, number: int) -> Floats:
        seed = derive_seed(draw.seed, draw.scope, draw.stream, "fold", number)
        return predict_by_sgd(
            features[training], labels[training], features[held_out], classes, seed=seed, alpha=alpha, epochs=epochs
        )

    return predict_out_of_fold(fold, folds, classes, predict)


def _token_features(tokens: list[str], rows: Indices) -> Any:
    """Return a sparse matrix of features, shape (tokens, features).

    Args:
        tokens: all tokens, row after row.
        rows: the row of each, shape (tokens,).
    """
    from scipy.sparse import csr_matrix, hstack, identity
    from sklearn.feature_extraction.text import TfidfVectorizer

    encoded = pa.array(tokens, pa.large_string()).dictionary_encode()
    words, code = encoded.dictionary.to_pylist(), np.asarray(encoded.indices.to_numpy(), np.int64)
    vectoriser = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True, dtype=np.float32)
    own = hstack([vectoriser.fit_transform(words), identity(len(words), np.float32), _word_shapes(words)], format="csr")
    first = np.concatenate([[True], rows[1:] != rows[:-1]])
    last = np.concatenate([first[1:], [True]])
    beside = identity(len(words) + 1, np.float32, format="csr")[:, :-1] * _NEIGHBOUR  # the last row is for no token
    left = np.where(first, len(words), np.roll(code, 1))
    right = np.where(last, len(words), np.roll(code, -1))
    ends = csr_matrix(np.stack([first, last], axis=1).astype(np.float32) * _SHAPE)
    return hstack([own[code], beside[left], beside[right], ends], format="csr")


def _word_shapes(words: Sequence[str]) -> Any:
    """Return the shapes of words as a sparse matrix, shape (words, 7)."""
    from scipy.sparse import csr_matrix

    shapes = [
        (
            word[:1].isupper(),
            word.isupper(),
            any(map(str.isdigit, word)),
            not any(map(str.isalnum, word)),
            len(word) == 1,
            len(word) == 2,
            len(word) == 3,
        )
        for word in words
    ]
    return csr_matrix(np.array(shapes, np.float32) * _SHAPE)
