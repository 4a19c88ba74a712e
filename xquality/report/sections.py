"""The sections of the page: what each shows, as text, figures and tables, made from the numbers of a study."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, final

import numpy as np

from xquality.analysis import EffectiveRows, Interval, crossed_interval, mean_interval, paired_difference
from xquality.data.audit import Audit
from xquality.errors import SerialisationError
from xquality.languages import is_among
from xquality.records import Score
from xquality.report.answer import choose_headlines
from xquality.report.charts import (
    Error,
    ForestRow,
    Line,
    draw_amounts,
    draw_band,
    draw_effective,
    draw_forest,
    draw_map,
    draw_shares,
    draw_survival,
)
from xquality.report.comparisons import Comparison, show_value
from xquality.report.curves import on_common_steps, trained_languages
from xquality.report.rates import Exchange
from xquality.report.speed import Speed, compare_speed
from xquality.report.summary import AREA, SHARE, Arm, Grid, Summary
from xquality.report.svg import spread
from xquality.report.table import Cell, Shown, Table, show_number, show_p_value
from xquality.study.cells import Finished

if TYPE_CHECKING:
    from xquality.analysis import Survival

_MOST_ROWS = 60  # of a forest plot
_MOST_PANELS = 24  # of one kind
_MOST_LINES = 7  # in one panel: as many as there are colours


@final
@dataclass(frozen=True)
class Figure:
    """A figure.

    Attributes:
        name: of its files, and unique on the page.
        svg: the drawing.
    """

    name: str
    svg: str


@final
@dataclass(frozen=True)
class Section:
    """A part of the page.

    Attributes:
        name: unique on the page.
        title: in the list of contents and above the section.
        notes: paragraphs above the figures.
        figures: in their order.
        tables: below the figures.
        source: a program's text, below the tables.
    """

    name: str
    title: str
    notes: Sequence[str] = ()
    figures: Sequence[Figure] = ()
    tables: Sequence[Table] = ()
    source: str = ""


@final
@dataclass(frozen=True)
class Numbers:
    """What several sections are made from.

    Attributes:
        summary: the numbers of the study.
        comparisons: those of the main measure.
        exchanges: those of the main measure, then those of the area under the curve.
        levels: the scores of chance and of trivial baselines by name, from the notes of the cells.
    """

    summary: Summary
    comparisons: Sequence[Comparison]
    exchanges: Sequence[Exchange]
    levels: Mapping[str, float] = field(default_factory=dict)


def gather(summary: Summary) -> Numbers:
    """Return what the sections are made from."""
    exchanges = [*summary.exchange_rates()]
    if AREA in summary.measures and summary.main != AREA:
        exchanges += summary.exchange_rates(AREA)
    return Numbers(summary, summary.comparisons(), exchanges, read_baselines(_cells(summary), summary.main))


def make_sections(numbers: Numbers) -> list[Section]:
    """Return the sections below the answer, those that the study has numbers for."""
    makers = (
        _missing_cells,
        _arms,
        _differences,
        _curves,
        _steps,
        _rates,
        _maps,
        _languages,
        _audits,
        _how_it_was_made,
    )
    return [section for make in makers if (section := make(numbers)) is not None]


def _cells(summary: Summary) -> list[Finished]:
    """Return all finished cells."""
    return [cell for arm in summary.arms for cell in arm.cells.values()]


def _missing_cells(numbers: Numbers) -> Section | None:
    """Return what was left out, and the cells without a result."""
    summary = numbers.summary
    if not summary.missing and not summary.notes:
        return None
    axes = list(dict.fromkeys(name for cell, _ in summary.missing for name in cell))
    rows = [
        [*(_axis_cell(cell[name]) if name in cell else None for name in axes), why] for cell, why in summary.missing
    ]
    tables = [Table("missing", "Cells without a result", [*axes, "reason"], rows, kind="made")] if rows else []
    note = "No number on this page counts the cells in this table." if rows else ""
    return Section("missing", "Missing and left out", [*summary.notes, *([note] if note else [])], tables=tables)


def _axis_cell(value: Any) -> Cell:
    """Return a value of an axis as a cell."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Shown(str(value), float(value)) if is_number else str(value)


