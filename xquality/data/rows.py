"""What a transform sees and returns: `Rows` in, `Change` out, both around an Arrow table."""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel, Features
from numpy.typing import NDArray

from xquality.data.arrow import get_column, is_text, read_integers, replace_column
from xquality.data.spill import take_rows
from xquality.errors import ColumnError, LabelError


@final
@dataclass(frozen=True)
class Rows:
    """The rows a transform works on.

    Attributes:
        table: every column, `uid` among them; a batch of the rows on a stream, all rows otherwise.
        features: the columns' features.
        owner: the transform's name, for messages.
        num_proc: how many processes or threads may help; it never changes the outcome.
        start: the number of the first of these rows among all, for messages.
    """

    table: pa.Table
    features: Features
    owner: str
    num_proc: int = 1
    start: int = 0

    def __len__(self) -> int:
        return len(self.table)

    def column(self, name: str) -> pa.ChunkedArray:
        """Return a column, or raise `ColumnError` naming the columns there are."""
        return get_column(self.table, name, self.owner)

    def text(self, name: str) -> pa.ChunkedArray:
        """Return a string column, or raise `ColumnError`."""
        values = self.column(name)
        if not is_text(values.type):
            raise ColumnError(
                f"{self.owner} reads text from {name!r}, but the column holds {values.type}; name a string column."
            )
        return values

    def class_names(self, name: str) -> list[str]:
        """Return the class names of a ClassLabel column with two classes or more."""
        self.column(name)
        feature = self.features[name]
        if not isinstance(feature, ClassLabel):
            raise LabelError(
                f"{self.owner} needs class names in {name!r}, but the column is a {type(feature).__name__}; "
                f"convert it with data.class_encode_column({name!r})."
            )
        if len(feature.names) < 2:
            raise LabelError(f"{self.owner} needs two classes or more in {name!r}, but it has {feature.names}.")
        return list(feature.names)

    def labels(self, name: str) -> NDArray[np.int64]:
        """Return a ClassLabel column as class numbers, shape (rows,).

        Raises:
            LabelError: where the column has no class names, or a row is unlabelled (null or -1) or out of range.
        """
        classes = len(self.class_names(name))
        values = self.column(name)
        if values.null_count:
            raise LabelError(
                f"{self.owner} needs a label on every row of {name!r}, but {values.null_count} are null; "
                "filter out the unlabelled rows first."
            )
        codes = read_integers(values)
        wrong = np.flatnonzero((codes < 0) | (codes >= classes))
        if len(wrong):
            raise LabelError(
                f"{self.owner} needs labels from 0 to {classes - 1} in {name!r}, but row {self.start + wrong[0]} has "
                f"{codes[wrong[0]]} ({len(wrong)} such rows); filter out the unlabelled rows (-1) first."
            )
        return codes

    def taken(self, numbers: NDArray[np.int64]) -> pa.Table:
        """Return the table of the rows with the given numbers, in their order; a large one is kept on disk."""
        return take_rows(self.table, numbers)

    def check_first_values(self, name: str) -> None:
        """Raise `ColumnError` where `<name>_before` holds anything but the first values of a column."""
        before = f"{name}_before"
        if before in self.features and self.features[before] != self.features[name]:
            raise ColumnError(f"{self.owner} keeps first values in {before!r}, which holds others; rename it.")

    def replaced(self, name: str, values: pa.Array, where: NDArray[np.bool_]) -> tuple[pa.Table, dict[str, Any]]:
        """Return the table with the column's new values, and its first values kept in `<name>_before`.

        Args:
            name: the column.
            values: its new values, shape (rows,).
            where: which rows are replaced by this call, shape (rows,).

        Returns:
            The table, and the feature of the added column.
        """
        self.check_first_values(name)
        before = f"{name}_before"
        present = self.column(name)
        kept = pc.if_else(pa.array(where), present, pa.scalar(None, present.type))
        if before in self.table.column_names:  # written once: what an earlier call kept stays
            kept = pc.coalesce(self.table.column(before), kept)
        table = replace_column(replace_column(self.table, name, values.cast(present.type)), before, kept)
        return table, {before: self.features[name]}


@final
@dataclass(frozen=True)
class Change:
    """What a transform returns.

    Attributes:
        table: the rows that remain, columns in the same order, added columns last.
        features: the features of added columns.
        changed: how many cells were replaced.
        acted: how many rows were acted upon (kept, replaced, flagged); None where that has no meaning.
        of: of how many, where rows are not what is counted, for example of how many spans; None for all rows.
        details: further counts for the record, as plain JSON values. Where each row is treated alone, large data are
            transformed block by block: whole numbers are added up, also inside dicts, and anything else is that of the
            first block.
    """

    table: pa.Table
    features: Mapping[str, Any] = field(default_factory=dict)
    changed: int = 0
    acted: int | None = None
    of: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


def joined(changes: Sequence[Change], table: pa.Table) -> Change:
    """Return the change of all rows from those of its blocks: whole numbers are added up, the rest is the first's."""

    def total(name: str) -> Any:
        return functools.reduce(_added, (getattr(one, name) for one in changes))

    return Change(table, changes[0].features, total("changed"), total("acted"), total("of"), total("details"))


def _added(one: Any, other: Any) -> Any:
    """Return the sum of two whole numbers, of two dicts key by key, and otherwise the first."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return {**other, **{name: _added(value, other.get(name)) for name, value in one.items()}}
    whole = all(isinstance(value, int) and not isinstance(value, bool) for value in (one, other))
    return one + other if whole else one
