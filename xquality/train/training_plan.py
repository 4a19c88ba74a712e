"""TrainingPlan: the rows that each step of a stage trains on.

The order of the rows is keyed by the seed and their uids, so that neither how they are stored nor the number of
processes changes it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from xquality.errors import TrainingError
from xquality.heads import Encoded
from xquality.randomness import Bits, Draw, derive_seed
from xquality.train.mixture import Mixture
from xquality.train.stage import DEFAULT_EPOCHS, Stage

_STRETCH = 50  # at most so many batches are sorted by length together, as in transformers

Indices = NDArray[np.int64]


@final
@dataclass(frozen=True)
class TrainingOrder:
    """The rows of a training run one after the other; a step takes the next `batch_size` of them.

    Attributes:
        rows: the row at each position, shape (positions,).
        passes: how often that row stood at an earlier position, shape (positions,).
        tasks: the place of the row's task in the stage, shape (positions,); all 0 without a mixture.
    """

    rows: Indices
    passes: Indices
    tasks: Indices

    def __len__(self) -> int:
        return len(self.rows)


@final
@dataclass(frozen=True)
class TrainingPlan:
    """The encoded rows of a stage and their training order.

    Attributes:
        encoded: the rows of each task.
        order: the order in which they are trained on.
        steps: the number of optimiser steps.
        batch_size: rows a step.
    """

    encoded: tuple[Encoded, ...]
    order: TrainingOrder
    steps: int
    batch_size: int

    def epochs(self, steps: int) -> float:
        """Return how often the rows have been seen after some steps."""
        return steps * self.batch_size / sum(map(len, self.encoded))

    def amounts(self, names: Sequence[str], steps: int) -> dict[str, Any]:
        """Return how much is trained on in the first `steps` steps, for the history; rows count as examples.

        Args:
            names: the tasks' names.
            steps: a number of steps, at most those of the plan.
        """
        positions = steps * self.batch_size
        tasks, rows = self.order.tasks[:positions], self.order.rows[:positions]
        tokens = sum(int(part.lengths()[rows[tasks == place]].sum()) for place, part in enumerate(self.encoded))
        total = sum(map(len, self.encoded))
        amounts: dict[str, Any] = {
            "steps": steps,
            "examples": positions,
            "epochs": positions / total,
            "tokens": tokens,
            "encoded_rows": total,
        }
        if len(names) > 1:
            counts = np.bincount(tasks[:: self.batch_size], minlength=len(names))
            amounts["steps_by_task"] = dict(zip(names, counts.tolist(), strict=True))
        return amounts


def make_plan(stage: Stage, encoded: Sequence[Encoded], seed: int) -> TrainingPlan:
    """Return the training plan of a stage.

    Args:
        stage: the settings.
        encoded: the rows of each of its tasks.
        seed: the stage's own.

    Raises:
        TrainingError: where a task's rows are empty once encoded, or a mixture gives a task no step at all.
    """
    for task, part in zip(stage.tasks, encoded, strict=True):
        if not len(part):
            raise TrainingError(f"The rows of {task.name} hold nothing to train on; check the transforms before it.")
    if not isinstance(stage.task, Mixture):
        (part,) = encoded
        steps = _count_steps(stage, len(part)) if stage.tokens is None else _count_token_steps(stage, part, seed)
        return TrainingPlan((part,), _order_task(stage, part, seed, steps), steps, stage.batch_size)
    sizes = [len(part) for part in encoded]
    steps = _count_mixture_steps(stage, encoded, stage.task.shares(sizes))
    counts = stage.task.steps(sizes, steps)
    unused = [task.name for task, count in zip(stage.tasks, counts, strict=True) if not count]
    if unused:
        raise TrainingError(
            f"The mixture {stage.task.name} gives no step of {steps} to {', '.join(unused)}; raise the temperature, "
            "the rates or the budget."
        )
    orders = [
        _order_task(stage, part, derive_seed("part", seed, task.name), count)
        for task, part, count in zip(stage.tasks, encoded, counts, strict=True)
    ]
    order = interleave_orders(orders, assign_steps(counts, seed), stage.batch_size)
    return TrainingPlan(tuple(encoded), order, steps, stage.batch_size)


def order_rows(
    keys: Bits, seed: int, positions: int, *, batch_size: int = 1, lengths: Indices | None = None
) -> TrainingOrder:
    """Return the order of one task's rows: all rows in every epoch, each epoch in an order of its own.

    Args:
        keys: the hashed identity of each row, shape (rows,).
        seed: the stage's own.
        positions: the length of the order.
        batch_size: rows a step.
        lengths: the length of each row in tokens, shape (rows,), to put rows of similar length into a batch; None
            leaves the lengths of a batch to chance.
    """
    draw = Draw(seed, "fit", 0, keys)
    epochs = -(-positions // len(keys))
    order = []
    for epoch in range(epochs):
        start = epoch * len(keys)
        rows = draw.order(f"epoch {epoch}")[: positions - start]
        if lengths is not None:
            rows = rows[_group_by_length(lengths[rows], batch_size, derive_seed("groups", seed, epoch), start)]
        order.append(rows)
    passes = np.repeat(np.arange(epochs), len(keys))[:positions]
    return TrainingOrder(np.concatenate(order), passes, np.zeros(positions, np.int64))


def interleave_orders(orders: Sequence[TrainingOrder], task_of_step: Indices, batch_size: int) -> TrainingOrder:
    """Return an order in which each step takes its batch from one task.

    Args:
        orders: each task's own order, as long as its steps need.
        task_of_step: the place of each step's task, shape (steps,).
        batch_size: rows a step.
    """
    rows = np.empty(len(task_of_step) * batch_size, np.int64)
    passes, tasks = np.empty_like(rows), np.repeat(task_of_step, batch_size)
    for place, order in enumerate(orders):
        own = tasks == place
        rows[own], passes[own] = order.rows[: own.sum()], order.passes[: own.sum()]
    return TrainingOrder(rows, passes, tasks)


def assign_steps(counts: Sequence[int], seed: int) -> Indices:
    """Return the task of each step in an order drawn from the seed, each task as often as `counts` says.

    Example:
        >>> sorted(assign_steps([3, 1], seed=0).tolist())
        [0, 0, 0, 1]
    """
    tasks = np.repeat(np.arange(len(counts)), counts)
    return tasks[Draw(seed, "mixture", 0, np.arange(len(tasks), dtype=np.uint64)).order("steps")]


def _order_task(stage: Stage, encoded: Encoded, seed: int, steps: int) -> TrainingOrder:
    """Return the order of one task's rows for a number of steps."""
    assert encoded.keys is not None
    lengths = encoded.lengths() if stage.group_by_length else None
    positions = steps * stage.batch_size
    return order_rows(encoded.keys, seed, positions, batch_size=stage.batch_size, lengths=lengths)


