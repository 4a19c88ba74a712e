"""Steps to a threshold that not every run reaches: the Kaplan-Meier curve, its median and its restricted mean.

A run that ends before it reaches the threshold is censored at its last step: it is known to need more. Dropping such
runs biases every mean; the curve counts them for as long as they were watched.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from xquality import _settings
from xquality.analysis._numbers import read_numbers
from xquality.errors import SettingError

Floats = NDArray[np.float64]


@final
@dataclass(frozen=True)
class Survival:
    """The share of runs that have not yet reached the threshold, as a step function of time.

    Attributes:
        times: the times at which runs reached it, ascending.
        shares: the share that has not reached it after each of them.
        count: the number of runs.
        reached: how many of them reached it.
        last: the latest time at which any run was watched.
    """

    times: tuple[float, ...]
    shares: tuple[float, ...]
    count: int
    reached: int
    last: float

    @property
    def median(self) -> float | None:
        """The first time by which half of the runs have reached the threshold; None where fewer did."""
        for time, share in zip(self.times, self.shares, strict=True):
            if share <= 0.5 + 1e-12:
                return time
        return None

    def restricted_mean(self, until: float) -> float:
        """Return the mean of the times, each counted up to `until`: the area under the curve.

        Args:
            until: at most the last time watched, since nothing is known of later ones.

        Raises:
            SettingError: where `until` lies beyond the last time watched.
        """
        end = _settings.positive("restricted_mean", "until", until)
        if end > self.last:
            raise SettingError(
                f"restricted_mean(until={until!r}) lies beyond the last time watched; give {self.last:g} or less."
            )
        inside = [time for time in self.times if time < end]
        edges = np.array([0.0, *inside, end])
        heights = np.array([1.0, *self.shares[: len(inside)]])
        return float((np.diff(edges) * heights).sum())

    def __str__(self) -> str:
        median = "not reached by half" if self.median is None else f"median {self.median:g}"
        return f"{median} ({self.reached} of {self.count} reached it)"


def kaplan_meier(times: Sequence[float], reached: Sequence[bool]) -> Survival:
    """Return the Kaplan-Meier curve (Kaplan and Meier 1958) of times that may be censored.

    Args:
        times: for each run, when it reached the threshold, or the last time it was watched.
        reached: for each run, whether it reached it.

    Raises:
        SettingError: for no runs, lists of two lengths, or a time that is negative or not finite.

    Example:
        >>> print(kaplan_meier([10, 20, 30, 40], [True, True, True, False]))
        median 20 (3 of 4 reached it)
    """
    from scipy import stats

    watched, events = _read_times("kaplan_meier", times, reached)
    if not events.any():
        return Survival((), (), len(watched), 0, float(watched.max()))
    curve = stats.ecdf(stats.CensoredData(uncensored=watched[events], right=watched[~events])).sf
    steps = np.unique(watched[events])
    return Survival(
        tuple(steps.tolist()),
        tuple(np.asarray(curve.evaluate(steps), np.float64).tolist()),
        len(watched),
        int(events.sum()),
        float(watched.max()),
    )


@final
@dataclass(frozen=True)
class LogRank:
    """The result of a log-rank test.

    Attributes:
        chi_squared: the statistic, with one degree of freedom.
        p: the two-sided p-value.
    """

    chi_squared: float
    p: float


def log_rank(
    times: Sequence[float], reached: Sequence[bool], other_times: Sequence[float], other_reached: Sequence[bool]
) -> LogRank:
    """Return the log-rank test of two arms reaching the threshold equally fast (Mantel 1966); runs may be censored.

    It is by the normal approximation, and does not pair the seeds: with few seeds take `steps_saved`, whose interval
    was simulated.

    Args:
        times: for each run of one arm, when it reached the threshold, or the last time it was watched.
        reached: for each run, whether it reached it.
        other_times: the same of the other arm.
        other_reached: the same of the other arm.

    Raises:
        SettingError: as `kaplan_meier` does, and where no run of either arm reached the threshold.

    Example:
        >>> found = log_rank([10, 20, 30], [True, True, True], [25, 40, 40], [True, False, False])
        >>> round(found.chi_squared, 3), round(found.p, 3)
        (2.557, 0.11)
    """
    from scipy import stats

    arms = [_read_times("log_rank", *arm) for arm in ((times, reached), (other_times, other_reached))]
    if not any(events.any() for _, events in arms):
        raise SettingError("log_rank compares arms of which a run reached the threshold, but none did; lower it.")
    first, second = (stats.CensoredData(uncensored=watched[events], right=watched[~events]) for watched, events in arms)
    found = stats.logrank(first, second)
    return LogRank(float(found.statistic) ** 2, float(found.pvalue))


def _read_times(owner: str, times: object, reached: object) -> tuple[Floats, NDArray[np.bool_]]:
    """Return the times and whether the threshold was reached at them, both of the shape (runs,), or raise."""
    watched, flags = read_numbers(owner, times), read_numbers(owner, reached)
    if watched.shape != flags.shape or not np.isin(flags, (0.0, 1.0)).all():
        raise SettingError(
            f"{owner} takes a time and a truth value for each run, but got {len(watched)} times and "
            f"{len(flags)} values, {flags[:5].tolist()} first."
        )
    if (watched < 0).any():
        raise SettingError(f"{owner} takes times that are not negative; give the last step watched.")
    return watched, flags == 1.0
