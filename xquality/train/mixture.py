"""Mixture: several tasks learnt in one stage, one of them at each step."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from xquality import _settings
from xquality.errors import SettingError
from xquality.heads import TrainableHead
from xquality.tasks.base import Task


@final
@dataclass(frozen=True)
class Mixture:
    """Tasks that share an encoder, each with a head of its own; every optimiser step belongs to one task.

    The share of a task of n rows is in proportion to min(n, cap) ** (1 / temperature). How many steps each task gets
    is that share to the nearest whole number (largest remainders), and in which order they come is drawn by the seed.
    The model that comes out of the stage has the head of the first task.

    Attributes:
        tasks: the tasks, each once.
        temperature: 1 is proportional sampling; larger values favour small tasks; infinity gives all the same share.
        cap: rows beyond this many do not count towards a task's share.
        rates: instead, the shares themselves, such as (0.9, 0.1) for a task with masked language modelling beside it.

    Raises:
        SettingError: for fewer than two tasks, a task twice or one that cannot be trained, or rates that are none.

    Example:
        >>> from xquality import toy
        >>> Mixture((toy.topics, toy.inference), temperature=2.0).steps([400, 100], 30)
        (20, 10)
    """

    tasks: tuple[Task, ...]
    temperature: float = 1.0
    cap: int | None = None
    rates: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        owner = "Mixture"
        if not isinstance(self.tasks, Sequence) or not all(isinstance(one, Task) for one in self.tasks):
            raise SettingError(f"Mixture(tasks) must be a list of tasks, not {self.tasks!r:.60}.")
        object.__setattr__(self, "tasks", tuple(self.tasks))
        names = [one.name for one in self.tasks]
        if len(names) < 2 or len(set(names)) < len(names):
            raise SettingError(f"Mixture(tasks) must be two different tasks or more, but got {names}.")
        for one in self.tasks:
            if not isinstance(one.head, TrainableHead):
                raise SettingError(f"Mixture cannot train {one.name}, which has no head that learns; leave it out.")
        if self.temperature != math.inf:
            object.__setattr__(self, "temperature", _settings.positive(owner, "temperature", self.temperature))
        if self.cap is not None:
            object.__setattr__(self, "cap", _settings.integer(owner, "cap", self.cap, least=1))
        if self.rates is not None:
            object.__setattr__(self, "rates", self._checked_rates(names))

    def _checked_rates(self, names: Sequence[str]) -> tuple[float, ...]:
        """Return the rates as plain numbers, or raise where they are no shares of the tasks."""
        if not isinstance(self.rates, Sequence):
            raise SettingError(f"Mixture(rates={self.rates!r}) must be a share for each of {names}.")
        rates = tuple(_settings.positive("Mixture", "rates", one) for one in self.rates)
        if len(rates) != len(names) or abs(sum(rates) - 1) > 1e-6:
            raise SettingError(f"Mixture(rates={rates!r}) must be a share for each of {names}, adding up to 1.")
        if self.temperature != 1 or self.cap is not None:
            raise SettingError("Mixture takes either rates or a temperature and a cap; leave one of them out.")
        return rates

    @property
    def name(self) -> str:
        """The tasks' names, joined by +."""
        return "+".join(one.name for one in self.tasks)

    def shares(self, sizes: Sequence[int]) -> tuple[float, ...]:
        """Return each task's share of the steps, given its number of rows."""
        if self.rates is not None:
            return self.rates
        capped = np.minimum(np.asarray(sizes, np.float64), self.cap or math.inf)
        weights = (capped / capped.max()) ** (1 / self.temperature)  # of shares, since a power of a count may overflow
        return tuple((weights / weights.sum()).tolist())

    def steps(self, sizes: Sequence[int], total: int) -> tuple[int, ...]:
        """Return how many of `total` steps each task gets; ties of the remainders go to the earlier task."""
        wanted = np.asarray(self.shares(sizes)) * total
        counts = np.floor(wanted).astype(np.int64)
        rest = np.argsort(-(wanted - counts), kind="stable")[: total - int(counts.sum())]
        counts[rest] += 1
        return tuple(counts.tolist())
