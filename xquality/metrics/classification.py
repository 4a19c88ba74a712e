"""Accuracy and F1 of class labels.

Accuracy follows the official XTREME code: the share of equal pairs, times 100. F1 is the textbook definition, per
class and averaged over the classes that occur among the references or the predictions.
"""

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xquality.errors import MetricError
from xquality.metrics._sums import column_sums, plain_sum

Labels = Sequence[Hashable]

AVERAGES = ("macro", "weighted", "micro")

_NO_EXAMPLES = "A score needs at least one example, but there are none; check the split that was scored."


def accuracy(predictions: Labels, references: Labels) -> dict[str, float]:
    """Return `{"accuracy": share of equal pairs x 100}`.

    Args:
        predictions: the predicted label of each example, shape (rows,).
        references: the right label of each example, shape (rows,).

    Raises:
        MetricError: where the lengths differ or there are no examples.

    Example:
        >>> accuracy(["a", "b", "b", "a"], ["a", "b", "a", "a"])
        {'accuracy': 75.0}
    """
    predictions, references = _read_pairs(predictions, references)
    correct = sum(prediction == reference for prediction, reference in zip(predictions, references, strict=True))
    return {"accuracy": correct / len(predictions) * 100}


def f1(predictions: Labels, references: Labels, average: str = "macro") -> dict[str, float]:
    """Return `{"<average>_f1": ...}` times 100.

    Args:
        predictions: the predicted label of each example, shape (rows,).
        references: the right label of each example, shape (rows,).
        average: "macro" for the unweighted mean over classes, "weighted" for the mean weighted by the references'
            counts, "micro" for F1 over all decisions, which is the accuracy.

    Raises:
        MetricError: where the lengths differ, there are no examples, or the average is unknown.

    Example:
        >>> f1(["a", "b", "b", "a"], ["a", "b", "a", "a"])
        {'macro_f1': 73.33333333333333}
    """
    _check_average("f1", average)
    predictions, references = _read_pairs(predictions, references)
    if average == "micro":
        return {"micro_f1": accuracy(predictions, references)["accuracy"]}
    correct, predicted, actual = _class_counts(predictions, references)
    classes = _sorted_classes(predicted, actual)
    scores = [2 * correct[name] / (predicted[name] + actual[name]) * 100 for name in classes]
    if average == "macro":
        return {"macro_f1": plain_sum(scores) / len(scores)}
    weights = [actual[name] for name in classes]
    weighted = plain_sum(score * weight for score, weight in zip(scores, weights, strict=True))
    return {"weighted_f1": weighted / len(references)}


def correct_each(predictions: Labels, references: Labels) -> NDArray[np.int64]:
    """Return for each example whether the prediction is correct, and a 1: the statistics of the accuracy.

    Returns:
        Counts, shape (rows, 2).

    Raises:
        MetricError: as `accuracy` does.

    Example:
        >>> correct_each(["a", "b"], ["a", "a"]).tolist()
        [[1, 1], [0, 1]]
    """
    pairs = zip(*_read_pairs(predictions, references), strict=True)
    return np.array([(int(prediction == reference), 1) for prediction, reference in pairs], np.int64)


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
        raise MetricError(_NO_EXAMPLES)
    return {"accuracy": correct / rows * 100}


def decisions_each(predictions: Labels, references: Labels) -> NDArray[np.int64]:
    """Return for each example and class whether it is correctly predicted, predicted, and the reference.

    Returns:
        The statistics of F1: counts, shape (rows, 3 x classes), three columns for each class.

    Raises:
        MetricError: as `f1` does.

    Example:
        >>> decisions_each(["a", "b"], ["a", "a"]).tolist()
        [[1, 1, 1, 0, 0, 0], [0, 0, 1, 0, 1, 0]]
    """
    predictions, references = _read_pairs(predictions, references)
    _, predicted, actual = _class_counts(predictions, references)
    column = {name: number for number, name in enumerate(_sorted_classes(predicted, actual))}
    counts = np.zeros((len(references), len(column), 3), np.int64)
    pairs = zip(predictions, references, strict=True)
    for row, (prediction, reference) in enumerate(pairs):
        counts[row, column[prediction], 0] = prediction == reference
        counts[row, column[prediction], 1] = counts[row, column[reference], 2] = 1
    return counts.reshape(len(references), -1)


