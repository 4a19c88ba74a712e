"""write_report: a self-contained HTML page for a study folder."""

import html
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from xquality._files import write_text
from xquality.analysis import Interval
from xquality.records import Score
from xquality.report.figures import draw_differences, draw_heat_map, draw_panels, to_svg
from xquality.report.summary import AREA, Arm, Summary, summarise


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
    heading = title or str(summary.study["trial"]).replace("_", " ")
    parts = [
        f"<h1>{html.escape(heading)}</h1>",
        _describe_cells(summary),
        make_section("Arms", _explain_arms(summary), _make_arms_table(summary)),
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
    path = Path(folder) / "report.html"
    write_text(path, page)
    return path


def _describe_cells(summary: Summary) -> str:
    """Return a sentence with the numbers of cells, arms and seeds."""
    seeds = sorted({str(seed) for arm in summary.arms for seed in arm.cells})
    cells = sum(len(arm.cells) for arm in summary.arms)
    return (
        f"<p>{cells} finished cells: {len(summary.arms)} arms, {len(seeds)} seeds. Intervals are 95 % t-intervals over "
        "seeds; differences are paired by seed.</p>"
    )


def _explain_arms(summary: Summary) -> str:
    """Return a note on the columns of the table of arms."""
    note = f"The difference is in {summary.main}, to the arm '{summary.reference.name}'."
    if summary.threshold is not None:
        note += (
            f" Steps are the median number of target-task steps to a zero-shot score of {summary.threshold:.1f}, "
            "90 % of the best arm's final score on the curves; seeds that never reached it are counted. The area under "
            "the curve is divided by its width, up to the last step of the shortest arm."
        )
    return note


def _make_arms_table(summary: Summary) -> str:
    """Return the table of arms."""
    head = ["arm", "seeds", *summary.measures, "difference", "p"]
    if summary.threshold is not None:
        head.append(f"steps to {summary.threshold:.1f}")
    rows = [_arm_row(summary, arm) for arm in summary.arms]
    return make_table(head, rows)


def _arm_row(summary: Summary, arm: Arm) -> list[str]:
    """Return one arm's row."""
    row = [arm.name, str(len(arm.cells)), *(write_interval(arm.interval(name)) for name in summary.measures)]
    difference = None if arm is summary.reference else arm.difference(summary.reference, summary.main)
    row += [
        write_interval(difference, sign=True),
        "" if difference is None or difference.p is None else write_p_value(difference.p),
    ]
    if summary.threshold is not None:
        found = arm.steps_to(summary.threshold)
        if found is None:
            row.append("")
        else:
            median, missed = found
            row.append(f"{median:.1f}" + (f" ({missed} of {len(arm.cells)} never)" if missed else ""))
    return row


def _draw_figures(summary: Summary) -> list[str]:
    """Return the sections with figures, for which the study has numbers."""
    made = []
    if len(summary.arms) > 1 and summary.main:
        height = 1.0 + 0.28 * len(summary.arms)
        made.append(
            make_section(
                "Differences",
                "Grey where the interval holds 0.",
                to_svg(lambda axes: draw_differences(axes[0], summary, summary.main), 7.5, height),
            )
        )
    panels = len(summary.panels())
    if panels:
        note = (
            "Zero-shot score during the target stage: mean over seeds, bands are 95 % t-intervals; the reference arm "
            "is grey, the dotted line is the threshold of the table."
        )
        made.append(
            make_section(
                "Learning curves",
                note,
                to_svg(lambda axes: draw_panels(axes, summary), 3.6 * max(2, panels), 4.6, panels),
            )
        )
    if summary.grid() is not None:
        shown = [name for name in (summary.main, AREA) if name in summary.measures]
        maps = "".join(_draw_map(summary, name) for name in shown)
        made.append(
            make_section(
                "Quality and quantity",
                "Mean over seeds, ± half the 95 % interval; empty where no cell was run.",
                f'<div class="maps">{maps}</div>',
            )
        )
    return made


def _draw_map(summary: Summary, measure: str) -> str:
    """Return one heat map."""
    return to_svg(lambda axes: draw_heat_map(axes[0], summary, measure), 4.6, 3.4)


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
        means = (f"{sum(values[name]) / len(values[name]):.1f}" if name in values else "" for name in columns)
        rows.append([arm.name, *means])
    return f"<p>Metric: {html.escape(metric)}.</p>" + make_table(["arm", *columns], rows)


def _column(score: Score, *, several: bool) -> str:
    """Return the column of a score: its language, and its task where there are several."""
    return f"{score.task}/{score.language}" if several else score.language


def _make_settings_table(summary: Summary) -> str:
    """Return the table of settings, notes and versions."""
    first = next(iter(summary.arms[0].cells.values()))
    notes: dict[str, Any] = {}
    for arm in summary.arms:
        for cell in arm.cells.values():
            notes = {**cell.result.notes, **notes}
    seconds = [float(cell.run.get("seconds", 0)) for arm in summary.arms for cell in arm.cells.values()]
    lines: dict[str, Any] = {
        "axes": summary.study["axes"],
        "trial source": summary.study["source"],
        **notes,
        "versions": _versions(summary),
        "time": f"{sum(seconds):.0f} s in all, {sum(seconds) / len(seconds):.1f} s a cell",
    }
    scores = first.result.scores
    if scores:
        lines["a score in full"] = str(scores[0])
    return make_table(["what", "value"], [[name, write_value(value)] for name, value in lines.items()], "made")


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


def make_table(head: Iterable[str], rows: Iterable[Sequence[str]], kind: str = "numbers") -> str:
    """Return an HTML table of texts.

    Example:
        >>> print(make_table(["arm"], [["a < b"]]))
        <table class="numbers"><thead><tr><th>arm</th></tr></thead>
        <tbody>
        <tr><td>a &lt; b</td></tr>
        </tbody></table>
    """
    top = "".join(f"<th>{html.escape(name)}</th>" for name in head)
    body = "\n".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<table class="{kind}"><thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody></table>'


def write_interval(found: Interval | None, *, sign: bool = False) -> str:
    """Return a mean and its interval as text, the mean alone where there is one value, nothing for None."""
    if found is None:
        return ""
    mean = f"{found.mean:+.1f}" if sign else f"{found.mean:.1f}"
    return mean if found.count == 1 else f"{mean} [{found.low:.1f}, {found.high:.1f}]"


def write_p_value(value: float) -> str:
    """Return a p-value as text."""
    return "<0.001" if value < 0.001 else f"{value:.3f}"
