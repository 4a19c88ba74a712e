"""write_report: a self-contained HTML page for a study folder."""

import html
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from xquality import _settings
from xquality._files import write_text
from xquality._tables import html_table, printable
from xquality.records import Score
from xquality.report.figures import draw_differences, draw_heat_map, draw_panels, to_svg
from xquality.report.summary import AREA, SHARE, Grid, Summary, summarise
from xquality.study.cells import Finished

_SHOWN = 30  # missing cells that are shown without a click
_NOTES = 3  # different values of one note that are shown


def write_report(folder: str | Path, *, title: str | None = None, reference: str | None = None) -> Path:
    """Write `report.html` into a study folder from its finished cells, and return its path.

    The page needs no network and no other file. It holds the table of arms, the differences paired by seed, the
    learning curves with bands, the heat map of quality and quantity, the scores by language, and how it was made.

    Args:
        folder: what `Study.run` returned.
        title: the page's heading; None for the trial's name.
        reference: the name of the arm that differences are taken to; None for the first arm.

    Raises:
        StudyError: where the folder holds no finished cells, or no arm of that name.

    Example:
        >>> import tempfile
        >>> from xquality import Result
        >>> from xquality.study import Study
        >>> def trial(rate: float, seed: int) -> Result:
        ...     return Result(measures={"score": 100 * (1 - rate) + seed})
        >>> with tempfile.TemporaryDirectory() as place:
        ...     folder = Study(trial, axes={"rate": [0.0, 0.2], "seed": range(2)}).run(place, progress=False)
        ...     write_report(folder).name
        'report.html'
    """
    summary = summarise(folder, reference)
    heading = printable(title or str(summary.study["trial"]).replace("_", " "))
    parts = [
        f"<h1>{html.escape(heading)}</h1>",
        _describe_cells(summary),
        make_section("Arms", _explain_arms(summary), html_table(*summary.texts())),
        *_list_missing(summary),
        *_draw_figures(summary),
        make_section("Scores by language", "Means over seeds.", _make_languages_table(summary)),
        make_section("How it was made", "", _make_settings_table(summary)),
    ]
    style = files("xquality.report").joinpath("page.css").read_text(encoding="utf-8")
    page = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(heading)}</title>\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>\n{style}</style></head>\n'
        f"<body><main>\n{chr(10).join(parts)}\n</main></body></html>\n"
    )
    path = _settings.path("write_report", "folder", folder) / "report.html"
    write_text(path, page)
    return path


def _describe_cells(summary: Summary) -> str:
    """Return sentences with the numbers of cells, arms and seeds."""
    seeds = {seed for arm in summary.arms for seed in arm.cells}
    cells = sum(len(arm.cells) for arm in summary.arms)
    missing = (
        f" {len(summary.missing)} cells of the axes are missing; they are listed below." if summary.missing else ""
    )
    return (
        f"<p>{cells} finished cells: {len(summary.arms)} arms, {len(seeds)} seeds.{missing} Intervals are 95 % "
        "t-intervals over seeds; differences are paired by seed. One value alone has no interval.</p>"
    )


def _list_missing(summary: Summary) -> list[str]:
    """Return the sections that list what was left out and the missing cells with their reasons, where there are any."""
    made = []
    if summary.notes:
        items = "".join(f"<li>{html.escape(printable(note))}</li>" for note in summary.notes)
        made.append(make_section("What was left out", "", f"<ul>{items}</ul>"))
    if summary.missing:
        axes = list(dict.fromkeys(name for cell, _ in summary.missing for name in cell))
        rows = [
            [*(printable(cell[name]) if name in cell else "" for name in axes), printable(reason)]
            for cell, reason in summary.missing
        ]
        note = "Cells of the study's axes without a result: no number on this page counts them."
        table = html_table([*map(printable, axes), "reason"], rows, "made")
        if len(rows) > _SHOWN:
            table = f"<details><summary>{len(rows)} cells</summary>{table}</details>"
        made.append(make_section("Missing cells", note, table))
    return made


def _explain_arms(summary: Summary) -> str:
    """Return a note on the columns of the table of arms."""
    note = (
        f"The difference is in {summary.main}, to the arm '{summary.reference.name}', over the pairs: the seeds that "
        "both have. p-values are of single comparisons, not adjusted for their number."
    )
    if summary.threshold is not None:
        note += (
            f" Steps are the median number of target-task steps to a zero-shot score of {summary.threshold:.1f}: the "
            f"reference arm's start and {100 * SHARE:.0f} % of its gain up to step {summary.budget:g}; beside it is "
            "how many of the runs with a curve reached it."
        )
    if summary.budget is not None and AREA in summary.measures:
        note += (
            f" The {AREA} is divided by its width, up to step {summary.budget:g}, the last one that every run was "
            "measured at."
        )
    return note


