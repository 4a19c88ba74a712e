"""The shapes of tasks: one set of columns for each, into which every task's rows are brought, whatever their source.

    pairs             premise, hypothesis, label                 natural language inference
    tagged tokens     tokens, and tags under their Hub's name    parts of speech, names, supertags
    spans             id, context, question, answers             extractive question answering
    choices           context, question, options, label          multiple choice
    sentence pairs    source_sentence, target_sentence           retrieval of translations

Each has `uid` besides. Columns that a shape does not name are left out, so that tasks of one shape can be joined.
A dataset whose columns differ more is brought into a shape by a plain function of one row (`convert_rows`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel, Dataset, Features, LargeList, List, Value

from xquality.data._datasets import dataset_of, derive_fingerprint, table_of
from xquality.data.arrow import (
    get_column,
    is_number,
    is_text,
    list_lengths,
    make_lists,
    read_strings,
    replace_column,
)
from xquality.data.uids import UID
from xquality.errors import ColumnError, LabelError
from xquality.heads import ChoiceHead, SequenceHead, TokenHead
from xquality.heads.encoded import IGNORED

NLI = ("entailment", "neutral", "contradiction")
TEXT = Value("string")
ANSWERS = {"text": List(TEXT), "answer_start": List(Value("int32"))}

Row = dict[str, Any]  # a row's values by the names of their columns

_OWNER = "Task.load"  # who reads the columns, for messages
_ROWS_AT_ONCE = 10_000
_MOST_OPTIONS = 1000
_NUMBER = re.compile(r"-?[0-9]+")


def to_pairs(data: Dataset) -> Dataset:
    """Return rows of natural language inference: `premise`, `hypothesis`, `label`.

    Raises:
        ColumnError: for a missing column.
        LabelError: for a label that is none of the three.
    """
    labelled = with_classes(data, "label", NLI)
    names = ("premise", "hypothesis", "label")
    return _make_rows(labelled, {name: (None, labelled.features[name]) for name in names})


def to_tagged_tokens(data: Dataset, tags: str, names: Sequence[str]) -> Dataset:
    """Return rows of tagging: `tokens`, and the column `tags` as lists of the given classes.

    Raises:
        ColumnError: for a missing column.
        LabelError: for a tag that is none of the classes.
    """
    tagged = with_classes(data, tags, names)
    return _make_rows(tagged, {"tokens": (None, List(TEXT)), tags: (None, tagged.features[tags])})


def to_sentence_pairs(data: Dataset) -> Dataset:
    """Return pairs of translations, `source_sentence` and `target_sentence`, without blanks around them.

    Raises:
        ColumnError: for a missing column.
    """
    table = table_of(data)
    names = ("source_sentence", "target_sentence")
    trimmed = {name: pc.utf8_trim_whitespace(get_column(table, name, _OWNER)) for name in names}
    return _make_rows(data, {name: (values, TEXT) for name, values in trimmed.items()})


def to_texts(data: Dataset, names: Sequence[str]) -> Dataset:
    """Return columns of text as they are.

    Raises:
        ColumnError: for a missing column.
    """
    return _make_rows(data, dict.fromkeys(names, (None, TEXT)))


def to_spans(data: Dataset) -> Dataset:
    """Return rows of question answering: `id`, `context`, `question`, `answers` with `text` and `answer_start`.

    Questions without an answer have empty lists; an answer whose text is null or blank, as XTREME writes into test
    files, is none. Several datasets on the Hub lost the blanks before their contexts after their offsets had been
    counted; an answer that is not at its offset, or has none, gets that of the nearest occurrence.

    Raises:
        ColumnError: for a missing column.
        LabelError: for an answer that does not occur in its context.
    """
    table = table_of(data)
    contexts, answers = (_combine_chunks(get_column(table, name, _OWNER)) for name in ("context", "answers"))
    if not (pa.types.is_struct(answers.type) and {*ANSWERS} <= {field.name for field in answers.type}):
        raise ColumnError(f"{_OWNER} needs text and answer_start in 'answers', but the column holds {answers.type}.")
    texts, starts = (pc.struct_field(answers, name) for name in ANSWERS)
    if not np.array_equal(list_lengths(texts), list_lengths(starts)):
        raise ColumnError(f"{_OWNER} needs as many offsets as texts in the answers of every row; check the revision.")
    rows, texts, starts = pc.list_parent_indices(texts), texts.flatten(), starts.flatten()
    filled = pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(texts), ""), False)
    rows, texts, starts = (values.filter(filled) for values in (rows, texts, pc.fill_null(starts, 0)))
    lengths = np.bincount(rows.to_numpy(zero_copy_only=False), minlength=len(contexts))
    distinct = contexts.dictionary_encode()  # many questions share a context
    distinct_texts = read_strings(pa.chunked_array([distinct.dictionary]))
    found = []
    for row, context, text, start in zip(
        *(values.to_pylist() for values in (rows, distinct.indices.take(rows), texts, starts)), strict=True
    ):
        place = _find_answer("" if context is None else distinct_texts[context], text, start)
        if place is None:
            name = get_column(table, "id", _OWNER)[row].as_py()
            raise LabelError(
                f"The answer {text!r:.80} of the question {name!r} on row {row} does not occur in its context; correct "
                "it or check the revision."
            )
        found.append(place)
    lists = [make_lists(values, lengths) for values in (texts, pa.array(found, pa.int32()))]
    unchanged = dict.fromkeys(("id", "context", "question"), (None, TEXT))
    return _make_rows(data, {**unchanged, "answers": (pa.StructArray.from_arrays(lists, list(ANSWERS)), ANSWERS)})


def _find_answer(context: str, text: str, start: int) -> int | None:
    """Return an answer's offset: the given one where it occurs there, else that of the nearest occurrence, or None."""
    if start >= 0 and context.startswith(text, start):
        return start
    before, after = context.rfind(text, 0, max(start, 0) + len(text)), context.find(text, max(start, 0))
    # Of two as near, the one before.
    return min((place for place in (before, after) if place >= 0), key=lambda place: abs(place - start), default=None)


