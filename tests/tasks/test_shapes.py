"""Every shape has one set of columns and types, whatever the data have."""

from typing import Any

import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset, DatasetInfo, Features, LargeList, List, Value, concatenate_datasets
from hypothesis import assume, given
from hypothesis import strategies as st

import xquality as xq
from xquality.errors import ColumnError, LabelError
from xquality.tasks import shapes
from xquality.tasks.shapes import with_classes

TEXT = Value("string")


def stamped(**columns: list[Any]) -> Dataset:
    return xq.with_uid(Dataset.from_dict(columns))


def test_pairs_leave_other_columns_out_and_keep_rows_without_a_label() -> None:
    data = stamped(idx=[7, 8, 9], label=["neutral", None, "entailment"], hypothesis=["b"] * 3, premise=["a"] * 3)
    found = shapes.to_pairs(data)
    label = ClassLabel(names=["entailment", "neutral", "contradiction"])
    assert found.features == Features({"premise": TEXT, "hypothesis": TEXT, "label": label, "uid": Value("int64")})
    assert found["label"][:] == [1, None, 0]
    assert found["uid"][:] == [0, 1, 2]


def test_tokens_keep_the_hubs_name_for_the_tags() -> None:
    data = stamped(langs=[["en"]], ner_tags=[["B", "O"]], tokens=[["Ann", "sings"]])
    found = shapes.to_tagged_tokens(data, "ner_tags", ("O", "B"))
    assert found.features["ner_tags"] == List(ClassLabel(names=["O", "B"]))
    assert found.column_names == ["tokens", "ner_tags", "uid"]
    assert found[0] == {"tokens": ["Ann", "sings"], "ner_tags": [1, 0], "uid": 0}


def test_sentences_lose_the_blanks_around_them() -> None:
    found = shapes.to_sentence_pairs(
        stamped(target_sentence=["Good day.\n"], source_lang=["deu"], source_sentence=[" Tag.\r"])
    )
    assert found[0] == {"source_sentence": "Tag.", "target_sentence": "Good day.", "uid": 0}


@given(
    context=st.text("ab \u3000", min_size=1, max_size=12),
    start=st.integers(0, 11),
    length=st.integers(0, 4),
    shift=st.integers(-3, 3),
)
def test_an_answer_is_found_at_its_offset_and_else_at_the_nearest_place(
    context: str, start: int, length: int, shift: int
) -> None:
    begin = min(start, len(context))
    text = context[begin : begin + length]
    assume(text.strip())
    answers = {"answer_start": [begin + shift], "text": [text]}
    found = shapes.to_spans(stamped(id=["q"], title=["t"], context=[context], question=["?"], answers=[answers]))
    assert found.column_names == ["id", "context", "question", "answers", "uid"]
    (place,) = found[0]["answers"]["answer_start"]
    assert context[place : place + len(text)] == found[0]["answers"]["text"][0] == text
    places = [found_place for found_place in range(len(context) + 1) if context.startswith(text, found_place)]
    assert abs(place - (begin + shift)) == min(abs(found_place - (begin + shift)) for found_place in places)


def test_a_question_without_an_answer_has_empty_lists() -> None:
    features = {"id": TEXT, "context": TEXT, "question": TEXT, "answers": shapes.ANSWERS}
    row = {"id": "q", "context": "c", "question": "?", "answers": {"text": [], "answer_start": []}}
    found = shapes.to_spans(xq.with_uid(Dataset.from_list([row], features=Features(features))))
    assert found[0] == {**row, "uid": 0}
    assert dict(found.features) == {**features, "uid": Value("int64")}


def test_rows_that_share_a_context_and_chunks_and_rows_without_answers_are_told_apart() -> None:
    answers = [{"text": ["b"], "answer_start": [0]}, None, {"text": ["a", "c"], "answer_start": [0, 9]}]
    names = {"id": ["1", "2", "3"], "context": ["abc", "abc", "xa c"], "question": ["?"] * 3}
    rows = Dataset.from_dict({**names, "answers": answers})
    for data in (rows, concatenate_datasets([rows.select([0]), rows.select([1, 2])]), rows.select([0, 1, 2])):
        found = shapes.to_spans(xq.with_uid(data))["answers"][:]
        assert [row["text"] for row in found] == [["b"], [], ["a", "c"]]
        assert [row["answer_start"] for row in found] == [[1], [], [1, 3]]
    empty = shapes.to_spans(xq.with_uid(rows.select([])))
    assert (len(empty), empty.column_names) == (0, ["id", "context", "question", "answers", "uid"])


