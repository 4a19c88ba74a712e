"""Reading what heads need of a dataset: texts, labels, weights and the keys of rows."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel, Dataset
from numpy.typing import NDArray

from xquality.data._datasets import table_of
from xquality.data.arrow import get_column, is_list, is_number, list_lengths, list_values, read_integers
from xquality.data.missing import rows_without_text, warn_without_text
from xquality.data.uids import UID
from xquality.errors import ColumnError, LabelError
from xquality.heads.encoded import Encoded, Tokens, row_keys
from xquality.randomness import Bits, hash_uids


def check_texts(data: Dataset, names: tuple[str, ...], owner: str, *, warn_of_blank: bool = True) -> None:
    """Raise `ColumnError` if a column is missing or is not text, or a row has none; warn of rows with blank ones alone.

    An empty text may be meant, so rows with empty texts in all columns are only warned of.
    """
    for name in names:
        if getattr(data.features.get(name), "dtype", "string") not in ("string", "large_string"):
            raise ColumnError(f"{owner} reads text from {name!r}, but the column is a {data.features[name]}.")
        check_no_null(get_column(table_of(data), name, owner), name, owner)
    if not warn_of_blank:
        return
    missing = rows_without_text([table_of(data).column(name) for name in names])
    warn_without_text(owner, names, missing, "they are read as empty texts, so filter them out if none is meant")


def check_no_null(values: pa.ChunkedArray, name: str, owner: str) -> None:
    """Raise `ColumnError` where a column of texts, or of lists of texts, has a null."""
    if values.null_count:
        row = pc.index(values.is_null(), True).as_py()
        raise ColumnError(
            f"{owner} reads a text on every row of {name!r}, but {values.null_count} are null, the first on row {row}; "
            f"leave them out: data = data.filter(lambda row: row[{name!r}] is not None)."
        )
    if not is_list(values.type):
        return
    lists = list_values(values)
    if lists.null_count:
        token = pc.index(lists.is_null(), True).as_py()
        row = int(np.searchsorted(np.cumsum(list_lengths(values)), token, side="right"))
        raise ColumnError(
            f"{owner} reads texts in the lists of {name!r}, but {lists.null_count} of these are null, the first on row "
            f"{row}; leave such rows out: data = data.filter(lambda row: None not in row[{name!r}])."
        )


def check_weights(data: Dataset) -> None:
    """Raise `ColumnError` for invalid weights: not numbers, missing, negative or infinite."""
    table = table_of(data)
    if "weight" not in table.column_names:
        return
    values = table.column("weight")
    complete = is_number(values.type) and not values.null_count
    weights = np.asarray(values.to_numpy(), np.float64) if complete else np.array([np.nan])
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ColumnError("The column 'weight' must hold finite numbers, 0 or more, on every row; correct it.")


def check_classes(feature: object, names: tuple[str, ...], values: pa.ChunkedArray | pa.Array, what: str) -> None:
    """Raise `LabelError` if labels have other classes than `names`, or one is missing or out of range.

    Args:
        feature: the labels' feature.
        names: the classes that the head gives.
        values: the labels as class numbers.
        what: "label" or "tags", for messages.
    """
    if not isinstance(feature, ClassLabel) or tuple(feature.names) != names:
        found = feature.names if isinstance(feature, ClassLabel) else f"a {type(feature).__name__}"
        classes = f"datasets.ClassLabel(names={list(names)})"
        kind = f"datasets.List({classes})" if what == "tags" else classes
        raise LabelError(
            f"This head gives {list(names)}, but the {what} column has {found}; cast it: "
            f"data = data.cast_column({what!r}, {kind})."
        )
    bounds = pc.min_max(values).as_py()
    if values.null_count or (len(values) and not 0 <= bounds["min"] <= bounds["max"] < len(names)):
        raise LabelError(f"Some rows have no {what} (null or -1) or one out of range; filter them out first.")


def read_weights(table: pa.Table) -> NDArray[np.float64] | None:
    """Return the rows' weights, shape (rows,); None if there are none."""
    return table.column("weight").to_numpy().astype(np.float64) if "weight" in table.column_names else None


def read_keys(table: pa.Table) -> Bits:
    """Return the hashed identity of every row, shape (rows,): of its uid, or its number if there are no uids."""
    if UID in table.column_names:
        return hash_uids(table.column(UID))
    return np.arange(len(table), dtype=np.uint64)


def read_labels(table: pa.Table, name: str) -> list[int]:
    """Return a column of class numbers as a list."""
    labels: list[int] = read_integers(table.column(name)).tolist()
    return labels


def encode_parts(
    table: pa.Table,
    owners: Sequence[int],
    ids: Sequence[Tokens],
    segments: Sequence[Tokens],
    targets: Sequence[Any],
    references: Sequence[Any],
    places: Sequence[Any] = (),
) -> Encoded:
    """Return parts of examples as rows, each with the weight of its example and a key derived from its example's key.

    Args:
        table: the examples.
        owners: the example of each part, ascending, shape (parts,).
        ids: the token ids of each part.
        segments: the segments of each part; empty for models without segments.
        targets: the target of each part.
        references: the reference of each example.
        places: what the head needs to join the parts of an example.
    """
    rows, weights = np.asarray(owners, np.int64), read_weights(table)
    part_weights = None if weights is None else weights[rows]
    return Encoded(
        ids, targets, part_weights, segments, row_keys(read_keys(table), rows), rows, references, places=places
    )
