"""Arrow columns and lists: reading them as arrays, taking lists apart and making them, without needless copies.

A list column holds one list a row; its values are what the lists hold, one after the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from xquality.errors import ColumnError

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

UID: Final = "uid"
"""The column that identifies each row."""

_SMALL = 1 << 26  # bytes that may be copied where that saves time


def is_text(kind: pa.DataType) -> bool:
    """Return whether an Arrow type is a string of 32- or 64-bit offsets."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_number(kind: pa.DataType) -> bool:
    """Return whether an Arrow type is an integer or a float."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def is_list(kind: pa.DataType) -> bool:
    """Return whether an Arrow type is a list, of any length or of a fixed one."""
    return is_variable_list(kind) or bool(pa.types.is_fixed_size_list(kind))


def is_variable_list(kind: pa.DataType) -> bool:
    """Return whether an Arrow type is a list of any length."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind))


def is_text_list(kind: pa.DataType) -> bool:
    """Return whether an Arrow type is a list of strings, of any length."""
    return is_variable_list(kind) and is_text(kind.value_type)


def list_columns(names: Iterable[str]) -> list[str]:
    """Return the columns that a message may list: without `uid`, which is added to data that lack it."""
    return [name for name in names if name != UID]


def without_views(table: pa.Table) -> pa.Table:
    """Return a table with strings and bytes in place of views of them, also inside lists and structs."""
    types = [_without_views(kind) for kind in table.schema.types]
    if types == table.schema.types:
        return table
    fields = [field.with_type(kind) for field, kind in zip(table.schema, types, strict=True)]
    return table.cast(pa.schema(fields, table.schema.metadata))


def _without_views(kind: pa.DataType) -> pa.DataType:
    """Return an Arrow type with 64-bit offsets in place of views."""
    if pa.types.is_string_view(kind):
        return pa.large_string()
    if pa.types.is_binary_view(kind):
        return pa.large_binary()
    if pa.types.is_struct(kind):
        return pa.struct([part.with_type(_without_views(part.type)) for part in kind])
    if is_list(kind):
        values = kind.value_field.with_type(_without_views(kind.value_type))
        if pa.types.is_fixed_size_list(kind):
            return pa.list_(values, kind.list_size)
        return pa.large_list(values) if pa.types.is_large_list(kind) else pa.list_(values)
    return kind


def get_column(table: pa.Table, name: str, owner: str) -> pa.ChunkedArray:
    """Return one column of a table.

    Args:
        table: the table.
        name: the column's name.
        owner: who reads it, for the message.

    Raises:
        ColumnError: if there is no such column; the message lists the columns there are.
    """
    if name not in table.column_names:
        raise ColumnError(
            f"{owner} reads the column {name!r}, but the data have {list_columns(table.column_names)}; name one of "
            "these."
        )
    return table.column(name)


