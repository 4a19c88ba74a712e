"""Question answering: SQuAD v1.1 (XQuAD, TyDi QA), MLQA, SQuAD v2, and a metric for scripts without blanks.

`exact_match` is the share of questions whose normalised prediction equals a right answer's, `f1` the mean F1 of their
tokens; each takes its own best right answer. Where normalisation leaves nothing of prediction and right answer,
`exact_match` is 1 and `f1` is 0, as in the official v1.1 code. In SQuAD v2, whose questions may have no answer (the
empty string), `f1` is then 1.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xquality.errors import MetricError
from xquality.metrics._answer_tokens import SEGMENTED, SQUAD, Rules, Tokens, mlqa_rules
from xquality.metrics._sums import column_sums, plain_sum

__all__ = [
    "mlqa",
    "mlqa_each",
    "normalised",
    "squad",
    "squad_each",
    "squad_from",
    "squad_segmented",
    "squad_v2",
    "squad_v2_each",
]

Predictions = Mapping[str, str]
References = Mapping[str, Sequence[str]] | Iterable[tuple[str, Sequence[str]]]

_NO_QUESTION = "A score needs at least one question, but there is none; check the split that was scored."
_LONG = 400  # above this product of two answers' lengths, counting tokens is faster than removing them from a list


def squad(predictions: Predictions, references: References) -> dict[str, float]:
    """Return `{"exact_match": ..., "f1": ...}` by the rules of SQuAD v1.1, which are English in every language.

    Args:
        predictions: the answer of each question by its id. Ids that are not among the references are ignored.
        references: the right answers of each question by its id, or (id, answers) pairs where an id is repeated and
            counts again. A question without prediction scores 0.

    Raises:
        MetricError: where there is no question, where a question with a prediction has no right answer, or where a
            prediction or right answer is no string.

    Example:
        >>> squad({"q1": "the Norman", "q2": "in 911"}, {"q1": ["Norman", "Normans"], "q2": ["911"]})
        {'exact_match': 50.0, 'f1': 83.33333333333333}
    """
    return squad_from(squad_each(predictions, references))


def mlqa(predictions: Predictions, references: References, language: str) -> dict[str, float]:
    """Return `{"exact_match": ..., "f1": ...}` by MLQA's rules for the language of the answers.

    Args:
        predictions: the answer of each question by its id.
        references: the right answers of each question by its id, or (id, answers) pairs.
        language: one of ar, de, en, es, hi, vi, zh.

    Raises:
        MetricError: as `squad` does, and for another language.

    Example:
        >>> mlqa({"q": "北京"}, {"q": ["北京大学。"]}, "zh")
        {'exact_match': 0.0, 'f1': 66.66666666666666}
    """
    return squad_from(mlqa_each(predictions, references, language))


def squad_segmented(predictions: Predictions, references: References) -> dict[str, float]:
    """Return `{"exact_match": ..., "f1": ...}` where text in scripts without blanks is split into characters.

    This is not the official metric of XQuAD and TyDi QA, under which a Chinese or Thai answer is mostly one token,
    so that F1 hardly differs from exact match. Here all Unicode punctuation is dropped, articles stay, and each
    character of such a script with its combining marks is a token.

    Args:
        predictions: the answer of each question by its id.
        references: the right answers of each question by its id, or (id, answers) pairs.

    Raises:
        MetricError: as `squad` does.

    Example:
        >>> squad({"q": "北京"}, {"q": ["北京大学"]})["f1"], squad_segmented({"q": "北京"}, {"q": ["北京大学"]})["f1"]
        (0.0, 66.66666666666666)
    """
    return squad_from(_statistics(predictions, references, SEGMENTED))


def squad_each(predictions: Predictions, references: References) -> NDArray[np.float64]:
    """Return for each question its exact match, its F1 and a 1: the statistics of `squad`.

    Returns:
        Statistics in the order of the references, shape (questions, 3), exact match and F1 from 0 to 1.

    Raises:
        MetricError: as `squad` does.

    Example:
        >>> squad_each({"q1": "the Norman"}, {"q1": ["Norman"], "q2": ["911"]}).tolist()
        [[1.0, 1.0, 1.0], [0.0, 0.0, 1.0]]
    """
    return _statistics(predictions, references, SQUAD)


def mlqa_each(predictions: Predictions, references: References, language: str) -> NDArray[np.float64]:
    """Return for each question its exact match, its F1 and a 1: the statistics of `mlqa`.

    Returns:
        Statistics in the order of the references, shape (questions, 3), exact match and F1 from 0 to 1.

    Raises:
        MetricError: as `mlqa` does.
    """
    return _statistics(predictions, references, mlqa_rules(language))


def squad_from(statistics: NDArray[Any]) -> dict[str, float]:
    """Return `{"exact_match": ..., "f1": ...}` from the statistics of questions or from sums of them.

    Args:
        statistics: exact match, F1 and 1, shape (questions, 3) or (3,).

    Raises:
        MetricError: where there is no question.
    """
    exact_match, f1, questions = column_sums(statistics)
    if not questions:
        raise MetricError(_NO_QUESTION)
    return {"exact_match": 100.0 * exact_match / questions, "f1": 100.0 * f1 / questions}


def squad_v2(
    predictions: Mapping[str, str],
    references: Mapping[str, Sequence[str]],
    no_answer: Mapping[str, float] | None = None,
    threshold: float = 1.0,
) -> dict[str, float]:
    """Return the scores that the official SQuAD v2 code prints, under its names.

    Args:
        predictions: the answer of each question by its id, the empty string for none. Other ids are ignored.
        references: the right answers of each question by its id; an empty list where it has no answer.
        no_answer: for each question the model's probability that it has no answer.
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
    scores = _v2_scores(predictions, references)
    answerable = {question: len(answers) > 0 for question, answers in references.items()}
    thresholded = scores
    if no_answer is not None:
        missing = [question for question in references if question not in no_answer]
        if missing:
            raise MetricError(f"Question {missing[0]!r} has no probability, as {len(missing)} of {len(references)}.")
        thresholded = {
            question: (2 * (float(not answerable[question]),) if no_answer[question] > threshold else score)
            for question, score in scores.items()
        }
    result = _v2_means("", list(thresholded.values()))
    for prefix, has_answer in (("HasAns_", True), ("NoAns_", False)):
        part = [score for question, score in thresholded.items() if answerable[question] is has_answer]
        if part:
            result |= _v2_means(prefix, part)
    if no_answer is not None:
        for column, name in enumerate(("exact", "f1")):
            by_question = {question: score[column] for question, score in scores.items()}
            best = _v2_best_threshold(predictions, by_question, no_answer, answerable)
            result[f"best_{name}"], result[f"best_{name}_thresh"] = best
    return result


