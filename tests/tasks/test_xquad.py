"""XQuAD on real rows."""

from pathlib import Path

import pytest
from task_rows import load_splits

import xquality as xq
from xquality.errors import SourceError
from xquality.tasks import squad, xquad


def test_row_i_is_one_question_in_every_language_and_its_answer_stands_at_its_offset(real_data: Path) -> None:
    rows = load_splits(xquad, real_data)
    assert [language for language, split in rows if split == "validation"] == [
        language for language in xquad.languages if language != "el"
    ]
    for language in (language for language, split in rows if split == "validation"):
        data = rows[language, "validation"]
        assert len(data) == 1190
        assert data["id"][:] == rows["en", "validation"]["id"][:]
        for row in data:
            (start,), (text,) = row["answers"]["answer_start"], row["answers"]["text"]
            assert row["context"][start : start + len(text)] == text


def test_it_is_trained_on_english_squad_and_on_nothing_else(real_data: Path) -> None:
    mine, its = xquad.load("en", "train", real_data), squad.load("en", "train", real_data)
    assert xq.digest(mine) == xq.digest(its)
    with pytest.raises(SourceError, match="no split 'train'"):
        xquad.load("de", "train", real_data)


def test_what_spoils_an_answer_spoils_it_in_every_language(real_data: Path) -> None:
    changed = [
        [
            row["uid"]
            for row in xq.SpanNoise(rate=0.1)(xquad.load(language, "validation", real_data), seed=1)
            if row["answers_before"]
        ]
        for language in ("en", "zh")
    ]
    assert len(changed[0]) == 119
    assert len(set(changed[0]) & set(changed[1])) > 100  # a row without another span is passed over for the next


def test_the_task_has_the_eleven_languages_of_xtreme() -> None:
    assert len(set(xquad.languages)) == 11
    assert xquad.evaluation_split == "validation"
