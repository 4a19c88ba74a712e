"""Statistics as pure functions: means over seeds, differences paired by seed, and intervals over test examples.

Student's t-interval of a mean over seeds measures how training varies. A bootstrap over the examples of a test set
measures how much another test set of its kind could score otherwise: it resamples the statistics that a metric has for
each example, and never scores again.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from xquality import _settings
from xquality.errors import SettingError
from xquality.randomness import Draw

Sums = NDArray[Any]
"""The column sums of statistics, shape (columns,)."""


@final
@dataclass(frozen=True)
class Interval:
    """A mean with a confidence interval.

    Attributes:
        mean: the mean.
        low: the lower end; minus infinity for a single value, which bounds nothing.
        high: the upper end; infinity for a single value.
        count: how many values it is the mean of.
        p: for differences the two-sided p-value of the mean being 0; None otherwise, and for a single value.
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
        if not np.isfinite(self.half_width):
            return f"{self.mean:.2f} ({'one value' if self.count == 1 else f'{self.count} values'}, no interval)"
        return f"{self.mean:.2f} [{self.low:.2f}, {self.high:.2f}]"


def mean_interval(values: Iterable[float], level: float = 0.95) -> Interval:
    """Return the mean of independent values, one for each seed, with Student's t-interval.

    In simulation the 95 % interval covered 95 % for normal and heavy-tailed values at 3, 5 and 10 seeds, but 88, 87 and
    88 % for skewed ones, and 93, 89 and 87 % where one seed in ten collapses; the percentile bootstrap covered 69 to
    83 % there. Differences between arms (`paired_difference`) covered 95 to 97 % in all these cases.

    Args:
        values: finite numbers in one dimension; for a table of seeds by languages see `crossed_interval`.
        level: the confidence level.

    Raises:
        SettingError: for no values, values in more than one dimension, a value that is not finite, or a level outside
            (0, 1).

    Example:
        >>> print(mean_interval([1.0, 2.0, 3.0]))
        2.00 [-0.48, 4.48]
    """
    from scipy.stats import t

    _check_level("mean_interval", level)
    numbers = _read_values(values)
    mean, count = float(numbers.mean()), len(numbers)
    if count == 1:
        return Interval(mean, -np.inf, np.inf, 1)
    spread = float(numbers.std(ddof=1))
    if spread <= 1e-12 * float(np.abs(numbers).max()):  # equal but for rounding
        spread = 0.0
    reach = float(t.ppf((1 + level) / 2, count - 1) * spread / np.sqrt(count))
    return Interval(mean, mean - reach, mean + reach, count)


def _read_values(values: Iterable[float]) -> NDArray[np.float64]:
    """Return finite numbers as an array of one dimension, or raise."""
    try:
        given = values if isinstance(values, np.ndarray) else list(values)
        numbers = np.asarray(given, np.float64)
    except (TypeError, ValueError) as fault:
        raise SettingError(f"A mean needs numbers in one dimension, but got {values!r:.80} ({fault}).") from fault
    if numbers.ndim != 1:
        raise SettingError(
            f"A mean needs one number for each seed, but got the shape {numbers.shape}; take the mean of each seed "
            "first, or use crossed_interval."
        )
    if not len(numbers) or not np.isfinite(numbers).all():
        raise SettingError(f"A mean needs finite values, but got {given!r:.80}.")
    return numbers


def paired_difference(arm: Mapping[Any, float], reference: Mapping[Any, float], level: float = 0.95) -> Interval:
    """Return the mean of `arm - reference` over the seeds that both have, with Student's t-interval and p-value.

    Arms of one seed start with the same head, data order and noise. That removes little of the variation where these
    matter little: the correlation of the arms over seeds says how much.

    Args:
        arm: the value of each seed.
        reference: the value of each seed.
        level: the confidence level of the interval.

    Raises:
        SettingError: where the arms have no seed in common.

    Example:
        >>> print(paired_difference({0: 2.0, 1: 3.5, 2: 4.0}, {0: 1.0, 1: 2.0, 2: 3.0}))
        1.17 [0.45, 1.88]
    """
    from scipy.stats import t

    seeds = _listed(arm.keys() & reference.keys())
    if not seeds:
        raise SettingError(
            f"A paired difference needs a common seed, but the arms have {_listed(arm)} and {_listed(reference)}."
        )
    difference = mean_interval([arm[seed] - reference[seed] for seed in seeds], level)
    if difference.count == 1 or difference.half_width == 0:
        return difference
    error = difference.half_width / t.ppf((1 + level) / 2, difference.count - 1)
    p = float(2 * t.sf(abs(difference.mean) / error, difference.count - 1))
    return dataclasses.replace(difference, p=p)


def _listed(seeds: Iterable[Any]) -> list[Any]:
    """Return seeds in order, numbers before names."""
    return sorted(seeds, key=lambda seed: (isinstance(seed, str), seed))


