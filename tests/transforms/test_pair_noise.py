"""PairNoise: only paired classes, only to their pair, exact and nested."""

import numpy as np
import pytest
from conftest import label_rows as rows
from hypothesis import given
from hypothesis import strategies as st

import xquality as xq
from xquality.errors import RateWarning, SettingError

NAMES = [str(one) for one in range(5)]


@pytest.mark.filterwarnings("ignore::xquality.errors.RateWarning")
@given(st.integers(0, 1000), st.integers(2, 50), st.floats(0, 1))
def test_exactly_the_rounded_share_goes_to_the_next_class(count: int, classes: int, rate: float) -> None:
    data = rows(count, classes)
    before, after = (np.array(one["label"][:]) for one in (data, xq.PairNoise(rate)(data, seed=1)))
    flipped = before != after
    assert flipped.sum() == round(rate * count)
    assert (after[flipped] == (before[flipped] + 1) % classes).all()


def test_classes_without_a_pair_are_left_alone() -> None:
    data = rows(500, 5)
    before, after = (np.array(one["label"][:]) for one in (data, xq.PairNoise(0.4, {"0": "3", "3": "0"})(data, seed=1)))
    paired = np.isin(before, (0, 3))
    assert (before[~paired] == after[~paired]).all()
    assert (before != after).sum() == round(0.4 * paired.sum())


def test_pairs_are_one_value_however_they_are_written() -> None:
    assert xq.PairNoise(0.1, {"b": "a", "a": "b"}) == xq.PairNoise(0.1, (("a", "b"), ("b", "a")))
    assert xq.from_dict(xq.PairNoise(0.1, {"b": "a"}).to_dict()) == xq.PairNoise(0.1, {"b": "a"})


@pytest.mark.parametrize("pairs", [{}, "ab", {"a": "a"}, (("a", "b"), ("a", "c")), (("a",),), {"a": 1}, 7])
def test_pairs_that_are_none_are_refused(pairs: object) -> None:
    with pytest.raises(SettingError):
        xq.PairNoise(0.1, pairs)


def test_strange_classes_and_too_few_rows_are_named() -> None:
    with pytest.raises(SettingError, match="cat"):
        xq.PairNoise(0.1, {"cat": "0"})(rows(50, 5), seed=0)
    with pytest.warns(RateWarning):
        xq.PairNoise(0.1)(rows(3, 2), seed=0)
