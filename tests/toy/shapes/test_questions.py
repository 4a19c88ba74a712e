"""Questions: the answer stands in the context where it is said to stand, and only one sentence gives it."""

import functools

import numpy as np
import pytest

from xquality.toy import generate as module
from xquality.toy.generate import LANGUAGES, SIZES
from xquality.toy.shapes import questions
from xquality.transforms import Draw

generate = functools.cache(module.generate)  # the tests read the same splits again and again


def draw(start: int, stop: int) -> Draw:
    return Draw(seed=0, scope="test", stream=0, uids=np.arange(start, stop, dtype=np.uint64))


@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_stand_where_they_are_said_to_stand(language: str) -> None:
    for split in SIZES["questions"]:
        data = generate("questions", language, split)
        assert len(set(data["id"])) == data.num_rows
        for row in data:
            (start,), (text,) = row["answers"]["answer_start"], row["answers"]["text"]
            assert text
            assert row["context"][start : start + len(text)] == text
            assert text not in row["question"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_context_is_its_sentences_and_one_of_them_alone_gives_the_answer(language: str) -> None:
    for row in questions.plan(draw(0, 100)):
        said = row.record(language)
        texts = [sentence.text(language) for sentence in row.context]
        assert said["context"] == ("" if language == "zh" else " ").join(texts)
        (start,) = said["answers"]["answer_start"]  # type: ignore[index]
        lengths = [len(text) + (language != "zh") for text in texts]
        assert sum(lengths[: row.evidence]) <= start < sum(lengths[: row.evidence + 1])
        asked = set(row.question.fill)
        giving = [set(one.fill) >= asked and row.slot in dict(one.fill) for one in row.context]
        assert [place for place, gives in enumerate(giving) if gives] == [row.evidence]


def test_the_id_is_of_the_meaning_and_not_of_the_language() -> None:
    rows = questions.plan(draw(0, 50))
    ids = [[row.record(language)["id"] for row in rows] for language in ("en", "ar")]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == len(set(rows))


def test_a_row_is_fixed_by_its_uid_alone() -> None:
    assert questions.plan(draw(3, 6)) == questions.plan(draw(0, 10))[3:6]
