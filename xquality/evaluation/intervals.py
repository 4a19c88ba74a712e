"""Intervals of scores by resampling their examples: how much another test set of the kind could score otherwise.

They do not measure how training varies; means over seeds do (`xquality.analysis.mean_interval`).
"""

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xquality.analysis import Interval, bootstrap, bootstrap_difference
from xquality.errors import SettingError
from xquality.languages import identity
from xquality.metrics.metric import mean_ratio
from xquality.records import Score


def interval(score: Score, *, seed: int = 0, resamples: int = 1000, level: float = 0.95) -> Interval:
    """Return a score with the percentile interval of the bootstrap over its examples.

    It is too narrow for few examples near 0 or 100: for an accuracy of 98 % over 50 rows the 95 % interval covered 64 %
    in simulation, over 200 rows 91 %; `xquality.analysis.wilson_interval` covered 91 % and more.

    Args:
        score: a score that `evaluate` returned; a score read from JSON has no examples.
        seed: of the draws.
        resamples: the number of resamples.
        level: the confidence level of the interval.

    Raises:
        SettingError: for a score without examples, such as a perplexity, or a setting out of range.

    Example:
        >>> each = np.array([[[1.0, 1.0]], [[0.0, 1.0]], [[1.0, 1.0]], [[1.0, 1.0]]])
        >>> print(interval(Score("t", "de", "accuracy", 75.0, 4, each=each)))
        75.00 [25.00, 100.00]
    """
    resampled = bootstrap(_statistics(score), mean_ratio, seed=seed, resamples=resamples, level=level)
    return dataclasses.replace(resampled, mean=score.value)


def difference(
    score: Score, reference: Score, *, seed: int = 0, resamples: int = 1000, level: float = 0.95
) -> Interval:
    """Return how much higher one model scores than another on the same examples, with an interval and a p-value.

    Both are scored on the same resamples, which removes the difficulty of the examples that they share. Which rows a
    score is of is told by the digest `data` in its signature.

    Args:
        score: a score that `evaluate` returned.
        reference: the other model's score in the same language by the same metric.
        seed: of the draws.
        resamples: the number of resamples.
        level: the confidence level of the interval.

    Raises:
        SettingError: where the two are not of the same examples, or have none, or a setting is out of range.
    """
    first, second = (_describe_rows(side) for side in (score, reference))
    different = [name for name in first if first[name] != second[name]]
    if different:
        found = [", ".join(f"{name} {side[name]}" for name in different) for side in (first, second)]
        raise SettingError(
            f"A difference needs two scores of the same examples by the same metric, but got {found[0]} and "
            f"{found[1]}; score both models on the same rows."
        )
    statistics = _statistics(score), _statistics(reference)
    resampled = bootstrap_difference(*statistics, mean_ratio, seed=seed, resamples=resamples, level=level)
    return dataclasses.replace(resampled, mean=score.value - reference.value)


def _describe_rows(score: Score) -> dict[str, Any]:
    """Return what two scores of the same examples have in common; `data` is the digest of the rows."""
    of_rows = {name: score.signature.get(name) for name in ("split", "data")}
    return {
        "task": score.task,
        "language": identity(score.language),
        "metric": score.metric,
        "rows": score.rows,
        **of_rows,
    }


def _statistics(score: Score) -> NDArray[np.float64]:
    """Return the numerators and denominators of every example's parts side by side, shape (rows, 2 x parts)."""
    if score.each is None:
        raise SettingError(
            f"The {score.metric} in {score.language} has no statistics of its examples to resample; take a score as "
            "evaluate returned it, of a metric that has statistics."
        )
    return score.each.reshape(len(score.each), -1)
