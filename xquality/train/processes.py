"""Several processes that train one model together, as torchrun and accelerate start them.

Each computes a part of every batch; the first one writes, the others follow it.
"""

import os
from typing import TypeVar

Value = TypeVar("Value")


def count() -> int:
    """Return how many processes train together; 1 where nobody started several."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def number() -> int:
    """Return which of them this process is, from 0."""
    return int(os.environ.get("RANK", "0"))


def is_first() -> bool:
    """Say whether this process is the one that writes."""
    return number() == 0


def agreed(value: Value) -> Value:
    """Return the first process's value in all of them; call it in all of them."""
    if count() == 1:
        return value
    import torch

    _connect()
    told = [value]
    torch.distributed.broadcast_object_list(told)
    return told[0]


def wait() -> None:
    """Go on only when every process has come here."""
    agreed(None)


def gathered(value: Value) -> list[Value]:
    """Return every process's value, in their order, in all of them; call it in all of them."""
    if count() == 1:
        return [value]
    import torch

    _connect()
    told = [value] * count()
    torch.distributed.all_gather_object(told, value)
    return told


def mean(value: float) -> float:
    """Return the mean of a number over all processes, in all of them."""
    told = gathered(value)
    return sum(told) / len(told)


def _connect() -> None:
    """Let the processes find each other, where they have not yet."""
    import torch
    from accelerate import PartialState

    PartialState(cpu=not torch.cuda.is_available())
