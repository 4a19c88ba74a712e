"""Where labels differ from the first values kept beside them, for labels of every shape.

May import: lists | numpy, pyarrow.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from xquality.lists import flat, is_list, lengths


def per_label(table: pa.Table, name: str) -> pa.Table:
    """Return a table with one row for each label: each token, where issues were flagged token by token.

    Only the columns of labels are kept then: those of that name, their first values, those a filter saw, and its flags.

    Args:
        table: rows.
        name: the column of labels.
    """
    if "label_issue" not in table.column_names or not is_list(table.column("label_issue").type):
        return table
    kept = [one for one in (name, f"{name}_before", f"{name}_given", "label_issue") if one in table.column_names]
    counts = lengths(table.column("label_issue"))
    return pa.table({one: _spread(table.column(one), counts) for one in kept})


def differs(values: pa.ChunkedArray, first: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Return where values are not the first ones, shape (rows,); a null among the first says that nothing changed."""
    if not pa.types.is_nested(values.type):
        return np.asarray(pc.fill_null(pc.not_equal(values, first), False).to_numpy(), np.bool_)
    kept = np.asarray(first.is_valid().to_numpy(), np.bool_)
    found = np.zeros(len(kept), np.bool_)
    pairs = zip(values.filter(pa.array(kept)).to_pylist(), first.filter(pa.array(kept)).to_pylist(), strict=True)
    found[kept] = [one != other for one, other in pairs]
    return found


def _spread(values: pa.ChunkedArray, counts: NDArray[np.int64]) -> pa.ChunkedArray:
    """Return what lists hold, one after the other, and as many nulls for a null list as `counts` has for its row."""
    there = np.repeat(np.asarray(values.is_valid().to_numpy(), np.bool_), counts)
    read = flat(values.filter(values.is_valid()))
    assert read is not None
    return read[0].take(pa.array(np.cumsum(there) - 1, mask=~there))
