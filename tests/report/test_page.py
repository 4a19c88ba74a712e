"""write_report: one page that needs nothing else, the same bytes for the same cells."""

import re
from pathlib import Path

import pytest
from test_summary import AXES, trial

from xquality.records import Result
from xquality.report import write_report
from xquality.study import Study


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Study(trial, AXES, quantity="fraction", quality="rate").run(
        tmp_path_factory.mktemp("s") / "s", progress=False
    )


def test_the_page_holds_table_curves_and_heat_maps_and_asks_for_nothing_else(folder: Path) -> None:
    page = write_report(folder, title="A <study> & more").read_text(encoding="utf-8")
    assert "A &lt;study&gt; &amp; more" in page
    assert page.count("<svg") == 4  # differences, curves, two heat maps
    assert "61.5 [59.4, 63.6]" in page
    assert "+30.0" in page
    fetched = re.findall(r'(?:src|href)="(?!#)([^"]+)"', page)
    assert all(one.startswith("data:") for one in fetched)
    assert "<script" not in page


def test_the_same_cells_give_the_same_bytes(folder: Path) -> None:
    assert write_report(folder).read_bytes() == write_report(folder).read_bytes()


def test_a_study_without_curves_or_grid_still_has_its_table(tmp_path: Path) -> None:
    def plain(seed: int) -> Result:
        return Result(measures={"score": 1.0 + seed})

    page = write_report(Study(plain, {"seed": range(3)}).run(tmp_path / "s", progress=False)).read_text(
        encoding="utf-8"
    )
    assert "<svg" not in page
    assert "2.0 [-0.5, 4.5]" in page


def test_names_from_the_study_are_escaped(tmp_path: Path) -> None:
    def plain(arm: str, seed: int) -> Result:
        return Result(measures={"score": 1.0 + seed}, notes={"<i>note</i>": "<b>bold</b>"})

    axes = {"arm": ["<script>alert(1)</script>"], "seed": range(2)}
    page = write_report(Study(plain, axes).run(tmp_path / "s", progress=False)).read_text(encoding="utf-8")
    assert "<script>" not in page
    assert "<b>" not in page
