"""The figures: each draws on axes it is given."""

from pathlib import Path

import pytest
from matplotlib.figure import Figure
from report_study import AXES, trial

import xquality as xq
from xquality.errors import SettingError
from xquality.records import Result
from xquality.report import Summary, draw_audit, draw_curves, draw_differences, draw_heat_map, summarise
from xquality.study import Study


@pytest.fixture(scope="module")
def summary(tmp_path_factory: pytest.TempPathFactory) -> Summary:
    study = Study(trial, AXES, quantity="fraction", quality="rate")
    return summarise(study.run(tmp_path_factory.mktemp("s") / "s", progress=False))


def test_curves_have_a_line_for_each_arm(summary: Summary) -> None:
    axes = Figure().subplots()
    draw_curves(axes, summary)
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert names == [arm.name for arm in summary.arms]


def test_the_heat_map_prints_the_means_of_its_cells(summary: Summary) -> None:
    axes = Figure().subplots()
    draw_heat_map(axes, summary, "zero-shot accuracy")
    printed = {text.get_text().split("\n")[0] for text in axes.texts}
    assert printed == {"31.5", "61.5", "21.8", "51.8"}


def test_differences_leave_out_the_reference(summary: Summary) -> None:
    axes = Figure().subplots()
    draw_differences(axes, summary, "zero-shot accuracy")
    assert [label.get_text() for label in axes.get_yticklabels()] == [arm.name for arm in reversed(summary.arms[1:])]


def test_a_heat_map_without_the_axes_is_refused(tmp_path: Path) -> None:
    def plain(seed: int) -> Result:
        return Result(measures={"score": 1.0})

    lone = summarise(Study(plain, {"seed": [0]}).run(tmp_path / "s", progress=False))
    with pytest.raises(ValueError, match="quantity"):
        draw_heat_map(Figure().subplots(), lone, "score")


AUDIT = xq.Audit(
    100,
    30,
    40,
    20,
    classes={
        "plain": xq.Audit(60, 20, 30, 12),
        "a name of $5 or $6 that is much longer than there is room for on one line": xq.Audit(40, 10, 10, 8),
        "empty": xq.Audit(0, 0, 0, 0),
    },
    seen={"plain": xq.Audit(100, 30, 40, 20)},
)


def test_an_audit_shows_precision_recall_and_their_counts_for_each_class() -> None:
    axes = Figure().subplots()
    draw_audit(axes, AUDIT)
    assert [bar.get_width() for bar in axes.patches] == [12 / 30, 12 / 20, 8 / 10, 8 / 10, 0, 0]
    assert [text.get_text() for text in axes.texts] == ["12 of 30", "12 of 20", *["8 of 10"] * 2, *["0 of 0"] * 2]
    assert axes.get_yticklabels()[0].get_text() == "plain"
    assert axes.get_ylabel() == "true label"
    draw_audit(seen := Figure().subplots(), AUDIT, "seen")
    assert [text.get_text() for text in seen.texts] == ["20 of 40", "20 of 30"]
    with pytest.raises(SettingError):
        draw_audit(Figure().subplots(), AUDIT, "given")


@pytest.mark.parametrize("width", [3.5, 7.0])
def test_nothing_of_an_audit_is_cut_off(width: float) -> None:
    figure = Figure(figsize=(width, 2.4), layout="constrained")
    draw_audit(figure.subplots(), AUDIT)
    figure.draw_without_rendering()
    inner = figure.get_tightbbox()
    assert inner.x0 >= 0
    assert inner.y0 >= 0
    assert inner.x1 <= width
    assert inner.y1 <= 2.4
