"""Large tables on disk instead of in memory: written to a file without a name, and mapped.

The file lies in the datasets library's cache folder and has no name there, so nothing is left behind, not even by a
killed process; its space is free again when the last table that reads it is gone.
"""

import mmap
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import datasets
import numpy as np
import pyarrow as pa

from xquality.data.arrow import Indices

IN_MEMORY: Final = 64 << 20
"""Results of up to this many bytes stay in memory; larger ones are mapped from disk. It changes no row."""

BLOCK: Final = 16 << 20
"""About how many bytes of a large table are worked on at a time."""


def is_large(table: pa.Table) -> bool:
    """Say whether a table is worked on in blocks and kept on disk."""
    return bool(table.nbytes > IN_MEMORY)


def block_ranges(table: pa.Table) -> Iterator[tuple[int, int]]:
    """Yield the first row of each block of a table and the row after its last; together they are all rows."""
    step = max(1, len(table) * BLOCK // max(1, table.nbytes))
    for start in range(0, len(table), step):
        yield start, min(start + step, len(table))


def write_mapped(schema: pa.Schema, parts: Iterable[pa.Table]) -> pa.Table:
    """Write tables one after the other to a file without a name, and return all their rows mapped from it."""
    with _nameless() as file:
        with pa.ipc.new_stream(file, schema) as writer:
            for one in parts:
                writer.write_table(one)
        file.flush()
        content = pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))  # lives as long as its readers
    return pa.ipc.open_stream(content).read_all()


def take_rows(table: pa.Table, rows: Indices) -> pa.Table:
    """Return the rows with the given numbers, in their order.

    Arrow's own `take` copies whole columns first, and refuses strings of more than 2 GiB; this one copies what it
    takes, block by block.
    """
    if not is_large(table):
        return table.take(pa.array(rows))
    ascending = bool((rows[1:] > rows[:-1]).all())
    if ascending and len(rows) == len(table):
        return table
    batches = table.to_batches()
    starts = np.cumsum([0, *map(len, batches)])
    block = BLOCK if ascending else 4 * BLOCK  # rows in disorder lie in every batch: visit each less often
    step = max(1, len(table) * block // table.nbytes)
    parts = (_gathered(batches, starts, rows[start : start + step]) for start in range(0, len(rows), step))
    if table.nbytes * (len(rows) / len(table)) > IN_MEMORY:
        return write_mapped(table.schema, parts)
    return pa.concat_tables([table.slice(0, 0), *parts])


def map_new_columns(table: pa.Table, before: pa.Table) -> pa.Table:
    """Return `table` with the columns that it does not share with `before` moved to disk, where they are large."""
    if not is_large(table):
        return table
    new = [name for name in table.column_names if name not in before.column_names or _differ(table, before, name)]
    made = table.select(new)
    if not is_large(made):
        return table
    stored = write_mapped(made.schema, (made.slice(start, end - start) for start, end in block_ranges(made)))
    for place, name in enumerate(table.column_names):
        if name in new:
            table = table.set_column(place, table.schema.field(place), stored.column(name))
    return table


def _gathered(batches: list[pa.RecordBatch], starts: Indices, rows: Indices) -> pa.Table:
    """Return the rows with the given numbers from consecutive batches, as a table of one chunk."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    first, last = np.searchsorted(starts, ordered[[0, -1]], "right") - 1
    cuts = np.searchsorted(ordered, starts[first : last + 2])
    pieces = [
        batches[place].take(pa.array(ordered[low:high] - starts[place]))
        for place, low, high in zip(range(first, last + 1), cuts[:-1], cuts[1:], strict=True)
        if low < high
    ]
    found = pa.Table.from_batches(pieces).combine_chunks()
    return found if (rows == ordered).all() else found.take(pa.array(np.argsort(order)))


def _differ(table: pa.Table, before: pa.Table, name: str) -> bool:
    """Say whether a column of two tables lies at two places in memory."""
    return _places(table.column(name)) != _places(before.column(name))


def _places(values: pa.ChunkedArray) -> list[Any]:
    """Return where the bytes of a column lie."""
    return [(len(one), one.offset, *(buffer and buffer.address for buffer in one.buffers())) for one in values.chunks]


def _nameless() -> Any:
    """Open a file without a name in the datasets library's cache folder, or where that cannot be, a temporary one."""
    folder = Path(datasets.config.HF_DATASETS_CACHE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=folder)
    except OSError:
        return tempfile.TemporaryFile()
