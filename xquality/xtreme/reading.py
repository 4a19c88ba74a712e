"""Readers of the files of a submission, which accept what the official code accepts.

Lines end at a line feed, a carriage return or both, and at nothing else; blanks around a line are dropped, a byte
order mark is not; a blank line is an example, or in tagged files the end of a sentence.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xquality.errors import MetricError, SourceError
from xquality.xtreme.layout import TAGGING_TASKS

Question = tuple[str, list[Any]]
"""The id and the right answers of a question."""


def read_values(task: str, file: Path) -> Any:
    """Return the predictions or labels in a file of a task without questions, in the form that its metric takes.

    Raises:
        SourceError, MetricError: as the reader of the task's form.
    """
    if task in TAGGING_TASKS:
        return read_tags(file)
    if task == "xcopa":
        return read_choices(file)
    if task == "mewslix":
        return read_entities(file)
    if task == "bucc2018":
        return [tuple(line.split("\t")) for line in read_labels(file)]
    return read_labels(file)


def read_labels(file: Path) -> list[str]:
    """Return the label on each line: the line without the blanks around it.

    Raises:
        SourceError: where the file is missing or cannot be read.
        MetricError: where it is not UTF-8.
    """
    return [line.strip() for line in _lines(file)]


def read_tags(file: Path) -> list[list[str]]:
    """Return the sentences of a file with one tag on each line; each blank line ends a sentence, also an empty one.

    Raises:
        SourceError: where the file is missing or cannot be read.
        MetricError: where it is not UTF-8.
    """
    sentences: list[list[str]] = []
    tags: list[str] = []
    for tag in read_labels(file):
        if tag:
            tags.append(tag)
        else:
            sentences.append(tags)
            tags = []
    return [*sentences, tags] if tags else sentences


def read_choices(file: Path) -> list[Any]:
    """Return the value under `label` of each line of JSON.

    Raises:
        SourceError: where the file is missing or cannot be read.
        MetricError: where a line is no JSON object with a label.
    """
    rows = [_parse_json(file, line) for line in _lines(file)]
    for number, row in enumerate(rows):
        if not isinstance(row, dict) or "label" not in row:
            raise MetricError(f"{file} needs an object with a 'label' on each line, but line {number + 1} has none.")
    return [row["label"] for row in rows]


def read_entities(file: Path) -> dict[str, list[str]]:
    """Return the entities of each mention.

    Raises:
        SourceError: where the file is missing or cannot be read.
        MetricError: where it is no JSON object of lists.
    """
    mentions = _parse_json(file, _text(file))
    if not isinstance(mentions, dict) or not all(isinstance(entities, list) for entities in mentions.values()):
        raise MetricError(f"{file} must be a JSON object with a list of entities for each mention.")
    return mentions


def read_questions(file: Path) -> list[Question]:
    """Return the questions of a file in SQuAD's nested form, each with its id and the texts of its right answers.

    Raises:
        SourceError: where the file is missing or cannot be read.
        MetricError: where it has another form.
    """
    try:
        return [
            (_check_id(question), [answer.get("text") for answer in question.get("answers", ())])
            for article in _check_list(_content(file))
            for paragraph in _check_list(article["paragraphs"])
            for question in _check_list(paragraph["qas"])
        ]
    except (TypeError, KeyError, AttributeError) as fault:
        raise MetricError(
            f"{file} must hold articles with paragraphs with qas, each with an id and answers (invalid: {fault})."
        ) from fault


def read_answers(file: Path, questions: list[Question]) -> Mapping[str, Any]:
    """Return the predicted answer of each question by its id.

    As in the official code, a key `data` replaces the whole, also in predictions, and also where it is a question's
    id. A string or a list there answers no question; it is refused where it contains a question's id.

    Raises:
        SourceError: where the file is missing or cannot be read.
        MetricError: where it is no JSON object.
    """
    content = _content(file)
    if isinstance(content, dict):
        return content
    if isinstance(content, str | list) and not any(question in content for question, _ in questions):
        return {}
    raise MetricError(f"{file} must be a JSON object with an answer for each question's id.")


def _content(file: Path) -> Any:
    """Return the content of a JSON file, or the value of its key `data`."""
    content = _parse_json(file, _text(file))
    if isinstance(content, dict):
        return content.get("data", content)
    if isinstance(content, list) and "data" not in content:
        return content
    raise MetricError(f"{file} must hold a JSON object or a list of articles.")


def _check_list(value: Any) -> list[Any]:
    """Return a list, or raise `TypeError` for another type."""
    if not isinstance(value, list):
        raise TypeError(type(value).__name__)
    return value


def _check_id(question: Any) -> str:
    """Return a question's id, or raise `TypeError` where it is no string."""
    if not isinstance(question["id"], str):
        raise TypeError(repr(question["id"]))
    return question["id"]


def _parse_json(file: Path, text: str) -> Any:
    """Return the value of a JSON text, or raise `MetricError`."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise MetricError(f"{file} is not valid JSON: {fault}.") from fault


def _lines(file: Path) -> list[str]:
    """Return the lines of a text file without their line ends."""
    lines = _text(file).split("\n")
    return lines[:-1] if not lines[-1] else lines


def _text(file: Path) -> str:
    """Return a file's text with line feeds as line ends."""
    if not file.is_file():
        raise SourceError(f"{file} is missing, or is no file; a task is scored where every language has one.")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as fault:
        raise MetricError(f"{file} is not UTF-8 ({fault}); write it in UTF-8.") from fault
    except OSError as fault:
        raise SourceError(f"{file} cannot be read ({fault}).") from fault
