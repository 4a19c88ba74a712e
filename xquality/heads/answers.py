"""Answers to questions: as the data give them, and as they are predicted, best first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import pyarrow as pa
from datasets import Dataset

from xquality.data._datasets import table_of
from xquality.data.arrow import get_column, read_strings
from xquality.errors import ColumnError, LabelError


@final
@dataclass(frozen=True)
class Answer:
    """One answer to a question.

    Attributes:
        text: the part of the context from `start` on; empty for "there is no answer".
        start: its first code point; -1 where there is no answer.
        score: the sum of the start's and the end's logit.
    """

    text: str
    start: int
    score: float


def first_span(answer: Mapping[str, Any]) -> tuple[int, int] | None:
    """Return the first answer of a row as (first code point, the one after the last); None where there is none.

    Example:
        >>> first_span({"text": ["Lima"], "answer_start": [13]})
        (13, 17)
    """
    if not answer["text"]:
        return None
    start = int(answer["answer_start"][0])
    return start, start + len(answer["text"][0])


def question_ids(data: Dataset) -> list[str]:
    """Return the id of each question, from the column `id`.

    Raises:
        ColumnError: where there is no such column, or an id stands twice.
    """
    names = read_strings(get_column(table_of(data), "id", "SpanHead"))
    if len(set(names)) < len(names):
        raise ColumnError("Answers are told apart by the column 'id', but an id stands there twice; make ids unique.")
    return names


def check_answers(contexts: Sequence[str], answers: pa.ChunkedArray, name: str, *, unanswerable: bool) -> None:
    """Raise where answers are not of SQuAD's form.

    Args:
        contexts: the text of each row.
        answers: `{text: [..], answer_start: [..]}` on each row.
        name: the answers' column.
        unanswerable: whether questions may have no answer.

    Raises:
        ColumnError: for a column of another kind.
        LabelError: for an answer that does not stand at its offset, or a question that needs one and has none.
    """
    names = {one.name for one in answers.type} if pa.types.is_struct(answers.type) else set()
    if not {"text", "answer_start"} <= names or answers.null_count:
        raise ColumnError(f"SpanHead reads text and answer_start from {name!r} on every row, but it is {answers.type}.")
    for row, (context, answer) in enumerate(zip(contexts, answers.to_pylist(), strict=True)):
        span = first_span(answer)
        if span is None and not unanswerable:
            raise LabelError(f"The question on row {row} has no answer; set unanswerable=True or filter such rows out.")
        if span is not None and context[span[0] : span[1]] != answer["text"][0]:
            raise LabelError(
                f"The answer {answer['text'][0]!r} on row {row} does not stand at {span[0]} of its context; "
                "mend it or filter such rows out."
            )


def ranked(
    text: str, spans: Mapping[tuple[int, int], float], null: float, count: int, null_threshold: float | None
) -> list[Answer]:
    """Return the answers to one question, best first; there is always one.

    Args:
        text: the context.
        spans: the score of each span of it.
        null: the score of "there is no answer".
        count: how many answers to return at most, besides "there is no answer".
        null_threshold: how far that must be ahead of the best span to be the first; None where there always is an
            answer.

    Example:
        >>> [one.text for one in ranked("in Lima", {(3, 7): 2.0, (0, 7): 1.0}, 5.0, 20, null_threshold=0.0)]
        ['', 'Lima', 'in Lima']
    """
    best = sorted(spans.items(), key=lambda one: (-one[1], one[0]))[:count]
    answers = [Answer(text[start:end], start, score) for (start, end), score in best]
    none = Answer("", -1, null)
    if null_threshold is None:
        return answers or [none]
    ahead = not answers or null - answers[0].score > null_threshold
    return [none, *answers] if ahead else [answers[0], none, *answers[1:]]
