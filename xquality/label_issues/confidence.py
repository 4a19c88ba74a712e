"""Confidence: rows judged by one number each, for answers that are not drawn from a list of classes."""

from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa

from xquality.data.arrow import Floats, Mask, read_numbers
from xquality.data.rows import Rows
from xquality.errors import ColumnError, SettingError
from xquality.label_issues.judged import Judged
from xquality.label_issues.search import Search
from xquality.randomness import Bits, smallest


@final
@dataclass(frozen=True)
class Confidence(Judged):
    """Rows with a confidence in their label, whatever the label is. How many are wrong is not estimated.

    Attributes:
        values: in [0, 1], shape (rows,).
        uids: hashed row identities, shape (rows,).
    """

    values: Floats
    uids: Bits

    def find(self, search: Search) -> Mask:
        """Return the rows of the lowest confidence, as many as the search allows; ties go by uid."""
        issues = np.zeros(len(self.values), np.bool_)
        issues[smallest(self.values, self.uids, round(search.max_fraction * len(issues)))] = True
        return issues

    def rows(self, issues: Mask) -> Mask:
        """Return the issues themselves."""
        return issues

    def flags(self, issues: Mask) -> pa.Array:
        """Return one boolean a row."""
        return pa.array(issues)

    def weights(self, issues: Mask) -> Floats:
        """Return 1 for a good row, and for an issue its confidence."""
        return np.where(issues, self.values, 1.0)

    def relabelled(self, issues: Mask) -> tuple[pa.Array, Mask]:
        """Raise: a confidence names no better label."""
        raise SettingError(f"A confidence tells no better label for {int(issues.sum())} issues; choose another action.")


def given_confidence(rows: Rows, probabilities: str, uids: Bits, owner: str) -> Confidence:
    """Return the rows with the confidence of a column.

    Raises:
        ColumnError: where it does not hold one number in [0, 1] on every row.
    """
    found = read_numbers(rows.column(probabilities))
    if found is None or not ((found >= 0) & (found <= 1)).all():
        raise ColumnError(
            f"{owner} reads one confidence a row from {probabilities!r}, but not every row holds a number in [0, 1]; "
            "compute it anew."
        )
    return Confidence(found, uids)