def _arms(numbers: Numbers) -> Section:
    """Return the table of arms, and their levels beside chance and trivial baselines."""
    summary = numbers.summary
    notes = [
        (
            f"Means over seeds with 95 % t-intervals. The difference is in {summary.main}, paired by seed, to the arm "
            f"'{summary.reference.name}'; its p-value is adjusted for {len(summary.arms) - 1} comparisons (Holm)."
        )
    ]
    if summary.threshold is not None:
        notes.append(
            "Steps are the median number (Kaplan-Meier) of target-task steps to a zero-shot "
            f"{summary.curve_metric} of {summary.threshold:.1f}: the reference arm's start and {100 * SHARE:.0f} % of "
            f"its gain up to step {summary.budget:g}."
        )
    if summary.budget is not None and AREA in summary.measures:
        notes.append(
            f"The {AREA} is divided by its width, up to step {summary.budget:g}, the last one that every run was "
            "measured at."
        )
    figures = []
    if summary.main:
        rows = [ForestRow(arm.name, found) for arm in summary.arms if (found := arm.interval(summary.main))]
        chart = draw_forest(f"{summary.main} of each arm", rows[:_MOST_ROWS], summary.main, levels=numbers.levels)
        figures.append(Figure("levels", chart))
        notes += _cut(len(rows), _MOST_ROWS, "arms")
    if numbers.levels:
        notes.append(
            "Dashed lines, or arrows where they lie beyond, are what trivial predictions score, from the notes."
        )
    return Section("arms", "Arms", notes, figures, [summary.table(numbers.comparisons)])


def _cut(count: int, most: int, what: str) -> list[str]:
    """Return a sentence that says how many of many are drawn."""
    return [f"The figure has the first {most} of {count} {what}, in the order of the axes."] if count > most else []


_KINDS = {
    "quality": "Quality at equal quantity",
    "quantity": "Quantity at equal quality",
    "reference": "Every arm beside the reference",
}


def _differences(numbers: Numbers) -> Section | None:
    """Return the paired differences of the main measure."""
    summary = numbers.summary
    if not numbers.comparisons:
        return None
    figures, notes = [], []
    for kind, heading in _KINDS.items():
        found = [each for each in numbers.comparisons if each.kind == kind]
        rows = [ForestRow(each.name, each.difference, _forest_note(each)) for each in found[:_MOST_ROWS]]
        if rows:
            label = f"difference in {summary.main}"
            title = f"{heading} '{summary.reference.name}'" if kind == "reference" else heading
            figures.append(Figure(f"differences-{kind}", draw_forest(title, rows, label)))
            notes += _cut(len(found), _MOST_ROWS, f"comparisons of the kind '{heading.lower()}'")
    head = ["comparison", "difference", "pairs", "p", "p (Holm)", "correlation", "variance ratio", "detectable", "kind"]
    table = Table(
        "differences",
        "Paired differences",
        head,
        [_difference_row(each) for each in numbers.comparisons],
        frozenset({"difference"}),
    )
    notes.insert(
        0,
        f"Differences in {summary.main}, paired by seed, with 95 % t-intervals; grey where the interval holds 0, which "
        "is no evidence that there is no effect; hollow for one pair, which has no interval. p-values are adjusted "
        f"within each of the {len(figures)} kinds: quality at equal quantity, quantity at equal quality, and every arm "
        "beside the reference. The correlation of the two arms over seeds, and the variance of the paired "
        "over that of the unpaired difference, say how much pairing removes; differences below the detectable one are "
        "missed in more than 20 % of such studies.",
    )
    return Section("differences", "Differences", notes, figures, [table])


def _forest_note(found: Comparison) -> str:
    """Return what a forest plot says beside an interval."""
    if found.difference is None:
        return "no common seed"
    adjusted = "" if found.adjusted is None else f", adjusted p {found.adjusted:.3f}"
    return f"{found.difference.count} pairs{adjusted}"


