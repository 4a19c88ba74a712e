"""The trainer's data order: every row once an epoch, keyed by uid."""

import numpy as np

from xquality.train.trainer import training_order

UIDS = np.arange(50, dtype=np.uint64) * np.uint64(7)


def test_every_row_comes_once_an_epoch_and_epochs_differ() -> None:
    order = training_order(UIDS, seed=1, count=120)
    assert sorted(order[:50]) == sorted(order[50:100]) == list(range(50))
    assert list(order[:50]) != list(order[50:100])
    assert len(order) == 120


def test_rows_of_a_subset_keep_their_relative_order() -> None:
    some = np.sort(np.random.default_rng(0).choice(50, 20, replace=False))
    whole = [row for row in training_order(UIDS, 1, 50) if row in set(some)]
    part = [some[row] for row in training_order(UIDS[some], 1, 20)]
    assert whole == part
