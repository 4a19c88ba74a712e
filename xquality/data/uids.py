"""The `uid` column, which identifies each row and keys every random draw: assigning, checking and concatenating."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset, Features, Value, concatenate_datasets

from xquality import _settings
from xquality.data import arrow
from xquality.data._datasets import dataset_of, derive_fingerprint, table_of
from xquality.data.arrow import get_column, is_text, replace_column
from xquality.data.provenance import history, with_history
from xquality.errors import DataKindError, SettingError, UidError
from xquality.randomness import Bits, hash_uids
from xquality.records import Record

UID = arrow.UID

_NULL = Value("null")


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
        raise UidError(
            "xq.with_uid was called on data that have other uids already; keep these, or remove the column 'uid' first."
        )
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
            f"Every row needs a uid of its own, by which it is drawn, but {most['counts']} rows have "
            f"{most['values']!r}; remove rows that were selected or joined twice, or the column 'uid': then "
            "rows are numbered."
        )
    return hashed


def concatenate(parts: Sequence[Dataset], names: Sequence[str] | None = None) -> Dataset:
    """Return the rows of all parts, one after the other, with unique uids.

    Args:
        parts: datasets with equal features; a part without uids gets row numbers first. Only columns that transforms
            add and that are null on other rows (`<column>_before`, `<column>_given`, `label_issue`) may be missing in a
            part; its rows have nulls there.
        names: one name for each part; a row's uid becomes the string `name/uid`. None keeps the uids as they are.

    Returns:
        A dataset whose history is one record that holds the histories of the parts.

    Raises:
        DataKindError: if there are no parts, a part is not a `Dataset`, or their features differ.
        SettingError: if the names are too few, too many or repeated, or no strings.
        UidError: if two rows would have the same uid.

    Example:
        >>> from datasets import Dataset
        >>> first, second = Dataset.from_dict({"text": ["a"]}), Dataset.from_dict({"text": ["b"]})
        >>> concatenate([first, second], names=["en", "es"])["uid"][:]
        ['en/0', 'es/0']
    """
    is_list = isinstance(parts, Sequence) and not isinstance(parts, Dataset)
    if not is_list or not parts or not all(isinstance(part, Dataset) for part in parts):
        raise DataKindError("xq.concatenate joins a list of Datasets; give at least one, each a single split.")
    if names is not None:
        names = _settings.texts("xq.concatenate", "names", names)
        if len(names) != len(parts) or len(set(names)) != len(names):
            raise SettingError(
                f"xq.concatenate needs one name for each of {len(parts)} parts, all different, but got {list(names)}."
            )
    known = [part if UID in part.column_names else with_uid(part) for part in parts]
    for part in known:
        check_uids(table_of(part).column(UID))
    renamed = known if names is None else [_prefix_uids(part, name) for part, name in zip(known, names, strict=True)]
    if len({str(part.features[UID]) for part in renamed}) > 1:
        raise UidError("xq.concatenate found integers and strings among the uids; with names= all become strings.")
    features = _common_features([part.features for part in renamed])
    joined = concatenate_datasets([_fill_columns(part, features) for part in renamed])
    try:
        check_uids(table_of(joined).column(UID))
    except UidError as error:
        raise UidError(
            "xq.concatenate found the same uid in several parts (rows without uids are numbered from 0 in each); give "
            f"each part a name, such as names={[f'part{number}' for number in range(min(len(parts), 3))]}."
        ) from error
    rows = sum(map(len, parts))
    settings = {
        "names": None if names is None else list(names),
        "parts": [[record.to_dict() for record in history(part)] for part in parts],
    }
    record = Record("concatenate", settings, rows_before=rows, rows_after=len(joined), changed=0)
    return with_history(joined, [record])


def _common_features(parts: Sequence[Features]) -> Features:
    """Return the features of all parts together, columns in the order of their first part.

    Raises:
        DataKindError: where a column differs between parts, or is missing in one where nulls would lose something.
    """
    found = Features()
    for number, features in enumerate(parts):
        for name, feature in features.items():
            if name not in found or found[name] == _NULL:
                found[name] = feature
            elif feature not in (found[name], _NULL):
                raise DataKindError(
                    f"xq.concatenate joins datasets with equal features, but {name!r} is {found[name]} in the parts "
                    f"before part {number}, and {feature} there (counted from 0); cast it to one of them."
                )
    for number, features in enumerate(parts):
        missing = [name for name in found if name not in features and not _is_null_elsewhere(name, features)]
        if missing:
            raise DataKindError(
                f"xq.concatenate joins datasets with equal features, but part {number} (counted from 0) lacks "
                f"{missing}, and no value is made up; add these columns there, or remove them from the others."
            )
    return found


def _is_null_elsewhere(name: str, features: Features) -> bool:
    """Return whether a column was added by a transform, and null says that it did nothing to a row."""
    base, _, ending = name.rpartition("_")
    return (
        name == "label_issue"
        or name.removesuffix("_label_issue") in {*features} - {name}
        or (ending in ("before", "given") and base in features)
    )


def _fill_columns(data: Dataset, features: Features) -> Dataset:
    """Return a dataset with the given features, with nulls in columns that it lacks."""
    if list(data.features) == list(features) and data.features == features:
        return data
    table, schema = table_of(data), features.arrow_schema
    for name in features:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(len(table), schema.field(name).type))
    fingerprint = derive_fingerprint(data, "concatenate", *features)
    return dataset_of(table.select(list(features)), features, like=data, fingerprint=fingerprint)


def _prefix_uids(data: Dataset, name: str) -> Dataset:
    """Return `data` with each uid replaced by the string `name/uid`."""
    table = table_of(data)
    uids = pc.binary_join_element_wise(name, table.column(UID).cast(pa.string()), "/")
    features = data.features.copy()
    features[UID] = Value("string")
    fingerprint = derive_fingerprint(data, "concatenate", name)
    return dataset_of(replace_column(table, UID, uids), features, like=data, fingerprint=fingerprint)
