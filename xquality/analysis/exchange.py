"""The exchange rate of quality for quantity: how many clean rows one row of another quality is worth.

It is the relative potency of a bioassay (Finney 1978; USP <1032> and <1034>): the curve of scores over rows of the
other quality is taken to be the clean curve, shifted along the logarithm of the rows. The score of a cell is
`a[seed] + b * g(w * rows) + error` with `g(n) = (1 - n ** -c) / c`, which is `log n` at `c = 0`, a power law with a
ceiling for `c > 0`, and bends upwards for `c < 0`. The rate `w` is what is asked; seeds are blocks, and `b` and `c` are
nuisance parameters. The rate is withheld, with a sentence that says why, where the scores do not determine it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from xquality import _settings
from xquality.analysis._numbers import read_level, read_table
from xquality.analysis.statistics import accepted_around
from xquality.errors import SettingError

Floats = NDArray[np.float64]
Scores = Mapping[int, Mapping[Any, float]]
"""Scores by the number of rows and by the seed; higher is better."""

_CURVATURES = np.round(np.arange(-0.6, 1.61, 0.1), 2)
_RATES = np.exp(np.arange(np.log(1 / 100), np.log(10) + 1e-9, 0.02))
_WIDEST = 10.0  # a wider interval, upper end over lower end, answers nothing
_FLAT = 0.025  # one-sided p above which more clean rows did not measurably help
_UNFIT = 0.01  # p below which the two curves are not one curve, shifted
_CLEAN_AMOUNTS, _OTHER_AMOUNTS, _SEEDS = 3, 2, 3  # the smallest design that identifies the model


@final
@dataclass(frozen=True)
class EffectiveRows:
    """How many clean rows score like one amount of the other quality, taken alone.

    Attributes:
        rows: the clean rows on the clean curve, straight between the amounts over the logarithm of the rows; 0 below
            the smallest clean amount, infinity above the largest.
        low: the lower end of the interval; 0 where it reaches below the smallest clean amount.
        high: the upper end; infinity where it reaches above the largest.
    """

    rows: float
    low: float
    high: float

    def __iter__(self) -> Any:
        """Unpack as rows, low, high."""
        return iter((self.rows, self.low, self.high))


@final
@dataclass(frozen=True)
class Price:
    """The cheaper way to a score.

    Attributes:
        cheaper: "clean", "other", or None where the interval holds both, or where the answer is withheld.
        ratio: the cost of the rows of the other quality over the cost of the clean rows that score alike.
        low: the lower end of the interval of the ratio.
        high: the upper end.
        clean_rows: about how many clean rows reach the score; NaN where withheld.
        other_rows: about how many rows of the other quality reach it; NaN where withheld.
        withheld: the sentence that stands in the place of the answer, or None.
    """

    cheaper: str | None
    ratio: float
    low: float
    high: float
    clean_rows: float
    other_rows: float
    withheld: str | None = None

    def __str__(self) -> str:
        if self.withheld:
            return f"withheld: {self.withheld}"
        answer = f"{self.cheaper} rows are cheaper" if self.cheaper else "the interval leaves open which is cheaper"
        return (
            f"{answer}: about {self.clean_rows:.0f} clean or {self.other_rows:.0f} other rows reach the score, "
            f"and the other ones cost {self.ratio:.2f} [{self.low:.2f}, {self.high:.2f}] times as much"
        )


@final
@dataclass(frozen=True)
class ExchangeRate:
    """What one row of another quality is worth, on average over the amounts that were measured.

    Attributes:
        rate: clean rows that one row of the other quality is worth; read it only where `withheld` is None.
        low: the lower end of its interval, from the error pooled over all cells; 0 where it is unbounded.
        high: the upper end; infinity where it is unbounded.
        by_seeds: the same interval from the variance between seeds alone, which needs fewer assumptions.
        level: the confidence of the intervals.
        slope: points that e times the clean rows bring.
        slope_p: the one-sided p-value of the slope being above 0.
        noise: the standard deviation of a cell, in points, once the seeds' means are taken out.
        curvature: the fitted `c`.
        lack_of_fit_p: the p-value of one shifted curve; the test has little power, so read `each` beside it.
        each: by the other quality's amounts, how many clean rows score alike, each amount taken alone.
        seeds: the number of seeds that all cells have.
        clean_amounts: the clean numbers of rows.
        other_amounts: those of the other quality.
        withheld: the sentence that stands in the place of the rate, or None.
        notes: what to say beside it.
    """

    rate: float
    low: float
    high: float
    by_seeds: tuple[float, float]
    level: float
    slope: float
    slope_p: float
    noise: float
    curvature: float
    lack_of_fit_p: float
    each: Mapping[int, EffectiveRows]
    seeds: int
    clean_amounts: tuple[int, ...]
    other_amounts: tuple[int, ...]
    withheld: str | None = None
    notes: tuple[str, ...] = ()
    _clean_means: tuple[float, ...] = field(default=(), repr=False)

    @property
    def precision(self) -> float:
        """The noise over the slope, on which the number of seeds that a study needs depends; infinity if flat."""
        return self.noise / self.slope if self.slope > 0 else np.inf

    def __str__(self) -> str:
        if self.withheld:
            return f"withheld: {self.withheld}"
        worth = f"{self.rate:.2f} [{self.low:.2f}, {self.high:.2f}] clean rows"
        few = " (less than one clean row)" if self.high < 1 else ""
        spread = f"{min(self.other_amounts)} to {max(self.other_amounts)} rows"
        return f"one row is worth {worth}{few}, on average over {spread} ({self.seeds} seeds)"

    def cheaper(self, clean_price: float, other_price: float, score: float) -> Price:
        """Return the cheaper way to a score, given what a row of either quality costs.

        Args:
            clean_price: of one clean row, above 0.
            other_price: of one row of the other quality, in the same unit.
            score: to be reached, within the mean scores of the clean amounts.

        Returns:
            The choice, the ratio of the costs with its interval, and the rows that each way takes. It is withheld
            where the rate is, and where the score lies outside the clean curve.

        Raises:
            SettingError: for a price that is not above 0, or a score that is not finite.
        """
        clean_cost = _settings.positive("cheaper", "clean_price", clean_price)
        other_cost = _settings.positive("cheaper", "other_price", other_price)
        wanted = _settings.real("cheaper", "score", score)
        means = np.maximum.accumulate(np.asarray(self._clean_means))
        why = self.withheld
        if why is None and not means[0] <= wanted <= means[-1]:
            why = (
                f"the clean rows scored {means[0]:.1f} to {means[-1]:.1f} on average, and {wanted:g} lies outside; "
                "nothing is known of the rows that it takes."
            )
        if why is not None:
            return Price(None, np.nan, np.nan, np.nan, np.nan, np.nan, why)
        ratio, low, high = (other_cost / (rate * clean_cost) for rate in (self.rate, self.high, self.low))
        rows = float(np.exp(np.interp(wanted, means, np.log(self.clean_amounts))))
        choice = "other" if high < 1 else "clean" if low > 1 else None
        return Price(choice, ratio, low, high, rows, rows / self.rate)


def exchange_rate(clean: Scores, other: Scores, *, level: float = 0.95) -> ExchangeRate:
    """Return how many clean rows one row of another quality is worth.

    The interval inverts the efficient score test of `log w`, with the error pooled over cells on
    (seeds - 1)(amounts - 1) degrees of freedom. In 1,000 simulated studies a case (`benchmarks/bench_statistics.py`)
    it covered 93 to 98 % with 5 to 12 seeds, but 91 % where the smallest cells were four times as noisy as the largest
    ones; `by_seeds` covered 93 to 96 % throughout. The rate is withheld where more clean rows do not help measurably,
    where one shift does not fit (p < 0.01), and where the interval is unbounded or wider than tenfold: flat and harmful
    data were reported in none of the studies, and in 1 % where clean rows do not help and the others do.

    Given final scores, it is the rate for the final score. Given areas under the learning curve up to a common step
    (`area_under_curve`, over steps or log steps), it is the rate for the speed: how many clean rows make a model learn
    as fast. The two may differ; report both. In simulation areas gave the same coverage.

    Args:
        clean: the scores by number of rows and seed; three amounts or more. Higher is better: give an area under the
            curve for the speed, or minus the steps where at most a tenth of them are censored, and read `by_seeds`
            then.
        other: the scores of the other quality; two amounts or more.
        level: the confidence of the intervals.

    Raises:
        SettingError: for fewer amounts, fewer than three seeds that all cells have, or a score that is not finite.

    Example:
        >>> import numpy as np
        >>> numbers = np.random.default_rng(0)
        >>> def study(worth):
        ...     rows = (50, 108, 232, 500)
        ...     mean = {n: 48 - 72 * (worth * n) ** -0.5 for n in rows}
        ...     return {n: {seed: mean[n] + numbers.standard_normal() for seed in range(8)} for n in rows}
        >>> found = exchange_rate(study(1.0), study(0.5))
        >>> print(f"{found.rate:.2f} [{found.low:.2f}, {found.high:.2f}]", found.withheld)
        0.55 [0.48, 0.61] None
    """
    from scipy import stats

    confidence = read_level("exchange_rate", level)
    clean_rows, other_rows, values = _table(clean, other)
    seeds, cells = values.shape
    many, quantile = len(clean_rows), (1 + confidence) / 2
    rows = np.concatenate([clean_rows, other_rows])
    is_other = np.arange(cells) >= many
    directions, efficient = _design(tuple(rows.tolist()), many)
    residuals = values - values.mean(axis=0) - values.mean(axis=1, keepdims=True) + values.mean()
    freedom = (seeds - 1) * (cells - 1)
    variance = float((residuals**2).sum() / freedom)
    centred = values.mean(axis=0) - values.mean()
    residual = _residual(directions, centred)
    curvature = residual.argmin(axis=0)  # for each rate, the best one
    best = int(residual.min(axis=0).argmin())
    # Once more on a finer grid around the best cell: data with little noise are not misfit by the coarse one.
    fine_curvatures = _CURVATURES[curvature[best]] + np.linspace(-0.1, 0.1, 21)
    fine_rates = _RATES[best] * np.exp(np.linspace(-0.02, 0.02, 21))
    fine = _residual(_directions(rows, is_other, fine_curvatures, fine_rates), centred)
    bent, shifted = np.unravel_index(int(fine.argmin()), fine.shape)
    rate, left = float(fine_rates[shifted]), float(fine[bent, shifted])
    spare = cells - 4
    misfit = float(stats.f.sf(seeds * left / spare / max(variance, 1e-12), spare, freedom)) if spare > 0 else np.nan
    score = values @ efficient[curvature, np.arange(len(_RATES))].T  # (seeds, rates)
    reach = np.abs(score.mean(axis=0))
    pooled = stats.t.ppf(quantile, freedom) * np.sqrt(variance / seeds) - reach  # below 0 the rate is rejected
    separate = stats.t.ppf(quantile, seeds - 1) * score.std(axis=0, ddof=1) / np.sqrt(seeds) - reach
    low, high = _ends(pooled, best, rate)
    centred_log = np.log(clean_rows) - np.log(clean_rows).mean()
    slope = float((values[:, :many] @ centred_log).mean() / (centred_log @ centred_log))
    slope_error = np.sqrt(variance / (seeds * (centred_log @ centred_log)))
    slope_p = float(stats.t.sf(slope / slope_error, freedom)) if slope_error > 0 else float(slope <= 0)
    allowed = float(stats.t.ppf(quantile, freedom) * np.sqrt(variance / seeds))
    means = values.mean(axis=0)
    each = {
        int(rows): _effective(means[:many], clean_rows, means[many + at], allowed) for at, rows in enumerate(other_rows)
    }
    noise = float(np.sqrt(variance))
    why = _withheld(low, high, slope, slope_p, misfit)
    if why and why.startswith("the seeds leave"):
        needed = seeds_needed(noise / slope, [*clean_rows], [*other_rows], rate=rate)
        why += f"; at this noise about {needed} seeds would determine it within a factor of 2."
    return ExchangeRate(
        rate=rate,
        low=low,
        high=high,
        by_seeds=_ends(separate, best, rate),
        level=confidence,
        slope=slope,
        slope_p=slope_p,
        noise=noise,
        curvature=float(fine_curvatures[bent]),
        lack_of_fit_p=misfit,
        each=each,
        seeds=seeds,
        clean_amounts=tuple(int(rows) for rows in clean_rows),
        other_amounts=tuple(int(rows) for rows in other_rows),
        withheld=why,
        notes=_notes(rate, clean_rows, other_rows),
        _clean_means=tuple(means[:many].tolist()),
    )


def seeds_needed(
    precision: float,
    clean: Sequence[float],
    other: Sequence[float],
    *,
    rate: float = 0.5,
    factor: float = 2.0,
    level: float = 0.95,
    most: int = 200,
) -> int:
    """Return the fewest seeds whose interval is expected to reach no further than a factor either side of the rate.

    It is the delta method for straight lines over the logarithm of the rows (Fieller), used before a study is run.

    Args:
        precision: the standard deviation of a cell over the points that e times the rows bring; about 1 for SIB-200
            with the tiny encoder.
        clean: the clean numbers of rows.
        other: those of the other quality.
        rate: what one row is expected to be worth.
        factor: how far the interval may reach, above 1.
        level: the confidence.
        most: where to stop.

    Raises:
        SettingError: for a number out of range.

    Example:
        >>> seeds_needed(1.0, [50, 108, 232, 500], [50, 108, 232, 500])
        6
    """
    from scipy import stats

    for name, value in (("precision", precision), ("rate", rate)):
        _settings.positive("seeds_needed", name, value)
    if not _settings.real("seeds_needed", "factor", factor) > 1:
        raise SettingError(f"seeds_needed(factor={factor!r}) must be above 1, for example 2.")
    first, second = np.log(np.asarray(clean, np.float64)), np.log(np.asarray(other, np.float64))
    spread = ((first - first.mean()) ** 2).sum() + ((second - second.mean()) ** 2).sum()
    shift = np.log(rate) + second.mean() - first.mean()  # the distance of the centres, in effective log rows
    one_seed = precision * np.sqrt(1 / len(first) + 1 / len(second) + shift**2 / spread)
    for seeds in range(_SEEDS, most + 1):
        freedom = (seeds - 1) * (len(first) + len(second) - 1)
        if stats.t.ppf((1 + level) / 2, freedom) * one_seed / np.sqrt(seeds) <= np.log(factor):
            return seeds
    return most


def _table(clean: Scores, other: Scores) -> tuple[Floats, Floats, Floats]:
    """Return both lists of amounts, sorted, and the scores, shape (seeds, clean amounts + other amounts), or raise."""
    for name, scores in (("clean", clean), ("other", other)):
        if not isinstance(scores, Mapping) or not all(isinstance(cell, Mapping) for cell in scores.values()):
            raise SettingError(
                f"exchange_rate({name}=...) must be {{rows: {{seed: score}}}}, such as {{100: {{0: 61.5, 1: 62.0}}}}."
            )
        for rows in scores:
            _settings.real("exchange_rate", f"the rows of {name}", rows)
    amounts = [np.array(sorted(scores), np.float64) for scores in (clean, other)]
    cells = [scores[rows] for scores in (clean, other) for rows in sorted(scores)]
    shared = set.intersection(*(set(cell) for cell in cells)) if cells else set()
    seeds = [seed for seed in (cells[0] if cells else ()) if seed in shared]
    if len(amounts[0]) < _CLEAN_AMOUNTS or len(amounts[1]) < _OTHER_AMOUNTS or len(seeds) < _SEEDS:
        raise SettingError(
            f"An exchange rate needs {_CLEAN_AMOUNTS} clean amounts, {_OTHER_AMOUNTS} of the other quality and "
            f"{_SEEDS} seeds that all of them have, but got {len(amounts[0])}, {len(amounts[1])} and {len(seeds)}."
        )
    if min(amounts[0][0], amounts[1][0]) <= 0:
        raise SettingError(
            "An exchange rate takes numbers of rows above 0; the arm without the rows is not one of them."
        )
    values = read_table("exchange_rate", [[cell[seed] for cell in cells] for seed in seeds], "scores by seed and cell")
    return amounts[0], amounts[1], values


@lru_cache(maxsize=32)
def _design(rows: tuple[float, ...], many: int) -> tuple[Floats, Floats]:
    """Return unit vectors of the mean curve and of the efficient score of log w, shape (curvatures, rates, cells).

    Args:
        rows: the amounts, the clean ones first.
        many: the number of clean amounts.
    """
    is_other = np.arange(len(rows)) >= many
    effective = _effective_rows(np.array(rows), is_other, _RATES)
    curvatures, step = _CURVATURES[:, None, None], 1e-4
    curve = _curve(effective, curvatures)
    bend = (_curve(effective, curvatures + step) - _curve(effective, curvatures - step)) / (2 * step)
    basis = np.stack([np.ones_like(curve), curve, bend], axis=-1)
    orthogonal, _ = np.linalg.qr(basis)
    derivative = (is_other * effective**-curvatures)[..., None]
    score = (derivative - orthogonal @ (orthogonal.swapaxes(-1, -2) @ derivative))[..., 0]
    return _directions(np.array(rows), is_other, _CURVATURES, _RATES), _unit(score)


def _directions(rows: Floats, is_other: NDArray[np.bool_], curvatures: Floats, rates: Floats) -> Floats:
    """Return unit vectors of the centred mean curve, shape (curvatures, rates, cells)."""
    curve = _curve(_effective_rows(rows, is_other, rates), curvatures[:, None, None])
    return _unit(curve - curve.mean(axis=-1, keepdims=True))


def _effective_rows(rows: Floats, is_other: NDArray[np.bool_], rates: Floats) -> Floats:
    """Return the effective clean rows at each rate, over the largest amount, shape (1, rates, cells)."""
    return np.asarray(rows / rows.max() * np.where(is_other, rates[:, None], 1.0)[None], np.float64)


def _residual(directions: Floats, centred: Floats) -> Floats:
    """Return the residual sum of squares of the best rising curve along each direction."""
    return np.asarray((centred**2).sum() - np.maximum(directions @ centred, 0) ** 2, np.float64)


def _curve(rows: Floats, curvature: Floats) -> Floats:
    """Return `(1 - rows ** -c) / c`, and the logarithm at c = 0."""
    straight = np.abs(curvature) < 1e-9
    bent = np.where(straight, 1.0, curvature)
    return np.asarray(np.where(straight, np.log(rows), (1 - rows**-bent) / bent), np.float64)


def _unit(vectors: Floats) -> Floats:
    """Return vectors of length 1; those of (nearly) no length become zero."""
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(np.where(length > 1e-8, vectors / np.where(length > 1e-8, length, 1.0), 0.0), np.float64)


def _ends(margin: Floats, best: int, rate: float) -> tuple[float, float]:
    """Return the ends of the accepted rates around the best one; 0 and infinity at the ends of the grid."""
    low, high = np.exp(accepted_around(np.log(_RATES), margin, best)).tolist()
    return min(low, rate), max(high, rate)


def _effective(clean: Floats, clean_rows: Floats, score: float, allowed: float) -> EffectiveRows:
    """Return the clean rows that score like one amount, by a test at each number of rows.

    Args:
        clean: the mean scores of the clean amounts.
        clean_rows: these amounts.
        score: the mean score of the amount in question.
        allowed: the quantile of t times the standard error of a cell's mean.
    """
    grid = np.linspace(np.log(clean_rows[0]), np.log(clean_rows[-1]), 121)
    known = np.log(clean_rows)
    left = np.clip(np.searchsorted(known, grid) - 1, 0, len(known) - 2)
    share = (grid - known[left]) / (known[left + 1] - known[left])
    gap = (1 - share) * clean[left] + share * clean[left + 1] - score
    accepted = np.flatnonzero(np.abs(gap) <= allowed * np.sqrt(1 + share**2 + (1 - share) ** 2))
    if gap[0] > 0 and not len(accepted):
        return EffectiveRows(0.0, 0.0, float(clean_rows[0]))
    if gap[-1] < 0 and not len(accepted):
        return EffectiveRows(np.inf, float(clean_rows[-1]), np.inf)
    if not len(accepted):  # an interval narrower than the grid
        accepted = np.array([np.abs(gap).argmin()])
    rows = np.exp(grid)
    low = 0.0 if accepted[0] == 0 else float(rows[accepted[0]])
    high = np.inf if accepted[-1] == len(grid) - 1 else float(rows[accepted[-1]])
    return EffectiveRows(float(rows[np.abs(gap).argmin()]), low, high)


def _withheld(low: float, high: float, slope: float, slope_p: float, misfit: float) -> str | None:
    """Return the sentence that stands in the place of a rate that the scores do not determine, or None."""
    if slope_p > _FLAT:
        return (
            f"more clean rows did not measurably help ({slope:+.2f} points for e times the rows, p = {slope_p:.2f}), "
            "so there is nothing to exchange."
        )
    if misfit < _UNFIT:
        shown = "< 0.001" if misfit < 0.001 else f"= {misfit:.3f}"
        return (
            f"the two curves are not one curve, shifted (lack of fit p {shown}): what a row is worth depends on how "
            "many there are; see the effective rows at each amount."
        )
    if low == 0 or not np.isfinite(high) or high / low > _WIDEST:
        least, most = f"{low:.2g}" if low else "nothing", f"{high:.2g}" if np.isfinite(high) else "any number of"
        return f"the seeds leave it open between {least} and {most} clean rows"
    return None


def _notes(rate: float, clean_rows: Floats, other_rows: Floats) -> tuple[str, ...]:
    """Return what limits the rate: amounts that lie outside the clean curve."""
    notes = []
    if rate * other_rows[-1] < clean_rows[0]:
        notes.append(
            "every amount of the other quality scores below the smallest clean amount; add smaller clean amounts."
        )
    if rate * other_rows[0] > clean_rows[-1]:
        notes.append(
            "every amount of the other quality scores above the largest clean amount; add larger clean amounts."
        )
    return tuple(notes)
