"""The shapes of tasks: one set of columns for each, into which every task's rows are brought, whatever their source.

    pairs             premise, hypothesis, label                 natural language inference
    tagged tokens     tokens, and tags under their Hub's name    parts of speech, names, supertags
    spans             id, context, question, answers             extractive question answering
    choices           context, question, options, label          multiple choice
    sentence pairs    source_sentence, target_sentence           retrieval of translations

Each has `uid` besides. Columns that a shape does not name are left out, so that tasks of one shape can be joined.
A dataset whose columns differ more is brought into a shape by a plain function of one row (`convert_rows`).
"""

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

NLI = ("entailment", "neutral", "contradiction")
TEXT = Value("string")
ANSWERS = {"text": List(TEXT), "answer_start": List(Value("int32"))}

Row = dict[str, Any]  # a row's values by the names of their columns

_OWNER = "Task.load"  # who reads the columns, for messages
_ROWS_AT_ONCE = 10_000


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

    Questions without an answer have empty lists. Several datasets on the Hub lost the blanks before their contexts
    after their offsets had been counted; an answer that is not at its offset gets that of the nearest occurrence.

    Raises:
        ColumnError: for a missing column.
        LabelError: for an answer that does not occur in its context.
    """
    table = table_of(data)
    contexts, answers = (_combine_chunks(get_column(table, name, _OWNER)) for name in ("context", "answers"))
    if not (pa.types.is_struct(answers.type) and {*ANSWERS} <= {field.name for field in answers.type}):
        raise ColumnError(f"{_OWNER} needs text and answer_start in 'answers', but the column holds {answers.type}.")
    texts, starts = (pc.struct_field(answers, name) for name in ANSWERS)
    lengths = list_lengths(texts)
    if not np.array_equal(lengths, list_lengths(starts)):
        raise ColumnError(f"{_OWNER} needs as many offsets as texts in the answers of every row; check the revision.")
    distinct = contexts.dictionary_encode()  # many questions share a context
    distinct_texts = read_strings(pa.chunked_array([distinct.dictionary]))
    context_of_answer = distinct.indices.take(pc.list_parent_indices(texts))
    found = [
        _find_answer(distinct_texts[context], text, start)
        for context, text, start in zip(
            context_of_answer.to_pylist(), texts.flatten().to_pylist(), starts.flatten().to_pylist(), strict=True
        )
    ]
    lists = [make_lists(texts.flatten(), lengths), make_lists(pa.array(found, pa.int32()), lengths)]
    unchanged = dict.fromkeys(("id", "context", "question"), (None, TEXT))
    return _make_rows(data, {**unchanged, "answers": (pa.StructArray.from_arrays(lists, list(ANSWERS)), ANSWERS)})


def _find_answer(context: str, text: str, start: int) -> int:
    """Return an answer's offset: the given one where it occurs there, else that of the nearest occurrence."""
    if start >= 0 and context.startswith(text, start):
        return start
    before, after = context.rfind(text, 0, max(start, 0) + len(text)), context.find(text, max(start, 0))
    found = [place for place in (before, after) if place >= 0]
    if not found:
        raise LabelError(f"The answer {text!r} does not occur in its context; check the revision.")
    return min(found, key=lambda place: abs(place - start))  # of two as near, the one before


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
    unknown = sorted({str(row["label"]) for row in rows if row["label"] not in numbers})
    if unknown:
        raise LabelError(f"Labels from 0 to {options - 1} were expected, but there are {unknown}; check the revision.")
    texts = {name: pa.array([row.get(name) or "" for row in rows], pa.string()) for name in ("context", "question")}
    labels = pa.array([numbers[row["label"]] for row in rows], pa.int64())
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

    Names are matched as they are, classes of another order by their names; integers are taken as they are. Where there
    is no label (null, or -1), there still is none.

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
    if isinstance(inner, ClassLabel) and list(inner.names) == list(names):
        return data
    classes: Any = ClassLabel(names=list(names))
    if listed:
        lists = _combine_chunks(values)
        numbers = _class_numbers(pa.chunked_array([lists.flatten()]), inner, names).combine_chunks()
        codes: Any = make_lists(numbers, list_lengths(lists), np.asarray(lists.is_null()))
        classes = List(classes)
    else:
        codes = _class_numbers(values, inner, names)
    features = Features({**data.features, name: classes})
    fingerprint = derive_fingerprint(data, "classes", name, *names)
    return dataset_of(replace_column(table_of(data), name, codes), features, like=data, fingerprint=fingerprint)


def _class_numbers(values: pa.ChunkedArray, feature: Any, names: Sequence[str]) -> pa.ChunkedArray:
    """Return labels as the numbers of the given classes."""
    if isinstance(feature, ClassLabel):  # by name, so that none is mistaken
        known = pa.array([*feature.names, None])
        number_or_last = pc.if_else(pc.less(values, 0), len(feature.names), pc.coalesce(values, len(feature.names)))
        values = pa.chunked_array([known.take(chunk) for chunk in number_or_last.chunks], pa.string())
    # A column of nothing but nulls can hold classes too.
    elif not (is_text(values.type) or is_number(values.type) or pa.types.is_null(values.type)):
        raise ColumnError(f"Class names or numbers were expected, but the column holds {values.type}; convert it.")
    present = [label for label in values.unique().to_pylist() if label is not None]
    numbered = all(isinstance(label, int) and -1 <= label < len(names) for label in present)
    if not numbered and any(label not in names for label in present):
        unknown = sorted(str(label) for label in present if label not in names)
        raise LabelError(f"The labels {list(names)} were expected, but the data have {unknown}; check the revision.")
    return values.cast(pa.int64()) if numbered else pc.index_in(values, pa.array(names)).cast(pa.int64())


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
