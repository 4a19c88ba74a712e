"""Followers: the columns that move along with a text or with tokens, found and checked by their types."""

from collections.abc import Sequence

import pyarrow as pa
from datasets import ClassLabel

from xquality.data.arrow import is_list, is_text, is_text_list, is_variable_list
from xquality.data.rows import Rows
from xquality.errors import ColumnError, LabelError, SettingError


def first_values(rows: Rows) -> set[str]:
    """Return the columns that keep the first values of others."""
    return {f"{one}_before" for one in rows.features} & set(rows.features)


def answers_of(rows: Rows, columns: Sequence[str], answers: str, context: str, *, asked: bool) -> str | None:
    """Return the column of answers that moves along with the context; None where none does.

    Args:
        rows: the rows.
        columns: the columns that get errors.
        answers: the column of answers.
        context: the column that answers point into.
        asked: whether somebody named the column of answers, which must then be there.

    Raises:
        ColumnError: where offsets would go stale, or answers are no `{text: [..], answer_start: [..]}`.
    """
    if asked:
        rows.column(answers)
    pointing = [one for one in rows.features if _points(rows.column(one).type) and one not in first_values(rows)]
    if pointing and context not in rows.features:
        raise ColumnError(
            f"{rows.owner} finds offsets in {pointing[0]!r}, but the data have no column {context!r} that they point "
            "into; name it in context=."
        )
    if context not in columns:
        return None
    if [one for one in pointing if one != answers]:
        raise ColumnError(
            f"{rows.owner} moves the offsets of one column, {answers!r}, but {pointing} point into {context!r}; name "
            "one in answers= and remove the others."
        )
    if answers not in rows.features:
        return None
    kind = rows.column(answers).type
    if not _are_answers(kind):
        raise ColumnError(
            f"{rows.owner} moves lists of text and of answer_start in {answers!r}, but it holds {kind}; name "
            "the column of answers in answers=, with no other numbers in it."
        )
    if not is_text(rows.column(context).type):
        raise ColumnError(
            f"{rows.owner} moves the offsets of {answers!r}, which count the characters of a text, but {context!r} "
            f"holds {rows.column(context).type}; remove the answers, or name the text in context=."
        )
    return answers


def tags_of(rows: Rows, columns: Sequence[str], asked: tuple[str, ...] | None) -> dict[str, tuple[str, ...]]:
    """Return the columns of tags that follow the column of tokens, with the names of their classes.

    Args:
        rows: the rows.
        columns: the columns that get errors.
        asked: the columns of tags; None for every list of class labels.

    Raises:
        ColumnError: for tags that are missing, or no lists.
        LabelError: for tags that are neither BIO nor plain classes.
        SettingError: for tags without a column of tokens, or with several.
    """
    tokens = [one for one in columns if is_text_list(rows.column(one).type)]
    inner = {one: getattr(feature, "feature", None) for one, feature in rows.features.items()}
    names = {one: tuple(feature.names) for one, feature in inner.items() if isinstance(feature, ClassLabel)}
    found = tuple(one for one in names if one not in first_values(rows)) if tokens else ()
    chosen = found if asked is None else asked
    for one in chosen:
        kind = rows.column(one).type
        if not is_variable_list(kind):
            raise ColumnError(
                f"{rows.owner} moves lists of tags along, of any length, but {one!r} holds {kind}; cast it to "
                "List(ClassLabel(...)), or name others in tags=."
            )
        strange = [name for name in names.get(one, ()) if name != "O" and name[:2] not in ("B-", "I-")]
        if strange and any(name.startswith("B-") for name in names[one]):
            raise LabelError(
                f"{rows.owner} keeps BIO valid where tokens move, but the tags of {one!r} have {strange[0]!r} too; "
                "rewrite them with B-, I- and O."
            )
    if chosen and len(tokens) != 1:
        raise SettingError(
            f"{rows.owner} moves the tags {list(chosen)} along with one column of tokens, but {list(columns)} hold "
            f"{len(tokens)} of them; call it for each column of tokens alone, and with tags=() where none follow."
        )
    return {one: names.get(one, ()) for one in chosen}


def _points(kind: pa.DataType) -> bool:
    """Say whether an Arrow type holds answers with their offsets, in any shape."""
    if is_list(kind):
        return _points(kind.value_type)
    return bool(pa.types.is_struct(kind)) and {"text", "answer_start"} <= {one.name for one in kind}


def _are_answers(kind: pa.DataType) -> bool:
    """Say whether an Arrow type holds lists of texts and of their offsets, and no other whole numbers."""
    if not pa.types.is_struct(kind):
        return False
    fields = {one.name: one.type for one in kind}
    text, start = (_inside(fields.pop(name, pa.null())) for name in ("text", "answer_start"))
    if text is None or start is None or any(_holds_integers(one) for one in fields.values()):
        return False
    right = (is_text(text), pa.types.is_integer(start))
    unknown = (pa.types.is_null(text), pa.types.is_null(start))  # no row has an answer to tell the type
    return all(one or other for one, other in zip(right, unknown, strict=True))


def _inside(kind: pa.DataType) -> pa.DataType | None:
    """Return what lists of any length hold; None for anything else."""
    return kind.value_type if is_variable_list(kind) else None


def _holds_integers(kind: pa.DataType) -> bool:
    """Say whether there are whole numbers somewhere in an Arrow type."""
    inner = (kind.field(place).type for place in range(kind.num_fields))
    return bool(pa.types.is_integer(kind)) or any(map(_holds_integers, inner))
