"""Probabilities from the text of the rows themselves, for rows that come with none."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from xquality.data.arrow import Indices, Matrix, flatten_lists, is_list, is_text, read_strings
from xquality.data.rows import Rows
from xquality.errors import ColumnError, LabelError
from xquality.label_issues.classes import Classes, by_uid
from xquality.label_issues.tags import Tagging, Tags
from xquality.label_issues.tfidf import out_of_sample
from xquality.label_issues.token_model import out_of_sample_tags
from xquality.randomness import Bits, Draw, hash_uids
from xquality.text.columns import string_columns


def classes_from_text(
    rows: Rows, column: str, asked: Sequence[str] | None, draw: Draw, folds: int, owner: str
) -> tuple[Classes, tuple[str, ...]]:
    """Return the rows with probabilities from TF-IDF features, and the columns that were read.

    Raises:
        ColumnError: where there is no text.
        LabelError: for unlabelled rows, or fewer texts or classes than folds need.
    """
    labels, classes = rows.labels(column), len(rows.class_names(column))
    names = text_columns_of(rows, asked, owner)
    columns = [read_strings(rows.text(name)) for name in names]
    probabilities = np.empty((0, classes))
    if len(rows):
        groups = groups_of(columns)
        check_enough(groups, labels, folds, owner)
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
    read = token_columns_of(rows, tagging, asked, owner)
    probabilities = np.empty((0, len(tagging.names)))
    if len(tagging.labels):
        groups = groups_of([sentences_of(tokens, tagging.counts) for tokens in read.values()])
        check_enough(groups, tagging.labels, folds, owner)
        probabilities = out_of_sample_tags(
            list(read.values()), tagging.labels, tagging.counts, len(tagging.names), groups, draw, folds
        )
    judged = np.ones(len(tagging.labels), np.bool_)
    return Tags(tagging, Matrix((probabilities,)), judged, by_uid(draw.uids)), tuple(read)


def text_columns_of(rows: Rows, asked: Sequence[str] | None, owner: str) -> tuple[str, ...]:
    """Return the columns to read text from: those that were named, or every string column; only those with any text.

    Raises:
        ColumnError: where there is none.
    """
    names = tuple(asked or ()) or string_columns(rows.features)
    if not names:
        raise ColumnError(
            f"{owner} reads text, but the data have no string column among {list(rows.features)}; name probabilities."
        )
    texts = {name: rows.text(name) for name in names}
    # A column without any text (an empty source_id) says nothing; the record names those that were read.
    told = tuple(name for name, values in texts.items() if not len(rows) or any(map(str.strip, read_strings(values))))
    if not told:
        raise ColumnError(f"{owner} reads text, but {list(names)} hold none; name other columns.")
    return told


def token_columns_of(rows: Rows, tagging: Tagging, asked: Sequence[str] | None, owner: str) -> dict[str, list[str]]:
    """Return the columns with one string for each tag: those that were named, or all; what they hold, row after row.

    Raises:
        ColumnError: where there is none, or one that was named is none.
    """
    for name in asked or ():
        rows.column(name)
    lists = (one for one in rows.features if is_list(rows.column(one).type) and not one.endswith("_before"))
    columns = {name: _tokens(rows, name, tagging) for name in asked or lists}
    read = {name: tokens for name, tokens in columns.items() if tokens is not None}
    if not read or (asked and len(read) < len(columns)):
        raise ColumnError(
            f"{owner} reads tokens, but {sorted(set(columns) - set(read)) or list(rows.features)} hold not one string "
            "for each tag; name text_columns, or probabilities."
        )
    return read


def _tokens(rows: Rows, name: str, tagging: Tagging) -> list[str] | None:
    """Return the tokens of a column, all rows one after the other; None where there is not one for each tag."""
    values = rows.column(name)
    text = is_list(values.type) and is_text(values.type.value_type)
    read = flatten_lists(values) if text else None
    return None if read is None or (read[1] != tagging.counts).any() else read_strings(read[0])


def sentences_of(tokens: Sequence[str], counts: Indices) -> list[str]:
    """Return one string for each row's tokens, which tells rows with other tokens apart."""
    ends = np.cumsum(counts)
    return ["\x1e".join(tokens[end - count : end]) for end, count in zip(ends, counts, strict=True)]


def groups_of(columns: Sequence[Sequence[str]]) -> Bits:
    """Return a hash of each row's text, shape (rows,)."""
    return hash_uids(pa.array(["\x1f".join(one) for one in zip(*columns, strict=True)], pa.large_string()))


def check_enough(groups: Bits, labels: Indices, folds: int, owner: str) -> None:
    """Raise `LabelError` where there is too little to train on."""
    texts, classes = len(np.unique(groups)), len(np.unique(labels))
    if texts < folds or classes < 2:
        raise LabelError(
            f"{owner} needs {folds} different texts and 2 classes or more, but the data have {texts} and {classes}; "
            "give more rows."
        )
