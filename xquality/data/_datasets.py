"""Adapter for the datasets library: the only module that uses its private names.

`tests/data/test_datasets_adapter.py` fails by name if one of them changes.
"""

import pyarrow as pa
from datasets import Dataset, DatasetInfo, Features, IterableDataset
from datasets.exceptions import DatasetGenerationError
from datasets.utils.info_utils import NonMatchingSplitsSizesError  # no public name

from xquality.data.arrow import read_integers
from xquality.data.spill import take_rows
from xquality.randomness import key

DAMAGE_ERRORS = (DatasetGenerationError, NonMatchingSplitsSizesError)
"""What the library raises if the files of a dataset are damaged."""


def table_of(data: Dataset) -> pa.Table:
    """Return the rows of `data` as an Arrow table; an indices mapping is resolved by taking the rows."""
    table = data._data.table  # noqa: SLF001 (the public .data ignores an indices mapping)
    indices = data._indices  # noqa: SLF001 (no public name)
    return table if indices is None else take_rows(table, read_integers(indices.column(0)))


def dataset_of(
    table: pa.Table, features: Features, *, like: Dataset, fingerprint: str, description: str | None = None
) -> Dataset:
    """Return `table` as a dataset with the info, split and format of another.

    Args:
        table: the rows.
        features: the features of all columns.
        like: the dataset whose info, split and format are kept; a format of all columns covers new ones too.
        fingerprint: the fingerprint of the new dataset; the library would pickle the whole table to compute one.
        description: the new description; None keeps that of `like`.
    """
    info: DatasetInfo = like.info.copy()
    info.features = features
    if description is not None:
        info.description = description
    made = Dataset(table.cast(features.arrow_schema), info=info, split=like.split, fingerprint=fingerprint)
    style = like.format
    if style["type"] is None and set(style["columns"]) == set(like.column_names):
        return made
    new = [name for name in features if name not in like.column_names]
    return made.with_format(style["type"], columns=[*style["columns"], *new], **style["format_kwargs"])


def fingerprint_of(data: Dataset) -> str:
    """Return the fingerprint by which the datasets library caches what is computed from `data`."""
    return str(data._fingerprint)  # noqa: SLF001 (no public name)


def derive_fingerprint(data: Dataset, *parts: str | int) -> str:
    """Return the fingerprint of what is made from `data`, 16 hex digits.

    Args:
        data: the dataset it is made from.
        parts: what else decides the result, such as an operation's name and settings.
    """
    return f"{key(fingerprint_of(data), *parts):016x}"


def with_description(data: Dataset, description: str) -> Dataset:
    """Return the same rows with another description and no format; a memory-mapped file stays mapped by its path."""
    info = data.info.copy()
    info.description = description
    made = data.with_format(None)  # a copy
    made._info = info  # noqa: SLF001 (no public way to set a description)
    return made


def with_features(data: IterableDataset) -> IterableDataset:
    """Return a stream whose features are known, reading its first rows if they are not."""
    return data if data.features is not None else data._resolve_features()  # noqa: SLF001 (no public name)


def stream_format(data: IterableDataset) -> str | None:
    """Return the format type of a stream, such as "numpy"; None for plain Python objects."""
    formatting = data._formatting  # noqa: SLF001 (streams have no public format)
    return None if formatting is None or formatting.format_type is None else str(formatting.format_type)
