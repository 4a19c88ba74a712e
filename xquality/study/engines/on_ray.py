"""Ray: cells on this machine or on a cluster; the driver writes the files, so machines need share no disk for cells."""

import contextlib
import importlib.util
import logging
import math
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, final

from xquality._settings import at_least, check_settings, optional, real, text
from xquality.errors import SettingError, StudyError, first_line
from xquality.study.cells import Cell
from xquality.study.engines.base import RETRIES, Engine, Lost, Pool
from xquality.study.engines.payload import Payload, pack_trial, run_cell, unpack_outcome
from xquality.study.trial_runner import Outcome, TrialRunner

_FRESH: Final = 5.0  # seconds for which the list of machines is kept


def _amount(owner: str, name: str, value: object) -> float:
    """Return a finite number that is not negative."""
    number = real(owner, name, value)
    if number < 0:
        raise SettingError(f"{owner}({name}={value}) must not be negative.")
    return number


@final
@dataclass(frozen=True)
class Ray(Engine):
    """Run the cells of a study by Ray.

    A connection of this program to Ray is used as it is; otherwise one is made and closed again. Where a worker or a
    machine is lost, its cells are tried again elsewhere. A worker needs xquality and the packages that the trial
    imports, of the same versions; it gets the trial itself from here, and the files that the trial reads must lie under
    the same paths there. A `store` that all cells use must be in a folder that all machines share.

    Attributes:
        address: of a cluster, as `ray.init` takes it; None for the one that this program is connected to or that
            RAY_ADDRESS names, else for one on this machine alone, which ends with the run.
        cpus: processors for each cell, as Ray counts them. They decide how many cells run at once, not how many threads
            a cell computes with: that is 1, unless the trial gives `threads` to `fit`.
        gpus: graphics processors for each cell, or a share of one; without, a cell sees none.
        memory: bytes for each cell that Ray sets aside; None for no such account.
        retries: how often a cell is tried again whose worker was lost; then it counts as failed.

    Raises:
        SettingError: for a number out of range.

    Example:
        >>> Ray(cpus=2, memory=4e9)
        Ray(address=None, cpus=2.0, gpus=0.0, memory=4000000000.0, retries=3)
    """

    address: Annotated[str | None, optional(text)] = None
    cpus: Annotated[float, _amount] = 1
    gpus: Annotated[float, _amount] = 0
    memory: Annotated[float | None, optional(_amount)] = None
    retries: Annotated[int, at_least(0)] = RETRIES

    def __post_init__(self) -> None:
        check_settings(self)

    def check(self) -> None:
        """Raise `SettingError` where a package or a program is missing."""
        if importlib.util.find_spec("ray") is None:
            raise SettingError("The engine Ray needs the package ray; install it with: pip install 'xquality[ray]'.")

    @contextmanager
    def open(self, runner: TrialRunner, folder: Path) -> Iterator[Pool]:  # noqa: ARG002 (the driver writes)
        """Yield the workers, and stop them when the block ends."""
        payload = pack_trial(runner)
        with _connect(self.address):
            pool = _RayPool(self, payload)
            try:
                yield pool
            finally:
                pool.stop()

    def needs(self) -> dict[str, float]:
        """Return what one cell needs, by the names of Ray's resources."""
        needs = {"CPU": self.cpus, "GPU": self.gpus, "memory": self.memory or 0.0}
        return {name: amount for name, amount in needs.items() if amount}


