"""Folds keyed by text: each row's probabilities come from a model that saw neither the row nor a copy of it."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa

from xquality.data.arrow import Floats, Indices
from xquality.errors import LabelError
from xquality.randomness import Bits, Draw, hash_uids


def hash_texts(columns: Sequence[Sequence[str]]) -> Bits:
    """Return a hash of each row's texts, shape (rows,).

    Args:
        columns: columns of text, each with one string for each row.
    """
    return hash_uids(pa.array(["\x1f".join(texts) for texts in zip(*columns, strict=True)], pa.large_string()))


def check_enough(groups: Bits, labels: Indices, folds: int, owner: str) -> None:
    """Raise `LabelError` if there are too few texts or classes to train on."""
    texts, classes = len(np.unique(groups)), len(np.unique(labels))
    if texts < folds or classes < 2:
        raise LabelError(
            f"{owner} needs {folds} different texts and 2 classes or more, but the data have {texts} and {classes}; "
            "give more rows."
        )


def assign_folds(labels: Indices, groups: Bits, draw: Draw, folds: int) -> Indices:
    """Return each row's fold, shape (rows,): a group is never split, and classes are spread evenly over the folds.

    Args:
        labels: given labels, shape (rows,); zeros if rows have none to be spread by.
        groups: rows of one group share a fold, shape (rows,); for example a hash of the text.
        draw: the keyed randomness of the call.
        folds: the number of folds, at least 2.
    """
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    keyed = draw.of(groups[first]).bits("fold")
    lowest = np.full(len(first), np.iinfo(np.int64).max)
    np.minimum.at(lowest, member, labels)  # the label of a group does not depend on the order of its rows
    rank = np.empty(len(first), np.int64)
    rank[np.lexsort((keyed, lowest))] = np.arange(len(first))
    return rank[member] % folds


def predict_out_of_fold(
    fold: Indices, folds: int, classes: int, predict: Callable[[Indices, Indices, int], Floats]
) -> Floats:
    """Return the probabilities of each row from a model trained on the other folds, shape (rows, classes).

    Args:
        fold: each row's fold, shape (rows,).
        folds: the number of folds.
        classes: the number of classes.
        predict: given the rows to train on, the rows to predict and the fold's number, returns the probabilities of the
            latter, shape (rows to predict, classes).
    """
    predicted = np.empty((len(fold), classes))
    for number in range(folds):
        held_out = np.flatnonzero(fold == number)
        if len(held_out):
            predicted[held_out] = predict(np.flatnonzero(fold != number), held_out, number)
    return predicted