def bootstrap(
    statistics: NDArray[Any],
    score: Callable[[Sums], float],
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
        statistics: the metric's statistics of each example, shape (rows, columns), for example from
            `metrics.tagging.chunk_counts` or `metrics.question_answering.squad_each`.
        score: the score of sums of such rows, shape (columns,), for example
            `lambda sums: chunk_f1_from(sums)["f1"]`.
        seed: of the draws.
        resamples: the number of resamples; the more there are, the less the ends of the interval depend on the seed.
        level: the confidence level of the interval.
        uids: hashed uids, shape (rows,), from `randomness.hash_uids`; None draws by row number.

    Returns:
        The score of all examples, the interval, and the number of examples.

    Raises:
        SettingError: where there are no examples, a statistic is not finite, or a setting is out of range.

    Example:
        >>> from xquality.metrics.classification import accuracy_from, correct_each
        >>> counts = correct_each("aabbbbbbbb", "abbbbabbab")
        >>> print(bootstrap(counts, lambda sums: accuracy_from(sums)["accuracy"], seed=1))
        70.00 [40.00, 100.00]
    """
    table = _to_table(statistics, resamples, level, uids)
    scores = np.array([score(sums) for (sums,) in _resample([table], seed, resamples)])
    low, high = np.quantile(scores, ((1 - level) / 2, (1 + level) / 2)).tolist()
    return Interval(float(score(_sum_rows(table))), low, high, len(table))


def bootstrap_difference(
    arm: NDArray[Any],
    reference: NDArray[Any],
    score: Callable[[Sums], float],
    *,
    seed: int,
    resamples: int = 1000,
    level: float = 0.95,
    uids: NDArray[np.uint64] | None = None,
) -> Interval:
    """Return how much higher one set of predictions scores than another on the same examples, with an interval.

    Both are scored on the same resamples, which removes the difficulty of the examples that they share. The two-sided
    p-value is twice the share of resamples in which the difference has the other sign or is 0, with one added to both
    counts.

    Args:
        arm: the statistics of one set of predictions, shape (rows, columns).
        reference: those of the other set, of the same examples in the same order.
        score: as in `bootstrap`, like the other arguments.
        seed: of the draws.
        resamples: the number of resamples.
        level: the confidence level of the interval.
        uids: hashed uids, shape (rows,), of the examples.

    Raises:
        SettingError: as `bootstrap` does, and where the two differ in shape.

    Example:
        >>> from xquality.metrics.classification import accuracy_from, correct_each
        >>> better, worse = correct_each("a" * 50 + "b" * 10, "a" * 60), correct_each("a" * 30 + "b" * 30, "a" * 60)
        >>> print(bootstrap_difference(better, worse, lambda sums: accuracy_from(sums)["accuracy"], seed=1))
        33.33 [21.67, 46.67]
    """
    tables = [_to_table(statistics, resamples, level, uids) for statistics in (arm, reference)]
    if tables[0].shape != tables[1].shape:
        raise SettingError(
            f"A paired difference needs the same examples, but the statistics have the shapes {tables[0].shape} and "
            f"{tables[1].shape}."
        )
    resampled = _resample(tables, seed, resamples)
    differences = np.array([score(arm_sums) - score(reference_sums) for arm_sums, reference_sums in resampled])
    low, high = np.quantile(differences, ((1 - level) / 2, (1 + level) / 2)).tolist()
    beyond = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    p = min(1.0, 2 * (beyond + 1) / (resamples + 1))
    mean = float(score(_sum_rows(tables[0])) - score(_sum_rows(tables[1])))
    return Interval(mean, low, high, len(tables[0]), p)


def _check_level(function: str, level: float) -> None:
    """Raise `SettingError` for a confidence level outside (0, 1)."""
    if not 0 < _settings.real(function, "level", level) < 1:
        raise SettingError(f"{function}(level={level!r}) must lie between 0 and 1, for example 0.95.")


def _to_table(statistics: NDArray[Any], resamples: int, level: float, uids: NDArray[np.uint64] | None) -> NDArray[Any]:
    """Return the statistics as a table with its rows in the order of the uids, or raise `SettingError`."""
    _settings.integer("bootstrap", "resamples", resamples, least=1)
    _check_level("bootstrap", level)
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


def _resample(tables: Sequence[NDArray[Any]], seed: int, resamples: int) -> Iterator[list[Sums]]:
    """Yield for each resample the sums over the rows that it draws, the same rows of every table."""
    rows = len(tables[0])
    draw = Draw(_settings.integer("bootstrap", "seed", seed), "bootstrap", 0, np.arange(rows, dtype=np.uint64))
    for number in range(resamples):
        drawn = draw.integers(f"resample {number}", rows)
        yield [table[drawn].sum(axis=0) for table in tables]


def _sum_rows(table: NDArray[Any]) -> Sums:
    """Return the column sums, added from the first row to the last as in the metrics."""
    sums: Sums = np.add.accumulate(table, axis=0)[-1]
    return sums