@contextmanager
def _connect(address: str | None) -> Iterator[None]:
    """Connect to Ray inside the block, unless this program is connected already."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # read when ray is imported and started
    import ray

    if ray.is_initialized():
        yield
        return
    if not _start(ray, address):
        _start(ray, address, is_last=True)  # Ray gives up after 30 seconds, which a busy machine may need
    try:
        yield
    finally:
        ray.shutdown()  # of a cluster that was there before, only the connection


def _start(ray: Any, address: str | None, *, is_last: bool = False) -> bool:
    """Return whether a connection could be made.

    Raises:
        StudyError: if not, and `is_last` or a cluster was named.
    """
    is_remote = address is not None or "RAY_ADDRESS" in os.environ
    settings: dict[str, Any] = {} if is_remote else {"include_dashboard": False}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **settings)
    except Exception as error:
        ray.shutdown()
        if is_remote or is_last:
            raise StudyError(
                f"Ray could not be {'reached' if is_remote else 'started'} at {address or 'this machine'} "
                f"({first_line(error)}); check the address, or start the cluster."
            ) from error
        return False
    return True


@final
class _RayPool(Pool):
    """Tasks of Ray, one for each cell; Ray keeps its worker processes from one task to the next."""

    def __init__(self, engine: Ray, payload: Payload) -> None:
        import ray

        self._ray, self._needs = ray, engine.needs()
        self._listed, self._slots = 0.0, 0
        if not self._count_slots():
            raise SettingError(self._refusal())
        self._digest, self._payload = payload.digest, ray.put(payload.content)
        self._run = ray.remote(_run_cell_on_ray).options(
            num_cpus=engine.cpus,
            num_gpus=engine.gpus,
            memory=None if engine.memory is None else int(engine.memory),
            max_retries=0,  # the driver counts them, as for every engine
            name="xquality cell",
        )
        self._tasks: dict[Any, Cell] = {}

    def _count_slots(self) -> int:
        """Return how many cells the machines that are there run at once."""
        if time.monotonic() - self._listed > _FRESH:
            machines = self._list_machines()
            needs = self._needs or {"CPU": 1.0}
            self._slots = sum(
                math.floor(min(machine.get(name, 0.0) / amount for name, amount in needs.items()))
                for machine in machines
            )
            self._listed = time.monotonic()
        return self._slots

    def _list_machines(self) -> list[dict[str, float]]:
        """Return what each machine that is there has, by the names of Ray's resources."""
        machines: list[dict[str, Any]] = self._ray.nodes()  # type: ignore[no-untyped-call]  # Ray's own
        return [machine["Resources"] for machine in machines if machine["Alive"]]

    def _refusal(self) -> str:
        """Return the sentence about what no machine has."""
        machines = self._list_machines()
        most = {name: max((machine.get(name, 0.0) for machine in machines), default=0.0) for name in self._needs}
        arguments = {"CPU": "cpus", "GPU": "gpus", "memory": "memory"}
        wanted = ", ".join(f"{arguments[name]}={amount:g}" for name, amount in self._needs.items())
        found = ", ".join(f"{arguments[name]} {amount:g}" for name, amount in most.items())
        return (
            f"Ray({wanted}) is what each cell needs, but none of the {len(machines)} machines of the cluster has it "
            f"(at most {found}); ask for less, or add a machine."
        )

    def free(self) -> int:
        slots = self._count_slots()
        return slots + max(1, slots // 4) - len(self._tasks)  # a few wait, so that no worker does

    def submit(self, cells: Sequence[Cell]) -> None:
        for cell in cells:
            self._tasks[self._run.remote(self._digest, [self._payload], dict(cell))] = cell

    def wait(self, seconds: float) -> list[Outcome | Lost]:
        self._ray.wait(list(self._tasks), num_returns=1, timeout=seconds)
        done, _ = self._ray.wait(list(self._tasks), num_returns=len(self._tasks), timeout=0)
        return [self._take(task) for task in done]

    def _take(self, task: Any) -> Outcome | Lost:
        """Return what came of a task."""
        cell = self._tasks.pop(task)
        try:
            return unpack_outcome(self._ray.get(task))
        except self._ray.exceptions.RayTaskError as error:
            cause = getattr(error, "cause", None)
            if isinstance(cause, StudyError | KeyboardInterrupt):
                raise cause from None
            raise StudyError(f"A worker of Ray cannot run cells ({_last_line(error)}).") from error
        except self._ray.exceptions.RayError as error:
            return Lost(cell, f"its worker was lost ({type(error).__name__})")

    def stop(self) -> None:
        """End the tasks that are running."""
        for task in self._tasks:
            with contextlib.suppress(Exception):  # the connection may be gone
                self._ray.cancel(task, force=True)
        self._tasks = {}


def _last_line(error: BaseException) -> str:
    """Return the last line of a traceback that a worker has sent."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip().rstrip(".") if lines else type(error).__name__


def _run_cell_on_ray(digest: str, payload: list[Any], cell: Cell) -> bytes:
    """Run a cell in a worker of Ray, with the trial in Ray's store of objects."""
    import ray

    return run_cell(digest, lambda: bytes(ray.get(payload[0])), cell)
