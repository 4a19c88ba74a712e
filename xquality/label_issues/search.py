"""Search for label issues: on all labels at once or in batches, with a cap, whatever the order of the rows."""

from dataclasses import dataclass
from typing import final

import numpy as np

from xquality.data.arrow import Floats, Indices, Mask, Matrix
from xquality.label_issues._cleanlab import find_issues, find_issues_in_batches, label_quality


@final
@dataclass(frozen=True)
class IssueSearch:
    """How label issues are searched for.

    Attributes:
        rule: one of `RULES`; in batches one of `BATCHED_RULES`.
        batch_size: the number of labels in a batch; None for all labels at once.
        max_fraction: the largest share of the labels that may be issues; those of the lowest quality are kept.
    """

    rule: str
    batch_size: int | None = None
    max_fraction: float = 1.0

    def find(self, labels: Indices, probabilities: Matrix, order: Indices | None) -> Mask:
        """Return which labels are issues, shape (labels,). The only label of a class is none, whatever the rule.

        Args:
            labels: class numbers of two classes or more, shape (labels,).
            probabilities: out of sample, shape (labels, classes).
            order: the order in which cleanlab gets the labels, which must not depend on that of the rows: cleanlab
                breaks ties by it, and sums in it. None if the labels are in that order already.
        """
        issues = np.zeros(len(labels), np.bool_)
        if not len(labels):
            return issues
        found = np.flatnonzero(self._find_in_order(labels, probabilities, order))
        ordered = labels if order is None else labels[order]
        found = found[np.bincount(labels)[ordered[found]] > 1]
        allowed = round(self.max_fraction * len(labels))
        if len(found) > allowed:
            scores = quality_of(labels, probabilities, found if order is None else order[found])
            found = found[np.argsort(scores, kind="stable")[:allowed]]
        issues[found if order is None else order[found]] = True
        return issues

    def _find_in_order(self, labels: Indices, probabilities: Matrix, order: Indices | None) -> Mask:
        """Return which labels are issues, in the given order and without a cap."""
        ordered = labels if order is None else labels[order]
        if self.batch_size is None:
            array = probabilities.array()
            return find_issues(ordered, array if order is None else array[order], self.rule)

        def take(batch: slice) -> Floats:
            return probabilities.take(batch if order is None else order[batch])

        return find_issues_in_batches(ordered, take, probabilities.parts[0].shape[1], self.batch_size, self.rule)


def quality_of(labels: Indices, probabilities: Matrix, positions: Indices) -> Floats:
    """Return cleanlab's label quality of the labels at some positions, shape (positions,)."""
    if not len(positions):
        return np.empty(0)
    return label_quality(labels[positions], probabilities.take(positions))
