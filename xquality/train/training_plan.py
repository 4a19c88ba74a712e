"""TrainingPlan: what a stage trains on, step by step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from xquality.errors import TrainingError
from xquality.heads import Encoded
from xquality.randomness import derive_seed
from xquality.train.mixture import Mixture
from xquality.train.order import Order, mixed_order, single_order, spread
from xquality.train.stage import DEFAULT_EPOCHS, Stage


@final
@dataclass(frozen=True)
class TrainingPlan:
    """The rows of a stage in training order.

    Attributes:
        encoded: the rows of each task.
        order: which of them stand at each place.
        steps: how many optimiser steps there are.
        batch_size: rows a step.
    """

    encoded: tuple[Encoded, ...]
    order: Order
    steps: int
    batch_size: int

    def amounts(self, names: Sequence[str], steps: int) -> dict[str, Any]:
        """Return how much was trained on in the first `steps` steps, as it came out; a window counts as an example."""
        places = steps * self.batch_size
        parts, rows = self.order.parts[:places], self.order.rows[:places]
        tokens = sum(int(one.lengths()[rows[parts == part]].sum()) for part, one in enumerate(self.encoded))
        total = sum(map(len, self.encoded))
        found: dict[str, Any] = {
            "steps": steps,
            "examples": places,
            "epochs": places / total,
            "tokens": tokens,
            "encoded_rows": total,
        }
        if len(names) > 1:
            counts = np.bincount(parts[:: self.batch_size], minlength=len(names))
            found["steps_by_task"] = dict(zip(names, counts.tolist(), strict=True))
        return found


def make_plan(stage: Stage, encoded: Sequence[Encoded], seed: int) -> TrainingPlan:
    """Return the course of a stage.

    Args:
        stage: the settings.
        encoded: the rows of each of its tasks.
        seed: the stage's own.

    Raises:
        TrainingError: where a task has rows and nothing in them, or a mixture gives a task no step at all.
    """
    for task, one in zip(stage.tasks, encoded, strict=True):
        if not len(one):
            raise TrainingError(f"The rows of {task.name} hold nothing to train on; check the transforms before it.")
    if not isinstance(stage.task, Mixture):
        only = encoded[0]
        steps = _steps(stage, len(only)) if stage.tokens is None else _token_steps(stage, only, seed)
        return TrainingPlan((only,), _order(stage, only, seed, steps), steps, stage.batch_size)
    sizes = [len(one) for one in encoded]
    seeds = [derive_seed("part", seed, one.name) for one in stage.tasks]
    shares = stage.task.shares(sizes)
    steps = _mixed_steps(stage, encoded, shares)
    counts = stage.task.steps(sizes, steps)
    idle = [one.name for one, count in zip(stage.tasks, counts, strict=True) if not count]
    if idle:
        raise TrainingError(
            f"The mixture {stage.task.name} gives no step of {steps} to {', '.join(idle)}; raise the temperature, the "
            "rates or the budget."
        )
    orders = [_order(stage, one, own, count) for one, own, count in zip(encoded, seeds, counts, strict=True)]
    order = mixed_order(orders, spread(counts, seed), stage.batch_size)
    return TrainingPlan(tuple(encoded), order, steps, stage.batch_size)


def _order(stage: Stage, encoded: Encoded, seed: int, steps: int) -> Order:
    """Return one task's own order."""
    assert encoded.keys is not None
    lengths = encoded.lengths() if stage.group_by_length else None
    places = steps * stage.batch_size
    return single_order(encoded.keys, seed, places, batch_size=stage.batch_size, lengths=lengths)


def _token_steps(stage: Stage, encoded: Encoded, seed: int) -> int:
    """Return after how many steps as many tokens have been seen as the budget names, or just more."""
    assert stage.tokens is not None
    lengths = encoded.lengths()
    epochs, rest = divmod(stage.tokens, int(lengths.sum()))
    rows = epochs * len(encoded)
    if rest:
        assert encoded.keys is not None
        last = single_order(encoded.keys, seed, rows + len(encoded)).rows[rows:]  # grouping takes the same rows
        seen = np.cumsum(lengths[last])
        rows += int(np.searchsorted(seen, rest)) + 1
    return math.ceil(rows / stage.batch_size)


def _steps(stage: Stage, rows: int) -> int:
    """Return how many steps a budget other than one of tokens allows, where an epoch has so many rows."""
    if stage.steps is not None:
        return stage.steps
    if stage.examples is not None:
        return math.ceil(stage.examples / stage.batch_size)
    # Rounded first: 1.1 epochs of 100 rows are 110 rows, though the computer's product is a little more.
    return max(1, math.ceil(round((stage.epochs or DEFAULT_EPOCHS) * rows, 6) / stage.batch_size))


def _mixed_steps(stage: Stage, encoded: Sequence[Encoded], shares: Sequence[float]) -> int:
    """Return how many steps the budget of a mixture allows; an epoch is as many rows as there are in all tasks."""
    if stage.tokens is None:
        return _steps(stage, sum(map(len, encoded)))
    mean = sum(share * float(one.lengths().mean()) for share, one in zip(shares, encoded, strict=True))
    return max(1, math.ceil(stage.tokens / (mean * stage.batch_size)))
