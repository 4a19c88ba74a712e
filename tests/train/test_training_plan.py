"""TrainingPlan: budgets in four units, for one task and for several."""

import numpy as np
import pytest

from xquality import toy
from xquality.errors import TrainingError
from xquality.heads import Encoded
from xquality.train import Mixture, Stage
from xquality.train.training_plan import make_plan


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
        ({"tokens": 81}, 2),  # the ninth row is begun
        ({"epochs": 1.2}, 15),
        ({"epochs": 1.1}, 14),
    ],
)
def test_a_budget_is_turned_into_steps(budget, steps: int) -> None:
    course = make_plan(Stage(toy.topics, batch_size=8, **budget), [encoded(100)], seed=1)
    assert course.steps == steps
    assert len(course.order) == 8 * steps


@pytest.mark.parametrize(
    ("budget", "steps"), [({"steps": 12}, 12), ({"examples": 100}, 13), ({"epochs": 2}, 75), ({"tokens": 1200}, 12)]
)
def test_a_mixture_has_budgets_too(budget, steps: int) -> None:
    stage = Stage(Mixture((toy.topics, toy.inference)), batch_size=8, **budget)
    course = make_plan(stage, [encoded(200, 10), encoded(100, 20)], seed=1)
    assert course.steps == steps
    amounts = course.amounts(["a", "b"], steps)
    assert sum(amounts["steps_by_task"].values()) == steps
    assert abs(amounts["steps_by_task"]["a"] - steps * 2 / 3) <= 1
    assert amounts["tokens"] == 80 * amounts["steps_by_task"]["a"] + 160 * amounts["steps_by_task"]["b"]


def test_a_budget_that_rows_fill_exactly_makes_no_step_more() -> None:
    for budget, steps in (({"epochs": 1.1}, 11), ({"tokens": 1100}, 11), ({"examples": 110}, 11)):
        assert make_plan(Stage(toy.topics, batch_size=10, **budget), [encoded(100)], seed=1).steps == steps


def test_a_budget_of_tokens_is_reached_by_the_step_and_not_before_it() -> None:
    lengths = np.random.default_rng(0).integers(3, 60, 50)
    rows = Encoded([[1] * int(one) for one in lengths], [0] * 50, keys=np.arange(50, dtype=np.uint64))
    for grouped in (False, True):
        stage = Stage(toy.topics, batch_size=1, tokens=4000, group_by_length=grouped)
        course = make_plan(stage, [rows], seed=1)
        seen = course.amounts(["topics"], course.steps)["tokens"]
        assert 4000 <= seen < 4060


def test_rows_that_hold_nothing_are_an_error() -> None:
    with pytest.raises(TrainingError, match="hold nothing"):
        make_plan(Stage(toy.topics, steps=2), [Encoded([], [], keys=np.empty(0, np.uint64))], seed=1)


def test_the_amounts_are_those_of_the_steps_that_were_made() -> None:
    course = make_plan(Stage(toy.topics, batch_size=8, steps=20), [encoded(100)], seed=1)
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
        make_plan(stage, [encoded(100), encoded(100)], seed=1)
