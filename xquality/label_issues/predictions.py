"""Predictions: labels beside out-of-sample probabilities, for each shape of label.

A row has one label (a class, or one of the row's own options), one label for each token, or an answer of any kind with
a single number, the confidence in it. Each shape says which labels are issues and what an issue means for its row.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa

from xquality.data.arrow import (
    Floats,
    Indices,
    Mask,
    Matrix,
    flatten_lists,
    make_lists,
    pad_lists,
    read_matrix,
    read_numbers,
    value_indices,
)
from xquality.data.rows import Rows
from xquality.errors import ColumnError, LabelError, SettingError
from xquality.label_issues.search import IssueSearch, quality_of
from xquality.randomness import Bits, smallest
from xquality.text.tag_schemes import TagScheme, sentence_starts


class LabelPredictions(ABC):
    """Base of the shapes: labels, one or more for each row, beside out-of-sample probabilities."""

    @abstractmethod
    def find_issues(self, search: IssueSearch) -> Mask:
        """Return which labels are issues, shape (labels,)."""

    @abstractmethod
    def rows_with(self, issues: Mask) -> Mask:
        """Return which rows have an issue, shape (rows,)."""

    @abstractmethod
    def flags(self, issues: Mask) -> pa.Array:
        """Return the issues as a column: one boolean for each row, or a list of booleans."""

    @abstractmethod
    def weights(self, issues: Mask) -> Floats:
        """Return the weight of each row, in [0, 1] and 1 for a row without issues, shape (rows,)."""

    @abstractmethod
    def relabel(self, issues: Mask) -> tuple[pa.Array, Mask]:
        """Return the label column with the most probable labels for the issues, and which rows that changes."""


@final
@dataclass(frozen=True)
class ClassPredictions(LabelPredictions):
    """Rows with one label each.

    Attributes:
        labels: class numbers, shape (rows,).
        probabilities: of every class, shape (rows, classes).
        order: the rows in the order of their uids; None if they are in that order already.
    """

    labels: Indices
    probabilities: Matrix
    order: Indices | None

    def find_issues(self, search: IssueSearch) -> Mask:
        """Return which rows' labels are issues."""
        return search.find(self.labels, self.probabilities, self.order)

    def rows_with(self, issues: Mask) -> Mask:
        """Return the issues themselves."""
        return issues

    def flags(self, issues: Mask) -> pa.Array:
        """Return one boolean for each row."""
        return pa.array(issues)

    def weights(self, issues: Mask) -> Floats:
        """Return 1 for a row without an issue, and cleanlab's label quality for an issue."""
        weights, positions = np.ones(len(issues)), np.flatnonzero(issues)
        weights[positions] = quality_of(self.labels, self.probabilities, positions)
        return weights

    def relabel(self, issues: Mask) -> tuple[pa.Array, Mask]:
        """Return the class of the highest probability for each issue."""
        best, positions = self.labels.copy(), np.flatnonzero(issues)
        best[positions] = self.probabilities.take(positions).argmax(axis=1)
        return pa.array(best), best != self.labels


@final
@dataclass(frozen=True)
class ConfidencePredictions(LabelPredictions):
    """Rows with a confidence in their label, whatever the label is. The number of wrong labels is not estimated.

    Attributes:
        values: in [0, 1], shape (rows,).
        uids: hashed row identities, shape (rows,).
    """

    values: Floats
    uids: Bits

    def find_issues(self, search: IssueSearch) -> Mask:
        """Return the rows of the lowest confidence, as many as the search allows; ties are broken by uid."""
        issues = np.zeros(len(self.values), np.bool_)
        issues[smallest(self.values, self.uids, round(search.max_fraction * len(issues)))] = True
        return issues

    def rows_with(self, issues: Mask) -> Mask:
        """Return the issues themselves."""
        return issues

    def flags(self, issues: Mask) -> pa.Array:
        """Return one boolean for each row."""
        return pa.array(issues)

    def weights(self, issues: Mask) -> Floats:
        """Return 1 for a row without an issue, and the confidence for an issue."""
        return np.where(issues, self.values, 1.0)

    def relabel(self, issues: Mask) -> tuple[pa.Array, Mask]:
        """Raise `SettingError`: a confidence does not say which label would be right."""
        raise SettingError(f"A confidence gives no better label for {int(issues.sum())} issues; choose another action.")


