"""Convergence: how fast a stage reached a score, as pure functions of a training history.

A score that was never reached within the budget is censored, not missing: the measure then is a bound that the true
value lies above or below. Metrics where lower is better (perplexity, loss) are read as falling curves.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, final

import numpy as np
from numpy.typing import NDArray

from xquality import _settings
from xquality.analysis.statistics import Interval, paired_difference
from xquality.errors import ConvergenceError, SettingError
from xquality.records import History

Floats = NDArray[np.float64]

_BOUNDS = {"exact": "", "above": "> ", "below": "< "}
_ROUNDING = 1e-9  # a score that misses a threshold by less, relative to it, has reached it
_FALLING = frozenset({"loss", "perplexity"})  # the library's own metrics of which lower is better


@final
@dataclass(frozen=True)
class Measure:
    """A number that may be censored: then only a bound of it is known.

    Attributes:
        value: the number, or its bound.
        bound: "exact"; "above" where the true value lies above `value`; "below" where it lies below.

    Raises:
        SettingError: for a value that is not finite, or another bound.
    """

    value: Annotated[float, _settings.real]
    bound: Annotated[str, _settings.choice(*_BOUNDS)] = "exact"

    def __post_init__(self) -> None:
        _settings.check_settings(self)

    @property
    def censored(self) -> bool:
        """Whether only a bound is known."""
        return self.bound != "exact"

    def __format__(self, style: str) -> str:
        return f"{_BOUNDS[self.bound]}{self.value:{style or '.4g'}}"

    def __str__(self) -> str:
        return format(self)


@final
@dataclass(frozen=True)
class _Curve:
    """A learning curve, turned so that higher is better.

    Attributes:
        steps: ascending, shape (points,).
        values: the mean score at each step, shape (points,); negated for a falling metric.
        sign: -1 for a falling metric, otherwise 1.
        name: of the metric.
    """

    steps: Floats
    values: Floats
    sign: float
    name: str

    def at(self, step: float) -> float:
        """Return the value at a step, interpolated over the logarithm of 1 + steps."""
        return float(np.interp(math.log1p(step), np.log1p(self.steps), self.values))

    def until(self, step: float) -> "_Curve":
        """Return the curve up to a step that lies within it, interpolated there."""
        inside = self.steps < step
        steps, values = np.append(self.steps[inside], step), np.append(self.values[inside], self.at(step))
        return _Curve(steps, values, self.sign, self.name)

    def rising(self) -> Floats:
        """Return the values after isotonic regression, shape (points,)."""
        from scipy.optimize import isotonic_regression

        # The pooled means of a monotone curve are the curve itself but for rounding: keep these values exact.
        if (np.diff(self.values) >= 0).all():
            return self.values
        return np.asarray(isotonic_regression(self.values).x, np.float64)


def steps_to(
    history: History,
    threshold: float,
    *,
    metric: str | None = None,
    languages: Sequence[str] | None = None,
    stage: int = -1,
) -> Measure:
    """Return the number of steps after which the score reached `threshold`.

    The curve is made monotone by isotonic regression first, since the first crossing of a noisy curve comes the
    earlier the more often it is measured; between measurements it is interpolated over the logarithm of 1 + steps.

    Args:
        history: the training history.
        threshold: a score, on the metric's own scale.
        metric: the metric's name; None for the stage's first metric.
        languages: the languages to take the mean of; None for all that were measured.
        stage: the index of the stage in the chain; -1 is the last.

    Returns:
        The number of steps; a bound "above" at the last step where the threshold was never reached, and "below" at
        the first measured step where it was reached there already.

    Raises:
        ConvergenceError: where nothing was measured, a value is not finite, or the languages were not all measured
            at every step.

    Example:
        >>> from xquality import History, Point
        >>> rising = [Point(0, step, "t", "de", "accuracy", value, 9) for step, value in ((0, 20.0), (10, 60.0))]
        >>> history = History(({},), tuple(rising))
        >>> print(steps_to(history, 40.0), steps_to(history, 80.0))
        2.317 > 10
    """
    level = _settings.real("steps_to", "threshold", threshold)
    return _steps_to(read_curve(history, metric, languages, stage), level)


def steps_to_fraction(
    history: History,
    fraction: float,
    reference: History | float,
    *,
    metric: str | None = None,
    languages: Sequence[str] | None = None,
    stage: int = -1,
) -> Measure:
    """Return the steps to a fraction of a common reference's gain over its start.

    The threshold is `start + fraction * gain`: a share of the raw score would be reached at step 0 by any task that
    starts well above 0. Measured against its own final score a worse arm looks faster; a common reference compares
    arms fairly.

    Args:
        history: the training history.
        fraction: the share of the gain, in [0, 1].
        reference: the history of the arm to compare with, for example on clean data: its gain from its first
            measurement to the last step that both histories have. Or a score: the gain from this history's start.
        metric: the metric's name; None for the stage's first metric.
        languages: the languages to take the mean of; None for all that were measured.
        stage: the index of the stage in the chain, in both histories; -1 is the last.

    Returns:
        The number of steps, as `steps_to` returns it.

    Raises:
        ConvergenceError: as `steps_to` does, and where the reference gained nothing.
    """
    share = _settings.rate("steps_to_fraction", "fraction", fraction)
    own = read_curve(history, metric, languages, stage)
    if isinstance(reference, History):
        other = read_curve(reference, metric, languages, stage)
        return _steps_to(own, _share_of_gain(other, other.at(min(own.steps[-1], other.steps[-1])), share))
    return _steps_to(
        own, _share_of_gain(own, own.sign * _settings.real("steps_to_fraction", "reference", reference), share)
    )


def threshold_of(reference: History, fraction: float, *, until: float | None = None) -> float:
    """Return the score at a fraction of a history's gain in its last stage: one threshold for all arms of a study.

    Args:
        reference: the training history of the arm that the others are compared with.
        fraction: the share of the gain, in [0, 1].
        until: the step up to which the gain counts, at most the last one that every arm has; None for its last.

    Raises:
        ConvergenceError: where nothing was measured, a value is not finite, or the reference gained nothing.
    """
    share = _settings.rate("threshold_of", "fraction", fraction)
    curve = read_curve(reference, None, None, -1)
    return _share_of_gain(curve, curve.at(curve.steps[-1] if until is None else until), share)


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

    The 95 % interval of its mean over seeds (`mean_interval`) covered 94 to 96 % in simulation with 3, 5 and 10 seeds,
    over steps and over their logarithm; the bias of the trapezoids was 0.34 points at most.

    Args:
        history: the training history.
        x: "steps", or "log_steps" for the logarithm of 1 + steps, which gives the start more weight.
        metric: the metric's name; None for the stage's first metric.
        languages: the languages to take the mean of; None for all that were measured.
        stage: the index of the stage in the chain; -1 is the last.
        until: the last step to count, interpolated, so that arms with other budgets compare; None for the last.

    Raises:
        SettingError: for another `x`.
        ConvergenceError: where fewer than two steps were measured, or `until` lies outside what was measured; and as
            `steps_to` does.

    Example:
        >>> from xquality import History, Point
        >>> rising = [Point(0, step, "t", "de", "accuracy", value, 9) for step, value in ((0, 20.0), (10, 60.0))]
        >>> area_under_curve(History(({},), tuple(rising)))
        40.0
    """
    _settings.one_of("area_under_curve", "x", x, ("steps", "log_steps"))
    curve = read_curve(history, metric, languages, stage)
    if len(curve.steps) < 2:
        raise ConvergenceError(
            f"An area needs measurements at two steps or more, but there are {len(curve.steps)}; pass evaluate_on to "
            "fit."
        )
    first, last = curve.steps[0], curve.steps[-1]
    end = float(last) if until is None else _settings.positive("area_under_curve", "until", until)
    if not first < end <= last:
        raise ConvergenceError(
            f"An area up to step {end:g} needs measurements before and after it, but they go from step {first:g} to "
            f"{last:g}; give an `until` in between."
        )
    scale = np.log1p if x == "log_steps" else np.asarray
    inside = curve.steps < end
    positions = scale(np.append(curve.steps[inside], end))
    values = np.append(curve.values[inside], np.interp(scale(end), scale(curve.steps), curve.values))
    return float(curve.sign * np.trapezoid(values, positions) / (positions[-1] - positions[0]))


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
        history: the arm in question.
        reference: the arm to compare with.
        threshold: the score to reach; None for what the reference, by isotonic regression, had reached at the last step
            that both have.
        metric: the metric's name; None for the stage's first metric.
        languages: the languages to take the mean of; None for all that were measured.
        stage: the index of the stage in the chain, in both histories; -1 is the last.

    Returns:
        Steps of the reference over steps of the arm: above 1 is faster. A bound "below" where the arm never reached
        the score, or the reference had it at its first measured step; "above" the other way round.

    Raises:
        ConvergenceError: where nothing was measured, neither arm reached the score, one of them had it before its
            first step (there is no ratio to 0 steps: see `steps_saved`), or the bounds leave it open which is faster.
    """
    own, other = (read_curve(each, metric, languages, stage) for each in (history, reference))
    if own.steps[-1] == 0:
        raise ConvergenceError("The arm was measured at step 0 only, so nothing is known of its speed; measure later.")
    if threshold is None:
        other = other.until(min(own.steps[-1], other.steps[-1]))
        level = float(other.rising()[-1])
    else:
        level = other.sign * _settings.real("speed_up", "threshold", threshold)
    shown = f"{other.sign * level:.2f}"
    arm, baseline = _steps_to(own, own.sign * level), _steps_to(other, other.sign * level)
    if arm.bound == "above" and baseline.bound == "above":
        raise ConvergenceError(f"Neither arm reached {shown}, so there is no speed-up at it; give a closer threshold.")
    if arm.value == baseline.value == 0:
        return Measure(1.0)
    if arm.value == 0 or baseline.value == 0:
        which = "The arm" if arm.value == 0 else "The reference"
        raise ConvergenceError(
            f"{which} had {shown} before its first step, and there is no ratio to 0 steps; give a threshold that both "
            "arms reach during training, or compare the steps saved."
        )
    slower = arm.bound == "above" or baseline.bound == "below"
    faster = arm.bound == "below" or baseline.bound == "above"
    if slower and faster:
        raise ConvergenceError(f"The measurements leave open which arm reached {shown} first; measure more often.")
    return Measure(baseline.value / arm.value, "below" if slower else "above" if faster else "exact")


def steps_saved(
    arm: Mapping[Any, Measure], reference: Mapping[Any, Measure], budget: float, *, level: float = 0.95
) -> Interval:
    """Return how many steps an arm saves within a budget, paired by seed, with Student's t-interval.

    Each number of steps counts up to the budget, so that seeds that never reached the score count too: it is the
    difference of restricted means. In simulation (`benchmarks/bench_statistics.py`) it covered 93 to 96 % with 3, 5
    and 10 seeds and up to half of the slower arm's seeds censored.

    Args:
        arm: by seed, what `steps_to` returned.
        reference: the same of the arm to compare with.
        budget: the steps up to which every seed was measured.
        level: the confidence.

    Raises:
        SettingError: where no seed is shared, a seed was censored before the budget, or one had the score at its first
            measurement already, so that nothing but a bound below is known.

    Example:
        >>> fast, slow = {0: Measure(10.0), 1: Measure(14.0)}, {0: Measure(30.0), 1: Measure(50.0, "above")}
        >>> steps_saved(fast, slow, 50).mean
        28.0
    """
    own, other = (_restricted("steps_saved", measures, budget) for measures in (arm, reference))
    return paired_difference(other, own, level)


def speed_up_interval(
    arm: Mapping[Any, Measure], reference: Mapping[Any, Measure], budget: float, *, level: float = 0.95
) -> Interval:
    """Return how many times fewer steps an arm needs, within a budget, as a geometric mean over seeds with interval.

    It is the paired t-interval of the log ratio of `1 + min(steps, budget)`; where seeds are censored it is a
    statement about the steps within the budget. In simulation it covered 94 to 97 %, censored or not.

    The arguments and errors are those of `steps_saved`.

    Example:
        >>> fast, slow = {0: Measure(9.0), 1: Measure(9.0)}, {0: Measure(19.0), 1: Measure(39.0)}
        >>> round(speed_up_interval(fast, slow, 50).mean, 3)
        2.828
    """
    own, other = (_restricted("speed_up_interval", measures, budget) for measures in (arm, reference))
    slow, fast = ({seed: math.log1p(steps) for seed, steps in each.items()} for each in (other, own))
    found = paired_difference(slow, fast, level)
    return Interval(math.exp(found.mean), math.exp(found.low), math.exp(found.high), found.count, found.p)


def _restricted(owner: str, measures: Mapping[Any, Measure], budget: float) -> dict[Any, float]:
    """Return the steps of each seed up to a budget, or raise where a seed was not measured so long."""
    most = _settings.positive(owner, "budget", budget)
    if not isinstance(measures, Mapping) or not all(isinstance(measure, Measure) for measure in measures.values()):
        raise SettingError(f"{owner} takes for each arm {{seed: measure}}, such as steps_to returned.")
    for seed, measure in measures.items():
        if measure.bound == "below":
            raise SettingError(
                f"{owner} needs the steps of each seed, but seed {seed} had the score at step {measure.value:g}, its "
                "first measurement; measure from step 0 on, or raise the threshold."
            )
        if measure.bound == "above" and measure.value < most:
            raise SettingError(
                f"{owner}(budget={budget!r}) counts steps up to the budget, but seed {seed} was measured to "
                f"{measure.value:g} only; give that as the budget."
            )
    return {seed: min(measure.value, most) for seed, measure in measures.items()}


def _share_of_gain(curve: _Curve, end: float, share: float) -> float:
    """Return the score, on the metric's own scale, at a share of the gain from a curve's start to `end`, or raise."""
    start = float(curve.values[0])
    if not end > start:
        raise ConvergenceError(
            f"The reference gained nothing in {curve.name} ({curve.sign * start:.2f} to {curve.sign * end:.2f}), so "
            "there is no fraction of its gain; choose another reference, or a threshold with steps_to."
        )
    return curve.sign * float(start + share * (end - start))


def _steps_to(curve: _Curve, threshold: float) -> Measure:
    """Return the steps of a curve to a threshold on the metric's own scale."""
    level, steps, values = curve.sign * threshold, curve.steps, curve.rising()
    reached = np.flatnonzero(values >= level - _ROUNDING * max(1.0, abs(level)))
    if not len(reached):
        return Measure(float(steps[-1]), "above")
    first = int(reached[0])
    if first == 0:
        return Measure(float(steps[0]), "below" if steps[0] > 0 else "exact")  # there is no earlier measurement
    if values[first] <= level:
        return Measure(float(steps[first]))
    share = (level - values[first - 1]) / (values[first] - values[first - 1])
    before, after = np.log1p(steps[first - 1 : first + 1])
    return Measure(float(np.expm1(before + share * (after - before))))


def read_curve(history: History, metric: str | None, languages: Sequence[str] | None, stage: int) -> _Curve:
    """Return the learning curve, or raise where there is none or it is not the mean of the same things throughout."""
    if not isinstance(history, History):
        raise SettingError(f"A History is read, such as fitted.history, but got {type(history).__name__}.")
    stage = _settings.integer("history", "stage", stage)
    steps, values = history.curve(metric, languages, stage)
    if not steps:
        request = f"{metric or 'any metric'} in {list(languages) if languages else 'any language'}"
        raise ConvergenceError(
            f"The history has no measurements of {request} in stage {stage}; pass evaluate_on to fit."
        )
    name = metric or history.first_metric(stage)
    for step, value in zip(steps, values, strict=True):
        if not math.isfinite(value):
            raise ConvergenceError(f"The history has {name} = {value} at step {step}; leave this run out.")
    index = stage if stage >= 0 else len(history.stages) + stage
    falling = history.stages[index].get("lower_is_better", ()) if index < len(history.stages) else ()
    sign = -1.0 if name in _FALLING or name in falling else 1.0
    return _Curve(np.asarray(steps, np.float64), sign * np.asarray(values, np.float64), sign, name)
