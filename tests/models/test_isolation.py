"""Torch code runs apart: afterwards the caller's random states and thread count are as they were."""

import random  # noqa: TID251 (its state is what is watched)
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import numpy as np
import pytest
import torch

from xquality.models.isolation import isolate, preserve_random_state


def numbers() -> list[float]:
    """Draw from all three generators."""
    return [random.random(), np.random.rand(), torch.rand(1).item()]  # noqa: NPY002, S311 (the global state is watched)


def disturb() -> None:
    numbers()
    random.seed(7)
    np.random.seed(7)  # noqa: NPY002, TID251 (as third-party code does)
    torch.manual_seed(7)


@pytest.fixture(autouse=True)
def threads() -> Iterator[int]:
    before = torch.get_num_threads()
    yield before
    torch.set_num_threads(before)


def expected() -> list[float]:
    """Seed all three, look ahead at what comes next, and go back."""
    disturb()
    ahead = numbers()
    disturb()
    return ahead


@pytest.mark.parametrize("kept", [isolate, preserve_random_state])
def test_the_callers_random_numbers_go_on_as_if_nothing_had_happened(
    kept: Callable[[], AbstractContextManager[None]],
) -> None:
    ahead = expected()
    with kept():
        numbers()
        torch.manual_seed(99)
        random.seed(99)
    assert numbers() == ahead


@pytest.mark.parametrize("kept", [isolate, preserve_random_state])
def test_the_random_states_are_put_back_after_an_exception_too(
    kept: Callable[[], AbstractContextManager[None]],
) -> None:
    def fail() -> None:
        with kept():
            numbers()
            torch.manual_seed(99)
            raise KeyboardInterrupt

    ahead = expected()
    with pytest.raises(KeyboardInterrupt):
        fail()
    assert numbers() == ahead


def test_numbers_drawn_inside_go_on_from_the_callers_state() -> None:
    ahead = expected()
    with isolate():
        assert numbers() == ahead


def test_threads_are_set_inside_and_put_back() -> None:
    torch.set_num_threads(2)
    with isolate(threads=1):
        assert torch.get_num_threads() == 1
        with isolate(threads=3):
            assert torch.get_num_threads() == 3
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == 2


def test_threads_are_put_back_after_an_exception_and_after_code_that_sets_them() -> None:
    def fail() -> None:
        with isolate(threads=1):
            torch.set_num_threads(3)
            raise ValueError("inside")

    torch.set_num_threads(2)
    with pytest.raises(ValueError, match="inside"):
        fail()
    assert torch.get_num_threads() == 2


def test_without_a_number_the_threads_stay() -> None:
    torch.set_num_threads(2)
    with isolate():
        assert torch.get_num_threads() == 2


def test_a_number_of_threads_that_torch_refuses_changes_nothing() -> None:
    def ask() -> None:
        with isolate(threads=0):
            pytest.fail("the block ran")

    torch.set_num_threads(2)
    ahead = expected()
    with pytest.raises(RuntimeError):
        ask()
    assert torch.get_num_threads() == 2
    assert numbers() == ahead
