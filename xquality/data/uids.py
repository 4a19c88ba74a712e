"""The `uid` column, which identifies each row and keys every random draw: assigning, checking and concatenating."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset, Value, concatenate_datasets

from xquality.data._datasets import dataset_of, derive_fingerprint, table_of
from xquality.data.arrow import get_column, is_text, replace_column
from xquality.data.provenance import history, with_history
from xquality.errors import DataKindError, SettingError, UidError
from xquality.randomness import Bits, hash_uids
from xquality.records import Record

UID = "uid"


def with_uid(data: Dataset, column: str | None = None) -> Dataset:
    """Return `data` with a `uid` column: each row's number, or a copy of the given id column.

    Assign uids when data are loaded, before rows are selected or shuffled: all later draws depend on them.

    Args:
        data: one split.
        column: the name of a column of unique integers or strings; None for the row's number.

    Raises:
        DataKindError: if `data` is not a `Dataset`.
        ColumnError: if the column does not exist.
        UidError: if an id is null, repeated or neither an integer nor a string, or `data` have other uids already.

    Example:
        >>> from datasets import Dataset
        >>> with_uid(Dataset.from_dict({"text": ["a", "b"]}))["uid"][:]
        [0, 1]
    """
    if not isinstance(data, Dataset):
        raise DataKindError(f"xq.with_uid reads a Dataset, but got {type(data).__name__}; give one split at a time.")
    table = table_of(data)
    values = pa.chunked_array([pa.array(np.arange(len(table)))]) if column is None else _read_ids(table, column)
    if column is not None:  # row numbers are unique
        check_uids(values)
    if UID in table.column_names:
        if column == UID or table.column(UID).equals(values):
            return data
        raise UidError("xq.with_uid was called on data that have other uids already; remove the column first.")
    kind = "string" if is_text(values.type) else "int64"
    features = data.features.copy()
    features[UID] = Value(kind)
    fingerprint = derive_fingerprint(data, "with_uid", column or "")
    return dataset_of(replace_column(table, UID, values), features, like=data, fingerprint=fingerprint)


def _read_ids(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Return an id column, integers as 64-bit ones, or as strings if they do not fit."""
    values = get_column(table, name, "xq.with_uid")
    if pa.types.is_uint64(values.type) and (pc.max(values).as_py() or 0) >= 2**63:
        return values.cast(pa.string())
    return values.cast(pa.int64()) if pa.types.is_integer(values.type) else values


def check_uids(uids: pa.ChunkedArray) -> Bits:
    """Return the hashed uids, shape (rows,).

    Raises:
        UidError: if a uid is null, repeated or neither an integer nor a string.
    """
    hashed = hash_uids(uids)
    ordered = np.sort(hashed)  # far faster than numpy's unique
    if (ordered[1:] == ordered[:-1]).any():
        counts = pc.value_counts(uids.combine_chunks() if isinstance(uids, pa.ChunkedArray) else uids)
        most = max(counts.to_pylist(), key=lambda count: count["counts"])
        raise UidError(
            f"Every row needs its own uid, but {most['counts']} rows have {most['values']!r}; remove repeated rows, or "
            "assign uids from another column."
        )
    return hashed


def concatenate(parts: Sequence[Dataset], names: Sequence[str] | None = None) -> Dataset:
    """Return the rows of all parts, one after the other, with unique uids.

    Args:
        parts: datasets with equal features; a part without uids gets row numbers first.
        names: one name for each part; a row's uid becomes the string `name/uid`. None keeps the uids as they are.

    Returns:
        A dataset whose history is one record that holds the histories of the parts.

    Raises:
        DataKindError: if there are no parts, a part is not a `Dataset`, or their features differ.
        SettingError: if the names are too few, too many or repeated.
        UidError: if two rows would have the same uid.

    Example:
        >>> from datasets import Dataset
        >>> first, second = Dataset.from_dict({"text": ["a"]}), Dataset.from_dict({"text": ["b"]})
        >>> concatenate([first, second], names=["en", "es"])["uid"][:]
        ['en/0', 'es/0']
    """
    if isinstance(parts, Dataset) or not parts or not all(isinstance(part, Dataset) for part in parts):
        raise DataKindError("xq.concatenate joins a list of Datasets; give at least one, each a single split.")
    if names is not None and (len(names) != len(parts) or len(set(names)) != len(names)):
        raise SettingError(
            f"xq.concatenate needs one name for each of {len(parts)} parts, all different, but got {list(names)}."
        )
    known = [part if UID in part.column_names else with_uid(part) for part in parts]
    renamed = known if names is None else [_prefix_uids(part, name) for part, name in zip(known, names, strict=True)]
    if len({str(part.features[UID]) for part in renamed}) > 1:
        raise UidError("xq.concatenate found integers and strings among the uids; with names= all become strings.")
    try:
        joined = concatenate_datasets(renamed)
    except ValueError as error:
        raise DataKindError(f"xq.concatenate joins datasets with equal features, but these differ: {error}.") from error
    check_uids(table_of(joined).column(UID))
    rows = sum(map(len, parts))
    settings = {
        "names": None if names is None else list(names),
        "parts": [[record.to_dict() for record in history(part)] for part in parts],
    }
    record = Record("concatenate", settings, rows_before=rows, rows_after=len(joined), changed=0)
    return with_history(joined, [record])


def _prefix_uids(data: Dataset, name: str) -> Dataset:
    """Return `data` with each uid replaced by the string `name/uid`."""
    table = table_of(data)
    uids = pc.binary_join_element_wise(name, table.column(UID).cast(pa.string()), "/")
    features = data.features.copy()
    features[UID] = Value("string")
    fingerprint = derive_fingerprint(data, "concatenate", name)
    return dataset_of(replace_column(table, UID, uids), features, like=data, fingerprint=fingerprint)
