"""Convergence: how fast a stage reached a score, as pure functions of a `History`.

A score that was never reached within the budget is censored, not missing: the measure then is a bound that the true
value lies above or below.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from xquality import _settings
from xquality.errors import ConvergenceError
from xquality.records import History

_BOUNDS = {"exact": "", "above": "> ", "below": "< "}


@final
@dataclass(frozen=True)
class Measure:
    """A number that may be censored: then only a bound of it is known.

    Attributes:
        value: the number, or its bound.
        bound: "exact"; "above" where the true value lies above `value`; "below" where it lies below.
    """

    value: float
    bound: str = "exact"

    @property
    def censored(self) -> bool:
        """Whether only a bound is known."""
        return self.bound != "exact"

    def __format__(self, style: str) -> str:
        return f"{_BOUNDS[self.bound]}{self.value:{style or '.4g'}}"

    def __str__(self) -> str:
        return format(self)


def steps_to(
    history: History,
    threshold: float,
    *,
    metric: str | None = None,
    languages: Sequence[str] | None = None,
    stage: int = -1,
) -> Measure:
    """Return the number of steps after which the score first reached `threshold`, interpolated between measurements.

    Args:
        history: what `fit` recorded.
        threshold: a score on the scale from 0 to 100.
        metric: None for the stage's first metric.
        languages: the languages to take the mean of; None for all that were measured.
        stage: the stage's place in the chain; -1 is the last.

    Returns:
        The number of steps; a bound "above" at the last step where the threshold was never reached, and "below" at
        the first where it was reached there already.

    Raises:
        ConvergenceError: where nothing was measured.

    Example:
        >>> from xquality import History, Point
        >>> rising = [Point(0, step, "t", "de", "accuracy", value, 9) for step, value in ((0, 20.0), (10, 60.0))]
        >>> history = History(({},), tuple(rising))
        >>> print(steps_to(history, 40.0), steps_to(history, 80.0))
        5 > 10
    """
    level = _settings.real("steps_to", "threshold", threshold)
    steps, values = _curve(history, metric, languages, stage)
    reached = np.flatnonzero(values >= level)
    if not len(reached):
        return Measure(float(steps[-1]), "above")
    first = int(reached[0])
    if first == 0:
        return Measure(float(steps[0]), "below" if steps[0] > 0 else "exact")  # there is no earlier measurement
    share = (level - values[first - 1]) / (values[first] - values[first - 1])
    return Measure(float(steps[first - 1] + share * (steps[first] - steps[first - 1])))


def steps_to_fraction(
    history: History,
    fraction: float,
    reference: History | float,
    *,
    metric: str | None = None,
    languages: Sequence[str] | None = None,
    stage: int = -1,
) -> Measure:
    """Return the number of steps to a fraction of a common reference: another history's final score, or a number.

    Relative to its own final score a worse arm looks faster; a common reference makes arms comparable.

    Args:
        history: what `fit` recorded.
        fraction: the share of the reference, in [0, 1].
        reference: for example the history of the arm on clean data.
        metric: None for the stage's first metric.
        languages: the languages to take the mean of; None for all that were measured.
        stage: the stage's place in the chain, in both histories; -1 is the last.

    Returns:
        The number of steps, a bound "above" where the score was never reached.
    """
    share = _settings.rate("steps_to_fraction", "fraction", fraction)
    final = reference if not isinstance(reference, History) else _curve(reference, metric, languages, stage)[1][-1]
    return steps_to(history, share * float(final), metric=metric, languages=languages, stage=stage)


def area_under_curve(
    history: History,
    x: str = "steps",
    *,
    metric: str | None = None,
    languages: Sequence[str] | None = None,
    stage: int = -1,
    until: float | None = None,
) -> float:
    """Return the area under the learning curve by trapezoids, divided by its width: a mean score over training.

    Args:
        history: what `fit` recorded.
        x: "steps", or "log_steps" for the logarithm of 1 + steps, which gives the start more weight.
        metric: None for the stage's first metric.
        languages: the languages to take the mean of; None for all that were measured.
        stage: the stage's place in the chain; -1 is the last.
        until: the step up to which the area is taken, interpolated, so that arms with different budgets can be
            compared; None for the last.

    Raises:
        SettingError: for another `x`.
        ConvergenceError: where fewer than two steps were measured.

    Example:
        >>> from xquality import History, Point
        >>> rising = [Point(0, step, "t", "de", "accuracy", value, 9) for step, value in ((0, 20.0), (10, 60.0))]
        >>> area_under_curve(History(({},), tuple(rising)))
        40.0
    """
    _settings.one_of("area_under_curve", "x", x, ("steps", "log_steps"))
    steps, values = _curve(history, metric, languages, stage)
    if len(steps) < 2:
        raise ConvergenceError(
            f"An area needs measurements at two steps or more, but there are {len(steps)}; pass evaluate_on to fit."
        )
    end = float(steps[-1]) if until is None else _settings.positive("area_under_curve", "until", until)
    if end <= steps[0]:
        raise ConvergenceError(f"An area up to step {end:g} needs an earlier measurement than step {steps[0]:g}.")
    if until is not None and until < steps[-1]:
        last = float(np.interp(until, steps, values))
        inside = steps < until
        steps, values = np.append(steps[inside], until), np.append(values[inside], last)
    positions = np.log1p(steps) if x == "log_steps" else steps
    return float(np.trapezoid(values, positions) / (positions[-1] - positions[0]))


def speed_up(
    history: History,
    reference: History,
    *,
    threshold: float | None = None,
    metric: str | None = None,
    languages: Sequence[str] | None = None,
    stage: int = -1,
) -> Measure:
    """Return how many times fewer steps `history` needs than `reference` to reach one score.

    Args:
        history: the history of an arm.
        reference: the history of the arm it is compared with.
        threshold: the score to reach; None for the reference's final score.
        metric: None for the stage's first metric.
        languages: the languages to take the mean of; None for all that were measured.
        stage: the stage's place in the chain, in both histories; -1 is the last.

    Returns:
        Steps of the reference over steps of the arm: above 1 is faster. The bound is "below" where the arm never
        reached the score, and "above" where the reference did not, or where the arm had it before its first step.

    Raises:
        ConvergenceError: where nothing was measured, or neither arm reached the score.
    """
    level = threshold if threshold is not None else float(_curve(reference, metric, languages, stage)[1][-1])
    arm_steps = steps_to(history, level, metric=metric, languages=languages, stage=stage)
    reference_steps = steps_to(reference, level, metric=metric, languages=languages, stage=stage)
    if arm_steps.bound == "above" and reference_steps.bound == "above":
        raise ConvergenceError(
            f"Neither arm reached {level:.2f}, so there is no speed-up at it; give a lower threshold."
        )
    if arm_steps.bound == "above" and arm_steps.value == 0:
        raise ConvergenceError("The arm was measured at step 0 only, so its speed is not known; measure later as well.")
    if arm_steps.value == 0:
        return Measure(1.0) if reference_steps.value == 0 else Measure(reference_steps.value, "above")
    is_below = arm_steps.bound == "above" or reference_steps.bound == "below"
    is_above = arm_steps.bound == "below" or reference_steps.bound == "above"
    if is_below and is_above:
        raise ConvergenceError(
            f"From these measurements it is not known which arm reached {level:.2f} first; measure more often."
        )
    bound = "below" if is_below else "above" if is_above else "exact"
    return Measure(reference_steps.value / arm_steps.value, bound)


def _curve(
    history: History, metric: str | None, languages: Sequence[str] | None, stage: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return steps and mean scores as arrays, or raise where there are none."""
    steps, values = history.curve(metric, languages, stage)
    if not steps:
        sought = f"{metric or 'any metric'} in {list(languages) if languages else 'any language'}"
        raise ConvergenceError(
            f"The history has no measurements of {sought} in stage {stage}; pass evaluate_on to fit."
        )
    return np.asarray(steps, np.float64), np.asarray(values, np.float64)
