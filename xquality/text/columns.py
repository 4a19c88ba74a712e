"""Text columns of rows: which are read if none is named, and their texts and tokens as Python strings."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Features

from xquality.data.arrow import Indices, flatten_lists, is_list, is_text, is_text_list, list_columns, read_strings
from xquality.data.rows import Rows
from xquality.errors import ColumnError


def string_columns(features: Features) -> tuple[str, ...]:
    """Return the names of the string columns, without `uid` and without first values (`*_before`).

    Example:
        >>> from datasets import Value
        >>> string_columns(Features({"uid": Value("string"), "text": Value("string"), "label": Value("int64")}))
        ('text',)
    """
    return tuple(
        name
        for name, feature in features.items()
        if getattr(feature, "dtype", None) in ("string", "large_string")
        and name != "uid"
        and not name.endswith("_before")
    )


def text_columns(rows: Rows, names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the columns to read text from: those named, or all string columns but `uid` and `*_before`.

    Raises:
        ColumnError: if none is named and there is none.
    """
    chosen = tuple(names or ()) or string_columns(rows.features)
    if not chosen:
        raise ColumnError(
            f"{rows.owner} reads text, but the data have no string column among {list_columns(rows.features)}; name "
            "columns."
        )
    return chosen


def filled_text_columns(rows: Rows, names: Sequence[str] | None) -> tuple[str, ...]:
    """Return the columns to read text from, as `text_columns` does, but only those in which some row has text.

    Raises:
        ColumnError: if there is none.
    """
    chosen = tuple(names or ()) or string_columns(rows.features)
    if not chosen:
        raise ColumnError(
            f"{rows.owner} reads text, but the data have no string column among {list_columns(rows.features)}; name "
            "text_columns, or probabilities."
        )
    texts = {name: rows.text(name) for name in chosen}
    # A column without any text (an empty source_id) adds no information; records name the columns that were read.
    filled = tuple(name for name, values in texts.items() if not len(rows) or any(map(str.strip, read_strings(values))))
    if not filled:
        raise ColumnError(f"{rows.owner} reads text, but {list(chosen)} hold none; name other columns.")
    return filled


def token_columns(rows: Rows, names: Sequence[str] | None, counts: Indices) -> dict[str, list[str]]:
    """Return the tokens of columns that hold one string for each tag, the rows one after the other, by column.

    Args:
        rows: the rows.
        names: the columns to read; None for all columns with one string for each tag but `*_before`.
        counts: the number of tags of each row, shape (rows,).

    Raises:
        ColumnError: if there is no such column, or a named one is missing or no such column.
    """
    for name in names or ():
        rows.column(name)
    lists = (name for name in rows.features if is_list(rows.column(name).type) and not name.endswith("_before"))
    tokens = {name: _tokens(rows.column(name), counts) for name in names or lists}
    found = {name: values for name, values in tokens.items() if values is not None}
    if not found or (names and len(found) < len(tokens)):
        wrong = sorted(set(tokens) - set(found)) or list_columns(rows.features)
        raise ColumnError(
            f"{rows.owner} reads tokens, but {wrong} do not hold one string for each tag; name text_columns, or "
            "probabilities."
        )
    return found


def _tokens(values: pa.ChunkedArray, counts: Indices) -> list[str] | None:
    """Return the tokens of a column, all rows one after the other; None if there is not one for each tag."""
    if not is_list(values.type) or not is_text(values.type.value_type):
        return None
    tokens = flatten_lists(values)
    return None if tokens is None or (tokens[1] != counts).any() else read_strings(tokens[0])


def read_text(rows: Rows, name: str) -> pa.ChunkedArray:
    """Return a column as text, a null as the empty string; the tokens of a list are joined by spaces.

    Raises:
        ColumnError: if the column is missing, or holds neither strings nor lists of strings.
    """
    values = rows.column(name)
    if is_text_list(values.type):
        texts = [" ".join(token or "" for token in tokens or ()) for tokens in values.to_pylist()]
        return pa.chunked_array([pa.array(texts, pa.large_string())])
    return pc.fill_null(rows.text(name).cast(pa.large_string()), "")


def join_tokens(tokens: Sequence[str], counts: Indices) -> list[str]:
    """Return one string for each row, equal for two rows only if their tokens are equal.

    Args:
        tokens: all tokens, the rows one after the other.
        counts: the number of tokens of each row, shape (rows,).
    """
    ends = np.cumsum(counts)
    return ["\x1e".join(tokens[end - count : end]) for end, count in zip(ends, counts, strict=True)]
