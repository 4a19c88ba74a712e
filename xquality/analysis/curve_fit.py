"""Fits of learning curves: a power law or an exponential approach to an asymptote, chosen by AIC.

Both are `score = a - b * 2 ** -(u(steps) / u(half_life))`, with `u(t) = log(1 + t)` for the power law, which is
`a - b * (1 + t) ** -c`, and `u(t) = t` for the exponential one, `a - b * exp(-t / tau)`. Step 0 counts, so the power
law is in 1 + steps. No shape is right for all learning curves (Viering and Loog 2023): a fit is withheld, with a
sentence that says why, where neither shape fits, and what the measurements do not determine is said to be so.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from xquality import _settings
from xquality.analysis._numbers import read_level
from xquality.analysis.convergence import read_curve
from xquality.analysis.statistics import Interval, accepted_around
from xquality.errors import ConvergenceError, SettingError
from xquality.records import History

Floats = NDArray[np.float64]

_SHAPES: Mapping[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "power": (np.log1p, np.expm1),
    "exponential": (np.asarray, np.asarray),
}  # u and its inverse
_FEWEST = 5  # measurements: three parameters and two to judge them by
_UNFIT = 0.01  # p below which a shape does not fit
_ALIKE = 4.0  # a shape whose AIC is higher by less than this is not ruled out: the intervals hold what it says too
_SLOWEST, _FASTEST = 0.01, 20.0  # half-lives in the budget, on the scale of u; half-lives in the first step
_GRID = 160  # half-lives that are tried; asymptotes: half as many on each side of the fitted one and of the best score
_FARTHEST = 100.0  # how far an asymptote is looked for, in measured gains


@final
@dataclass(frozen=True)
class FitQuality:
    """How well one shape fits.

    Attributes:
        r_squared: the share of the variance of the mean curve that the shape explains.
        rmse: the root of the mean squared distance from the mean curve, in points.
        aic: Akaike's criterion over all measurements, with a level for each seed; lower is better.
        lack_of_fit_p: the p-value of the mean curve having this shape, from the scatter between seeds; NaN for one
            seed, where misfit and noise cannot be told apart.
    """

    r_squared: float
    rmse: float
    aic: float
    lack_of_fit_p: float


@final
@dataclass(frozen=True)
class CurveFit:
    """A learning curve as a formula, on average over seeds.

    Attributes:
        shape: "power" or "exponential", the one with the lower AIC; None where the fit is withheld.
        asymptote: the score that the curve approaches, with its interval; an end that is infinite is not identified.
        half_life: the steps after which half of the gain from step 0 to the asymptote is made, with its interval.
        start: the fitted score at step 0.
        quality: of each shape, and of a "constant".
        seeds: the number of seeds.
        last: the last step that every seed was measured at.
        withheld: the sentence that stands in the place of the fit, or None. Then read the isotonic curve: `at` is that
            curve, and `steps_to` and `area_under_curve` assume no shape.
        notes: what to say beside it.
    """

    shape: str | None
    asymptote: Interval
    half_life: Interval
    start: float
    quality: Mapping[str, FitQuality]
    seeds: int
    last: float
    withheld: str | None = None
    notes: tuple[str, ...] = ()
    _steps: tuple[float, ...] = field(default=(), repr=False)
    _isotonic: tuple[float, ...] = field(default=(), repr=False)

    def at(self, step: float) -> float:
        """Return the score at a step: of the fitted curve, or, where it is withheld, of the isotonic curve.

        Raises:
            SettingError: for a step below 0; where the fit is withheld also for one outside the measurements.
        """
        where = _settings.real("at", "step", step)
        first, last = (0.0, np.inf) if self.shape else (self._steps[0], self.last)
        if not first <= where <= last:
            raise SettingError(f"at(step={step!r}) must lie between {first:g} and {last:g}.")
        if self.shape is None:
            return float(np.interp(np.log1p(where), np.log1p(self._steps), self._isotonic))
        scale, _ = _SHAPES[self.shape]
        to_come = 2.0 ** -float(scale(where) / scale(self.half_life.mean))
        return float(self.asymptote.mean - (self.asymptote.mean - self.start) * to_come)

    def __str__(self) -> str:
        if self.shape is None:
            return f"withheld: {self.withheld}"
        name = {"power": "power law", "exponential": "exponential curve"}[self.shape]
        return (
            f"asymptote {_bounded(self.asymptote, '.2f')}, half-life {_bounded(self.half_life, '.4g')} steps "
            f"({name}, R2 = {self.quality[self.shape].r_squared:.3f}, {self.seeds} seed{'s' * (self.seeds != 1)}, "
            f"measured to step {self.last:g})"
        )


def fit_curve(
    histories: History | Mapping[Any, History],
    *,
    metric: str | None = None,
    languages: Sequence[str] | None = None,
    stage: int = -1,
    level: float = 0.95,
) -> CurveFit:
    """Return the power law or the exponential curve that a score follows over the steps, chosen by AIC.

    The mean curve over seeds is fitted by least squares. The intervals invert the efficient score test of each
    parameter with the variance between seeds (Student's t, seeds - 1 degrees of freedom), and hold what the other shape
    says too where its AIC is higher by less than 4. In 500 simulated studies a case (`benchmarks/bench_statistics.py`)
    they covered 92 to 97 % with 3, 5 and 10 seeds. For one run they come from its scatter about the curve, are about
    this run, and covered 91 to 95 %.

    Args:
        histories: the history of each seed, or of one run; the steps that all of them have are fitted.
        metric: the metric's name; None for the stage's first metric.
        languages: the languages to take the mean of; None for all that were measured.
        stage: the index of the stage in the chain; -1 is the last.
        level: the confidence of the intervals.

    Returns:
        The fit. It is withheld where fewer than five steps were measured, the curve does not rise, or neither shape
        fits (p < 0.01). A falling metric is fitted as a falling curve.

    Raises:
        ConvergenceError: where nothing was measured, a value is not finite, or the seeds share no step.
        SettingError: for anything but histories.

    Example:
        >>> from xquality import History, Point
        >>> rising = [(step, 60 - 40 * 2 ** -(step / 20)) for step in (0, 5, 10, 20, 50, 100)]
        >>> points = tuple(Point(0, step, "t", "de", "accuracy", value, 9) for step, value in rising)
        >>> found = fit_curve(History(({},), points))
        >>> found.shape, round(found.asymptote.mean, 2), round(found.half_life.mean, 2)
        ('exponential', 60.0, 20.0)
    """
    confidence = read_level("fit_curve", level)
    steps, values, sign = _shared(histories, metric, languages, stage)
    if len(steps) < _FEWEST:
        why = f"a curve of three parameters needs {_FEWEST} measurements or more, but there are {len(steps)}"
        return _withheld(why, {}, steps, values, sign)
    fits = {shape: _Fit.of(scale(steps), values) for shape, (scale, _) in _SHAPES.items()}
    quality = {shape: fit.quality for shape, fit in fits.items()}
    shape = min(fits, key=lambda name: quality[name].aic)
    best = quality[shape]
    quality["constant"] = _constant(values)
    if quality["constant"].aic <= best.aic:
        return _withheld("the score does not measurably improve over the steps", quality, steps, values, sign)
    if best.lack_of_fit_p < _UNFIT:
        why = f"neither a power law nor an exponential curve fits (lack of fit p = {best.lack_of_fit_p:.2g})"
        return _withheld(why, quality, steps, values, sign)
    supported = [
        name for name in fits if quality[name].aic < best.aic + _ALIKE and not quality[name].lack_of_fit_p < _UNFIT
    ]
    tops = [end for name in supported for end in fits[name].asymptote_ends(confidence)]
    halves = [_to_steps(name, end) for name in supported for end in fits[name].half_life_ends(confidence)]
    seeds, fit, last = len(values), fits[shape], float(steps[-1])
    half_life = Interval(_to_steps(shape, fit.half_life), min(halves), max(halves), seeds)
    low, high = sorted((sign * min(tops), sign * max(tops)))
    asymptote = Interval(sign * fit.asymptote, low, high, seeds)
    notes = _notes(asymptote, half_life, supported, last, seeds)
    start = sign * (fit.asymptote - fit.gain)
    measured = _isotonic(steps, values, sign)
    return CurveFit(shape, asymptote, half_life, start, quality, seeds, last, None, notes, *measured)


@final
@dataclass(frozen=True)
class _Fit:
    """The least-squares fit of one shape to the mean curve: linear in two parameters once the half-life is given.

    Attributes:
        u: the scaled steps, shape (points,).
        values: the scores, shape (seeds, points); higher is better.
        rates: the grid of the number of half-lives in the budget, on the scale of u, shape (grid,).
        rate: the best one.
        asymptote: the fitted one.
        gain: the fitted asymptote minus the fitted score at step 0.
        residual: the sum of squares left of the mean curve.
    """

    u: Floats
    values: Floats
    rates: Floats
    rate: float
    asymptote: float
    gain: float
    residual: float

    @classmethod
    def of(cls, u: Floats, values: Floats) -> "_Fit":
        """Return the fit: the best half-life of a grid, refined by Brent's method between its neighbours."""
        from scipy.optimize import minimize_scalar

        mean = values.mean(axis=0)
        first = u[u > 0][0]
        rates = np.exp(np.linspace(np.log(_SLOWEST), np.log(_FASTEST * u[-1] / first), _GRID))

        def left(log_rate: Any) -> Any:
            return _solve(_remaining(u, np.exp(np.atleast_1d(log_rate))), mean)[2]

        best = int(left(np.log(rates)).argmin())
        low, high = (float(np.log(rates[at])) for at in (max(best - 1, 0), min(best + 1, _GRID - 1)))
        found = minimize_scalar(
            lambda log_rate: float(left(log_rate)[0]), bounds=(low, high), method="bounded", options={"xatol": 1e-10}
        )
        rate = float(np.exp(found.x)) if found.fun <= left(np.log(rates[best]))[0] else float(rates[best])
        asymptote, gain, residual = (float(part[0]) for part in _solve(_remaining(u, np.array([rate])), mean))
        return cls(u, values, rates, rate, asymptote, gain, residual)

    @property
    def half_life(self) -> float:
        """The half-life, on the scale of u."""
        return float(self.u[-1] / self.rate)

    @property
    def quality(self) -> FitQuality:
        """How well it fits."""
        from scipy import stats

        seeds, count = self.values.shape
        mean = self.values.mean(axis=0)
        scatter = self.values - mean - self.values.mean(axis=1, keepdims=True) + mean.mean()
        between = float((scatter**2).sum())
        spare, freedom = count - 3, (seeds - 1) * (count - 1)
        p = np.nan
        if freedom:
            p = float(stats.f.sf(seeds * self.residual / spare / max(between / freedom, 1e-12), spare, freedom))
        total = float(((mean - mean.mean()) ** 2).sum())
        return FitQuality(
            1 - self.residual / total if total > 0 else 0.0,
            math.sqrt(self.residual / count),
            _aic(seeds * self.residual + between, self.values.shape, 3),
            p,
        )

    def half_life_ends(self, level: float) -> tuple[float, float]:
        """Return the half-lives, on the scale of u, that the efficient score test does not reject."""
        rates = np.sort(np.append(self.rates, self.rate))
        remaining = _remaining(self.u, rates)
        score = _orthogonal(self._bend(remaining), np.ones_like(remaining), remaining)
        margin = self._margin(self.values @ score.T, score, level)
        low, high = accepted_around(np.log(rates), margin, int(np.searchsorted(rates, self.rate)))
        return float(self.u[-1] * np.exp(-high)), float(self.u[-1] * np.exp(-low))

    def asymptote_ends(self, level: float) -> tuple[float, float]:
        """Return the asymptotes that the efficient score test does not reject."""
        mean = self.values.mean(axis=0)
        reach = max(float(np.ptp(mean)), 1e-9) * np.geomspace(1e-4, _FARTHEST, _GRID // 2)
        around = [centre + sign * reach for centre in (self.asymptote, mean.max()) for sign in (-1, 1)]
        tops = np.unique(np.concatenate([*around, [self.asymptote]]))
        every = _remaining(self.u, np.append(self.rates, self.rate))
        gap = tops[:, None] - mean  # (tops, points)
        explained = np.maximum(gap @ every.T, 0) ** 2 / (every**2).sum(axis=1)
        remaining = every[explained.argmax(axis=1)]
        score = _orthogonal(np.ones_like(remaining), remaining, self._bend(remaining))
        margin = self._margin(self.values @ score.T - tops * score.sum(axis=1), score, level)
        return accepted_around(tops, margin, int(np.searchsorted(tops, self.asymptote)))

    def _bend(self, remaining: Floats) -> Floats:
        """Return the derivative of the remaining gain by the rate, but for a factor."""
        return np.asarray(self.u / self.u[-1] * remaining, np.float64)

    def _margin(self, scores: Floats, directions: Floats, level: float) -> Floats:
        """Return how much further from 0 each mean score, of the shape (seeds, grid), could be; below 0 is rejected."""
        from scipy import stats

        seeds, count = self.values.shape
        if seeds > 1:
            freedom, error = seeds - 1, scores.std(axis=0, ddof=1) / math.sqrt(seeds)
        else:
            freedom = count - 3
            error = math.sqrt(self.residual / freedom) * np.linalg.norm(directions, axis=1)
        slack = 1e-9 * max(1.0, float(np.abs(self.values).max()))  # measurements without noise: rounding is no misfit
        reach = stats.t.ppf((1 + level) / 2, freedom) * error + slack
        return np.asarray(reach - np.abs(scores.mean(axis=0)), np.float64)


def _remaining(u: Floats, rates: Floats) -> Floats:
    """Return the share of the gain that is still to come, shape (rates, points)."""
    return np.asarray(2.0 ** -(rates[:, None] * (u / u[-1])), np.float64)


def _solve(remaining: Floats, mean: Floats) -> tuple[Floats, Floats, Floats]:
    """Return the asymptote, the gain (0 or more) and the sum of squares left, each of the shape (rates,)."""
    centred, around = remaining - remaining.mean(axis=1, keepdims=True), mean - mean.mean()
    squares = (centred**2).sum(axis=1)
    gain = np.maximum(-(centred @ around) / np.where(squares > 1e-300, squares, np.inf), 0.0)
    left = ((around + gain[:, None] * centred) ** 2).sum(axis=1)
    return mean.mean() + gain * remaining.mean(axis=1), gain, left


def _orthogonal(vectors: Floats, first: Floats, second: Floats) -> Floats:
    """Return the parts of vectors, shape (grid, points), that are orthogonal to two others, in unit length."""
    size = np.linalg.norm(vectors, axis=-1, keepdims=True)
    first = _unit(first)
    second = _unit(second - (second * first).sum(axis=-1, keepdims=True) * first)
    rest = vectors
    for direction in (first, second, first, second):  # twice: once leaves rounding where vectors are nearly parallel
        rest = rest - (rest * direction).sum(axis=-1, keepdims=True) * direction
    return _unit(np.where(np.linalg.norm(rest, axis=-1, keepdims=True) > 1e-9 * size, rest, 0.0))


def _unit(vectors: Floats) -> Floats:
    """Return vectors of length 1; those of (nearly) no length become zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(np.where(length > 1e-12, vectors / np.where(length > 1e-12, length, 1.0), 0.0), np.float64)


def _aic(left: float, shape: tuple[int, ...], parameters: int) -> float:
    """Return Akaike's criterion of normal errors; a level for each seed counts beside the shape's own parameters."""
    seeds, count = shape
    size = seeds * count
    return size * math.log(max(left / size, 1e-24)) + 2 * (parameters + seeds)


def _shared(
    histories: object, metric: str | None, languages: Sequence[str] | None, stage: int
) -> tuple[Floats, Floats, float]:
    """Return the steps that all seeds have, their scores turned so that higher is better, and the metric's sign."""
    runs = {0: histories} if isinstance(histories, History) else histories
    if not isinstance(runs, Mapping) or not runs or not all(isinstance(run, History) for run in runs.values()):
        raise SettingError(
            "fit_curve takes a History, or {seed: history}, such as {0: fitted.history}, but got "
            f"{_settings.show(histories)}."
        )
    curves = [read_curve(run, metric, languages, stage) for run in runs.values()]
    steps = sorted(set.intersection(*(set(curve.steps.tolist()) for curve in curves)))
    if not steps:
        raise ConvergenceError("The seeds share no step at which all were measured; measure them at the same steps.")
    values = [[dict(zip(curve.steps, curve.values, strict=True))[step] for step in steps] for curve in curves]
    return np.array(steps), np.array(values), curves[0].sign


def _isotonic(steps: Floats, values: Floats, sign: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the steps and the mean curve after isotonic regression, on the metric's own scale."""
    from scipy.optimize import isotonic_regression

    rising = isotonic_regression(values.mean(axis=0)).x
    return tuple(steps.tolist()), tuple((sign * rising).tolist())


def _constant(values: Floats) -> FitQuality:
    """Return how well a constant fits, with a level for each seed."""
    around = values - values.mean(axis=1, keepdims=True)
    return FitQuality(0.0, float(values.mean(axis=0).std()), _aic(float((around**2).sum()), values.shape, 1), np.nan)


def _to_steps(shape: str, half_life: float) -> float:
    """Return a half-life in steps."""
    with np.errstate(over="ignore"):  # one beyond all numbers is infinite
        return float(_SHAPES[shape][1](half_life))


def _withheld(why: str, quality: Mapping[str, FitQuality], steps: Floats, values: Floats, sign: float) -> CurveFit:
    """Return a fit that is withheld for a reason."""
    unknown = Interval(np.nan, -np.inf, np.inf, len(values))
    sentence = f"{why}; read the isotonic curve instead (steps_to, area_under_curve), which assumes no shape."
    measured = _isotonic(steps, values, sign)
    return CurveFit(None, unknown, unknown, np.nan, quality, len(values), float(steps[-1]), sentence, (), *measured)


def _notes(
    asymptote: Interval, half_life: Interval, supported: Sequence[str], last: float, seeds: int
) -> tuple[str, ...]:
    """Return what limits the fit, in sentences."""
    notes = []
    if not np.isfinite([asymptote.low, asymptote.high]).all():
        notes.append(f"The asymptote is not identified: the measurements up to step {last:g} allow any beyond one end.")
    if half_life.mean > last:
        notes.append(f"The half-life is not reached within the {last:g} steps measured; it is an extrapolation.")
    elif half_life.high > last:
        notes.append(f"The half-life may lie beyond the {last:g} steps measured.")
    if len(supported) > 1:
        notes.append("Power law and exponential curve fit about equally well; the intervals hold both.")
    if seeds == 1:
        notes.append("One run: the intervals are about this run, and misfit cannot be told from noise.")
    return tuple(notes)


def _bounded(interval: Interval, style: str) -> str:
    """Return an interval for reading, with what is not identified in words."""
    low, high = np.isfinite(interval.low), np.isfinite(interval.high)
    if low and high:
        return f"{interval.mean:{style}} [{interval.low:{style}}, {interval.high:{style}}]"
    if low or high:
        return f"not identified ({'above' if low else 'below'} {interval.low if low else interval.high:{style}})"
    return "not identified"