def _difference_row(found: Comparison) -> list[Cell]:
    """Return a row of the table of differences."""
    if found.difference is None:
        return [found.name, "no common seed", 0, None, None, None, None, None, found.kind]
    return [
        found.name,
        found.difference,
        found.difference.count,
        show_p_value(found.difference.p),
        show_p_value(found.adjusted),
        show_number(found.correlation, 2),
        show_number(found.variance_ratio, 2),
        show_number(found.detectable),
        found.kind,
    ]


def _curves(numbers: Numbers) -> Section | None:
    """Return the curves of paired differences over steps, each comparison in a panel of its own."""
    summary = numbers.summary
    metric = summary.curve_metric
    figures: list[Figure] = []
    pairs = [each for each in numbers.comparisons if each.kind in ("quality", "reference")]
    for kind in ("quality", "reference"):
        curves: list[tuple[str, list[float], list[Interval]]] = []
        for each in pairs:
            room = len(figures) + len(curves) < _MOST_PANELS // (2 if kind == "quality" else 1)
            found = _difference_curve(each.arm, each.other) if room and each.kind == kind else None
            if found is not None:
                curves.append((each.name, *found))
        limits = spread([end for _, _, band in curves for each in band for end in _ends(each)], zero=True)
        for name, steps, band in curves:
            chart = draw_band(name, steps, band, "target-task steps (log scale)", f"difference in {metric}", limits)
            figures.append(Figure(f"curve-{len(figures) + 1}", chart))
    if not figures:
        return None
    notes = [
        (
            f"Paired differences in the mean zero-shot {metric} during the target stage, over the steps that all their "
            "seeds were measured around; panels that are named after an arm compare it with "
            f"'{summary.reference.name}'. Bands are 95 % t-intervals at each step alone; a band of differences shows "
            "what two overlapping bands of levels hide."
        )
    ]
    notes += [f"{len(figures)} of {len(pairs)} comparisons are drawn."] if len(figures) < len(pairs) else []
    return Section("curves", "Learning curves", notes, figures)


def _ends(found: Interval) -> tuple[float, ...]:
    """Return the ends of an interval, where it has them, or its mean."""
    return (found.low, found.high) if math.isfinite(found.low) else (found.mean,)


def _difference_curve(arm: Arm, other: Arm) -> tuple[list[float], list[Interval]] | None:
    """Return the steps, and the paired difference of two arms at each; None without common seeds or steps."""
    seeds = [seed for seed in arm.runs if seed in other.runs]
    if not seeds:
        return None
    steps, values = on_common_steps([side.runs[seed] for side in (arm, other) for seed in seeds])
    difference = values[: len(seeds)] - values[len(seeds) :]
    shared = ~np.isnan(difference).any(axis=0)
    if shared.sum() < 2:
        return None
    return steps[shared].tolist(), [mean_interval(column.tolist()) for column in difference[:, shared].T]


def _steps(numbers: Numbers) -> Section | None:
    """Return the steps to the threshold: Kaplan-Meier curves, and the steps that each comparison saves."""
    summary = numbers.summary
    if summary.threshold is None or summary.budget is None:
        return None
    threshold = summary.threshold
    figures: list[Figure] = []
    for title, arms in _split(summary.panels()):
        lines: list[tuple[int, str, Survival]] = []
        for place, arm in enumerate(arms):
            survival = arm.survival(threshold)
            if survival is not None:
                lines.append((place, arm.name, survival))
        if lines and len(figures) < _MOST_PANELS:
            name = title or "Steps to the threshold"
            figures.append(Figure(f"steps-{len(figures) + 1}", draw_survival(name, lines, summary.budget)))
    speeds = [speed for each in numbers.comparisons if (speed := compare_speed(summary, each)) is not None]
    areas = (
        {(each.kind, each.name): each.difference for each in summary.comparisons(AREA)}
        if AREA in summary.measures
        else {}
    )
    head = ["comparison", "steps saved", "times as fast", "runs that did not reach it", f"difference in {AREA}", "kind"]
    rows = [_speed_row(speed, areas.get((speed.compared.kind, speed.compared.name))) for speed in speeds]
    table = Table("speed", "Steps saved", head, rows, frozenset({"steps saved", head[-2]}))
    notes = [
        (
            f"Steps until the zero-shot {summary.curve_metric} is {threshold:.1f}, {100 * SHARE:.0f} % of the "
            f"reference arm's gain up to step {summary.budget:g}, by isotonic regression and interpolation over the "
            "logarithm of steps. Runs that did not reach it are censored: the curves count them as long as they were "
            f"watched, and the table counts them as {summary.budget:g} steps, so that it speaks of this budget only."
        )
    ]
    return Section("steps", "Steps to the threshold", notes, figures, [table])


