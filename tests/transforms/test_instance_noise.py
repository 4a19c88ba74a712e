"""InstanceNoise: exact, and in proportion to difficulty."""

import numpy as np
import pytest
from conftest import label_rows as rows
from datasets import Dataset

import xquality as xq
from xquality.errors import ColumnError, RateWarning


def graded(count: int, difficulty: list[float] | None = None) -> Dataset:
    return rows(count, 3).add_column("difficulty", difficulty or [1.0 + row % 4 for row in range(count)])


def flipped(data: Dataset, rate: float, seed: int = 1) -> np.ndarray:
    return np.array([one is not None for one in xq.InstanceNoise(rate)(data, seed=seed)["label_before"]])


@pytest.mark.parametrize("rate", [0.0, 0.13, 0.5, 1.0])
def test_the_count_is_the_rounded_share(rate: float) -> None:
    assert flipped(graded(333), rate).sum() == round(rate * 333)


def test_harder_rows_are_flipped_in_proportion_at_a_low_rate() -> None:
    found = flipped(graded(40_000), 0.02)
    shares = np.array([found[grade::4].mean() for grade in range(4)])
    assert np.allclose(shares / shares.sum(), [0.1, 0.2, 0.3, 0.4], atol=0.03)


def test_rows_without_difficulty_come_last() -> None:
    data = graded(100, [0.0] * 60 + [1.0] * 40)
    assert not flipped(data, 0.4)[:60].any()
    assert flipped(data, 0.5).sum() == 50


def test_what_is_no_difficulty_is_refused() -> None:
    for values in ([-1.0] * 9, [float("nan")] * 9, [float("inf")] * 9, [None] * 9, ["hard"] * 9):
        with pytest.raises(ColumnError):
            flipped(graded(9, values), 0.5)
    with pytest.raises(ColumnError):
        xq.InstanceNoise(0.5, difficulty="loss")(graded(9), seed=0)
    with pytest.warns(RateWarning):
        flipped(graded(9), 0.01)
