"""Intervals, paired differences and bootstraps, against scipy called directly and exact intervals."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats

from xquality import analysis
from xquality.analysis import Interval, bootstrap, bootstrap_difference, mean_interval, paired_difference
from xquality.errors import SettingError
from xquality.metrics.tagging import chunk_counts, chunk_f1, chunk_f1_from

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
    differences = [value - baseline for value, baseline in pairs.values()]
    assume(max(differences) - min(differences) > 0.01)
    arm = {seed: value for seed, (value, _) in pairs.items()}
    reference = {seed: baseline for seed, (_, baseline) in reversed(pairs.items())}
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
    worse = {seed: 10.0 * seed for seed in range(5)}
    better = {seed: value + 1 + 0.01 * (seed % 2) for seed, value in worse.items()}
    paired = paired_difference(better, worse)
    assert paired.p is not None
    assert paired.p < 1e-6
    assert stats.ttest_ind(list(better.values()), list(worse.values())).pvalue > 0.5


def test_a_pairing_says_what_pairing_removes() -> None:
    numbers = np.random.default_rng(0)
    shared, own, other = numbers.standard_normal((3, 4000))
    found = analysis.pairing(dict(enumerate(shared + own)), dict(enumerate(shared + other)))
    assert (found.correlation, found.variance_ratio) == pytest.approx((0.5, 0.5), abs=0.04)
    first, second = {0: 1.0, 1: 5.0, 2: 4.0}, {0: 2.0, 1: 3.0, 2: 1.0}
    pair = analysis.pairing(first, second)
    assert pair.correlation == pytest.approx(np.corrcoef([*first.values()], [*second.values()])[0, 1])
    assert str(pair) == f"3 pairs, r = {pair.correlation:.2f}, variance ratio {pair.variance_ratio:.2f}"
    equal = analysis.pairing({0: 1.0, 1: 1.0}, {0: 1.0, 1: 1.0})
    assert math.isnan(equal.correlation)
    assert math.isnan(equal.variance_ratio)
    with pytest.raises(SettingError, match="two common seeds"):
        analysis.pairing({0: 1.0, 1: 2.0}, {1: 2.0})


def test_swapping_the_arms_turns_the_difference_around() -> None:
    arm, reference = {0: 1.0, 1: 5.0, 2: 4.0}, {0: 2.0, 1: 3.0, 2: 1.0}
    there, back = paired_difference(arm, reference), paired_difference(reference, arm)
    assert (there.mean, there.low, there.high) == pytest.approx((-back.mean, -back.high, -back.low))
    assert there.p == pytest.approx(back.p)


def test_a_single_value_has_no_width_and_no_p() -> None:
    assert mean_interval([3.0]) == Interval(3.0, -math.inf, math.inf, 1)
    assert str(mean_interval([3.0])) == "3.00 (one value, no interval)"
    assert paired_difference({4: 3.0, 5: 1.0}, {4: 1.0, 6: 9.0}) == Interval(2.0, -math.inf, math.inf, 1)


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


def right_of(count: int, right: int) -> np.ndarray:
    """Return the statistics of an accuracy: `right` of `count` examples."""
    return np.stack([np.arange(count) < right, np.ones(count, bool)], axis=1).astype(np.int64)


def share(sums: np.ndarray) -> float:
    return float(sums[0] / sums[1] * 100)


@given(st.integers(200, 2000), st.floats(0.1, 0.9), st.integers(0, 2**31))
@settings(max_examples=10)
def test_a_bootstrap_of_a_proportion_is_its_normal_interval(count: int, rate: float, seed: int) -> None:
    right = round(count * rate)
    found = bootstrap(right_of(count, right), share, seed=seed, resamples=2000)
    error = 100 * math.sqrt(right / count * (1 - right / count) / count)
    assert found.mean == right / count * 100
    assert found.count == count
    # The ends are quantiles of 2,000 resamples: their own error is about 0.06 of the standard error, and steps of 1.
    slack = 0.3 * error + 100 / count
    assert found.low == pytest.approx(found.mean - 1.96 * error, abs=slack)
    assert found.high == pytest.approx(found.mean + 1.96 * error, abs=slack)


def test_a_bootstrap_is_scipys_up_to_the_variation_of_its_draws() -> None:
    draw = np.random.default_rng(0)
    values = draw.gamma(2.0, size=300)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=5000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    table = np.stack([values, np.ones(300)], axis=1)
    found = bootstrap(table, lambda sums: sums[0] / sums[1], seed=3, resamples=5000)
    error = values.std() / math.sqrt(300)
    assert (found.low, found.high) == pytest.approx((theirs.low, theirs.high), abs=0.15 * error)


def test_a_bootstrap_of_chunk_f1_is_scipys_over_sentences() -> None:
    draw = np.random.default_rng(2)
    gold = [draw.choice(["O", "B-PER", "I-PER", "B-LOC"], 12).tolist() for _ in range(120)]
    found = [[tag if draw.random() < 0.8 else "O" for tag in sentence] for sentence in gold]
    counts = chunk_counts(found, gold)

    def f1(rows: np.ndarray) -> float:
        return chunk_f1([found[row] for row in rows], [gold[row] for row in rows])["f1"]

    theirs = stats.bootstrap(
        (np.arange(120),), f1, n_resamples=800, method="percentile", vectorized=False, rng=np.random.default_rng(3)
    )
    ours = bootstrap(counts, lambda sums: chunk_f1_from(sums)["f1"], seed=1, resamples=800)
    assert ours.mean == chunk_f1(found, gold)["f1"]
    ends = theirs.confidence_interval.low, theirs.confidence_interval.high
    assert (ours.low, ours.high) == pytest.approx(ends, abs=0.35 * theirs.standard_error)


def test_a_bootstrap_repeats_and_follows_the_seed() -> None:
    table = right_of(100, 60)
    assert bootstrap(table, share, seed=1) == bootstrap(table, share, seed=1)
    intervals = [bootstrap(table, share, seed=seed, resamples=101) for seed in range(8)]
    assert len({(interval.low, interval.high) for interval in intervals}) > 1


def test_with_uids_the_order_of_rows_changes_nothing() -> None:
    draw = np.random.default_rng(0)
    table, uids = draw.random((50, 2)) + 0.1, draw.permutation(50).astype(np.uint64)
    order = draw.permutation(50)
    found = bootstrap(table, share, seed=1, uids=uids)
    moved = bootstrap(table[order], share, seed=1, uids=uids[order])
    assert (moved.low, moved.mean, moved.high) == (found.low, found.mean, found.high)


def test_a_paired_bootstrap_finds_a_difference_that_single_ones_do_not() -> None:
    draw = np.random.default_rng(0)
    hard = draw.random(400) < 0.5
    base = np.stack([~hard, np.ones(400, bool)], axis=1).astype(np.int64)
    better = base.copy()
    better[np.flatnonzero(hard)[:16], 0] = 1
    found = bootstrap_difference(better, base, share, seed=1)
    assert found.mean == pytest.approx(4.0)
    assert found.low > 0
    assert found.p is not None
    assert found.p < 0.01
    apart = [bootstrap(statistics, share, seed=1) for statistics in (better, base)]
    assert apart[0].low < apart[1].high
    # McNemar's exact test on the 16 rows that differ agrees that this is no chance.
    assert stats.binomtest(16, 16).pvalue < 0.01


def test_no_difference_has_no_small_p() -> None:
    table = right_of(100, 60)
    found = bootstrap_difference(table, table, share, seed=1)
    assert (found.mean, found.low, found.high, found.p) == (0.0, 0.0, 0.0, 1.0)
    there, back = (
        bootstrap_difference(*sides, share, seed=4) for sides in ((table, table[::-1]), (table[::-1], table))
    )
    assert (there.low, there.high, there.p) == pytest.approx((-back.high, -back.low, back.p))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"statistics": np.zeros((0, 2))}, "at least one example"),
        ({"statistics": np.zeros(3)}, r"shape \(rows, columns\)"),
        ({"statistics": np.array([[1.0, math.nan]])}, "finite statistics"),
        ({"statistics": np.array([["a", "b"]])}, "finite statistics"),
        ({"resamples": 0}, "resamples=0"),
        ({"level": 1.0}, "level=1.0"),
        ({"seed": 1.5}, "seed=1.5"),
        ({"uids": np.arange(3, dtype=np.uint64)}, "3 uids for 4 rows"),
    ],
)
def test_invalid_statistics_and_settings_are_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingError, match=said):
        bootstrap(**{"statistics": right_of(4, 2), "score": share, "seed": 1, **changed})


def test_a_paired_bootstrap_needs_the_same_examples() -> None:
    with pytest.raises(SettingError, match=r"\(4, 2\) and \(5, 2\)"):
        bootstrap_difference(right_of(4, 2), right_of(5, 2), share, seed=1)


def test_values_of_a_mapping_and_of_a_generator_are_taken() -> None:
    wanted = mean_interval([1.0, 2.0, 4.0])
    assert mean_interval({"a": 1.0, "b": 2.0, "c": 4.0}.values()) == wanted
    assert mean_interval(value for value in (1.0, 2.0, 4.0)) == wanted
    assert mean_interval(np.array([1.0, 2.0, 4.0])) == wanted


def test_a_table_of_seeds_by_languages_is_refused() -> None:
    for table in ([[1.0, 2.0], [3.0, 4.0]], np.ones((4, 3)), [[1.0], [2.0, 3.0]], ["a"], 5.0):
        with pytest.raises(SettingError, match=r"one number for each seed|in one dimension"):
            mean_interval(table)


def test_ties_but_for_rounding_are_ties() -> None:
    exact = paired_difference({0: 1.5, 1: 2.5, 2: 3.5}, {0: 1.0, 1: 2.0, 2: 3.0})
    rounded = paired_difference({0: 0.1 + 0.2, 1: 1.3, 2: 2.3}, {0: 0.2, 1: 1.2, 2: 2.2})
    assert (exact.p, exact.half_width) == (rounded.p, rounded.half_width) == (None, 0.0)


def test_seeds_may_be_names() -> None:
    arm, reference = {0: 1.0, "b": 3.0}, {"b": 1.0, 0: 0.0}
    assert paired_difference(arm, reference).mean == 1.5


NO_NUMBERS: dict[str, Any] = {
    "none": None,
    "number": 3.0,
    "text": "abc",
    "texts": ["1.5", "2"],
    "bytes": b"ab",
    "set": {1.0, 2.0},
    "table": [[1.0, 2.0], [3.0, 4.0]],
    "ragged": [[1.0], [2.0, 3.0]],
    "array": np.ones((4, 3)),
    "missing": [None, 1.0],
    "masked": np.ma.array([1.0, 2.0], mask=[False, True]),
    "complex": [1j, 2.0],
    "huge": [10**400, 1],
    "nan": [math.nan, 1.0],
    "empty": [],
}
OF_NUMBERS: dict[str, Callable[[Any], object]] = {
    "mean_interval": analysis.mean_interval,
    "paired_difference": lambda values: analysis.paired_difference(
        dict.fromkeys(range(3), values), dict.fromkeys(range(3), 1.0)
    ),
    "interquartile_mean": analysis.interquartile_mean,
    "sign_flip": analysis.sign_flip,
    "probability_of_improvement": lambda values: analysis.probability_of_improvement([1.0], values),
    "almost_stochastic_order": lambda values: analysis.almost_stochastic_order(values, [1.0, 2.0], seed=1),
    "kaplan_meier": lambda values: analysis.kaplan_meier(values, [True, True]),
    "cluster_interval": lambda values: analysis.cluster_interval(values, ["a", "b"]),
    "adjust": lambda values: analysis.adjust(values) or analysis.adjust(None),
    "bootstrap": lambda values: analysis.bootstrap([[values]], lambda sums: sums[0], seed=1, resamples=2),
    "crossed_interval": lambda values: analysis.crossed_interval([[values, values], [values, values]]),
    "exchange_rate": lambda values: analysis.exchange_rate(values, {10: {0: 1.0}}),
}


# In these three places a single number is right.
TAKES_A_NUMBER = ("bootstrap", "crossed_interval", "paired_difference")


@pytest.mark.parametrize(
    ("name", "kind"),
    [(name, kind) for name in OF_NUMBERS for kind in NO_NUMBERS if kind != "number" or name not in TAKES_A_NUMBER],
)
def test_what_has_not_the_shape_of_numbers_is_refused_everywhere(name: str, kind: str) -> None:
    values = NO_NUMBERS[kind]
    with pytest.raises(SettingError) as caught:
        OF_NUMBERS[name](values)
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("make", [list, tuple, iter, np.array, lambda values: dict(enumerate(values)).values()])
def test_numbers_may_come_from_anything_that_yields_them(make: Callable[[list[float]], Any]) -> None:
    assert analysis.mean_interval(make([1.0, 2.0, 3.0])) == analysis.mean_interval([1.0, 2.0, 3.0])
    assert analysis.interquartile_mean(make([1.0, 2.0, 3.0])) == 2.0


def test_the_values_of_a_mapping_are_its_numbers_and_not_its_keys() -> None:
    assert analysis.mean_interval({0: 61.0, 1: 62.0}).mean == 61.5


@given(
    values=st.lists(st.floats(1, 100), min_size=2, max_size=6),
    shift=st.sampled_from([0.0, 0.1, 1.0, 1 / 3]),
    factor=st.sampled_from([1e-3, 1.0, 1e6]),
)
def test_differences_that_are_equal_but_for_rounding_have_no_p_value(
    values: list[float], shift: float, factor: float
) -> None:
    reference = {seed: value * factor for seed, value in enumerate(values)}
    arm = {seed: (value + shift) * factor for seed, value in enumerate(values)}
    found = analysis.paired_difference(arm, reference)
    assert found.p is None
    assert found.half_width == 0
    assert found.mean == pytest.approx(shift * factor)
    assert (found.mean == 0.0) == (shift == 0.0)


def test_seeds_of_any_kind_are_paired_and_listed() -> None:
    arm, reference = {0: 2.0, "b": 1.0, None: 3.0, (1, 2): 2.0}, {0: 1.0, "b": 0.5, None: 1.0, (1, 2): 1.0}
    assert analysis.paired_difference(arm, reference).count == 4
    with pytest.raises(SettingError, match="common seed"):
        analysis.paired_difference({0: 1.0, None: 1.0}, {"b": 1.0, (1,): 2.0})
    with pytest.raises(SettingError, match="must map seeds"):
        analysis.paired_difference([1.0, 2.0], reference)


@pytest.mark.parametrize("score", [None, lambda sums: sums, lambda _: math.nan, lambda _: "a"])
def test_a_score_of_sums_is_a_function_that_returns_a_finite_number(score: Any) -> None:
    statistics = np.ones((4, 2))
    with pytest.raises(SettingError, match="score"):
        analysis.bootstrap(statistics, score, seed=1, resamples=2)
    with pytest.raises(SettingError, match="score"):
        analysis.bootstrap_difference(statistics, statistics, score, seed=1, resamples=2)
