import pytest
from datasets import Dataset

import xquality as xq
from xquality.errors import LabelError


def rows(context, *answers):
    found = [{"text": [text for text, _ in answers], "answer_start": [start for _, start in answers]}]
    return Dataset.from_dict({"context": [context], "answers": found})


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


def test_rows_without_an_answer_need_none_to_follow():
    after = noise()(rows("uno dos"), seed=1)[0]
    assert after["context"] == "uno uno dos dos"
    assert after["answers"]["text"] == []


def test_an_answer_that_does_not_stand_at_its_offset_is_refused():
    with pytest.raises(LabelError, match="'dos', which does not stand at 3"):
        noise()(rows("uno dos", ("dos", 3)), seed=1)
