"""TrialRunner: calls a trial for one cell and returns what came of it, in any process, under the same conditions.

Every engine runs cells through it, so that a cell has the same bytes wherever it is run: the numerical libraries
compute with one thread (a trial that wants more gives `threads` to `fit`), the working directory is restored, and what
the trial has changed itself is noted.
"""

import contextlib
import functools
import os
import platform
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, final

from threadpoolctl import ThreadpoolController

from xquality.errors import StudyError, first_line
from xquality.records import Result
from xquality.study.cells import Cell, serialise_result
from xquality.study.trial_identity import TrialReader

_PACKAGES = ("xquality", "torch", "transformers", "datasets", "cleanlab", "numpy")
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")  # read when a library is loaded


@final
@dataclass(frozen=True)
class Outcome:
    """What came of one cell.

    Attributes:
        cell: the values of the axes.
        result: what the trial returned; None if the cell failed.
        versions: of the packages that decide it.
        run: when, where and how long it ran.
        changed: the digest of what the trial has changed itself, by name.
        error: of a cell that failed, the error's class and the first line of its message.
        traceback: of a cell that failed, as Python prints it.
        fault: of a cell that failed, the error.
    """

    cell: Cell
    result: Result | None
    versions: Mapping[str, str] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    changed: Mapping[str, str] = field(default_factory=dict)
    error: str = ""
    traceback: str = ""
    fault: Exception | None = None


@final
class TrialRunner:
    """Runs a trial, and notes what it changes itself while it runs."""

    def __init__(self, trial: Callable[..., Any], reader: TrialReader | None = None) -> None:
        """Read the trial's identity.

        Args:
            trial: the function of a cell.
            reader: one that has read the trial before, which saves reading datasets again.
        """
        self.trial = trial
        self._reader = TrialReader(trial) if reader is None else reader
        self._parts = self._reader.read().parts

    @property
    def parts(self) -> Mapping[str, str]:
        """The digest of everything that the trial reaches, as it was read last."""
        return self._parts

    def run(self, cell: Cell) -> Outcome:
        """Run one cell.

        Raises:
            KeyboardInterrupt: if the trial is interrupted.
        """
        started, directory = time.perf_counter(), _working_directory()
        returned: Any
        try:
            with compute_with_one_thread():
                returned = self.trial(**cell)
        except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever a trial raises is kept, and said)
            returned = error
        finally:
            if directory is not None and _working_directory() != directory:
                with contextlib.suppress(OSError):  # the trial has deleted it
                    os.chdir(directory)
        run = {
            "seconds": round(time.perf_counter() - started, 3),
            "host": platform.node(),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        changed = self._read_changes()
        if not isinstance(returned, BaseException):
            try:
                serialise_result(returned, cell)
                return Outcome(cell, returned, package_versions(), run, changed)
            except StudyError as error:
                returned = error
        shown = _show_error(returned)
        fault = returned if isinstance(returned, Exception) else StudyError(f"The trial ended the program ({shown}).")
        lines = "".join(traceback.format_exception(returned))
        return Outcome(cell, None, {}, run, changed, shown, lines, fault)

    def _read_changes(self) -> dict[str, str]:
        """Return what the trial has changed since it was last read."""
        before, self._parts = self._parts, self._reader.read().parts
        now = self._parts
        return {name: now.get(name, "") for name in {**before, **now} if before.get(name) != now.get(name)}


@contextmanager
def compute_with_one_thread() -> Iterator[None]:
    """Let torch and the libraries of linear algebra compute with one thread inside the block.

    On a CPU the number of threads decides the last bits of every sum. Engines and their environment (Ray sets
    OMP_NUM_THREADS, a container its number of cores) must not decide it: it is 1 wherever a cell runs, and a setting of
    `fit` and `evaluate` inside.
    """
    environment = {name: os.environ.get(name) for name in _THREADS}
    torch = _loaded_torch()
    before = None if torch is None else torch.get_num_threads()
    os.environ.update(dict.fromkeys(_THREADS, "1"))  # for libraries that are loaded in the block, and programs
    known = _thread_pools(len(sys.modules))
    try:
        with known.limit(limits=1):
            if torch is not None:
                torch.set_num_threads(1)
            yield
    finally:
        for name, value in environment.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value
        _free_new_libraries(known, before)


@functools.lru_cache(maxsize=1)
def _thread_pools(modules: int) -> ThreadpoolController:  # noqa: ARG001 (libraries are loaded with modules)
    """Return the libraries that are loaded and compute with several threads, which takes milliseconds to find."""
    return ThreadpoolController()


def _free_new_libraries(known: ThreadpoolController, before: int | None) -> None:
    """Give torch its number of threads back, and libraries that were loaded with one thread all cores."""
    cores = int(os.environ.get("OMP_NUM_THREADS", "0").partition(",")[0] or 0) or len(os.sched_getaffinity(0))
    now = _thread_pools(len(sys.modules))
    if now is not known:
        paths = {library.filepath for library in known.lib_controllers}
        for library in now.lib_controllers:
            if library.filepath not in paths:
                library.set_num_threads(cores)
    torch = _loaded_torch()
    if torch is not None:
        torch.set_num_threads(cores if before is None else before)


def _loaded_torch() -> Any:
    """Return torch if it has been imported, which this does not do; else None."""
    torch = sys.modules.get("torch")
    return torch if hasattr(torch, "set_num_threads") else None


@functools.cache
def package_versions() -> Mapping[str, str]:
    """Return the versions of the packages that decide results, those that are installed."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _show_error(error: BaseException) -> str:
    """Return an error's class and the start of its message."""
    try:
        return f"{type(error).__name__}: {first_line(error)}"[:300]
    except Exception:  # noqa: BLE001 (an error of the user's own, whose text cannot be made)
        return type(error).__name__


def _working_directory() -> Path | None:
    """Return the working directory; None where it was deleted."""
    try:
        return Path.cwd()
    except OSError:
        return None