def to_choices(data: Dataset, convert: Callable[[Row], Row], options: int) -> Dataset:
    """Return rows of multiple choice: `context`, `question`, `options`, `label`.

    The label is a ClassLabel whose classes are the options' numbers, "0" first, since every task of this shape has the
    same number of options on every row; so the transforms for labels read it like any other.

    Args:
        data: the rows.
        convert: returns of one row a dict of `options`, a list of texts, and `label`, the number of the right option
            from 0, also as text, and None, -1 or "" where it is not known; and where the task has them, the text to
            read first as `context`, and the `question`.
        options: how many options every row has.

    Raises:
        ColumnError: for a missing column, or a row with more or fewer options.
        LabelError: for a label that is none of the options.
    """
    rows = convert_rows(data, convert)
    wrong = [number for number, row in enumerate(rows) if len(row["options"]) != options]
    if wrong:
        raise ColumnError(
            f"{options} options were expected on every row, but row {wrong[0]} has {len(rows[wrong[0]]['options'])} "
            f"({len(wrong)} such rows); check the revision."
        )
    numbers: dict[int | str | None, int | None] = {None: None, -1: None, "": None}
    numbers |= {written: number for number in range(options) for written in (number, str(number))}
    given = [None if row["label"] != row["label"] else row["label"] for row in rows]  # NaN differs from itself
    unknown = sorted({str(label) for label in given if label not in numbers})
    if unknown:
        row = next(number for number, label in enumerate(given) if label not in numbers)
        raise LabelError(
            f"Labels from 0 to {options - 1} were expected, but there are {unknown}, first on row {row}; check the "
            "revision."
        )
    texts = {name: pa.array([row.get(name, "") for row in rows], pa.string()) for name in ("context", "question")}
    labels = pa.array([numbers[label] for label in given], pa.int64())
    return _make_rows(
        data,
        {
            **{name: (values, TEXT) for name, values in texts.items()},
            "options": (pa.array([row["options"] for row in rows], pa.list_(pa.string())), List(TEXT)),
            "label": (labels, ClassLabel(names=[str(number) for number in range(options)])),
        },
    )


def convert_rows(data: Dataset, convert: Callable[[Row], Row]) -> list[Row]:
    """Return `convert(row)` of every row, in their order.

    Raises:
        ColumnError: where `convert` reads a column that the data lack.
    """
    table = table_of(data)
    rows: list[Row] = []
    for batch in table.to_batches(max_chunksize=_ROWS_AT_ONCE):
        try:
            rows += map(convert, batch.to_pylist())
        except KeyError as fault:
            raise ColumnError(
                f"{_OWNER} reads {fault.args[0]!r}, but the data have {table.column_names}; check the revision."
            ) from fault
    return rows


