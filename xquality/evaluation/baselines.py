"""Trivial baselines: what answers score that are always the same and read nothing of their row, or only its beginning.

A model that does not beat them has learnt nothing, however good its number looks.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from datasets import Dataset

from xquality.errors import SettingError
from xquality.evaluation.evaluation_set import gather, task_languages
from xquality.heads import Answer, ChoiceHead, Head, SequenceHead, SpanHead, TokenHead
from xquality.tasks.base import Task
from xquality.text.words import word_spans

_WORDS = 30  # the longest beginning of a context that is tried as an answer
_TIGHT = "\u3002\uff01\uff1f"  # signs of Chinese and Japanese, which no space comes after
_ENDS = f".!?\u0964\u061f{_TIGHT}"


@final
@dataclass(frozen=True)
class Constant:
    """One answer that is always the same.

    Attributes:
        answer: what it is, in words.
        scores: its value in each metric of the task, times 100, the main metric first.
    """

    answer: str
    scores: dict[str, float]


def constant_answers(
    task: Task, language: str | None = None, split: str | None = None, root: str | Path | None = None
) -> list[Constant]:
    """Return what each answer scores that is always the same, the best in the main metric first.

    For classes and options it is one of them on every row, for tags one on every word, for questions no answer, the
    first words of the text (written characters where a script has no spaces), its first sentence or the whole of it.
    The best of them is chosen on the rows that are scored, which favours it: a bar that is a little too high.

    Args:
        task: a task of classes, options, tags or questions.
        language: None for the task's source language.
        split: None for the task's evaluation split.
        root: a folder of local data; None for the one named by XQUALITY_DATA, and the Hub without it.

    Raises:
        SettingError: for a task of another kind, or a language that it does not have.
        SourceError: where the data are missing.
        ColumnError, LabelError: for rows that the head cannot read.

    Example:
        >>> from xquality import toy
        >>> best = constant_answers(toy.topics, "es")[0]
        >>> best.answer, round(best.scores["accuracy"], 1)
        ("'health' on every row", 19.0)
    """
    head = task.head
    if not isinstance(head, SequenceHead | ChoiceHead | TokenHead | SpanHead):
        raise SettingError(f"{task.name} has no answer that could always be the same; ask for classes, tags or spans.")
    (chosen,) = task_languages(task, [task.source_language if language is None else language])
    data = gather(task, (chosen,), split or task.evaluation_split, root, skip_missing=False)[chosen]
    head.check(data)
    gold = _gold(head, data)
    found = [
        Constant(answer, {one.metric: one.value for one in head.score(same, gold, chosen)})
        for answer, same in _answers(head, data, gold)
    ]
    return sorted(found, key=lambda one: -next(iter(one.scores.values())))


def _gold(head: Head, data: Dataset) -> Sequence[Any]:
    """Return what is right on each row, as the head's `score` takes it."""
    if isinstance(head, SequenceHead):
        return [int(one) for one in data["label"][:]]
    if isinstance(head, SpanHead):
        return [list(one["text"]) for one in data[head.answers][:]]
    right: Sequence[Any] = head.gold(data)
    return right


def _answers(head: Head, data: Dataset, gold: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Yield each answer's description, and the answer once for every row."""
    if isinstance(head, SequenceHead):
        for number, name in enumerate(head.labels):
            yield f"'{name}' on every row", [number] * len(gold)
    elif isinstance(head, ChoiceHead):
        for number in sorted(set(gold)):
            yield f"option {number + 1} on every row", [number] * len(gold)
    elif isinstance(head, TokenHead):
        for name in head.labels:
            yield f"{name} on every word", [[name] * len(one) for one in gold]
    elif isinstance(head, SpanHead):
        contexts = data[head.context][:]
        spans = [word_spans(one) for one in contexts]
        tries = {"no answer": [""] * len(contexts), "the whole text": contexts}
        tries["the first sentence"] = [_first_sentence(one) for one in contexts]
        for count in range(1, _WORDS + 1):
            # From the text's start to the end of its n-th word, whatever stands between them.
            ends = [(one[:count] or [(0, 0)])[-1][1] for one in spans]
            tries["the first word" if count == 1 else f"the first {count} words"] = [
                text[:end] for text, end in zip(contexts, ends, strict=True)
            ]
        for answer, texts in tries.items():
            yield answer, [[Answer(text, 0, 0.0)] for text in texts]


def _first_sentence(text: str) -> str:
    """Return a text up to the first sign that ends a sentence and is not part of a number or a name."""
    for place, sign in enumerate(text):
        if sign in _ENDS and (sign in _TIGHT or not text[place + 1 : place + 2].strip()):
            return text[: place + 1]
    return text
