"""Chunk F1 in both readings, token accuracy, and what they count; the official cases stand in test_parity.py."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import MetricError
from xquality.metrics.tagging import (
    chunk_counts,
    chunk_f1,
    chunk_f1_from,
    token_accuracy,
    token_accuracy_from,
    token_counts,
)

TAGS = ["O", "B-PER", "I-PER", "E-PER", "S-LOC", "B-LOC", "I-LOC", "B", "I", "O-PER", ".", "NOUN", "SYM", "CCONJ", "X"]
tagged = st.lists(st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), max_size=8), min_size=1, max_size=8)
versions = st.sampled_from(["0.0.12", "1.2.2"])


def sides(sentences: list[list[tuple[str, str]]]) -> tuple[list[list[str]], list[list[str]]]:
    return [[one for one, _ in sentence] for sentence in sentences], [[one for _, one in tags] for tags in sentences]


def chunks(sentence: list[str]) -> set[tuple[str, int, int]]:
    """Return the chunks of one plain BIO sentence, as the textbook defines them."""
    found, start = set(), None
    for place, tag in enumerate([*sentence, "O"]):
        if start is not None and (tag == "O" or tag[0] == "B" or tag[2:] != sentence[start][2:]):
            found.add((sentence[start][2:], start, place))
            start = None
        if tag != "O" and start is None:
            start = place
    return found


bio = st.lists(st.lists(st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]), max_size=9), min_size=1, max_size=6)


@given(bio, st.randoms(use_true_random=False), versions)
def test_on_bio_tags_both_readings_are_the_textbooks(gold: list[list[str]], luck: Any, version: str) -> None:
    found = [[luck.choice([tag, "O", "B-PER", "I-LOC"]) for tag in sentence] for sentence in gold]
    right = [(row, *one) for row, sentence in enumerate(gold) for one in chunks(sentence)]
    predicted = [(row, *one) for row, sentence in enumerate(found) for one in chunks(sentence)]
    correct = len(set(right) & set(predicted))
    scores = chunk_f1(found, gold, version)
    assert scores["precision"] == pytest.approx(100 * correct / max(1, len(predicted)))
    assert scores["recall"] == pytest.approx(100 * correct / max(1, len(right)))
    assert scores["f1"] == pytest.approx(200 * correct / max(1, len(predicted) + len(right)))


@given(tagged, versions)
def test_the_gold_tags_score_100_against_themselves(sentences: Any, version: str) -> None:
    gold, _ = sides(sentences)
    scores = chunk_f1(gold, gold, version)
    assert set(scores.values()) <= {0.0, 100.0}
    assert (scores["f1"] == 100.0) is bool(chunk_counts(gold, gold, version)[:, 2].sum())


@given(tagged, st.randoms(use_true_random=False))
def test_the_order_of_sentences_changes_no_digit(sentences: Any, luck: Any) -> None:
    assert chunk_f1(*sides(sentences)) == chunk_f1(*sides(luck.sample(sentences, len(sentences))))


@given(tagged, versions)
def test_counts_add_up_to_the_score(sentences: Any, version: str) -> None:
    counts = chunk_counts(*sides(sentences), version)
    assert counts.shape == (len(sentences), 3)
    assert chunk_f1_from(counts) == chunk_f1_from(counts.sum(axis=0)) == chunk_f1(*sides(sentences), version)


@given(tagged)
def test_a_sentence_counts_what_it_counts_alone(sentences: Any) -> None:
    found, gold = sides(sentences)
    alone = [chunk_counts([one], [other])[0].tolist() for one, other in zip(found, gold, strict=True)]
    assert chunk_counts(found, gold).tolist() == alone


def test_a_repaired_chunk_never_lowers_the_score() -> None:
    gold = [["B-PER", "I-PER", "O", "B-LOC", "O", "B-ORG"]]
    steps = [["O"] * 6, ["B-PER", "I-PER", "O", "O", "O", "O"], [*gold[0][:5], "O"], gold[0]]
    scores = [chunk_f1([one], gold)["f1"] for one in steps]
    assert scores == sorted(scores)
    assert (scores[0], scores[-1]) == (0.0, 100.0)


def test_runs_of_equal_parts_of_speech_are_one_chunk() -> None:
    gold = [["NOUN", "NOUN", "VERB"]]
    assert chunk_f1([["NOUN", "VERB", "VERB"]], gold)["f1"] == 0.0
    assert token_accuracy([["NOUN", "VERB", "VERB"]], gold)["accuracy"] == pytest.approx(200 / 3)


def test_the_readings_differ_where_a_type_has_no_prefix() -> None:
    assert chunk_f1([["CCONJ"]], [["SCONJ"]])["f1"] == 0.0
    assert chunk_f1([["CCONJ"]], [["SCONJ"]], seqeval="1.2.2")["f1"] == 100.0
    assert chunk_f1([["X"]], [["X"]])["f1"] == 100.0
    assert chunk_f1([["X"]], [["X"]], seqeval="1.2.2")["f1"] == 0.0


def test_the_old_reading_takes_a_list_of_tags_for_one_sentence() -> None:
    assert chunk_f1(["B-PER", "O"], ["B-PER", "O"])["f1"] == 100.0


def test_the_old_reading_lays_sentences_end_to_end() -> None:
    assert chunk_f1([["B-LOC"], ["O", "B-LOC"]], [["B-LOC", "O"], ["B-LOC"]])["f1"] == 100.0
    counts = chunk_counts([["B-LOC"]], [["B-LOC"], ["B-PER"]])
    assert counts.tolist() == [[1, 1, 1], [0, 0, 1]]


def test_tags_come_as_tuples_and_arrays_too() -> None:
    gold = [["B-PER", "I-PER"], ["O"]]
    assert chunk_f1(tuple(map(tuple, gold)), [np.array(one) for one in gold])["f1"] == 100.0
    assert token_accuracy([np.array(one) for one in gold], gold) == {"accuracy": 100.0}


@given(tagged)
def test_token_accuracy_is_the_share_of_equal_tags(sentences: Any) -> None:
    pairs = [pair for sentence in sentences for pair in sentence]
    if not pairs:
        return
    score = token_accuracy(*sides(sentences))["accuracy"]
    assert score == sum(one == other for one, other in pairs) / len(pairs) * 100
    assert token_accuracy_from(token_counts(*sides(sentences)).sum(axis=0)) == {"accuracy": score}


@pytest.mark.parametrize(
    ("found", "gold", "said"),
    [
        ([["B-PER", None]], [["O", "O"]], "None was found"),
        ([["B-PER", ""]], [["O", "O"]], "'' was found"),
        ([["B-PER", 3]], [["O", "O"]], "3 was found"),
        ([["B-PER", ["O"]]], [["O", "O"]], r"\['O'\] was found"),
        ([["O"], "O"], [["O"], ["O"]], "a string stands for a sentence"),
        ([["O"], None], [["O"], ["O"]], "list of sentences"),
        (None, [["O"]], "list of sentences"),
    ],
)
def test_what_is_no_tag_is_refused(found: Any, gold: Any, said: str) -> None:
    with pytest.raises(MetricError, match=said):
        chunk_f1(found, gold)


@pytest.mark.parametrize(
    ("found", "gold", "said"),
    [
        ([["O"]], [["O"], ["O"]], "1 are predicted for 2"),
        ([["O", "O"]], [["O"]], "Sentence 0 has 2 predicted tags for 1"),
        ([], [], "at least one sentence"),
        (["O"], ["O"], "a string stands for a sentence"),
    ],
)
def test_the_newer_reading_refuses_what_does_not_fit(found: Any, gold: Any, said: str) -> None:
    with pytest.raises(MetricError, match=said):
        chunk_f1(found, gold, seqeval="1.2.2")


def test_token_accuracy_refuses_what_does_not_fit() -> None:
    with pytest.raises(MetricError, match="Sentence 1 has 1 predicted tags for 2"):
        token_accuracy([["O"], ["O"]], [["O"], ["O", "O"]])
    with pytest.raises(MetricError, match="at least one token"):
        token_accuracy([[]], [[]])


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(MetricError, match="must be one of"):
        chunk_f1([["O"]], [["O"]], seqeval="1.0")
