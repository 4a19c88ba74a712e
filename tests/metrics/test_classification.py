"""Accuracy and F1: the numbers of scikit-learn, and exactly those of the official XTREME code."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score

from xquality.errors import MetricError
from xquality.metrics.classification import accuracy, f1

pairs = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcd")), min_size=1, max_size=60)


@given(pairs, st.sampled_from(["macro", "weighted", "micro"]))
def test_f1_is_that_of_scikit_learn(cases: list[tuple[str, str]], average: str) -> None:
    predictions, references = [one for one, _ in cases], [other for _, other in cases]
    wanted = f1_score(references, predictions, average=average, zero_division=0) * 100
    assert f1(predictions, references, average=average) == pytest.approx({f"{average}_f1": wanted})


@given(pairs)
def test_accuracy_is_that_of_scikit_learn(cases: list[tuple[str, str]]) -> None:
    predictions, references = [one for one, _ in cases], [other for _, other in cases]
    assert accuracy(predictions, references)["accuracy"] == pytest.approx(accuracy_score(references, predictions) * 100)


@given(pairs, st.randoms(use_true_random=False))
def test_the_order_of_examples_changes_no_digit(cases: list[tuple[str, str]], luck: Any) -> None:
    shuffled = luck.sample(cases, len(cases))
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


def labels_of(text: str, task: str) -> list[Any]:
    """Read a file's text as its README describes the official loader: lines, their outer blanks stripped."""
    lines = text.replace("\r\n", "\n").removesuffix("\n").split("\n") if text else []
    return [json.loads(line)["label"] for line in lines] if task == "xcopa" else [line.strip() for line in lines]


@pytest.mark.parametrize("task", ["xnli", "pawsx", "tatoeba", "xcopa"])
def test_accuracy_agrees_with_the_official_code_to_the_last_digit(task: str, parity: Path) -> None:
    cases = [json.loads(one) for one in (parity / f"accuracy_{task}.jsonl").read_bytes().split(b"\n") if one]
    assert len(cases) == {"xnli": 29, "pawsx": 29, "tatoeba": 30, "xcopa": 9}[task]
    for case in cases:
        given, expected = case["inputs"], case["expected"]

        def score(given: dict[str, Any] = given) -> dict[str, float]:
            if "labels" in given:
                return accuracy(given["predictions"], given["labels"])
            return accuracy(labels_of(given["predictions_text"], task), labels_of(given["labels_text"], task))

        if "error" in expected:
            with pytest.raises((MetricError, json.JSONDecodeError, KeyError)):
                score()
        else:
            assert score() == expected, case["note"]


def test_arrays_and_tensors_are_scored_by_value() -> None:
    import torch

    wanted = {**accuracy([0, 1, 1, 0], [0, 1, 0, 0]), **f1([0, 1, 1, 0], [0, 1, 0, 0])}
    for kind in (torch.tensor, np.array):
        one, other = kind([0, 1, 1, 0]), kind([0, 1, 0, 0])
        assert {**accuracy(one, other), **f1(one, other)} == wanted
