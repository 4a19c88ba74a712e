"""TrainingPlan: budgets in four units, and the order of rows, for one task and for several."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality import toy
from xquality.errors import TrainingError
from xquality.heads import Encoded
from xquality.train import Mixture, Stage
from xquality.train.training_plan import assign_steps, interleave_orders, make_plan, order_rows


def encode(rows: int, length: int = 10) -> Encoded:
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
        ({"tokens": 81}, 2),  # a part of the ninth row
        ({"epochs": 1.2}, 15),
        ({"epochs": 1.1}, 14),
    ],
)
def test_a_budget_is_turned_into_steps(budget, steps: int) -> None:
    plan = make_plan(Stage(toy.topics, batch_size=8, **budget), [encode(100)], seed=1)
    assert plan.steps == steps
    assert len(plan.order) == 8 * steps


@pytest.mark.parametrize(
    ("budget", "steps"), [({"steps": 12}, 12), ({"examples": 100}, 13), ({"epochs": 2}, 75), ({"tokens": 1200}, 12)]
)
def test_a_mixture_has_budgets_too(budget, steps: int) -> None:
    stage = Stage(Mixture((toy.topics, toy.inference)), batch_size=8, **budget)
    plan = make_plan(stage, [encode(200, 10), encode(100, 20)], seed=1)
    assert plan.steps == steps
    amounts = plan.amounts(["a", "b"], steps)
    assert sum(amounts["steps_by_task"].values()) == steps
    assert abs(amounts["steps_by_task"]["a"] - steps * 2 / 3) <= 1
    assert amounts["tokens"] == 80 * amounts["steps_by_task"]["a"] + 160 * amounts["steps_by_task"]["b"]


def test_a_budget_that_rows_fill_exactly_makes_no_step_more() -> None:
    for budget, steps in (({"epochs": 1.1}, 11), ({"tokens": 1100}, 11), ({"examples": 110}, 11)):
        assert make_plan(Stage(toy.topics, batch_size=10, **budget), [encode(100)], seed=1).steps == steps


def test_a_budget_of_tokens_is_reached_by_the_step_and_not_before_it() -> None:
    lengths = np.random.default_rng(0).integers(3, 60, 50)
    rows = Encoded([[1] * int(length) for length in lengths], [0] * 50, keys=np.arange(50, dtype=np.uint64))
    for grouped in (False, True):
        stage = Stage(toy.topics, batch_size=1, tokens=4000, group_by_length=grouped)
        plan = make_plan(stage, [rows], seed=1)
        seen = plan.amounts(["topics"], plan.steps)["tokens"]
        assert 4000 <= seen < 4060


def test_rows_that_hold_nothing_are_an_error() -> None:
    with pytest.raises(TrainingError, match="hold nothing"):
        make_plan(Stage(toy.topics, steps=2), [Encoded([], [], keys=np.empty(0, np.uint64))], seed=1)


def test_the_amounts_are_those_of_the_steps_that_were_made() -> None:
    plan = make_plan(Stage(toy.topics, batch_size=8, steps=20), [encode(100)], seed=1)
    assert plan.amounts(["topics"], 5) == {
        "steps": 5,
        "examples": 40,
        "epochs": 0.4,
        "tokens": 400,
        "encoded_rows": 100,
    }


def test_a_task_without_a_single_step_is_an_error() -> None:
    stage = Stage(Mixture((toy.topics, toy.inference), rates=(0.99, 0.01)), steps=10)
    with pytest.raises(TrainingError, match="no step of 10 to toy"):
        make_plan(stage, [encode(100), encode(100)], seed=1)


UIDS = np.arange(50, dtype=np.uint64) * np.uint64(7)


def test_every_row_comes_once_an_epoch_and_epochs_differ() -> None:
    order = order_rows(UIDS, 1, 120)
    assert sorted(order.rows[:50]) == sorted(order.rows[50:100]) == list(range(50))
    assert list(order.rows[:50]) != list(order.rows[50:100])
    assert order.passes.tolist() == [0] * 50 + [1] * 50 + [2] * 20
    assert len(order) == 120


def test_rows_of_a_subset_keep_their_relative_order() -> None:
    some = np.sort(np.random.default_rng(0).choice(50, 20, replace=False))
    whole = [row for row in order_rows(UIDS, 1, 50).rows if row in set(some)]
    part = [some[row] for row in order_rows(UIDS[some], 1, 20).rows]
    assert whole == part


@given(st.integers(1, 9), st.integers(1, 400), st.integers(0, 20))
def test_grouping_moves_whole_batches_of_the_same_rows(batch_size, positions, seed) -> None:
    lengths = np.random.default_rng(seed).integers(1, 90, len(UIDS))
    plain = order_rows(UIDS, seed, positions)
    grouped = order_rows(UIDS, seed, positions, batch_size=batch_size, lengths=lengths)
    assert sorted(zip(plain.rows, plain.passes, strict=True)) == sorted(zip(grouped.rows, grouped.passes, strict=True))


def test_grouped_batches_pad_little_and_come_in_no_order_of_length() -> None:
    uids = np.arange(4000, dtype=np.uint64)
    lengths = np.random.default_rng(0).integers(5, 125, 4000)

    def cost(order) -> int:
        return int(lengths[order.rows].reshape(-1, 32).max(axis=1).sum()) * 32

    plain, grouped = order_rows(uids, 1, 3200), order_rows(uids, 1, 3200, batch_size=32, lengths=lengths)
    assert cost(grouped) < 1.1 * lengths[grouped.rows].sum() < cost(plain) / 1.3
    firsts = lengths[grouped.rows].reshape(-1, 32).mean(axis=1)
    assert abs(np.corrcoef(firsts, np.arange(100))[0, 1]) < 0.3


@pytest.mark.parametrize(("rows", "least"), [(64, 32), (100, 31), (1000, 31)])
def test_a_grouped_batch_has_the_rows_of_one_epoch(rows: int, least: float) -> None:
    uids = np.arange(rows, dtype=np.uint64)
    lengths = np.random.default_rng(0).integers(5, 125, rows)
    order = order_rows(uids, 1, 3200, batch_size=32, lengths=lengths).rows.reshape(-1, 32)
    assert np.mean([len(set(batch)) for batch in order.tolist()]) >= least


def test_each_step_of_a_mixture_belongs_to_one_task() -> None:
    tasks = assign_steps([6, 2], seed=3)
    order = interleave_orders([order_rows(UIDS, 1, 24), order_rows(UIDS[:5], 2, 8)], tasks, 4)
    assert np.bincount(tasks).tolist() == [6, 2]
    assert order.tasks.tolist() == np.repeat(tasks, 4).tolist()
    assert order.rows[order.tasks == 0].tolist() == order_rows(UIDS, 1, 24).rows.tolist()
    assert order.rows[order.tasks == 1].tolist() == order_rows(UIDS[:5], 2, 8).rows.tolist()


def test_the_seed_decides_the_order_of_tasks() -> None:
    assert assign_steps([50, 50], 1).tolist() != assign_steps([50, 50], 2).tolist()
    assert assign_steps([50, 50], 1).tolist() == assign_steps([50, 50], 1).tolist()
