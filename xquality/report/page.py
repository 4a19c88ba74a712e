"""write_report: a self-contained HTML page for a study folder, and its figures and tables as files."""

import base64
import hashlib
import html
import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from xquality import _settings
from xquality._files import write_text
from xquality._tables import printable
from xquality.report.answer import write_answer, write_cautions, write_not_run
from xquality.report.sections import Figure, Numbers, Section, gather, make_sections
from xquality.report.summary import Summary, pause_collector, summarise
from xquality.report.table import Table

_SHOWN = 60  # rows of a table that are shown without a click
_EXPORTS = "report"  # the folder of the figures and tables
_KINDS = {"csv": "CSV", "tex": "LaTeX"}


def write_report(
    folder: str | Path,
    *,
    title: str | None = None,
    reference: str | None = None,
    clean: Any = None,
    exports: bool = False,
) -> Path:
    """Write `report.html` into a study folder from its finished cells, and return its path.

    The page needs no network and no other file. At its top are the answer, in sentences made from the numbers, what was
    not run, and what never to conclude from it; then come the arms, the paired differences, the learning curves, the
    steps to a threshold, the exchange rates, the heat map, the languages, the filters' audits, and how it was made.
    Every figure can be downloaded as SVG and PNG, every table as CSV and LaTeX.

    Args:
        folder: what `Study.run` returned.
        title: the page's heading; None for the trial's name.
        reference: the name of the arm that differences are taken to; None for the first arm.
        clean: the value of the quality axis that the others are compared with, as in `summarise`.
        exports: write every figure as SVG, and every table as CSV and LaTeX, into `report` in the study folder too.

    Raises:
        StudyError: where the folder holds no finished cells, no arm of that name, or no arm of that quality.

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
    target = _settings.path("write_report", "folder", folder)
    is_exported = _settings.boolean("write_report", "exports", exports)
    with pause_collector():
        numbers = gather(summarise(folder, reference, clean=clean))
        sections = make_sections(numbers)
        heading = printable(title or str(numbers.summary.study["trial"]).replace("_", " "))
        page = _write_page(heading, numbers, sections)
    if is_exported:
        _write_exports(target / _EXPORTS, sections)
    path = target / "report.html"
    write_text(path, page)
    return path


def _write_exports(folder: Path, sections: Sequence[Section]) -> None:
    """Write every figure and table as files, and delete those of an earlier report."""
    texts: dict[str, str] = {}
    for section in sections:
        texts |= {f"{figure.name}.svg": f"{figure.svg}\n" for figure in section.figures}
        for table in section.tables:
            texts |= {f"{table.name}.csv": table.to_csv(), f"{table.name}.tex": table.to_latex()}
    for old in folder.glob("*") if folder.is_dir() else ():
        if old.suffix in (".svg", ".csv", ".tex") and old.name not in texts:
            old.unlink()
    for name, text in texts.items():
        write_text(folder / name, text)


def _write_page(heading: str, numbers: Numbers, sections: Sequence[Section]) -> str:
    """Return the page."""
    style, script = (files("xquality.report").joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    contents = "".join(f'<li><a href="#{part.name}">{html.escape(part.title)}</a></li>' for part in sections)
    # Nothing is fetched, and nothing runs but this script: a name that got into the page as markup would do nothing.
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{html.escape(heading)}</title>",
        f"<style>{style}</style></head>",
        f'<body><main><button id="theme" type="button">light / dark</button>\n<h1>{html.escape(heading)}</h1>',
        _describe_cells(numbers.summary),
        _write_answer(numbers),
        f'<nav aria-label="Contents"><ul>{contents}</ul></nav>',
        *map(_write_section, sections),
        '</main><div id="tip" role="status" hidden></div>',
        f'<script type="application/json" id="tables">{_pack_tables(sections)}</script>',
        f"<script>{script}</script></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _hash(text: str) -> str:
    """Return the source expression that allows one inline script or style sheet."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _pack_tables(sections: Sequence[Section]) -> str:
    """Return the CSV and the LaTeX of all tables as JSON that ends no script element."""
    tables = {
        table.name: {"csv": table.to_csv(), "tex": table.to_latex()} for section in sections for table in section.tables
    }
    return json.dumps(tables, ensure_ascii=True).replace("<", "\\u003c")


