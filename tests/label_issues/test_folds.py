"""Folds: even in rows and classes, and a group is never split."""

import numpy as np

from xquality.label_issues.folds import assign_folds, out_of_fold
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


def test_what_is_said_of_a_row_comes_from_the_other_folds() -> None:
    fold = np.array([0, 1, 2, 1, 0])

    def predict(rest: np.ndarray, held: np.ndarray, one: int) -> np.ndarray:
        assert not set(rest) & set(held)
        assert len(rest) + len(held) == len(fold)
        return np.tile([one, len(rest)], (len(held), 1)).astype(float)

    found = out_of_fold(fold, 4, 2, predict)  # nothing stands in the last fold
    assert found.tolist() == [[0, 3], [1, 3], [2, 4], [1, 3], [0, 3]]
