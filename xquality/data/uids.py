"""Row identity: the `uid` column that every draw is keyed by, and joining datasets without losing it."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset, Value, concatenate_datasets

from xquality.data._datasets import dataset_of, derive_fingerprint, table_of
from xquality.data.arrow import get_column, replace_column
from xquality.data.provenance import history, with_history
from xquality.errors import DataKindError, SettingError, UidError
from xquality.randomness import Bits, hash_uids
from xquality.records import Record

UID = "uid"


def with_uid(data: Dataset, column: str | None = None) -> Dataset:
    """Return `data` with a `uid` column: the row's number, or a copy of the given id column.

    Stamp data when they are loaded, before rows are chosen or shuffled: then every later draw knows its row.

    Args:
        data: one split.
        column: the name of a column of unique integers or strings; None for the row's number.

    Raises:
        DataKindError: where `data` is not a `Dataset`.
        ColumnError: where the column is not there.
        UidError: where an id is null, repeated or neither an integer nor a string, or `data` have other uids already.

    Example:
        >>> from datasets import Dataset
        >>> with_uid(Dataset.from_dict({"text": ["a", "b"]}))["uid"][:]
        [0, 1]
    """
    if not isinstance(data, Dataset):
        raise DataKindError(f"xq.with_uid stamps a Dataset, but got {type(data).__name__}; stamp one split at a time.")
    table = table_of(data)
    values = pa.chunked_array([pa.array(np.arange(len(table)))]) if column is None else _ids(table, column)
    if column is not None:  # row numbers are unique as they come
        check_uids(values)
    if UID in table.column_names:
        if column == UID or table.column(UID).equals(values):
            return data
        raise UidError("xq.with_uid was called on data that have other uids already; remove the column first.")
    kind = "string" if pa.types.is_large_string(values.type) or pa.types.is_string(values.type) else "int64"
    features = data.features.copy()
    features[UID] = Value(kind)
    fingerprint = derive_fingerprint(data, "with_uid", column or "")
    return dataset_of(replace_column(table, UID, values), features, like=data, fingerprint=fingerprint)


def _ids(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Return the id column, integers widened to 64 bits, and those that do not fit as text."""
    values = get_column(table, name, "xq.with_uid")
    if pa.types.is_uint64(values.type) and (pc.max(values).as_py() or 0) >= 2**63:
        return values.cast(pa.string())
    return values.cast(pa.int64()) if pa.types.is_integer(values.type) else values


def check_uids(uids: pa.ChunkedArray) -> Bits:
    """Return the hashed uids, or raise `UidError` where one is null or repeated."""
    hashed = hash_uids(uids)
    ordered = np.sort(hashed)  # far faster than numpy's unique
    if (ordered[1:] == ordered[:-1]).any():
        counts = pc.value_counts(uids.combine_chunks() if isinstance(uids, pa.ChunkedArray) else uids)
        most = max(counts.to_pylist(), key=lambda count: count["counts"])
        raise UidError(
            f"Every row needs its own uid, but {most['values']!r} stands on {most['counts']} rows; "
            "drop the repeated rows or stamp with another column."
        )
    return hashed


def concatenate(parts: Sequence[Dataset], names: Sequence[str] | None = None) -> Dataset:
    """Return the rows of all parts, one after the other, with uids kept apart.

    Args:
        parts: datasets with equal features; a part without uids is stamped by row number first.
        names: one name for each part; a row's uid becomes the string `name/uid`. None keeps the uids as they are.

    Returns:
        A dataset whose history is one record that holds the histories of the parts.

    Raises:
        SettingError: where there are no parts, or names are too few, too many or repeated.
        UidError: where a uid would stand on two rows.
    """
    if isinstance(parts, Dataset) or not parts or not all(isinstance(one, Dataset) for one in parts):
        raise DataKindError("xq.concatenate joins a list of Datasets; give at least one, each a single split.")
    if names is not None and (len(names) != len(parts) or len(set(names)) != len(names)):
        raise SettingError(
            f"xq.concatenate needs one name for each of {len(parts)} parts, all different, but got {list(names)}."
        )
    stamped = [one if UID in one.column_names else with_uid(one) for one in parts]
    renamed = stamped if names is None else [_prefixed(one, name) for one, name in zip(stamped, names, strict=True)]
    kinds = {str(one.features[UID]) for one in renamed}
    if len(kinds) > 1:
        raise UidError("xq.concatenate found integers and strings among the uids; give names= to tell the parts apart.")
    try:
        joined = concatenate_datasets(renamed)
    except ValueError as fault:
        raise DataKindError(f"xq.concatenate joins datasets with equal features, but these differ: {fault}.") from fault
    check_uids(table_of(joined).column(UID))
    rows = sum(len(one) for one in parts)
    settings = {
        "names": None if names is None else list(names),
        "parts": [[record.to_dict() for record in history(one)] for one in parts],
    }
    record = Record("concatenate", settings, rows_before=rows, rows_after=len(joined), changed=0)
    return with_history(joined, [record])


def _prefixed(data: Dataset, name: str) -> Dataset:
    """Return `data` with uids written as `name/uid`."""
    table = table_of(data)
    uids = pc.binary_join_element_wise(name, table.column(UID).cast(pa.string()), "/")
    features = data.features.copy()
    features[UID] = Value("string")
    fingerprint = derive_fingerprint(data, "concatenate", name)
    return dataset_of(replace_column(table, UID, uids), features, like=data, fingerprint=fingerprint)