@final
@dataclass(frozen=True)
class Tagging:
    """The tags of all rows, one after the other.

    Attributes:
        labels: class numbers, shape (tokens,).
        counts: the number of tokens of each row, shape (rows,).
        names: the names of the tags.
    """

    labels: Indices
    counts: Indices
    names: tuple[str, ...]

    @property
    def starts(self) -> Mask:
        """Which tokens begin a row, shape (tokens,)."""
        return sentence_starts(self.counts)

    @property
    def row_of(self) -> Indices:
        """The row of each token, shape (tokens,)."""
        return np.repeat(np.arange(len(self.counts)), self.counts)


@final
@dataclass(frozen=True)
class TagPredictions(LabelPredictions):
    """Rows with one label for each of their tokens.

    This does on flat arrays what `cleanlab.token_classification` does on Python lists.

    Attributes:
        tagging: the labels.
        probabilities: of every tag for the tokens that have probabilities, shape (these tokens, tags).
        predicted: which tokens these are, shape (tokens,).
        order: the rows in the order of their uids; None if they are in that order already.
    """

    tagging: Tagging
    probabilities: Matrix
    predicted: Mask
    order: Indices | None

    def find_issues(self, search: IssueSearch) -> Mask:
        """Return which tokens' labels are issues; a token without probabilities is none."""
        order = None
        if self.order is not None:
            tokens = value_indices(self.tagging.counts, self.order)
            order = (np.cumsum(self.predicted) - 1)[tokens[self.predicted[tokens]]]
        issues = np.zeros(len(self.predicted), np.bool_)
        issues[self.predicted] = search.find(self.tagging.labels[self.predicted], self.probabilities, order)
        return issues

    def rows_with(self, issues: Mask) -> Mask:
        """Return which rows have a token with an issue."""
        return np.bincount(self.tagging.row_of[issues], minlength=len(self.tagging.counts)) > 0

    def flags(self, issues: Mask) -> pa.Array:
        """Return a list of booleans for each row, one for each token."""
        return make_lists(pa.array(issues), self.tagging.counts)

    def weights(self, issues: Mask) -> Floats:
        """Return the mean over a row's tokens of 1, or of cleanlab's label quality for an issue."""
        positions = np.flatnonzero(issues[self.predicted])
        lost = np.zeros(len(issues))
        lost[issues] = 1 - quality_of(self.tagging.labels[self.predicted], self.probabilities, positions)
        rows = len(self.tagging.counts)
        return 1 - np.bincount(self.tagging.row_of, lost, minlength=rows) / np.maximum(self.tagging.counts, 1)

    def relabel(self, issues: Mask) -> tuple[pa.Array, Mask]:
        """Return the most probable valid tagging in which only the issues differ."""
        tagging = self.tagging
        probabilities = self.probabilities.take(np.flatnonzero(issues[self.predicted]))
        best = TagScheme.of(tagging.names).most_probable(
            tagging.labels, tagging.starts, np.flatnonzero(issues), probabilities
        )
        return make_lists(pa.array(best), tagging.counts), self.rows_with(best != tagging.labels)


def read_class_predictions(rows: Rows, column: str, probabilities: str, uids: Bits) -> ClassPredictions:
    """Return the labels of a ClassLabel column beside a column of their probabilities.

    Raises:
        LabelError: for unlabelled rows, or labels of one class only.
        ColumnError: if a row does not have one probability for each class.
    """
    labels, classes = rows.labels(column), len(rows.class_names(column))
    matrix = read_matrix(rows.column(probabilities), classes)
    if matrix is None or not matrix.has_distributions():
        raise ColumnError(
            f"{rows.owner} needs {classes} probabilities that sum to 1 on every row of {probabilities!r}; compute them "
            "anew."
        )
    check_variety(labels, rows.owner)
    return ClassPredictions(labels, matrix, order_by_uid(uids))


