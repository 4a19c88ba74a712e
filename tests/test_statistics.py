"""Intervals and paired differences, against scipy called directly."""

import math
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from xquality.errors import SettingError
from xquality.statistics import Interval, mean_interval, paired_difference

numbers = st.floats(0, 100).map(lambda value: round(value, 3))
levels = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99])


@given(st.lists(numbers, min_size=2, max_size=12), levels)
def test_an_interval_is_students(values: list[float], level: float) -> None:
    assume(max(values) - min(values) > 0.01)
    error = stats.sem(values)
    low, high = stats.t.interval(level, len(values) - 1, loc=sum(values) / len(values), scale=error)
    found = mean_interval(values, level)
    assert (found.low, found.high) == pytest.approx((low, high))
    assert found.mean == pytest.approx(sum(values) / len(values))
    assert (found.count, found.p) == (len(values), None)
    assert found.half_width == pytest.approx((high - low) / 2)


@given(st.dictionaries(st.integers(0, 20), st.tuples(numbers, numbers), min_size=2, max_size=10), levels)
def test_a_paired_difference_is_the_paired_t_test(pairs: dict[int, tuple[float, float]], level: float) -> None:
    differences = [one - other for one, other in pairs.values()]
    assume(max(differences) - min(differences) > 0.01)
    arm = {seed: one for seed, (one, _) in pairs.items()}
    reference = {seed: other for seed, (_, other) in reversed(pairs.items())}
    tested = stats.ttest_rel([arm[seed] for seed in arm], [reference[seed] for seed in arm])
    interval = tested.confidence_interval(level)
    found = paired_difference(arm, reference, level)
    assert found.p == pytest.approx(tested.pvalue, rel=1e-6, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-6, abs=1e-9)


def test_only_seeds_of_both_arms_are_paired() -> None:
    arm, reference = {0: 1.0, 1: 5.0, 2: 9.0, 7: 1000.0}, {2: 6.0, 1: 4.0, 0: 1.0, 8: -1000.0}
    assert paired_difference(arm, reference) == paired_difference(
        {0: 0.0, 1: 1.0, 2: 3.0}, dict.fromkeys(range(3), 0.0)
    )
    assert paired_difference(arm, reference).count == 3


def test_pairing_removes_what_the_seeds_share() -> None:
    luck = {seed: 10.0 * seed for seed in range(5)}
    better = {seed: value + 1 + 0.01 * (seed % 2) for seed, value in luck.items()}
    paired = paired_difference(better, luck)
    assert paired.p is not None
    assert paired.p < 1e-6
    assert stats.ttest_ind(list(better.values()), list(luck.values())).pvalue > 0.5


def test_swapping_the_arms_turns_the_difference_around() -> None:
    one, other = {0: 1.0, 1: 5.0, 2: 4.0}, {0: 2.0, 1: 3.0, 2: 1.0}
    there, back = paired_difference(one, other), paired_difference(other, one)
    assert (there.mean, there.low, there.high) == pytest.approx((-back.mean, -back.high, -back.low))
    assert there.p == pytest.approx(back.p)


def test_a_single_value_has_no_width_and_no_p() -> None:
    assert mean_interval([3.0]) == Interval(3.0, 3.0, 3.0, 1)
    assert paired_difference({4: 3.0, 5: 1.0}, {4: 1.0, 6: 9.0}) == Interval(2.0, 2.0, 2.0, 1)


def test_equal_values_have_no_width() -> None:
    found = mean_interval([2.0, 2.0, 2.0])
    assert (found.low, found.mean, found.high, found.half_width) == (2.0, 2.0, 2.0, 0.0)
    assert paired_difference({0: 1.0, 1: 2.0}, {0: 1.0, 1: 2.0}).mean == 0.0


def test_an_interval_prints_with_two_decimals() -> None:
    assert str(mean_interval([1.0, 2.0, 3.0])) == "2.00 [-0.48, 4.48]"


@pytest.mark.parametrize("values", [[], [1.0, math.nan], [1.0, math.inf]])
def test_a_mean_needs_finite_values(values: list[float]) -> None:
    with pytest.raises(SettingError, match="finite values"):
        mean_interval(values)


@pytest.mark.parametrize("level", [0, 1, 1.5, -0.1, math.nan, "0.95", True])
def test_a_level_lies_between_0_and_1(level: Any) -> None:
    with pytest.raises(SettingError, match=r"mean_interval\(level="):
        mean_interval([1.0, 2.0], level)


def test_arms_without_a_common_seed_are_refused_with_the_seeds_they_have() -> None:
    with pytest.raises(SettingError, match=r"\[0, 1\] and \[2\]"):
        paired_difference({1: 1.0, 0: 1.0}, {2: 1.0})