def _draw_figures(summary: Summary) -> list[str]:
    """Return the sections with figures, for which the study has numbers."""
    made = []
    if len(summary.arms) > 1 and summary.main:
        height = 1.0 + 0.34 * len(summary.arms)
        made.append(
            make_section(
                "Differences",
                "Grey where the interval holds 0; hollow for a single pair, which has no interval.",
                to_svg(lambda axes: draw_differences(axes[0], summary, summary.main), 7.5, height),
            )
        )
    panels = len(summary.panels())
    if panels:
        note = (
            "Zero-shot score during the target stage: mean over seeds up to the last step of the shortest, bands are "
            "95 % t-intervals; thin lines are single seeds, where some go on for longer; the reference arm is grey, "
            "the dotted line is the threshold of the table."
        )
        made.append(
            make_section(
                "Learning curves",
                note,
                to_svg(lambda axes: draw_panels(axes, summary), 3.6 * max(2, panels), 4.6, panels),
            )
        )
    shown = [name for name in dict.fromkeys((summary.main, AREA)) if name in summary.measures]
    maps = [_draw_map(summary, name, grid) for grid in summary.grids() for name in shown if _has_values(grid, name)]
    if maps:
        made.append(
            make_section(
                "Quality and quantity",
                "Mean over seeds, ± half the 95 % interval; empty where no cell was run.",
                f'<div class="maps">{"".join(maps)}</div>',
            )
        )
    return made


def _has_values(grid: Grid, measure: str) -> bool:
    """Return whether any arm of a grid has the measure."""
    return any(measure in arm.measures for arm in grid.arms.values())


def _draw_map(summary: Summary, measure: str, grid: Grid) -> str:
    """Return one heat map."""
    return to_svg(lambda axes: draw_heat_map(axes[0], summary, measure, grid), 4.6, 3.4)


def _make_languages_table(summary: Summary) -> str:
    """Return the mean score of every arm in every language, for the first metric of the scores."""
    scores = [score for arm in summary.arms for cell in arm.cells.values() for score in cell.result.scores]
    if not scores:
        return "<p>The trial returned no scores by language.</p>"
    metrics = dict.fromkeys(score.metric for score in scores)
    metric = next((name for name in metrics if name in summary.main), scores[0].metric)
    several = len({score.task for score in scores}) > 1
    columns = list(dict.fromkeys(_column(score, several=several) for score in scores))
    rows = []
    for arm in summary.arms:
        values: dict[str, list[float]] = {}
        for cell in arm.cells.values():
            for score in cell.result.scores:
                if score.metric == metric:
                    values.setdefault(_column(score, several=several), []).append(score.value)
        rows.append([printable(arm.name), *(_write_mean(values.get(name, []), len(arm.cells)) for name in columns)])
    return f"<p>Metric: {html.escape(metric)}.</p>" + html_table(["arm", *map(printable, columns)], rows)


def _write_mean(values: Sequence[float], cells: int) -> str:
    """Return a mean as text, with the number of values where that is not the number of cells; nothing for no values."""
    if not values:
        return ""
    return f"{sum(values) / len(values):.1f}" + (f" ({len(values)} of {cells})" if len(values) < cells else "")


def _column(score: Score, *, several: bool) -> str:
    """Return the column of a score: its language, and its task where there are several."""
    return f"{score.task}/{score.language}" if several else score.language


def _make_settings_table(summary: Summary) -> str:
    """Return the table of settings, notes and versions."""
    cells = [cell for arm in summary.arms for cell in arm.cells.values()]
    seconds = [float(cell.run.get("seconds", 0)) for cell in cells]
    lines: dict[str, Any] = {
        "axes": summary.study["axes"],
        "trial source": summary.study["source"],
        **_gather_notes(cells),
        "versions": _versions(summary),
        "time": f"{sum(seconds):.0f} s in all, {sum(seconds) / len(seconds):.1f} s a cell",
    }
    scores = cells[0].result.scores
    if scores:
        lines["a score in full"] = str(scores[0])
    rows = [[printable(name), printable(write_value(value))] for name, value in lines.items()]
    return html_table(["what", "value"], rows, "made")


def _gather_notes(cells: Sequence[Finished]) -> dict[str, str]:
    """Return the notes of all cells by name; one that is not the same in all of them says in how many it is."""
    found: dict[str, dict[str, int]] = {}
    for cell in cells:
        for name, value in cell.result.notes.items():
            counts = found.setdefault(str(name), {})
            counts[write_value(value)] = counts.get(write_value(value), 0) + 1
    notes = {}
    for name, counts in found.items():
        if list(counts.values()) == [len(cells)]:
            notes[name] = next(iter(counts))
        else:
            shown = [f"{text} (in {count} of {len(cells)} cells)" for text, count in list(counts.items())[:_NOTES]]
            more = [f"and {len(counts) - _NOTES} others"] if len(counts) > _NOTES else []
            notes[name] = "; ".join([*shown, *more])
    return notes


def _versions(summary: Summary) -> dict[str, str]:
    """Return the versions that the cells were run with, all of them where they differ."""
    found: dict[str, dict[str, None]] = {}
    for arm in summary.arms:
        for cell in arm.cells.values():
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


def make_section(title: str, note: str, body: str) -> str:
    """Return a headed part of the page; `body` is HTML, the title and the note are text."""
    paragraph = f'<p class="note">{html.escape(note)}</p>' if note else ""
    return f'<section><h2>{html.escape(title)}</h2>{paragraph}\n<div class="wide">{body}</div></section>'
