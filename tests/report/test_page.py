"""write_report: one page that needs nothing else, the same bytes for the same cells."""

import re
from pathlib import Path

import pytest
from report_study import AXES, trial

from xquality._tables import html_table
from xquality.analysis import Interval, mean_interval
from xquality.records import Result
from xquality.report import write_report
from xquality.report.sections import write_value
from xquality.report.table import write_interval, write_p_value
from xquality.study import Study


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = Study(trial, AXES, quantity="fraction", quality="rate")
    return study.run(tmp_path_factory.mktemp("s") / "s", progress=False)


def test_the_page_holds_the_answer_tables_and_figures_and_asks_for_nothing_else(folder: Path) -> None:
    page = write_report(folder, title="A <study> & more").read_text(encoding="utf-8")
    assert "A &lt;study&gt; &amp; more" in page
    assert "61.5 [59.4, 63.6]" in page
    assert "+30.0" in page
    figures = re.findall(r'<figure id="figure-([a-z]+)', page)
    assert set(figures) == {"levels", "differences", "curve", "steps", "map", "languages"}
    assert "Quality at equal quantity" in page
    assert "Never conclude from this" in page
    fetched = re.findall(r'(?:src|href)="(?!#)([^"]+)"', page)
    assert fetched == []
    assert "default-src 'none'" in page


def test_the_same_cells_give_the_same_bytes(folder: Path) -> None:
    assert write_report(folder).read_bytes() == write_report(folder).read_bytes()


def test_a_study_without_curves_or_grid_still_has_its_table(tmp_path: Path) -> None:
    def plain(seed: int) -> Result:
        return Result(measures={"score": 1.0 + seed})

    page = write_report(Study(plain, {"seed": range(3)}).run(tmp_path / "s", progress=False)).read_text(
        encoding="utf-8"
    )
    assert page.count("<svg") == 1  # the level of the one arm
    assert "2.0 [-0.5, 4.5]" in page


def test_names_from_the_study_are_escaped(tmp_path: Path) -> None:
    def plain(arm: str, seed: int) -> Result:
        return Result(measures={"score": 1.0 + seed}, notes={"<i>note</i>": "<b>bold</b>"})

    axes = {"arm": ["<script>alert(1)</script>"], "seed": range(2)}
    page = write_report(Study(plain, axes).run(tmp_path / "s", progress=False)).read_text(encoding="utf-8")
    assert page.count("<script>") == 1  # its own
    assert "<b>" not in page


def test_text_in_tables_is_escaped() -> None:
    assert "<td>&lt;b&gt; &amp; &quot;c&quot;</td>" in html_table(["a"], [['<b> & "c"']])


def test_an_interval_is_written_where_there_is_one() -> None:
    assert write_interval(Interval(1.04, 0.5, 1.6, 3)) == "1.0 [0.5, 1.6]"
    assert write_interval(Interval(1.04, 0.5, 1.6, 3), sign=True) == "+1.0 [0.5, 1.6]"
    assert write_interval(mean_interval([1.04])) == "1.0 (one value)"
    assert write_interval(None) == ""


def test_small_p_values_are_bounded() -> None:
    assert [write_p_value(value) for value in (0.5, 0.001, 0.00099)] == ["0.500", "0.001", "<0.001"]


def test_notes_are_written_down_to_their_leaves() -> None:
    assert write_value({"a": [1, {"b": None}], "c": "text"}) == "a: 1; b: None, c: text"
