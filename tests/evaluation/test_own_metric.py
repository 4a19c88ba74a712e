"""A metric from outside the package is scored, averaged, measured during training, selected by and resampled."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from xquality import toy
from xquality.analysis import Interval, Measure, steps_to
from xquality.errors import SettingError
from xquality.evaluation import difference, evaluate, interval, zero_shot_mean
from xquality.metrics import ACCURACY, Examples, Metric, ratios
from xquality.train import Fitted, Probe, Selection, Stage, fit


def is_wrong(examples: Examples) -> np.ndarray:
    return np.asarray(examples.predictions) != np.asarray(examples.references)


ERROR_RATE = Metric(
    "error_rate",
    lambda examples: 100 * float(is_wrong(examples).mean()),
    lambda examples: ratios(is_wrong(examples), 1),
    higher_is_better=False,
)
CLASSES_USED = Metric("classes_used", lambda examples: 100 * len({*examples.predictions}) / len(examples.labels))
TASK = dataclasses.replace(
    toy.topics, head=dataclasses.replace(toy.topics.head, metrics=(ERROR_RATE, ACCURACY, CLASSES_USED))
)


@pytest.fixture(scope="module")
def fitted(encoder: Path) -> Fitted:
    stage = Stage(TASK, steps=20, batch_size=16, selection=Selection("best_source", every=5, rows=60))
    probe = Probe(languages=("de", "ar"), rows=20, points=3)
    return fit([stage], model=encoder, seed=1, threads=1, evaluate_on=probe)


def test_it_is_scored_in_every_language_and_averaged(fitted: Fitted) -> None:
    scores = evaluate(fitted, TASK, ["en", "de", "ar"], threads=1)
    assert [score.metric for score in scores[:3]] == ["error_rate", "accuracy", "classes_used"]
    wrong, right = scores[0::3], scores[1::3]
    for error, accuracy in zip(wrong, right, strict=True):
        assert error.value == pytest.approx(100 - accuracy.value)
    assert zero_shot_mean(scores, fitted.languages) == pytest.approx((wrong[1].value + wrong[2].value) / 2)
    named = zero_shot_mean(scores, fitted.languages, metric="classes_used")
    assert named == pytest.approx((scores[5].value + scores[8].value) / 2)


def test_the_task_may_be_scored_by_it_after_training(fitted: Fitted) -> None:
    head = dataclasses.replace(toy.topics.head, metrics=(CLASSES_USED,))
    (score,) = evaluate(fitted, toy.topics, ["de"], head=head, threads=1)
    assert score.metric == "classes_used"


def test_it_is_measured_during_training(fitted: Fitted) -> None:
    steps, values = fitted.history.curve("error_rate")
    assert steps[0] == 0
    assert all(0 <= value <= 100 for value in values)
    assert values == pytest.approx([100 - value for value in fitted.history.curve("accuracy")[1]])


def test_the_history_names_the_measured_metrics_of_which_lower_is_better(fitted: Fitted, encoder: Path) -> None:
    assert fitted.history.stages[0]["lower_is_better"] == ["error_rate"]
    error = Measure(100 - fitted.history.curve("accuracy")[1][0])
    assert steps_to(fitted.history, error.value, metric="error_rate") == steps_to(
        fitted.history, 100 - error.value, metric="accuracy"
    )
    stage = Stage(toy.topics, steps=2, batch_size=4)
    for evaluate_on in (None, Probe(languages=("de",), rows=20, points=2)):
        plain = fit([stage], model=encoder, seed=1, threads=1, evaluate_on=evaluate_on)
        assert "lower_is_better" not in plain.history.stages[0]


def test_weights_are_selected_by_its_lowest_value(fitted: Fitted) -> None:
    selection = fitted.history.stages[0]["selection"]
    values = dict(selection["looks"])
    assert len(set(values.values())) > 1
    assert values[selection["chosen_step"]] == min(values.values())


def test_it_has_an_interval_where_it_has_statistics(fitted: Fitted) -> None:
    error, accuracy, used = evaluate(fitted, TASK, ["de"], threads=1)
    found, mirrored = interval(error), interval(accuracy)
    assert found.low < error.value < found.high
    assert (found.low, found.high) == pytest.approx((100 - mirrored.high, 100 - mirrored.low))
    assert isinstance(difference(error, error), Interval)
    with pytest.raises(SettingError, match="classes_used in de has no statistics"):
        interval(used)


def test_another_metric_is_another_stage() -> None:
    assert repr(TASK.head) != repr(toy.topics.head)
    assert repr(TASK.head) == repr(dataclasses.replace(TASK.head))
