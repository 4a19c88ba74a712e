"""Followers: the columns that must change along with a text or with tokens, answers with offsets and lists of tags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel

from xquality.data.arrow import (
    Indices,
    Mask,
    is_list,
    is_text,
    is_text_list,
    is_variable_list,
    list_lengths,
    make_lists_like,
)
from xquality.data.rows import Rows
from xquality.errors import ColumnError, LabelError, SettingError
from xquality.heads.encoded import IGNORED
from xquality.text.tag_schemes import TagScheme, sentence_starts
from xquality.transforms.translation_noise.edits import EditPlan, PieceTable
from xquality.transforms.translation_noise.segmentation import (
    Units,
    character_starts,
    slice_strings,
    string_bytes,
)

DEFAULT_ANSWERS = "answers"  # follows where the data have it; a column of any other name must be there


@final
@dataclass(frozen=True)
class Followers:
    """The columns that follow the columns with errors.

    Attributes:
        answers: the column of answers that follows; None where there is none.
        tags: the columns of tags that follow, with the names of their classes, or no names for other lists.
    """

    answers: str | None
    tags: Mapping[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all these columns."""
        return (*self.tags, *((self.answers,) if self.answers else ()))


def first_value_columns(rows: Rows) -> set[str]:
    """Return the names of the columns that keep the first values of others."""
    return {f"{name}_before" for name in rows.features} & set(rows.features)


def find_followers(
    rows: Rows, columns: Sequence[str], *, context: str, answers: str, tags: tuple[str, ...] | None
) -> Followers:
    """Return the columns that follow `columns`, found by their types.

    Args:
        rows: the rows.
        columns: the columns with errors.
        context: the column that answers point into.
        answers: the column of answers.
        tags: the columns of tags; None for every list of class labels.

    Raises:
        ColumnError: where offsets would go stale, or where a column of answers or of tags cannot follow.
        LabelError: for tags of no known scheme, or one that lacks tags that a move may need.
        SettingError: for tags without one column of tokens that they follow.
    """
    return Followers(_find_answers(rows, columns, answers, context), _find_tags(rows, columns, tags))


def _find_answers(rows: Rows, columns: Sequence[str], answers: str, context: str) -> str | None:
    """Return the column of answers that follows the context; None where there is none."""
    if answers != DEFAULT_ANSWERS:
        rows.column(answers)
    first_values = first_value_columns(rows)
    pointing = [name for name in rows.features if _has_offsets(rows.column(name).type) and name not in first_values]
    if pointing and context not in rows.features:
        raise ColumnError(
            f"{rows.owner} finds offsets in {pointing[0]!r}, but the data have no column {context!r} that they point "
            "into; name it in context=."
        )
    if context not in columns:
        return None
    if any(name != answers for name in pointing):
        raise ColumnError(
            f"{rows.owner} moves the offsets of one column, {answers!r}, but {pointing} point into {context!r}; name "
            "one in answers= and remove the others."
        )
    if answers not in rows.features:
        return None
    kind = rows.column(answers).type
    if not _is_answers(kind):
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


def _has_offsets(kind: pa.DataType) -> bool:
    """Return whether an Arrow type holds answers with their offsets, in any shape."""
    if is_list(kind):
        return _has_offsets(kind.value_type)
    return bool(pa.types.is_struct(kind)) and {"text", "answer_start"} <= {field.name for field in kind}


def _is_answers(kind: pa.DataType) -> bool:
    """Return whether an Arrow type holds lists of texts and of their offsets, and no other integers."""
    if not pa.types.is_struct(kind):
        return False
    fields = {field.name: field.type for field in kind}
    text, start = (_list_values(fields.pop(name, pa.null())) for name in ("text", "answer_start"))
    if text is None or start is None or any(_has_integers(other) for other in fields.values()):
        return False
    # Where no row has an answer, the lists hold nulls of no type.
    return (is_text(text) or bool(pa.types.is_null(text))) and bool(
        pa.types.is_integer(start) or pa.types.is_null(start)
    )


def _list_values(kind: pa.DataType) -> pa.DataType | None:
    """Return the type of the values of lists of any length; None for anything else."""
    return kind.value_type if is_variable_list(kind) else None


def _has_integers(kind: pa.DataType) -> bool:
    """Return whether an Arrow type holds integers at any depth."""
    inner = (kind.field(number).type for number in range(kind.num_fields))
    return bool(pa.types.is_integer(kind)) or any(map(_has_integers, inner))


def _find_tags(rows: Rows, columns: Sequence[str], tags: tuple[str, ...] | None) -> dict[str, tuple[str, ...]]:
    """Return the columns of tags that follow the column of tokens, with the names of their classes."""
    tokens = [name for name in columns if is_text_list(rows.column(name).type)]
    values = {name: getattr(feature, "feature", None) for name, feature in rows.features.items()}
    classes = {name: tuple(feature.names) for name, feature in values.items() if isinstance(feature, ClassLabel)}
    if tags is None:
        first_values = first_value_columns(rows)
        tags = tuple(name for name in classes if name not in first_values) if tokens else ()
    for name in tags:
        _check_tag_column(rows, name, classes.get(name, ()))
    if tags and len(tokens) != 1:
        raise SettingError(
            f"{rows.owner} moves the tags {list(tags)} along with one column of tokens, but {list(columns)} hold "
            f"{len(tokens)} of them; call it for each column of tokens alone, and with tags=() where none follow."
        )
    return {name: classes.get(name, ()) for name in tags}


