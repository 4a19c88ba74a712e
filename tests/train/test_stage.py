"""Stage: budgets in four units, and settings as they are recorded."""

import numpy as np
import pytest

from xquality import toy
from xquality.train import Stage

LENGTHS = np.full(100, 10)


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
    assert Stage(toy.topics, batch_size=8, **budget).step_count(LENGTHS) == steps


def test_the_language_is_the_tasks_own_where_none_is_named() -> None:
    assert Stage(toy.topics).trained_language == "en"
    assert Stage(toy.topics, language="sw").trained_language == "sw"


def test_rows_are_loaded_where_none_are_given() -> None:
    assert len(Stage(toy.topics, language="tr").rows()) == 1000


def test_settings_are_plain_values() -> None:
    import json

    settings = Stage(toy.topics, steps=5, arguments={"weight_decay": 0.01}).settings()
    assert json.loads(json.dumps(settings)) == settings
    assert settings["schedule"] == "constant"
