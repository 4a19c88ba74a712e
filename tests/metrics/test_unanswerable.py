"""SQuAD v2, against its definition written out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import MetricError
from xquality.metrics.question_answering import normalised, squad, squad_from
from xquality.metrics.unanswerable import squad_v2, squad_v2_each

words = st.lists(st.sampled_from(["the", "cat", "sat", "!", "mat"]), max_size=4).map(" ".join)
questions = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=2),
    st.tuples(words, st.lists(words, max_size=2), st.sampled_from([0.0, 0.2, 0.5, 0.9])),
    min_size=1,
)


def sides(rows: Any) -> tuple[dict[str, str], dict[str, list[str]], dict[str, float]]:
    return (
        {one: row[0] for one, row in rows.items()},
        {one: row[1] for one, row in rows.items()},
        {one: row[2] for one, row in rows.items()},
    )


@given(questions)
def test_parts_make_the_whole(rows: Any) -> None:
    found, right, _ = sides(rows)
    scores = squad_v2(found, right)
    for name in ("exact", "f1"):
        parts = [(scores.get(f"{part}_{name}", 0.0), scores.get(f"{part}_total", 0)) for part in ("HasAns", "NoAns")]
        assert sum(score * count for score, count in parts) / scores["total"] == pytest.approx(scores[name])
    assert scores["total"] == len(right)
    assert squad_from(squad_v2_each(found, right)) == {"exact_match": scores["exact"], "f1": scores["f1"]}


@given(questions)
def test_questions_with_real_answers_score_as_in_v1(rows: Any) -> None:
    found, right, _ = sides(rows)
    right = {one: [gold for gold in golds if normalised(gold)] for one, golds in right.items()}
    right = {one: golds for one, golds in right.items() if golds}
    if right:
        scores, first = squad_v2(found, right), squad(found, right)
        assert (scores["exact"], scores["f1"]) == (first["exact_match"], first["f1"])


@given(questions)
def test_the_best_threshold_is_the_best_of_all(rows: Any) -> None:
    found, right, doubts = sides(rows)
    # Above a threshold no answer is given. The official search starts with none given at all.
    scores = squad_v2(found, right, doubts)
    for name in ("exact", "f1"):
        cut = scores[f"best_{name}_thresh"]
        if len(set(doubts.values())) == len(doubts):
            assert scores[f"best_{name}"] >= squad_v2(found, right, doubts, threshold=cut)[name] - 1e-9
        every = [squad_v2(found, right, doubts, threshold=one)[name] for one in (*doubts.values(), 1.0)]
        if not any(text and not right[one] for one, text in found.items()):
            assert scores[f"best_{name}"] >= max(every) - 1e-9


def test_no_answer_is_right_where_there_is_none() -> None:
    scores = squad_v2({"q": "", "p": "x"}, {"q": [], "p": []})
    assert (scores["exact"], scores["f1"], scores["NoAns_total"]) == (50.0, 50.0, 2)
    assert "HasAns_exact" not in scores


def test_what_normalises_to_nothing_overlaps_with_nothing() -> None:
    assert squad_v2({"q": "the"}, {"q": []})["f1"] == 100.0
    assert squad_v2({"q": "the"}, {"q": ["cat"]})["f1"] == 0.0


def test_a_doubtful_answer_is_taken_back() -> None:
    right = {"q": [], "p": ["cat"]}
    found, doubts = {"q": "cat", "p": "cat"}, {"q": 0.8, "p": 0.1}
    assert squad_v2(found, right, doubts)["exact"] == 50.0
    assert squad_v2(found, right, doubts, threshold=0.5)["exact"] == 100.0
    assert squad_v2(found, right, doubts)["best_exact"] == 100.0
    assert squad_v2(found, right, doubts)["best_exact_thresh"] == 0.1


@pytest.mark.parametrize(
    ("found", "right", "doubts", "said"),
    [
        ({}, {}, None, "at least one question"),
        ({}, {"q": []}, None, "has no prediction"),
        ({"q": None}, {"q": []}, None, "None was found"),
        ({"q": "x"}, {"q": "x"}, None, "needs lists of strings"),
        ({"q": "x"}, {"q": [1]}, None, "1 was found"),
        ({"q": "x", "p": ""}, {"q": [], "p": []}, {"q": 0.5}, "'p' has no probability"),
    ],
)
def test_what_cannot_be_scored_is_refused(found: Any, right: Any, doubts: Any, said: str) -> None:
    with pytest.raises(MetricError, match=said):
        squad_v2(found, right, doubts)


@pytest.mark.parametrize("score", [squad, squad_v2])
def test_answers_as_a_row_of_the_data_has_them_are_refused(score: Any) -> None:
    with pytest.raises(MetricError, match="answer"):
        score({"q": "Rom"}, {"q": {"text": ["Rom"], "answer_start": [0]}})
