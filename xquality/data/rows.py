"""What a transform sees and returns: `Rows` in, `Change` out, both around an Arrow table."""

import functools
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel, Features

from xquality.data.arrow import Indices, Mask, get_column, is_text, read_integers, replace_column
from xquality.data.spill import take_rows
from xquality.errors import ColumnError, LabelError, TransformError
from xquality.records import Record

_MOST_NAMED = 30  # classes in a message


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
        whole: whether these are all rows; False on a stream, in a batch and where each row is treated alone.
        records: the history of the data, the oldest record first; none for a batch.
        languages: those that the rows were loaded in, or translated to; none for a batch, or where they are unknown.
    """

    table: pa.Table
    features: Features
    owner: str
    num_proc: int = 1
    start: int = 0
    whole: bool = True
    records: tuple[Record, ...] = ()
    languages: tuple[str, ...] = ()

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
        """Return the class names of a column with two classes or more: of its ClassLabel, or its texts in their order.

        Raises:
            LabelError: where the column has no class names, with the line that gives it some. Texts are class names
                only where all rows are here, and each occurs twice or more on average where there are more than two.
        """
        values, feature = self.column(name), self.features[name]
        if isinstance(feature, ClassLabel):
            names = list(feature.names)
        elif is_text(values.type) and self.whole:
            names = [text for text in _distinct(values) if text.strip()]
            if len(names) > 2 and 2 * len(names) > len(values):
                raise LabelError(
                    f"{self.owner} reads {name!r} as class names, but {len(values)} rows have {len(names)} different "
                    f"texts; name the column of labels, or write {_line_for_classes(self, name)}"
                )
        else:
            raise LabelError(
                f"{self.owner} needs class names in {name!r}, but the column holds {values.type} without any; write "
                f"{_line_for_classes(self, name)}"
            )
        if len(names) < 2:
            raise LabelError(f"{self.owner} needs two classes or more in {name!r}, but it has {names}.")
        return names

    def labels(self, name: str) -> Indices:
        """Return a column of labels as numbers of the `class_names`, shape (rows,).

        Raises:
            LabelError: where the column has no class names, or a row is unlabelled (null, -1 or an empty text) or out
                of range.
        """
        names = self.class_names(name)
        values = self.column(name)
        if is_text(values.type):
            values = pc.index_in(values, pa.array(names, values.type))
        if values.null_count:
            raise LabelError(
                f"{self.owner} needs a label on every row of {name!r}, but {values.null_count} are null; "
                "filter out the unlabelled rows first."
            )
        codes = read_integers(values)
        wrong = np.flatnonzero((codes < 0) | (codes >= len(names)))
        if len(wrong):
            raise LabelError(
                f"{self.owner} needs labels from 0 to {len(names) - 1} in {name!r}, but row {self.start + wrong[0]} "
                f"has {codes[wrong[0]]} ({len(wrong)} such rows); filter out the unlabelled rows (-1) first."
            )
        return codes

    def take(self, numbers: Indices) -> pa.Table:
        """Return the table of the rows with the given numbers, in their order; a large one is kept on disk."""
        return take_rows(self.table, numbers)

    def check_first_values(self, name: str) -> None:
        """Raise `ColumnError` where `<name>_before` holds anything but the first values of a column."""
        before = f"{name}_before"
        if before in self.features and self.features[before] != self.features[name]:
            raise ColumnError(f"{self.owner} keeps first values in {before!r}, which holds others; rename it.")

    def changed_cells(self, name: str, values: pa.Array | pa.ChunkedArray) -> Mask:
        """Return where new values of a column differ from the present ones, shape (rows,); nulls and NaNs are equal.

        Raises:
            ColumnError: where a null would be replaced by a value, which `<column>_before` cannot tell from a cell
                that was never changed.
        """
        present = self.column(name)
        changed = _differ(present, values if isinstance(values, pa.ChunkedArray) else pa.chunked_array([values]))
        lost = int((changed & present.is_null().to_numpy()).sum())
        if lost:
            raise ColumnError(
                f"{self.owner} would replace {lost} nulls in {name!r} by values, which could not be undone; fill or "
                "filter them first."
            )
        return changed

    def replace(self, name: str, values: pa.Array, where: Mask) -> tuple[pa.Table, dict[str, Any]]:
        """Return the table with the column's new values, and its first values kept in `<name>_before`.

        Args:
            name: the column.
            values: its new values, or for a column of texts the numbers of its `class_names`, shape (rows,).
            where: which rows are replaced by this call, shape (rows,).

        Returns:
            The table, and the feature of the added column.
        """
        self.check_first_values(name)
        before = f"{name}_before"
        present = self.column(name)
        if is_text(present.type) and pa.types.is_integer(values.type):  # numbers of the classes that the texts name
            values = pa.array(self.class_names(name), present.type).take(values)
        kept = pc.if_else(pa.array(where), present, pa.scalar(None, present.type))
        if before in self.table.column_names:  # written once: what an earlier call kept stays
            kept = pc.coalesce(self.table.column(before), kept)
        table = replace_column(replace_column(self.table, name, values.cast(present.type)), before, kept)
        return table, {before: self.features[name]}


def _distinct(values: pa.ChunkedArray) -> list[Any]:
    """Return the different values of a column without nulls, sorted."""
    return sorted(value for value in values.unique().to_pylist() if value is not None)


def _line_for_classes(rows: Rows, name: str) -> str:
    """Return the line to write that gives a column its class names, as the end of a sentence."""
    values = rows.column(name)
    plain = is_text(values.type) or pa.types.is_integer(values.type)
    found = _distinct(values) if plain else []
    numbered = found == list(range(len(found))) and len(found) > 1
    if rows.whole and plain and not numbered:
        return f"data = data.class_encode_column({name!r})."
    names = [str(value) for value in found] if found and (numbered or is_text(values.type)) else ...
    listed = "[...]" if names is ... or len(names) > _MOST_NAMED else names
    ending = ", naming all classes." if listed == "[...]" or not rows.whole else "."
    return f"data = data.cast_column({name!r}, datasets.ClassLabel(names={listed})){ending}"


class Detail(ABC):
    """A detail of a change that says how the details of several blocks of rows are merged into one.

    Attributes:
        value: plain JSON values, as they stand in the record.
    """

    value: Any

    @abstractmethod
    def merge(self, other: Self) -> Self:
        """Return the detail of this block and the next one together."""


@final
@dataclass(frozen=True)
class Count(Detail):
    """A number that is summed over blocks, or a mapping of such numbers, which are summed key by key.

    Example:
        >>> Count({"es": 2, "de": 1}).merge(Count({"es": 3, "sw": 1})).value
        {'es': 5, 'de': 1, 'sw': 1}
    """

    value: int | Mapping[str, Any]

    def merge(self, other: "Count") -> "Count":
        """Return the sum."""
        return Count(_sum(self.value, other.value))


@final
@dataclass(frozen=True)
class Distinct(Detail):
    """A list of JSON values that is merged into the distinct ones, in the order in which they first occur.

    Example:
        >>> Distinct(["es", "de"]).merge(Distinct(["sw", "es"])).value
        ['es', 'de', 'sw']
    """

    value: Sequence[Any]

    def merge(self, other: "Distinct") -> "Distinct":
        """Return the distinct values of both."""
        return Distinct([*self.value, *(item for item in other.value if item not in self.value)])


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
        details: further facts for the record. Where each row is treated alone, large data are transformed block by
            block, and each detail says how it is merged: a `Count` is summed, a `Distinct` lists what occurs in any
            block, and a plain JSON value must be the same in every block.
    """

    table: pa.Table
    features: Mapping[str, Any] = field(default_factory=dict)
    changed: int = 0
    acted: int | None = None
    of: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def record_details(self) -> dict[str, Any]:
        """Return the details as plain JSON values."""
        return {name: value.value if isinstance(value, Detail) else value for name, value in self.details.items()}


