"""Lists of numbers in Arrow as arrays of equal width, read without a copy where none is needed."""

from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

_SMALL = 1 << 26  # bytes that may be copied where that saves time


@final
@dataclass(frozen=True)
class Matrix:
    """Rows of numbers, all of one width, in the pieces they are stored in.

    Attributes:
        parts: arrays of shape (some rows, width), together all rows in their order.

    Example:
        >>> import numpy as np
        >>> Matrix((np.ones((2, 3)), np.zeros((1, 3)))).take(np.array([2, 0])).tolist()
        [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0]]
    """

    parts: tuple[NDArray[Any], ...] = field(repr=False)

    def __len__(self) -> int:
        return sum(len(one) for one in self.parts)

    def whole(self) -> Floats:
        """Return all rows as one array, shape (rows, width); a view where they are stored as one."""
        return np.asarray(self.parts[0] if len(self.parts) == 1 else np.concatenate(self.parts), np.float64)

    def take(self, rows: Indices | slice) -> Floats:
        """Return some rows as one array, reading no others, shape (rows, width)."""
        if len(self.parts) == 1:
            return np.asarray(self.parts[0][rows], np.float64)
        wanted = np.arange(len(self))[rows] if isinstance(rows, slice) else rows
        ends = np.cumsum([len(one) for one in self.parts])
        part = np.searchsorted(ends, wanted, side="right")
        by_part = np.argsort(part, kind="stable")
        found = np.empty((len(wanted), self.parts[0].shape[1]))
        for here in np.split(by_part, np.flatnonzero(np.diff(part[by_part])) + 1):
            if len(here):
                one = part[here[0]]
                found[here] = self.parts[one][wanted[here] - (ends[one] - len(self.parts[one]))]
        return found

    def distributions(self) -> bool:
        """Say whether every row holds probabilities: finite, not negative, with the sum 1."""
        return all(
            # A NaN makes the smallest NaN and fails the first comparison, an infinity the second.
            part.min() >= 0 and np.abs(part @ np.ones(part.shape[1], part.dtype) - 1).max() <= 1e-3
            for part in self.parts
            if part.size
        )


def matrix(values: pa.ChunkedArray | pa.Array, width: int) -> Matrix | None:
    """Return a column of lists of `width` numbers; None where it holds anything else."""
    if not is_list(values.type) or not is_number(values.type.value_type) or (lengths(values) != width).any():
        return None
    held = [one.flatten() for one in (_pieces(values) if isinstance(values, pa.ChunkedArray) else [values])]
    if values.null_count or any(one.null_count for one in held):
        return None
    parts = tuple(one.to_numpy(zero_copy_only=False).reshape(-1, width) for one in held)
    return Matrix(parts or (np.empty((0, width)),))


def _pieces(values: pa.ChunkedArray) -> list[pa.Array]:
    """Return the chunks of a column, joined where all are small, or each so small that reading them takes long."""
    if values.num_chunks < 2 or (values.nbytes > _SMALL and values.num_chunks * 100 < len(values)):
        return list(values.chunks)
    joined = values.combine_chunks()
    return list(joined.chunks) if isinstance(joined, pa.ChunkedArray) else [joined]


def padded(values: pa.ChunkedArray) -> tuple[Matrix, Indices] | None:
    """Return lists of numbers filled up with zeros to the longest, and their lengths; None for anything else."""
    whole = values.combine_chunks()
    if not is_list(whole.type) or not is_number(whole.type.value_type) or whole.null_count:
        return None
    held, counts = whole.flatten(), lengths(whole)
    if held.null_count:
        return None
    filled = np.zeros((len(whole), int(counts.max(initial=1))))
    filled[np.arange(filled.shape[1]) < counts[:, None]] = held.to_numpy(zero_copy_only=False)
    return Matrix((filled,)), counts


def numbers(values: pa.ChunkedArray) -> Floats | None:
    """Return a column with one number a row, shape (rows,); None for anything else."""
    if not is_number(values.type) or values.null_count:
        return None
    return np.asarray(values.to_numpy(), np.float64)


def lengths(values: pa.ChunkedArray | pa.Array) -> Indices:
    """Return the length of each list, shape (rows,); 0 for a null."""
    found = pc.fill_null(pc.list_value_length(values), 0)
    chunked = isinstance(found, pa.ChunkedArray)
    return np.asarray(found.to_numpy() if chunked else found.to_numpy(zero_copy_only=False), np.int64)


def flat(values: pa.ChunkedArray) -> tuple[pa.ChunkedArray, Indices] | None:
    """Return what the lists of a column hold, one after the other, and the lengths of the lists, shape (rows,).

    None where the column holds no lists, or a null instead of one.
    """
    if not is_list(values.type) or values.null_count:
        return None
    held = pa.chunked_array([one.flatten() for one in values.chunks], values.type.value_type)
    return held, lengths(values)


def nested(held: pa.Array, counts: Indices, missing: NDArray[np.bool_] | None = None) -> pa.Array:
    """Return lists out of what they hold one after the other.

    Args:
        held: what they hold.
        counts: their lengths, shape (lists,).
        missing: which of them are null instead, shape (lists,); None for none.
    """
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]))
    return pa.LargeListArray.from_arrays(offsets, held, mask=None if missing is None else pa.array(missing))


def taken(counts: Indices, rows: Indices) -> Indices:
    """Return the places of what some lists hold, one after the other, in the order of `rows`.

    Args:
        counts: the lengths of all lists, shape (lists,).
        rows: which lists, in which order.

    Example:
        >>> import numpy as np
        >>> taken(np.array([2, 1, 3]), np.array([2, 0])).tolist()
        [3, 4, 5, 0, 1]
    """
    starts, chosen = (np.cumsum(counts) - counts)[rows], counts[rows]
    before = np.cumsum(chosen) - chosen
    return np.asarray(np.arange(int(chosen.sum())) + np.repeat(starts - before, chosen), np.int64)


def is_list(kind: pa.DataType) -> bool:
    """Say whether an Arrow type is a list of any width."""
    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def is_number(kind: pa.DataType) -> bool:
    """Say whether an Arrow type is an integer or a float."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))