def _group_by_length(lengths: Indices, batch_size: int, seed: int, start: int) -> Indices:
    """Return the rows of one epoch in a new order: sorted by length within stretches, whose batches are shuffled.

    A stretch is a quarter of the epoch at most; otherwise small data would be sorted from the longest row to the
    shortest.

    Args:
        lengths: of the epoch's rows, in random order.
        batch_size: rows a step.
        seed: the epoch's own.
        start: how many rows came before; where they left a batch open, the first rows fill it.
    """
    rest = min(-start % batch_size, len(lengths))
    found = [np.arange(rest)]
    size = batch_size * max(1, min(_STRETCH, len(lengths) // (4 * batch_size)))
    for number, low in enumerate(range(rest, len(lengths), size)):
        rows = low + np.argsort(-lengths[low : low + size], kind="stable")
        full = len(rows) // batch_size
        draw = Draw(seed, "fit", number, np.arange(full, dtype=np.uint64))
        batches = rows[: full * batch_size].reshape(full, batch_size)
        found += [batches[draw.order("batches")].ravel(), rows[full * batch_size :]]
    return np.concatenate(found)


def _count_steps(stage: Stage, rows: int) -> int:
    """Return the steps of a budget other than one of tokens, where an epoch has so many rows."""
    if stage.steps is not None:
        return stage.steps
    if stage.examples is not None:
        return math.ceil(stage.examples / stage.batch_size)
    # Rounded first: 1.1 epochs of 100 rows are 110 rows, although the product of floats is a little more.
    return max(1, math.ceil(round((stage.epochs or DEFAULT_EPOCHS) * rows, 6) / stage.batch_size))


def _count_token_steps(stage: Stage, encoded: Encoded, seed: int) -> int:
    """Return the smallest number of steps in which the budget of tokens has been seen."""
    assert stage.tokens is not None
    lengths = encoded.lengths()
    epochs, rest = divmod(stage.tokens, int(lengths.sum()))
    rows = epochs * len(encoded)
    if rest:
        assert encoded.keys is not None
        last = order_rows(encoded.keys, seed, rows + len(encoded)).rows[rows:]  # grouping takes the same rows
        seen = np.cumsum(lengths[last])
        rows += int(np.searchsorted(seen, rest)) + 1
    return math.ceil(rows / stage.batch_size)


def _count_mixture_steps(stage: Stage, encoded: Sequence[Encoded], shares: Sequence[float]) -> int:
    """Return the steps of a mixture's budget; an epoch is as many rows as all tasks have together."""
    if stage.tokens is None:
        return _count_steps(stage, sum(map(len, encoded)))
    mean = sum(share * float(part.lengths().mean()) for share, part in zip(shares, encoded, strict=True))
    return max(1, math.ceil(stage.tokens / (mean * stage.batch_size)))