@pytest.mark.parametrize("blank", ["", " ", "\u3000\n", None])
def test_an_answer_without_a_text_is_no_answer(blank: str | None) -> None:
    answers = [
        {"text": [blank], "answer_start": [0]},
        {"text": [blank, "b", None], "answer_start": [None, 1, None]},
        {"text": ["c"], "answer_start": [None]},
        {"text": None, "answer_start": None},
    ]
    rows = {"id": list("wxyz"), "context": ["abc"] * 3 + [None], "question": ["?"] * 4, "answers": answers}
    found = shapes.to_spans(stamped(**rows))["answers"][:]
    assert [row["text"] for row in found] == [[], ["b"], ["c"], []]
    assert [row["answer_start"] for row in found] == [[], [1], [2], []]


@pytest.mark.parametrize("answers", ["b", {"text": ["b"]}, {"text": ["b", "b"], "answer_start": [0]}])
def test_answers_of_another_form_are_refused(answers: Any) -> None:
    with pytest.raises(ColumnError, match="answer"):
        shapes.to_spans(stamped(id=["q"], context=["b"], question=["?"], answers=[answers]))


def test_an_answer_that_is_nowhere_is_refused() -> None:
    answers = {"answer_start": [0], "text": ["blue"]}
    with pytest.raises(LabelError, match="'blue' of the question 'q' on row 0 does not occur"):
        shapes.to_spans(stamped(id=["q"], context=["red"], question=["?"], answers=[answers]))


def lettered(row: shapes.Row) -> shapes.Row:
    """Return a row as a choice among the letters of a word."""
    return {"question": row["ask"], "options": list(row["letters"]), "label": row["right"]}


def test_choices_have_the_options_numbers_as_classes() -> None:
    data = stamped(ask=["?", None, "?"], letters=["ab", "cd", "ef"], right=[1, None, -1])
    found = shapes.to_choices(data, lettered, options=2)
    wanted = {"context": TEXT, "question": TEXT, "options": List(TEXT), "label": ClassLabel(names=["0", "1"])}
    assert dict(found.features) == {**wanted, "uid": Value("int64")}
    assert found["label"][:] == [1, None, None]
    assert found["question"][:] == ["?", None, "?"]  # a missing text stays missing
    assert found[0] == {"context": "", "question": "?", "options": ["a", "b"], "label": 1, "uid": 0}
    as_text = shapes.to_choices(stamped(ask=["?"] * 2, letters=["ab", "cd"], right=["1", ""]), lettered, options=2)
    assert as_text["label"][:] == [1, None]
    noisy = xq.ChoiceNoise(rate=1.0)(found.select([0]), seed=0)
    assert noisy["label"][:] == [0]


def test_choices_are_converted_row_by_row_whatever_the_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    data = stamped(ask=["?"] * 5, letters=["ab", "cd", "ef", "gh", "ij"], right=[0, 1, 0, 1, 0])
    wanted = shapes.to_choices(data, lettered, options=2).to_list()
    monkeypatch.setattr(shapes, "_ROWS_AT_ONCE", 2)
    chunked = concatenate_datasets([data.select([0]), data.select([1, 2, 3, 4])])
    assert shapes.to_choices(chunked, lettered, options=2).to_list() == wanted
    assert shapes.to_choices(data.select([4, 0]), lettered, options=2).to_list() == [wanted[4], wanted[0]]
    empty = shapes.to_choices(data.select([]), lettered, options=2)
    assert (len(empty), empty.column_names) == (0, ["context", "question", "options", "label", "uid"])