def replace_column(table: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Return `table` with the values of one column replaced, or with the column added last."""
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, values)
    return table.append_column(name, values)


def read_strings(values: pa.ChunkedArray) -> list[str]:
    """Return a string column as a list, with "" for each null."""
    return [text or "" for text in values.to_pylist()]


def read_integers(values: pa.ChunkedArray) -> Indices:
    """Return an integer column without nulls as an array, shape (rows,)."""
    return np.asarray(values.cast(pa.int64()).to_numpy(), np.int64)


def read_numbers(values: pa.ChunkedArray) -> Floats | None:
    """Return a column with one number a row as floats, shape (rows,); None for any other column."""
    if not is_number(values.type) or values.null_count:
        return None
    return np.asarray(values.to_numpy(), np.float64)


def list_lengths(lists: pa.ChunkedArray | pa.Array) -> Indices:
    """Return the length of each list, shape (rows,); 0 for a null."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0)
    chunked = isinstance(lengths, pa.ChunkedArray)
    return np.asarray(lengths.to_numpy() if chunked else lengths.to_numpy(zero_copy_only=False), np.int64)


def flatten_lists(lists: pa.ChunkedArray) -> tuple[pa.ChunkedArray, Indices] | None:
    """Return the values of a list column, and the lengths of its lists, shape (rows,).

    Returns None if the column holds no lists, or a null in place of one.
    """
    if not is_list(lists.type) or lists.null_count:
        return None
    return list_values(lists), list_lengths(lists)


def list_values(lists: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return the values of a list column, one list after the other; a null list has none."""
    return pa.chunked_array([chunk.flatten() for chunk in lists.chunks], lists.type.value_type)


def make_lists(values: pa.Array, lengths: Indices, missing: Mask | None = None) -> pa.Array:
    """Return lists of consecutive values, with 64-bit offsets.

    Args:
        values: the values of all lists, one after the other.
        lengths: the length of each list, shape (lists,).
        missing: which lists are null instead, shape (lists,); None for none.
    """
    return pa.LargeListArray.from_arrays(
        pa.array(_offsets(lengths)), values, mask=None if missing is None else pa.array(missing)
    )


def make_lists_like(lists: pa.Array, values: pa.Array, lengths: Indices) -> pa.Array:
    """Return lists of consecutive values, of the type of other lists and null where those are.

    Args:
        lists: the other lists, shape (rows,).
        values: the values of the new lists, one after the other.
        lengths: the length of each new list, 0 for a null, shape (rows,).
    """
    large = pa.types.is_large_list(lists.type)
    offsets = pa.array(_offsets(lengths), pa.int64() if large else pa.int32())
    kind = pa.LargeListArray if large else pa.ListArray
    return kind.from_arrays(offsets, values, type=lists.type, mask=lists.is_null() if lists.null_count else None)


def _offsets(lengths: Indices) -> Indices:
    """Return where each list begins, and where the last ends, shape (lists + 1,)."""
    return np.concatenate([[0], np.cumsum(lengths)])


def index_ranges(starts: Indices, lengths: Indices) -> Indices:
    """Return ranges of consecutive integers, one after the other.

    Args:
        starts: the first integer of each range, shape (ranges,).
        lengths: the length of each range, shape (ranges,).

    Example:
        >>> import numpy as np
        >>> index_ranges(np.array([3, 0]), np.array([3, 2])).tolist()
        [3, 4, 5, 0, 1]
    """
    before = np.cumsum(lengths) - lengths
    return np.asarray(np.arange(int(lengths.sum())) + np.repeat(starts - before, lengths), np.int64)


def value_indices(lengths: Indices, rows: Indices) -> Indices:
    """Return the indices of the values of some lists, in the order of `rows`.

    Args:
        lengths: the lengths of all lists, shape (lists,).
        rows: which lists, in which order.

    Example:
        >>> import numpy as np
        >>> value_indices(np.array([2, 1, 3]), np.array([2, 0])).tolist()
        [3, 4, 5, 0, 1]
    """
    return index_ranges((np.cumsum(lengths) - lengths)[rows], lengths[rows])


@final
@dataclass(frozen=True)
class Matrix:
    """Rows of numbers, all of one width, in the chunks in which they are stored.

    Attributes:
        parts: arrays of shape (some rows, width), together all rows in their order.

    Example:
        >>> import numpy as np
        >>> Matrix((np.ones((2, 3)), np.zeros((1, 3)))).take(np.array([2, 0])).tolist()
        [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
    """

    parts: tuple[NDArray[Any], ...] = field(repr=False)

    def __len__(self) -> int:
        return sum(len(part) for part in self.parts)

    def array(self) -> Floats:
        """Return all rows as one array, shape (rows, width); a view if they are stored in one chunk."""
        return np.asarray(self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts), np.float64)

    def take(self, rows: Indices | slice) -> Floats:
        """Return some rows as one array, reading no others, shape (rows, width)."""
        if len(self.parts) == 1:
            return np.asarray(self.parts[0][rows], np.float64)
        wanted = np.arange(len(self))[rows] if isinstance(rows, slice) else rows
        ends = np.cumsum([len(part) for part in self.parts])
        part_of_row = np.searchsorted(ends, wanted, side="right")
        by_part = np.argsort(part_of_row, kind="stable")
        found = np.empty((len(wanted), self.parts[0].shape[1]))
        for positions in np.split(by_part, np.flatnonzero(np.diff(part_of_row[by_part])) + 1):
            if len(positions):
                part = part_of_row[positions[0]]
                found[positions] = self.parts[part][wanted[positions] - (ends[part] - len(self.parts[part]))]
        return found

    def has_distributions(self) -> bool:
        """Return whether every row is a probability distribution: finite, not negative, with the sum 1."""
        return all(
            # A NaN makes the smallest NaN and fails the first comparison, an infinity the second.
            part.min() >= 0 and np.abs(part @ np.ones(part.shape[1], part.dtype) - 1).max() <= 1e-3
            for part in self.parts
            if part.size
        )


def read_matrix(lists: pa.ChunkedArray | pa.Array, width: int) -> Matrix | None:
    """Return a column of lists of `width` numbers; None for any other column."""
    if not is_list(lists.type) or not is_number(lists.type.value_type) or (list_lengths(lists) != width).any():
        return None
    values = [chunk.flatten() for chunk in (_chunks(lists) if isinstance(lists, pa.ChunkedArray) else [lists])]
    if lists.null_count or any(chunk.null_count for chunk in values):
        return None
    parts = tuple(chunk.to_numpy(zero_copy_only=False).reshape(-1, width) for chunk in values)
    return Matrix(parts or (np.empty((0, width)),))


def _chunks(values: pa.ChunkedArray) -> list[pa.Array]:
    """Return the chunks of a column, combined if all are small, or each so small that reading them takes long."""
    if values.num_chunks < 2 or (values.nbytes > _SMALL and values.num_chunks * 100 < len(values)):
        return list(values.chunks)
    combined = values.combine_chunks()
    return list(combined.chunks) if isinstance(combined, pa.ChunkedArray) else [combined]


def pad_lists(lists: pa.ChunkedArray) -> tuple[Matrix, Indices] | None:
    """Return lists of numbers padded with zeros to the longest, and their lengths; None for any other column."""
    whole = lists.combine_chunks()
    if not is_list(whole.type) or not is_number(whole.type.value_type) or whole.null_count:
        return None
    values, lengths = whole.flatten(), list_lengths(whole)
    if values.null_count:
        return None
    padded = np.zeros((len(whole), int(lengths.max(initial=1))))
    padded[np.arange(padded.shape[1]) < lengths[:, None]] = values.to_numpy(zero_copy_only=False)
    return Matrix((padded,)), lengths
