"""Comparing arms over seeds: adjusted p-values, exact sign flips, robust summaries, and how many seeds are needed."""

import itertools
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from xquality import _settings
from xquality.analysis._numbers import read_level, read_numbers
from xquality.errors import SettingError

Floats = NDArray[np.float64]

_EXACT = 12  # seeds up to which all sign flips are counted
_MOST_SEEDS = 100_000


def adjust(p: Sequence[float], method: str = "holm") -> tuple[float, ...]:
    """Return p-values adjusted for their number, in the order given.

    Args:
        p: the p-values.
        method: "holm" bounds the chance of any false finding (Holm 1979), "bh" the expected share of false ones
            among the findings (Benjamini and Hochberg 1995).

    Raises:
        SettingError: for another method or a value outside [0, 1].

    Example:
        >>> [round(value, 2) for value in adjust([0.01, 0.04, 0.03, 0.005])]
        [0.03, 0.06, 0.06, 0.02]
    """
    from scipy import stats

    _settings.one_of("adjust", "method", method, ("holm", "bh"))
    if isinstance(p, Sized) and not len(p):
        return ()
    values = np.array([_settings.rate("adjust", "p", value) for value in read_numbers("adjust", p).tolist()])
    if method == "bh":
        return tuple(stats.false_discovery_control(values).tolist())
    order = np.argsort(values, kind="stable")
    stepped = np.maximum.accumulate((len(values) - np.arange(len(values))) * values[order])
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(stepped, 1.0)
    return tuple(adjusted.tolist())


@final
@dataclass(frozen=True)
class SignFlip:
    """The result of a sign-flip test.

    Attributes:
        p: the two-sided p-value.
        smallest: the smallest p-value that this many pairs can give; above the level sought, the test cannot find it.
        count: the number of pairs.
    """

    p: float
    smallest: float
    count: int


def sign_flip(differences: Sequence[float]) -> SignFlip:
    """Return the exact two-sided p-value of paired differences being symmetric around 0 (Fisher 1935).

    Every assignment of signs is counted, so it needs no normality; with few pairs it cannot give a small p-value.

    Args:
        differences: one for each seed, at most twelve.

    Raises:
        SettingError: for no differences, more than twelve, or one that is not finite.

    Example:
        >>> sign_flip([1.0, 2.0, 0.5, 1.5, 3.0])
        SignFlip(p=0.0625, smallest=0.0625, count=5)
    """
    values = read_numbers("sign_flip", differences)
    if len(values) > _EXACT:
        raise SettingError(
            f"sign_flip counts all signs of at most {_EXACT} pairs, but got {len(values)}; take paired_difference, "
            "whose interval is by t."
        )
    signs = np.array(list(itertools.product((1.0, -1.0), repeat=len(values))))
    sums = np.abs(signs @ values)
    observed = abs(values.sum())
    extreme = int((sums >= observed - 1e-12 * max(1.0, observed)).sum())
    return SignFlip(extreme / len(signs), min(1.0, 2 / len(signs)), len(values))


def interquartile_mean(values: Sequence[float]) -> float:
    """Return the mean of the middle half of all runs, a quarter trimmed at each end (Agarwal et al. 2021).

    Example:
        >>> interquartile_mean([0.0, 1.0, 2.0, 100.0])
        1.5
    """
    from scipy import stats

    return float(stats.trim_mean(read_numbers("interquartile_mean", values), 0.25))


def probability_of_improvement(arm: Sequence[float], reference: Sequence[float]) -> float:
    """Return the chance that a run of one arm scores above a run of another, ties counted half (Agarwal et al. 2021).

    Example:
        >>> probability_of_improvement([1.0, 2.0], [1.0, 1.0])
        0.75
    """
    first, second = (
        read_numbers("probability_of_improvement", arm),
        read_numbers("probability_of_improvement", reference),
    )
    above = first[:, None] > second[None, :]
    tied = first[:, None] == second[None, :]
    return float((above + 0.5 * tied).mean())


@final
@dataclass(frozen=True)
class StochasticOrder:
    """How far one arm is from being stochastically larger than another.

    Attributes:
        violation: the share of the squared distance between the quantile functions that contradicts the order: 0
            where the arm dominates, 1 where the reference does, 0.5 where neither does.
        bound: the upper confidence bound of the violation.
        dominates: whether the bound is below 0.2, the threshold that kept false findings near 5 % in simulation.
    """

    violation: float
    bound: float
    dominates: bool


