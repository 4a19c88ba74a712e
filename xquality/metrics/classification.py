"""Accuracy and F1 for labels.

Accuracy follows the official XTREME code: the share of equal pairs, times 100. F1 is the textbook's, per class and
averaged; the classes are those that occur among the references or the predictions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any

from xquality.errors import MetricError
from xquality.metrics.sums import column_sums, plain_sum

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

AVERAGES = ("macro", "weighted", "micro")


def accuracy(predictions: Sequence[Hashable], references: Sequence[Hashable]) -> dict[str, float]:
    """Return `{"accuracy": share of equal pairs x 100}`.

    Args:
        predictions: one label an example, shape (rows,).
        references: the gold labels, shape (rows,).

    Raises:
        MetricError: where the lengths differ or there are no examples.

    Example:
        >>> accuracy(["a", "b", "b", "a"], ["a", "b", "a", "a"])
        {'accuracy': 75.0}
    """
    _check(predictions, references)
    predictions, references = _plain(predictions), _plain(references)
    equal = sum(one == other for one, other in zip(predictions, references, strict=True))
    return {"accuracy": equal / len(predictions) * 100}


def f1(predictions: Sequence[Hashable], references: Sequence[Hashable], average: str = "macro") -> dict[str, float]:
    """Return `{"<average>_f1": ...}` times 100.

    Args:
        predictions: one label an example, shape (rows,).
        references: the gold labels, shape (rows,).
        average: "macro" for the plain mean over classes, "weighted" for the mean by the references' counts,
            "micro" for F1 over all decisions, which is the accuracy.

    Raises:
        MetricError: where the lengths differ, there are no examples, or the average is unknown.

    Example:
        >>> f1(["a", "b", "b", "a"], ["a", "b", "a", "a"])
        {'macro_f1': 73.33333333333333}
    """
    if average not in AVERAGES:
        raise MetricError(f"f1(average={average!r}) must be one of 'macro', 'weighted', 'micro'.")
    if average == "micro":
        return {"micro_f1": accuracy(predictions, references)["accuracy"]}
    right, found, gold = _counters(predictions, references)
    each = [2 * right[one] / (found[one] + gold[one]) * 100 for one in _classes(found, gold)]
    if average == "macro":
        return {"macro_f1": plain_sum(each) / len(each)}
    weights = [gold[one] for one in _classes(found, gold)]
    weighted = plain_sum(value * weight for value, weight in zip(each, weights, strict=True))
    return {"weighted_f1": weighted / len(references)}


def correct_each(predictions: Sequence[Hashable], references: Sequence[Hashable]) -> NDArray[np.int64]:
    """Return for each example whether the prediction is right, and a 1: what the accuracy needs to be resampled.

    Returns:
        Counts, shape (rows, 2).

    Raises:
        MetricError: as `accuracy` does.

    Example:
        >>> correct_each(["a", "b"], ["a", "a"]).tolist()
        [[1, 1], [0, 1]]
    """
    import numpy as np

    _check(predictions, references)
    pairs = zip(_plain(predictions), _plain(references), strict=True)
    return np.array([(int(one == other), 1) for one, other in pairs], np.int64)


def accuracy_from(counts: NDArray[Any]) -> dict[str, float]:
    """Return what `accuracy` returns, from the counts of `correct_each` or from sums of them.

    Raises:
        MetricError: where there are no examples.

    Example:
        >>> accuracy_from(correct_each(["a", "b"], ["a", "a"]))
        {'accuracy': 50.0}
    """
    correct, rows = column_sums(counts)
    if not rows:
        raise MetricError("A score needs at least one example, but there are none; check the split that was scored.")
    return {"accuracy": correct / rows * 100}


def decisions_each(predictions: Sequence[Hashable], references: Sequence[Hashable]) -> NDArray[np.int64]:
    """Return for each example and class whether it was rightly predicted, predicted, and gold.

    Returns:
        Counts, shape (rows, 3 x classes): what F1 needs to be resampled, three columns a class.

    Raises:
        MetricError: as `f1` does.

    Example:
        >>> decisions_each(["a", "b"], ["a", "a"]).tolist()
        [[1, 1, 1, 0, 0, 0], [0, 0, 1, 0, 1, 0]]
    """
    import numpy as np

    _, found, gold = _counters(predictions, references)
    place = {one: number for number, one in enumerate(_classes(found, gold))}
    counts = np.zeros((len(references), len(place), 3), np.int64)
    for row, (one, other) in enumerate(zip(_plain(predictions), _plain(references), strict=True)):
        counts[row, place[one], 0] = one == other
        counts[row, place[one], 1] = counts[row, place[other], 2] = 1
    return counts.reshape(len(references), -1)


def f1_from(counts: NDArray[Any], average: str = "macro") -> dict[str, float]:
    """Return what `f1` returns, from the counts of `decisions_each` or from sums of them.

    A class that a resample holds neither as prediction nor as reference is left out of the mean, as in `f1`.

    Raises:
        MetricError: where there are no examples or the average is unknown.

    Example:
        >>> f1_from(decisions_each(["a", "b", "b", "a"], ["a", "b", "a", "a"]))
        {'macro_f1': 73.33333333333333}
    """
    if average not in AVERAGES:
        raise MetricError(f"f1_from(average={average!r}) must be one of 'macro', 'weighted', 'micro'.")
    sums = column_sums(counts)
    classes = [(right, found, gold) for right, found, gold in zip(*[iter(sums)] * 3, strict=True) if found + gold]
    rows = plain_sum(gold for _, _, gold in classes)
    if not rows:
        raise MetricError("A score needs at least one example, but there are none; check the split that was scored.")
    if average == "micro":
        return {"micro_f1": plain_sum(right for right, _, _ in classes) / rows * 100}
    each = [2 * right / (found + gold) * 100 for right, found, gold in classes]
    if average == "macro":
        return {"macro_f1": plain_sum(each) / len(each)}
    weighted = plain_sum(value * gold for value, (_, _, gold) in zip(each, classes, strict=True))
    return {"weighted_f1": weighted / rows}


def _counters(
    predictions: Sequence[Hashable], references: Sequence[Hashable]
) -> tuple[Counter[Hashable], Counter[Hashable], Counter[Hashable]]:
    """Return how often each class is rightly predicted, predicted, and gold."""
    _check(predictions, references)
    predictions, references = _plain(predictions), _plain(references)
    right = Counter(one for one, other in zip(predictions, references, strict=True) if one == other)
    return right, Counter(predictions), Counter(references)


def _classes(found: Counter[Hashable], gold: Counter[Hashable]) -> list[Hashable]:
    """Return all classes in one fixed order, since sums of floats depend on it."""
    return sorted(found.keys() | gold.keys(), key=repr)


def _plain(labels: Sequence[Hashable]) -> Sequence[Hashable]:
    """Return arrays and tensors as lists: their elements are told apart by place, not by value."""
    listed: Sequence[Hashable] = labels.tolist() if hasattr(labels, "tolist") else labels
    return listed


def _check(predictions: Sequence[Hashable], references: Sequence[Hashable]) -> None:
    """Raise where predictions and references cannot be paired."""
    if len(predictions) != len(references):
        raise MetricError(
            f"Every example needs one prediction, but there are {len(predictions)} for {len(references)} references."
        )
    if not len(references):
        raise MetricError("A score needs at least one example, but there are none; check the split that was scored.")
