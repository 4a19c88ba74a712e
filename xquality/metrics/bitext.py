"""Mined bitext against gold pairs: the best threshold on one set, the pairs above it and F1 on another."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from xquality.errors import MetricError


def best_threshold(
    candidates: Iterable[Sequence[Any]], gold: Iterable[Any], *, at_end: str = "refuse"
) -> dict[str, float]:
    """Return the score that parts right from wrong candidates best, and what taking all above it scores.

    Candidates are taken from the best score down, equal scores in their order; the first cut with the largest F1
    counts, and the threshold lies halfway to the next score. Everything that scores at least the threshold is then
    taken, so where equal scores lie around the cut, F1 is lower than at the cut. Without any right candidate the
    threshold is 0. A repeated pair keeps its larger score and its first place.

    Args:
        candidates: (score, source, target), for example from `mine`.
        gold: the right (source, target) pairs.
        at_end: where taking all candidates is best there is no next score: the official code fails then, and "refuse"
            does too; "keep" takes the last score itself.

    Returns:
        `{"threshold": ..., "f1": ..., "precision": ..., "recall": ...}`, all but the threshold times 100.

    Raises:
        MetricError: for candidates that are no scored pairs, and where the best cut is after the last.

    Example:
        >>> best_threshold([(1.4, "a", "x"), (1.2, "b", "y"), (0.9, "c", "z")], [("a", "x"), ("b", "y")])
        {'threshold': 1.05, 'f1': 100.0, 'precision': 100.0, 'recall': 100.0}
    """
    if at_end not in ("refuse", "keep"):
        raise MetricError(f"best_threshold(at_end={at_end!r}) must be one of 'refuse', 'keep'.")
    scores, right = _scored(candidates), set(map(_pair, gold))
    items = sorted(scores.items(), key=lambda one: -one[1])
    correct, best, threshold = 0, 0.0, 0.0
    for place, (pair, score) in enumerate(items):
        correct += pair in right
        if correct:
            precision, recall = correct / (place + 1), correct / len(right)
            f1 = 2 * precision * recall / (precision + recall)
            if f1 > best:
                best = f1
                if place + 1 == len(items) and at_end == "refuse":
                    raise MetricError(
                        f"Taking all {len(items)} candidates scores best, so no next score bounds the threshold; mine "
                        "more candidates, or set at_end='keep' to take the last score (the official code fails here)."
                    )
                threshold = (score + items[min(place + 1, len(items) - 1)][1]) / 2
    return {"threshold": threshold, **bitext_f1(_above(scores, threshold), right)}


def extract(candidates: Iterable[Sequence[Any]], threshold: float) -> list[tuple[Any, Any]]:
    """Return the pairs that score at least the threshold, each once, in their order.

    Example:
        >>> extract([(1.4, "a", "x"), (1.2, "b", "y"), (0.9, "c", "z")], 1.2)
        [('a', 'x'), ('b', 'y')]
    """
    return _above(_scored(candidates), threshold)


def bitext_f1(predicted: Iterable[Any], gold: Iterable[Any]) -> dict[str, float]:
    """Return `{"f1": ..., "precision": ..., "recall": ...}` of two sets of pairs, times 100; 0 without a hit.

    Args:
        predicted: (source, target) pairs, or lines of the official files, which are split at tabs. Repeated ones
            count once, and the columns are compared as they are.
        gold: the right pairs.

    Example:
        >>> bitext_f1([("a", "x"), ("b", "z")], [("a", "x"), ("b", "y"), ("c", "z")])
        {'f1': 40.0, 'precision': 50.0, 'recall': 33.33333333333333}
    """
    found, right = set(map(_pair, predicted)), set(map(_pair, gold))
    correct = len(found & right)
    if not correct:
        return {"f1": 0.0, "precision": 0.0, "recall": 0.0}
    precision, recall = correct / len(found), correct / len(right)
    return {
        "f1": 2 * precision * recall / (precision + recall) * 100,
        "precision": precision * 100,
        "recall": recall * 100,
    }


def _scored(candidates: Iterable[Sequence[Any]]) -> dict[tuple[Any, ...], float]:
    """Return the score of each pair: the larger one where it is repeated, at its first place."""
    scores: dict[tuple[Any, ...], float] = {}
    for one in candidates:
        try:
            score, source, target = one
            score, pair = float(score), (source, target)
        except (TypeError, ValueError) as fault:
            raise MetricError(f"A candidate is (score, source, target), but {one!r} was found.") from fault
        if math.isnan(score):
            raise MetricError(f"The candidate {one!r} has no number as its score; leave such candidates out.")
        scores[pair] = max(score, scores.get(pair, score))
    return scores


def _above(scores: Mapping[tuple[Any, ...], float], threshold: float) -> list[Any]:
    """Return the pairs that score at least the threshold."""
    return [pair for pair, score in scores.items() if score >= threshold]


def _pair(one: Any) -> tuple[Any, ...]:
    """Return a pair as a tuple; a line is split at its tabs."""
    try:
        return tuple(one.split("\t")) if isinstance(one, str) else tuple(one)
    except TypeError as fault:
        raise MetricError(f"A pair is (source, target) or a line of both, but {one!r} was found.") from fault
