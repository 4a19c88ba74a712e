"""Classes: one label a row, out of classes that are the same for every row or places among the row's own options."""

from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from xquality.data.arrow import Floats, Indices, Mask, Matrix, pad_lists, read_matrix
from xquality.data.rows import Rows
from xquality.errors import ColumnError, LabelError
from xquality.label_issues.judged import Judged
from xquality.label_issues.search import Search, quality
from xquality.randomness import Bits


@final
@dataclass(frozen=True)
class Classes(Judged):
    """Rows with one label each.

    Attributes:
        labels: class numbers, shape (rows,).
        probabilities: of every class, shape (rows, classes).
        order: the rows by their uids; None where they stand in that order.
    """

    labels: NDArray[np.int64]
    probabilities: Matrix
    order: Indices | None

    def find(self, search: Search) -> Mask:
        """Return which rows' labels are issues."""
        return search.find(self.labels, self.probabilities, self.order)

    def rows(self, issues: Mask) -> Mask:
        """Return the issues themselves."""
        return issues

    def flags(self, issues: Mask) -> pa.Array:
        """Return one boolean a row."""
        return pa.array(issues)

    def weights(self, issues: Mask) -> Floats:
        """Return 1 for a good row, and for an issue cleanlab's label quality."""
        weights, where = np.ones(len(issues)), np.flatnonzero(issues)
        weights[where] = quality(self.labels, self.probabilities, where)
        return weights

    def relabelled(self, issues: Mask) -> tuple[pa.Array, Mask]:
        """Return the class of the highest probability for each issue."""
        best, where = self.labels.copy(), np.flatnonzero(issues)
        best[where] = self.probabilities.take(where).argmax(axis=1)
        return pa.array(best), best != self.labels


def given_classes(rows: Rows, column: str, probabilities: str, uids: Bits, owner: str) -> Classes:
    """Return the rows with the probabilities of a column.

    Raises:
        LabelError: for unlabelled rows, or labels of one class only.
        ColumnError: where the probabilities are not one of each class on every row.
    """
    labels, classes = rows.labels(column), len(rows.class_names(column))
    found = read_matrix(rows.column(probabilities), classes)
    if found is None or not found.has_distributions():
        raise ColumnError(
            f"{owner} needs {classes} probabilities that sum to 1 on every row of {probabilities!r}; compute them anew."
        )
    check_variety(labels, owner)
    return Classes(labels, found, by_uid(uids))


def given_choices(rows: Rows, column: str, probabilities: str, uids: Bits, owner: str) -> Classes:
    """Return the rows of multiple choice, whose label is a place among as many options as the row has probabilities.

    cleanlab has no rule for multiple choice. Indices are treated as classes here: where all rows have equally many
    options, the outcome is that of its multi-class rules. A row with fewer options than others gets the probability 0
    for the missing ones, which is below every threshold, so that they are never held for right.

    Raises:
        LabelError: for an answer that is no option of its row, or answers of one place only.
        ColumnError: where the probabilities are no lists of two or more that sum to 1.
    """
    values = rows.column(column)
    read = pad_lists(rows.column(probabilities))
    if read is None or not read[0].has_distributions() or (read[1] < 2).any():
        raise ColumnError(
            f"{owner} needs one probability for each option on every row of {probabilities!r}, two or more that sum "
            "to 1; compute them anew."
        )
    found, options = read
    labels = np.full(len(rows), -1) if values.null_count else np.asarray(values.cast(pa.int64()).to_numpy(), np.int64)
    strange = np.flatnonzero((labels < 0) | (labels >= options))
    if len(strange):
        raise LabelError(
            f"{owner} needs answers that count the row's options from 0 in {column!r}, but {len(strange)} are null or "
            f"no option, the first {values[int(strange[0])].as_py()!r}; filter them out first."
        )
    check_variety(labels, owner)
    return Classes(labels, found, by_uid(uids))


def check_variety(labels: NDArray[np.int64], owner: str) -> None:
    """Raise `LabelError` where there are labels, but all of one class: nothing can be told apart."""
    if len(labels) and (labels == labels[0]).all():
        raise LabelError(
            f"{owner} needs labels of 2 classes or more, but all {len(labels)} are {labels[0]}; give more rows."
        )


def by_uid(uids: Bits) -> Indices | None:
    """Return the rows in the order of their uids; None where they stand in it."""
    return None if (uids[:-1] < uids[1:]).all() else np.argsort(uids).astype(np.int64)
