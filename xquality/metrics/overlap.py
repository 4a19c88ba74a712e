"""The overlap of two answers' tokens."""

from collections import Counter
from collections.abc import Sequence


def overlap_f1(answer: Sequence[str], gold: Sequence[str]) -> float:
    """Return F1 of the tokens that two answers share, repeated ones counted as often as in both; 0 where none is.

    Example:
        >>> overlap_f1(["two", "two", "three"], ["one", "two", "two"])
        0.6666666666666666
    """
    shared = _shared(answer, gold)
    if not shared:
        return 0.0
    precision, recall = shared / len(answer), shared / len(gold)
    return (2 * precision * recall) / (precision + recall)


def _shared(answer: Sequence[str], gold: Sequence[str]) -> int:
    """Return how many tokens two answers share."""
    if answer == gold:
        return len(gold)
    if len(answer) * len(gold) > 400:  # counting long answers is quicker than crossing tokens off
        return (Counter(answer) & Counter(gold)).total()
    left, shared = list(gold), 0
    for token in answer:
        if token in left:
            left.remove(token)
            shared += 1
    return shared
