"""Laws of the question-answering scores and of the rules behind them; the official cases are in test_parity.py."""

import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import MetricError
from xquality.metrics._answer_tokens import SEGMENTED, SQUAD, Rules, mlqa_rules
from xquality.metrics.question_answering import (
    mlqa,
    mlqa_each,
    normalised,
    squad,
    squad_each,
    squad_from,
    squad_segmented,
    squad_v2,
    squad_v2_each,
)

words = st.lists(st.sampled_from(["the", "cat", "Sat", "on", "a", "mat", "!", "北京"]), max_size=5).map(" ".join)
questions = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=3), st.tuples(words, st.lists(words, min_size=1, max_size=3)), min_size=1
)


def sides(rows: dict[str, tuple[str, list[str]]]) -> tuple[dict[str, str], dict[str, list[str]]]:
    found = {question: text for question, (text, _) in rows.items()}
    return found, {question: answers for question, (_, answers) in rows.items()}


@given(questions, st.randoms(use_true_random=False))
def test_the_order_of_questions_changes_at_most_the_last_digit(rows: Any, shuffler: Any) -> None:
    found, right = sides(rows)
    shuffled = dict(shuffler.sample(list(right.items()), len(right)))
    assert squad(found, shuffled) == pytest.approx(squad(found, right), rel=1e-13)
    assert squad(dict(reversed(found.items())), right) == squad(found, right)


@given(questions)
def test_a_right_answer_scores_100(rows: Any) -> None:
    _, right = sides(rows)
    found = {question: answers[-1] for question, answers in right.items()}
    assert squad(found, right)["exact_match"] == 100.0
    empty = [question for question, answers in right.items() if not any(map(normalised, answers))]
    wanted = 100 * sum(bool(normalised(answers[-1])) for answers in right.values()) / len(right)
    assert squad(found, right)["f1"] >= wanted - 1e-9
    assert (squad(found, right)["f1"] < 100.0) or not empty


@given(questions)
def test_more_right_answers_never_lower_a_score(rows: Any) -> None:
    found, right = sides(rows)
    fewer = {question: answers[:1] for question, answers in right.items()}
    for name, value in squad(found, fewer).items():
        assert squad(found, right)[name] >= value


@given(questions)
def test_the_statistics_add_up_to_the_score(rows: Any) -> None:
    found, right = sides(rows)
    statistics = squad_each(found, right)
    assert statistics.shape == (len(right), 3)
    assert squad_from(statistics) == squad(found, right)
    assert squad_from(statistics.sum(axis=0)) == pytest.approx(squad(found, right))
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


tokens = st.lists(st.sampled_from("bcdef"), min_size=1, max_size=40)


@given(tokens, tokens)
def test_f1_is_the_overlap_of_multisets(found: list[str], right: list[str]) -> None:
    shared = (Counter(found) & Counter(right)).total()
    precision, recall = shared / len(found), shared / len(right)
    wanted = 2 * precision * recall / (precision + recall) if shared else 0.0
    assert squad_each({"q": " ".join(found)}, {"q": [" ".join(right)]})[0, 1] == wanted


def test_sums_are_neither_compensated_nor_pairwise() -> None:
    # Python's own sum gives exactly 100 from version 3.12 on, and NumPy's another last digit.
    statistics = np.tile([1.0, 0.1, 1.0], (1000, 1))
    total = 0.0
    for value in statistics[:, 1].tolist():
        total += value
    assert total not in (100.0, float(np.sum(statistics[:, 1])))
    assert squad_from(statistics)["f1"] == 100.0 * total / 1000
    assert squad_from(statistics[0]) == {"exact_match": 100.0, "f1": 10.0}


def test_a_repeated_id_counts_again() -> None:
    assert squad({"q": "x"}, [("q", ["x"]), ("q", ["y"]), ("p", ["z"])])["exact_match"] == 100.0 * 1 / 3


def test_answers_without_tokens_match_but_share_none() -> None:
    assert squad({"q": "the"}, {"q": ["a"]}) == {"exact_match": 100.0, "f1": 0.0}


def test_a_question_without_prediction_needs_no_right_answer() -> None:
    assert squad({"q": "x"}, {"q": ["x"], "p": []}) == {"exact_match": 50.0, "f1": 50.0}


def test_chinese_and_thai_are_one_token_officially_and_characters_in_the_segmented_metric() -> None:
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
        ({"q": "x"}, {"q": []}, "no list of right answers"),
        ({"q": "x"}, {"q": "x"}, "no list of right answers"),
        ({"q": None}, {"q": ["x"]}, "None was found"),
        ({"q": 12}, {"q": ["12"]}, "12 was found"),
        ({"q": "12"}, {"q": [12]}, "12 was found"),
        ({"q": b"x"}, {"q": ["x"]}, "b'x' was found"),
        ({"q": ["x"]}, {"q": ["x"]}, r"\['x'\] was found"),
    ],
)
def test_answers_that_cannot_be_compared_are_refused(found: Any, right: Any, said: str) -> None:
    for score in (squad, squad_segmented, lambda *sides: mlqa(*sides, "en")):
        with pytest.raises(MetricError, match=said):
            score(found, right)


