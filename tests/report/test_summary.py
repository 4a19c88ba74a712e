"""The numbers of a report: arms in the order of the axes, paired by seed, censored; the grid and the panels."""

from pathlib import Path

import pytest
from report_study import AXES, history, trial

from xquality.errors import StudyError
from xquality.records import Result
from xquality.report import summarise
from xquality.study import Study

AREA = "area under the curve"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    study = Study(trial, AXES, quantity="fraction", quality="rate")
    return study.run(tmp_path_factory.mktemp("s") / "s", progress=False)


def test_arms_come_in_the_order_of_the_axes_with_their_seeds(folder: Path) -> None:
    arms = summarise(folder).arms
    assert [arm.name for arm in arms] == [
        "none",
        *(f"rate {rate}, fraction {fraction}" for rate in (0.0, 0.2) for fraction in (0.5, 1.0)),
        "filtered",
    ]
    assert all(len(arm.cells) == 4 for arm in arms)


def test_differences_are_paired_by_seed(folder: Path) -> None:
    summary = summarise(folder)
    clean = next(arm for arm in summary.arms if arm.name == "rate 0.0, fraction 1.0")
    difference = clean.difference(summary.reference, "zero-shot accuracy")
    assert (difference.mean, difference.low, difference.high) == (30.0, 30.0, 30.0)  # the seeds' share falls out
    assert clean.interval("zero-shot accuracy").mean == 61.5


def test_languages_that_any_arm_was_trained_in_count_in_no_curve(folder: Path) -> None:
    steps, values = next(arm for arm in summarise(folder).arms if arm.name == "none").curves()
    assert steps.tolist() == [0, 3, 9]
    assert values[0].tolist() == [0, 10, 30]  # without Spanish, which this arm was not trained in, but others were


def test_the_threshold_is_a_share_of_the_references_gain_and_steps_say_how_many_reached_it(folder: Path) -> None:
    summary = summarise(folder)
    assert summary.threshold == pytest.approx(0.9 * 31.5)
    assert summary.budget == 9
    steps = summary.reference.steps_to(summary.threshold)
    assert (steps.reached, steps.count) == (4, 4)
    assert str(summary.reference.steps_to(32.0)) == "9.0 (2 of 4)"
    assert str(summary.reference.steps_to(33.0)) == "> 9.0 (1 of 4)"


def test_the_area_is_taken_up_to_the_last_step_of_the_shortest_arm(tmp_path: Path) -> None:
    def longer(seed: int, steps: int) -> Result:
        return Result((), history(60.0, ("en",), (0, 3, steps)), {"score": 1.0})

    arms = summarise(Study(longer, {"steps": [9, 90], "seed": [0]}).run(tmp_path / "s", progress=False)).arms
    assert arms[0].measures[AREA][0] > arms[1].measures[AREA][0] > 0


def test_the_grid_holds_the_plain_arms(folder: Path) -> None:
    (grid,) = summarise(folder).grids()
    assert (grid.title, grid.quantities, grid.qualities) == ("", (0.5, 1.0), (0.0, 0.2))
    assert grid.arms[1.0, 0.2].name == "rate 0.2, fraction 1.0"


def test_arms_that_share_a_place_on_the_grid_get_maps_of_their_own(tmp_path: Path) -> None:
    def plain(kind: str, rate: float, fraction: float, seed: int) -> Result:
        return Result(measures={"score": rate + fraction + seed})

    axes = {"kind": ["swaps", "drops"], "rate": [0.0, 0.2], "fraction": [0.5, 1.0], "seed": [0]}
    study = Study(plain, axes, quantity="fraction", quality="rate")
    grids = summarise(study.run(tmp_path / "s", progress=False)).grids()
    assert [(grid.title, len(grid.arms)) for grid in grids] == [("kind swaps", 4), ("kind drops", 4)]


def test_every_arm_with_a_curve_is_in_a_panel(folder: Path) -> None:
    summary = summarise(folder)
    shown = {arm.name for _, arms in summary.panels() for arm in arms}
    assert shown == {arm.name for arm in summary.arms}


def test_an_unknown_reference_and_an_empty_study_are_refused(folder: Path, tmp_path: Path) -> None:
    assert summarise(folder, "filtered").reference.name == "filtered"
    with pytest.raises(StudyError, match="no arm"):
        summarise(folder, "nothing")
    with pytest.raises(StudyError):
        summarise(tmp_path)
