"""Accuracy and F1 for labels.

Accuracy follows the official XTREME code: the share of equal pairs, times 100. F1 is the textbook's, per class and
averaged; the classes are those that occur among the references or the predictions.

May import: errors.
"""

from collections import Counter
from collections.abc import Hashable, Sequence

from xquality.errors import MetricError


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
    _check(predictions, references)
    predictions, references = _plain(predictions), _plain(references)
    if average not in ("macro", "weighted", "micro"):
        raise MetricError(f"f1(average={average!r}) must be one of 'macro', 'weighted', 'micro'.")
    if average == "micro":
        return {"micro_f1": accuracy(predictions, references)["accuracy"]}
    found, gold = Counter(predictions), Counter(references)
    right = Counter(one for one, other in zip(predictions, references, strict=True) if one == other)
    classes = sorted(found.keys() | gold.keys(), key=repr)  # a fixed order: sums of floats depend on it
    each = [2 * right[one] / (found[one] + gold[one]) * 100 for one in classes]
    if average == "macro":
        return {"macro_f1": sum(each) / len(each)}
    return {"weighted_f1": sum(value * gold[one] for one, value in zip(classes, each, strict=True)) / len(references)}


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
