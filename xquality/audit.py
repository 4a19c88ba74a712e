"""audit: how well a filter found the noise that the rows record.

May import: errors, arrow, differences, identity | datasets, pyarrow, numpy.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset
from numpy.typing import NDArray

from xquality.arrow import column, table_of
from xquality.differences import differs, per_label
from xquality.errors import ColumnError, DataKindError, SettingError
from xquality.identity import UID, checked

Mask = NDArray[np.bool_]


@final
@dataclass(frozen=True)
class Audit:
    """Counts of what a filter found among the rows whose label is known to be wrong.

    Attributes:
        rows: all rows that the filter saw.
        noisy: the rows whose label differed from the first value when the filter saw them.
        found: the rows the filter acted on.
        correct: the noisy rows it acted on.
        restored: the noisy rows to which a relabelling gave their first label back.
    """

    rows: int
    noisy: int
    found: int
    correct: int
    restored: int = 0

    @property
    def precision(self) -> float:
        """The share of found rows that are noisy, 0 where nothing was found."""
        return self.correct / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """The share of noisy rows that were found, 0 where nothing is noisy."""
        return self.correct / self.noisy if self.noisy else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall, 0 where both are 0."""
        return 2 * self.correct / (self.found + self.noisy) if self.correct else 0.0

    def __str__(self) -> str:
        return (
            f"{self.found} of {self.rows} rows found, {self.noisy} noisy, {self.correct} both: "
            f"precision {self.precision:.2f}, recall {self.recall:.2f}, F1 {self.f1:.2f}"
        )


def audit(
    data: Dataset | None = None,
    *,
    before: Dataset | None = None,
    after: Dataset | None = None,
    column: str = "label",
) -> Audit:
    """Compare what a filter found with the noise that the rows record in `<column>_before`.

    Labels are counted: rows, or tokens where a filter flagged, weighted or relabelled tags. Of rows that were dropped,
    rows are counted; a row of tags is noisy where one of its tags is.

    Args:
        data: rows that were relabelled, flagged or weighted.
        before: instead, the noisy rows before a filter dropped some of them, with their uids.
        after: and the rows it left.
        column: the label column.

    Raises:
        SettingError: for neither or both ways of asking.
        DataKindError: for anything but a `Dataset`.
        ColumnError: where the rows record no noise, or no filter acted on them.

    Example:
        >>> from xquality import CleanlabFilter, LabelNoise, toy
        >>> noisy = LabelNoise(rate=0.2)(toy.topics.load("es", "train"), seed=1)
        >>> audit(CleanlabFilter(action="flag")(noisy, seed=1)).noisy
        200
    """
    given = [one for one in (data, before, after) if one is not None]
    if any(not isinstance(one, Dataset) for one in given):
        raise DataKindError(f"xq.audit compares Datasets, but got {[type(one).__name__ for one in given]}.")
    if data is not None and before is None and after is None:
        return _acted(data, column)
    if data is None and before is not None and after is not None:
        return _dropped(before, after, column)
    raise SettingError("xq.audit takes either one dataset, or both before= and after=.")


def _acted(data: Dataset, name: str) -> Audit:
    """Audit rows that were flagged, weighted or relabelled in place."""
    table = per_label(table_of(data), name)
    found = column(table, "label_issue", "xq.audit").to_numpy().astype(np.bool_)
    present = column(table, name, "xq.audit")
    seen = pc.coalesce(table.column(f"{name}_given"), present) if f"{name}_given" in table.column_names else present
    noisy = _differs(table, seen, name)
    restored = found & noisy & ~_differs(table, present, name)
    return Audit(len(table), int(noisy.sum()), int(found.sum()), int((noisy & found).sum()), int(restored.sum()))


def _dropped(before: Dataset, after: Dataset, name: str) -> Audit:
    """Audit rows by which of them are missing afterwards."""
    left, right = table_of(before), table_of(after)
    had, kept = checked(column(left, UID, "xq.audit")), checked(column(right, UID, "xq.audit"))
    if not np.isin(kept, had).all():
        raise ColumnError("xq.audit(before, after) needs the rows of after to come from before, but some uids are new.")
    found = ~np.isin(had, kept)
    noisy = _differs(left, column(left, name, "xq.audit"), name)
    return Audit(len(left), int(noisy.sum()), int(found.sum()), int((noisy & found).sum()))


def _differs(table: pa.Table, values: pa.ChunkedArray, name: str) -> Mask:
    """Return where `values` differ from the first value kept beside them, shape (rows,)."""
    first = column(table, f"{name}_before", "xq.audit")
    return differs(values, first)
