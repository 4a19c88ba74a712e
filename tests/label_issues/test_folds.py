"""Folds: even in rows and classes, and a group is never split."""

import numpy as np
import pytest

from xquality.errors import LabelError
from xquality.label_issues.folds import assign_folds, check_enough, hash_texts, predict_out_of_fold
from xquality.randomness import Bits
from xquality.transforms import Draw

ROWS = 120
UIDS = np.arange(ROWS, dtype=np.uint64)


def draw(uids: Bits = UIDS, seed: int = 1) -> Draw:
    return Draw(seed, "CleanlabFilter", 0, uids)


def test_folds_are_even_in_rows_and_in_classes() -> None:
    labels = np.repeat([0, 1, 2], [60, 40, 20])
    fold = assign_folds(labels, UIDS, draw(), 5)
    assert np.bincount(fold, minlength=5).tolist() == [24] * 5
    for label, share in ((0, 12), (1, 8), (2, 4)):
        assert np.bincount(fold[labels == label], minlength=5).tolist() == [share] * 5


def test_a_group_stays_in_one_fold_whatever_its_labels_and_the_order_of_rows() -> None:
    groups = draw().integers("group", 30).astype(np.uint64)
    labels = draw().integers("label", 3)
    fold = assign_folds(labels, groups, draw(), 4)
    assert set(fold.tolist()) == {0, 1, 2, 3}
    assert all(len(set(fold[groups == group].tolist())) == 1 for group in np.unique(groups))
    order = draw().order("shuffle")
    assert (assign_folds(labels[order], groups[order], draw(UIDS[order]), 4) == fold[order]).all()


def test_a_row_is_predicted_from_the_other_folds() -> None:
    fold = np.array([0, 1, 2, 1, 0])

    def predict(training: np.ndarray, held_out: np.ndarray, number: int) -> np.ndarray:
        assert not set(training) & set(held_out)
        assert len(training) + len(held_out) == len(fold)
        return np.tile([number, len(training)], (len(held_out), 1)).astype(float)

    predicted = predict_out_of_fold(fold, 4, 2, predict)  # the last fold has no rows
    assert predicted.tolist() == [[0, 3], [1, 3], [2, 4], [1, 3], [0, 3]]


def test_rows_with_one_text_are_one_group() -> None:
    groups = hash_texts([["a", "a", "b", "ab"], ["c", "c", "c", ""]])
    assert groups[0] == groups[1]
    assert len(set(groups.tolist())) == 3


def test_too_few_texts_or_classes_are_refused() -> None:
    groups = np.array([1, 2, 3], np.uint64)
    check_enough(groups, np.array([0, 1, 0]), 3, "Test")
    with pytest.raises(LabelError, match="4 different texts and 2 classes or more, but the data have 3 and 2"):
        check_enough(groups, np.array([0, 1, 0]), 4, "Test")
    with pytest.raises(LabelError, match="have 3 and 1"):
        check_enough(groups, np.array([0, 0, 0]), 3, "Test")
