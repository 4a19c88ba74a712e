"""Engines: the same bytes everywhere, killed workers, several drivers, what is refused before the start."""

import functools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cell_files import contents

from xquality.errors import SettingError, StudyError
from xquality.records import Result, Score
from xquality.study import Processes, Ray, Slurm, Study, cells
from xquality.study.claims import list_running

RATES = [0.0, 0.1, 0.2]
AXES = {"rate": RATES, "seed": range(4)}
FACTOR = {"of": 3}
NOTED: list[int] = []  # changed by the trial itself


def trial(rate: float, seed: int) -> Result:
    NOTED[:] = [1]
    score = Score("toy", "de", "accuracy", FACTOR["of"] * rate + seed, 9, {"split": "test"})
    return Result((score,), measures={"process": 1.0})


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "NOTED", [])


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = Study(trial, AXES).run(tmp_path_factory.mktemp("calm") / "s", progress=False)
    NOTED.clear()
    return contents(folder)


def test_processes_write_the_same_bytes(calm: dict[str, str], tmp_path: Path) -> None:
    folder = Study(trial, AXES).run(tmp_path / "s", engine=Processes(2), progress=False)
    assert contents(folder) == calm
    assert not (folder / ".running").exists()


def kill_own_worker(rate: float, seed: int, marks: Path) -> Result:
    """Kill the worker, the first time at rate 0.1 and always at 0.2."""
    mark = marks / f"{rate}-{seed}"
    if rate == 0.2 or (rate == 0.1 and not mark.exists()):
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return Result(measures={"score": rate + seed})


def check_kills(engine: object, folder: Path) -> None:
    """A killed worker loses nothing but its cell, which is tried again and at last given up."""
    study = Study(functools.partial(kill_own_worker, marks=folder), {"rate": RATES, "seed": [0]})
    with pytest.warns(UserWarning, match=r"1 of 3 cells failed: .*given up, since its (worker|job) .* 2 times"):
        study.run(folder / "s", engine=engine, progress=False)
    assert study.results(folder / "s")["value"].tolist() == [0.0, 0.1]
    assert [failed.cell for failed in cells.read_failures(folder / "s")] == [{"rate": 0.2, "seed": 0}]


def test_processes_survive_kills(tmp_path: Path) -> None:
    check_kills(Processes(2, retries=1), tmp_path)


NOTEBOOK = """
import functools, math
from xquality import Result, Transform

class Shift:
    by = 2
    def __call__(self, value): return value + self.by

double = functools.cache(lambda value: 2 * value)

@functools.lru_cache(maxsize=2)
def squared(value): return value ** 2

def trial(rate, seed, shift=Shift()):
    if seed == 2:
        raise ShiftError(str(seed))
    return Result(measures={"score": shift(double(rate)) + math.sqrt(squared(seed))})

class ShiftError(Exception):
    def __init__(self, text, *, and_more=None): super().__init__(text, and_more); self.text = text
"""


def check_notebook(engine: object, folder: Path) -> None:
    """A trial that no file holds runs as it does in process, its errors included."""
    names = {"__name__": "__main__"}
    exec(compile(NOTEBOOK, "<cell 1>", "exec"), names)  # noqa: S102 (as a notebook does)
    study = Study(names["trial"], {"rate": RATES, "seed": range(3)})
    found = []
    for name, used in (("calm", None), ("s", engine)):
        with pytest.warns(UserWarning, match=r"3 of 9 cells failed: .*ShiftError"):
            found.append(contents(study.run(folder / name, engine=used, progress=False)))
    assert found[0] == found[1]
    with pytest.raises(StudyError) as caught:
        Study(names["trial"], {"rate": [0.0], "seed": [2]}).run(
            folder / "t", engine=engine, on_error="stop", progress=False
        )
    assert "ShiftError" in repr(caught.value.__cause__)  # which cannot be unpickled


def test_processes_run_trials_of_notebooks(tmp_path: Path) -> None:
    check_notebook(Processes(1), tmp_path)


@pytest.mark.parametrize(
    ("engine", "message"),
    [("dask", "must be None, 'processes'"), (3, "must be None"), (Processes, "must be None")],
)
def test_unknown_engines_are_refused(engine: object, message: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=message):
        Study(trial, AXES).run(tmp_path / "s", engine=engine)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Processes(0),
        lambda: Processes(2, retries=-1),
        lambda: Ray(cpus=-1),
        lambda: Ray(gpus=float("nan")),
        lambda: Slurm(hours=0),
        lambda: Slurm(cluster="pbs"),
        lambda: Slurm(options=[1]),
    ],
)
def test_wrong_settings_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(SettingError):
        make()


@pytest.mark.parametrize(("engine", "package"), [("ray", "ray"), ("slurm", "submitit")])
def test_a_missing_package_is_named_with_the_command(
    engine: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SettingError, match=rf"needs the package {package}; .*pip install 'xquality\[{engine}\]'"):
        Study(trial, AXES).run(tmp_path / "s", engine=engine)


def test_what_cannot_be_sent_is_refused(tmp_path: Path) -> None:
    lock = threading.Lock()

    def holding(seed: int) -> Result:
        with lock:
            return Result()

    study = Study(holding, {"seed": [0]})
    with pytest.raises(StudyError, match="cannot be sent to workers"), pytest.warns(UserWarning, match="lock"):
        study.run(tmp_path / "s", engine=Processes(1), progress=False)