def _check_tag_column(rows: Rows, name: str, classes: Sequence[str]) -> None:
    """Raise where a column holds no lists, or classes whose scheme cannot be kept."""
    kind = rows.column(name).type
    if _list_values(kind) is None:
        raise ColumnError(
            f"{rows.owner} moves lists of tags along, of any length, but {name!r} holds {kind}; cast it to "
            "List(ClassLabel(...)), or name others in tags=."
        )
    scheme = TagScheme.of(classes)
    missing = [] if scheme.scheme in ("BIO", "IO", "plain") else scheme.missing_tags
    if missing:
        raise LabelError(
            f"{rows.owner} keeps {scheme.scheme} valid where tokens move, which may need {missing[0]!r}, but {name!r} "
            "has no such tag; add it, or rewrite the tags with B-, I- and O."
        )


@final
@dataclass(frozen=True)
class Answers:
    """The answers of some rows, located in the bytes of their texts; answers without a text are left out.

    Attributes:
        column: structs of `text` and `answer_start`, shape (rows,); offsets count code points.
        row: the row of each answer, shape (answers,).
        place: the place of its offset among all offsets, shape (answers,).
        start: its first byte, counted from the start of the first text, shape (answers,).
        end: the byte after its last, shape (answers,).
    """

    column: pa.StructArray
    row: Indices
    place: Indices
    start: Indices
    end: Indices

    @classmethod
    def locate(cls, owner: str, column: pa.StructArray, units: Units, uids: pa.Array) -> Self:
        """Return the answers with their places in the texts.

        Args:
            owner: the name of the transform, for messages.
            column: structs of `text` and `answer_start`, shape (rows,).
            units: the units of the texts.
            uids: the uids of the rows, for messages.

        Raises:
            LabelError: for an answer without an offset, or one that is not in the text at its offset.
        """
        texts, starts = pc.struct_field(column, "text"), pc.struct_field(column, "answer_start")
        row = _check_answer_pairs(owner, texts, starts, uids)
        text = texts.flatten().cast(pa.large_string())
        offset = np.asarray(starts.flatten().cast(pa.int64()).to_numpy(), np.int64)
        size = np.asarray(pc.binary_length(text).to_numpy(), np.int64)
        place = np.flatnonzero(size > 0)
        row, size, offset, text = row[place], size[place], offset[place], text.take(pa.array(place))
        heads = character_starts(units.data)
        first = np.searchsorted(heads, units.bounds)
        inside = (offset >= 0) & (offset + pc.utf8_length(text).to_numpy() <= np.diff(first)[row])
        start = np.append(heads, len(units.data))[first[row] + np.where(inside, offset, 0)]
        end = np.minimum(start + size, units.bounds[row + 1])
        right = inside & pc.equal(slice_strings(units.data, start, end), text).to_numpy(zero_copy_only=False)
        if not right.all():
            wrong = int(np.argmin(right))
            raise LabelError(
                f"{owner} needs each answer at its offset, but the answer {text[wrong].as_py()!r} is not at "
                f"{offset[wrong]} of its context in the row with the uid {uids[int(row[wrong])].as_py()!r}; correct or "
                "drop such rows."
            )
        return cls(column, row, place, start, end)

    def move(self, pieces: PieceTable, texts: pa.Array) -> tuple[pa.StructArray, Mask, Mask]:
        """Return the answers with their offsets in the new texts.

        Args:
            pieces: the pieces of the new texts.
            texts: the new texts, shape (rows,).

        Returns:
            The answers; which rows have another offset than before, shape (rows,); which rows have an answer that is
            no longer whole, shape (rows,). The offsets of the latter stay as they were.
        """
        lost, moved = np.zeros(len(texts), np.bool_), np.zeros(len(texts), np.bool_)
        if not len(self.row):
            return self.column, moved, lost
        found = pieces.new_starts(self.start, self.end)
        lost[self.row[found < 0]] = True
        data, bounds = string_bytes(texts)
        heads = character_starts(data)
        new = np.searchsorted(heads, found) - np.searchsorted(heads, bounds)[self.row]
        starts = pc.struct_field(self.column, "answer_start")
        offsets = np.array(starts.flatten().to_numpy(), np.int64)
        new = np.where(lost[self.row], offsets[self.place], new)
        moved[self.row[new != offsets[self.place]]] = True
        offsets[self.place] = new
        values = make_lists_like(starts, pa.array(offsets).cast(starts.type.value_type), list_lengths(starts))
        fields = list(self.column.type)
        parts = [
            values if field.name == "answer_start" else pc.struct_field(self.column, field.name) for field in fields
        ]
        return pa.StructArray.from_arrays(parts, fields=fields, mask=self.column.is_null()), moved, lost


