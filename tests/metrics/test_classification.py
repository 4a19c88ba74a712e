"""Accuracy and F1: the numbers of scikit-learn; the official cases are in test_parity.py."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from xquality.errors import MetricError
from xquality.metrics.classification import accuracy, accuracy_from, correct_each, decisions_each, f1, f1_from

pairs = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcd")), min_size=1, max_size=60)


def columns(cases: list[tuple[str, str]]) -> tuple[list[str], list[str]]:
    """Return predictions and references."""
    return [prediction for prediction, _ in cases], [reference for _, reference in cases]


@given(pairs, st.sampled_from(["macro", "weighted", "micro"]))
def test_f1_is_that_of_scikit_learn(cases: list[tuple[str, str]], average: str) -> None:
    predictions, references = columns(cases)
    wanted = f1_score(references, predictions, average=average, zero_division=0) * 100
    assert f1(predictions, references, average=average) == pytest.approx({f"{average}_f1": wanted})


@given(pairs)
def test_accuracy_is_that_of_scikit_learn(cases: list[tuple[str, str]]) -> None:
    predictions, references = columns(cases)
    assert accuracy(predictions, references)["accuracy"] == pytest.approx(accuracy_score(references, predictions) * 100)


@given(pairs, st.randoms(use_true_random=False))
def test_the_order_of_examples_changes_no_digit(cases: list[tuple[str, str]], shuffler: Any) -> None:
    shuffled = shuffler.sample(cases, len(cases))
    for metric in (accuracy, f1):
        assert metric(*zip(*cases, strict=True)) == metric(*zip(*shuffled, strict=True))


def test_a_class_that_is_only_predicted_counts_in_the_macro_mean() -> None:
    # Class 0 has 2 right of 2 + 2, class 1 has no reference: F1 80 and 0.
    assert f1([0, 0, 1], [0, 0, 0])["macro_f1"] == pytest.approx((80 + 0) / 2)
    assert f1([0, 0, 1], [0, 0, 0], average="weighted")["weighted_f1"] == pytest.approx(80)


def test_numbers_in_arrays_are_scored_as_in_lists() -> None:
    predictions, references = [0, 2, 1, 1], [0, 1, 1, 2]
    for metric in (accuracy, f1):
        assert metric(np.array(predictions), np.array(references)) == metric(predictions, references)


def test_a_label_as_text_is_not_the_number() -> None:
    assert accuracy(["1", "0"], [1, 0]) == {"accuracy": 0.0}


@pytest.mark.parametrize("metric", [accuracy, f1])
def test_examples_that_cannot_be_paired_are_refused(metric: Any) -> None:
    with pytest.raises(MetricError, match="there are 1 for 2 references"):
        metric([1], [1, 2])
    with pytest.raises(MetricError, match="at least one example"):
        metric([], [])


@pytest.mark.parametrize("average", ["binary", "samples", "", None])
def test_an_unknown_average_is_refused(average: Any) -> None:
    with pytest.raises(MetricError, match="one of 'macro', 'weighted', 'micro'"):
        f1([1], [1], average=average)


@given(pairs)
def test_the_statistics_add_up_to_the_score(cases: list[tuple[str, str]]) -> None:
    predictions, references = columns(cases)
    correct, decisions = correct_each(predictions, references), decisions_each(predictions, references)
    assert accuracy_from(correct) == accuracy_from(correct.sum(axis=0)) == accuracy(predictions, references)
    for average in ("macro", "weighted", "micro"):
        wanted = f1(predictions, references, average=average)
        assert f1_from(decisions, average) == f1_from(decisions.sum(axis=0), average) == wanted


@given(pairs, st.data())
def test_resampled_counts_score_as_the_resampled_examples(cases: list[tuple[str, str]], data: Any) -> None:
    rows = data.draw(st.lists(st.integers(0, len(cases) - 1), min_size=1, max_size=40))
    predictions, references = columns(cases)
    drawn = [predictions[row] for row in rows], [references[row] for row in rows]
    assert accuracy_from(correct_each(predictions, references)[rows]) == accuracy(*drawn)
    assert f1_from(decisions_each(predictions, references)[rows]) == f1(*drawn)


def test_no_examples_have_no_score() -> None:
    with pytest.raises(MetricError, match="at least one example"):
        accuracy_from(np.zeros((0, 2), np.int64))
    with pytest.raises(MetricError, match="at least one example"):
        f1_from(np.zeros((0, 6), np.int64))
    with pytest.raises(MetricError, match="one of 'macro', 'weighted', 'micro'"):
        f1_from(np.ones((1, 3)), average="best")


def test_arrays_and_tensors_are_scored_by_value() -> None:
    import torch

    wanted = {**accuracy([0, 1, 1, 0], [0, 1, 0, 0]), **f1([0, 1, 1, 0], [0, 1, 0, 0])}
    for kind in (torch.tensor, np.array):
        predictions, references = kind([0, 1, 1, 0]), kind([0, 1, 0, 0])
        assert {**accuracy(predictions, references), **f1(predictions, references)} == wanted


NO_LABELS = {
    "none": None,
    "number": 3,
    "text": "ab",
    "mapping": {0: 1, 1: 2},
    "set": {1, 2},
    "logits": np.ones((2, 2)),
    "lists": [[1, 2], [3, 4]],
    "arrays": [np.ones(2), np.ones(2)],
}


@pytest.mark.parametrize("function", [accuracy, f1, correct_each, decisions_each])
@pytest.mark.parametrize("kind", NO_LABELS)
def test_what_is_no_label_for_each_example_is_refused(function, kind: str) -> None:
    for pair in ((NO_LABELS[kind], [0, 1]), ([0, 1], NO_LABELS[kind])):
        with pytest.raises(MetricError, match="one label for each example"):
            function(*pair)


def test_labels_may_come_from_a_generator() -> None:
    assert f1((label for label in "ab"), ["a", "a"]) == f1(["a", "b"], ["a", "a"])
