"""Planning: a trial is called as always, but `fit` says what it would train instead of training it.

`fit` looks for a planner when its chain is prepared. A planner that only counts ends the trial there; one that times
lets the first stage train for a few steps. What ends the trial is no `Exception`, so that a trial cannot take it for a
failure of its own.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar, final

T = TypeVar("T")

_planner: "ContextVar[Planner | None]" = ContextVar("planner", default=None)


@final
@dataclass(frozen=True)
class PlannedStage:
    """A stage that a cell needs.

    Attributes:
        digest: of everything that decides it, with the digest of the stage before in place of its weights.
        store: where it is kept, so that cells with a stage of the same digest there share it; empty for nowhere.
        name: its task and language.
        steps: how many it trains for.
        batch_size: rows a step.
        is_stored: whether the store has it already.
    """

    digest: str
    store: str
    name: str
    steps: int
    batch_size: int
    is_stored: bool


@final
class PlannedEnd(BaseException):
    """The trial has called `fit`, and need not go on."""


@final
@dataclass
class Planner:
    """What is learnt from calling trials.

    Attributes:
        steps_to_time: how many steps to train and time; 0 for none.
        stages: of the first call of `fit`; empty before.
        times: when each step of the first stage ended, in seconds.
        memo: what several cells need, such as the encoder.
    """

    steps_to_time: int = 0
    stages: tuple[PlannedStage, ...] = ()
    times: list[float] = field(default_factory=list)
    memo: dict[Any, Any] = field(default_factory=dict)

    def add_chain(self, stages: Sequence[PlannedStage]) -> None:
        """Note the stages of a chain; end the trial, unless its steps are to be timed.

        Raises:
            PlannedEnd: to end the trial.
        """
        self.stages = tuple(stages)
        if not self.steps_to_time:
            raise PlannedEnd

    def add_step(self) -> None:
        """Note that a step has ended, and end the trial after the last that is timed.

        Raises:
            PlannedEnd: to end the trial.
        """
        self.times.append(time.perf_counter())
        if len(self.times) > self.steps_to_time:
            raise PlannedEnd

    def remember(self, key: Any, make: Callable[[], T]) -> T:
        """Return what `make` returns, which is called once for each key."""
        if key not in self.memo:
            self.memo[key] = make()
        found: T = self.memo[key]
        return found


def current_planner() -> Planner | None:
    """Return the planner of the trial that is being called; None where it is not planned but run."""
    return _planner.get()


@contextmanager
def plan_with(planner: Planner) -> Iterator[None]:
    """Plan inside the block."""
    token = _planner.set(planner)
    try:
        yield
    finally:
        _planner.reset(token)


def call_trial(trial: Callable[..., Any], cell: Mapping[str, Any], planner: Planner) -> tuple[float, bool, str]:
    """Call a trial under a planner.

    Returns:
        The seconds that it took, whether it came to its end because it called no `fit`, and the error that it raised,
        empty for none.
    """
    begun, is_finished, fault = time.perf_counter(), False, ""
    with plan_with(planner):
        try:
            trial(**cell)
            is_finished = True
        except PlannedEnd:
            pass
        except (Exception, SystemExit) as error:  # noqa: BLE001 (it is said, as a failure of the cell would be)
            fault = f"{type(error).__name__}: {str(error)[:200]}"
    return time.perf_counter() - begun, is_finished, fault
