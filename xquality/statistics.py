"""Statistics over seeds, as pure functions: means with t-intervals, and differences between arms paired by seed.

May import: errors, checks | numpy, scipy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from xquality import checks
from xquality.errors import SettingError


@final
@dataclass(frozen=True)
class Interval:
    """A mean with a confidence interval.

    Attributes:
        mean: the mean.
        low: the lower end; equal to the mean where one value gives no interval.
        high: the upper end.
        count: how many values it is the mean of.
        p: the two-sided p-value of the mean being 0, for differences; None otherwise or for one value.
    """

    mean: float
    low: float
    high: float
    count: int
    p: float | None = None

    @property
    def half_width(self) -> float:
        """Half the interval's width."""
        return (self.high - self.low) / 2

    def __str__(self) -> str:
        return f"{self.mean:.2f} [{self.low:.2f}, {self.high:.2f}]"


def mean_interval(values: Sequence[float], level: float = 0.95) -> Interval:
    """Return the mean of independent values (one a seed) with Student's t-interval.

    Raises:
        SettingError: for no values, a value that is not finite, or a level outside (0, 1).

    Example:
        >>> print(mean_interval([1.0, 2.0, 3.0]))
        2.00 [-0.48, 4.48]
    """
    from scipy.stats import t

    numbers = np.asarray(values, np.float64)
    if not 0 < checks.real("mean_interval", "level", level) < 1:
        raise SettingError(f"mean_interval(level={level!r}) must lie between 0 and 1, for example 0.95.")
    if not len(numbers) or not np.isfinite(numbers).all():
        raise SettingError(f"A mean needs finite values, but got {list(values)}.")
    mean, count = float(numbers.mean()), len(numbers)
    if count == 1:
        return Interval(mean, mean, mean, 1)
    reach = float(t.ppf((1 + level) / 2, count - 1) * numbers.std(ddof=1) / np.sqrt(count))
    return Interval(mean, mean - reach, mean + reach, count)


def paired_difference(arm: Mapping[int, float], reference: Mapping[int, float], level: float = 0.95) -> Interval:
    """Return the mean of `arm - reference` over the seeds that both have, with Student's t-interval and p-value.

    Pairing removes what the seeds share: cells of one seed start with the same head, data order and noise.

    Args:
        arm: one value a seed.
        reference: one value a seed.
        level: the interval's confidence.

    Raises:
        SettingError: where the arms have no seed in common.

    Example:
        >>> print(paired_difference({0: 2.0, 1: 3.5, 2: 4.0}, {0: 1.0, 1: 2.0, 2: 3.0}))
        1.17 [0.45, 1.88]
    """
    from scipy.stats import t

    seeds = sorted(arm.keys() & reference.keys())
    if not seeds:
        raise SettingError(
            f"A paired difference needs a common seed, but the arms have {sorted(arm)} and {sorted(reference)}."
        )
    found = mean_interval([arm[seed] - reference[seed] for seed in seeds], level)
    if found.count == 1 or found.half_width == 0:
        return found
    error = found.half_width / t.ppf((1 + level) / 2, found.count - 1)
    p = float(2 * t.sf(abs(found.mean) / error, found.count - 1))
    return Interval(found.mean, found.low, found.high, found.count, p)