def _split(panels: Sequence[tuple[str, Sequence[Arm]]]) -> list[tuple[str, Sequence[Arm]]]:
    """Return panels of no more arms than there are colours."""
    made = []
    for title, arms in panels:
        parts = [arms[start : start + _MOST_LINES] for start in range(0, len(arms), _MOST_LINES)]
        for number, part in enumerate(parts, 1):
            made.append((f"{title} ({number} of {len(parts)})".strip() if len(parts) > 1 else title, part))
    return made


def _speed_row(speed: Speed, area: Interval | None) -> list[Cell]:
    """Return a row of the table of speeds."""
    compared = speed.compared
    censored = Shown(f"{100 * speed.censored:.0f} %", 100 * speed.censored)
    saved: Cell = f"withheld: {speed.why}" if speed.saved is None else speed.saved
    return [compared.name, saved, _times(speed.times), censored, area, compared.kind]


def _times(found: Interval | None) -> Cell:
    """Return a ratio of steps as a cell."""
    if found is None:
        return None
    ends = f" [{found.low:.2f}, {found.high:.2f}]" if math.isfinite(found.low) and found.count > 1 else ""
    return Shown(f"{found.mean:.2f}{ends}", found.mean)


def _rates(numbers: Numbers) -> Section | None:
    """Return what a row of each quality is worth: the curves raw and shifted, and the effective rows."""
    summary = numbers.summary
    measured = [found for found in numbers.exchanges if found.rate is not None]
    if not numbers.exchanges:
        return None
    figures: list[Figure] = []
    for number, found in enumerate([found for found in measured if found.measure == summary.main][:6], 1):
        figures += _rate_figures(numbers, found, number)
    axis = summary.quality_axis
    head = [
        axis,
        "measure",
        "clean rows that one row is worth",
        "by seeds alone",
        "points for e times the rows",
        "p (slope)",
        "p (lack of fit)",
        "seeds",
        "withheld",
    ]
    rows = [_rate_row(found) for found in numbers.exchanges]
    effective = [
        [_group(found), found.measure, show_number(at, 0), *_effective_cells(rows_)]
        for found in measured
        for at, rows_ in found.effective().items()
    ]
    unit = measured[0].unit if measured else "rows"
    tables = [Table("rates", "Exchange rates", head, rows)]
    if effective:
        names = [axis, "measure", unit, f"clean {unit} that score alike", "low", "high"]
        tables.append(Table("effective", "Effective rows", names, effective))
    equal = {found.equal_steps for found in measured}
    steps = "All these arms made equal steps. " if equal == {True} else ""
    notes = [
        (
            f"The exchange rate shifts the curve of a quality along the logarithm of {unit} until it lies on the clean "
            f"one ({axis} {show_value(summary.clean)}). {steps}It is an average over the amounts that were measured, "
            "and holds for no others. The test of fit has little power: look at the effective amounts, which take each "
            "amount alone, beside it. A rate that the scores do not determine is withheld."
        )
    ]
    notes += list(
        dict.fromkeys(
            f"{_group(found)}, {found.measure}: {note}" for found in measured if found.rate for note in found.rate.notes
        )
    )
    return Section("rates", "Exchange rate of quality for quantity", notes, figures, tables)


def _group(found: Exchange) -> str:
    """Return the quality of an exchange rate, with what its arms share."""
    return f"{found.title}, {show_value(found.quality)}" if found.title else show_value(found.quality)


