"""Lists of JSON objects with equal keys written as columns, which takes a quarter of the space; nothing is lost.

The scores of a cell and the points of its history repeat their keys and most of their values. `to_columns` writes each
key once; of a column with equal values one, of a column with few values each value once and a sign for each row.
"""

import json
import string
from collections.abc import Sequence
from typing import Any

_SIGNS = string.digits + string.ascii_letters  # the numbers of up to 62 different values
_NUMBER = {sign: number for number, sign in enumerate(_SIGNS)}


def to_columns(rows: Sequence[dict[str, Any]]) -> Any:
    """Return objects as columns, or as the list that they are where their keys differ or there are none.

    Args:
        rows: plain JSON objects.

    Example:
        >>> to_columns([{"metric": "f1", "step": 1, "value": 0.5}, {"metric": "f1", "step": 3, "value": 0.7}])
        {'rows': 2, 'columns': {'metric': {'all': 'f1'}, 'step': [1, 3], 'value': [0.5, 0.7]}}
    """
    if not rows or not rows[0] or any(list(row) != list(rows[0]) for row in rows):
        return list(rows)
    return {"rows": len(rows), "columns": {key: _to_column([row[key] for row in rows]) for key in rows[0]}}


def _to_column(values: list[Any]) -> Any:
    """Return the values of one key in the shortest form: one value, an object of columns, values with signs, a list."""
    first = values[0]
    if first and all(isinstance(value, dict) and list(value) == list(first) for value in values):
        return {"keys": {key: _to_column([value[key] for value in values]) for key in first}}
    texts = [json.dumps(value) for value in values]  # 1, 1.0 and true are three values
    different = dict(zip(texts, values, strict=True))
    if len(different) == 1:
        return {"all": first}
    shared = sum(map(len, different)) + len(different) + len(texts)
    if len(different) <= len(_SIGNS) and shared < sum(map(len, texts)):
        sign = dict(zip(different, _SIGNS, strict=False))
        return {"values": list(different.values()), "rows": "".join(sign[text] for text in texts)}
    return values


def from_columns(written: Any) -> list[Any]:
    """Return the objects that `to_columns` wrote.

    Raises:
        ValueError, KeyError, TypeError, IndexError: for anything else.

    Example:
        >>> from_columns(to_columns([{"a": 1, "b": {"c": 2}}, {"a": 1, "b": {"c": 3}}]))
        [{'a': 1, 'b': {'c': 2}}, {'a': 1, 'b': {'c': 3}}]
    """
    if isinstance(written, list):
        return written
    return _join_columns(written["columns"], written["rows"])


def _join_columns(columns: dict[str, Any], rows: int) -> list[dict[str, Any]]:
    """Return objects from their columns."""
    values = [_from_column(column, rows) for column in columns.values()]
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def _from_column(column: Any, rows: int) -> list[Any]:
    """Return the value of each row."""
    if isinstance(column, list):
        values = column
    elif "all" in column:
        values = [column["all"]] * rows
    elif "keys" in column:
        values = _join_columns(column["keys"], rows)
    else:
        values = [column["values"][_NUMBER[sign]] for sign in column["rows"]]
    if len(values) != rows:
        raise ValueError(f"a column has {len(values)} values for {rows} rows")
    return values
