"""Processes: cells on this machine, each worker a process of its own that may be killed without the others.

The workers are loky's, which comes with joblib: they need no `if __name__ == "__main__"` in the program and take
trials from notebooks. Each worker is an executor of its own, since a killed worker breaks its whole executor.
"""

import os
import signal
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, final

from joblib.externals.loky import process_executor

from xquality._settings import at_least, check_settings, optional
from xquality.study.cells import Cell
from xquality.study.engines.base import RETRIES, Engine, Lost, Pool
from xquality.study.engines.payload import Payload, pack_trial, run_cell, unpack_outcome
from xquality.study.trial_runner import Outcome, TrialRunner


@final
@dataclass(frozen=True)
class Processes(Engine):
    """Run the cells of a study in worker processes on this machine.

    Each worker takes one cell at a time and keeps what it has imported. Where one is killed, for example since memory
    has run out, another is started and the cell is tried again.

    Attributes:
        workers: how many; None for one on each core that this process may use. Each computes with one thread, unless
            the trial gives `threads` to `fit`.
        retries: how often a cell is tried again whose worker was killed; then it counts as failed.

    Raises:
        SettingError: for a number out of range.

    Example:
        >>> Processes(workers=4)
        Processes(workers=4, retries=3)
    """

    workers: Annotated[int | None, optional(at_least(1))] = None
    retries: Annotated[int, at_least(0)] = RETRIES

    def __post_init__(self) -> None:
        check_settings(self)

    def check(self) -> None:
        """Do nothing: it needs nothing that may be missing."""

    @contextmanager
    def open(self, runner: TrialRunner, folder: Path) -> Iterator[Pool]:  # noqa: ARG002 (the driver writes)
        """Yield the workers, and stop them when the block ends."""
        payload = pack_trial(runner)
        with tempfile.TemporaryDirectory(prefix="xquality-") as scratch:
            file = Path(scratch) / "trial"
            file.write_bytes(payload.content)
            pool = _ProcessPool(self.workers or len(os.sched_getaffinity(0)), payload, file)
            try:
                yield pool
            finally:
                pool.stop()


@final
class _ProcessPool(Pool):
    """Executors of one process each; a worker is started when the first cell is given to it."""

    def __init__(self, workers: int, payload: Payload, file: Path) -> None:
        self._digest, self._file = payload.digest, str(file)
        self._idle: list[Any] = [None] * workers  # an executor, or None where none is running
        self._busy: dict[Future[bytes], tuple[Cell, Any]] = {}

    def free(self) -> int:
        return len(self._idle)

    def submit(self, cells: Sequence[Cell]) -> None:
        for cell in cells:
            executor = self._idle.pop()  # the one that was used last, which has everything imported
            if executor is None:
                executor = start_executor()
            self._busy[executor.submit(_run_cell_of_file, self._digest, self._file, dict(cell))] = cell, executor

    def wait(self, seconds: float) -> list[Outcome | Lost]:
        done, _ = wait(self._busy, timeout=seconds, return_when=FIRST_COMPLETED)
        return [self._take(future) for future in done]

    def _take(self, future: Future[bytes]) -> Outcome | Lost:
        """Return what came of a cell, and free its worker."""
        cell, executor = self._busy.pop(future)
        try:
            outcome = unpack_outcome(future.result())
        except BrokenExecutor as error:
            stop_executor(executor, kill=True)
            self._idle.insert(0, None)
            return Lost(cell, _describe_end(error))
        self._idle.append(executor)
        return outcome

    def stop(self) -> None:
        """Let idle workers end, and kill the others."""
        idle, busy = self._idle, [executor for _, executor in self._busy.values()]
        self._idle, self._busy = [], {}
        running = [executor for executor in idle if executor is not None]
        for executor in running:
            executor.shutdown(wait=False)
        for executor in running:
            stop_executor(executor, kill=False)
        for executor in busy:
            stop_executor(executor, kill=True)


def start_executor() -> Any:
    """Return an executor with one worker, which is started when it gets its first task."""
    return process_executor.ProcessPoolExecutor(max_workers=1, initializer=start_worker, initargs=(os.getpid(),))


def stop_executor(executor: Any, *, kill: bool) -> None:
    """End an executor's worker, or kill one that may be busy, and wait until it has ended."""
    executor.shutdown(wait=True, kill_workers=kill)


def _describe_end(error: BaseException) -> str:
    """Return how a worker ended, from loky's message."""
    signals = [number.name for number in signal.Signals if f"{number.name}(" in str(error)]
    return f"its worker was killed ({', '.join(signals)})" if signals else "its worker ended"


def _run_cell_of_file(digest: str, file: str, cell: Cell) -> bytes:
    """Run a cell in a worker, with the trial in a file."""
    return run_cell(digest, Path(file).read_bytes, cell)


def start_worker(driver: int) -> None:
    """Prepare a worker: it ends with its driver, and leaves an interrupt to it.

    Args:
        driver: the driver's process, which may have been killed since it started this one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A worker's memory grows when it imports torch and loads its data, which loky takes for a leak and starts another.
    process_executor._USE_PSUTIL = False  # noqa: SLF001 (it has no setting)

    def watch() -> None:
        while os.getppid() == driver:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
