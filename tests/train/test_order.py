"""Order: every row once an epoch, keyed by uid, and whole batches of about one length where that is asked for."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.train.order import mixed_order, single_order, spread

UIDS = np.arange(50, dtype=np.uint64) * np.uint64(7)


def test_every_row_comes_once_an_epoch_and_epochs_differ() -> None:
    order = single_order(UIDS, 1, 120)
    assert sorted(order.rows[:50]) == sorted(order.rows[50:100]) == list(range(50))
    assert list(order.rows[:50]) != list(order.rows[50:100])
    assert order.passes.tolist() == [0] * 50 + [1] * 50 + [2] * 20
    assert len(order) == 120


def test_rows_of_a_subset_keep_their_relative_order() -> None:
    some = np.sort(np.random.default_rng(0).choice(50, 20, replace=False))
    whole = [row for row in single_order(UIDS, 1, 50).rows if row in set(some)]
    part = [some[row] for row in single_order(UIDS[some], 1, 20).rows]
    assert whole == part


@given(st.integers(1, 9), st.integers(1, 400), st.integers(0, 20))
def test_grouping_moves_whole_batches_of_the_same_rows(batch_size, places, seed) -> None:
    lengths = np.random.default_rng(seed).integers(1, 90, len(UIDS))
    plain = single_order(UIDS, seed, places)
    grouped = single_order(UIDS, seed, places, batch_size=batch_size, lengths=lengths)
    assert sorted(zip(plain.rows, plain.passes, strict=True)) == sorted(zip(grouped.rows, grouped.passes, strict=True))


def test_grouped_batches_pad_little_and_come_in_no_order_of_length() -> None:
    uids = np.arange(4000, dtype=np.uint64)
    lengths = np.random.default_rng(0).integers(5, 125, 4000)

    def cost(order) -> int:
        return int(lengths[order.rows].reshape(-1, 32).max(axis=1).sum()) * 32

    plain, grouped = single_order(uids, 1, 3200), single_order(uids, 1, 3200, batch_size=32, lengths=lengths)
    assert cost(grouped) < 1.1 * lengths[grouped.rows].sum() < cost(plain) / 1.3
    firsts = lengths[grouped.rows].reshape(-1, 32).mean(axis=1)
    assert abs(np.corrcoef(firsts, np.arange(100))[0, 1]) < 0.3


@pytest.mark.parametrize(("rows", "least"), [(64, 32), (100, 31), (1000, 31)])
def test_a_grouped_batch_has_the_rows_of_one_epoch(rows: int, least: float) -> None:
    uids = np.arange(rows, dtype=np.uint64)
    lengths = np.random.default_rng(0).integers(5, 125, rows)
    order = single_order(uids, 1, 3200, batch_size=32, lengths=lengths).rows.reshape(-1, 32)
    assert np.mean([len(set(batch)) for batch in order.tolist()]) >= least


def test_each_step_of_a_mixture_is_of_one_part() -> None:
    parts = spread([6, 2], seed=3)
    order = mixed_order([single_order(UIDS, 1, 24), single_order(UIDS[:5], 2, 8)], parts, 4)
    assert np.bincount(parts).tolist() == [6, 2]
    assert order.parts.tolist() == np.repeat(parts, 4).tolist()
    assert order.rows[order.parts == 0].tolist() == single_order(UIDS, 1, 24).rows.tolist()
    assert order.rows[order.parts == 1].tolist() == single_order(UIDS[:5], 2, 8).rows.tolist()


def test_the_seed_spreads_the_parts() -> None:
    assert spread([50, 50], 1).tolist() != spread([50, 50], 2).tolist()
    assert spread([50, 50], 1).tolist() == spread([50, 50], 1).tolist()
