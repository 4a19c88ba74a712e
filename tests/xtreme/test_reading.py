"""Files are read as the official loader reads them."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from xquality.errors import MetricError, SourceError
from xquality.xtreme.reading import (
    read_answers,
    read_choices,
    read_entities,
    read_labels,
    read_questions,
    read_tags,
)

lines = st.lists(st.text("ab \t\u3000\x0b\x0c\x85\u2028", max_size=4), max_size=6)
ends = st.sampled_from(["\n", "\r\n", "\r"])
one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


def put(folder: Path, content: Any) -> Path:
    file = folder / "file"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


@one_folder
@given(lines, ends, st.booleans())
def test_lines_are_those_of_a_file_opened_as_text(tmp_path: Path, given: list[str], end: str, last: bool) -> None:
    file = put(tmp_path, end.join(given) + (end if last else ""))
    with file.open(encoding="utf-8") as handle:
        assert read_labels(file) == [line.strip() for line in handle]


@one_folder
@given(lines)
def test_each_blank_line_ends_a_sentence(tmp_path: Path, given: list[str]) -> None:
    sentences: list[list[str]] = [[]]
    for line in given:
        sentences[-1:] = [[*sentences[-1], line.strip()]] if line.strip() else [sentences[-1], []]
    wanted = sentences if sentences[-1] else sentences[:-1]
    assert read_tags(put(tmp_path, "".join(f"{line}\n" for line in given))) == wanted


def test_a_byte_order_mark_stays_with_the_first_label(tmp_path: Path) -> None:
    assert read_labels(put(tmp_path, "\ufeffa\nb\n")) == ["\ufeffa", "b"]


def test_choices_are_values_of_json(tmp_path: Path) -> None:
    assert read_choices(put(tmp_path, '{"label": 1}\n{"label": "1"}\r\n{"label": true, "idx": 3}')) == [1, "1", True]


def test_questions_are_read_from_a_data_key_or_a_bare_list(tmp_path: Path) -> None:
    articles = [
        {"paragraphs": []},
        {"paragraphs": [{"qas": [{"id": "p"}, {"id": "q", "answers": [{"text": "x"}, {"text": "y"}]}]}]},
    ]
    wanted = [("p", []), ("q", ["x", "y"])]
    assert read_questions(put(tmp_path, json.dumps(articles))) == wanted
    assert read_questions(put(tmp_path, json.dumps({"data": articles, "version": "1"}))) == wanted


def test_answers_may_be_wrapped_and_a_question_called_data_breaks_them(tmp_path: Path) -> None:
    questions = [("q", ["x"]), ("data", ["y"])]
    assert read_answers(put(tmp_path, '{"data": {"q": "x"}}'), questions) == {"q": "x"}
    assert read_answers(put(tmp_path, '{"q": "x", "data": "y"}'), questions) == {}
    with pytest.raises(MetricError, match="an answer for each question's id"):
        read_answers(put(tmp_path, '{"q": "x", "data": "quite"}'), questions)  # the text holds the id q


@pytest.mark.parametrize("read", [read_labels, read_tags, read_choices, read_entities, read_questions])
def test_a_missing_file_or_one_that_is_no_text_is_refused(read: Any, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is missing, or is no file"):
        read(tmp_path / "missing")
    with pytest.raises(SourceError, match="is missing, or is no file"):
        read(tmp_path)
    with pytest.raises(MetricError, match="is not UTF-8"):
        read(put(tmp_path, b"\xff\xfe\x00a"))


@pytest.mark.parametrize(
    ("read", "content", "said"),
    [
        (read_choices, '{"label": 1}\n\n', "is not valid JSON"),
        (read_choices, '{"pred": 1}\n', "line 1 has none"),
        (read_choices, "[1]\n", "line 1 has none"),
        (read_entities, "[]", "a list of entities for each mention"),
        (read_entities, '{"m": "Q1"}', "a list of entities for each mention"),
        (read_questions, "", "is not valid JSON"),
        (read_questions, "\ufeff[]", "is not valid JSON"),
        (read_questions, "[" * 100_000, "is not valid JSON"),
        (read_questions, "3", "object or a list"),
        (read_questions, '"data"', "object or a list"),
        (read_questions, '["data"]', "object or a list"),
        (read_questions, '{"a": 1}', "must hold articles"),
        (read_questions, '[{"title": ""}]', "must hold articles"),
        (read_questions, '[{"paragraphs": [{"qas": [{"id": 3}]}]}]', "must hold articles"),
        (read_questions, '[{"paragraphs": [{"qas": [{"answers": []}]}]}]', "must hold articles"),
        (read_questions, '[{"paragraphs": [{"qas": [{"id": "q", "answers": ["x"]}]}]}]', "must hold articles"),
        (read_questions, '[{"paragraphs": [{"qas": [{"id": "q", "answers": null}]}]}]', "must hold articles"),
        (read_questions, '[{"paragraphs": {"qas": []}}]', "must hold articles"),
        (lambda file: read_answers(file, []), "null", "object or a list"),
        (lambda file: read_answers(file, []), '{"data": 3}', "an answer for each question's id"),
    ],
)
def test_files_of_another_form_are_refused(read: Any, content: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(MetricError, match=said):
        read(put(tmp_path, content))