def _rate_figures(numbers: Numbers, found: Exchange, number: int) -> list[Figure]:
    """Return the panels of one quality: both curves as they are, one shifted onto the other, and the effective rows."""
    summary, rate = numbers.summary, found.rate
    assert rate is not None
    shown, clean_name, other_name = (
        f"{summary.quality_axis} {show_value(found.quality)}",
        f"{summary.quality_axis} {show_value(found.clean)}",
        f"{summary.quality_axis} {show_value(found.quality)}",
    )
    head = f"{found.title}, {shown}" if found.title else shown
    clean, other = _amount_errors(found.clean_scores), _amount_errors(found.other_scores)
    shift = rate.rate if found.why is None else None
    amounts = [at for at, *_ in (*clean, *other)]
    every = [*amounts, *(shift * at for at, *_ in other if shift)]
    limits = (0.85 * min(every), 1.2 * max(every))
    levels = dict(numbers.levels)
    reference = summary.reference.interval(found.measure)
    if reference is not None and summary.reference.values.get(summary.quality_axis) is None:
        levels[summary.reference.name] = reference.mean
    unit = f"{found.unit} (log scale)"
    lines = [_line(clean_name, 0, clean), _line(other_name, 1, other)]
    panels = [draw_amounts(f"{head}: as measured", lines, unit, found.measure, levels, limits)]
    if shift is not None:
        moved: list[Error] = [(shift * at, mean, low, high) for at, mean, low, high in other]
        lines = [_line(clean_name, 0, clean), Line(f"{other_name}, amounts times {shift:.2g}", 1, (), moved)]
        title = f"{head}: shifted by the exchange rate"
        panels.append(draw_amounts(title, lines, f"effective {unit}", found.measure, {}, limits))
    each: dict[float, Error] = {at: (at, *rows) for at, rows in found.effective().items()}
    ends = (min(found.clean_scores), max(found.clean_scores))
    panels.append(draw_effective(f"{head}: effective {found.unit} at each amount", each, shift, found.unit, ends))
    return [
        Figure(f"rate-{number}-{part}", svg)
        for part, svg in zip(("raw", "shifted", "effective") if shift else ("raw", "effective"), panels, strict=True)
    ]


def _amount_errors(scores: Mapping[float, Mapping[Any, float]]) -> list[Error]:
    """Return the mean score at each amount with its interval."""
    found = {at: mean_interval(list(cell.values())) for at, cell in sorted(scores.items())}
    return [(at, interval.mean, interval.low, interval.high) for at, interval in found.items()]


def _line(name: str, series: int, errors: Sequence[Error]) -> Line:
    """Return a series with a line through its means."""
    return Line(name, series, [(at, mean) for at, mean, _, _ in errors], errors)


def _rate_row(found: Exchange) -> list[Cell]:
    """Return a row of the table of exchange rates."""
    rate = found.rate
    if rate is None:
        return [_group(found), found.measure, "not measured", None, None, None, None, None, found.why]
    worth: Cell = "withheld" if found.why else Shown(f"{rate.rate:.2f} [{rate.low:.2f}, {rate.high:.2f}]", rate.rate)
    low, high = rate.by_seeds
    return [
        _group(found),
        found.measure,
        worth,
        None if found.why else f"[{low:.2f}, {high:.2f}]",
        show_number(rate.slope, 2),
        show_p_value(rate.slope_p),
        show_p_value(rate.lack_of_fit_p) if math.isfinite(rate.lack_of_fit_p) else None,
        rate.seeds,
        found.why or "",
    ]


def _effective_cells(found: EffectiveRows) -> list[Cell]:
    """Return an effective amount and the ends of its interval as cells; beyond the clean amounts they are bounds."""
    rows, low, high = found
    shown = "below all" if rows <= 0 else "above all" if not math.isfinite(rows) else f"{rows:.0f}"
    return [
        Shown(shown, rows),
        Shown("below all" if low <= 0 else f"{low:.0f}", low),
        Shown("above all" if not math.isfinite(high) else f"{high:.0f}", high),
    ]


def _maps(numbers: Numbers) -> Section | None:
    """Return the heat maps of quality and quantity."""
    summary = numbers.summary
    shown = [name for name in dict.fromkeys((summary.main, AREA)) if name in summary.measures]
    figures: list[Figure] = []
    for grid, name in itertools.product(summary.grids(), shown):
        found = {place: interval for place, arm in grid.arms.items() if (interval := arm.interval(name)) is not None}
        if found:
            figures.append(Figure(f"map-{len(figures) + 1}", _draw_map(summary, grid, name, found)))
    if not figures:
        return None
    note = "Means over seeds, ± half the 95 % interval; empty where no cell was run."
    return Section("maps", "Quality and quantity", [note], figures)


