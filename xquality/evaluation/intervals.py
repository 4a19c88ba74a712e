"""Intervals of scores from the examples behind them: how far another test set of the kind would have scored otherwise.

They say nothing of how training varies; for that there are means over seeds (`statistics.mean_interval`).
"""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xquality.analysis.statistics import Interval, bootstrap, bootstrap_difference
from xquality.errors import SettingError
from xquality.records import Score


def interval(score: Score, *, seed: int = 0, resamples: int = 1000, level: float = 0.95) -> Interval:
    """Return a score with the percentile interval of the bootstrap over its examples.

    Args:
        score: as `evaluate` returned it; a score read from JSON has no examples.
        seed: of the draws.
        resamples: how many.
        level: the interval's confidence.

    Raises:
        SettingError: for a score without examples, such as a perplexity, or a setting out of range.

    Example:
        >>> each = np.array([[[1.0, 1.0]], [[0.0, 1.0]], [[1.0, 1.0]], [[1.0, 1.0]]])
        >>> print(interval(Score("t", "de", "accuracy", 75.0, 4, each=each)))
        75.00 [25.00, 100.00]
    """
    found = bootstrap(_table(score), _value, seed=seed, resamples=resamples, level=level)
    return dataclasses.replace(found, mean=score.value)


def difference(
    score: Score, reference: Score, *, seed: int = 0, resamples: int = 1000, level: float = 0.95
) -> Interval:
    """Return how much higher one model scores than another on the same examples, with an interval and a p-value.

    Both are resampled alike, which removes what makes an example hard for both.

    Args:
        score: as `evaluate` returned it.
        reference: the other model's score in the same language by the same metric.
        seed: of the draws.
        resamples: how many.
        level: the interval's confidence.

    Raises:
        SettingError: where the two are not of the same examples, or have none, or a setting is out of range.
    """
    first, second = (
        (one.task, one.language, one.metric, one.rows, one.signature.get("split")) for one in (score, reference)
    )
    if first != second:
        raise SettingError(f"A difference needs two scores of the same examples, but got {first} and {second}.")
    arm, other = _table(score), _table(reference)
    found = bootstrap_difference(arm, other, _value, seed=seed, resamples=resamples, level=level)
    return dataclasses.replace(found, mean=score.value - reference.value)


def _table(score: Score) -> NDArray[np.float64]:
    """Return the parts of every example side by side, shape (rows, 2 x parts)."""
    if score.each is None:
        raise SettingError(
            f"The {score.metric} in {score.language} has no examples to resample; take a score of a share as evaluate "
            "returned it."
        )
    return score.each.reshape(len(score.each), -1)


def _value(totals: NDArray[Any]) -> float:
    """Return a score from the sums over its examples: the mean over the parts that occur."""
    above, below = totals.reshape(-1, 2).T
    occurs = below > 0
    return float(100 * (above[occurs] / below[occurs]).mean()) if occurs.any() else 0.0
