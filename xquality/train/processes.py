"""Several processes that train one model together, as torchrun and accelerate start them.

Each process computes a part of every batch; only the first writes to the store.
"""

import os
from typing import TypeVar

T = TypeVar("T")


def count() -> int:
    """Return how many processes train together; 1 if training is not distributed."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def rank() -> int:
    """Return the number of this process among them, from 0."""
    return int(os.environ.get("RANK", "0"))


def is_first() -> bool:
    """Return whether this process is the one that writes."""
    return rank() == 0


def broadcast(value: T) -> T:
    """Return the first process's value in all of them; every process must call it."""
    if count() == 1:
        return value
    import torch

    _connect()
    values = [value]
    torch.distributed.broadcast_object_list(values)
    return values[0]


def barrier() -> None:
    """Block until every process has called it."""
    broadcast(None)


def all_gather(value: T) -> list[T]:
    """Return the values of all processes, by rank, in all of them; every process must call it."""
    if count() == 1:
        return [value]
    import torch

    _connect()
    values = [value] * count()
    torch.distributed.all_gather_object(values, value)
    return values


def mean(value: float) -> float:
    """Return the mean of a number over all processes, in all of them; every process must call it."""
    values = all_gather(value)
    return sum(values) / len(values)


def _connect() -> None:
    """Initialise the process group, unless it is initialised."""
    import torch
    from accelerate import PartialState

    PartialState(cpu=not torch.cuda.is_available())
