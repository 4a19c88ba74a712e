"""Fits of learning curves: planted shapes are found, R's fit is met, and what is not determined is said to be so."""

import math

import numpy as np
import pytest

from xquality.analysis import area_under_curve, fit_curve, steps_to
from xquality.errors import ConvergenceError, SettingError
from xquality.records import History, Point

STEPS = np.array([0, 1, 2, 5, 10, 20, 50, 100, 200])


def run(values: np.ndarray, steps: np.ndarray = STEPS, metric: str = "accuracy") -> History:
    points = (
        Point(0, int(step), "t", "de", metric, float(value), 9) for step, value in zip(steps, values, strict=True)
    )
    return History(({},), tuple(points))


def planted(shape: str, half_life: float, asymptote: float = 60.0, gain: float = 40.0) -> np.ndarray:
    scale = np.log1p if shape == "power" else np.asarray
    return asymptote - gain * 2.0 ** -(scale(STEPS) / scale(half_life))


def seeds(mean: np.ndarray, count: int, spread: float, seed: int = 0) -> dict[int, History]:
    numbers = np.random.default_rng(seed)
    return {
        number: run(mean + numbers.standard_normal() + spread * numbers.standard_normal(len(mean)))
        for number in range(count)
    }


@pytest.mark.parametrize(("shape", "half_life"), [("power", 8.0), ("power", 150.0), ("exponential", 15.0)])
def test_a_curve_without_noise_is_found_exactly(shape: str, half_life: float) -> None:
    found = fit_curve(run(planted(shape, half_life)))
    assert found.shape == shape
    assert found.asymptote.mean == pytest.approx(60.0, abs=1e-3)
    assert found.half_life.mean == pytest.approx(half_life, rel=1e-3)
    assert found.start == pytest.approx(20.0, abs=1e-3)
    assert found.quality[shape].r_squared == pytest.approx(1.0)
    assert found.at(half_life) == pytest.approx(40.0, abs=1e-3)
    assert found.asymptote.low <= 60.0 + 1e-3
    assert found.asymptote.high >= 60.0 - 1e-3


def test_it_is_the_asymptotic_regression_of_r() -> None:
    # nls(height ~ SSasymp(age, Asym, R0, lrc)) of R's Loblolly data, seed 329: 94.1282, -8.2508 and -3.2176.
    ages, heights = np.array([3, 5, 10, 15, 20, 25]), np.array([3.93, 9.34, 26.08, 37.79, 48.31, 56.43])
    found = fit_curve(run(heights, ages))
    assert found.shape == "exponential"
    assert (found.asymptote.mean, found.start) == pytest.approx((94.1282, -8.2508), abs=2e-4)
    assert found.half_life.mean == pytest.approx(math.log(2) / math.exp(-3.2176), rel=1e-4)
    assert found.quality["exponential"].rmse == pytest.approx(0.7493 * math.sqrt(3 / 6), abs=1e-4)


@pytest.mark.parametrize(("shape", "half_life"), [("power", 8.0), ("exponential", 15.0)])
def test_planted_curves_are_covered(shape: str, half_life: float) -> None:
    fits = [fit_curve(seeds(planted(shape, half_life), 5, 2.0, number)) for number in range(120)]
    reported = [fit for fit in fits if fit.withheld is None]
    assert len(reported) > 110
    assert np.mean([fit.shape == shape for fit in reported]) > 0.9
    for name, true in (("asymptote", 60.0), ("half_life", half_life)):
        intervals = [getattr(fit, name) for fit in reported]
        assert 0.90 <= np.mean([interval.low <= true <= interval.high for interval in intervals]) <= 1.0


def test_a_curve_that_still_rises_has_no_asymptote() -> None:
    found = fit_curve(seeds(20 + 6 * np.log1p(STEPS), 4, 1.0))
    assert found.shape == "power"
    assert found.asymptote.high == math.inf
    assert "asymptote not identified (above" in str(found)
    assert any("The asymptote is not identified" in note for note in found.notes)
    assert any("half-life is not reached within the 200 steps" in note for note in found.notes)


def test_what_has_neither_shape_is_withheld_and_read_off_the_isotonic_curve() -> None:
    histories = seeds(np.where(STEPS < 20, 20.0, 60.0) + 15.0 * (STEPS >= 200), 5, 0.5)
    found = fit_curve(histories)
    assert found.shape is None
    assert "neither a power law nor an exponential curve fits" in (found.withheld or "")
    assert "isotonic curve" in str(found)
    assert found.at(10) == pytest.approx(20, abs=1.5)
    assert found.at(200) == pytest.approx(75, abs=1.5)
    with pytest.raises(SettingError, match="between 0 and 200"):
        found.at(201)
    assert steps_to(histories[0], 40.0).value < 20
    assert area_under_curve(histories[0]) > 50


def test_a_flat_or_falling_curve_is_withheld() -> None:
    for mean in (np.full(len(STEPS), 40.0), 40.0 - 5 * np.log1p(STEPS)):
        assert "does not measurably improve" in (fit_curve(seeds(mean, 5, 1.0)).withheld or "")


def test_four_measurements_are_too_few() -> None:
    found = fit_curve(run(planted("power", 8.0)[:4], STEPS[:4]))
    assert "needs 5 measurements" in (found.withheld or "")
    assert not math.isfinite(found.asymptote.half_width)


def test_a_falling_metric_falls_to_its_asymptote() -> None:
    found = fit_curve(run(100 - planted("exponential", 15.0), metric="perplexity"))
    assert (found.shape, found.asymptote.count) == ("exponential", 1)
    assert (found.asymptote.mean, found.start) == pytest.approx((40.0, 80.0), abs=1e-3)
    assert found.asymptote.low <= 40.001
    assert found.asymptote.high >= 39.999


def test_points_and_steps_scale_the_fit() -> None:
    histories = seeds(planted("exponential", 15.0), 4, 1.0)
    scaled = {
        seed: History(({},), tuple(Point(0, 3 * p.step, "t", "de", "accuracy", 0.01 * p.value, 9) for p in run.points))
        for seed, run in histories.items()
    }
    before, after = fit_curve(histories), fit_curve(scaled)
    assert after.half_life.mean == pytest.approx(3 * before.half_life.mean, rel=1e-3)
    assert (after.asymptote.low, after.asymptote.high) == pytest.approx(
        (0.01 * before.asymptote.low, 0.01 * before.asymptote.high), rel=1e-3
    )


def test_what_it_refuses() -> None:
    for histories in (None, {}, {0: 1.0}, [run(planted("power", 8.0))]):
        with pytest.raises(SettingError, match="takes a History"):
            fit_curve(histories)
    apart = {0: run(planted("power", 8.0)), 1: run(planted("power", 8.0), STEPS + 1000)}
    with pytest.raises(ConvergenceError, match="share no step"):
        fit_curve(apart)
    with pytest.raises(SettingError, match="level"):
        fit_curve(apart, level=1.0)
    with pytest.raises(SettingError, match="between 0 and inf"):
        fit_curve(run(planted("power", 8.0))).at(-1)