def _describe_cells(summary: Summary) -> str:
    """Return a sentence with the numbers of cells, arms and seeds."""
    seeds = {seed for arm in summary.arms for seed in arm.cells}
    cells = sum(len(arm.cells) for arm in summary.arms)
    missing = f" Missing cells of the axes: {len(summary.missing)}." if summary.missing else ""
    return f'<p class="note">{cells} finished cells: {len(summary.arms)} arms, {len(seeds)} seeds.{missing}</p>'


def _write_answer(numbers: Numbers) -> str:
    """Return the answer, what was not run, and what never to conclude."""
    summary = numbers.summary
    exchanges = [found for found in numbers.exchanges if found.measure == summary.main]
    answer = write_answer(summary, numbers.comparisons, exchanges)
    shown = "".join(f"<p>{_write_sentence(sentence)}</p>" for sentence in answer)
    return (
        (f'<div class="answer">{shown}</div>\n' if shown else "")
        + _write_list("Not run", write_not_run(summary, exchanges))
        + _write_list("Never conclude from this", write_cautions(summary, numbers.comparisons))
    )


def _write_sentence(sentence: str) -> str:
    """Return a sentence of the answer, what it is about in bold."""
    topic, colon, rest = html.escape(printable(sentence)).partition(":")
    return f"<strong>{topic}{colon}</strong>{rest}"


def _write_list(title: str, sentences: Sequence[str]) -> str:
    """Return a titled list of sentences; nothing for none."""
    items = "".join(f"<li>{html.escape(printable(sentence))}</li>" for sentence in sentences)
    return f"<h3>{html.escape(title)}</h3><ul>{items}</ul>\n" if items else ""


def _write_section(section: Section) -> str:
    """Return a section of the page."""
    notes = "".join(f'<p class="note">{html.escape(printable(note))}</p>' for note in section.notes)
    figures = "\n".join(map(_write_figure, section.figures))
    tables = "\n".join(_write_table(table, alone=len(section.tables) == 1) for table in section.tables)
    source = (
        f"<details><summary>The trial's source</summary><pre>{html.escape(section.source)}</pre></details>"
        if section.source
        else ""
    )
    return (
        f'<section id="{section.name}"><h2>{html.escape(section.title)}</h2>{notes}\n'
        + (f'<div class="figures">\n{figures}\n</div>\n' if figures else "")
        + f"{tables}{source}</section>"
    )


def _write_figure(figure: Figure) -> str:
    """Return a figure with its downloads."""
    buttons = _write_buttons(figure.name, {"svg": "SVG", "png": "PNG"})
    return f'<figure id="figure-{figure.name}">{figure.svg}<figcaption>{buttons}</figcaption></figure>'


def _write_table(table: Table, *, alone: bool) -> str:
    """Return a table with its downloads, folded where it is long."""
    written = f'<div class="wide">{table.to_html()}</div>'
    if len(table.rows) > _SHOWN:
        written = f"<details><summary>{html.escape(table.title)}: {len(table.rows)} rows</summary>{written}</details>"
    title = "" if alone else f"<h3>{html.escape(table.title)}</h3>"
    return f"{title}{written}{_write_buttons(table.name, _KINDS)}"


def _write_buttons(name: str, kinds: dict[str, str]) -> str:
    """Return buttons that download a figure or a table."""
    buttons = "".join(
        f'<button type="button" data-name="{name}" data-kind="{kind}">{label}</button>' for kind, label in kinds.items()
    )
    return f'<div class="get">{buttons}</div>'