def test_choices_with_other_numbers_of_options_or_labels_are_refused() -> None:
    with pytest.raises(ColumnError, match="2 options were expected on every row, but row 1 has 3"):
        shapes.to_choices(stamped(ask=["?"] * 2, letters=["ab", "cde"], right=[0, 0]), lettered, options=2)
    with pytest.raises(
        LabelError, match="Labels from 0 to 1 were expected, but there are \\['2', 'B'\\], first on row 0"
    ):
        shapes.to_choices(stamped(ask=["?"] * 2, letters=["ab"] * 2, right=["2", "B"]), lettered, options=2)
    with pytest.raises(ColumnError, match="reads 'right', but the data have"):
        shapes.to_choices(stamped(ask=["?"], letters=["ab"]), lettered, options=2)


@pytest.mark.parametrize(
    "shape",
    [
        shapes.to_pairs,
        shapes.to_sentence_pairs,
        shapes.to_spans,
        lambda data: shapes.to_tagged_tokens(data, "tags", ("O",)),
    ],
)
def test_a_missing_column_is_refused(shape: Any) -> None:
    with pytest.raises(ColumnError, match=r"Task\.load reads the column"):
        shape(stamped(other=["x"]))


NAMES = ("O", "B-X", "I-X")
TAGGINGS = st.lists(st.one_of(st.none(), st.lists(st.sampled_from(NAMES), max_size=4)), min_size=1, max_size=8)


def listed(tags: list[Any], inner: Any, kind: type = List) -> Dataset:
    return Dataset.from_dict({"tags": tags}, features=Features({"tags": kind(inner)}))


@given(taggings=TAGGINGS, order=st.permutations(NAMES), wide=st.booleans(), start=st.integers(0, 3))
def test_lists_of_tags_keep_their_names_in_whatever_order_and_width_they_come(
    taggings: list[list[str] | None], order: list[str], wide: bool, start: int
) -> None:
    kind = LargeList if wide else List
    wanted = [None if tags is None else [NAMES.index(tag) for tag in tags] for tags in taggings]
    named = listed(taggings, Value("large_string" if wide else "string"), kind)
    numbers = [None if tags is None else [order.index(tag) for tag in tags] for tags in taggings]
    for data in (named, listed(numbers, ClassLabel(names=order), kind)):
        for rows in (data, concatenate_datasets([data, data]), data.select(range(start % len(data), len(data)))):
            again = 2 if len(rows) > len(data) else 1
            found = with_classes(rows, "tags", NAMES)
            assert found["tags"][:] == (wanted * again)[-len(rows) :]
            assert list(found.features["tags"].feature.names) == list(NAMES)


def test_what_has_the_classes_already_is_left_alone() -> None:
    data = listed([[0, 2]], ClassLabel(names=list(NAMES)))
    assert with_classes(data, "tags", NAMES) is data


def test_tags_that_have_no_class_stay_and_numbers_are_taken_as_they_are() -> None:
    assert with_classes(listed([[0, -1, None]], Value("int8")), "tags", NAMES)["tags"][:] == [[0, -1, None]]
    assert with_classes(listed([[-1, 1]], ClassLabel(names=["I-X", "O"])), "tags", NAMES)["tags"][:] == [[None, 0]]
    assert with_classes(listed([[], []], Value("null")), "tags", NAMES)["tags"][:] == [[], []]
    empty = listed([], Value("string"))
    assert with_classes(empty, "tags", NAMES).features["tags"] == List(ClassLabel(names=list(NAMES)))


THREE = ["no", "yes", "maybe"]


def labelled(labels: list[Any], kind: Any) -> Dataset:
    """Return labels with their feature, also where they are beyond its classes, as a damaged file may hold them."""
    features = Features({"label": kind})
    column = pa.array(labels, features.arrow_schema.field("label").type)
    return Dataset(pa.table({"label": column}), info=DatasetInfo(features=features))