def _draw_map(summary: Summary, grid: Grid, name: str, found: Mapping[tuple[Any, Any], Interval]) -> str:
    """Return one heat map."""
    title = ": ".join(filter(None, (grid.title, name)))
    return draw_map(title, grid.quantities, grid.qualities, found, summary.quantity_axis, summary.quality_axis)


def _languages(numbers: Numbers) -> Section | None:
    """Return the scores by language, those that were trained in marked and apart from the zero-shot mean."""
    summary = numbers.summary
    table_of = _read_languages(summary)
    if table_of is None:
        return None
    metric, columns, values = table_of
    trained = [name for name in columns if is_among(name.rpartition("/")[2], summary.trained)]
    zero_shot = [name for name in columns if name not in trained]
    head = ["arm", "zero-shot mean", "over seeds and languages", *zero_shot, *trained]
    rows: list[list[Cell]] = []
    marked = set()
    for number, arm in enumerate(summary.arms):
        found = values[arm.name]
        own = trained_languages([cell.result.history for cell in arm.cells.values() if cell.result.history is not None])
        cells: list[Cell] = [arm.name, *_zero_shot_cells(found, zero_shot)]
        for name in (*zero_shot, *trained):
            scores = list(found.get(name, {}).values())
            cells.append(_language_cell(scores, len(arm.cells)))
            if is_among(name.rpartition("/")[2], own):
                marked.add((number, len(cells) - 1))
        rows.append(cells)
    notes = [
        f"{metric}: means over seeds with 95 % t-intervals. † marks the languages that the arm was trained in"
        + (f"; {', '.join(trained)} were trained in by some arm and are in no zero-shot mean." if trained else "."),
        (
            "All seeds are scored on the same test rows, and these may be parallel over languages: the intervals of "
            "levels say how far training varies, and understate how far scores on other rows would. Differences "
            "between arms suffer less. The second mean has an interval over seeds and languages (crossed): for "
            "languages of this kind rather than these."
        ),
    ]
    table = Table("languages", f"{metric} by language", head, rows, marked=frozenset(marked))
    return Section("languages", "Languages", notes, _language_figures(numbers, values, zero_shot, metric), [table])


def _read_languages(summary: Summary) -> tuple[str, list[str], dict[str, dict[str, dict[Any, float]]]] | None:
    """Return the metric, the languages, and by arm and language the score of each seed; None without scores."""
    scores = [score for cell in _cells(summary) for score in cell.result.scores]
    if not scores:
        return None
    metrics = dict.fromkeys(score.metric for score in scores)
    metric = next((name for name in metrics if name in summary.main), scores[0].metric)
    several = len({score.task for score in scores}) > 1
    columns = list(dict.fromkeys(_column(score, several=several) for score in scores))
    values: dict[str, dict[str, dict[Any, float]]] = {arm.name: {} for arm in summary.arms}
    for arm in summary.arms:
        for seed, cell in arm.cells.items():
            for score in cell.result.scores:
                if score.metric == metric:
                    values[arm.name].setdefault(_column(score, several=several), {})[seed] = score.value
    return metric, columns, values


def _column(score: Score, *, several: bool) -> str:
    """Return the column of a score: its language, and its task where there are several."""
    return f"{score.task}/{score.language}" if several else score.language


def _language_cell(scores: Sequence[float], cells: int) -> Cell:
    """Return the mean of a language's scores, with their number where it is not that of the cells."""
    if not scores:
        return None
    found = mean_interval(scores)
    if len(scores) == cells:
        return found
    return Shown(f"{found.mean:.1f} ({len(scores)} of {cells})", found.mean)


def _zero_shot_cells(found: Mapping[str, Mapping[Any, float]], zero_shot: Sequence[str]) -> list[Cell]:
    """Return the mean over zero-shot languages, with an interval over seeds, and with one over seeds and languages."""
    columns = [found[name] for name in zero_shot if name in found]
    seeds = [seed for seed in columns[0] if all(seed in column for column in columns)] if columns else []
    if len(columns) < len(zero_shot) or not seeds:
        return [None, None]
    table = np.array([[column[seed] for column in columns] for seed in seeds])
    crossed = crossed_interval(table) if min(table.shape) > 1 else None
    return [mean_interval(table.mean(axis=1).tolist()), crossed]


