"""Adjusted p-values, sign flips, robust summaries and seeds needed, against values from outside."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality import analysis
from xquality.errors import SettingError

P_VALUES = [0.01, 0.04, 0.03, 0.005]
SCORES = st.lists(st.floats(-100, 100), min_size=2, max_size=12)


def test_adjusted_p_values_are_those_of_r() -> None:
    assert analysis.adjust(P_VALUES) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert analysis.adjust(P_VALUES, "bh") == pytest.approx([0.02, 0.04, 0.04, 0.02])
    assert analysis.adjust([]) == ()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_adjusting_keeps_the_order_and_never_lowers(values: list[float]) -> None:
    for method in ("holm", "bh"):
        found = analysis.adjust(values, method)
        assert all(after >= before - 1e-12 for before, after in zip(values, found, strict=True))
        ranked = [after for _, after in sorted(zip(values, found, strict=True))]
        assert ranked == sorted(ranked)


def test_five_pairs_of_one_sign_give_the_smallest_p() -> None:
    found = analysis.sign_flip([1.0, 2.0, 3.0, 4.0, 5.0])
    assert (found.p, found.smallest, found.count) == (0.0625, 0.0625, 5)
    assert analysis.sign_flip([1.0, -1.0]).p == 1.0
    with pytest.raises(SettingError, match="at most 12"):
        analysis.sign_flip([1.0] * 13)


def test_robust_summaries_are_rliables() -> None:
    assert analysis.interquartile_mean([0, 1, 2, 100]) == 1.5
    assert analysis.interquartile_mean([0, 0, 1, 3, 7, 9]) == 2.75
    assert analysis.probability_of_improvement([1, 2, 3], [2, 2, 2]) == pytest.approx(0.5)
    assert analysis.probability_of_improvement([1, 1, 2], [1, 2, 2]) == pytest.approx(1 / 3)


def test_almost_stochastic_order() -> None:
    found = analysis.almost_stochastic_order([1, 2, 3, 4, 5], [0.5, 2.5, 2.5, 3.5, 4.5], seed=1)
    assert found.violation == pytest.approx(0.2)
    assert found.violation <= found.bound
    assert not found.dominates
    clear = analysis.almost_stochastic_order([11, 12, 13, 14, 15], [1, 2, 3, 4, 5], seed=1)
    assert (clear.violation, clear.dominates) == (0.0, True)
    assert analysis.almost_stochastic_order([1, 2], [1, 2], seed=1).violation == 0.5


@given(SCORES, SCORES)
def test_violations_of_both_orders_add_up_to_one(first: list[float], second: list[float]) -> None:
    one_way = analysis.almost_stochastic_order(first, second, seed=1, resamples=1).violation
    other_way = analysis.almost_stochastic_order(second, first, seed=1, resamples=1).violation
    assert one_way + other_way == pytest.approx(1)


def test_seeds_and_effects_are_those_of_the_noncentral_t() -> None:
    assert analysis.seeds_for(0.5, paired=True) == pytest.approx(33.3671, abs=1e-4)
    assert analysis.seeds_for(0.5) == pytest.approx(63.7656, abs=1e-4)
    assert [analysis.detectable(seeds) for seeds in (3, 5, 10, 12)] == pytest.approx(
        [3.264, 1.682, 0.996, 0.889], abs=1e-3
    )
    assert analysis.detectable((33.0).__ceil__()) == pytest.approx(0.503, abs=2e-3)
    with pytest.raises(SettingError, match="infinitely many"):
        analysis.seeds_for(0.0)
    with pytest.raises(SettingError, match="more than"):
        analysis.seeds_for(1e-4)