def drop_unlabelled(data: Dataset) -> Dataset:
    """Return the rows whose `label` is neither null nor -1."""
    table = table_of(data)
    labelled = table.filter(pc.greater_equal(get_column(table, "label", _OWNER), 0))  # a null is not above either
    return dataset_of(labelled, data.features, like=data, fingerprint=derive_fingerprint(data, "labelled"))


def with_classes(data: Dataset, name: str, names: Sequence[str]) -> Dataset:
    """Return the data with a column as classes of the given names, or as lists of such classes.

    Names are matched as they are, classes of another order by their names. Whole numbers, also as floats, are the
    classes' places, from 0; where the names are other numbers themselves ("1" to "5"), they are names. Where there is
    no label (null, NaN, -1 or an empty text), there still is none; -100 among the classes of lists stays as it is.

    Args:
        data: the rows.
        name: the column, of labels or of lists of labels.
        names: the class names in their order.

    Raises:
        ColumnError: for a missing column.
        LabelError: for a label that is none of the classes.

    Example:
        >>> tagged = with_classes(Dataset.from_dict({"tags": [["B", "O"], []]}), "tags", ("O", "B"))
        >>> tagged["tags"][:], tagged.features["tags"].feature.names
        ([[1, 0], []], ['O', 'B'])
    """
    values = get_column(table_of(data), name, _OWNER)
    feature: Any = data.features[name]
    listed = isinstance(feature, List | LargeList)
    inner = feature.feature if listed else feature
    lists = _combine_chunks(values) if listed else None
    labels = values if lists is None else pa.chunked_array([lists.flatten()])
    row_of = None if lists is None else pc.list_parent_indices(lists)
    if isinstance(inner, ClassLabel):
        ignored = pc.fill_null(pc.equal(labels, IGNORED), False)
        labels = pc.if_else(ignored, pa.scalar(-1, labels.type), labels) if listed else labels
        _check_numbers(labels, inner.names, name, row_of)
        if list(inner.names) == list(names):
            return data
    codes: Any = _class_numbers(labels, inner, names, name, row_of)
    if listed and isinstance(inner, ClassLabel):
        codes = pc.if_else(ignored, pa.scalar(IGNORED, codes.type), codes)
    classes: Any = ClassLabel(names=list(names))
    if lists is not None:
        codes = make_lists(codes.combine_chunks(), list_lengths(lists), np.asarray(lists.is_null()))
        classes = List(classes)
    features = Features({**data.features, name: classes})
    fingerprint = derive_fingerprint(data, "classes", name, *names)
    return dataset_of(replace_column(table_of(data), name, codes), features, like=data, fingerprint=fingerprint)


def with_head_labels(data: Dataset, head: object) -> Dataset:
    """Return the data with their labels as the classes of a head; unchanged where it names none or they are missing.

    Class names, whole numbers and classes of another order are taken alike, see `with_classes`; the numbers of options
    also as text.

    Raises:
        ColumnError: for labels of another kind.
        LabelError: for a label that is none of the classes.
    """
    column = head.tags if isinstance(head, TokenHead) else getattr(head, "label", "label")
    if column not in data.column_names:
        return data
    if isinstance(head, SequenceHead | TokenHead):
        listed = isinstance(data.features[column], List | LargeList)
        return with_classes(data, column, head.labels) if listed == isinstance(head, TokenHead) else data
    values = table_of(data).column(column)
    if isinstance(head, ChoiceHead) and is_text(values.type):
        known = pa.array([str(number) for number in range(_MOST_OPTIONS)], values.type)
        numbers = pc.index_in(values, known).cast(pa.int64())
        if numbers.null_count == values.null_count:
            features = Features({**data.features, column: Value("int64")})
            fingerprint = derive_fingerprint(data, "numbers", column)
            return dataset_of(
                replace_column(table_of(data), column, numbers), features, like=data, fingerprint=fingerprint
            )
    return data


