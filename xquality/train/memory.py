"""Memory: what to do where a batch does not fit into the device's."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from xquality.errors import TrainingError
from xquality.train import processes
from xquality.train.stage import Stage


@contextmanager
def training(stage: Stage) -> Iterator[None]:
    """Turn a lack of memory while training into a `TrainingError` that names a setting to try."""
    try:
        yield
    except torch.OutOfMemoryError as fault:
        raise TrainingError(
            f"A batch of {stage.batch_size} rows of up to {stage.max_length} tokens does not fit into the device's "
            f"memory; {advice(stage.batch_size, stage.accumulation, processes.count())}."
        ) from fault


@contextmanager
def scoring() -> Iterator[None]:
    """Turn a lack of memory while scoring into a `TrainingError`, which no batch size of the stage would mend."""
    try:
        yield
    except torch.OutOfMemoryError as fault:
        raise TrainingError(
            "Scoring rows on the way does not fit into the device's memory beside what training keeps there; lower "
            "Stage(batch_size) or Stage(max_length), or use a device with more."
        ) from fault


def advice(batch_size: int, accumulation: int, together: int = 1) -> str:
    """Return what to try next: the same batch in more parts, a smaller batch, or shorter rows.

    Args:
        batch_size: rows a step.
        accumulation: in how many parts each process computes its own.
        together: how many processes there are.

    Example:
        >>> advice(32, 16)
        "compute it in more parts with arguments={'gradient_accumulation_steps': 32}, or set batch_size=16"
        >>> advice(1, 1)
        "lower max_length, or set arguments={'activation_checkpointing': True}"
    """
    own = batch_size // together
    more = next((one for one in range(accumulation + 1, own + 1) if own % one == 0), None)
    step = accumulation * together
    smaller = batch_size // 2 // step * step
    tries = []
    if more is not None:
        tries.append(f"compute it in more parts with arguments={{'gradient_accumulation_steps': {more}}}")
    if smaller:
        tries.append(f"set batch_size={smaller}")
    return ", or ".join(tries or ["lower max_length", "set arguments={'activation_checkpointing': True}"])
