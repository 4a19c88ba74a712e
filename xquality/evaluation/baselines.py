"""Constant baselines: what a prediction scores that is the same on every row, or only the beginning of its text.

A model that does not beat them has learnt nothing from its input.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from datasets import Dataset

from xquality.errors import ConstantAnswerWarning, SettingError, warn
from xquality.evaluation.evaluation_set import EvaluationSet, gather, name_language, task_languages
from xquality.heads import ChoiceHead, Head, PredictedAnswer, SequenceHead, SpanHead, TokenHead, WritesSubmissions
from xquality.tasks.base import Task
from xquality.text.words import word_spans

_WORDS = 30  # the longest beginning of a context that is tried as an answer, in words
_UNSPACED_ENDS = "\u3002\uff01\uff1f"  # sentence-final punctuation of Chinese and Japanese, which no blank follows
_SENTENCE_ENDS = f".!?\u0964\u061f{_UNSPACED_ENDS}"


@final
@dataclass(frozen=True)
class ConstantBaseline:
    """A prediction that is the same on every row, and its scores.

    Attributes:
        answer: a description of the prediction.
        scores: its value in each metric of the task, the main metric first.
    """

    answer: str
    scores: dict[str, float]

    def to_dict(self) -> dict[str, Any]:
        """Return the baseline as plain JSON values, so that a `Result` takes it in its notes."""
        return {"answer": self.answer, "scores": dict(self.scores)}


def constant_baselines(
    task: Task, language: str | None = None, split: str | None = None, root: str | Path | None = None
) -> list[ConstantBaseline]:
    """Return the scores of each constant prediction, the best in the main metric first.

    For classes and options it is one of them on every row, for tags one of them on every word; for questions it is no
    answer, the first words of the context (characters where a script has no blanks), its first sentence or all of
    it. The best of them is chosen on the rows that are scored, which favours it: it is a bar that is slightly too
    high.

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
        >>> best = constant_baselines(toy.topics, "es")[0]
        >>> best.answer, round(best.scores["accuracy"], 1)
        ("'health' on every row", 19.0)
    """
    head = task.head
    if not isinstance(head, SequenceHead | ChoiceHead | TokenHead | SpanHead):
        raise SettingError(f"{task.name} has no constant baseline; give a task of classes, options, tags or questions.")
    (chosen,) = task_languages(task, [task.source_language if language is None else language])
    data = gather(task, (chosen,), split or task.evaluation_split, root, skip_missing=False)[chosen]
    with name_language(task, chosen):
        head.check(data)
        return _score_baselines(head, data, chosen)


def _score_baselines(head: Head, data: Dataset, language: str) -> list[ConstantBaseline]:
    """Return the scores of each constant prediction on some rows, the best in the main metric first."""
    references = _references(head, data)
    baselines = [
        ConstantBaseline(answer, {value.metric: value.value for value in head.score(predictions, references, language)})
        for answer, predictions in _constant_predictions(head, data, references)
    ]
    main_metric = head.chosen_metrics[0]
    return sorted(baselines, key=lambda baseline: main_metric.orient(baseline.scores[main_metric.name]), reverse=True)


def warn_of_constant_answers(evaluation_set: EvaluationSet, predictions: Sequence[list[Any]]) -> None:
    """Warn where a model gave the same answer on every row of a language, though the right answers differ.

    Args:
        evaluation_set: the rows that were read.
        predictions: what `predict` returned for each language.
    """
    head = evaluation_set.head
    if not isinstance(head, SequenceHead | ChoiceHead | TokenHead | SpanHead):
        return
    constant = []
    parts = zip(evaluation_set.languages, predictions, evaluation_set.encoded, evaluation_set.data, strict=True)
    for language, predicted, encoded, data in parts:
        right = encoded.references_or_targets
        answers = _answers(head, predicted)
        if len(predicted) > 1 and len(answers) == 1 and answers != _answers(head, right):
            constant.append((language, answers.pop(), predicted, right, data))
    if not constant:
        return
    language, answer, predicted, right, data = constant[0]
    shown = head.labels[answer] if isinstance(head, SequenceHead) else answer
    places = f"{language} (and so in {len(constant) - 1} more)" if len(constant) > 1 else language
    own, best = head.score(predicted, right, language)[0], _score_baselines(head, data, language)[0]
    warn(
        f"The model answers {shown!r} on all rows of {evaluation_set.task.name} in {places}, as if it had not read "
        f"them: {own.metric} {own.value:.1f}, where the best constant baseline, {best.answer}, has "
        f"{best.scores[own.metric]:.1f}. Train longer or with a higher learning rate, and check the labels.",
        ConstantAnswerWarning,
    )


def _answers(head: Head, values: Sequence[Any]) -> set[Any]:
    """Return the different answers among predictions or references: of tags those of single words."""
    if isinstance(head, TokenHead):
        return {tag for sentence in values for tag in sentence}
    if isinstance(head, SpanHead):
        return {
            answer.text if isinstance(answer, PredictedAnswer) else answer for ranked in values for answer in ranked[:1]
        }
    return set(values)


def _references(head: Head, data: Dataset) -> Sequence[Any]:
    """Return the reference of each row, in the form that the head's `score` takes."""
    if isinstance(head, SequenceHead):
        return [int(label) for label in data["label"][:]]
    if isinstance(head, SpanHead):
        return [list(answers["text"]) for answers in data[head.answers][:]]
    assert isinstance(head, WritesSubmissions)
    references: Sequence[Any] = head.references(data)
    return references


def _constant_predictions(head: Head, data: Dataset, references: Sequence[Any]) -> Iterator[tuple[str, list[Any]]]:
    """Yield for each constant prediction its description and the predictions of all rows."""
    if isinstance(head, SequenceHead):
        for number, name in enumerate(head.labels):
            yield f"'{name}' on every row", [number] * len(references)
    elif isinstance(head, ChoiceHead):
        for number in sorted(set(references)):
            yield f"option {number + 1} on every row", [number] * len(references)
    elif isinstance(head, TokenHead):
        for name in head.labels:
            yield f"{name} on every word", [[name] * len(tags) for tags in references]
    elif isinstance(head, SpanHead):
        for answer, texts in _beginnings(data[head.context][:]).items():
            yield answer, [[PredictedAnswer(text, 0, 0.0)] for text in texts]


def _beginnings(contexts: Sequence[str]) -> dict[str, list[str]]:
    """Return for each description of a beginning, such as "the first sentence", that of each context."""
    spans = [word_spans(context) for context in contexts]
    beginnings = {"no answer": [""] * len(contexts), "the whole text": list(contexts)}
    beginnings["the first sentence"] = [_first_sentence(context) for context in contexts]
    for count in range(1, _WORDS + 1):
        # From the start of the context to the end of its n-th word, with all characters between.
        ends = [(words[:count] or [(0, 0)])[-1][1] for words in spans]
        beginnings["the first word" if count == 1 else f"the first {count} words"] = [
            context[:end] for context, end in zip(contexts, ends, strict=True)
        ]
    return beginnings


def _first_sentence(text: str) -> str:
    """Return a text up to the first punctuation that ends a sentence and is not part of a number or a name."""
    for place, character in enumerate(text):
        if character in _SENTENCE_ENDS and (character in _UNSPACED_ENDS or not text[place + 1 : place + 2].strip()):
            return text[: place + 1]
    return text
