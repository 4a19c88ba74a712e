"""Analysis of finished runs: how fast a history converges, and intervals over seeds, rows and languages."""

from xquality.analysis.convergence import Measure, area_under_curve, speed_up, steps_to, steps_to_fraction
from xquality.analysis.statistics import Interval, bootstrap, bootstrap_difference, mean_interval, paired_difference

__all__ = [
    "Interval",
    "Measure",
    "area_under_curve",
    "bootstrap",
    "bootstrap_difference",
    "mean_interval",
    "paired_difference",
    "speed_up",
    "steps_to",
    "steps_to_fraction",
]
