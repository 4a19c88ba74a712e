"""The answer of a study in sentences made from its numbers, what was not run, and what never to conclude."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from xquality.analysis import Interval
from xquality.report.comparisons import Comparison, show_value
from xquality.report.rates import Exchange, count_epochs
from xquality.report.speed import compare_speed
from xquality.report.table import write_interval, write_p_value

if TYPE_CHECKING:
    from xquality.report.summary import Arm, Grid, Summary

_MOST = 3  # comparisons in one sentence
_FEW_SEEDS = 6  # below, no test by resampling or by signs can find anything


def write_answer(
    summary: "Summary", comparisons: Sequence[Comparison], exchanges: Sequence[Exchange]
) -> tuple[str, ...]:
    """Return the answer: the effects of quality and of quantity, the speed, the exchange rate.

    Args:
        summary: the numbers of the study.
        comparisons: those of the main measure.
        exchanges: those of the main measure.
    """
    quality, quantity = choose_headlines(summary, comparisons)
    sentences = [_write_effects(summary, quality, "quality"), _write_effects(summary, quantity, "quantity")]
    if not any(sentences):
        sentences = [_write_references(summary, comparisons)]
    sentences += [_write_speed(summary, comparisons, quality), _write_rates(exchanges, summary.quality_axis)]
    return tuple(sentence for sentence in sentences if sentence)


def choose_headlines(
    summary: "Summary", comparisons: Sequence[Comparison]
) -> tuple[list[Comparison], list[Comparison]]:
    """Return the comparisons that the answer is about, by the design and never by the scores.

    Those of quality at the largest quantity that has any, and that of the smallest with the largest quantity at the
    clean quality.
    """
    of_quality = [found for found in comparisons if found.kind == "quality" and found.difference is not None]
    amounts = [found.arm.values.get(summary.quantity_axis) for found in of_quality]
    numbers = [amount for amount in amounts if isinstance(amount, int | float)]
    at_most = [
        found for found, amount in zip(of_quality, amounts, strict=True) if not numbers or amount == max(numbers)
    ]
    of_quantity = [
        found
        for found in comparisons
        if found.kind == "quantity"
        and found.difference is not None
        and found.arm.values.get(summary.quality_axis) == summary.clean
    ]
    smallest = min((found.arm.values[summary.quantity_axis] for found in of_quantity), default=None)
    return at_most, [found for found in of_quantity if found.arm.values[summary.quantity_axis] == smallest]


def _write_effects(summary: "Summary", chosen: Sequence[Comparison], kind: str) -> str:
    """Return the sentence about the effects of quality, or of quantity; empty without any."""
    if not chosen:
        return ""
    parts = [f"{found.name} {_write_effect(found)}" for found in chosen[:_MOST]]
    more = f" ({len(chosen) - _MOST} more are in the table of differences.)" if len(chosen) > _MOST else ""
    head = "Quality at equal quantity" if kind == "quality" else "Quantity at equal quality"
    return f"{head}, in {summary.main}: {'; '.join(parts)}.{more}"


def _write_effect(found: Comparison) -> str:
    """Return a difference as the end of a clause: "changes it by -4.1 [-6.0, -2.2] points (8 pairs, ...)"."""
    difference = found.difference
    assert difference is not None
    facts = ["1 pair" if difference.count == 1 else f"{difference.count} pairs"]
    facts += [] if found.correlation is None else [f"r = {found.correlation:.2f}"]
    facts += [] if found.adjusted is None else [f"adjusted p {_equals(found.adjusted)}"]
    doubt = ""
    if difference.count > 1 and found.is_open and found.detectable:
        doubt = f"; the direction is open, and a difference below {found.detectable:.1f} would often be missed"
    return f"gives {write_interval(difference, sign=True)} points ({', '.join(facts)}{doubt})"


def _equals(p: float) -> str:
    """Return a p-value after its sign of comparison."""
    text = write_p_value(p)
    return text.replace("<", "< ") if text.startswith("<") else f"= {text}"


def _write_references(summary: "Summary", comparisons: Sequence[Comparison]) -> str:
    """Return the sentence about the differences to the reference arm, for studies without quality and quantity."""
    found = [each for each in comparisons if each.kind == "reference" and each.difference is not None]
    if not found:
        return ""
    if len(found) <= _MOST:
        parts = "; ".join(f"'{each.name}' {_write_effect(each)}" for each in found)
        return f"Beside '{summary.reference.name}', in {summary.main}: {parts}."
    clear = sum(each.adjusted is not None and each.adjusted < 0.05 for each in found)
    return (
        f"Of {len(found)} arms, {clear} differ from '{summary.reference.name}' in {summary.main} with an adjusted "
        "p < 0.05; the differences of all of them are below."
    )


def _write_speed(summary: "Summary", comparisons: Sequence[Comparison], quality: Sequence[Comparison]) -> str:
    """Return the sentence about the steps to the threshold; empty where no speed was measured."""
    clean = quality[0].other if quality else None
    of_clean = [found for found in comparisons if found.kind == "reference" and found.arm is clean]
    parts = []
    for found in [*of_clean, *quality[: _MOST - 1]]:
        speed = compare_speed(summary, found)
        if speed is None or speed.saved is None:
            continue
        which = f"'{found.arm.name}' beside '{found.other.name}'" if found.kind == "reference" else found.name
        censored = f", {100 * speed.censored:.0f} % of the runs did not reach it" if speed.censored else ""
        parts.append(f"{which} {_write_saved(speed.saved)} ({_count_pairs(speed.saved)}{censored})")
    if not parts or summary.threshold is None:
        return ""
    goal = f"a zero-shot {summary.curve_metric} of {summary.threshold:.1f}"
    return f"Speed, in steps up to {summary.budget:g} until {goal} is reached: {'; '.join(parts)}."


def _count_pairs(found: Interval) -> str:
    """Return the number of pairs as text."""
    return "1 pair" if found.count == 1 else f"{found.count} pairs"


def _write_saved(saved: Interval) -> str:
    """Return the steps saved as the end of a clause."""
    verb = "saves" if saved.mean >= 0 else "costs"
    sign = 1 if saved.mean >= 0 else -1
    low, high = sorted((sign * saved.low, sign * saved.high))
    return f"{verb} {write_interval(Interval(abs(saved.mean), low, high, saved.count))} steps"


def _write_rates(exchanges: Sequence[Exchange], axis: str) -> str:
    """Return the sentence about the exchange rates; empty where none was measured."""
    measured = [found for found in exchanges if found.rate is not None]
    parts = []
    for found in measured[:_MOST]:
        which = f"{found.title}, " if found.title else ""
        row = f"{which}one row of {axis} {show_value(found.quality)}"
        if found.why is None:
            parts.append(f"{row} is {found}" + (", at equal steps" if found.equal_steps else ""))
        else:
            parts.append(f"what {row} is worth is {found}".rstrip("."))
    more = f" ({len(measured) - _MOST} more are below.)" if len(measured) > _MOST else ""
    return f"Exchange rate: {'; '.join(parts)}.{more}" if parts else ""


def write_not_run(summary: "Summary", exchanges: Sequence[Exchange]) -> tuple[str, ...]:
    """Return sentences about the comparisons that the study does not have.

    Args:
        summary: the numbers of the study.
        exchanges: those of the main measure.
    """
    sentences = []
    if summary.missing:
        failed = sum(reason.startswith("failed") for _, reason in summary.missing)
        sentences.append(
            f"Cells of the axes that are missing: {len(summary.missing)} ({failed} failed, "
            f"{len(summary.missing) - failed} not run)."
        )
    if not summary.quality_axis or not summary.quantity_axis:
        lacking = [
            name for name, axis in (("quality", summary.quality_axis), ("quantity", summary.quantity_axis)) if not axis
        ]
        sentences.append(
            f"The study names no axis of {' and of '.join(lacking)}, so that quality and quantity are not exchanged."
        )
    for grid in summary.grids():
        sentences += _list_gaps(summary, grid)
    for found in exchanges:
        if found.rate is None:
            which = f"{found.title}, " if found.title else ""
            sentences.append(
                f"What {which}{summary.quality_axis} {show_value(found.quality)} is worth in clean rows was not "
                f"measured: {found.why}"
            )
    if summary.budget is None:
        sentences.append("The speed was not measured: no cell has a curve of two points or more.")
    return tuple(sentences)


def _list_gaps(summary: "Summary", grid: "Grid") -> list[str]:
    """Return sentences about the amounts at which a quality was not run, though the clean one or another was."""
    gaps: dict[tuple[Any, ...], list[str]] = {}
    for quality in grid.qualities:
        at = tuple(quantity for quantity in grid.quantities if (quantity, quality) not in grid.arms)
        if at:
            gaps.setdefault(at, []).append(show_value(quality))
    which = f"{grid.title}: " if grid.title else ""
    return [
        f"{which}{summary.quality_axis} {', '.join(qualities)} at {summary.quantity_axis} "
        f"{', '.join(map(show_value, at))}."
        for at, qualities in gaps.items()
    ]


def write_cautions(summary: "Summary", comparisons: Sequence[Comparison]) -> tuple[str, ...]:
    """Return what never to conclude from this study, with its own numbers.

    Args:
        summary: the numbers of the study.
        comparisons: those of the main measure.
    """
    return tuple(
        itertools.chain(
            _caution_open(comparisons),
            _caution_rates(summary),
            _caution_repetition(summary),
            _caution_speed(summary),
            _caution_languages(summary),
            _caution_selection(summary),
        )
    )


def _caution_open(comparisons: Sequence[Comparison]) -> list[str]:
    """Return the caution about intervals that hold 0."""
    open_ = [found for found in comparisons if found.difference is not None and found.is_open and found.detectable]
    if not open_:
        return []
    sizes = sorted(found.detectable for found in open_ if found.detectable)
    reach = f"{sizes[0]:.1f}" if len(sizes) == 1 else f"{sizes[0]:.1f} to {sizes[-1]:.1f}"
    return [
        (
            f"That there is no effect where an interval holds 0: {len(open_)} of {len(comparisons)} do, and only "
            f"differences of {reach} points or more would have been found in 80 % of such studies."
        )
    ]


def _caution_rates(summary: "Summary") -> list[str]:
    """Return the caution about what an exchange rate holds for."""
    if not summary.quality_axis or not summary.quantity_axis:
        return []
    return [
        (
            "That an exchange rate holds beyond the amounts that were measured, or for another kind of noise, another "
            "budget of steps or another encoder."
        )
    ]


def _caution_repetition(summary: "Summary") -> list[str]:
    """Return the caution about equal steps, which repeat few rows more often."""
    for grid in summary.grids():
        arms: list[tuple[Any, Arm]] = [
            (quantity, arm) for (quantity, quality), arm in sorted(grid.arms.items()) if quality == summary.clean
        ]
        epochs = [(quantity, count_epochs(arm)) for quantity, arm in arms]
        known = [(quantity, times) for quantity, times in epochs if times is not None]
        if len(known) > 1 and known[0][1] > 1.2 * known[-1][1]:
            (least, often), (most, seldom) = known[0], known[-1]
            return [
                (
                    "That more rows help by being other rows alone: equal steps repeat few rows more often "
                    f"({summary.quantity_axis} {show_value(least)}: {often:.3g} times, {show_value(most)}: "
                    f"{seldom:.3g} times), so that quantity is mixed with repetition."
                )
            ]
    return []


def _caution_speed(summary: "Summary") -> list[str]:
    """Return the caution about steps that are counted up to the budget."""
    if summary.budget is None:
        return []
    return [
        (
            f"How speeds compare beyond {summary.budget:g} steps: runs that did not reach the threshold count as "
            f"{summary.budget:g} steps, and none of them is left out."
        )
    ]


def _caution_languages(summary: "Summary") -> list[str]:
    """Return the caution about languages that were not scored, and about few seeds."""
    seeds = max((len(arm.cells) for arm in summary.arms), default=0)
    cautions = [
        (
            "How large an effect is in languages, tasks or test rows that were not scored: the intervals are over "
            "seeds, for these languages and rows."
        )
    ]
    if seeds < _FEW_SEEDS:
        cautions.append(
            f"Anything from a bootstrap, a sign test or almost stochastic order over {seeds} seeds: they cannot find, "
            "or find too easily, what a t-interval of paired differences shows."
        )
    return cautions


def _caution_selection(summary: "Summary") -> list[str]:
    """Return the caution about the best of many arms."""
    if len(summary.arms) < 3:
        return []
    return [
        (
            f"That the arm with the highest mean will do as well again: it is the best of {len(summary.arms)} in part "
            "by chance; run it anew with other seeds."
        )
    ]
