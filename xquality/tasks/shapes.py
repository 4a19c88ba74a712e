"""The shapes of tasks: one set of columns for each, into which every task's rows are brought, whatever their source.

    pairs       premise, hypothesis, label                 natural language inference
    tokens      tokens, and tags under their Hub's name    parts of speech, names, supertags
    spans       id, context, question, answers             extractive question answering
    choices     context, question, options, label          multiple choice
    sentences   source_sentence, target_sentence           retrieval of translations

Each has `uid` besides. What a shape does not name is left out, so that tasks of one shape can be joined.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel, Dataset, Features, List, Value

from xquality.data._datasets import dataset_of, derive_fingerprint, table_of
from xquality.data.arrow import get_column, read_strings
from xquality.data.uids import UID
from xquality.errors import ColumnError, LabelError
from xquality.tasks.classes import relisted, with_classes

NLI = ("entailment", "neutral", "contradiction")
TEXT = Value("string")
ANSWERS = {"text": List(TEXT), "answer_start": List(Value("int32"))}


def pairs(data: Dataset) -> Dataset:
    """Return rows of natural language inference: `premise`, `hypothesis`, `label`.

    Raises:
        ColumnError: for a missing column.
        LabelError: for a label that is none of the three.
    """
    known = with_classes(data, "label", NLI)
    return _rows(known, {name: (None, known.features[name]) for name in ("premise", "hypothesis", "label")})


def tokens(data: Dataset, tags: str, names: Sequence[str]) -> Dataset:
    """Return rows of tagging: `tokens`, and the column `tags` as lists of the given classes.

    Raises:
        ColumnError: for a missing column.
        LabelError: for a tag that is none of the classes.
    """
    known = with_classes(data, tags, names)
    return _rows(known, {"tokens": (None, List(TEXT)), tags: (None, known.features[tags])})


def sentences(data: Dataset) -> Dataset:
    """Return pairs of translations, `source_sentence` and `target_sentence`, without blanks around them.

    Raises:
        ColumnError: for a missing column.
    """
    names = ("source_sentence", "target_sentence")
    table = table_of(data)
    return _rows(data, {one: (pc.utf8_trim_whitespace(get_column(table, one, "Task.load")), TEXT) for one in names})


def texts(data: Dataset, names: Sequence[str]) -> Dataset:
    """Return columns of text as they are.

    Raises:
        ColumnError: for a missing column.
    """
    return _rows(data, dict.fromkeys(names, (None, TEXT)))


def spans(data: Dataset) -> Dataset:
    """Return rows of question answering: `id`, `context`, `question`, `answers` with `text` and `answer_start`.

    Questions without an answer have empty lists. Several datasets on the Hub lost the blanks before their contexts
    after their offsets had been counted; an answer that does not stand at its offset is given that of the nearest
    place where it stands.

    Raises:
        ColumnError: for a missing column.
        LabelError: for an answer that does not occur in its context.
    """
    table = table_of(data)
    contexts, answers = (_whole(get_column(table, name, "Task.load")) for name in ("context", "answers"))
    if not (pa.types.is_struct(answers.type) and {*ANSWERS} <= {one.name for one in answers.type}):
        raise ColumnError(f"Task.load needs text and answer_start in 'answers', but the column holds {answers.type}.")
    words, starts = (pc.struct_field(answers, name) for name in ANSWERS)
    lengths = words.value_lengths()
    if not lengths.equals(starts.value_lengths()):
        raise ColumnError("Task.load needs as many offsets as texts in the answers of every row; check the revision.")
    known = contexts.dictionary_encode()  # many questions share a context
    unique = read_strings(pa.chunked_array([known.dictionary]))
    asked = known.indices.take(pc.list_parent_indices(words)), words.flatten(), starts.flatten()
    mended = [
        _start(unique[one], text, start) for one, text, start in zip(*(one.to_pylist() for one in asked), strict=True)
    ]
    lists = [relisted(asked[1], lengths), relisted(pa.array(mended, pa.int32()), lengths)]
    kept = dict.fromkeys(("id", "context", "question"), (None, TEXT))
    return _rows(data, {**kept, "answers": (pa.StructArray.from_arrays(lists, list(ANSWERS)), ANSWERS)})


def choices(
    data: Dataset,
    *,
    options: Sequence[Sequence[str]],
    answers: Sequence[int | str | None],
    number: int,
    contexts: Sequence[str] | None = None,
    questions: Sequence[str] | None = None,
) -> Dataset:
    """Return rows of multiple choice: `context`, `question`, `options`, `label`.

    The label is a ClassLabel whose classes are the options' numbers, "0" first, since every task of this shape has the
    same number of options on every row; so the transforms for labels read it like any other.

    Args:
        data: the rows, for their uids.
        options: the options of each row.
        answers: the number of the right option of each row, from 0, also as text; None, -1 or "" where it is not known.
        number: how many options every row has.
        contexts: what is to be read first; None for nothing.
        questions: what is asked; None for nothing.

    Raises:
        ColumnError: for a row with more or fewer options.
        LabelError: for an answer that is none of the options.
    """
    wrong = [row for row, several in enumerate(options) if len(several) != number]
    if wrong:
        raise ColumnError(
            f"{number} options were expected on every row, but row {wrong[0]} has {len(options[wrong[0]])} "
            f"({len(wrong)} such rows); check the revision."
        )
    places = {None: None, -1: None, "": None} | {kind(one): one for kind in (int, str) for one in range(number)}
    strange = sorted({str(one) for one in answers if one not in places})
    if strange:
        raise LabelError(f"Answers from 0 to {number - 1} were expected, but there are {strange}; check the revision.")
    codes = [places[one] for one in answers]
    nothing = [""] * len(data)
    made = {
        "context": (pa.array(nothing if contexts is None else contexts, pa.string()), TEXT),
        "question": (pa.array(nothing if questions is None else questions, pa.string()), TEXT),
        "options": (pa.array(options, pa.list_(pa.string())), List(TEXT)),
        "label": (pa.array(codes, pa.int64()), ClassLabel(names=[str(one) for one in range(number)])),
    }
    return _rows(data, made)


def _rows(data: Dataset, columns: Mapping[str, tuple[Any, Any]]) -> Dataset:
    """Return these columns and `uid`, each with its values (None: those of the data) and its feature."""
    table = table_of(data)
    features = Features({**{name: feature for name, (_, feature) in columns.items()}, UID: data.features[UID]})
    values = {name: get_column(table, name, "Task.load") if one is None else one for name, (one, _) in columns.items()}
    made = pa.table({**values, UID: get_column(table, UID, "Task.load")})
    fingerprint = derive_fingerprint(data, "shape", repr(features))
    return dataset_of(made, features, like=data.with_format(None), fingerprint=fingerprint)


def _whole(values: pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece."""
    return values.combine_chunks() if values.num_chunks else pa.array([], values.type)


def _start(context: str, text: str, start: int) -> int:
    """Return where an answer stands: at its offset, or at the place nearest to it."""
    if start >= 0 and context.startswith(text, start):
        return start
    places = (context.rfind(text, 0, max(start, 0) + len(text)), context.find(text, max(start, 0)))
    found = [one for one in places if one >= 0]
    if not found:
        raise LabelError(f"The answer {text!r} does not occur in its context; check the revision.")
    return min(found, key=lambda one: abs(one - start))  # of two as near, the one before
