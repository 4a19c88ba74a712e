"""Comparing what two calls did to the same rows: whole tables, cell by cell, token by token."""

from typing import Any

import pyarrow as pa
from datasets import Dataset

from xquality.data._datasets import dataset_of, table_of
from xquality.data.uids import UID


def by_uid(data: Dataset) -> pa.Table:
    """Return the rows in the order of their uids, in one chunk and without metadata: equal for equal rows."""
    return table_of(data).sort_by(UID).combine_chunks().replace_schema_metadata(None)


def rechunked(data: Dataset) -> Dataset:
    """Return the same rows in chunks of three."""
    table = table_of(data)
    parts = pa.concat_tables([table.slice(start, 3) for start in range(0, len(table), 3)])
    return dataset_of(parts, data.features, like=data, fingerprint="rechunked")


def changed_cells(data: Dataset, column: str) -> dict[Any, Any]:
    """Return the present value of each changed cell by uid; `column` is the one that keeps first values."""
    name = column.removesuffix("_before")
    return {row[UID]: row[name] for row in data if row[column] is not None}


def within(first: Any, weak: Any, strong: Any) -> bool:
    """Say whether a cell's weaker change is part of its stronger one; in lists of one length, token by token.

    Example:
        >>> within([1, 2, 3], [1, 9, 3], [7, 9, 3]), within([1, 2, 3], [1, 9, 3], [7, 2, 3])
        (True, False)
    """
    if isinstance(first, list) and isinstance(strong, list) and len(first) == len(weak) == len(strong):
        return all(b in (a, c) for a, b, c in zip(first, weak, strong, strict=True))
    return bool(weak == strong)
