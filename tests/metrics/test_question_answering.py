"""Laws of the question-answering scores; the official cases stand in test_parity.py."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import MetricError
from xquality.metrics.question_answering import (
    mlqa,
    mlqa_each,
    normalised,
    squad,
    squad_each,
    squad_from,
    squad_segmented,
)

words = st.lists(st.sampled_from(["the", "cat", "Sat", "on", "a", "mat", "!", "北京"]), max_size=5).map(" ".join)
questions = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=3), st.tuples(words, st.lists(words, min_size=1, max_size=3)), min_size=1
)


def sides(rows: dict[str, tuple[str, list[str]]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    return {one: text for one, (text, _) in rows.items()}, {one: golds for one, (_, golds) in rows.items()}


@given(questions, st.randoms(use_true_random=False))
def test_the_order_of_questions_changes_at_most_the_last_digit(rows: Any, luck: Any) -> None:
    found, right = sides(rows)
    shuffled = dict(luck.sample(list(right.items()), len(right)))
    assert squad(found, shuffled) == pytest.approx(squad(found, right), rel=1e-13)
    assert squad(dict(reversed(found.items())), right) == squad(found, right)


@given(questions)
def test_a_gold_answer_scores_100(rows: Any) -> None:
    _, right = sides(rows)
    found = {question: golds[-1] for question, golds in right.items()}
    assert squad(found, right)["exact_match"] == 100.0
    empty = [question for question, golds in right.items() if not any(map(normalised, golds))]
    wanted = 100 * sum(bool(normalised(golds[-1])) for golds in right.values()) / len(right)
    assert squad(found, right)["f1"] >= wanted - 1e-9
    assert (squad(found, right)["f1"] < 100.0) or not empty


@given(questions)
def test_more_gold_answers_never_lower_a_score(rows: Any) -> None:
    found, right = sides(rows)
    fewer = {question: golds[:1] for question, golds in right.items()}
    for name, value in squad(found, fewer).items():
        assert squad(found, right)[name] >= value


@given(questions)
def test_what_is_counted_adds_up_to_the_score(rows: Any) -> None:
    found, right = sides(rows)
    each = squad_each(found, right)
    assert each.shape == (len(right), 3)
    assert squad_from(each) == squad(found, right)
    assert squad_from(each.sum(axis=0)) == pytest.approx(squad(found, right))
    assert squad_from(mlqa_each(found, right, "zh")) == mlqa(found, right, "zh")


@given(questions)
def test_extra_predictions_are_ignored_and_missing_ones_score_0(rows: Any) -> None:
    found, right = sides(rows)
    assert squad({**found, "extra": "cat", "other": None}, right) == squad(found, right)  # type: ignore[dict-item]
    alone = {question: squad({question: text}, {question: right[question]}) for question, text in found.items()}
    half = dict(list(found.items())[::2])
    for name in ("exact_match", "f1"):
        wanted = sum(alone[question][name] for question in half) / len(right)
        assert squad(half, right)[name] == pytest.approx(wanted)


def test_a_repeated_id_counts_again() -> None:
    assert squad({"q": "x"}, [("q", ["x"]), ("q", ["y"]), ("p", ["z"])])["exact_match"] == 100.0 * 1 / 3


def test_what_normalises_to_nothing_matches_without_overlap() -> None:
    assert squad({"q": "the"}, {"q": ["a"]}) == {"exact_match": 100.0, "f1": 0.0}


def test_an_unanswered_question_needs_no_gold_answer() -> None:
    assert squad({"q": "x"}, {"q": ["x"], "p": []}) == {"exact_match": 50.0, "f1": 50.0}


def test_chinese_and_thai_are_one_token_officially_and_characters_in_the_other_reading() -> None:
    for part, whole in (("北京", "北京大学"), ("กรุงเทพ", "กรุงเทพมหานคร")):
        assert squad({"q": part}, {"q": [whole]})["f1"] == 0.0
        assert 50 < squad_segmented({"q": part}, {"q": [whole]})["f1"] < 100


def test_normalisation_is_by_squads_rules_or_a_languages() -> None:
    assert normalised("Die  Beatles!") == "die beatles"
    assert normalised("Die  Beatles!", "de") == "beatles"
    assert normalised("北京。", "zh") == "北 京"


@pytest.mark.parametrize(
    ("found", "right", "said"),
    [
        ({}, {}, "at least one question"),
        ({"q": "x"}, {"q": []}, "no list of gold answers"),
        ({"q": "x"}, {"q": "x"}, "no list of gold answers"),
        ({"q": None}, {"q": ["x"]}, "None was found"),
        ({"q": 12}, {"q": ["12"]}, "12 was found"),
        ({"q": "12"}, {"q": [12]}, "12 was found"),
        ({"q": b"x"}, {"q": ["x"]}, "b'x' was found"),
        ({"q": ["x"]}, {"q": ["x"]}, r"\['x'\] was found"),
    ],
)
def test_what_cannot_be_compared_is_refused(found: Any, right: Any, said: str) -> None:
    for score in (squad, squad_segmented, lambda *sides: mlqa(*sides, "en")):
        with pytest.raises(MetricError, match=said):
            score(found, right)


def test_statistics_without_a_question_are_refused() -> None:
    with pytest.raises(MetricError, match="at least one question"):
        squad_from(np.zeros((0, 3)))
