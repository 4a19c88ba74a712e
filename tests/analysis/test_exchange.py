"""Exchange rates: planted ones are found and covered, what the scores do not determine is withheld."""

from collections.abc import Callable

import numpy as np
import pytest

from xquality import History, Point
from xquality.analysis import area_under_curve, exchange_rate, seeds_needed
from xquality.analysis.exchange import Scores
from xquality.errors import SettingError

ROWS = (50, 108, 232, 500)


def power_law(rows: float) -> float:
    """Return the mean score of a number of clean rows: a ceiling of 48 points."""
    return 48 - 72 * rows**-0.5


def scores(
    worth: float, seeds: int, spread: float, numbers: np.random.Generator, mean: Callable[[float], float] = power_law
) -> Scores:
    return {
        rows: {seed: mean(worth * rows) + spread * numbers.standard_normal() for seed in range(seeds)} for rows in ROWS
    }


@pytest.mark.parametrize(("worth", "seeds", "spread"), [(0.5, 12, 3.0), (0.2, 12, 3.0), (1.0, 12, 3.0), (0.5, 5, 2.0)])
def test_a_planted_rate_is_covered(worth: float, seeds: int, spread: float) -> None:
    numbers = np.random.default_rng(0)
    found = [
        exchange_rate(scores(1.0, seeds, spread, numbers), scores(worth, seeds, spread, numbers)) for _ in range(150)
    ]
    assert 0.90 <= np.mean([rate.low <= worth <= rate.high for rate in found]) <= 0.99
    assert np.mean([rate.withheld is None for rate in found]) > 0.93
    assert np.median([rate.rate for rate in found]) == pytest.approx(worth, rel=0.06)


def areas(worth: float, numbers: np.random.Generator) -> Scores:
    """Return areas under learning curves that rise the faster, and the higher, the more effective rows there are."""
    steps = (0, 2, 5, 10, 20, 50, 100)
    found: dict[int, dict[int, float]] = {}
    for rows in ROWS:
        shape = 1 - 2.0 ** -(np.array(steps) / (4 + 400 * (worth * rows) ** -0.5))
        for seed in range(8):
            values = 10 + power_law(worth * rows) * shape + 2 * numbers.standard_normal(len(steps))
            points = (
                Point(0, step, "t", "de", "accuracy", value, 9) for step, value in zip(steps, values, strict=True)
            )
            found.setdefault(rows, {})[seed] = area_under_curve(History(({},), tuple(points)), "log_steps")
    return found


def test_a_rate_of_speed_is_found_from_areas() -> None:
    numbers = np.random.default_rng(0)
    found = [exchange_rate(areas(1.0, numbers), areas(0.5, numbers)) for _ in range(80)]
    assert np.mean([rate.withheld is None for rate in found]) > 0.9
    assert 0.88 <= np.mean([rate.low <= 0.5 <= rate.high for rate in found]) <= 1.0
    assert np.median([rate.rate for rate in found]) == pytest.approx(0.5, rel=0.06)


def test_without_noise_the_rate_is_found_and_each_amount_agrees() -> None:
    numbers = np.random.default_rng(0)
    rate = exchange_rate(scores(1.0, 5, 1e-3, numbers), scores(0.5, 5, 1e-3, numbers))
    assert rate.rate == pytest.approx(0.5, rel=0.011)
    assert rate.each[232].rows == pytest.approx(116, rel=0.06)  # straight lines between the amounts
    assert rate.each[50].rows == 0.0  # 25 effective rows lie below the smallest clean amount
    assert "less than one clean row" in str(rate)


def test_flat_and_harmful_data_are_withheld() -> None:
    numbers = np.random.default_rng(1)
    flat = scores(1.0, 5, 2.0, numbers, lambda rows: 40.0)
    worse = scores(1.0, 5, 2.0, numbers, lambda rows: 45 - np.log(rows))
    for clean, other, why in (
        (flat, flat, "did not measurably help"),
        (worse, flat, "did not measurably help"),
        (scores(1.0, 8, 1.0, numbers), scores(1.0, 8, 1.0, numbers, lambda rows: 60 - 6 * np.log(rows)), "lack of fit"),
    ):
        rate = exchange_rate(clean, other)
        assert rate.withheld is not None
        assert why in rate.withheld
        assert str(rate).startswith("withheld: ")
        assert rate.cheaper(1.0, 1.0, 40.0).withheld == rate.withheld


def test_too_few_seeds_say_how_many_would_do() -> None:
    numbers = np.random.default_rng(3)
    rate = exchange_rate(
        scores(1.0, 3, 8.0, numbers, lambda rows: 4 * np.log(rows)),
        scores(0.2, 3, 8.0, numbers, lambda rows: 4 * np.log(rows)),
    )
    assert rate.withheld is not None
    if "leave it open" in rate.withheld:
        assert "seeds would determine it" in rate.withheld


def test_the_cheaper_way_to_a_score() -> None:
    numbers = np.random.default_rng(0)
    rate = exchange_rate(scores(1.0, 8, 1.0, numbers), scores(0.5, 8, 1.0, numbers))
    dear, cheap = rate.cheaper(1.0, 1.0, 42.0), rate.cheaper(10.0, 1.0, 42.0)
    assert (dear.cheaper, cheap.cheaper) == ("clean", "other")
    assert dear.ratio == pytest.approx(1 / rate.rate)
    assert (dear.low, dear.high) == pytest.approx((1 / rate.high, 1 / rate.low))
    assert dear.other_rows == pytest.approx(dear.clean_rows / rate.rate)
    assert rate.cheaper(rate.rate**-1, 1.0, 42.0).cheaper is None
    assert "lies outside" in (rate.cheaper(1.0, 1.0, 99.0).withheld or "")
    with pytest.raises(SettingError, match="above 0"):
        rate.cheaper(0.0, 1.0, 42.0)


def test_adding_a_constant_to_a_seed_changes_nothing() -> None:
    numbers = np.random.default_rng(2)
    clean, other = scores(1.0, 6, 2.0, numbers), scores(0.5, 6, 2.0, numbers)
    moved = [
        {rows: {seed: value + 10 * seed for seed, value in cell.items()} for rows, cell in arm.items()}
        for arm in (clean, other)
    ]
    before, after = exchange_rate(clean, other), exchange_rate(*moved)
    assert (before.rate, before.low, before.high) == pytest.approx((after.rate, after.low, after.high))
    assert before.noise == pytest.approx(after.noise)


def test_seeds_needed_follow_the_noise() -> None:
    found = [seeds_needed(precision, ROWS, ROWS) for precision in (0.65, 1.0, 1.3, 2.0)]
    assert found == [3, 6, 9, 19]
    assert seeds_needed(1.0, ROWS, ROWS, rate=0.2) > 6


def test_what_it_refuses() -> None:
    numbers = np.random.default_rng(0)
    good = scores(1.0, 5, 1.0, numbers)
    few = {rows: good[rows] for rows in ROWS[:2]}
    for clean, other in ((few, good), (good, {50: good[50]}), (good, {rows: {7: 1.0, 8: 2.0} for rows in ROWS})):
        with pytest.raises(SettingError, match="3 clean amounts, 2 of the other"):
            exchange_rate(clean, other)
    with pytest.raises(SettingError, match="above 0"):
        exchange_rate({0: good[50], **good}, good)
    broken = {**good, 50: {**good[50], 0: float("nan")}}
    with pytest.raises(SettingError, match="finite scores"):
        exchange_rate(broken, good)
