"""Metrics as values: what they check, what they share, and what identifies them."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from xquality.errors import MetricError, SettingError
from xquality.heads import (
    ChoiceHead,
    MaskedLMHead,
    MiningHead,
    PredictedAnswer,
    RetrievalHead,
    SequenceHead,
    SpanHead,
    TokenHead,
)
from xquality.metrics import ACCURACY, MACRO_F1, Examples, Metric, ratios
from xquality.metrics.metric import measure

FOUR = Examples([0, 1, 1, 0], [0, 1, 0, 0], "de", ("no", "yes"))


def errors(examples: Examples) -> np.ndarray:
    return np.asarray(examples.predictions) != np.asarray(examples.references)


def error_rate(examples: Examples) -> float:
    return 100 * float(errors(examples).mean())


def error_counts(examples: Examples) -> np.ndarray:
    return ratios(errors(examples), 1)


ERROR_RATE = Metric("error_rate", error_rate, error_counts, higher_is_better=False)


def test_a_metric_gives_its_value_and_what_each_example_counts() -> None:
    (value,) = measure([ERROR_RATE], FOUR, {"k": 4})
    assert (value.metric, value.value, value.signature) == ("error_rate", 25.0, {"k": 4})
    assert value.statistics.tolist() == [[[0, 1]], [[0, 1]], [[1, 1]], [[0, 1]]]
    assert ERROR_RATE.orient(25.0) < ERROR_RATE.orient(20.0)
    assert ACCURACY.orient(25.0) > ACCURACY.orient(20.0)


def test_metrics_of_one_function_share_its_call() -> None:
    calls = []

    def both(examples: Examples) -> dict[str, float]:
        calls.append(examples)
        return {"first": 1.0, "second": 2.0}

    values = measure([Metric("first", both), Metric("second", both)], FOUR)
    assert [(value.metric, value.value, value.statistics) for value in values] == [
        ("first", 1.0, None),
        ("second", 2.0, None),
    ]
    assert len(calls) == 1


def test_the_mean_of_plain_numbers_has_statistics_too() -> None:
    metric = Metric(
        "distance",
        lambda examples: float(np.abs(np.subtract(examples.predictions, examples.references)).mean()),
        lambda examples: ratios(np.abs(np.subtract(examples.predictions, examples.references)), 1, scale=1),
        higher_is_better=False,
        range=(0, float("inf")),
    )
    (value,) = measure([metric], Examples([3, 5, 1], [1, 5, 2]))
    assert value.value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("function", "statistics", "fault"),
    [
        (lambda _: float("nan"), None, "lies between 0 and 100, but its value is nan"),
        (lambda _: 101.0, None, "lies between"),
        (lambda _: "high", None, "lies between"),
        (lambda _: {"another": 1.0}, None, "must return a value of that name"),
        (error_rate, lambda _: np.ones(4), "of shape"),
        (error_rate, lambda _: ratios([1, 0], 1), "of shape"),
        (error_rate, lambda _: ratios([float("nan")] * 4, 1), "must be finite"),
        (error_rate, lambda _: ratios([1, 0, 1, 0], 1), "give 50, but its function gives 25"),
    ],
)
def test_values_and_statistics_that_cannot_be_right_are_refused(
    function: Callable[[Examples], Any], statistics: Callable[[Examples], Any] | None, fault: str
) -> None:
    with pytest.raises(MetricError, match=fault):
        measure([Metric("mine", function, statistics)], FOUR)


@pytest.mark.parametrize(
    "settings",
    [
        {"name": ""},
        {"name": "loss"},
        {"function": 3},
        {"function": lambda predictions, references: 0.0},
        {"statistics": lambda predictions, references: 0.0},
        {"higher_is_better": 1},
        {"range": (1, 0)},
        {"range": 100},
    ],
)
def test_a_mistake_is_named_where_the_metric_is_made(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingError, match=next(iter(settings))):
        Metric(**{"name": "mine", "function": error_rate, **settings})


@pytest.mark.parametrize(
    "metrics", [(), "accuracy", ("recall",), ("accuracy", "accuracy"), ("accuracy", ACCURACY), (error_rate,)]
)
def test_a_head_refuses_metrics_that_it_does_not_have_or_cannot_tell_apart(metrics: Any) -> None:
    with pytest.raises(SettingError, match="metrics"):
        SequenceHead(("text",), ("no", "yes"), metrics=metrics)


def test_a_head_takes_names_and_values() -> None:
    head = SequenceHead(("text",), ("no", "yes"), metrics=(ERROR_RATE, "macro_f1"))
    assert head.chosen_metrics == (ERROR_RATE, MACRO_F1)
    assert [value.metric for value in head.score([0, 1], [1, 1], "de")] == ["error_rate", "macro_f1"]


VECTORS = [({0: row}, {0: row}) for row in np.eye(2, dtype=np.float32)]
SENTENCES = [
    {"id": "de-1", "sentence": "Es regnet.", "side": "source", "pairs": ["en-1"]},
    {"id": "en-1", "sentence": "It rains.", "side": "target", "pairs": []},
]


@pytest.mark.parametrize(
    ("head", "predictions", "references"),
    [
        (SequenceHead(("text",), ("no", "yes")), [0, 1], [1, 1]),
        (ChoiceHead(), [0, 1], [1, 1]),
        (TokenHead(("O", "B-PER")), [["O"], ["B-PER"]], [["O"], ["O"]]),
        (SpanHead(), [[PredictedAnswer("Lima", 0, 1.0)], [PredictedAnswer("", -1, 1.0)]], [["Lima"], ["Quito"]]),
        (MaskedLMHead(), [(1.0, 1, 2), (2.0, 0, 3)], [0, 0]),
        (RetrievalHead(layer=0), VECTORS, [0, 1]),
        (MiningHead(tuned_on=None), [{0: row} for row in np.ones((2, 2), np.float32)], SENTENCES),
    ],
)
def test_every_head_scores_by_a_metric_from_outside(head: Any, predictions: Any, references: Any) -> None:
    count = Metric("examples", lambda examples: float(len(examples.predictions)), range=(0, float("inf")))
    mine = dataclasses.replace(head, metrics=(*head.metrics, count))
    assert [metric.name for metric in mine.chosen_metrics] == [*head.metrics, "examples"]
    values = mine.score(predictions, references, "de")
    assert values[:-1] == head.score(predictions, references, "de")
    assert (values[-1].metric, values[-1].value) == ("examples", 2.0)
    assert repr(count) in repr(mine)
    assert "examples" not in repr(head)


def make_metric(threshold: float) -> Metric:
    return Metric("mine", lambda examples: threshold * len(examples.references))


def test_the_repr_identifies_the_function_in_every_process(run_python) -> None:
    assert repr(make_metric(0.5)) == repr(make_metric(0.5)) != repr(make_metric(0.6))
    assert " at 0x" not in repr(make_metric(0.5)) + repr(Metric("mine", functools.partial(error_rate)))
    program = (
        "from xquality.metrics import ACCURACY, Metric\n"
        "print(repr(ACCURACY), repr(Metric('mine', lambda examples: float(len({'a', 'b'} & {*examples.labels})))))"
    )
    assert run_python(program) == run_python(program)
    assert repr(ACCURACY) in run_python(program)