def read_choice_predictions(rows: Rows, column: str, probabilities: str, uids: Bits) -> ClassPredictions:
    """Return the answers of multiple choice, numbers of options, beside a column of probabilities of the row's options.

    cleanlab has no rule for multiple choice. The options' numbers are treated as classes: if all rows have equally many
    options, the outcome is that of cleanlab's multi-class rules. A row with fewer options than others has the
    probability 0 for the missing ones, which is below every threshold, so that they never count as right.

    Raises:
        LabelError: for an answer that is no option of its row, or the same answer on all rows.
        ColumnError: if the probabilities are not lists of two or more that sum to 1.
    """
    values = rows.column(column)
    padded = pad_lists(rows.column(probabilities))
    if padded is None or not padded[0].has_distributions() or (padded[1] < 2).any():
        raise ColumnError(
            f"{rows.owner} needs one probability for each option on every row of {probabilities!r}, two or more that "
            "sum to 1; compute them anew."
        )
    matrix, options = padded
    labels = np.full(len(rows), -1) if values.null_count else np.asarray(values.cast(pa.int64()).to_numpy(), np.int64)
    invalid = np.flatnonzero((labels < 0) | (labels >= options))
    if len(invalid):
        raise LabelError(
            f"{rows.owner} needs answers that count the row's options from 0 in {column!r}, but {len(invalid)} are "
            f"null or no option, the first {values[int(invalid[0])].as_py()!r}; filter them out first."
        )
    check_variety(labels, rows.owner)
    return ClassPredictions(labels, matrix, order_by_uid(uids))


def read_confidence_predictions(rows: Rows, probabilities: str, uids: Bits) -> ConfidencePredictions:
    """Return the rows beside a column of confidences.

    Raises:
        ColumnError: if it does not hold one number in [0, 1] on every row.
    """
    values = read_numbers(rows.column(probabilities))
    if values is None or not ((values >= 0) & (values <= 1)).all():
        raise ColumnError(
            f"{rows.owner} reads one confidence a row from {probabilities!r}, but not every row holds a number in "
            "[0, 1]; compute it anew."
        )
    return ConfidencePredictions(values, uids)


def read_tagging(rows: Rows, column: str, names: tuple[str, ...], *, valid: bool) -> Tagging:
    """Return the tags of a column of lists of ClassLabel.

    Args:
        rows: the rows.
        column: the column of tags.
        names: the names of the tags.
        valid: whether the tags must be valid in their scheme.

    Raises:
        LabelError: for a null, a tag out of range, tags of one kind only, or, if it matters, tags that are not valid.
    """
    lists = flatten_lists(rows.column(column))
    labels = np.full(1, -1) if lists is None or lists[0].null_count else np.asarray(lists[0].to_numpy(), np.int64)
    if ((labels < 0) | (labels >= len(names))).any():
        raise LabelError(
            f"{rows.owner} needs tags from 0 to {len(names) - 1} on every token of {column!r}; filter the rows first."
        )
    assert lists is not None
    tagging = Tagging(labels, lists[1], names)
    invalid = TagScheme.of(names).first_invalid(labels, tagging.starts) if valid else None
    if invalid is not None:
        raise LabelError(
            f"{rows.owner} keeps taggings valid, but {column!r} has {names[labels[invalid]]!r} in row "
            f"{tagging.row_of[invalid]} where it may not stand; correct the tags first."
        )
    check_variety(labels, rows.owner)
    return tagging


def read_tag_predictions(rows: Rows, tagging: Tagging, probabilities: str, uids: Bits) -> TagPredictions:
    """Return tags beside a column of probabilities: a list for each token, or null for a token without any.

    Raises:
        ColumnError: if a row does not have one list for each token, or a list not one probability for each tag.
    """
    lists = flatten_lists(rows.column(probabilities))
    error = ColumnError(
        f"{rows.owner} needs a list for each token on every row of {probabilities!r}, with {len(tagging.names)} "
        "probabilities that sum to 1 (or null for a token without any); compute them anew."
    )
    if lists is None or (lists[1] != tagging.counts).any():
        raise error
    predicted = np.asarray(lists[0].is_valid().to_numpy(), np.bool_)
    matrix = read_matrix(lists[0] if predicted.all() else lists[0].drop_null(), len(tagging.names))
    if matrix is None or not matrix.has_distributions():
        raise error
    check_variety(tagging.labels[predicted], rows.owner)
    return TagPredictions(tagging, matrix, predicted, order_by_uid(uids))


def check_variety(labels: Indices, owner: str) -> None:
    """Raise `LabelError` if there are labels, but all of one class."""
    if len(labels) and (labels == labels[0]).all():
        raise LabelError(
            f"{owner} needs labels of 2 classes or more, but all {len(labels)} are {labels[0]}; give more rows."
        )


def order_by_uid(uids: Bits) -> Indices | None:
    """Return the rows in the order of their uids; None if they are in that order already."""
    return None if (uids[:-1] < uids[1:]).all() else np.argsort(uids).astype(np.int64)