def almost_stochastic_order(
    arm: Sequence[float], reference: Sequence[float], *, seed: int, level: float = 0.95, resamples: int = 1000
) -> StochasticOrder:
    """Return the violation ratio of almost stochastic order (del Barrio et al. 2018; Dror et al. 2019) with its bound.

    Args:
        arm: the scores of one arm.
        reference: those of another.
        seed: of the bootstrap.
        level: the confidence of the bound.
        resamples: of the bootstrap from which the bound's standard error comes.

    Raises:
        SettingError: for no scores, a score that is not finite, or a setting out of range.

    Example:
        >>> round(almost_stochastic_order([1, 2, 3, 4, 5], [0.5, 2.5, 2.5, 3.5, 4.5], seed=1).violation, 3)
        0.2
    """
    from scipy import stats

    first, second = (np.sort(read_numbers("almost_stochastic_order", values)) for values in (arm, reference))
    confidence = _settings.rate("almost_stochastic_order", "level", level)
    count = _settings.integer("almost_stochastic_order", "resamples", resamples, least=1)
    numbers = np.random.default_rng(
        np.random.SeedSequence(abs(_settings.integer("almost_stochastic_order", "seed", seed)))
    )
    found = _violation(first, second)
    scale = np.sqrt(len(first) * len(second) / (len(first) + len(second)))
    drawn = [
        _violation(np.sort(numbers.choice(first, len(first))), np.sort(numbers.choice(second, len(second))))
        for _ in range(count)
    ]
    spread = float(np.std(scale * (np.array(drawn) - found), ddof=1)) if count > 1 else 0.0
    bound = float(min(1.0, found + spread / scale * stats.norm.ppf(confidence)))
    return StochasticOrder(found, bound, bound < 0.2)


def seeds_for(effect: float, *, level: float = 0.95, power: float = 0.8, paired: bool = False) -> float:
    """Return how many seeds an effect needs, from the noncentral t distribution.

    Args:
        effect: the difference over the standard deviation of a run; with `paired`, over that of the differences.
        level: one minus the two-sided level of the test.
        power: the chance of finding the effect.
        paired: whether the arms share their seeds; otherwise each arm needs this many.

    Returns:
        The number that solves the equation exactly; round it up.

    Raises:
        SettingError: for an effect of 0, or a share outside (0, 1).

    Example:
        >>> round(seeds_for(0.5, paired=True), 4)
        33.3671
    """
    from scipy import optimize

    size = abs(_settings.real("seeds_for", "effect", effect))
    if size == 0:
        raise SettingError(
            "seeds_for(effect=0) would need infinitely many seeds; name the smallest effect of interest."
        )
    wanted = _open_share("seeds_for", "power", power)
    most = 2.0
    confidence, is_paired = read_level("seeds_for", level), _settings.boolean("seeds_for", "paired", paired)
    while _power(most, size, confidence, is_paired) < wanted:
        most *= 2
        if most > _MOST_SEEDS:
            raise SettingError(
                f"seeds_for(effect={effect!r}) would need more than {_MOST_SEEDS} seeds; name a larger effect."
            )
    if most == 2.0:
        return most
    return float(
        optimize.brentq(lambda seeds: _power(seeds, size, confidence, is_paired) - wanted, most / 2, most, xtol=1e-10)
    )


def detectable(seeds: int, *, level: float = 0.95, power: float = 0.8, paired: bool = True) -> float:
    """Return the smallest effect that so many seeds find, over the standard deviation (see `seeds_for`).

    Example:
        >>> round(detectable(5), 3)
        1.682
    """
    from scipy import optimize

    count = _settings.integer("detectable", "seeds", seeds, least=2)
    wanted, confidence = _open_share("detectable", "power", power), read_level("detectable", level)
    is_paired = _settings.boolean("detectable", "paired", paired)
    return float(optimize.brentq(lambda effect: _power(count, effect, confidence, is_paired) - wanted, 1e-6, 20))


def _power(seeds: float, effect: float, level: float, paired: bool) -> float:
    """Return the power of a two-sided t-test at a number of seeds, which need not be whole."""
    from scipy import stats

    freedom = seeds - 1 if paired else 2 * seeds - 2
    shift = effect * np.sqrt(seeds if paired else seeds / 2)
    critical = stats.t.ppf((1 + level) / 2, freedom)
    # The far tail of the noncentral t underflows to NaN where it is 0.
    return float(stats.nct.sf(critical, freedom, shift) + np.nan_to_num(stats.nct.cdf(-critical, freedom, shift)))


def _violation(first: Floats, second: Floats) -> float:
    """Return the violation ratio of two sorted samples: the integral of (F⁻¹ - G⁻¹)² where F⁻¹ lies below G⁻¹."""
    edges = np.union1d(np.arange(len(first) + 1) / len(first), np.arange(len(second) + 1) / len(second))
    middle, width = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    gap = first[(middle * len(first)).astype(int)] - second[(middle * len(second)).astype(int)]
    total = float((width * gap**2).sum())
    return float((width * np.minimum(gap, 0.0) ** 2).sum()) / total if total > 0 else 0.5


def _open_share(owner: str, name: str, value: object) -> float:
    """Return a share inside (0, 1), or raise."""
    share = _settings.rate(owner, name, value)
    if share in (0.0, 1.0):
        raise SettingError(f"{owner}({name}={value!r}) must be above 0 and below 1, for example 0.05.")
    return share
