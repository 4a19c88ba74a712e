import numpy as np
import pyarrow as pa
import pytest
from datasets import Dataset, Features, List, Value

import xquality as xq
from xquality.errors import LabelError
from xquality.transforms.translation_noise.answers import Answers
from xquality.transforms.translation_noise.segmentation import segment


def rows(context, *answers, uid=0):
    found = [{"text": [text for text, _ in answers], "answer_start": [start for _, start in answers]}]
    return Dataset.from_dict({"context": [context], "answers": found, "uid": [uid]})


def noise(**settings):
    return xq.TranslationNoise(**{"severity": 1.0, "columns": ("context",), "errors": ("repetition",), **settings})


def test_every_answer_of_a_row_moves_along():
    after = noise(severity=0.5)(rows("año ñandú ¿qué? 東京 fin", ("ñandú", 4), ("fin", 19)), seed=1)[0]
    for text, start in zip(after["answers"]["text"], after["answers"]["answer_start"], strict=True):
        assert after["context"][start : start + len(text)] == text
    assert after["answers_before"]["answer_start"] == [4, 19]


def test_one_broken_answer_of_several_is_a_lost_row():
    data = rows("uno dos tres", ("uno", 0), ("uno dos tres", 0))
    after = noise()(data, seed=1)
    assert after["context"][0] == "uno dos tres"
    assert after["context_before"][0] is None
    assert xq.history(after)[-1].details["answers_lost"] == 1
    assert len(noise(lost="drop")(data, seed=1)) == 0


def test_a_lost_answer_is_an_error_where_that_is_asked_for():
    with pytest.raises(LabelError, match="broke the answer of 1 rows, the first with the uid 7;"):
        noise(lost="error")(rows("uno dos tres", ("uno dos", 0), uid=7), seed=1)


def test_rows_without_an_answer_need_none_to_follow():
    after = noise()(rows("uno dos"), seed=1)[0]
    assert after["context"] == "uno uno dos dos"
    assert after["answers"]["text"] == []


def test_an_answer_without_a_text_is_no_answer_wherever_it_stands():
    for start in (-1, 0, 4, 999):
        data = rows("uno dos tres", ("", start), ("tres", 8))
        after = noise()(data, seed=1)[0]
        assert after["context"] == "uno uno dos dos tres tres"
        new = after["answers"]["answer_start"]
        assert new[0] == start
        assert after["context"][new[1] :].startswith("tres")


def many(context, answer, start, count=400):
    found = [{"text": [answer], "answer_start": [start]}] * count
    return Dataset.from_dict({"context": [context] * count, "answers": found})


def test_an_omitted_answer_is_not_found_in_a_hallucinated_tail():
    data = many("uno dos tres cuatro cinco", "dos", 4)
    after = noise(severity=0.5, errors=("omission", "hallucination"), lost="drop")(data, seed=1)
    assert {row["answers"]["answer_start"][0] for row in after} == {0, 4}
    assert 50 < xq.history(after)[-1].details["answers_lost"] < 150


def test_an_answer_whose_first_word_is_said_twice_is_parted():
    after = noise(severity=0.5, lost="drop")(many("uno dos tres", "dos tres", 4), seed=1)
    for row in after:
        assert "dos dos" not in row["context"]
        assert row["context"][row["answers"]["answer_start"][0] :].startswith("dos tres")
    assert any(row["context"].endswith("tres tres") for row in after)


@pytest.mark.parametrize("severity", [0.0, 1.0])
@pytest.mark.parametrize(
    ("text", "start"), [("dos", 3), ("dos", -3), ("tres", -4), ("uno", 99), ("s tres y", 6), ("東", 4)]
)
def test_an_answer_that_does_not_stand_at_its_offset_is_refused_in_every_row(text, start, severity):
    data = rows("uno dos tres", (text, start), uid="q7")
    with pytest.raises(LabelError, match=f"{text!r}, which does not stand at {start} .* uid 'q7'"):
        noise(severity=severity)(data, seed=1)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"text": [None], "answer_start": [0]}, "one of them is null"),
        ({"text": ["uno"], "answer_start": [None]}, "one of them is null"),
        ({"text": ["uno", "dos"], "answer_start": [0]}, "2 texts and 1 offsets"),
        ({"text": None, "answer_start": [0]}, "0 texts and 1 offsets"),
    ],
)
def test_an_answer_without_its_offset_is_refused(answer, said):
    features = Features(
        {
            "context": Value("string"),
            "answers": {"text": List(Value("string")), "answer_start": List(Value("int32"))},
            "uid": Value("int64"),
        }
    )
    data = Dataset.from_dict({"context": ["uno dos"], "answers": [answer], "uid": [5]}, features=features)
    with pytest.raises(LabelError, match=f"{said} in the row with the uid 5"):
        noise()(data, seed=1)


def test_offsets_count_characters_and_places_bytes():
    kind = pa.struct([("text", pa.list_(pa.string())), ("answer_start", pa.list_(pa.int32()))])
    given = pa.array([{"text": ["東", ""], "answer_start": [3, 0]}, None, {"text": ["ñu"], "answer_start": [1]}], kind)
    found = Answers.of("T", given, segment(pa.array(["é 1東", None, "👍ñu"])), pa.array([1, 2, 3]))
    assert found.row.tolist() == [0, 2]
    assert found.place.tolist() == [0, 2]
    assert found.start.tolist() == [4, 7 + 4]
    assert found.end.tolist() == [7, 7 + 7]


def test_fields_that_are_no_offsets_and_rows_without_answers_stay_as_they_were():
    features = Features(
        {
            "context": Value("large_string"),
            "answers": {"source": Value("string"), "text": List(Value("string")), "answer_start": List(Value("int64"))},
        }
    )
    answers = [
        {"source": "a", "text": ["dos"], "answer_start": [4]},
        None,
        {"source": None, "text": [], "answer_start": []},
    ]
    data = Dataset.from_dict({"context": ["uno dos"] * 3, "answers": answers}, features=features)
    after = noise()(data, seed=1)
    assert after.features["answers"] == features["answers"]
    assert after["answers"][:] == [{"source": "a", "text": ["dos"], "answer_start": [8]}, *answers[1:]]
    assert after["answers_before"][:] == [answers[0], None, None]
    assert np.array_equal([one is None for one in after["context_before"]], [False] * 3)
