"""SQuAD v2: questions that may have no answer.

The answer of such a question is the empty string. Answers are compared by SQuAD's rules; where nothing is left of
prediction or gold after normalisation, F1 is 1 if nothing is left of both and else 0, unlike in v1.1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from xquality.errors import MetricError
from xquality.metrics.answers import SQUAD
from xquality.metrics.overlap import overlap_f1
from xquality.metrics.sums import plain_sum

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Scores = dict[str, tuple[float, float]]


def squad_v2(
    predictions: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    no_answer: Mapping[str, float] | None = None,
    threshold: float = 1.0,
) -> dict[str, float]:
    """Return the scores that the official SQuAD v2 code prints, under its names.

    Args:
        predictions: for each question's id the answer, the empty string for none. Other ids are ignored.
        references: for each question's id its gold answers; an empty list where it has no answer.
        no_answer: for each question how probable it is that it has no answer, as far as the model says.
        threshold: questions whose probability exceeds it count as answered with the empty string.

    Returns:
        `exact`, `f1` and `total`; the same with `HasAns_` and `NoAns_` for the questions with and without an answer,
        where there are such; with probabilities also the best `exact` and `f1` that any threshold gives,
        `best_exact`, `best_exact_thresh`, `best_f1` and `best_f1_thresh`. All but totals and thresholds times 100.

    Raises:
        MetricError: where there is no question, or one has no prediction, no probability or an answer that is no
            string. (The official code leaves unanswered questions out of the total and then fails on its parts.)

    Example:
        >>> scores = squad_v2({"q1": "in 911", "q2": ""}, {"q1": ["911"], "q2": []})
        >>> scores["exact"], scores["f1"], scores["NoAns_f1"]
        (50.0, 83.33333333333333, 100.0)
    """
    scores = _scores(predictions, references)
    answerable = {question: len(golds) > 0 for question, golds in references.items()}
    final = scores
    if no_answer is not None:
        missing = [question for question in references if question not in no_answer]
        if missing:
            raise MetricError(f"Question {missing[0]!r} has no probability, as {len(missing)} of {len(references)}.")
        final = {
            question: (2 * (float(not answerable[question]),) if no_answer[question] > threshold else each)
            for question, each in scores.items()
        }
    result = _means("", list(final.values()))
    for name, wanted in (("HasAns_", True), ("NoAns_", False)):
        part = [each for question, each in final.items() if answerable[question] is wanted]
        if part:
            result |= _means(name, part)
    if no_answer is not None:
        for place, name in enumerate(("exact", "f1")):
            each = {question: score[place] for question, score in scores.items()}
            best = _best_threshold(predictions, each, no_answer, answerable)
            result[f"best_{name}"], result[f"best_{name}_thresh"] = best
    return result


def squad_v2_each(predictions: Mapping[str, str], references: Mapping[str, Sequence[str]]) -> NDArray[np.float64]:
    """Return for each question its exact match, its F1 and a 1: what the scores need to be resampled.

    Returns:
        Statistics in the order of the references, shape (questions, 3), exact match and F1 from 0 to 1.

    Raises:
        MetricError: as `squad_v2` does.
    """
    import numpy as np

    each = [(exact, f1, 1.0) for exact, f1 in _scores(predictions, references).values()]
    return np.array(each, np.float64).reshape(-1, 3)


def _scores(predictions: Mapping[str, str], references: Mapping[str, Sequence[str]]) -> Scores:
    """Return exact match and F1 of each question."""
    texts: dict[str, None] = {"": None}
    for question, golds in references.items():
        if question not in predictions:
            raise MetricError(f'Question {question!r} has no prediction; give every question one, "" for no answer.')
        whole = isinstance(golds, str | Mapping)  # as a row of the data has them: their texts are asked for
        for text in (predictions[question], *([golds] if whole else golds)):
            if not isinstance(text, str) or whole:
                raise MetricError(f"Question {question!r} needs lists of strings as answers, but {text!r} was found.")
            texts[text] = None
    if not references:
        raise MetricError("A score needs at least one question, but there is none; check the split that was scored.")
    tokens = dict(zip(texts, SQUAD.tokens(list(texts)), strict=True))
    scores: Scores = {}
    for question, golds in references.items():
        answer = tokens[predictions[question]]
        right = [tokens[gold] for gold in golds if tokens[gold]] or [[]]
        exact = [float(answer == one) for one in right]
        f1 = [overlap_f1(answer, one) if answer and one else equal for one, equal in zip(right, exact, strict=True)]
        scores[question] = max(exact), max(f1)
    return scores


def _means(name: str, scores: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Return the means of exact match and F1, times 100, and how many questions they are of."""
    return {
        f"{name}exact": 100.0 * plain_sum(exact for exact, _ in scores) / len(scores),
        f"{name}f1": 100.0 * plain_sum(f1 for _, f1 in scores) / len(scores),
        f"{name}total": len(scores),
    }


def _best_threshold(
    predictions: Mapping[str, str],
    scores: Mapping[str, float],
    no_answer: Mapping[str, float],
    answerable: Mapping[str, bool],
) -> tuple[float, float]:
    """Return the best score that answering up to some probability gives, times 100, and the probability."""
    total = best = float(sum(not one for one in answerable.values()))
    threshold = 0.0
    for question in sorted((one for one in no_answer if one in scores), key=lambda one: no_answer[one]):
        if answerable[question]:
            total += scores[question]
        elif predictions[question]:
            total -= 1
        if total > best:
            best, threshold = total, no_answer[question]
    return 100.0 * best / len(scores), threshold
