"""Chunk F1 in both versions of seqeval, token accuracy, and their statistics; the official cases are in test_parity.py."""

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
    found = [[prediction for prediction, _ in sentence] for sentence in sentences]
    return found, [[tag for _, tag in sentence] for sentence in sentences]


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
def test_on_bio_tags_both_versions_are_the_textbook(gold: list[list[str]], random: Any, version: str) -> None:
    found = [[random.choice([tag, "O", "B-PER", "I-LOC"]) for tag in sentence] for sentence in gold]
    right = [(row, *chunk) for row, sentence in enumerate(gold) for chunk in chunks(sentence)]
    predicted = [(row, *chunk) for row, sentence in enumerate(found) for chunk in chunks(sentence)]
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
def test_the_order_of_sentences_changes_no_digit(sentences: Any, random: Any) -> None:
    assert chunk_f1(*sides(sentences)) == chunk_f1(*sides(random.sample(sentences, len(sentences))))


@given(tagged, versions)
def test_counts_add_up_to_the_score(sentences: Any, version: str) -> None:
    counts = chunk_counts(*sides(sentences), version)
    assert counts.shape == (len(sentences), 3)
    assert chunk_f1_from(counts) == chunk_f1_from(counts.sum(axis=0)) == chunk_f1(*sides(sentences), version)


@given(tagged)
def test_a_sentence_counts_what_it_counts_alone(sentences: Any) -> None:
    found, gold = sides(sentences)
    alone = [chunk_counts([tags], [right])[0].tolist() for tags, right in zip(found, gold, strict=True)]
    assert chunk_counts(found, gold).tolist() == alone


def test_a_repaired_chunk_never_lowers_the_score() -> None:
    gold = [["B-PER", "I-PER", "O", "B-LOC", "O", "B-ORG"]]
    steps = [["O"] * 6, ["B-PER", "I-PER", "O", "O", "O", "O"], [*gold[0][:5], "O"], gold[0]]
    scores = [chunk_f1([tags], gold)["f1"] for tags in steps]
    assert scores == sorted(scores)
    assert (scores[0], scores[-1]) == (0.0, 100.0)


def test_runs_of_equal_parts_of_speech_are_one_chunk() -> None:
    gold = [["NOUN", "NOUN", "VERB"]]
    assert chunk_f1([["NOUN", "VERB", "VERB"]], gold)["f1"] == 0.0
    assert token_accuracy([["NOUN", "VERB", "VERB"]], gold)["accuracy"] == pytest.approx(200 / 3)


def test_the_versions_differ_where_a_type_has_no_prefix() -> None:
    assert chunk_f1([["CCONJ"]], [["SCONJ"]])["f1"] == 0.0
    assert chunk_f1([["CCONJ"]], [["SCONJ"]], seqeval="1.2.2")["f1"] == 100.0
    assert chunk_f1([["X"]], [["X"]])["f1"] == 100.0
    assert chunk_f1([["X"]], [["X"]], seqeval="1.2.2")["f1"] == 0.0


def test_the_old_version_takes_a_list_of_tags_for_one_sentence() -> None:
    assert chunk_f1(["B-PER", "O"], ["B-PER", "O"])["f1"] == 100.0


def test_the_old_version_concatenates_sentences() -> None:
    assert chunk_f1([["B-LOC"], ["O", "B-LOC"]], [["B-LOC", "O"], ["B-LOC"]])["f1"] == 100.0
    counts = chunk_counts([["B-LOC"]], [["B-LOC"], ["B-PER"]])
    assert counts.tolist() == [[1, 1, 1], [0, 0, 1]]


def test_tags_come_as_tuples_and_arrays_too() -> None:
    gold = [["B-PER", "I-PER"], ["O"]]
    assert chunk_f1(tuple(map(tuple, gold)), [np.array(sentence) for sentence in gold])["f1"] == 100.0
    assert token_accuracy([np.array(sentence) for sentence in gold], gold) == {"accuracy": 100.0}


@given(tagged)
def test_token_accuracy_is_the_share_of_equal_tags(sentences: Any) -> None:
    pairs = [pair for sentence in sentences for pair in sentence]
    if not pairs:
        return
    score = token_accuracy(*sides(sentences))["accuracy"]
    assert score == sum(prediction == tag for prediction, tag in pairs) / len(pairs) * 100
    assert token_accuracy_from(token_counts(*sides(sentences)).sum(axis=0)) == {"accuracy": score}


@pytest.mark.parametrize(
    ("found", "gold", "said"),
    [
        ([["B-PER", None]], [["O", "O"]], "None was found"),
        ([["B-PER", ""]], [["O", "O"]], "'' was found"),
        ([["B-PER", 3]], [["O", "O"]], "3 was found"),
        ([["B-PER", ["O"]]], [["O", "O"]], r"\['O'\] was found"),
        ([["O"], "O"], [["O"], ["O"]], "a sentence is a string"),
        ([["O"], None], [["O"], ["O"]], "list of sentences"),
        (None, [["O"]], "list of sentences"),
    ],
)
def test_invalid_tags_are_refused(found: Any, gold: Any, said: str) -> None:
    with pytest.raises(MetricError, match=said):
        chunk_f1(found, gold)


@pytest.mark.parametrize(
    ("found", "gold", "said"),
    [
        ([["O"]], [["O"], ["O"]], "1 are predicted for 2"),
        ([["O", "O"]], [["O"]], "Sentence 0 has 2 predicted tags for 1"),
        ([], [], "at least one sentence"),
        (["O"], ["O"], "a sentence is a string"),
    ],
)
def test_the_newer_version_refuses_sentences_of_other_lengths(found: Any, gold: Any, said: str) -> None:
    with pytest.raises(MetricError, match=said):
        chunk_f1(found, gold, seqeval="1.2.2")


def test_token_accuracy_refuses_sentences_of_other_lengths() -> None:
    with pytest.raises(MetricError, match="Sentence 1 has 1 predicted tags for 2"):
        token_accuracy([["O"], ["O"]], [["O"], ["O", "O"]])
    with pytest.raises(MetricError, match="at least one token"):
        token_accuracy([[]], [[]])


def test_an_unknown_version_is_refused() -> None:
    with pytest.raises(MetricError, match="must be one of"):
        chunk_f1([["O"]], [["O"]], seqeval="1.0")