def _check_answer_pairs(owner: str, texts: pa.Array, starts: pa.Array, uids: pa.Array) -> Indices:
    """Return the row of each answer; raise where a text or an offset is missing."""
    counts, others = list_lengths(texts), list_lengths(starts)
    if (counts != others).any():
        row = int(np.argmax(counts != others))
        raise LabelError(
            f"{owner} moves each answer by its offset, but there are {counts[row]} texts and {others[row]} offsets "
            f"in the row with the uid {uids[row].as_py()!r}; correct or drop such rows."
        )
    rows = np.repeat(np.arange(len(texts)), counts)
    text, start = texts.flatten(), starts.flatten()
    if text.null_count or start.null_count:
        row = int(rows[np.argmax(pc.or_(text.is_null(), start.is_null()))])
        raise LabelError(
            f"{owner} moves each answer by its offset, but one of them is null in the row with the uid "
            f"{uids[row].as_py()!r}; correct or drop such rows."
        )
    return rows


def check_tags(owner: str, name: str, tags: pa.Array, tokens: Indices, classes: Sequence[str], uids: pa.Array) -> None:
    """Check the tags of some rows; a row without a list of tags is skipped.

    Args:
        owner: the name of the transform, for messages.
        name: the column of tags, for messages.
        tags: lists of class numbers or other values, shape (rows,).
        tokens: the number of tokens of each row, shape (rows,).
        classes: the names of the classes, none for other lists.
        uids: the uids of the rows, for messages.

    Raises:
        ColumnError: where a row has another number of tags than of tokens.
        LabelError: for a tag that is null, -1 or outside the classes; -100 is allowed.
    """
    counts = list_lengths(tags)
    uneven = (counts != tokens) & tags.is_valid().to_numpy(zero_copy_only=False)
    if uneven.any():
        row = int(np.argmax(uneven))
        raise ColumnError(
            f"{owner} moves {name!r} along with the tokens, but their lengths differ: {tokens[row]} tokens have "
            f"{counts[row]} tags in the row with the uid {uids[row].as_py()!r}; name the columns of tags in tags=."
        )
    if not classes:
        return
    flat = tags.flatten()
    numbers = np.asarray(flat.fill_null(-1).to_numpy(), np.int64)
    wrong = ((numbers < 0) & (numbers != IGNORED)) | (numbers >= len(classes))
    if wrong.any():
        first = int(np.argmax(wrong))
        row = int(np.repeat(np.arange(len(tags)), counts)[first])
        raise LabelError(
            f"{owner} moves the tags of {name!r}, which go from 0 to {len(classes) - 1}, or {IGNORED} for none, but a "
            f"token of the row with the uid {uids[row].as_py()!r} has {flat[first].as_py()}; drop the unlabelled rows."
        )


def move_tags(tags: pa.Array, units: Units, plan: EditPlan, classes: Sequence[str]) -> pa.Array:
    """Return the lists of tags after a plan: each token keeps its tag, and tokens of a span that stay together a span.

    Args:
        tags: lists of class numbers or other values, as long as the lists of tokens, or null.
        units: the tokens.
        plan: the tokens that come out.
        classes: the names of the classes, none for other lists. Among tags of spans, neighbouring tokens of one span
            are one span, and tokens that were separated from it, or are copies, are spans of their own. A row whose
            tokens were only replaced keeps its tags.
    """
    tagged = tags.is_valid().to_numpy(zero_copy_only=False)[units.row[plan.unit]]
    unit, added = plan.unit[tagged], plan.slot[tagged] < 0
    row = units.row[unit]
    counts = list_lengths(tags)
    first = np.cumsum(counts) - counts
    place = unit - units.first[row] + first[row]
    new_counts = np.bincount(row, minlength=len(tags))
    flat = tags.flatten()
    if TagScheme.of(classes).plain:
        return make_lists_like(tags, flat.take(pa.array(place)), new_counts)
    numbers = np.asarray(flat.to_numpy(), np.int64)
    scheme = TagScheme.of([*classes, "O"])  # the last one for ignored tokens, which are outside every span
    known = np.where(numbers == IGNORED, len(classes), numbers)
    opens = np.arange(len(row)) == (np.cumsum(new_counts) - new_counts)[row]
    span = scheme.number_spans(known, sentence_starts(counts))[place]
    repaired = scheme.mark_spans(known[place], span, opens | added)
    changed = _rows_that_moved(place, first, counts, new_counts)[row] & (numbers[place] != IGNORED)
    return make_lists_like(tags, pa.array(np.where(changed, repaired, numbers[place])).cast(flat.type), new_counts)


def _rows_that_moved(place: Indices, first: Indices, counts: Indices, new_counts: Indices) -> Mask:
    """Return in which rows the tokens have another number or order than before, shape (rows,)."""
    moved = np.not_equal(counts, new_counts)
    row = np.repeat(np.arange(len(new_counts)), new_counts)
    step = np.arange(len(place)) - (np.cumsum(new_counts) - new_counts)[row]
    moved[row[place != first[row] + step]] = True
    return moved
