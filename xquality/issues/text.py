"""Probabilities from the text of the rows themselves, for rows that come with none.

May import: arrow, errors, issues.classes, issues.tags, lists, randomness, rows, tfidf, token_model |
numpy, pyarrow.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from xquality.arrow import strings
from xquality.errors import ColumnError, LabelError
from xquality.issues.classes import Classes, by_uid
from xquality.issues.tags import Tagging, Tags
from xquality.lists import Matrix, flat, is_list
from xquality.randomness import Bits, Draw, hash_uids
from xquality.rows import Rows
from xquality.tfidf import out_of_sample
from xquality.token_model import out_of_sample_tags


def classes_from_text(
    rows: Rows, column: str, asked: Sequence[str] | None, draw: Draw, folds: int, owner: str
) -> tuple[Classes, tuple[str, ...]]:
    """Return the rows with probabilities from TF-IDF features, and the columns that were read.

    Raises:
        ColumnError: where there is no text.
        LabelError: for unlabelled rows, or fewer texts or classes than folds need.
    """
    labels, classes = rows.labels(column), len(rows.class_names(column))
    names = _told(_named(rows, asked, owner), rows, owner)
    columns = [strings(rows.text(name)) for name in names]
    probabilities = np.empty((0, classes))
    if len(rows):
        groups = _groups(columns)
        _check(len(np.unique(groups)), len(np.unique(labels)), folds, owner)
        probabilities = out_of_sample(columns, labels, classes, groups, draw, folds)
    return Classes(labels, Matrix((probabilities,)), by_uid(draw.uids)), names


def tags_from_tokens(
    rows: Rows, tagging: Tagging, asked: Sequence[str] | None, draw: Draw, folds: int, owner: str
) -> tuple[Tags, tuple[str, ...]]:
    """Return the rows with probabilities from what their tokens look like, and the columns that were read.

    Raises:
        ColumnError: where no column holds one string for each tag.
        LabelError: for fewer texts or tags than folds need.
    """
    columns = {name: _tokens(rows, name, tagging) for name in _token_columns(rows, asked)}
    wrong = [name for name, tokens in columns.items() if tokens is None]
    read = {name: tokens for name, tokens in columns.items() if tokens is not None}
    if not read or (asked and wrong):
        raise ColumnError(
            f"{owner} reads tokens, but {wrong or list(rows.features)} hold not one string for each tag; name "
            "text_columns, or probabilities."
        )
    probabilities = np.empty((0, len(tagging.names)))
    if len(tagging.labels):
        ends = np.cumsum(tagging.counts)
        sentences = [
            ["\x1e".join(tokens[end - count : end]) for end, count in zip(ends, tagging.counts, strict=True)]
            for tokens in read.values()
        ]
        groups = _groups(sentences)
        _check(len(np.unique(groups)), len(np.unique(tagging.labels)), folds, owner)
        probabilities = out_of_sample_tags(
            list(read.values()), tagging.labels, tagging.counts, len(tagging.names), groups, draw, folds
        )
    judged = np.ones(len(tagging.labels), np.bool_)
    return Tags(tagging, Matrix((probabilities,)), judged, by_uid(draw.uids)), tuple(read)


def _named(rows: Rows, asked: Sequence[str] | None, owner: str) -> tuple[str, ...]:
    """Return the columns to read text from: those that were named, or every string column."""
    names = tuple(asked or ()) or tuple(
        name
        for name, feature in rows.features.items()
        if getattr(feature, "dtype", None) in ("string", "large_string")
        and name != "uid"
        and not name.endswith("_before")
    )
    if not names:
        raise ColumnError(
            f"{owner} reads text, but the data have no string column among {list(rows.features)}; name probabilities."
        )
    return names


def _told(names: tuple[str, ...], rows: Rows, owner: str) -> tuple[str, ...]:
    """Return those columns that hold any text: an empty source_id says nothing."""
    texts = {name: rows.text(name) for name in names}
    told = tuple(name for name, values in texts.items() if not len(rows) or any(map(str.strip, strings(values))))
    if not told:
        raise ColumnError(f"{owner} reads text, but {list(names)} hold none; name other columns.")
    return told


def _token_columns(rows: Rows, asked: Sequence[str] | None) -> tuple[str, ...]:
    """Return the columns to read tokens from: those that were named, or every column of lists of strings."""
    for name in asked or ():
        rows.column(name)
    lists = (one for one in rows.features if is_list(rows.table.schema.field(one).type))
    return tuple(asked or ()) or tuple(
        one for one in lists if _holds_text(rows.table.schema.field(one).type) and not one.endswith("_before")
    )


def _tokens(rows: Rows, name: str, tagging: Tagging) -> list[str] | None:
    """Return the tokens of a column, all rows one after the other; None where there is not one for each tag."""
    values = rows.column(name)
    read = flat(values) if is_list(values.type) and _holds_text(values.type) else None
    if read is None or (read[1] != tagging.counts).any():
        return None
    return strings(read[0])


def _holds_text(kind: pa.DataType) -> bool:
    """Say whether an Arrow type is a list of strings."""
    return bool(pa.types.is_string(kind.value_type) or pa.types.is_large_string(kind.value_type))


def _groups(columns: Sequence[Sequence[str]]) -> Bits:
    """Return a hash of each row's text, shape (rows,)."""
    return hash_uids(pa.array(["\x1f".join(one) for one in zip(*columns, strict=True)]))


def _check(texts: int, classes: int, folds: int, owner: str) -> None:
    """Raise where there is too little to train on."""
    if texts < folds or classes < 2:
        raise LabelError(
            f"{owner} needs {folds} different texts and 2 classes or more, but the data have {texts} and {classes}; "
            "give more rows."
        )
