"""Missing texts and answers, however they are spelt, are refused or left out by every head, and never read."""

from pathlib import Path
from typing import Any

import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from xquality.errors import ColumnError, LabelError
from xquality.evaluation import evaluate, references
from xquality.heads import ChoiceHead, MaskedLMHead, RetrievalHead, SequenceHead, SpanHead, TokenHead
from xquality.tasks import MemorySource, Task
from xquality.train import Stage, fit

TEXT = Value("string")
ANSWERS = {"text": List(TEXT), "answer_start": List(Value("int32"))}
FEATURES = Features(
    {
        "text": TEXT,
        "more": TEXT,
        "label": ClassLabel(names=["0", "1"]),
        "tokens": List(TEXT),
        "tags": List(ClassLabel(names=["O", "X"])),
        "options": List(TEXT),
        "answers": ANSWERS,
    }
)
ROW = {
    "text": "a b c",
    "more": "d",
    "label": 0,
    "tokens": ["a", "b"],
    "tags": [0, 1],
    "options": ["x", "y"],
    "answers": {"text": ["b"], "answer_start": [2]},
}
SEQUENCE = SequenceHead(("text", "more"), ("0", "1"))
SPAN = SpanHead(context="text", question="more")
CHOICE = ChoiceHead(context="text", question="more")
RETRIEVAL = RetrievalHead(source="text", target="more")


def rows(**changed: Any) -> Dataset:
    """Return three rows of which the last differs."""
    return Dataset.from_list([ROW, ROW, {**ROW, **changed}], features=FEATURES)


@pytest.mark.parametrize(
    ("head", "changed"),
    [
        (SEQUENCE, {"text": None}),
        (SEQUENCE, {"more": None}),
        (TokenHead(("O", "X"), tags="tags"), {"tokens": None}),
        (TokenHead(("O", "X"), tags="tags"), {"tokens": ["a", None]}),
        (CHOICE, {"text": None}),
        (CHOICE, {"more": None}),
        (CHOICE, {"options": None}),
        (CHOICE, {"options": ["x", None]}),
        (SPAN, {"text": None}),
        (SPAN, {"more": None}),
        (SPAN, {"answers": None}),
        (MaskedLMHead(), {"text": None}),
        (RETRIEVAL, {"more": None}),
    ],
)
def test_a_null_is_refused_with_its_row(head: Any, changed: dict[str, Any]) -> None:
    head.check(rows())
    with pytest.raises(ColumnError, match=f"'{next(iter(changed))}'.*1 .*null, the first on row 2; leave"):
        head.check(rows(**changed))


@pytest.mark.parametrize("head", [SEQUENCE, CHOICE, RETRIEVAL])
def test_rows_without_any_text_are_warned_of(head: Any) -> None:
    head.check(rows(more=""))
    with pytest.warns(UserWarning, match="1 rows have no text in text or more, the first of them row 2"):
        head.check(rows(text="", more=" "))


NONE = [
    {"text": [], "answer_start": []},
    {"text": [""], "answer_start": [0]},
    {"text": [" "], "answer_start": [1]},
    {"text": [None], "answer_start": [None]},
    {"text": None, "answer_start": None},
]


@pytest.mark.parametrize("answers", NONE)
def test_an_answer_without_a_text_is_none(answers: dict[str, Any]) -> None:
    data = rows(answers=answers)
    with pytest.raises(LabelError, match="question on row 2 has no answer with a text"):
        SPAN.check(data)
    head = SpanHead(context="text", question="more", unanswerable=True)
    head.check(data)
    assert list(head.references(data.add_column("id", ["p", "q", "r"])).values()) == [["b"], ["b"], []]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ({"text": ["b"], "answer_start": [None]}, "answer on row 2 has no offset"),
        ({"text": ["b"], "answer_start": []}, "answer on row 2 has no offset"),
        ({"text": ["", "c"], "answer_start": [0, 0]}, "'c' on row 2 is not found at offset 0"),
    ],
)
def test_an_answer_without_a_right_offset_is_refused(answers: dict[str, Any], message: str) -> None:
    with pytest.raises(LabelError, match=message):
        SPAN.check(rows(answers=answers))


def test_training_and_evaluation_refuse_them_before_any_work(encoder: Path) -> None:
    with pytest.raises(ColumnError, match="first on row 2"):
        fit(
            [Stage(Task("own", ("es",), "es", MemorySource({}), SEQUENCE), rows(text=None), steps=1)],
            model=encoder,
            seed=0,
        )
    source = MemorySource({("es", "test"): rows(text=None, answers=None)})
    with pytest.raises(ColumnError, match="first on row 2"):
        evaluate(encoder, Task("own", ("es",), "es", source, RETRIEVAL))
    with pytest.raises(ColumnError, match="first on row 2"):
        references(Task("own", ("es",), "es", source, SPAN))