def test_statistics_without_a_question_are_refused() -> None:
    with pytest.raises(MetricError, match="at least one question"):
        squad_from(np.zeros((0, 3)))


# ---- SQuAD v2

v2_words = st.lists(st.sampled_from(["the", "cat", "sat", "!", "mat"]), max_size=4).map(" ".join)
v2_questions = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=2),
    st.tuples(v2_words, st.lists(v2_words, max_size=2), st.sampled_from([0.0, 0.2, 0.5, 0.9])),
    min_size=1,
)


def v2_sides(rows: Any) -> tuple[dict[str, str], dict[str, list[str]], dict[str, float]]:
    columns = ({question: row[place] for question, row in rows.items()} for place in range(3))
    return tuple(columns)


@given(v2_questions)
def test_the_parts_of_v2_make_the_whole(rows: Any) -> None:
    found, right, _ = v2_sides(rows)
    scores = squad_v2(found, right)
    for name in ("exact", "f1"):
        parts = [(scores.get(f"{part}_{name}", 0.0), scores.get(f"{part}_total", 0)) for part in ("HasAns", "NoAns")]
        assert sum(score * count for score, count in parts) / scores["total"] == pytest.approx(scores[name])
    assert scores["total"] == len(right)
    assert squad_from(squad_v2_each(found, right)) == {"exact_match": scores["exact"], "f1": scores["f1"]}


@given(v2_questions)
def test_questions_with_tokens_in_their_answers_score_as_in_v1(rows: Any) -> None:
    found, right, _ = v2_sides(rows)
    right = {question: [answer for answer in answers if normalised(answer)] for question, answers in right.items()}
    right = {question: answers for question, answers in right.items() if answers}
    if right:
        scores, first = squad_v2(found, right), squad(found, right)
        assert (scores["exact"], scores["f1"]) == (first["exact_match"], first["f1"])


@given(v2_questions)
def test_the_best_threshold_is_the_best_of_all(rows: Any) -> None:
    found, right, no_answer = v2_sides(rows)
    # Above a threshold no answer is given. The official search starts with none given at all.
    scores = squad_v2(found, right, no_answer)
    for name in ("exact", "f1"):
        best = scores[f"best_{name}_thresh"]
        if len(set(no_answer.values())) == len(no_answer):
            assert scores[f"best_{name}"] >= squad_v2(found, right, no_answer, threshold=best)[name] - 1e-9
        cuts = [squad_v2(found, right, no_answer, threshold=cut)[name] for cut in (*no_answer.values(), 1.0)]
        if not any(text and not right[question] for question, text in found.items()):
            assert scores[f"best_{name}"] >= max(cuts) - 1e-9


def test_no_answer_is_right_where_there_is_none() -> None:
    scores = squad_v2({"q": "", "p": "x"}, {"q": [], "p": []})
    assert (scores["exact"], scores["f1"], scores["NoAns_total"]) == (50.0, 50.0, 2)
    assert "HasAns_exact" not in scores


def test_an_answer_without_tokens_is_no_answer_in_v2() -> None:
    assert squad_v2({"q": "the"}, {"q": []})["f1"] == 100.0
    assert squad_v2({"q": "the"}, {"q": ["cat"]})["f1"] == 0.0


def test_an_answer_whose_no_answer_probability_exceeds_the_threshold_is_dropped() -> None:
    right = {"q": [], "p": ["cat"]}
    found, no_answer = {"q": "cat", "p": "cat"}, {"q": 0.8, "p": 0.1}
    assert squad_v2(found, right, no_answer)["exact"] == 50.0
    assert squad_v2(found, right, no_answer, threshold=0.5)["exact"] == 100.0
    assert squad_v2(found, right, no_answer)["best_exact"] == 100.0
    assert squad_v2(found, right, no_answer)["best_exact_thresh"] == 0.1


@pytest.mark.parametrize(
    ("found", "right", "no_answer", "said"),
    [
        ({}, {}, None, "at least one question"),
        ({}, {"q": []}, None, "has no prediction"),
        ({"q": None}, {"q": []}, None, "None was found"),
        ({"q": "x"}, {"q": "x"}, None, "needs lists of strings"),
        ({"q": "x"}, {"q": [1]}, None, "1 was found"),
        ({"q": "x", "p": ""}, {"q": [], "p": []}, {"q": 0.5}, "'p' has no probability"),
    ],
)
def test_what_v2_cannot_score_is_refused(found: Any, right: Any, no_answer: Any, said: str) -> None:
    with pytest.raises(MetricError, match=said):
        squad_v2(found, right, no_answer)


