"""Errors for a device without enough memory, which say what to try next."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from xquality.errors import TrainingError
from xquality.train import processes
from xquality.train.stage import Stage


@contextmanager
def explain_training(stage: Stage) -> Iterator[None]:
    """Turn an out-of-memory error of training into a `TrainingError` that names a setting to try."""
    try:
        yield
    except torch.OutOfMemoryError as fault:
        raise TrainingError(
            f"A batch of {stage.batch_size} rows of up to {stage.max_length} tokens does not fit into the device's "
            f"memory; {suggest(stage.batch_size, stage.accumulation_steps, processes.count())}."
        ) from fault


@contextmanager
def explain_scoring() -> Iterator[None]:
    """Turn an out-of-memory error of scoring during training into a `TrainingError`."""
    try:
        yield
    except torch.OutOfMemoryError as fault:
        raise TrainingError(
            "Scoring rows during training does not fit into the device's memory beside what training keeps there; "
            "lower Stage(batch_size) or Stage(max_length), or use a device with more memory."
        ) from fault


def suggest(batch_size: int, accumulation_steps: int, process_count: int = 1) -> str:
    """Return what to try next: more accumulation steps, a smaller batch, or shorter rows.

    Args:
        batch_size: rows a step.
        accumulation_steps: over how many forward passes each process accumulates the gradients of a step.
        process_count: how many processes train together.

    Example:
        >>> suggest(32, 16)
        "compute it in more parts with arguments={'gradient_accumulation_steps': 32}, or set batch_size=16"
        >>> suggest(1, 1)
        "lower max_length, or set arguments={'activation_checkpointing': True}"
    """
    rows = batch_size // process_count
    more = next((number for number in range(accumulation_steps + 1, rows + 1) if rows % number == 0), None)
    divisor = accumulation_steps * process_count
    smaller = batch_size // 2 // divisor * divisor
    suggestions = []
    if more is not None:
        suggestions.append(f"compute it in more parts with arguments={{'gradient_accumulation_steps': {more}}}")
    if smaller:
        suggestions.append(f"set batch_size={smaller}")
    return ", or ".join(suggestions or ["lower max_length", "set arguments={'activation_checkpointing': True}"])