def squad_v2_each(predictions: Mapping[str, str], references: Mapping[str, Sequence[str]]) -> NDArray[np.float64]:
    """Return for each question its exact match, its F1 and a 1: the statistics of `exact` and `f1` of `squad_v2`.

    Returns:
        Statistics in the order of the references, shape (questions, 3), exact match and F1 from 0 to 1.

    Raises:
        MetricError: as `squad_v2` does.
    """
    scores = [(exact_match, f1, 1.0) for exact_match, f1 in _v2_scores(predictions, references).values()]
    return np.array(scores, np.float64).reshape(-1, 3)


def normalised(text: str, language: str | None = None) -> str:
    """Return an answer in the form that is compared: by SQuAD's rules, or by MLQA's for a language.

    Example:
        >>> normalised("The Beatles!"), normalised("Der Beatle", "de")
        ('beatles', 'beatle')
    """
    rules = SQUAD if language is None else mlqa_rules(language)
    return " ".join(rules.tokenise([text])[0])


def _statistics(predictions: Predictions, references: References, rules: Rules) -> NDArray[np.float64]:
    """Return exact match, F1 and 1 of each question, by the rules of SQuAD v1.1 for what is compared."""
    questions = _read_questions(predictions, references)
    tokens = _tokenise_all(predictions, questions, rules)
    statistics = np.zeros((len(questions), 3))
    statistics[:, 2] = 1
    for row, (question, answers) in enumerate(questions):
        if question in predictions:
            predicted = tokens[predictions[question]]
            exact_match = best_f1 = 0.0
            for answer in answers:
                right = tokens[answer]
                exact_match = 1.0 if predicted == right else exact_match
                best_f1 = max(best_f1, _token_f1(predicted, right))
            statistics[row, 0], statistics[row, 1] = exact_match, best_f1
    return statistics