@pytest.mark.parametrize(
    ("labels", "kind", "wanted"),
    [
        ([0, 2, None, -1], Value("int8"), [0, 2, None, -1]),
        ([0.0, 2.0, None, -1.0], Value("float64"), [0, 2, None, -1]),
        ([1.0, float("nan")], Value("float32"), [1, None]),
        (["yes", "no", None, "", " "], Value("string"), [1, 0, None, None, None]),
        ([0, 2, None, -1], ClassLabel(names=["maybe", "no", "yes"]), [2, 1, None, None]),
        ([1, 1], ClassLabel(names=["other", "yes"]), [1, 1]),
        ([None, None], Value("null"), [None, None]),
    ],
)
def test_labels_of_every_spelling_are_read(labels: list[Any], kind: Any, wanted: list[int | None]) -> None:
    for data in (labelled(labels, kind), concatenate_datasets([labelled(labels, kind)] * 2).select(range(len(labels)))):
        assert with_classes(data, "label", THREE)["label"][:] == wanted


@pytest.mark.parametrize(
    ("labels", "kind", "message"),
    [
        ([1, 2, 3], Value("int64"), r"\[3\], first on row 2; subtract 1"),
        ([1, 2, 3], ClassLabel(names=["maybe", "no", "yes"]), r"\[3\], first on row 2; subtract 1"),
        ([1, 2, 3], ClassLabel(names=THREE), r"\[3\], first on row 2; subtract 1"),
        ([0, 1, 5], Value("int64"), r"\[5\], first on row 2"),
        ([0, 1, 5], ClassLabel(names=["yes", "no"]), r"\[5\], first on row 2"),
        ([0, -2], ClassLabel(names=["yes", "no"]), r"\[-2\], first on row 1"),
        ([0, 1.5, None], Value("float64"), r"has 1\.5 on row 1"),
        ([0, float("inf")], Value("float64"), r"has inf on row 1"),
        ([0, 3.0, None], Value("float64"), r"\[3\], first on row 1"),
        (["yes", "Yes"], Value("string"), r"\['Yes'\], first on row 1"),
        ([0, 1], ClassLabel(names=["yes", "other"]), r"\['other'\], first on row 1"),
        ([2**63], Value("uint64"), "first on row 0"),
    ],
)
def test_labels_beyond_the_classes_are_refused_with_their_row(labels: list[Any], kind: Any, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        with_classes(labelled(labels, kind), "label", THREE)


@given(
    labels=st.lists(st.one_of(st.none(), st.integers(-3, 6)), max_size=8),
    order=st.permutations(THREE),
    kind=st.sampled_from(["int64", "float64", "class"]),
    names=st.sampled_from([THREE, THREE[:2], [*THREE, "never"]]),
)
def test_a_class_number_means_its_own_class_or_is_refused(
    labels: list[int | None], order: list[str], kind: str, names: list[str]
) -> None:
    feature = ClassLabel(names=order) if kind == "class" else Value(kind)
    given_names = order if kind == "class" else names
    meaning = [None if label in {None, -1} else label for label in labels]
    valid = all(label is None or 0 <= label < len(given_names) for label in meaning)
    valid = valid and all(label is None or given_names[label] in names for label in meaning)
    if not valid:
        with pytest.raises(LabelError):
            with_classes(labelled(labels, feature), "label", names)
        return
    found = with_classes(labelled(labels, feature), "label", names)["label"][:]
    assert [names[label] if label is not None and label >= 0 else None for label in found] == [
        None if label is None else given_names[label] for label in meaning
    ]


def test_where_the_names_are_other_numbers_a_number_is_a_name() -> None:
    stars = ["1", "2", "3", "4", "5"]
    assert with_classes(labelled([1, 5, None, -1], Value("int64")), "label", stars)["label"][:] == [0, 4, None, None]
    assert with_classes(labelled([2.0], Value("float64")), "label", stars)["label"][:] == [1]
    assert with_classes(labelled([-1, 1], Value("int64")), "label", ["-1", "0", "1"])["label"][:] == [0, 2]
    with pytest.raises(LabelError, match=r"\['0'\], first on row 0"):
        with_classes(labelled([0], Value("int64")), "label", stars)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (listed([["O", "B-Y"]], Value("string")), LabelError),
        (listed([[3]], Value("int64")), LabelError),
        (listed([[0]], ClassLabel(names=["PER"])), LabelError),
        (listed([[True]], Value("bool")), ColumnError),
        (Dataset.from_dict({"other": ["O"]}), ColumnError),
    ],
)
def test_tags_that_are_not_the_tasks_are_refused(data: Dataset, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        with_classes(data, "tags", NAMES)
