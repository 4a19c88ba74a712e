"""Course: budgets in four units, for one task and for several."""

import numpy as np
import pytest

from xquality import toy
from xquality.errors import TrainingError
from xquality.heads import Encoded
from xquality.train import Mixture, Stage
from xquality.train.course import plan_course


def encoded(rows: int, length: int = 10) -> Encoded:
    return Encoded([[1] * length] * rows, [0] * rows, keys=np.arange(rows, dtype=np.uint64))


@pytest.mark.parametrize(
    ("budget", "steps"),
    [
        ({"steps": 7}, 7),
        ({"examples": 33}, 5),
        ({"epochs": 2}, 25),
        ({"epochs": 0.5}, 7),
        ({}, 38),  # three epochs
        ({"tokens": 80}, 1),
        ({"tokens": 1000}, 13),
        ({"tokens": 2500}, 32),
    ],
)
def test_a_budget_is_turned_into_steps(budget, steps: int) -> None:
    course = plan_course(Stage(toy.topics, batch_size=8, **budget), [encoded(100)], seed=1)
    assert course.steps == steps
    assert len(course.order) == 8 * steps


@pytest.mark.parametrize(
    ("budget", "steps"), [({"steps": 12}, 12), ({"examples": 100}, 13), ({"epochs": 2}, 75), ({"tokens": 1200}, 12)]
)
def test_a_mixture_has_budgets_too(budget, steps: int) -> None:
    stage = Stage(Mixture((toy.topics, toy.inference)), batch_size=8, **budget)
    course = plan_course(stage, [encoded(200, 10), encoded(100, 20)], seed=1)
    assert course.steps == steps
    amounts = course.amounts(["a", "b"], steps)
    assert sum(amounts["steps_by_task"].values()) == steps
    assert abs(amounts["steps_by_task"]["a"] - steps * 2 / 3) <= 1
    assert amounts["tokens"] == 80 * amounts["steps_by_task"]["a"] + 160 * amounts["steps_by_task"]["b"]


def test_the_amounts_are_those_of_the_steps_that_were_made() -> None:
    course = plan_course(Stage(toy.topics, batch_size=8, steps=20), [encoded(100)], seed=1)
    assert course.amounts(["topics"], 5) == {
        "steps": 5,
        "examples": 40,
        "epochs": 0.4,
        "tokens": 400,
        "encoded_rows": 100,
    }


def test_a_task_without_a_single_step_is_an_error() -> None:
    stage = Stage(Mixture((toy.topics, toy.inference), rates=(0.99, 0.01)), steps=10)
    with pytest.raises(TrainingError, match="no step of 10 to toy"):
        plan_course(stage, [encoded(100), encoded(100)], seed=1)
