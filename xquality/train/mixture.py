"""Mixture: several tasks trained in one stage, one of them at each step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, final

import numpy as np

from xquality._settings import at_least, check_settings, optional, positive
from xquality.errors import SettingError
from xquality.heads import TrainableHead
from xquality.tasks.base import Task


def _tasks(owner: str, name: str, value: object) -> tuple[Task, ...]:
    """Return a sequence of two different tasks or more, all of which can be trained, as a tuple."""
    if not isinstance(value, Sequence) or not all(isinstance(task, Task) for task in value):
        raise SettingError(f"{owner}({name}) must be a list of tasks, not {value!r:.60}.")
    names = [task.name for task in value]
    if len(names) < 2 or len(set(names)) < len(names):
        raise SettingError(f"{owner}({name}) must be two different tasks or more, but got {names}.")
    for task in value:
        if not isinstance(task.head, TrainableHead):
            raise SettingError(f"{owner} cannot train {task.name}, which has no head that is trained; leave it out.")
    return tuple(value)


def _temperature(owner: str, name: str, value: object) -> float:
    """Return `value` as a float above 0, infinity included."""
    return math.inf if value == math.inf else positive(owner, name, value)


def _rates(owner: str, name: str, value: object) -> tuple[float, ...]:
    """Return a sequence of numbers above 0 that add up to 1 as a tuple."""
    if not isinstance(value, Sequence):
        raise SettingError(f"{owner}({name}={value!r}) must be a list with a share for each task.")
    rates = tuple(positive(owner, name, rate) for rate in value)
    if abs(sum(rates) - 1) > 1e-6:
        raise SettingError(f"{owner}({name}={rates!r}) must be shares from 0 to 1 that add up to 1.")
    return rates


@final
@dataclass(frozen=True)
class Mixture:
    """Tasks that share an encoder, each with a head of its own; every optimiser step belongs to one task.

    The share of a task of n rows is proportional to min(n, cap) ** (1 / temperature). How many steps each task gets
    is its share to the nearest whole number (largest remainders); the order of the steps is drawn from the seed. The
    model after the stage has the head of the first task.

    Attributes:
        tasks: the tasks, each once.
        temperature: 1 is proportional sampling; larger values favour small tasks; infinity gives equal shares.
        cap: rows beyond this many do not count towards a task's share.
        rates: the shares themselves instead, such as (0.9, 0.1) for a task with masked language modelling beside it.

    Raises:
        SettingError: for fewer than two tasks, a task twice or one that cannot be trained, or rates that are not
            shares of the tasks.

    Example:
        >>> from xquality import toy
        >>> Mixture((toy.topics, toy.inference), temperature=2.0).steps([400, 100], 30)
        (20, 10)
    """

    tasks: Annotated[tuple[Task, ...], _tasks]
    temperature: Annotated[float, _temperature] = 1.0
    cap: Annotated[int | None, optional(at_least(1))] = None
    rates: Annotated[tuple[float, ...] | None, optional(_rates)] = None

    def __post_init__(self) -> None:
        check_settings(self)
        if self.rates is None:
            return
        if len(self.rates) != len(self.tasks):
            names = [task.name for task in self.tasks]
            raise SettingError(f"Mixture(rates={self.rates!r}) must be a share for each of {names}, adding up to 1.")
        if self.temperature != 1 or self.cap is not None:
            raise SettingError("Mixture takes either rates or a temperature and a cap; leave one of them out.")

    @property
    def name(self) -> str:
        """The tasks' names, joined by +."""
        return "+".join(task.name for task in self.tasks)

    def shares(self, sizes: Sequence[int]) -> tuple[float, ...]:
        """Return each task's share of the steps, given its number of rows."""
        if self.rates is not None:
            return self.rates
        capped = np.minimum(np.asarray(sizes, np.float64), self.cap or math.inf)
        weights = (capped / capped.max()) ** (1 / self.temperature)  # of ratios, since a power of a count may overflow
        return tuple((weights / weights.sum()).tolist())

    def steps(self, sizes: Sequence[int], total: int) -> tuple[int, ...]:
        """Return how many of `total` steps each task gets; ties of the remainders go to the earlier task."""
        wanted = np.asarray(self.shares(sizes)) * total
        counts = np.floor(wanted).astype(np.int64)
        largest = np.argsort(-(wanted - counts), kind="stable")[: total - int(counts.sum())]
        counts[largest] += 1
        return tuple(counts.tolist())
