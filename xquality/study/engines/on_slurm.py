"""SLURM: each cell is a job, submitted and watched by submitit."""

import contextlib
import importlib.util
import os
import platform
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, final

from xquality._settings import at_least, check_settings, choice, optional, positive, text
from xquality.errors import SettingError, StudyError, first_line
from xquality.study.cells import Cell
from xquality.study.engines.base import RETRIES, Engine, Lost, Pool
from xquality.study.engines.payload import Payload, pack_trial, run_cell, unpack_outcome
from xquality.study.trial_runner import Outcome, TrialRunner

_LOGS: Final = ".slurm"
_PAUSE: Final = {"slurm": 2.0, "local": 0.1}  # seconds between two looks at the jobs


@final
@dataclass(frozen=True)
class Slurm(Engine):
    """Run the cells of a study as jobs of SLURM, by submitit.

    The study folder must be one that the machines of the cluster share: the trial, the jobs' logs and what they return
    lie in its hidden folder `.slurm` while the study runs; the logs are kept of jobs that were lost. The program that
    calls `Study.run` goes on as long as the study, on a login node for example.

    Attributes:
        partition: where the jobs are submitted; None for the cluster's default.
        hours: at most for each cell.
        memory: bytes for each cell; None for the cluster's default.
        cpus: processors for each cell; it computes with one thread, unless the trial gives `threads` to `fit`.
        gpus: graphics processors for each cell.
        parallel: how many cells are submitted at once.
        cluster: "slurm", or "local" for processes on this machine, to try it out.
        options: further ones of `sbatch`, by their names in submitit, such as `{"slurm_account": "nlp"}`.
        retries: how often a cell is tried again whose job was lost; then it counts as failed.

    Raises:
        SettingError: for a number out of range.

    Example:
        >>> Slurm(partition="short", hours=2).parallel
        32
    """

    partition: Annotated[str | None, optional(text)] = None
    hours: Annotated[float, positive] = 1.0
    memory: Annotated[float | None, optional(positive)] = None
    cpus: Annotated[int, at_least(1)] = 1
    gpus: Annotated[int, at_least(0)] = 0
    parallel: Annotated[int, at_least(1)] = 32
    cluster: Annotated[str, choice("slurm", "local")] = "slurm"
    options: dict[str, Any] = field(default_factory=dict)
    retries: Annotated[int, at_least(0)] = RETRIES

    def __post_init__(self) -> None:
        check_settings(self)
        if not isinstance(self.options, dict) or not all(isinstance(name, str) for name in self.options):
            raise SettingError("Slurm(options) must map names of submitit's options to values.")

    def check(self) -> None:
        """Raise `SettingError` where a package or a program is missing."""
        if importlib.util.find_spec("submitit") is None:
            raise SettingError(
                "The engine Slurm needs the package submitit; install it with: pip install 'xquality[slurm]'."
            )
        if self.cluster == "slurm" and shutil.which("sbatch") is None:
            raise SettingError(
                "Slurm() needs the program sbatch, which this machine does not have; run it on a login node of the "
                "cluster, or try it out with cluster='local'."
            )

    @contextmanager
    def open(self, runner: TrialRunner, folder: Path) -> Iterator[Pool]:
        """Yield the workers, and stop them when the block ends."""
        payload = pack_trial(runner)
        logs = folder / _LOGS / f"{platform.node()}-{os.getpid()}"  # of several drivers, each has its own
        logs.mkdir(parents=True, exist_ok=True)
        pool = _SlurmPool(self, payload, logs)
        try:
            yield pool
        finally:
            pool.stop()
            for file in logs.iterdir():
                if not pool.has_lost or not file.name.endswith((".out", ".err")):
                    file.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # the logs of lost jobs, or those of another driver
                logs.rmdir()
                logs.parent.rmdir()

    def make_executor(self, logs: Path) -> Any:
        """Return submitit's executor with these settings."""
        import submitit

        executor = submitit.AutoExecutor(folder=str(logs), cluster=self.cluster)
        settings: dict[str, Any] = {
            "name": "xquality",
            "timeout_min": max(1, round(self.hours * 60)),
            "cpus_per_task": self.cpus,
            "gpus_per_node": self.gpus,
            "slurm_array_parallelism": self.parallel,
        }
        if self.partition is not None:
            settings["slurm_partition"] = self.partition
        if self.memory is not None:
            settings["mem_gb"] = self.memory / 1e9
        try:
            executor.update_parameters(**{**settings, **self.options})
        except Exception as error:
            raise SettingError(f"Slurm(options) are not as submitit takes them ({first_line(error)}).") from error
        return executor


@final
class _SlurmPool(Pool):
    """Jobs of submitit, one for each cell; those that are submitted together are one array."""

    def __init__(self, engine: Slurm, payload: Payload, logs: Path) -> None:
        self._engine, self._digest = engine, payload.digest
        self._executor = engine.make_executor(logs)
        self._file = logs / f"trial-{payload.digest}"
        self._file.write_bytes(payload.content)
        self._jobs: list[tuple[Any, Cell]] = []
        self.has_lost = False

    def free(self) -> int:
        return self._engine.parallel - len(self._jobs)

    def submit(self, cells: Sequence[Cell]) -> None:
        try:
            with self._executor.batch():
                jobs = [
                    self._executor.submit(_run_cell_of_file, self._digest, str(self._file), dict(cell))
                    for cell in cells
                ]
        except Exception as error:
            raise StudyError(
                f"The cells could not be submitted to {self._engine.cluster} ({first_line(error)})."
            ) from error
        self._jobs += zip(jobs, cells, strict=True)

    def wait(self, seconds: float) -> list[Outcome | Lost]:
        until = time.monotonic() + seconds
        while True:
            done = [pair for pair in self._jobs if pair[0].done()]
            if done or time.monotonic() >= until:
                break
            time.sleep(_PAUSE[self._engine.cluster])
        self._jobs = [pair for pair in self._jobs if pair not in done]
        return [self._take(job, cell) for job, cell in done]

    def _take(self, job: Any, cell: Cell) -> Outcome | Lost:
        """Return what came of a job."""
        import submitit

        if self._engine.cluster == "local" and not job.paths.result_pickle.exists():
            return self._lose(job, cell)  # submitit would wait until a shared disk shows the file
        try:
            return unpack_outcome(job.result())
        except submitit.core.utils.FailedJobError as error:  # the worker raised: its trial is not the driver's
            self.has_lost = True
            raise StudyError(f"A job of SLURM cannot run cells ({_last_line(error)}).") from error
        except submitit.core.utils.UncompletedJobError:
            return self._lose(job, cell)

    def _lose(self, job: Any, cell: Cell) -> Lost:
        """Return what is known of a job that has ended without a result, whose log is kept."""
        self.has_lost = True
        return Lost(cell, f"its job {job.job_id} ended as {job.state}, with its log in {job.paths.stderr}")

    def stop(self) -> None:
        """Cancel the jobs that are waiting or running."""
        for job, _ in self._jobs:
            with contextlib.suppress(Exception):
                job.cancel()
        self._jobs = []


def _last_line(error: BaseException) -> str:
    """Return the last line of a traceback that a job has written."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip().rstrip(".") if lines else type(error).__name__


def _run_cell_of_file(digest: str, file: str, cell: Cell) -> bytes:
    """Run a cell in a job, with the trial in a file of the shared folder."""
    return run_cell(digest, Path(file).read_bytes, cell)
