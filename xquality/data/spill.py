"""Large tables on disk instead of in memory: written to an unnamed temporary file and memory-mapped.

The file is in the cache folder of the datasets library. It has no name, so nothing is left behind, not even by a killed
process; its space is free again when the last table that reads it is deleted.
"""

import mmap
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

import datasets
import numpy as np
import pyarrow as pa

from xquality._files import name_full_disk
from xquality.data.arrow import Indices

IN_MEMORY: Final = 64 << 20
"""Tables of up to this many bytes stay in memory; larger ones are memory-mapped. The rows are the same."""

BLOCK: Final = 16 << 20
"""The approximate number of bytes of a large table that are processed at a time."""


def is_large(table: pa.Table) -> bool:
    """Return whether a table is processed in blocks and stored on disk."""
    return bool(table.nbytes > IN_MEMORY)


def block_ranges(table: pa.Table) -> Iterator[tuple[int, int]]:
    """Yield for each block of a table its first row and the row after its last; the blocks cover all rows."""
    step = max(1, len(table) * BLOCK // max(1, table.nbytes))
    for start in range(0, len(table), step):
        yield start, min(start + step, len(table))


def write_mapped(schema: pa.Schema, parts: Iterable[pa.Table]) -> pa.Table:
    """Write tables to an unnamed file, and return their rows, one table after the other, memory-mapped from it.

    Raises:
        WriteError: if the disk of the cache folder (HF_DATASETS_CACHE) is full.
    """
    with name_full_disk(Path(datasets.config.HF_DATASETS_CACHE)), _open_unnamed() as file:
        with pa.ipc.new_stream(file, schema) as writer:
            for part in parts:
                writer.write_table(part)
        file.flush()
        content = pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))  # exists as long as its readers
    return pa.ipc.open_stream(content).read_all()


def take_rows(table: pa.Table, rows: Indices) -> pa.Table:
    """Return the rows with the given indices, in that order; a large result is memory-mapped.

    Arrow's own `take` copies whole columns first and fails on strings of more than 2 GiB; this one copies only the rows
    it takes, block by block.
    """
    if not is_large(table):
        return table.take(pa.array(rows))
    ascending = bool((rows[1:] > rows[:-1]).all())
    if ascending and len(rows) == len(table):
        return table
    batches = table.to_batches()
    starts = np.cumsum([0, *map(len, batches)])
    block = BLOCK if ascending else 4 * BLOCK  # unordered rows need every batch: read each less often
    step = max(1, len(table) * block // table.nbytes)
    parts = (_take_block(batches, starts, rows[start : start + step]) for start in range(0, len(rows), step))
    if table.nbytes * (len(rows) / len(table)) > IN_MEMORY:
        return write_mapped(table.schema, parts)
    return pa.concat_tables([table.slice(0, 0), *parts])


def map_new_columns(table: pa.Table, before: pa.Table) -> pa.Table:
    """Return `table` with those columns memory-mapped that do not share their memory with `before`, if they are large.

    Args:
        table: what a transform returned, with as many rows as `before`.
        before: what the transform was given.
    """
    if not is_large(table):
        return table
    new = [name for name in table.column_names if name not in before.column_names or not _share(table, before, name)]
    added = table.select(new)
    if not is_large(added):
        return table
    stored = write_mapped(added.schema, (added.slice(start, end - start) for start, end in block_ranges(added)))
    for index, name in enumerate(table.column_names):
        if name in new:
            table = table.set_column(index, table.schema.field(index), stored.column(name))
    return table


def _take_block(batches: list[pa.RecordBatch], starts: Indices, rows: Indices) -> pa.Table:
    """Return the rows with the given indices from consecutive batches, as a table of one chunk."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    first, last = np.searchsorted(starts, ordered[[0, -1]], "right") - 1
    cuts = np.searchsorted(ordered, starts[first : last + 2])
    pieces = [
        batches[index].take(pa.array(ordered[low:high] - starts[index]))
        for index, low, high in zip(range(first, last + 1), cuts[:-1], cuts[1:], strict=True)
        if low < high
    ]
    found = pa.Table.from_batches(pieces).combine_chunks()
    return found if (rows == ordered).all() else found.take(pa.array(np.argsort(order)))


def _share(table: pa.Table, other: pa.Table, name: str) -> bool:
    """Return whether a column of two tables is the same memory."""
    return _addresses(table.column(name)) == _addresses(other.column(name))


def _addresses(values: pa.ChunkedArray) -> list[Any]:
    """Return the lengths, offsets and memory addresses of the chunks of a column."""
    return [
        (len(chunk), chunk.offset, *(buffer and buffer.address for buffer in chunk.buffers()))
        for chunk in values.chunks
    ]


def _open_unnamed() -> Any:
    """Open an unnamed file in the cache folder of the datasets library, or in the system's if that is not writable."""
    folder = Path(datasets.config.HF_DATASETS_CACHE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryFile(dir=folder)
    except OSError:
        return tempfile.TemporaryFile()
