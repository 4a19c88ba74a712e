"""Datasets as Arrow tables and back, without a copy where none is needed and never with an indices mapping."""

import numpy as np
import pyarrow as pa
from datasets import Dataset, DatasetInfo, Features
from numpy.typing import NDArray

from xquality.data.spill import taken
from xquality.errors import ColumnError


def table_of(data: Dataset) -> pa.Table:
    """Return the rows of `data` as an Arrow table; a selection is taken, so that no indices mapping remains."""
    table = data._data.table  # noqa: SLF001 (the public .data ignores an indices mapping)
    indices = data._indices  # noqa: SLF001
    return table if indices is None else taken(table, integers(indices.column(0)))


def dataset_of(
    table: pa.Table, features: Features, *, like: Dataset, fingerprint: str, description: str | None = None
) -> Dataset:
    """Return `table` as a dataset with the info, split and format of `like`."""
    info: DatasetInfo = like.info.copy()
    info.features = features
    if description is not None:
        info.description = description
    # Given a fingerprint, the library does not pickle the whole table to find one.
    made = Dataset(table.cast(features.arrow_schema), info=info, split=like.split, fingerprint=fingerprint)
    style = like.format
    if style["type"] is None and set(style["columns"]) == set(like.column_names):
        return made
    new = [one for one in features if one not in like.column_names]
    return made.with_format(style["type"], columns=[*style["columns"], *new], **style["format_kwargs"])


def column(table: pa.Table, name: str, owner: str) -> pa.ChunkedArray:
    """Return one column, or raise `ColumnError` naming the columns there are."""
    if name not in table.column_names:
        raise ColumnError(
            f"{owner} reads the column {name!r}, but the data have {table.column_names}; name one of these."
        )
    return table.column(name)


def replace(table: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Return `table` with the column's values replaced, or the column added last."""
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, values)
    return table.append_column(name, values)


def strings(values: pa.ChunkedArray) -> list[str]:
    """Return a string column as a list; a null reads as the empty string."""
    return [one or "" for one in values.to_pylist()]


def integers(values: pa.ChunkedArray) -> NDArray[np.int64]:
    """Return an integer column without nulls as an array, shape (rows,)."""
    return np.asarray(values.cast(pa.int64()).to_numpy(), np.int64)