PROGRAM = """
import os, sys, time
from pathlib import Path
from xquality import Result
from xquality.study import Study

folder, log, engine = *sys.argv[1:3], sys.argv[3] if len(sys.argv) > 3 else None

def trial(rate: float, seed: int) -> Result:
    with open(log, "a") as lines:
        lines.write(f"{rate} {seed} {os.getpid()}\\n")
    deadline = time.monotonic() + 60
    while len({line.split()[2] for line in open(log)}) < 2 or engine:  # until both drivers have a cell
        time.sleep(0.02)
        assert time.monotonic() < deadline
    time.sleep(0.05)
    return Result(measures={"score": rate * 10 + seed})

study = Study(trial, {"rate": [0.0, 0.1, 0.2, 0.3], "seed": range(8)})
study.run(folder, engine=engine, share=True, progress=False)
"""


def start(program: Path, folder: Path, log: Path, *engine: str) -> "subprocess.Popen[bytes]":
    program.write_text(PROGRAM, encoding="utf-8")
    arguments = [sys.executable, str(program), str(folder), str(log), *engine]
    return subprocess.Popen(arguments)


def wait_for_lines(log: Path, number: int, *drivers: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while not log.exists() or len(log.read_text().splitlines()) < number:
        assert all(driver.poll() is None for driver in drivers), "a driver has ended"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_two_drivers_share_the_cells_and_a_third_that_does_not_is_refused(tmp_path: Path) -> None:
    program, log, folder = tmp_path / "program.py", tmp_path / "log", tmp_path / "s"
    drivers = [start(program, folder, log) for _ in range(2)]
    wait_for_lines(log, 1, *drivers)
    with pytest.raises(StudyError, match=r"Another process is running the study.*start this one with share=True"):
        Study(trial, AXES).run(folder, progress=False)
    assert [driver.wait(60) for driver in drivers] == [0, 0]
    lines = [line.split() for line in log.read_text().splitlines()]
    assert len(lines) == 32
    assert len({tuple(line[:2]) for line in lines}) == 32
    assert len({line[2] for line in lines}) == 2


def test_the_cell_of_a_killed_driver_is_run_by_the_other(tmp_path: Path) -> None:
    program, log, folder = tmp_path / "program.py", tmp_path / "log", tmp_path / "s"
    first, second = (start(program, folder, log) for _ in range(2))
    wait_for_lines(log, 12, first, second)
    first.kill()
    first.wait()
    assert second.wait(60) == 0
    lines = [tuple(line.split()[:2]) for line in log.read_text().splitlines()]
    assert len(contents(folder)) == len(set(lines)) == 32
    assert len(lines) <= 33
    assert not (folder / ".running").exists()


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_workers_end_with_their_driver(sent: signal.Signals, status: int, tmp_path: Path) -> None:
    driver = start(tmp_path / "program.py", tmp_path / "s", tmp_path / "log", "processes")
    wait_for_lines(tmp_path / "log", 1, driver)
    driver.send_signal(sent)
    assert driver.wait(20) == status
    workers = {int(line.split()[2]) for line in (tmp_path / "log").read_text().splitlines()}
    deadline = time.monotonic() + 20
    while any(Path(f"/proc/{worker}").exists() for worker in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert driver.pid not in workers
    assert not contents(tmp_path / "s")
    assert not list_running(tmp_path / "s")


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray = pytest.importorskip("ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR", object_store_memory=10**8)
    yield
    ray.shutdown()


def test_ray_writes_the_same_bytes(cluster: None, calm: dict[str, str], tmp_path: Path) -> None:
    folder = Study(trial, AXES).run(tmp_path / "s", engine="ray", progress=False)
    assert contents(folder) == calm


def test_ray_survives_kills(cluster: None, tmp_path: Path) -> None:
    check_kills(Ray(retries=1), tmp_path)


def test_ray_runs_trials_of_notebooks(cluster: None, tmp_path: Path) -> None:
    check_notebook("ray", tmp_path)


@pytest.mark.parametrize("needs", [{"gpus": 1}, {"cpus": 3}, {"memory": 1e15}])
def test_what_no_machine_has_is_refused_before_the_start(
    cluster: None, needs: dict[str, float], tmp_path: Path
) -> None:
    with pytest.raises(SettingError, match=r"Ray\(.*none of the 1 machines of the cluster has it.*ask for less"):
        Study(trial, AXES).run(tmp_path / "s", engine=Ray(**needs), progress=False)
    assert not contents(tmp_path / "s")


def test_slurm_survives_kills(tmp_path: Path) -> None:
    pytest.importorskip("submitit")
    check_kills(Slurm(cluster="local", parallel=3, retries=1), tmp_path)
    left = {file.suffix for file in (tmp_path / "s" / ".slurm").rglob("*") if file.is_file()}
    assert left == {".out", ".err"}  # of the jobs that were lost


def test_loky_still_has_the_private_switch_that_is_set() -> None:
    from joblib.externals.loky import process_executor

    assert isinstance(process_executor._USE_PSUTIL, bool)
