"""Question answering: SQuAD v1.1 (XQuAD, TyDi QA), MLQA, SQuAD v2, and a reading for scripts without blanks.

`exact_match` is the share of questions whose normalised answer equals a gold answer's, `f1` the mean overlap of
tokens; both take the best gold answer, each for itself. Where nothing is left of prediction and gold after
normalisation, `exact_match` counts and `f1` is 0, as in the official v1.1 code; v2 counts both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from xquality.errors import MetricError
from xquality.metrics.answers import SEGMENTED, SQUAD, Rules, Tokens, mlqa_rules
from xquality.metrics.overlap import overlap_f1
from xquality.metrics.sums import column_sums
from xquality.metrics.unanswerable import squad_v2, squad_v2_each

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

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


def squad(predictions: Predictions, references: References) -> dict[str, float]:
    """Return `{"exact_match": ..., "f1": ...}` by the rules of SQuAD v1.1, which are English in every language.

    Args:
        predictions: for each question's id the answer. Ids that are not among the references are ignored.
        references: for each question's id its gold answers, or (id, answers) pairs where an id is repeated and
            counts again. A question without prediction scores 0.

    Raises:
        MetricError: where there is no question, or an answered one has no gold answer or a prediction or gold answer
            that is no string.

    Example:
        >>> squad({"q1": "the Norman", "q2": "in 911"}, {"q1": ["Norman", "Normans"], "q2": ["911"]})
        {'exact_match': 50.0, 'f1': 83.33333333333333}
    """
    return squad_from(squad_each(predictions, references))


def mlqa(predictions: Predictions, references: References, language: str) -> dict[str, float]:
    """Return `{"exact_match": ..., "f1": ...}` by MLQA's rules for the language of the answers.

    Args:
        predictions: for each question's id the answer.
        references: for each question's id its gold answers, or pairs of both.
        language: one of ar, de, en, es, hi, vi, zh.

    Raises:
        MetricError: as `squad` does, and for another language.

    Example:
        >>> mlqa({"q": "北京"}, {"q": ["北京大学。"]}, "zh")
        {'exact_match': 0.0, 'f1': 66.66666666666666}
    """
    return squad_from(mlqa_each(predictions, references, language))


def squad_segmented(predictions: Predictions, references: References) -> dict[str, float]:
    """Return `{"exact_match": ..., "f1": ...}` where scripts without blanks are split into characters.

    This is not the official reading of XQuAD and TyDi QA, under which a Chinese or Thai answer is mostly one token,
    so that F1 hardly differs from exact match. Here all Unicode punctuation is dropped, no articles are, and each
    character of such a script, with the marks on it, is a token.

    Args:
        predictions: for each question's id the answer.
        references: for each question's id its gold answers, or pairs of both.

    Raises:
        MetricError: as `squad` does.

    Example:
        >>> squad({"q": "北京"}, {"q": ["北京大学"]})["f1"], squad_segmented({"q": "北京"}, {"q": ["北京大学"]})["f1"]
        (0.0, 66.66666666666666)
    """
    return squad_from(_each(predictions, references, SEGMENTED))


def squad_each(predictions: Predictions, references: References) -> NDArray[np.float64]:
    """Return for each question its exact match, its F1 and a 1: what `squad` needs to be resampled.

    Returns:
        Statistics in the order of the references, shape (questions, 3), exact match and F1 from 0 to 1.

    Raises:
        MetricError: as `squad` does.

    Example:
        >>> squad_each({"q1": "the Norman"}, {"q1": ["Norman"], "q2": ["911"]}).tolist()
        [[1.0, 1.0, 1.0], [0.0, 0.0, 1.0]]
    """
    return _each(predictions, references, SQUAD)


def mlqa_each(predictions: Predictions, references: References, language: str) -> NDArray[np.float64]:
    """Return for each question its exact match, its F1 and a 1: what `mlqa` needs to be resampled.

    Returns:
        Statistics in the order of the references, shape (questions, 3), exact match and F1 from 0 to 1.

    Raises:
        MetricError: as `mlqa` does.
    """
    return _each(predictions, references, mlqa_rules(language))


def squad_from(statistics: NDArray[Any]) -> dict[str, float]:
    """Return `{"exact_match": ..., "f1": ...}` from statistics of questions or from sums of them.

    Args:
        statistics: exact match, F1 and 1, shape (questions, 3) or (3,).

    Raises:
        MetricError: where there is no question.
    """
    exact, f1, questions = column_sums(statistics)
    if not questions:
        raise MetricError("A score needs at least one question, but there is none; check the split that was scored.")
    return {"exact_match": 100.0 * exact / questions, "f1": 100.0 * f1 / questions}


def normalised(text: str, language: str | None = None) -> str:
    """Return an answer as it is compared: by SQuAD's rules, or by MLQA's for a language.

    Example:
        >>> normalised("The Beatles!"), normalised("Der Beatle", "de")
        ('beatles', 'beatle')
    """
    rules = SQUAD if language is None else mlqa_rules(language)
    return " ".join(rules.tokens([text])[0])


def _each(predictions: Predictions, references: References, rules: Rules) -> NDArray[np.float64]:
    """Return exact match, F1 and 1 for each question."""
    import numpy as np

    questions = list(references.items() if isinstance(references, Mapping) else references)
    tokens = _tokens(predictions, questions, rules)
    each = np.zeros((len(questions), 3))
    each[:, 2] = 1
    for row, (question, golds) in enumerate(questions):
        if question in predictions:
            answer = tokens[predictions[question]]
            exact = best = 0.0
            for gold in golds:
                right = tokens[gold]
                exact = 1.0 if answer == right else exact
                best = max(best, overlap_f1(answer, right))
            each[row, 0], each[row, 1] = exact, best
    return each


def _tokens(
    predictions: Predictions, questions: Sequence[tuple[str, Sequence[str]]], rules: Rules
) -> dict[str, Tokens]:
    """Return the tokens of all texts that are compared, each worked on once, or raise where one is no text."""
    texts: dict[str, None] = {}
    for question, golds in questions:
        if question not in predictions:
            continue
        if isinstance(golds, str | Mapping) or not len(golds):
            raise MetricError(f"Question {question!r} is answered, but has no list of gold answers; it has {golds!r}.")
        for text in (predictions[question], *golds):
            if not isinstance(text, str):
                raise MetricError(f"Question {question!r} needs answers that are strings, but {text!r} was found.")
            texts[text] = None
    return dict(zip(texts, rules.tokens(list(texts)), strict=True))
