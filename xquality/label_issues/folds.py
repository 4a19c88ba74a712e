"""Folds keyed by what rows say: each row is judged by a model that saw neither it nor a copy of it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from xquality.randomness import Bits, Draw


def assign_folds(labels: NDArray[np.int64], groups: Bits, draw: Draw, folds: int) -> NDArray[np.int64]:
    """Return each row's fold, shape (rows,): groups stay together and classes are spread over the folds.

    Args:
        labels: given labels, shape (rows,); zeros where rows have none to be spread by.
        groups: rows of one group share a fold, shape (rows,); for example a hash of the text.
        draw: the keyed randomness of the call.
        folds: the number of folds, at least 2.
    """
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    keyed = Draw(draw.seed, draw.scope, draw.stream, groups[first]).bits("fold")
    lowest = np.full(len(first), np.iinfo(np.int64).max)
    np.minimum.at(lowest, member, labels)  # the label of a group, whatever the order of its rows
    place = np.empty(len(first), np.int64)
    place[np.lexsort((keyed, lowest))] = np.arange(len(first))
    return place[member] % folds


def out_of_fold(
    fold: NDArray[np.int64],
    folds: int,
    classes: int,
    predict: Callable[[NDArray[np.int64], NDArray[np.int64], int], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Return what models say of the rows they did not see, shape (rows, classes).

    Args:
        fold: each row's fold, shape (rows,).
        folds: the number of folds.
        classes: the number of classes.
        predict: given the rows to train on, the rows to predict and the fold's number, the probabilities of the latter,
            shape (rows to predict, classes).
    """
    predicted = np.empty((len(fold), classes))
    for one in range(folds):
        held = np.flatnonzero(fold == one)
        if len(held):
            predicted[held] = predict(np.flatnonzero(fold != one), held, one)
    return predicted
