"""Intervals over seeds and units, over rows, and over clusters of rows."""

import numpy as np
import pytest

from xquality.analysis.crossed import cluster_interval, crossed_interval, wilson_interval
from xquality.errors import SettingError


@pytest.mark.parametrize(
    ("seeds", "units", "spreads"), [(3, 12, (2, 5, 2)), (10, 12, (2, 5, 2)), (5, 200, (1, 10, 10))]
)
def test_the_crossed_interval_covers_where_the_one_over_seeds_does_not(
    seeds: int, units: int, spreads: tuple[float, float, float]
) -> None:
    numbers = np.random.default_rng(seeds)
    found = []
    for _ in range(400):
        parts = (
            numbers.normal(0, spread, shape)
            for spread, shape in zip(spreads, ((seeds, 1), (1, units), (seeds, units)), strict=True)
        )
        interval = crossed_interval(sum(parts))
        found.append(interval.low <= 0 <= interval.high)
    assert 0.91 <= np.mean(found) <= 0.99


def test_a_factor_without_variance_leaves_the_other_one() -> None:
    interval = crossed_interval([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0], [3.0, 3.0, 3.0]])
    assert (interval.mean, interval.count) == (2.0, 3)
    assert interval.half_width == pytest.approx(2.484, abs=1e-3)  # Student's t over three seeds


def test_wilson_at_the_edge() -> None:
    interval = wilson_interval(50, 50)
    assert interval.high == 100
    assert interval.low == pytest.approx(92.865, abs=1e-2)
    with pytest.raises(SettingError, match="more correct rows"):
        wilson_interval(3, 2)


def test_clusters_of_one_row_are_rows() -> None:
    from xquality.analysis import mean_interval

    values = [1.0, 0.0, 1.0, 1.0, 0.0]
    by_row, by_cluster = mean_interval(values), cluster_interval(values, range(5))
    assert (by_cluster.low, by_cluster.high) == pytest.approx((by_row.low, by_row.high))
    doubled = cluster_interval(
        [value for value in values for _ in range(2)], [row for row in range(5) for _ in range(2)]
    )
    assert (doubled.low, doubled.high) == pytest.approx((by_row.low, by_row.high))


def test_what_they_refuse() -> None:
    for values in ([[1.0, 2.0]], [1.0, 2.0], [[1.0], [2.0]], [[1.0, float("nan")], [1.0, 2.0]]):
        with pytest.raises(SettingError, match="crossed_interval takes"):
            crossed_interval(values)
    with pytest.raises(SettingError, match="two clusters"):
        cluster_interval([1.0, 2.0], ["a", "a"])
