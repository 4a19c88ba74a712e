"""Gold labels: written in the layout that the scorer reads, perfect predictions of them score 100."""

from pathlib import Path

import pytest

from xquality import toy
from xquality.errors import MetricError, SettingError
from xquality.evaluation import references
from xquality.xtreme import official, score_file, write_labels, write_submission
from xquality.xtreme.layout import file_name
from xquality.xtreme.reading import read_questions

CASES = {
    "xnli": (["entailment", "neutral"], ["entailment", "neutral"]),
    "panx": ([["B-PER", "O"], ["O"]], [["B-PER", "O"], ["O"]]),
    "mlqa": ({"q1": ["das Haus", "Haus"], "q2": ["x"]}, {"q1": "Haus", "q2": "x"}),
    "bucc2018": ([("de-1", "en-2")], [("de-1", "en-2")]),
    "tatoeba": ([0, 1, 2], [0, 1, 2]),
}


@pytest.mark.parametrize("task", CASES)
def test_right_predictions_score_100_against_written_labels(task: str, tmp_path: Path) -> None:
    right, found = CASES[task]
    gold = write_labels(tmp_path / "gold", {task: {"de": right}}, partial=True)
    ours = write_submission(tmp_path / "ours", {task: {"de": found}}, partial=True)
    name = Path(task) / file_name(task, "de")
    assert set(score_file(ours / name, gold / name, task, "de").values()) == {100.0}


def test_all_right_answers_are_kept(tmp_path: Path) -> None:
    answers = {"q": ["eins", "zwei"], "data": ["drei"], "none": []}
    gold = write_labels(tmp_path / "gold", {"xquad": {"de": answers}}, partial=True)
    assert dict(read_questions(gold / "xquad" / "test-de.json")) == answers


@pytest.mark.parametrize("values", [{"q": "one text"}, {"q": [1]}, [["a"]]])
def test_answers_of_another_form_are_refused_before_anything_is_written(values, tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="list of texts for each id"):
        write_labels(tmp_path / "gold", {"xquad": {"de": values}}, partial=True)
    assert not (tmp_path / "gold").exists()


def test_a_full_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "gold").mkdir()
    (tmp_path / "gold" / "mine").write_text("mine", encoding="utf-8")
    with pytest.raises(SettingError, match="not empty"):
        write_labels(tmp_path / "gold", {"tatoeba": {"de": [0]}}, partial=True)


def test_references_of_a_task_fit_the_official_layout(tmp_path: Path) -> None:
    right = official({"xquad": references(toy.questions, ["en", "de"], "test")})
    gold = write_labels(tmp_path / "gold", right, partial=True)
    assert len(read_questions(gold / "xquad" / "test-de.json")) == len(toy.questions.load("de", "test"))


def test_labels_that_cannot_be_written_leave_nothing(tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="half a character"):
        write_labels(tmp_path / "gold", {"xquad": {"de": {"q1": ["\ud800"]}}}, partial=True)
    assert list(tmp_path.iterdir()) == []
    write_labels(tmp_path / "gold", {"xquad": {"de": {"q1": ["a"]}}}, partial=True)
    with pytest.raises(SettingError, match="not empty"):
        write_labels(tmp_path / "gold", {"xquad": {"de": {"q1": ["a"]}}}, partial=True)
