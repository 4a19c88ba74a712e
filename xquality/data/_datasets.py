"""Adapter for the datasets library: the only module that uses its private names.

`tests/data/test_datasets_adapter.py` fails by name if one of them changes.
"""

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
from datasets import Dataset, DatasetInfo, Features, IterableDataset, Split
from datasets.exceptions import DatasetGenerationError
from datasets.table import embed_table_storage
from datasets.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
from datasets.utils.info_utils import NonMatchingSplitsSizesError  # no public name

from xquality.data.arrow import read_integers, without_views
from xquality.data.spill import block_ranges, take_rows
from xquality.randomness import key

DAMAGE_ERRORS = (DatasetGenerationError, NonMatchingSplitsSizesError)
"""What the library raises if the files of a dataset are damaged."""


@contextmanager
def quiet_datasets() -> Iterator[None]:
    """Turn off the library's progress bars inside the block; those of downloads, which are another library's, stay."""
    was_shown = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if was_shown:
            enable_progress_bars()


def table_of(data: Dataset) -> pa.Table:
    """Return the rows of `data` as an Arrow table; an indices mapping is resolved by taking the rows.

    Columns of string views, for which Arrow lacks many functions, are ordinary strings in it.
    """
    table = without_views(data._data.table)  # noqa: SLF001 (the public .data ignores an indices mapping)
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


_ROWS, _STATE, _INFO = "data-00000-of-00001.arrow", "state.json", "dataset_info.json"

SAVED_SETTINGS = (_STATE, _INFO)
"""The files of a saved dataset that hold everything but its rows."""


def write_dataset(data: Dataset, folder: Path) -> None:
    """Write a dataset to an empty folder, as its `save_to_disk` does, which reads paths as URLs and loses zero rows."""
    table, schema = table_of(data), data.features.arrow_schema
    with (folder / _ROWS).open("wb") as file, pa.ipc.new_stream(file, schema) as writer:
        for start, end in block_ranges(table):
            writer.write_table(embed_table_storage(table.slice(start, end - start).cast(schema)))
    info = io.BytesIO()
    data.info._dump_info(info)  # noqa: SLF001 (its public sibling reads paths as URLs)
    (folder / _INFO).write_bytes(info.getvalue())
    style = data.format
    chosen = list(style["columns"])
    state = {
        "_data_files": [{"filename": _ROWS}],
        "_fingerprint": fingerprint_of(data),
        "_format_columns": None if set(chosen) == set(data.column_names) else chosen,
        "_format_kwargs": style["format_kwargs"],
        "_format_type": style["type"],
        "_output_all_columns": style["output_all_columns"],
        "_split": None if data.split is None else str(data.split),
    }
    (folder / _STATE).write_text(json.dumps(state, indent=2, sort_keys=True), encoding="utf-8")


def read_dataset(folder: Path, fingerprint: str) -> Dataset:
    """Return the dataset that `write_dataset` wrote, memory-mapped; its rows are checked to be readable in full.

    Args:
        folder: the folder.
        fingerprint: the fingerprint of the dataset.
    """
    state: dict[str, Any] = json.loads((folder / _STATE).read_text(encoding="utf-8"))
    info = DatasetInfo.from_dict(json.loads((folder / _INFO).read_text(encoding="utf-8")))
    table = pa.ipc.open_stream(pa.memory_map(str(folder / _ROWS))).read_all()
    table.validate(full=True)
    split = None if state["_split"] is None else Split(state["_split"])
    return Dataset(table, info=info, split=split, fingerprint=fingerprint).with_format(
        state["_format_type"],
        columns=state["_format_columns"],
        output_all_columns=state["_output_all_columns"],
        **state["_format_kwargs"],
    )


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
