"""Measures of convergence, against values computed by hand; scores that were never reached are censored."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality import analysis
from xquality.analysis import Measure, area_under_curve, speed_up, steps_to, steps_to_fraction
from xquality.errors import ConvergenceError, SettingError
from xquality.records import History, Point


def curve(values: dict[int, float], *, stage: int = 0, language: str = "de", metric: str = "accuracy") -> History:
    points = tuple(Point(stage, step, "toy", language, metric, value, 10) for step, value in values.items())
    return History(({},) * (stage + 1), points)


def merge(*histories: History) -> History:
    stages = max((history.stages for history in histories), key=len)
    return History(stages, tuple(point for history in histories for point in history.points))


RISING = curve({0: 20.0, 10: 40.0, 30: 80.0})


def between(first: float, second: float, share: float) -> float:
    """Return the number of steps at a share of the way, over the logarithm of 1 + steps."""
    return math.expm1(math.log1p(first) + share * (math.log1p(second) - math.log1p(first)))


@pytest.mark.parametrize(
    ("threshold", "steps"),
    [
        *((20.0, 0.0), (30.0, between(0, 10, 0.5)), (40.0, 10.0), (60.0, between(10, 30, 0.5))),
        *((70.0, between(10, 30, 0.75)), (80.0, 30.0), (0.0, 0.0), (-5.0, 0.0)),
    ],
)
def test_steps_are_interpolated_between_measurements(threshold: float, steps: float) -> None:
    found = steps_to(RISING, threshold)
    assert found.value == pytest.approx(steps)
    assert not found.censored


def test_a_falling_metric_is_read_as_falling() -> None:
    falling = curve({0: 600.0, 10: 300.0, 100: 40.0, 200: 20.0}, metric="perplexity")
    slower = curve({0: 600.0, 20: 300.0, 100: 80.0, 200: 50.0}, metric="perplexity")
    assert steps_to(falling, 50.0, metric="perplexity").value == pytest.approx(91.74, abs=0.01)
    assert steps_to(falling, 10.0) == Measure(200.0, "above")
    assert speed_up(falling, slower, threshold=50.0).value == pytest.approx(200 / 91.74, rel=1e-3)
    assert steps_to_fraction(slower, 1.0, falling) == Measure(200.0, "above")
    assert area_under_curve(falling, until=10) == pytest.approx(450.0)
    own = History(({"lower_is_better": ["error_rate"]},), curve({0: 60.0, 10: 20.0}, metric="error_rate").points)
    assert steps_to(own, 20.0) == Measure(10.0)


def test_a_value_that_is_not_finite_is_refused() -> None:
    for value in (math.nan, math.inf):
        with pytest.raises(ConvergenceError, match="at step 10"):
            steps_to(curve({0: 1.0, 10: value}), 50.0)


def test_a_language_that_is_missing_at_one_step_is_named() -> None:
    history = merge(curve({0: 20.0, 10: 40.0}), curve({0: 50.0}, language="es"))
    for measure in (lambda: steps_to(history, 30.0), lambda: area_under_curve(history), history.curve):
        with pytest.raises(ConvergenceError, match="no accuracy of toy in es at step 10"):
            measure()
    assert steps_to(history, 40.0, languages=["de"]) == Measure(10.0)


def test_a_score_never_reached_is_censored_above_the_last_step() -> None:
    found = steps_to(RISING, 80.1)
    assert (found, found.censored, str(found)) == (Measure(30.0, "above"), True, "> 30")
    assert not steps_to(RISING, 80.0).censored


def test_a_noisy_peak_does_not_count_as_reached() -> None:
    bumpy = curve({0: 20.0, 10: 60.0, 20: 30.0, 30: 90.0})  # the peak and the fall after it are pooled at 45
    assert steps_to(bumpy, 45.0) == Measure(10.0)
    assert 20 < steps_to(bumpy, 50.0).value < 30


def test_measuring_more_often_does_not_make_an_arm_faster() -> None:
    numbers, found = np.random.default_rng(0), {8: [], 36: []}
    for points, steps in found.items():
        grid = np.unique(np.round(np.expm1(np.linspace(0, math.log1p(200), points))))
        for _ in range(300):
            values = 80 * (1 - np.exp(-grid / 71)) + 2 * numbers.standard_normal(len(grid))
            steps.append(
                steps_to(curve(dict(zip(grid.astype(int).tolist(), values.tolist(), strict=True))), 40.0).value
            )
    true = 71 * math.log(2)
    assert [np.mean(steps) for steps in found.values()] == pytest.approx([true, true], rel=0.05)


def test_a_score_reached_before_the_first_step_took_no_steps() -> None:
    assert steps_to(curve({0: 90.0, 10: 95.0}), 50.0) == Measure(0.0)


def test_a_flat_curve_reaches_a_score_at_once_or_never() -> None:
    flat = curve({0: 50.0, 10: 50.0, 20: 50.0})
    assert steps_to(flat, 50.0) == Measure(0.0)
    assert steps_to(flat, 50.5) == Measure(20.0, "above")
    assert area_under_curve(flat) == area_under_curve(flat, x="log_steps") == pytest.approx(50.0)


def test_one_measurement_is_a_curve_but_has_no_area() -> None:
    assert steps_to(curve({5: 10.0}), 50.0) == Measure(5.0, "above")
    with pytest.raises(ConvergenceError, match="two steps or more, but there are 1"):
        area_under_curve(curve({5: 10.0}))


def test_the_last_stage_the_first_metric_and_all_languages_are_the_default() -> None:
    history = merge(
        curve({0: 0.0, 10: 100.0}),
        curve({0: 40.0, 10: 60.0}, stage=1),
        curve({0: 60.0, 10: 80.0}, stage=1, language="es"),
        curve({0: 10.0, 10: 30.0}, stage=1, metric="macro_f1"),
        curve({0: 3.0, 10: 99.0}, stage=1, metric="loss"),
    )
    assert steps_to(history, 60.0).value == pytest.approx(between(0, 10, 0.5))
    assert steps_to(history, 60.0, languages=["es"]) == Measure(0.0)
    assert steps_to(history, 60.0, languages=["de"]) == Measure(10.0)
    assert steps_to(history, 20.0, metric="macro_f1").value == pytest.approx(between(0, 10, 0.5))
    assert steps_to(history, 60.0, stage=0).value == pytest.approx(between(0, 10, 0.6))
    assert area_under_curve(history, languages=["de"]) == 50.0
    assert speed_up(history, history, metric="macro_f1") == Measure(1.0)


@pytest.mark.parametrize(
    ("choice", "named"),
    [
        ({"metric": "bleu"}, "of bleu in any language"),
        ({"languages": ["fr"]}, r"in \['fr'\]"),
        ({"stage": 4}, "stage 4"),
    ],
)
def test_what_was_not_measured_is_refused_by_name(choice: dict[str, Any], named: str) -> None:
    for measure in (lambda: steps_to(RISING, 50.0, **choice), lambda: area_under_curve(RISING, **choice)):
        with pytest.raises(ConvergenceError, match=named):
            measure()
    with pytest.raises(ConvergenceError, match="pass evaluate_on to fit"):
        steps_to(History(), 50.0)


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), "50", None, True])
def test_a_threshold_is_a_finite_number(threshold: Any) -> None:
    with pytest.raises(SettingError):
        steps_to(RISING, threshold)


def test_a_fraction_is_of_a_common_reference_and_not_of_the_own_final_score() -> None:
    reference = curve({0: 50.0, 10: 90.0, 30: 100.0})
    assert steps_to_fraction(RISING, 0.5, reference) == steps_to(RISING, 75.0)
    assert steps_to_fraction(RISING, 0.5, 100.0) == steps_to(RISING, 60.0)
    assert steps_to_fraction(RISING, 0.5, RISING) == steps_to(RISING, 50.0)
    assert steps_to_fraction(RISING, 0.9, reference) == Measure(30.0, "above")
    assert steps_to_fraction(reference, 0.0, RISING) == Measure(0.0)
    longer = curve({0: 50.0, 10: 90.0, 30: 100.0, 300: 110.0})
    assert steps_to_fraction(RISING, 0.5, longer) == steps_to(RISING, 75.0)  # the gain at the common budget
    with pytest.raises(ConvergenceError, match="gained nothing"):
        steps_to_fraction(RISING, 0.5, curve({0: 50.0, 30: 50.0}))
    with pytest.raises(SettingError):
        steps_to_fraction(RISING, 1.5, reference)


def test_an_area_is_the_mean_score_over_training() -> None:
    # Trapezoids: 10 steps at 30 and 20 steps at 60, over 30 steps.
    assert area_under_curve(RISING) == pytest.approx((10 * 30 + 20 * 60) / 30)


def test_logarithmic_steps_weigh_the_start_more() -> None:
    wide, narrow = math.log(31 / 11), math.log(11)
    assert area_under_curve(RISING, x="log_steps") == pytest.approx((narrow * 30 + wide * 60) / (narrow + wide))
    fast, slow = curve({0: 0.0, 10: 80.0, 100: 80.0}), curve({0: 0.0, 10: 0.0, 100: 80.0})
    gain = area_under_curve(fast, x="log_steps") - area_under_curve(slow, x="log_steps")
    assert gain > area_under_curve(fast) - area_under_curve(slow)


def test_arms_with_different_budgets_are_compared_up_to_a_common_step() -> None:
    # The curve is at 60 after 20 steps: 10 steps at 30 and 10 at 50.
    assert area_under_curve(RISING, until=20) == pytest.approx(40.0)
    assert area_under_curve(RISING, until=10) == pytest.approx(30.0)
    assert area_under_curve(RISING, until=30) == area_under_curve(RISING)
    with pytest.raises(ConvergenceError, match="from step 0 to 30"):
        area_under_curve(RISING, until=99)
    longer = curve({0: 20.0, 10: 40.0, 30: 80.0, 90: 80.0})
    for x in ("steps", "log_steps"):
        assert area_under_curve(longer, x, until=30) == pytest.approx(area_under_curve(RISING, x))
    for until in (0, -5):
        with pytest.raises(SettingError, match="until"):
            area_under_curve(RISING, until=until)


@pytest.mark.parametrize("x", ["epochs", "", None, "log"])
def test_an_area_is_over_steps_or_their_logarithm(x: Any) -> None:
    with pytest.raises(SettingError, match="one of 'steps', 'log_steps'"):
        area_under_curve(RISING, x=x)


def test_an_arm_that_needs_half_the_steps_is_twice_as_fast() -> None:
    fast, slow = curve({0: 0.0, 10: 80.0}), curve({0: 0.0, 20: 80.0})
    assert speed_up(fast, slow, threshold=80.0) == Measure(2.0)
    assert speed_up(slow, fast, threshold=80.0) == Measure(0.5)
    assert speed_up(slow, slow) == Measure(1.0)
    at_ten = 80 * math.log(11) / math.log(21)  # where the slow arm is at the last step that both have
    assert speed_up(fast, slow).value == pytest.approx(10 / steps_to(fast, at_ten).value)


def test_a_speed_up_is_a_bound_where_an_arm_never_reached_the_score() -> None:
    good, poor = curve({0: 0.0, 20: 80.0}), curve({0: 0.0, 10: 40.0})
    # The poor arm needs more than 10 steps to 80, the good one 20.
    assert speed_up(poor, good, threshold=80.0) == Measure(2.0, "below")
    assert speed_up(good, poor, threshold=60.0) == Measure(10 / steps_to(good, 60.0).value, "above")
    assert str(speed_up(poor, good, threshold=80.0)) == "< 2"
    with pytest.raises(ConvergenceError, match=r"Neither arm reached 90\.00"):
        speed_up(poor, good, threshold=90.0)


def test_there_is_no_ratio_to_an_arm_with_the_score_before_its_first_step() -> None:
    ready, slow = curve({0: 90.0, 10: 95.0}), curve({0: 0.0, 20: 80.0})
    assert speed_up(ready, ready, threshold=50.0) == Measure(1.0)
    with pytest.raises(ConvergenceError, match=r"The arm had 50\.00 before its first step"):
        speed_up(ready, slow, threshold=50.0)
    with pytest.raises(ConvergenceError, match="The reference had"):
        speed_up(slow, ready, threshold=50.0)


def test_steps_saved_count_censored_seeds_up_to_the_budget() -> None:
    fast = {seed: Measure(10.0 + seed) for seed in range(4)}
    slow = {seed: Measure(40.0 + seed) for seed in range(3)} | {3: Measure(60.0, "above")}
    saved = analysis.steps_saved(fast, slow, 60)
    assert (saved.mean, saved.count) == ((30 * 3 + 47) / 4, 4)
    ratio = analysis.speed_up_interval(fast, slow, 60)
    logs = [math.log1p(min(slow[seed].value, 60)) - math.log1p(fast[seed].value) for seed in range(4)]
    assert ratio.mean == pytest.approx(math.exp(sum(logs) / 4))
    assert ratio.low < ratio.mean < ratio.high
    with pytest.raises(SettingError, match="measured to 60 only"):
        analysis.steps_saved(fast, slow, 100)


@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.floats(0, 100)), min_size=2, max_size=8, unique_by=lambda point: point[0]
    ),
    st.floats(0, 100),
    st.floats(0, 100),
)
def test_a_higher_score_is_never_reached_sooner(
    points: list[tuple[int, float]], level: float, other_level: float
) -> None:
    history = curve(dict(points))
    low, high = sorted((level, other_level))
    steps = [step for step, _ in points]
    first, second = steps_to(history, low), steps_to(history, high)
    assert min(steps) <= first.value <= second.value <= max(steps)
    assert second.bound == "above" or first.bound != "above"
    assert min(value for _, value in points) - 1e-9 <= area_under_curve(history)
    assert area_under_curve(history) <= max(value for _, value in points) + 1e-9


def points(*pairs: tuple[int, float]) -> History:
    return History(({},), tuple(Point(0, step, "t", "de", "accuracy", value, 9) for step, value in pairs))


def test_a_score_reached_at_the_first_measurement_is_a_bound_below() -> None:
    assert steps_to(points((10, 60.0), (20, 70.0)), 50.0) == Measure(10.0, "below")


def test_an_area_up_to_a_step_before_the_first_measurement_is_refused() -> None:
    for until in (5, 10):
        with pytest.raises(ConvergenceError):
            area_under_curve(points((10, 60.0), (20, 70.0)), until=until)


def test_an_arm_that_never_reached_the_score_is_slower_even_with_a_shorter_budget() -> None:
    reference = points((0, 0.0), (50, 80.0))
    assert speed_up(points((0, 0.0), (10, 40.0)), reference, threshold=60.0).bound == "below"
    with pytest.raises(ConvergenceError, match="step 0 only"):
        speed_up(points((0, 10.0)), reference)


@given(
    gains=st.lists(st.floats(0.1, 30), min_size=2, max_size=6),
    noise=st.lists(st.floats(-3, 3), min_size=6, max_size=6),
    scale=st.sampled_from([1.0, 0.37]),
)
def test_an_error_rate_has_the_measures_of_the_accuracy_it_mirrors(
    gains: list[float], noise: list[float], scale: float
) -> None:
    values = [scale * (value + extra) for value, extra in zip(np.cumsum(gains), noise, strict=False)]
    steps = [0, 1, 3, 10, 40, 100][: len(values)]
    rising = curve(dict(zip(steps, values, strict=True)))
    mirrored = curve({step: 100 - value for step, value in zip(steps, values, strict=True)}, metric="error_rate")
    falling = History(({"lower_is_better": ["error_rate"]},), mirrored.points)
    for threshold in (values[0], float(np.mean(values)), values[-1], 200.0):
        found, expected = steps_to(falling, 100 - threshold), steps_to(rising, threshold)
        assert found.bound == expected.bound
        assert found.value == pytest.approx(expected.value, abs=1e-5)
    assert area_under_curve(falling) == pytest.approx(100 - area_under_curve(rising))
    if values[-1] > values[0] + 0.1:
        found, expected = (steps_to_fraction(history, 0.5, history) for history in (falling, rising))
        assert found.value == pytest.approx(expected.value, abs=1e-5)


@given(st.lists(st.floats(0.01, 30), min_size=2, max_size=6), st.floats(0, 60))
def test_the_whole_gain_of_an_arm_is_reached_at_its_end_whatever_the_rounding(gains: list[float], start: float) -> None:
    values = start + np.cumsum(gains)
    steps = [0, 1, 3, 10, 40, 100][: len(values)]
    history = curve(dict(zip(steps, values.tolist(), strict=True)))
    found = steps_to_fraction(history, 1.0, history)
    assert found.bound == "exact"
    assert found.value == pytest.approx(steps[-1], rel=1e-3)


@given(st.lists(st.floats(0, 100), min_size=3, max_size=3))
def test_an_arm_is_as_fast_as_itself(values: list[float]) -> None:
    history = curve(dict(zip((0, 50, 100), values, strict=True)))
    assert speed_up(history, history) == Measure(1.0)


def test_the_reference_has_reached_its_own_score_at_the_common_budget() -> None:
    falls_later, fast = curve({0: 20.0, 100: 60.0, 200: 55.0}), curve({0: 20.0, 50: 65.0, 100: 70.0})
    found = speed_up(fast, falls_later)
    assert found.bound == "exact"
    assert found.value > 1


def test_a_named_language_that_was_never_measured_is_not_left_out_of_the_mean() -> None:
    for measure in (
        lambda **choice: steps_to(RISING, 40.0, **choice),
        lambda **choice: area_under_curve(RISING, **choice),
    ):
        with pytest.raises(ConvergenceError, match="no accuracy in sw, but in de"):
            measure(languages=["de", "sw"])


def test_two_values_at_one_step_are_refused() -> None:
    with pytest.raises(ConvergenceError, match="two values"):
        steps_to(merge(RISING, curve({10: 41.0})), 40.0)


@pytest.mark.parametrize("values", [{"value": math.nan}, {"value": "3"}, {"value": 3.0, "bound": "under"}])
def test_a_measure_is_a_finite_number_or_a_bound(values: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        Measure(**values)


@pytest.mark.parametrize("function", [analysis.steps_saved, analysis.speed_up_interval])
def test_steps_saved_need_the_steps_of_every_seed(function: Any) -> None:
    reference = {0: Measure(50.0), 1: Measure(50.0)}
    with pytest.raises(SettingError, match="first measurement"):
        function({0: Measure(5.0, "below"), 1: Measure(9.0)}, reference, 50)
    with pytest.raises(SettingError, match="steps_to"):
        function({0: 5.0, 1: 9.0}, reference, 50)


@pytest.mark.parametrize("arguments", [(None, 40.0), ([], 40.0), (RISING, 40.0, "de")])
def test_a_history_is_a_history_and_a_stage_a_number(arguments: tuple[Any, ...]) -> None:
    history, threshold, *stage = arguments
    with pytest.raises(SettingError):
        steps_to(history, threshold, **({"stage": stage[0]} if stage else {}))
