"""Every shape has one set of columns and types, whatever the data have."""

from typing import Any

import pytest
from datasets import ClassLabel, Dataset, Features, List, Value, concatenate_datasets
from hypothesis import given
from hypothesis import strategies as st

import xquality as xq
from xquality.errors import ColumnError, LabelError
from xquality.tasks import shapes

TEXT = Value("string")


def stamped(**columns: list[Any]) -> Dataset:
    return xq.with_uid(Dataset.from_dict(columns))


def test_pairs_leave_other_columns_out_and_keep_rows_without_a_label() -> None:
    data = stamped(idx=[7, 8, 9], label=["neutral", None, "entailment"], hypothesis=["b"] * 3, premise=["a"] * 3)
    found = shapes.pairs(data)
    label = ClassLabel(names=["entailment", "neutral", "contradiction"])
    assert found.features == Features({"premise": TEXT, "hypothesis": TEXT, "label": label, "uid": Value("int64")})
    assert found["label"][:] == [1, None, 0]
    assert found["uid"][:] == [0, 1, 2]


def test_tokens_keep_the_hubs_name_for_the_tags() -> None:
    data = stamped(langs=[["en"]], ner_tags=[["B", "O"]], tokens=[["Ann", "sings"]])
    found = shapes.tokens(data, "ner_tags", ("O", "B"))
    assert found.features["ner_tags"] == List(ClassLabel(names=["O", "B"]))
    assert found.column_names == ["tokens", "ner_tags", "uid"]
    assert found[0] == {"tokens": ["Ann", "sings"], "ner_tags": [1, 0], "uid": 0}


def test_sentences_lose_the_blanks_around_them() -> None:
    found = shapes.sentences(stamped(target_sentence=["Good day.\n"], source_lang=["deu"], source_sentence=[" Tag.\r"]))
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
    answers = {"answer_start": [begin + shift], "text": [text]}
    found = shapes.spans(stamped(id=["q"], title=["t"], context=[context], question=["?"], answers=[answers]))
    assert found.column_names == ["id", "context", "question", "answers", "uid"]
    (place,) = found[0]["answers"]["answer_start"]
    assert context[place : place + len(text)] == found[0]["answers"]["text"][0] == text
    places = [one for one in range(len(context) + 1) if context.startswith(text, one)]
    assert abs(place - (begin + shift)) == min(abs(one - (begin + shift)) for one in places)


def test_a_question_without_an_answer_has_empty_lists() -> None:
    features = {"id": TEXT, "context": TEXT, "question": TEXT, "answers": shapes.ANSWERS}
    row = {"id": "q", "context": "c", "question": "?", "answers": {"text": [], "answer_start": []}}
    found = shapes.spans(xq.with_uid(Dataset.from_list([row], features=Features(features))))
    assert found[0] == {**row, "uid": 0}
    assert dict(found.features) == {**features, "uid": Value("int64")}


def test_rows_that_share_a_context_and_chunks_and_rows_without_answers_are_told_apart() -> None:
    answers = [{"text": ["b"], "answer_start": [0]}, None, {"text": ["a", "c"], "answer_start": [0, 9]}]
    names = {"id": ["1", "2", "3"], "context": ["abc", "abc", "xa c"], "question": ["?"] * 3}
    one = Dataset.from_dict({**names, "answers": answers})
    for data in (one, concatenate_datasets([one.select([0]), one.select([1, 2])]), one.select([0, 1, 2])):
        found = shapes.spans(xq.with_uid(data))["answers"][:]
        assert [row["text"] for row in found] == [["b"], [], ["a", "c"]]
        assert [row["answer_start"] for row in found] == [[1], [], [1, 3]]
    empty = shapes.spans(xq.with_uid(one.select([])))
    assert (len(empty), empty.column_names) == (0, ["id", "context", "question", "answers", "uid"])


@pytest.mark.parametrize("answers", ["b", {"text": ["b"]}, {"text": ["b", "b"], "answer_start": [0]}])
def test_answers_of_another_form_are_refused(answers: Any) -> None:
    with pytest.raises(ColumnError, match="answer"):
        shapes.spans(stamped(id=["q"], context=["b"], question=["?"], answers=[answers]))


def test_an_answer_that_is_nowhere_is_refused() -> None:
    answers = {"answer_start": [0], "text": ["blue"]}
    with pytest.raises(LabelError, match="'blue' does not occur"):
        shapes.spans(stamped(id=["q"], context=["red"], question=["?"], answers=[answers]))


def test_choices_have_the_options_numbers_as_classes() -> None:
    found = shapes.choices(
        stamped(x=[0, 0, 0]), options=[["a", "b"], ["c", "d"], ["e", "f"]], answers=[1, None, -1], number=2
    )
    as_text = shapes.choices(stamped(x=[0, 0]), options=[["a", "b"], ["c", "d"]], answers=["1", ""], number=2)
    assert as_text["label"][:] == [1, None]
    wanted = {"context": TEXT, "question": TEXT, "options": List(TEXT), "label": ClassLabel(names=["0", "1"])}
    assert dict(found.features) == {**wanted, "uid": Value("int64")}
    assert found["label"][:] == [1, None, None]
    assert found[0] == {"context": "", "question": "", "options": ["a", "b"], "label": 1, "uid": 0}
    noisy = xq.ChoiceNoise(rate=1.0)(found.select([0]), seed=0)
    assert noisy["label"][:] == [0]


def test_choices_with_other_numbers_of_options_or_answers_are_refused() -> None:
    with pytest.raises(ColumnError, match="2 options were expected on every row, but row 1 has 3"):
        shapes.choices(stamped(x=[0, 0]), options=[["a", "b"], ["c", "d", "e"]], answers=[0, 0], number=2)
    with pytest.raises(LabelError, match="Answers from 0 to 1 were expected, but there are \\['2', 'B'\\]"):
        shapes.choices(stamped(x=[0, 0]), options=[["a", "b"]] * 2, answers=[2, "B"], number=2)


@pytest.mark.parametrize(
    "shape", [shapes.pairs, shapes.sentences, shapes.spans, lambda data: shapes.tokens(data, "tags", ("O",))]
)
def test_a_missing_column_is_refused(shape: Any) -> None:
    with pytest.raises(ColumnError, match=r"Task\.load reads the column"):
        shape(stamped(other=["x"]))
