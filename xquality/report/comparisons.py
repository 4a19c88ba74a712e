"""The paired comparisons of a report: each arm with the reference, qualities at equal quantity, and amounts.

Each difference is paired by seed; its p-value is adjusted (Holm 1979) for the number of comparisons of its kind.
"""

import dataclasses
import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, final

import numpy as np

from xquality.analysis import Interval, adjust, detectable, paired_difference

if TYPE_CHECKING:
    from xquality.report.summary import Arm, Summary


@final
@dataclass(frozen=True)
class Comparison:
    """The difference of two arms in one measure, paired by seed.

    Attributes:
        kind: "reference" for an arm and the reference arm, "quality" for two qualities at equal quantity, "quantity"
            for two amounts at equal quality.
        name: as tables print it.
        arm: the arm in question.
        other: the arm that it is compared with: the reference, the clean one, or the one with most rows.
        difference: the mean of `arm - other` with its interval and p-value; its `count` is the number of pairs. None
            where they share no seed.
        adjusted: the p-value, adjusted for the comparisons of the same kind; None where there is none.
        correlation: of the two arms over their common seeds; None where one of them does not vary.
        variance_ratio: the variance of the differences over the sum of both arms' variances: below 1 pairing helps.
        detectable: the difference that as many pairs of this spread find with a chance of 80 %; None for one pair.
    """

    kind: str
    name: str
    arm: "Arm"
    other: "Arm"
    difference: Interval | None
    adjusted: float | None = None
    correlation: float | None = None
    variance_ratio: float | None = None
    detectable: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether the interval holds 0, so that the direction of the difference is open."""
        return self.difference is None or not (self.difference.low > 0 or self.difference.high < 0)


def compare(summary: "Summary", measure: str) -> tuple[Comparison, ...]:
    """Return all comparisons of a study in one measure, those with the reference first.

    Args:
        summary: the numbers of the study.
        measure: the name of a measure.
    """
    pairs = {
        "reference": [(arm.name, arm, summary.reference) for arm in summary.arms if arm is not summary.reference],
        "quality": _pairs_along(summary, summary.quality_axis, summary.quantity_axis),
        "quantity": _pairs_along(summary, summary.quantity_axis, summary.quality_axis),
    }
    made: list[Comparison] = []
    for kind, named in pairs.items():
        found = [_compare(kind, name, arm, other, measure) for name, arm, other in named]
        values = [each.difference.p for each in found if each.difference is not None and each.difference.p is not None]
        adjusted = iter(adjust(values))
        made += [
            dataclasses.replace(each, adjusted=next(adjusted))
            if each.difference is not None and each.difference.p is not None
            else each
            for each in found
        ]
    return tuple(made)


def lines_along(summary: "Summary", axis: str) -> list[dict[Any, "Arm"]]:
    """Return the arms that differ along one axis only, by their value there; lines of one arm are left out.

    Args:
        summary: the numbers of the study.
        axis: the name of an axis; empty for none.
    """
    lines: dict[Hashable, dict[Any, Arm]] = {}
    for arm in summary.arms if axis else ():
        if arm.values.get(axis) is not None:
            others = frozenset(pair for pair in arm.values.items() if pair[0] != axis)
            lines.setdefault(others, {})[arm.values[axis]] = arm
    return [line for line in lines.values() if len(line) > 1]


def _pairs_along(summary: "Summary", axis: str, fixed: str) -> list[tuple[str, "Arm", "Arm"]]:
    """Return the name and the arms of each comparison along an axis: with the clean value, or with the most rows."""
    lines = lines_along(summary, axis)
    pairs = []
    for line in lines:
        is_quality = axis == summary.quality_axis
        if is_quality and summary.clean not in line:
            continue
        if not is_quality and not all(isinstance(value, int | float) for value in line):
            continue
        base = summary.clean if is_quality else max(line)
        settings = {name: value for name, value in line[base].values.items() if name != axis}
        distinct = [name for name in settings if len({arm.values.get(name) for arm in _members(lines)}) > 1]
        shown = [name for name in settings if name == fixed or name in distinct]
        at = ", ".join(f"{name} {show_value(settings[name])}" for name in shown)
        for value, arm in line.items():
            if value != base:
                name = f"{axis} {show_value(value)} instead of {show_value(base)}" + (f", at {at}" if at else "")
                pairs.append((name, arm, line[base]))
    return pairs


def _members(lines: Sequence[Mapping[Any, "Arm"]]) -> list["Arm"]:
    """Return the arms of several lines."""
    return [arm for line in lines for arm in line.values()]


def show_value(value: Any) -> str:
    """Return a value of an axis as text."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"{value:,g}" if is_number and abs(value) < 1e6 else str(value)


def _compare(kind: str, name: str, arm: "Arm", other: "Arm", measure: str) -> Comparison:
    """Return one comparison, its p-value not adjusted yet."""
    own, base = arm.measures.get(measure, {}), other.measures.get(measure, {})
    seeds = [seed for seed in own if seed in base]
    if not seeds:
        return Comparison(kind, name, arm, other, None)
    difference = paired_difference(own, base)
    values = np.array([[own[seed] for seed in seeds], [base[seed] for seed in seeds]], np.float64)
    if len(seeds) < 2:
        return Comparison(kind, name, arm, other, difference)
    centred = values - values.mean(axis=1, keepdims=True)
    variances = (centred**2).sum(axis=1) / (len(seeds) - 1)
    covariance = float((centred[0] * centred[1]).sum() / (len(seeds) - 1))
    total, product = float(variances.sum()), math.sqrt(float(variances.prod()))
    spread = math.sqrt(max(0.0, total - 2 * covariance))
    return Comparison(
        kind,
        name,
        arm,
        other,
        difference,
        correlation=covariance / product if product > 0 else None,
        variance_ratio=spread**2 / total if total > 0 else None,
        detectable=_detectable(len(seeds)) * spread,
    )


@lru_cache(maxsize=256)
def _detectable(pairs: int) -> float:
    """Return the difference that so many pairs find with a chance of 80 %, in their standard deviations."""
    return detectable(pairs, paired=True)