def _differ(first: pa.ChunkedArray, second: pa.ChunkedArray) -> Mask:
    """Return where two columns differ, shape (rows,); nulls are equal, and so are NaNs."""
    if pa.types.is_nested(first.type):
        pairs = zip(first.to_pylist(), second.to_pylist(), strict=True)
        return np.array([left != right for left, right in pairs], np.bool_)
    null = pc.xor(first.is_null(), second.is_null())
    differ = pc.or_(pc.fill_null(pc.not_equal(first, second), False), null)
    if pa.types.is_floating(first.type):
        both = pc.and_(pc.is_nan(first), pc.is_nan(second))
        differ = pc.and_not(differ, pc.fill_null(both, False))
    return np.asarray(differ.to_numpy(), np.bool_)


def merge_changes(owner: str, changes: Sequence[Change], table: pa.Table) -> Change:
    """Return the change of all rows from those of its blocks, of which there is at least one.

    Args:
        owner: the transform's name, for messages.
        changes: one for each block, in the order of the rows.
        table: the rows of all blocks.

    Raises:
        TransformError: where a detail that declares no rule, or a count that some blocks leave out, differs.
    """
    first = changes[0]
    totals = {}
    for name in ("changed", "acted", "of"):
        counts = [getattr(change, name) for change in changes]
        _check_equal(owner, name, [count is None for count in counts])
        totals[name] = None if counts[0] is None else sum(counts)
    _check_equal(owner, "details", [set(change.details) for change in changes])
    details = {name: _merge(owner, name, [change.details[name] for change in changes]) for name in first.details}
    return Change(table, first.features, totals["changed"] or 0, totals["acted"], totals["of"], details)


def _merge(owner: str, name: str, values: Sequence[Any]) -> Any:
    """Return one detail of all blocks."""
    if isinstance(values[0], Detail):
        _check_equal(owner, name, [type(value).__name__ for value in values])
        return functools.reduce(lambda merged, value: merged.merge(value), values)
    _check_equal(owner, name, values)
    return values[0]


def _check_equal(owner: str, name: str, values: Sequence[Any]) -> None:
    """Raise where what is recorded of the blocks cannot be merged."""
    for value in values[1:]:
        if value != values[0]:
            raise TransformError(
                f"{owner} returned {name!r} with {values[0]!r} for some rows and {value!r} for others; declare how "
                "the two are merged, for example details={'kept': Count(5)} for a number that is summed."
            )


def _sum(first: Any, second: Any) -> Any:
    """Return the sum of two numbers, or of two mappings key by key."""
    if isinstance(first, Mapping):
        more = {name: value for name, value in second.items() if name not in first}
        return {name: _sum(value, second[name]) if name in second else value for name, value in first.items()} | more
    return first + second
