"""Tags: one label a token. What cleanlab.token_classification does with Python lists is done here on flat arrays."""

from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from xquality.data.arrow import Floats, Indices, Mask, Matrix, flatten_lists, make_lists, read_matrix, value_indices
from xquality.data.rows import Rows
from xquality.errors import ColumnError, LabelError
from xquality.label_issues.classes import by_uid, check_variety
from xquality.label_issues.judged import Judged
from xquality.label_issues.search import Search, quality
from xquality.randomness import Bits
from xquality.text.tag_schemes import TagScheme


@final
@dataclass(frozen=True)
class Tagging:
    """The tags of all rows, one after the other.

    Attributes:
        labels: class numbers, shape (tokens,).
        counts: the number of tokens of each row, shape (rows,).
        names: the names of the tags.
    """

    labels: NDArray[np.int64]
    counts: Indices
    names: tuple[str, ...]

    @property
    def starts(self) -> Mask:
        """Which tokens begin a row, shape (tokens,)."""
        starts = np.zeros(len(self.labels), np.bool_)
        starts[(np.cumsum(self.counts) - self.counts)[self.counts > 0]] = True
        return starts

    @property
    def row_of(self) -> Indices:
        """The row of each token, shape (tokens,)."""
        return np.repeat(np.arange(len(self.counts)), self.counts)


@final
@dataclass(frozen=True)
class Tags(Judged):
    """Rows with one label for each of their tokens.

    Attributes:
        tagging: the labels.
        probabilities: of every tag for the tokens that were judged, shape (judged tokens, tags).
        judged: which tokens were, shape (tokens,).
        order: the rows by their uids; None where they stand in that order.
    """

    tagging: Tagging
    probabilities: Matrix
    judged: Mask
    order: Indices | None

    def find(self, search: Search) -> Mask:
        """Return which tokens' labels are issues; a token that was not judged is none."""
        order = None
        if self.order is not None:
            tokens = value_indices(self.tagging.counts, self.order)
            order = (np.cumsum(self.judged) - 1)[tokens[self.judged[tokens]]]
        issues = np.zeros(len(self.judged), np.bool_)
        issues[self.judged] = search.find(self.tagging.labels[self.judged], self.probabilities, order)
        return issues

    def rows(self, issues: Mask) -> Mask:
        """Return which rows hold a token with an issue."""
        return np.bincount(self.tagging.row_of[issues], minlength=len(self.tagging.counts)) > 0

    def flags(self, issues: Mask) -> pa.Array:
        """Return a list of booleans a row, one for each token."""
        return make_lists(pa.array(issues), self.tagging.counts)

    def weights(self, issues: Mask) -> Floats:
        """Return the mean over a row's tokens of 1, and for an issue cleanlab's label quality."""
        where = np.flatnonzero(issues[self.judged])
        lost = np.zeros(len(issues))
        lost[issues] = 1 - quality(self.tagging.labels[self.judged], self.probabilities, where)
        rows = len(self.tagging.counts)
        return 1 - np.bincount(self.tagging.row_of, lost, minlength=rows) / np.maximum(self.tagging.counts, 1)

    def relabelled(self, issues: Mask) -> tuple[pa.Array, Mask]:
        """Return the most probable valid tagging in which only the issues differ."""
        found = self.probabilities.take(np.flatnonzero(issues[self.judged]))
        tagging = self.tagging
        scheme = TagScheme.of(tagging.names)
        best = scheme.most_probable(tagging.labels, tagging.starts, np.flatnonzero(issues), found)
        return make_lists(pa.array(best), tagging.counts), self.rows(best != tagging.labels)


def read_tagging(rows: Rows, column: str, names: tuple[str, ...], owner: str, *, valid: bool) -> Tagging:
    """Return the tags of a column of lists of ClassLabel.

    Args:
        rows: the rows.
        column: the column of tags.
        names: their names.
        owner: the transform, for messages.
        valid: whether BIO must be valid.

    Raises:
        LabelError: for a null, a tag out of range, tags of one kind only, or an I without its B where that matters.
    """
    read = flatten_lists(rows.column(column))
    labels = np.full(1, -1) if read is None or read[0].null_count else np.asarray(read[0].to_numpy(), np.int64)
    if ((labels < 0) | (labels >= len(names))).any():
        raise LabelError(
            f"{owner} needs tags from 0 to {len(names) - 1} on every token of {column!r}; filter the rows first."
        )
    assert read is not None
    tagging = Tagging(labels, read[1], names)
    fault = TagScheme.of(names).first_invalid(labels, tagging.starts) if valid else None
    if fault is not None:
        raise LabelError(
            f"{owner} keeps BIO valid, but {column!r} has {names[labels[fault]]!r} in row {tagging.row_of[fault]} "
            "after no tag of its type; mend the tags first."
        )
    check_variety(labels, owner)
    return tagging


def given_tags(rows: Rows, tagging: Tagging, probabilities: str, uids: Bits, owner: str) -> Tags:
    """Return the rows with the probabilities of a column: for each token a list, or null where it was not judged.

    Raises:
        ColumnError: where a row has not one list for each token, or a list not one probability for each tag.
    """
    read = flatten_lists(rows.column(probabilities))
    fault = ColumnError(
        f"{owner} needs a list for each token on every row of {probabilities!r}, with {len(tagging.names)} "
        "probabilities that sum to 1 (or null for a token without any); compute them anew."
    )
    if read is None or (read[1] != tagging.counts).any():
        raise fault
    judged = np.asarray(read[0].is_valid().to_numpy(), np.bool_)
    found = read_matrix(read[0] if judged.all() else read[0].drop_null(), len(tagging.names))
    if found is None or not found.has_distributions():
        raise fault
    check_variety(tagging.labels[judged], owner)
    return Tags(tagging, found, judged, by_uid(uids))
