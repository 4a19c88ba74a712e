"""Statistics as pure functions: means over seeds, differences paired by seed, and intervals over test examples.

A mean over seeds says how far training varies, with Student's t-intervals. A bootstrap over the examples of a test
set says how far another test set of its kind would score the same predictions otherwise: it resamples what a metric
counts for each example and never scores again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from xquality import _settings
from xquality.errors import SettingError
from xquality.randomness import Draw

Totals = NDArray[Any]


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
    if not 0 < _settings.real("mean_interval", "level", level) < 1:
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


def bootstrap(
    statistics: NDArray[Any],
    score: Callable[[Totals], float],
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
    uids: NDArray[np.uint64] | None = None,
) -> Interval:
    """Return a score with the percentile interval of the bootstrap over examples (Efron 1979).

    Each resample draws as many examples as there are, with replacement, adds up their statistics and scores the sums.
    Draws are keyed by seed and resample: the same seed gives the same interval, and with `uids` in any row order.

    Args:
        statistics: what the metric counts for each example, shape (rows, columns), for example from
            `metrics.tagging.chunk_counts` or `metrics.question_answering.squad_each`.
        score: the score of sums of such rows, shape (columns,), for example
            `lambda totals: chunk_f1_from(totals)["f1"]`.
        seed: of the draws.
        resamples: how many; the ends of the interval vary by the seed, the less the more there are.
        level: the interval's confidence.
        uids: hashed row identities, shape (rows,), from `randomness.hash_uids`; None draws by row number.

    Returns:
        The score of all examples, the interval, and the number of examples.

    Raises:
        SettingError: where there are no examples, a statistic is not finite, or a setting is out of range.

    Example:
        >>> from xquality.metrics.classification import accuracy_from, correct_each
        >>> counts = correct_each("aabbbbbbbb", "abbbbabbab")
        >>> print(bootstrap(counts, lambda totals: accuracy_from(totals)["accuracy"], seed=1))
        70.00 [40.00, 100.00]
    """
    table = _checked(statistics, resamples, level, uids)
    found = np.array([score(totals) for (totals,) in _resampled([table], seed, resamples)])
    low, high = np.quantile(found, ((1 - level) / 2, (1 + level) / 2)).tolist()
    return Interval(float(score(_total(table))), low, high, len(table))


def bootstrap_difference(
    arm: NDArray[Any],
    reference: NDArray[Any],
    score: Callable[[Totals], float],
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
    uids: NDArray[np.uint64] | None = None,
) -> Interval:
    """Return how much higher one set of predictions scores than another on the same examples, with an interval.

    Both are scored on the same resamples, which removes what makes an example hard for both. The two-sided p-value is
    the share of resamples in which the difference has the other sign or is 0, one added to both counts, doubled.

    Args:
        arm: the statistics of one set of predictions, shape (rows, columns).
        reference: those of the other, of the same examples in the same order.
        score: as in `bootstrap`.
        seed: of the draws.
        resamples: how many.
        level: the interval's confidence.
        uids: as in `bootstrap`.

    Raises:
        SettingError: as `bootstrap` does, and where the two differ in shape.

    Example:
        >>> from xquality.metrics.classification import accuracy_from, correct_each
        >>> better, worse = correct_each("a" * 50 + "b" * 10, "a" * 60), correct_each("a" * 30 + "b" * 30, "a" * 60)
        >>> print(bootstrap_difference(better, worse, lambda totals: accuracy_from(totals)["accuracy"], seed=1))
        33.33 [21.67, 46.67]
    """
    tables = [_checked(one, resamples, level, uids) for one in (arm, reference)]
    if tables[0].shape != tables[1].shape:
        raise SettingError(
            f"A paired difference needs the same examples, but the statistics have the shapes {tables[0].shape} and "
            f"{tables[1].shape}."
        )
    found = np.array([score(one) - score(other) for one, other in _resampled(tables, seed, resamples)])
    low, high = np.quantile(found, ((1 - level) / 2, (1 + level) / 2)).tolist()
    beyond = min(int((found <= 0).sum()), int((found >= 0).sum()))
    p = min(1.0, 2 * (beyond + 1) / (resamples + 1))
    return Interval(float(score(_total(tables[0])) - score(_total(tables[1]))), low, high, len(tables[0]), p)


def _checked(statistics: NDArray[Any], resamples: int, level: float, uids: NDArray[np.uint64] | None) -> NDArray[Any]:
    """Return the statistics as a table, its rows in the order of the uids, or raise."""
    _settings.integer("bootstrap", "resamples", resamples, least=1)
    if not 0 < _settings.real("bootstrap", "level", level) < 1:
        raise SettingError(f"bootstrap(level={level!r}) must lie between 0 and 1, for example 0.95.")
    table = np.asarray(statistics)
    if table.ndim != 2 or not len(table) or table.dtype.kind not in "biuf" or not np.isfinite(table).all():
        raise SettingError(
            f"A bootstrap needs finite statistics of at least one example, shape (rows, columns), but got {table!r}."
        )
    if uids is None:
        return table
    if len(uids) != len(table):
        raise SettingError(f"There are {len(uids)} uids for {len(table)} rows of statistics; give one for each row.")
    return np.take(table, np.argsort(uids, kind="stable"), axis=0)


def _resampled(tables: Sequence[NDArray[Any]], seed: int, resamples: int) -> Iterator[list[Totals]]:
    """Yield for each resample the sums over the rows that it draws, of all tables alike."""
    rows = len(tables[0])
    draw = Draw(_settings.integer("bootstrap", "seed", seed), "bootstrap", 0, np.arange(rows, dtype=np.uint64))
    for number in range(resamples):
        drawn = draw.integers(f"resample {number}", rows)
        yield [table[drawn].sum(axis=0) for table in tables]


def _total(table: NDArray[Any]) -> Totals:
    """Return the sums over all rows, added from left to right as the metrics do."""
    totals: Totals = np.add.accumulate(table, axis=0)[-1]
    return totals
