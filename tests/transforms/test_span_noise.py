"""SpanNoise: wrong spans that stand where they say, on toy rows and on real ones in many scripts."""

from pathlib import Path

import pytest
from datasets import Dataset, List, Value

import xquality as xq
from xquality import toy
from xquality.errors import ColumnError, LabelError, SettingError

KINDS = ("shift", "widen", "elsewhere", "unanswerable")


def check_offsets(noisy: Dataset) -> None:
    for row in noisy:
        for text, start in zip(row["answers"]["text"], row["answers"]["answer_start"], strict=True):
            assert row["context"][start : start + len(text)] == text
        first = row["answers_before"]
        if first is not None and first["text"] and row["answers"]["text"]:
            assert row["answers"]["text"] != first["text"]
            assert len(row["answers"]["text"]) == 1


@pytest.mark.parametrize("language", toy.LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_alone_changes_the_share_and_keeps_offsets_right(language: str, kind: str) -> None:
    data = toy.questions.load(language, "validation")
    noisy = xq.SpanNoise(0.4, (kind,))(data, seed=1)
    check_offsets(noisy)
    record = xq.history(noisy)[-1]
    assert record.changed == round(0.4 * len(data))
    assert record.details["kinds"] == {kind: record.changed}


def test_the_kinds_do_what_they_say() -> None:
    data = toy.questions.load("es", "train")
    for kind in KINDS:
        for row in xq.SpanNoise(1.0, (kind,))(data, seed=1):
            first, now = row["answers_before"], row["answers"]
            if first is None:
                continue  # a context without such a span
            if kind == "unanswerable":
                assert now == {"text": [], "answer_start": []}
                continue
            start, end = first["answer_start"][0], first["answer_start"][0] + len(first["text"][0])
            begin, stop = now["answer_start"][0], now["answer_start"][0] + len(now["text"][0])
            if kind == "widen":
                assert begin <= start < end <= stop
            if kind == "elsewhere":
                assert stop <= start or begin >= end
                assert len(now["text"][0].split()) == len(first["text"][0].split())


def test_a_question_without_an_answer_is_given_one() -> None:
    data = toy.questions.load("de", "validation").map(lambda _: {"answers": {"text": [], "answer_start": []}})
    noisy = xq.SpanNoise(0.5, ("unanswerable",))(data, seed=1)
    check_offsets(noisy)
    assert sum(bool(row["answers"]["text"]) for row in noisy) == round(0.5 * len(data))
    assert xq.history(xq.SpanNoise(0.0)(data, seed=1))[-1].changed == 0


@pytest.mark.parametrize("language", ["ar", "de", "es", "hi", "ru", "th", "zh"])
def test_real_rows_in_many_scripts_keep_their_offsets(real_data: Path, language: str) -> None:
    data = Dataset.from_parquet(str(real_data / "xquad" / f"xquad.{language}" / "validation.parquet")).select(
        range(150)
    )
    noisy = xq.SpanNoise(0.5, KINDS)(data, seed=1)
    check_offsets(noisy)
    assert xq.history(noisy)[-1].changed == 75


def test_what_cannot_be_changed_is_refused() -> None:
    data = toy.questions.load("es", "validation")
    for settings in ({"kinds": ()}, {"kinds": ("melt",)}, {"kinds": ("shift", "shift")}, {"kinds": "shift"}):
        with pytest.raises(SettingError):
            xq.SpanNoise(0.5, **settings)
    with pytest.raises(ColumnError):
        xq.SpanNoise(0.5, column="question")(data, seed=1)
    with pytest.raises(ColumnError):
        xq.SpanNoise(0.5, context="passage")(data, seed=1)
    moved = data.map(lambda row: {"answers": {"text": row["answers"]["text"], "answer_start": [0]}})
    with pytest.raises(LabelError, match="is not at 0 of its context"):
        xq.SpanNoise(1.0)(moved, seed=1)


@pytest.mark.parametrize("blank", [{"text": [""], "answer_start": [0]}, {"text": [None], "answer_start": [None]}])
def test_an_answer_without_a_text_is_none(blank: dict) -> None:
    rows = [
        {"context": "a b c d", "answers": {"text": ["b"], "answer_start": [2]}},
        {"context": "a b", "answers": blank},
    ]
    data = Dataset.from_list(rows)
    assert xq.SpanNoise(1.0)(data, seed=1)["answers"][1] == blank
    changed = xq.SpanNoise(1.0, ("unanswerable",))(data, seed=1)["answers"][:]
    assert changed[0]["text"] == []
    assert changed[1]["text"][0] in {"a", "b"}


def test_an_answer_without_an_offset_is_refused() -> None:
    data = Dataset.from_list([{"context": "a b c d", "answers": {"text": ["b"], "answer_start": [None]}}] * 2)
    with pytest.raises(LabelError, match="without an offset"):
        xq.SpanNoise(1.0)(
            data.cast_column("answers", {"text": List(Value("string")), "answer_start": List(Value("int32"))}), seed=1
        )