def f1_from(counts: NDArray[Any], average: str = "macro") -> dict[str, float]:
    """Return what `f1` returns, from the counts of `decisions_each` or from sums of them.

    A class that a resample contains neither as prediction nor as reference is left out of the mean, as in `f1`.

    Raises:
        MetricError: where there are no examples or the average is unknown.

    Example:
        >>> f1_from(decisions_each(["a", "b", "b", "a"], ["a", "b", "a", "a"]))
        {'macro_f1': 73.33333333333333}
    """
    _check_average("f1_from", average)
    by_class = zip(*[iter(column_sums(counts))] * 3, strict=True)
    classes = [(correct, predicted, actual) for correct, predicted, actual in by_class if predicted + actual]
    rows = plain_sum(actual for _, _, actual in classes)
    if not rows:
        raise MetricError(_NO_EXAMPLES)
    if average == "micro":
        return {"micro_f1": plain_sum(correct for correct, _, _ in classes) / rows * 100}
    scores = [2 * correct / (predicted + actual) * 100 for correct, predicted, actual in classes]
    if average == "macro":
        return {"macro_f1": plain_sum(scores) / len(scores)}
    weighted = plain_sum(score * actual for score, (_, _, actual) in zip(scores, classes, strict=True))
    return {"weighted_f1": weighted / rows}


def _class_counts(
    predictions: Labels, references: Labels
) -> tuple[Counter[Hashable], Counter[Hashable], Counter[Hashable]]:
    """Return how often each class is correctly predicted, predicted, and the reference."""
    predictions, references = _read_pairs(predictions, references)
    pairs = zip(predictions, references, strict=True)
    correct = Counter(prediction for prediction, reference in pairs if prediction == reference)
    return correct, Counter(predictions), Counter(references)


def _sorted_classes(predicted: Counter[Hashable], actual: Counter[Hashable]) -> list[Hashable]:
    """Return all classes in a fixed order, since sums of floats depend on it."""
    return sorted(predicted.keys() | actual.keys(), key=repr)


def _read_labels(labels: Any, what: str) -> list[Hashable]:
    """Return labels as a list; elements of tensors would be hashed by identity, not by value.

    Raises:
        MetricError: where they are not one label for each example, such as a matrix of logits or a text.
    """
    shape = getattr(labels, "shape", None)
    iterable = isinstance(labels, Iterable) and not isinstance(labels, str | bytes | Mapping | AbstractSet)
    if not iterable or (shape is not None and len(shape) != 1):
        found = type(labels).__name__ if shape is None else f"the shape {tuple(shape)}"
        raise MetricError(f"The {what} must be a list with one label for each example, but got {found}.")
    listed: list[Hashable] = labels.tolist() if hasattr(labels, "tolist") else list(labels)
    several = next((label for label in listed if isinstance(label, list | dict | set | np.ndarray)), None)
    if several is not None:
        raise MetricError(
            f"The {what} must be a list with one label for each example, but one of them is {several!r:.60}; take the "
            "best class of each example first."
        )
    return listed


def _check_average(function: str, average: str) -> None:
    """Raise `MetricError` for an unknown average."""
    if average not in AVERAGES:
        raise MetricError(f"{function}(average={average!r}) must be one of 'macro', 'weighted', 'micro'.")


def _read_pairs(predictions: Labels, references: Labels) -> tuple[list[Hashable], list[Hashable]]:
    """Return predictions and references as lists of one length, or raise `MetricError`."""
    predictions, references = _read_labels(predictions, "predictions"), _read_labels(references, "references")
    if len(predictions) != len(references):
        raise MetricError(
            f"Every example needs one prediction, but there are {len(predictions)} for {len(references)} references."
        )
    if not len(references):
        raise MetricError(_NO_EXAMPLES)
    return predictions, references