def _language_figures(
    numbers: Numbers, values: Mapping[str, Mapping[str, Mapping[Any, float]]], zero_shot: Sequence[str], metric: str
) -> list[Figure]:
    """Return the headline differences language by language."""
    quality, quantity = choose_headlines(numbers.summary, numbers.comparisons)
    clean = {found.other.name for found in quality}
    beside = [each for each in numbers.comparisons if each.kind == "reference" and each.arm.name in clean]
    chosen = [*quality[:2], *quantity[:1], *beside[:1]] or list(numbers.comparisons[:3])
    figures = []
    for number, compared in enumerate(chosen, 1):
        own, other = values[compared.arm.name], values[compared.other.name]
        rows = [
            ForestRow(name, paired_difference(own[name], other[name]))
            for name in zero_shot
            if own.get(name, {}).keys() & other.get(name, {}).keys()
        ]
        if rows:
            to = f" beside '{compared.other.name}'" if compared.kind == "reference" else ""
            chart = draw_forest(f"{compared.name}{to}", rows, f"difference in {metric}")
            figures.append(Figure(f"languages-{number}", chart))
    return figures


def _audits(numbers: Numbers) -> Section | None:
    """Return how well filters found the noise that the rows record, from the notes of the cells."""
    arms = {arm.name: found for arm in numbers.summary.arms if (found := read_audits(arm)) is not None}
    if not arms:
        return None
    head = ["arm", "cells", "unit", "read", "noisy", "found", "both", "restored", "precision", "recall", "F1"]
    rows = [
        [
            name,
            count,
            audit.unit,
            *(getattr(audit, part) for part in ("rows", "noisy", "found", "correct", "restored")),
            *(show_number(getattr(audit, part), 2) for part in ("precision", "recall", "f1")),
        ]
        for name, (audit, count) in arms.items()
    ]
    figures: list[Figure] = []
    for name, (audit, _) in itertools.islice(arms.items(), 6):
        classes = {**audit.classes, "all classes": audit} if audit.classes else {"all rows": audit}
        bars = [(label, [(each.correct, each.found), (each.correct, each.noisy)]) for label, each in classes.items()]
        names = ["precision: noisy of those found", "recall: found of those noisy"]
        figures.append(Figure(f"audit-{len(figures) + 1}", draw_shares(f"{name}: what the filter found", bars, names)))
    note = "Counts are sums over the arm's cells, from the audits in their notes."
    return Section(
        "audits", "What the filters found", [note], figures, [Table("audits", "Audits of filters", head, rows)]
    )


def _is_audit(note: Any) -> bool:
    """Return whether a note is an audit."""
    try:
        Audit.from_dict(note)
    except SerialisationError:
        return False
    return True


def read_audits(arm: Arm) -> tuple[Audit, int] | None:
    """Return the sum of the audits in the notes of an arm's cells, and the number of cells that have one; or None."""
    found = []
    for cell in arm.cells.values():
        for note in cell.result.notes.values():
            try:
                found.append(Audit.from_dict(note))
            except SerialisationError:
                continue
    return (_add_audits(found), len(found)) if found else None


def _add_audits(audits: Sequence[Audit]) -> Audit:
    """Return the sums of counts, also by class."""
    counts = [sum(getattr(each, part) for each in audits) for part in ("rows", "noisy", "found", "correct", "restored")]
    kinds = {}
    for kind in ("classes", "seen"):
        names = dict.fromkeys(name for each in audits for name in getattr(each, kind))
        kinds[kind] = {
            name: _add_audits([getattr(each, kind)[name] for each in audits if name in getattr(each, kind)])
            for name in names
        }
    return Audit(*counts, unit=audits[0].unit, classes=kinds["classes"], seen=kinds["seen"])