@pytest.mark.parametrize("score", [squad, squad_v2])
def test_answers_in_the_form_of_the_datas_rows_are_refused(score: Any) -> None:
    with pytest.raises(MetricError, match="answer"):
        score({"q": "Rom"}, {"q": {"text": ["Rom"], "answer_start": [0]}})


# ---- The rules that turn answers into tokens

LANGUAGES = ["ar", "de", "en", "es", "hi", "vi", "zh"]
# What the rules depend on: articles, punctuation, blanks, case that depends on its neighbours, the edges of ranges.
PIECES = [
    *"a an the The el la der das của là ال القاهرة 北 京 龥 龦 の ก ΟΔΟΣ ς İ ß é x 3".split(),
    *["e\u0301", "\u0301", " ", "  ", "\u00a0", "\u3000", "\u200b", "\x1f", "\u2028", "\n", "\0"],
    *["-", "'", "\u2019", "。", "।", "،", "€", "½", "."],
]
texts = st.lists(st.lists(st.sampled_from(PIECES), max_size=8).map("".join), max_size=8)
rules = st.sampled_from([SQUAD, SEGMENTED, *map(mlqa_rules, LANGUAGES)])


@given(texts, rules)
def test_texts_together_have_the_tokens_of_each_alone(many: list[str], rule: Rules) -> None:
    assert rule.tokenise(many) == [rule.tokenise([text])[0] for text in many]


@given(texts, rules)
def test_tokens_have_neither_blanks_nor_capitals_nor_ascii_punctuation(many: list[str], rule: Rules) -> None:
    for token in (token for tokens in rule.tokenise(many) for token in tokens):
        assert token
        assert token == token.lower()
        assert not re.search(r"\s", token)
        assert not set(token) & set(string.punctuation)


@given(texts, st.sampled_from(LANGUAGES))
def test_mlqa_drops_all_unicode_punctuation(many: list[str], language: str) -> None:
    for text in many:
        assert not [letter for letter in normalised(text, language) if unicodedata.category(letter).startswith("P")]


@given(texts)
def test_squads_rules_follow_their_definition(many: list[str]) -> None:
    for text in many:
        kept = "".join(character for character in text.lower() if character not in string.punctuation)
        assert normalised(text) == " ".join(re.sub(r"\b(a|an|the)\b", " ", kept).split())


@pytest.mark.parametrize(
    ("language", "text", "wanted"),
    [
        ("en", "The cat, an animal", ["cat", "animal"]),
        ("en", "l'état", ["létat"]),
        ("es", "Los gatos y una casa", ["gatos", "y", "casa"]),
        ("es", "the gato", ["the", "gato"]),
        ("de", "Der Hund des Nachbarn", ["hund", "nachbarn"]),
        ("de", "die-die", ["diedie"]),
        ("vi", "những người của tôi", ["người", "tôi"]),
        ("vi", "cu\u0309a tôi", ["cu\u0309a", "tôi"]),
        ("ar", "والقاهرة", ["و", "قاهرة"]),
        ("ar", "قال", ["ق"]),
        ("hi", "दिल्ली।", ["दिल्ली"]),
        ("zh", "3.5亿NBA 总决赛", ["35", "亿", "nba", "总", "决", "赛"]),
        ("zh", "日本のの字", ["日", "本", "のの", "字"]),
        ("zh", "龥龦x", ["龥", "龦x"]),
    ],
)
def test_the_rules_of_a_language(language: str, text: str, wanted: list[str]) -> None:
    assert normalised(text, language) == " ".join(wanted)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("北京大学。", ["北", "京", "大", "学"]),
        ("กรุงเทพ", ["ก", "รุ", "ง", "เ", "ท", "พ"]),
        ("東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("the Beatles (1962)", ["the", "beatles", "1962"]),
        ("서울 시", ["서울", "시"]),
    ],
)
def test_scripts_without_blanks_are_split_into_characters(text: str, wanted: list[str]) -> None:
    assert SEGMENTED.tokenise([text]) == [wanted]


@pytest.mark.parametrize("language", ["fr", "", "EN", None])
@pytest.mark.parametrize("score", [mlqa, mlqa_each])
def test_mlqa_has_seven_languages(language: str, score: Callable[..., object]) -> None:
    with pytest.raises(MetricError, match="ar, de, en, es, hi, vi, zh"):
        score({"q": "x"}, {"q": ["x"]}, language)
