"""Kaplan-Meier curves against published values: Freireich's leukaemia trial and R's aml data."""

import pytest

from xquality.analysis import kaplan_meier, log_rank
from xquality.errors import SettingError

# Freireich et al. 1963: weeks to relapse under 6-mercaptopurine and under placebo.
TREATED = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
# Miller 1997, `aml` of R's survival package: maintained and not.
MAINTAINED = ([9, 13, 13, 18, 23, 28, 31, 34, 45, 48, 161], [1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0])
OTHERS = ([5, 5, 8, 8, 12, 16, 23, 27, 30, 33, 43, 45], [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1])


def test_the_leukaemia_trial() -> None:
    treated, placebo = kaplan_meier(TREATED, RELAPSED), kaplan_meier(PLACEBO, [True] * 21)
    assert (treated.median, placebo.median) == (23, 8)
    assert treated.restricted_mean(23) == pytest.approx(17.9092436975)
    assert placebo.restricted_mean(23) == pytest.approx(8.6666667)


def test_the_log_rank_test_of_the_leukaemia_trial() -> None:
    found = log_rank(TREATED, RELAPSED, PLACEBO, [True] * 21)
    assert found.chi_squared == pytest.approx(16.79294, abs=1e-5)
    assert found.p == pytest.approx(4.17e-5, rel=1e-2)
    other_way = log_rank(PLACEBO, [True] * 21, TREATED, RELAPSED)
    assert (other_way.chi_squared, other_way.p) == pytest.approx((found.chi_squared, found.p))
    with pytest.raises(SettingError, match="but none did"):
        log_rank([1.0], [False], [2.0], [False])
    with pytest.raises(SettingError, match="a time and a truth value"):
        log_rank([1.0], [True], [2.0], [True, False])


def test_the_aml_data() -> None:
    first, second = kaplan_meier(*MAINTAINED), kaplan_meier(*OTHERS)
    assert (first.median, second.median) == (31, 23)
    assert first.restricted_mean(40) == pytest.approx(28.897727, abs=1e-6)
    assert second.restricted_mean(40) == pytest.approx(21.930556, abs=1e-6)


def test_without_censoring_the_restricted_mean_is_the_mean() -> None:
    curve = kaplan_meier([3, 5, 10], [True] * 3)
    assert curve.restricted_mean(10) == pytest.approx(6)
    assert curve.median == 5


def test_where_nobody_reaches_it_there_is_no_median_and_every_run_counts_to_the_end() -> None:
    curve = kaplan_meier([50, 100], [False, False])
    assert curve.median is None
    assert curve.restricted_mean(100) == 100
    assert str(curve) == "not reached by half (0 of 2 reached it)"


def test_what_it_refuses() -> None:
    for times, reached in (([], []), ([1.0], [True, False]), ([-1.0], [True]), ([float("nan")], [True])):
        with pytest.raises(SettingError, match="kaplan_meier takes"):
            kaplan_meier(times, reached)
    with pytest.raises(SettingError, match="beyond the last time"):
        kaplan_meier([1.0, 2.0], [True, False]).restricted_mean(3)
