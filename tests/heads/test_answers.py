"""Answers: ranked by score, with no answer where it is far enough ahead."""

import pytest

from xquality.errors import ColumnError
from xquality.heads import Answer
from xquality.heads.answers import question_ids, ranked

SPANS = {(0, 2): 1.0, (3, 7): 3.0, (0, 7): 3.0}


def test_answers_come_best_first_and_equal_ones_by_their_place() -> None:
    found = ranked("in Lima", SPANS, 9.0, 2, None)
    assert found == [Answer("in Lima", 0, 3.0), Answer("Lima", 3, 3.0)]
    assert ranked("in Lima", {}, 9.0, 2, None) == [Answer("", -1, 9.0)]


@pytest.mark.parametrize(("null", "threshold", "first"), [(4.0, 0.0, ""), (4.0, 2.0, "in Lima"), (3.0, 0.0, "in Lima")])
def test_no_answer_is_first_only_where_it_is_far_enough_ahead(null: float, threshold: float, first: str) -> None:
    found = ranked("in Lima", SPANS, null, 20, threshold)
    assert found[0].text == first
    assert Answer("", -1, null) in found
    assert len(found) == 4


def test_questions_need_ids_of_their_own() -> None:
    from datasets import Dataset

    assert question_ids(Dataset.from_dict({"id": ["a", "b"]})) == ["a", "b"]
    with pytest.raises(ColumnError, match="stands there twice"):
        question_ids(Dataset.from_dict({"id": ["a", "a"]}))
    with pytest.raises(ColumnError):
        question_ids(Dataset.from_dict({"question": ["a"]}))
