"""Submissions and labels: what is written is read back unchanged, and nothing is left of what fails."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xquality import toy
from xquality.errors import MetricError, SettingError
from xquality.evaluation import references
from xquality.xtreme import file_name, official_names, score_file, write_labels, write_submission
from xquality.xtreme.layout import XTREME
from xquality.xtreme.reading import read_answers, read_questions, read_values

one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


def write(folder: Path, task: str, values: Any, version: str = "xtreme") -> Path:
    """Write the predictions of one task in one language to a folder of their own; return the file."""
    language = {"bucc2018": "de", "tatoeba": "ar", "xcopa": "et", "mewslix": "de"}.get(task, "en")
    place = folder / f"submission-{len(list(folder.iterdir()))}"
    write_submission(place, {task: {language: values}}, partial=True, version=version)
    (file,) = (place / task).iterdir()
    return file


@one_folder
@given(st.dictionaries(texts, texts))
def test_answers_are_read_back_unchanged(tmp_path: Path, answers: dict[str, str]) -> None:
    assert read_answers(write(tmp_path, "xquad", answers), []) == answers


def test_a_question_called_data_is_wrapped(tmp_path: Path) -> None:
    answers = {"data": "x", "q": "y"}
    assert read_answers(write(tmp_path, "tydiqa", answers), [("data", ["x"])]) == answers


@one_folder
@given(st.lists(st.lists(st.sampled_from(["O", "B-PER", "I-PER"]), max_size=4), max_size=5))
def test_sentences_are_read_back_unchanged_also_empty_ones(tmp_path: Path, sentences: list[list[str]]) -> None:
    assert read_values("panx", write(tmp_path, "panx", sentences)) == sentences


@one_folder
@given(st.lists(st.sampled_from(["entailment", "neutral", ""]), max_size=5))
def test_labels_are_read_back_unchanged(tmp_path: Path, labels: list[str]) -> None:
    assert read_values("xnli", write(tmp_path, "xnli", labels)) == labels


def test_numbers_of_arrays_are_written_as_digits(tmp_path: Path) -> None:
    assert read_values("tatoeba", write(tmp_path, "tatoeba", np.array([3, 0, 12]))) == ["3", "0", "12"]
    assert read_values("xcopa", write(tmp_path, "xcopa", np.array([1, 0]), "xtreme-r")) == [1, 0]


def test_pairs_and_entities_are_read_back_unchanged(tmp_path: Path) -> None:
    pairs = [("de-1", "en-2"), "de-3\ten-4"]
    assert read_values("bucc2018", write(tmp_path, "bucc2018", pairs)) == [("de-1", "en-2"), ("de-3", "en-4")]
    entities = {"m": ["Q1", "Q2"]}
    assert read_values("mewslix", write(tmp_path, "mewslix", entities, "xtreme-r")) == entities


def test_a_task_is_written_in_all_its_languages_or_not_at_all(tmp_path: Path) -> None:
    predictions = {"pawsx": {language: ["0", "1"] for language in XTREME.languages["pawsx"]}}
    folder = write_submission(tmp_path / "whole", predictions)
    assert sorted(file.name for file in (folder / "pawsx").iterdir()) == [
        f"test-{language}.tsv" for language in sorted(XTREME.languages["pawsx"])
    ]
    del predictions["pawsx"]["ko"]
    with pytest.raises(MetricError, match="ko are missing"):
        write_submission(tmp_path / "part", predictions)


def test_nothing_is_left_of_a_submission_that_fails(tmp_path: Path) -> None:
    good, bad = ["0", "1"], ["0", "1\n"]
    with pytest.raises(MetricError, match="reads as something else"):
        write_submission(tmp_path / "out", {"pawsx": {"de": good, "en": bad}}, partial=True)
    assert list(tmp_path.iterdir()) == []


def test_a_submission_is_not_written_to_a_full_folder(tmp_path: Path) -> None:
    (tmp_path / "notes").write_text("mine", encoding="utf-8")
    with pytest.raises(SettingError, match="not empty"):
        write_submission(tmp_path, {"pawsx": {"de": ["0"]}}, partial=True)
    with pytest.raises(SettingError, match="not empty"):
        write_submission(tmp_path / "notes", {"pawsx": {"de": ["0"]}}, partial=True)
    assert [file.name for file in tmp_path.iterdir()] == ["notes"]
    (tmp_path / "empty").mkdir()
    assert write_submission(tmp_path / "empty", {"pawsx": {"de": ["0"]}}, partial=True) == tmp_path / "empty"


@pytest.mark.parametrize(
    ("task", "values", "said"),
    [
        ("xnli", ["neutral "], "'neutral ', which the official code reads as something else"),
        ("xnli", ["a\nb"], "reads as something else"),
        ("xnli", ["a\rb"], "reads as something else"),
        ("xnli", [1.0], "1.0 is neither a string nor a whole number"),
        ("xnli", [True], "True is neither"),
        ("xnli", [None], "None is neither"),
        ("xnli", "neutral", "not a list"),
        ("xnli", {"a": "neutral"}, "not a list"),
        ("xnli", ["\ud800"], "cannot be written"),
        ("panx", [["B-PER", ""]], "reads as something else"),
        ("panx", [["B-PER", " O"]], "reads as something else"),
        ("panx", [[["O"]]], "neither a string"),
        ("bucc2018", [("a", "b", "c")], "cannot be written"),
        ("bucc2018", [("a", "b\tc")], "reads as something else"),
        ("bucc2018", [("a", 3)], "no pair of ids"),
        ("bucc2018", [(" a", "b")], "reads as something else"),
        ("xquad", {"q": None}, "'q' has None"),
        ("xquad", {3: "x"}, "3 has 'x'"),
        ("xquad", ["x"], "cannot be written"),
        ("xquad", {"q": "\ud800"}, "cannot be written"),
    ],
)
def test_values_that_would_be_read_differently_are_refused(task: str, values: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(MetricError, match=said):
        write(tmp_path, task, values)


@pytest.mark.parametrize(
    ("predictions", "said"),
    [
        ({"mnli": {"en": ["x"]}}, "no task 'mnli' in xtreme; there are pawsx, xnli"),
        ({"xcopa": {"et": [0]}}, "no task 'xcopa' in xtreme"),
        ({"../xnli": {"en": ["x"]}}, "no task '../xnli'"),
        ({"xnli": {"": ["x"]}}, "no language ''"),
        ({"xnli": {"ro/x": ["x"]}}, "no language 'ro/x', which is no code"),
        ({"xnli": {"../../en": ["x"]}}, "no language '../../en'"),
    ],
)
def test_unknown_tasks_and_languages_are_refused(predictions: Any, said: str, tmp_path: Path) -> None:
    with pytest.raises(MetricError, match=said):
        write_submission(tmp_path / "out", predictions, partial=True)
    assert list(tmp_path.iterdir()) == []


def test_languages_beyond_the_benchmark_are_written_where_it_may_be_partial(tmp_path: Path) -> None:
    values = {"xnli": {"pl": ["neutral"], "kor_Hang": ["neutral"], "en": ["neutral"]}}
    with pytest.raises(MetricError, match=r"xnli has no language 'pl' in xtreme; there are ar, bg.*set partial=True"):
        write_submission(tmp_path / "out", values)
    assert list(tmp_path.iterdir()) == []
    for write_files in (write_submission, write_labels):
        folder = write_files(tmp_path / write_files.__name__, values, partial=True)
        assert {file.name for file in (folder / "xnli").iterdir()} == {f"test-{name}.tsv" for name in values["xnli"]}
    ours, theirs = tmp_path / "write_submission", tmp_path / "write_labels"
    assert score_file(ours / "xnli/test-pl.tsv", theirs / "xnli/test-pl.tsv", "xnli", "pl") == {"accuracy": 100.0}


def test_a_sentence_that_is_a_string_is_no_list_of_tags(tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="not a list of tags"):
        write_submission(tmp_path / "s", {"panx": {"de": ["B-PER", "O"]}}, partial=True)


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


@pytest.mark.parametrize("values", [{"q": "one text"}, {"q": [1]}, {3: ["a"]}, [["a"]]])
def test_answers_of_another_form_are_refused_before_anything_is_written(values, tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="list of texts for each id"):
        write_labels(tmp_path / "gold", {"xquad": {"de": values}}, partial=True)
    assert not (tmp_path / "gold").exists()


def test_labels_are_not_written_to_a_full_folder(tmp_path: Path) -> None:
    (tmp_path / "gold").mkdir()
    (tmp_path / "gold" / "mine").write_text("mine", encoding="utf-8")
    with pytest.raises(SettingError, match="not empty"):
        write_labels(tmp_path / "gold", {"tatoeba": {"de": [0]}}, partial=True)


def test_references_of_a_task_fit_the_official_layout(tmp_path: Path) -> None:
    right = official_names({"xquad": references(toy.questions, ["en", "de"], "test")})
    gold = write_labels(tmp_path / "gold", right, partial=True)
    assert len(read_questions(gold / "xquad" / "test-de.json")) == len(toy.questions.load("de", "test"))


def test_labels_that_cannot_be_written_leave_nothing(tmp_path: Path) -> None:
    for answers in ({"q1": ["\ud800"]}, {"\ud800": ["a"]}):
        with pytest.raises(MetricError, match="half a character"):
            write_labels(tmp_path / "gold", {"xquad": {"de": answers}}, partial=True)
    assert list(tmp_path.iterdir()) == []
    write_labels(tmp_path / "gold", {"xquad": {"de": {"q1": ["a"]}}}, partial=True)
    with pytest.raises(SettingError, match="not empty"):
        write_labels(tmp_path / "gold", {"xquad": {"de": {"q1": ["a"]}}}, partial=True)
