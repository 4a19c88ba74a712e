"""Mixture: shares by size, temperature, cap or rates, and exact counts."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality import toy
from xquality.errors import SettingError
from xquality.train import Mixture

TASKS = (toy.topics, toy.inference)


@pytest.mark.parametrize(
    ("settings", "shares"),
    [
        ({}, (0.9, 0.1)),
        ({"temperature": 2.0}, (0.75, 0.25)),
        ({"temperature": math.inf}, (0.5, 0.5)),
        ({"cap": 100}, (0.5, 0.5)),
        ({"cap": 300}, (0.75, 0.25)),
        ({"rates": (0.3, 0.7)}, (0.3, 0.7)),
    ],
)
def test_shares_follow_the_sizes(settings, shares) -> None:
    assert Mixture(TASKS, **settings).shares([900, 100]) == pytest.approx(shares)


@given(st.lists(st.integers(1, 10**6), min_size=2, max_size=2), st.integers(1, 5000), st.floats(0.5, 20))
def test_counts_are_the_shares_to_the_nearest_step(sizes, total, temperature) -> None:
    mixture = Mixture(TASKS, temperature=temperature)
    counts = mixture.steps(sizes, total)
    assert sum(counts) == total
    assert all(abs(count - share * total) < 1 for count, share in zip(counts, mixture.shares(sizes), strict=True))


@pytest.mark.parametrize(
    "call",
    [
        lambda: Mixture((toy.topics,)),
        lambda: Mixture((toy.topics, toy.topics)),
        lambda: Mixture(toy.topics),
        lambda: Mixture(TASKS, temperature=0),
        lambda: Mixture(TASKS, cap=0),
        lambda: Mixture(TASKS, rates=(0.5, 0.4)),
        lambda: Mixture(TASKS, rates=(1.0,)),
        lambda: Mixture(TASKS, rates=(0.5, 0.5), cap=10),
        lambda: Mixture(TASKS, rates=(1.0, 0.0)),
        lambda: Mixture(TASKS, rates=0.5),
    ],
)
def test_what_cannot_be_mixed_is_refused(call) -> None:
    with pytest.raises(SettingError):
        call()


def test_a_temperature_near_nothing_gives_the_largest_task_all_steps() -> None:
    assert Mixture(TASKS, temperature=0.001).steps([10_000, *[100] * (len(TASKS) - 1)], 30)[0] == 30
