"""What an engine is: a frozen value that opens a pool of workers, which take cells and give back what came of them.

The driver (`StudyRun`) decides which cell is run, claims it, retries it and writes its file; an engine only carries
cells to workers. So an engine is short, and a cell's file does not depend on it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from xquality._settings import show
from xquality.errors import SettingError
from xquality.study.cells import Cell
from xquality.study.trial_runner import Outcome, TrialRunner

RETRIES: Final = 3  # by default, how often a cell is tried again whose worker was lost


@final
@dataclass(frozen=True)
class Lost:
    """A cell of which nothing came, since its worker ended before the trial did.

    Attributes:
        cell: the values of the axes.
        reason: how the worker ended, as part of a sentence.
    """

    cell: Cell
    reason: str


class Pool(ABC):
    """The workers of an engine while a study runs."""

    @abstractmethod
    def free(self) -> int:
        """Return how many more cells it takes now."""

    @abstractmethod
    def submit(self, cells: Sequence[Cell]) -> None:
        """Start some cells, at most `free()` of them."""

    @abstractmethod
    def wait(self, seconds: float) -> list[Outcome | Lost]:
        """Return what came of cells since the last call, waiting for the first of them, but not much longer than this.

        Raises:
            StudyError: if the engine cannot go on.
            KeyboardInterrupt: if the program is interrupted, or the trial in a worker.
        """


class Engine(ABC):
    """Where the cells of a study are run; subclasses are frozen values."""

    @property
    @abstractmethod
    def retries(self) -> int:
        """How often a cell is tried again whose worker was lost."""

    @abstractmethod
    def check(self) -> None:
        """Raise where the engine cannot be used at all.

        Raises:
            SettingError: if a package is missing that it needs.
        """

    @abstractmethod
    def open(self, runner: TrialRunner, folder: Path) -> AbstractContextManager[Pool]:
        """Return a context with the workers; they are stopped when it ends, whatever they are doing.

        Args:
            runner: runs the trial in this process; workers get a copy of its trial.
            folder: of the study.

        Raises:
            SettingError: if there are no machines that have what a cell needs.
            StudyError: if the trial cannot be sent to workers.
        """


@final
@dataclass(frozen=True)
class InProcess(Engine):
    """One cell after the other in this process, without workers."""

    @property
    def retries(self) -> int:
        """How often a cell is tried again whose worker was lost."""
        return 0

    def check(self) -> None:
        """Do nothing: it needs nothing that may be missing."""

    @contextmanager
    def open(self, runner: TrialRunner, folder: Path) -> Any:  # noqa: ARG002 (nothing is kept)
        """Yield the workers, and stop them when the block ends."""
        yield _OwnProcess(runner.run)


@final
class _OwnProcess(Pool):
    """This process, as the only worker."""

    def __init__(self, run: Callable[[Cell], Outcome]) -> None:
        self._run, self._waiting = run, list[Cell]()

    def free(self) -> int:
        return 1 - len(self._waiting)

    def submit(self, cells: Sequence[Cell]) -> None:
        self._waiting += cells

    def wait(self, seconds: float) -> list[Outcome | Lost]:  # noqa: ARG002 (the trial takes its time)
        cells, self._waiting = self._waiting, []
        return [self._run(cell) for cell in cells]


def read_engine(value: object) -> Engine:
    """Return the engine that `Study.run` is given.

    Raises:
        SettingError: if it is none, or needs a package that is not installed.
    """
    from xquality.study.engines.on_ray import Ray
    from xquality.study.engines.on_slurm import Slurm
    from xquality.study.engines.processes import Processes

    named: dict[str, Callable[[], Engine]] = {"processes": Processes, "ray": Ray, "slurm": Slurm}
    if value is None:
        return InProcess()
    if isinstance(value, str) and value in named:
        value = named[value]()
    if not isinstance(value, Engine):
        raise SettingError(
            f"Study.run(engine={show(value)}) must be None, 'processes', 'ray', 'slurm', or a value such as "
            "Processes(workers=4)."
        )
    value.check()
    return value
