"""A user's texts are shown as they are, in every figure and table: no formula, no tag, no label left out."""

import html
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from nasty_texts import NASTY

import xquality as xq
from xquality._tables import html_table, latex_table, printable
from xquality.records import History, Point, Result, Score
from xquality.report import draw_audit, draw_curves, summarise, write_report
from xquality.study import Study


def trial(text: str, **seed: object) -> Result:
    points = [Point(0, step, text, text, text, 10.0 + step, 9) for step in (0, 3, 9)]
    scores = (Score(text, text, text, 5.0, 9),)
    return Result(scores, History(({"languages": ["en"]},), tuple(points)), {text: 1.0, "b": 2.0}, {text: text})


@pytest.mark.parametrize("text", ["cost $x^$", "_a <b>&amp;"])
def test_a_report_shows_any_text_as_it_is(tmp_path: Path, text: str) -> None:
    def run(name: str, seed: object, rate: float, fraction: float) -> Result:
        return trial(text)

    axes = {"name": [text, "plain"], "seed": [0, "b", text], "rate": [0.0, 0.5], "fraction": [0.1]}
    folder = Study(run, axes, quantity="fraction", quality="rate").run(tmp_path / "s", progress=False)
    page = write_report(folder, title=text, reference=summarise(folder).arms[0].name).read_text(encoding="utf-8")
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    shown = ["".join(ET.fromstring(drawing).itertext()) for drawing in drawings]  # noqa: S314 (our own)
    assert len(shown) > 10
    assert sum(text in texts for texts in shown) > 8
    assert html.escape(text) in page


def test_every_arm_has_its_name_in_every_figure_and_table(tmp_path: Path) -> None:
    def run(name: str, seed: object) -> Result:
        return trial("plain")

    folder = Study(run, {"name": NASTY, "seed": [0, "b"]}).run(tmp_path / "s", progress=False)
    page = write_report(folder).read_text(encoding="utf-8")
    assert page.count("<script>") == 1  # its own
    drawings = re.findall(r"<svg.*?</svg>", page, re.DOTALL)
    shown = ["".join(ET.fromstring(drawing).itertext()) for drawing in drawings]  # noqa: S314 (our own)
    for text in NASTY:
        assert any(printable(text).split()[0][:20] in texts for texts in shown)
    assert all(html.escape(printable(text)) in page for text in NASTY)
    draw_curves(axes := Figure().subplots(), summarise(folder))
    legend = axes.get_legend().get_texts()
    assert len(legend) == len(NASTY)
    assert not any(shown.get_parse_math() for shown in legend)


def test_an_audit_shows_any_name_of_a_class() -> None:
    audit = xq.Audit(9, 3, 4, 2, classes={text: xq.Audit(9, 3, 4, 2) for text in NASTY})
    draw_audit(axes := Figure().subplots(), audit)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert all(printable(text).split()[0][:19] in shown for text, shown in zip(NASTY, labels, strict=True))
    assert not any(label.get_parse_math() for label in axes.get_yticklabels())
    assert all(html.escape(printable(text)) in audit._repr_html_() for text in NASTY)
    assert audit.to_latex().count("\\\\") == len(NASTY) + 2


@pytest.mark.parametrize("text", NASTY)
def test_tables_hold_one_cell_for_each_text(text: str) -> None:
    cell = printable(text)
    table = ET.fromstring(html_table([cell, "b"], [[cell, cell]]))  # noqa: S314 (our own)
    assert ["".join(part.itertext()) for part in table.iter("td")] == [cell, cell]
    row = latex_table(["arm", "b"], [[cell, cell]]).splitlines()[4]
    assert len(re.findall(r"(?<!\\)&", row)) == 1
    assert not re.findall(r"(?<!\\)[$%#_^]", row)