def read_baselines(cells: Sequence[Finished], main: str) -> dict[str, float]:
    """Return the scores of trivial predictions by name, from the cells' note `baselines`.

    The note maps names to scores, or is what `evaluation.constant_baselines` returned, of one language or of several by
    language: then the best of each counts, in the metric that the main measure is named after.

    Args:
        cells: the finished cells.
        main: the main measure.
    """
    found: dict[str, list[float]] = {}
    for cell in cells:
        note = cell.result.notes.get("baselines")
        if isinstance(note, list | tuple):
            note = {"best constant prediction": note}
        for name, value in note.items() if isinstance(note, Mapping) else ():
            if isinstance(value, list | tuple):
                score = _constant_score(value, main)
                if score is not None:
                    found.setdefault("best constant prediction", []).append(score)
            elif isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                found.setdefault(str(name), []).append(float(value))
    return {name: sum(values) / len(values) for name, values in found.items()}


def _constant_score(baselines: Sequence[Any], main: str) -> float | None:
    """Return the score of the best constant prediction; None where the note holds something else."""
    best = baselines[0] if baselines and isinstance(baselines[0], Mapping) else {}
    scores = best.get("scores")
    if not isinstance(scores, Mapping) or not scores:
        return None
    metric = next((name for name in scores if name in main), next(iter(scores)))
    value = scores[metric]
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


_NOTES = 3  # different values of one note that are shown


def _how_it_was_made(numbers: Numbers) -> Section:
    """Return the settings, notes and versions, and the trial's text."""
    summary = numbers.summary
    cells = _cells(summary)
    made = summary.study.get("made", {})
    seconds = [float(cell.run.get("seconds", 0)) for cell in cells]
    finished = sorted(str(cell.run["finished"]) for cell in cells if "finished" in cell.run)
    lines: dict[str, Any] = {
        "command": made.get("command", ""),
        "axes": summary.study["axes"],
        "digest of the trial": summary.study["source"],
        "host": ", ".join(dict.fromkeys(str(cell.run["host"]) for cell in cells if "host" in cell.run)),
        "finished": f"{finished[0]} to {finished[-1]}" if finished else "",
        "time": f"{sum(seconds):.0f} s in all, {sum(seconds) / len(seconds):.1f} s a cell",
        "versions": _versions(cells),
        **_gather_notes(cells),
    }
    scores = cells[0].result.scores
    if scores:
        lines["a score in full"] = str(scores[0])
    rows = [[name, write_value(value)] for name, value in lines.items() if value]
    table = Table("made", "How it was made", ["what", "value"], rows, kind="made")
    return Section("made", "How it was made", tables=[table], source=made.get("trial", ""))


def _gather_notes(cells: Sequence[Finished]) -> dict[str, str]:
    """Return the notes of all cells by name; one that is not the same in all of them says in how many it is."""
    found: dict[str, dict[str, int]] = {}
    for cell in cells:
        for name, value in cell.result.notes.items():
            if name == "baselines" or _is_audit(value):
                continue  # shown elsewhere
            counts, text = found.setdefault(f"note: {name}", {}), write_value(value)
            counts[text] = counts.get(text, 0) + 1
    notes = {}
    for name, counts in found.items():
        if list(counts.values()) == [len(cells)]:
            notes[name] = next(iter(counts))
        else:
            shown = [f"{text} (in {count} of {len(cells)} cells)" for text, count in list(counts.items())[:_NOTES]]
            more = [f"and {len(counts) - _NOTES} others"] if len(counts) > _NOTES else []
            notes[name] = "; ".join([*shown, *more])
    return notes


def _versions(cells: Sequence[Finished]) -> dict[str, str]:
    """Return the versions that the cells were run with, all of them where they differ."""
    found: dict[str, dict[str, None]] = {}
    for cell in cells:
        for name, version in cell.versions.items():
            found.setdefault(name, {})[version] = None
    return {name: " and ".join(versions) for name, versions in found.items()}


def write_value(value: Any) -> str:
    """Return a note's value as text.

    Example:
        >>> write_value({"seeds": [0, 1], "split": "test"})
        'seeds: 0; 1, split: test'
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {write_value(inner)}" for name, inner in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "; ".join(write_value(inner) for inner in value)
    return str(value)
