"""The numbers of a report: the threshold, the grid and the panels."""

from pathlib import Path

import pytest

from xquality.errors import StudyError
from xquality.records import History, Point, Result, Score
from xquality.report import summarise
from xquality.study import Study

LANGUAGES = ("es", "de", "ar")


def history(final: float, trained: tuple[str, ...], steps: tuple[int, ...] = (0, 3, 9)) -> History:
    stages = tuple({"language": one} for one in trained)
    points = tuple(
        Point(
            len(stages) - 1,
            step,
            "t",
            language,
            "accuracy",
            (final if language != "es" else 99.0) * step / steps[-1],
            9,
        )
        for step in steps
        for language in LANGUAGES
    )
    return History(stages, points)


def trial(seed: int, arm: str = "intermediate", rate: float = 0.0, fraction: float = 1.0) -> Result:
    value = 30.0 + seed if arm == "none" else 60.0 * fraction - 50 * rate + seed * (1 + rate)
    trained = ("en",) if arm == "none" else ("es", "en")
    scores = tuple(Score("t", one, "accuracy", value, 9) for one in LANGUAGES)
    return Result(scores, history(value, trained), {"zero-shot accuracy": value})


AXES = [
    {"arm": ["none"], "seed": range(4)},
    {"rate": [0.0, 0.2], "fraction": [0.5, 1.0], "seed": range(4)},
    {"arm": ["filtered"], "seed": range(4)},
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Study(trial, AXES, quantity="fraction", quality="rate").run(
        tmp_path_factory.mktemp("s") / "s", progress=False
    )


def test_the_grid_holds_the_plain_arms(folder: Path) -> None:
    quantities, qualities, arms = summarise(folder).grid()
    assert (quantities, qualities) == ([0.5, 1.0], [0.0, 0.2])
    assert arms[1.0, 0.2].name == "rate 0.2, fraction 1.0"


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
