"""Reading the files of a submission as the official code reads them.

Lines end at a line feed, a carriage return or both, and at nothing else; blanks around a line are dropped, a byte
order mark is not; a blank line is an example of its own, or in tagged files the end of a sentence.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xquality.errors import MetricError, SourceError

Question = tuple[str, list[Any]]


def read_labels(file: Path) -> list[str]:
    """Return one label a line: the whole line without the blanks around it.

    Raises:
        SourceError: where the file is not there or cannot be read.
        MetricError: where it is not UTF-8.
    """
    return [line.strip() for line in _lines(file)]


def read_tags(file: Path) -> list[list[str]]:
    """Return the sentences of a file with one tag a line; each blank line ends one, be it empty.

    Raises:
        SourceError: where the file is not there or cannot be read.
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
        SourceError: where the file is not there or cannot be read.
        MetricError: where a line is no JSON object with a label.
    """
    rows = [_parsed(file, line) for line in _lines(file)]
    for number, row in enumerate(rows):
        if not isinstance(row, dict) or "label" not in row:
            raise MetricError(f"{file} needs an object with a 'label' on each line, but line {number + 1} has none.")
    return [row["label"] for row in rows]


def read_entities(file: Path) -> dict[str, list[str]]:
    """Return for each mention its entities.

    Raises:
        SourceError: where the file is not there or cannot be read.
        MetricError: where it is no JSON object of lists.
    """
    mentions = _parsed(file, _text(file))
    if not isinstance(mentions, dict) or not all(isinstance(one, list) for one in mentions.values()):
        raise MetricError(f"{file} must be a JSON object with a list of entities for each mention.")
    return mentions


def read_questions(file: Path) -> list[Question]:
    """Return the questions of a file in SQuAD's nested form, each with its id and the texts of its gold answers.

    Raises:
        SourceError: where the file is not there or cannot be read.
        MetricError: where it has another form.
    """
    try:
        return [
            (_id(question), [answer.get("text") for answer in question.get("answers", ())])
            for article in _list(_content(file))
            for paragraph in _list(article["paragraphs"])
            for question in _list(paragraph["qas"])
        ]
    except (TypeError, KeyError, AttributeError) as fault:
        raise MetricError(
            f"{file} must hold articles with paragraphs with qas, each with an id and answers ({fault} does not fit)."
        ) from fault


def read_answers(file: Path, questions: list[Question]) -> Mapping[str, Any]:
    """Return for each question's id the predicted answer.

    The official code takes what stands under `data` where there is such a key, also in predictions, and also where
    it is a question's id; what then is a text or a list answers no question, as long as it holds no question's id.

    Raises:
        SourceError: where the file is not there or cannot be read.
        MetricError: where it is no JSON object.
    """
    content = _content(file)
    if isinstance(content, dict):
        return content
    if isinstance(content, str | list) and not any(question in content for question, _ in questions):
        return {}
    raise MetricError(f"{file} must be a JSON object with an answer for each question's id.")


def _content(file: Path) -> Any:
    """Return what a JSON file holds, or what stands under its key `data`."""
    content = _parsed(file, _text(file))
    if isinstance(content, dict):
        return content.get("data", content)
    if isinstance(content, list) and "data" not in content:
        return content
    raise MetricError(f"{file} must hold a JSON object or a list of articles.")


def _list(value: Any) -> list[Any]:
    """Return a list, or raise what the caller reports."""
    if not isinstance(value, list):
        raise TypeError(type(value).__name__)
    return value


def _id(question: Any) -> str:
    """Return a question's id, or raise what the caller reports."""
    if not isinstance(question["id"], str):
        raise TypeError(repr(question["id"]))
    return question["id"]


def _parsed(file: Path, text: str) -> Any:
    """Return the value that a text in JSON describes."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as fault:
        raise MetricError(f"{file} is no JSON: {fault}.") from fault


def _lines(file: Path) -> list[str]:
    """Return the lines of a text file, without their ends."""
    lines = _text(file).split("\n")
    return lines[:-1] if not lines[-1] else lines


def _text(file: Path) -> str:
    """Return a file's text, its line ends as line feeds."""
    if not file.is_file():
        raise SourceError(f"{file} is not there, or is no file; a task is scored where every language has one.")
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as fault:
        raise MetricError(f"{file} is not UTF-8 ({fault}); write it so.") from fault
    except OSError as fault:
        raise SourceError(f"{file} cannot be read ({fault}).") from fault
