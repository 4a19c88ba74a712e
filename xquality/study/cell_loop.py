"""CellLoop: gives the cells of a study to an engine's workers until none is left, and keeps what comes back.

Several drivers may run one study: each claims the cells that it gives away. A cell that another driver has is looked at
again later, since that driver may be killed.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, final

from xquality.errors import DamagedError, StudyError
from xquality.study.cells import Cell, Failed, cell_file, cell_name, failure_time, read_cell, read_failure, show_cell
from xquality.study.claims import Claims
from xquality.study.engines.base import Lost, Pool
from xquality.study.trial_identity import TrialIdentity
from xquality.study.trial_runner import Outcome

_PAUSE: Final = 0.5  # seconds between two looks at the cells of other drivers


@final
class CellQueue:
    """The cells that are not finished; those that are taken are claimed until they are given back.

    Attributes:
        finished_elsewhere: how many cells other drivers have finished in the meantime.
        failed_elsewhere: the cells that failed at another driver in the meantime.
    """

    def __init__(self, folder: Path, cells: Sequence[Cell], identity: TrialIdentity, *, share: bool) -> None:
        """Claim nothing yet.

        Args:
            folder: of the study.
            cells: in the order in which they are run.
            identity: of the trial that must have computed a cell that another driver has finished.
            share: whether other drivers may have cells.
        """
        self._folder, self._identity, self._share = folder, identity, share
        self._again, self._waiting, self._elsewhere = deque[Cell](), deque(cells), list[Cell]()
        self._claims = Claims(folder)
        self._failed_before = {cell_name(cell): failure_time(folder, cell) for cell in cells} if share else {}
        self._looked = time.monotonic()
        self.finished_elsewhere = 0
        self.failed_elsewhere: list[Failed] = []

    def take(self, most: int) -> list[Cell]:
        """Return some cells to run, at most `most`, after claiming them."""
        self._look_again()
        taken: list[Cell] = []
        while len(taken) < most and self._again:
            taken.append(self._again.popleft())
        while len(taken) < most and self._waiting:
            cell = self._waiting.popleft()
            if self._is_done_elsewhere(cell):
                continue
            if not self._claims.take(cell):
                self._elsewhere.append(cell)
            elif self._is_done_elsewhere(cell):  # between the look and the claim
                self._claims.release(cell)
            else:
                taken.append(cell)
        return taken

    def give_back(self, cell: Cell) -> None:
        """Free a cell that was taken and is written, or will not be run."""
        self._claims.release(cell)

    def take_again(self, cell: Cell) -> None:
        """Run a cell that was taken once more, before the others."""
        self._again.append(cell)

    def is_empty(self) -> bool:
        """Return whether no cell is left, here or at other drivers."""
        return not (self._again or self._waiting or self._elsewhere)

    def close(self) -> None:
        """Free all cells that were taken."""
        self._claims.release_all()

    def _look_again(self) -> None:
        """Let the cells of other drivers be tried again, now and then."""
        if self._elsewhere and time.monotonic() - self._looked >= _PAUSE:
            self._waiting += self._elsewhere
            self._elsewhere.clear()
            self._looked = time.monotonic()

    def _is_done_elsewhere(self, cell: Cell) -> bool:
        """Return whether another driver has finished the cell since this one started, or failed at it; count it."""
        if not self._share:
            return False
        if cell_file(self._folder, cell).exists():
            try:
                if read_cell(self._folder, cell, self._identity) is not None:
                    self.finished_elsewhere += 1
                    return True
            except DamagedError:
                return False  # it is run again, and written anew
        if failure_time(self._folder, cell) == self._failed_before[cell_name(cell)]:
            return False
        failed = read_failure(self._folder, cell)
        if failed is not None:
            self.failed_elsewhere.append(failed)
        return failed is not None


@final
class CellLoop:
    """Runs cells until none is left.

    Attributes:
        running: the cells that are being run by this driver.
        failures: the cells that failed, with the error.
        done: how many cells are finished, by this driver, others or earlier.
    """

    def __init__(
        self,
        queue: CellQueue,
        keep: Callable[[Outcome], None],
        say: Callable[[str], None],
        bar: Any,
        done: int,
        *,
        most_retries: int,
        stop: bool,
    ) -> None:
        """Run nothing yet.

        Args:
            queue: the cells.
            keep: writes what came of a cell.
            say: shows a line past the bar.
            bar: of tqdm.
            done: how many cells were finished before.
            most_retries: how often a cell is tried again whose worker was lost.
            stop: start no further cell after one that fails.
        """
        self._queue, self._keep, self._say, self._bar = queue, keep, say, bar
        self._most_retries, self._stop = most_retries, stop
        self._losses: dict[str, int] = {}  # of each cell, by its name
        self._is_stopping = False
        self._before = done
        self._kept = 0
        self.running: dict[str, Cell] = {}
        self.failures: list[tuple[Failed, Exception]] = []

    @property
    def done(self) -> int:
        """How many cells are finished."""
        return self._before + self._kept + self._queue.finished_elsewhere

    def run(self, pool: Pool) -> None:
        """Run all cells by the workers of a pool.

        Raises:
            StudyError, WriteError: as the pool, and the function that keeps outcomes.
        """
        while True:
            self._start_cells(pool)
            if self.done != self._bar.n:
                self._bar.update(self.done - self._bar.n)  # cells of other drivers
            if not self.running:
                if self._is_stopping or self._queue.is_empty():
                    break
                time.sleep(_PAUSE)  # another driver has the last cells
                continue
            for outcome in pool.wait(_PAUSE):
                self._take_outcome(outcome)
        for failed in self._queue.failed_elsewhere:
            self.failures.append((failed, StudyError(failed.error)))

    def _start_cells(self, pool: Pool) -> None:
        """Give cells to workers that are free."""
        most = 0 if self._is_stopping else pool.free()
        cells = self._queue.take(most) if most > 0 else []
        if cells:
            self.running |= {cell_name(cell): cell for cell in cells}
            self._bar.set_postfix_str(", ".join(f"{name}={value}" for name, value in cells[-1].items()))
            pool.submit(cells)

    def _take_outcome(self, outcome: Outcome | Lost) -> None:
        """Keep what came of a cell, or run it again."""
        if isinstance(outcome, Lost):
            again = self._count_loss(outcome)
            if again is None:
                return
            outcome = again
        self._keep(outcome)
        self._queue.give_back(outcome.cell)
        del self.running[cell_name(outcome.cell)]
        if outcome.fault is None:
            self._kept += 1
            self._bar.update()
            return
        self.failures.append((Failed(outcome.cell, outcome.error, outcome.traceback, outcome.run), outcome.fault))
        self._say(f"The trial failed at {show_cell(outcome.cell)} with {outcome.error}")
        self._is_stopping = self._stop

    def _count_loss(self, lost: Lost) -> Outcome | None:
        """Run a cell again whose worker was lost, or return its failure where that has happened too often."""
        name = cell_name(lost.cell)
        self._losses[name] = times = self._losses.get(name, 0) + 1
        if times <= self._most_retries:
            del self.running[name]
            if self._is_stopping:
                self._queue.give_back(lost.cell)
            else:
                self._say(f"The cell {show_cell(lost.cell)} is tried again, since {lost.reason}")
                self._queue.take_again(lost.cell)
            return None
        counted = "" if times == 1 else f" {times} times"
        sentence = f"The cell was given up, since {lost.reason}{counted}; look for what ends it, such as full memory."
        return Outcome(lost.cell, None, error=f"StudyError: {sentence}", traceback=sentence, fault=StudyError(sentence))