def _read_questions(predictions: object, references: object) -> list[tuple[str, Sequence[str]]]:
    """Return the questions with their right answers, or raise `MetricError` where they or the predictions are none."""
    if not isinstance(predictions, Mapping):
        raise MetricError(f"Predictions must be answers by the question's id, but got {type(predictions).__name__}.")
    listed = references.items() if isinstance(references, Mapping) else references
    if isinstance(listed, Iterable) and not isinstance(listed, str | bytes):
        questions = list(listed)
        if all(isinstance(question, tuple | list) and len(question) == 2 for question in questions):
            return questions
    raise MetricError(
        "References must be the right answers by the question's id, or (id, answers) pairs, but got "
        f"{type(references).__name__}."
    )


def _tokenise_all(
    predictions: Predictions, questions: Sequence[tuple[str, Sequence[str]]], rules: Rules
) -> dict[str, Tokens]:
    """Return the tokens of every text that is compared, or raise `MetricError` where one is no string."""
    texts: dict[str, None] = {}
    for question, answers in questions:
        if question not in predictions:
            continue
        if isinstance(answers, str | Mapping) or not len(answers):
            raise MetricError(
                f"Question {question!r} has a prediction, but no list of right answers; it has {answers!r}."
            )
        for text in (predictions[question], *answers):
            if not isinstance(text, str):
                raise MetricError(f"Question {question!r} needs answers that are strings, but {text!r} was found.")
            texts[text] = None
    return dict(zip(texts, rules.tokenise(list(texts)), strict=True))


def _token_f1(predicted: Tokens, right: Tokens) -> float:
    """Return F1 of the tokens that two answers share, 0 where they share none; a token counts as often as in both."""
    shared = _count_shared(predicted, right)
    if not shared:
        return 0.0
    precision, recall = shared / len(predicted), shared / len(right)
    return (2 * precision * recall) / (precision + recall)


def _count_shared(predicted: Tokens, right: Tokens) -> int:
    """Return how many tokens two answers share."""
    if predicted == right:
        return len(right)
    if len(predicted) * len(right) > _LONG:
        return (Counter(predicted) & Counter(right)).total()
    remaining, shared = list(right), 0
    for token in predicted:
        if token in remaining:
            remaining.remove(token)
            shared += 1
    return shared


def _v2_scores(
    predictions: Mapping[str, str], references: Mapping[str, Sequence[str]]
) -> dict[str, tuple[float, float]]:
    """Return exact match and F1 of each question, from 0 to 1."""
    _read_questions(predictions, references)
    texts: dict[str, None] = {"": None}
    for question, answers in references.items():
        if question not in predictions:
            raise MetricError(f'Question {question!r} has no prediction; give every question one, "" for no answer.')
        listed = not isinstance(answers, str | Mapping)  # a mapping is the form of the data's rows
        for text in (predictions[question], *(answers if listed else [answers])):
            if not isinstance(text, str) or not listed:
                raise MetricError(f"Question {question!r} needs lists of strings as answers, but {text!r} was found.")
            texts[text] = None
    if not references:
        raise MetricError(_NO_QUESTION)
    tokens = dict(zip(texts, SQUAD.tokenise(list(texts)), strict=True))
    scores: dict[str, tuple[float, float]] = {}
    for question, answers in references.items():
        predicted = tokens[predictions[question]]
        right = [tokens[answer] for answer in answers if tokens[answer]] or [[]]
        exact_match = [float(predicted == answer) for answer in right]
        f1 = [
            _token_f1(predicted, answer) if predicted and answer else equal
            for answer, equal in zip(right, exact_match, strict=True)
        ]
        scores[question] = max(exact_match), max(f1)
    return scores


def _v2_means(prefix: str, scores: Sequence[tuple[float, float]]) -> dict[str, float]:
    """Return the means of exact match and F1, times 100, and the number of questions."""
    return {
        f"{prefix}exact": 100.0 * plain_sum(exact_match for exact_match, _ in scores) / len(scores),
        f"{prefix}f1": 100.0 * plain_sum(f1 for _, f1 in scores) / len(scores),
        f"{prefix}total": len(scores),
    }


def _v2_best_threshold(
    predictions: Mapping[str, str],
    scores: Mapping[str, float],
    no_answer: Mapping[str, float],
    answerable: Mapping[str, bool],
) -> tuple[float, float]:
    """Return the best mean score times 100 over all thresholds of the no-answer probability, and that threshold."""
    total = best = float(sum(not has_answer for has_answer in answerable.values()))
    threshold = 0.0
    for question in sorted((name for name in no_answer if name in scores), key=lambda name: no_answer[name]):
        if answerable[question]:
            total += scores[question]
        elif predictions[question]:
            total -= 1
        if total > best:
            best, threshold = total, no_answer[question]
    return 100.0 * best / len(scores), threshold