def _class_numbers(
    values: pa.ChunkedArray, feature: Any, names: Sequence[str], column: str, row_of: pa.Array | None
) -> pa.ChunkedArray:
    """Return labels as the numbers of the given classes.

    Args:
        values: the labels; those of a ClassLabel are numbers of its classes.
        feature: their feature.
        names: the class names in their order.
        column: the column's name, for messages.
        row_of: the row of each label, where a row has several.
    """
    if isinstance(feature, ClassLabel):  # by name, so that none is mistaken
        known = pa.array(feature.names, pa.string())
        numbers = pc.if_else(pc.less(values, 0), pa.scalar(None, values.type), values)
        values = pa.chunked_array([known.take(chunk) for chunk in numbers.chunks], pa.string())
    # A column of nothing but nulls can hold classes too.
    elif not (is_text(values.type) or is_number(values.type) or pa.types.is_null(values.type)):
        raise ColumnError(
            f"{_OWNER} reads class names or numbers from {column!r}, but the column holds {values.type}; convert it."
        )
    elif is_number(values.type):
        whole = _whole_numbers(values, names, column, row_of)
        if not all(map(_NUMBER.fullmatch, names)) or list(names) == [str(number) for number in range(len(names))]:
            _check_numbers(whole, names, column, row_of)
            return whole
        # The names are numbers themselves: a number is the name that it writes.
        values = whole.cast(pa.string())
        if "-1" not in names:
            values = pc.if_else(pc.equal(whole, -1), pa.scalar(None, pa.string()), values)
    if pa.types.is_null(values.type):
        return values.cast(pa.int64())
    numbers = pc.index_in(values, pa.array(names, values.type))
    unknown = pc.and_(numbers.is_null(), pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(values), ""), False))
    if pc.any(unknown).as_py():
        found = sorted(values.filter(unknown).unique().to_pylist())
        raise LabelError(
            f"The labels {_some(names)} were expected, but {column!r} has {_some(found)}, first on row "
            f"{_first_row(unknown, row_of)}; correct them or map them to these names."
        )
    return numbers.cast(pa.int64())


def _whole_numbers(
    values: pa.ChunkedArray, names: Sequence[str], column: str, row_of: pa.Array | None
) -> pa.ChunkedArray:
    """Return numbers as integers, NaN as null."""
    if pa.types.is_integer(values.type):
        return values.cast(pa.int64(), safe=False) if pa.types.is_uint64(values.type) else values.cast(pa.int64())
    values = values.cast(pa.float64())
    present = pc.if_else(pc.is_nan(values), pa.scalar(None, values.type), values)
    # Beyond 2**53 not every whole number is a float, and no task has so many classes.
    broken = pc.or_(pc.not_equal(pc.floor(present), present), pc.greater(pc.abs(present), 2.0**53))
    if pc.any(broken).as_py():
        row = _first_row(pc.fill_null(broken, False), row_of)
        raise LabelError(
            f"The labels {_some(names)} were expected, but {column!r} has {present.filter(broken)[0].as_py()} on row "
            f"{row}; give whole numbers from 0, or the names."
        )
    return present.cast(pa.int64())


def _check_numbers(values: pa.ChunkedArray, names: Sequence[str], column: str, row_of: pa.Array | None) -> None:
    """Raise `LabelError` where a class number is neither that of a class nor -1."""
    wrong = pc.fill_null(pc.or_(pc.less(values, -1), pc.greater_equal(values, len(names))), False)
    if pc.any(wrong).as_py():
        found = sorted(values.filter(wrong).unique().to_pylist())
        raise LabelError(
            f"The labels {_some(names)} were expected, numbered from 0, but {column!r} has {_some(found)}, first on "
            f"row {_first_row(wrong, row_of)}; subtract 1 if they count from 1, or give the names instead."
        )


def _first_row(where: pa.ChunkedArray, row_of: pa.Array | None) -> int:
    """Return the first row with a label where a mask is true."""
    label = pc.index(where, True).as_py()
    return int(label if row_of is None else row_of[label].as_py())


def _some(values: Sequence[Any]) -> str:
    """Return values for a message, at most ten of them."""
    shown = ", ".join(repr(value) for value in values[:10])
    return f"[{shown}{', ...' if len(values) > 10 else ''}]"


def _make_rows(data: Dataset, columns: Mapping[str, tuple[Any, Any]]) -> Dataset:
    """Return these columns and `uid`, each with its values (None: those of the data) and its feature."""
    table = table_of(data)
    features = Features({**{name: feature for name, (_, feature) in columns.items()}, UID: data.features[UID]})
    made = {
        name: get_column(table, name, _OWNER) if values is None else values for name, (values, _) in columns.items()
    }
    made[UID] = get_column(table, UID, _OWNER)
    fingerprint = derive_fingerprint(data, "shape", repr(features))
    return dataset_of(pa.table(made), features, like=data.with_format(None), fingerprint=fingerprint)


def _combine_chunks(values: pa.ChunkedArray) -> pa.Array:
    """Return a column as one array."""
    return values.combine_chunks() if values.num_chunks else pa.array([], values.type)
