"""Quotas: which rows of which stratum are taken first, so that a smaller sample lies in a larger one."""

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel
from numpy.typing import NDArray

from xquality.data.arrow import Indices, is_variable_list
from xquality.data.rows import Rows
from xquality.errors import ColumnError
from xquality.randomness import Draw

LENGTH: Final = "length:"  # before a column's name: the bin of its length


def strata(rows: Rows, columns: tuple[str, ...]) -> Indices | None:
    """Return each row's stratum as a number, shape (rows,); None where there is nothing to stratify by.

    Args:
        rows: the rows.
        columns: names of columns, or "length:" and the name of a column of strings or lists.
    """
    found: Indices | None = None
    for name in columns:
        if name.startswith(LENGTH) and name not in rows.features:
            values = _length_bins(rows, name.removeprefix(LENGTH))
        else:
            values = rows.labels(name) if isinstance(rows.features.get(name), ClassLabel) else _codes(rows, name)
        found = values if found is None else found * (values.max(initial=0) + 1) + values
    return found


def _length_bins(rows: Rows, name: str) -> Indices:
    """Return the bins of the lengths of texts in characters, or of lists in items, shape (rows,).

    The bounds are powers of two (0, 1, 2-3, 4-7, 8-15 and so on), so that a row's bin depends on no other row.
    """
    values = rows.column(name)
    lists = is_variable_list(values.type)
    lengths = pc.list_value_length(values) if lists else pc.utf8_length(rows.text(name))
    _refuse_nulls(rows, name, values)
    return np.asarray(np.frexp(lengths.to_numpy().astype(np.float64))[1], np.int64)


def _codes(rows: Rows, name: str) -> Indices:
    """Return a column's values as small numbers, equal where the values are equal."""
    values = rows.column(name)
    _refuse_nulls(rows, name, values)
    if pa.types.is_nested(values.type):
        raise ColumnError(
            f"{rows.owner} stratifies by plain values, but {name!r} holds {values.type}; name another column."
        )
    return np.asarray(values.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False), np.int64)


def _refuse_nulls(rows: Rows, name: str, values: pa.ChunkedArray) -> None:
    """Raise where rows have no value to stratify by."""
    if values.null_count:
        raise ColumnError(
            f"{rows.owner} stratifies by {name!r}, but {values.null_count} rows have no value there; "
            "fill or filter them."
        )


def by_quota(stratum_of: Indices, draw: Draw, count: int, temperature: float = 1.0) -> Indices:
    """Return `count` rows in the order in which Sainte-Laguë's method hands out seats, as sorted row numbers.

    The r-th drawn row (from 0) of a stratum with weight w takes its seat at (r + 1/2) / w; ties go by the draw. A seat
    that is taken is never given back when the house grows, so quotas nest, and no row is taken twice.

    Args:
        stratum_of: each row's stratum, shape (rows,).
        draw: the randomness of the call.
        count: how many rows.
        temperature: a stratum of s rows has the weight s ** (1 / temperature): 1 keeps the shares of the strata, larger
            values favour the small ones, as multilingual sampling does.
    """
    order = draw.order("keep")
    _, stratum, sizes = np.unique(stratum_of[order], return_inverse=True, return_counts=True)
    grouped = np.argsort(stratum, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    rank = np.empty(len(order), np.int64)
    rank[grouped] = np.arange(len(order)) - np.repeat(starts, sizes)
    weights = sizes if temperature == 1 else sizes ** (1 / temperature)
    seat = (2 * rank + 1) / (2 * weights[stratum])
    return np.sort(order[np.argsort(seat, kind="stable")[:count]])


def farthest_first(points: NDArray[np.float64], draw: Draw, count: int) -> Indices:
    """Return `count` rows that cover the points, as sorted row numbers: the greedy k-centre algorithm (Gonzalez 1985).

    The first row is drawn; each next row is the one farthest from those chosen so far, ties going by the draw.

    Args:
        points: one vector a row, shape (rows, width).
        draw: the randomness of the call.
        count: how many rows.
    """
    order = draw.order("keep")  # an order of the rows that does not depend on how they are stored
    ordered = points[order]
    chosen: list[int] = []
    nearest = np.full(len(order), np.inf)
    for _ in range(count):
        one = int(np.argmax(nearest))
        chosen.append(one)
        nearest = np.minimum(nearest, ((ordered - ordered[one]) ** 2).sum(axis=1))
        nearest[one] = -1.0  # never again, not even as one of several equal points
    return np.sort(order[chosen])
