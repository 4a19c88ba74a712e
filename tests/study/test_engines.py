"""Engines: the same bytes everywhere, killed workers, several drivers, what is refused before the start."""

import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xquality.errors import SettingError, StudyError
from xquality.records import Result, Score
from xquality.study import Processes, Ray, Study, cells

RATES = [0.0, 0.1, 0.2]
AXES = {"rate": RATES, "seed": range(4)}
FACTOR = {"of": 3}
NOTED: list[int] = []  # changed by the trial itself


def trial(rate: float, seed: int) -> Result:
    NOTED[:] = [1]
    score = Score("toy", "de", "accuracy", FACTOR["of"] * rate + seed, 9, {"split": "test"})
    return Result((score,), measures={"process": 1.0})


def contents(folder: Path) -> dict[str, str]:
    """Return every cell file without what may differ: times and host."""
    found = {}
    for file in sorted((folder / "cells").glob("*.json")):
        kept = json.loads(file.read_text(encoding="utf-8"))
        kept["run"] = sorted(kept["run"])
        found[file.name] = json.dumps(kept)
    return found


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


def kill_own_worker(rate: float, seed: int, marks: Path, times: int) -> Result:
    before = len(list(marks.glob(f"{rate}-{seed}-*")))
    if rate == 0.1 and before < times:
        (marks / f"{rate}-{seed}-{before}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return Result(measures={"score": rate + seed})


def test_a_killed_worker_loses_nothing_but_its_cell_which_is_tried_again(tmp_path: Path) -> None:
    study = Study(functools.partial(kill_own_worker, marks=tmp_path, times=2), {"rate": RATES, "seed": range(2)})
    folder = study.run(tmp_path / "s", engine=Processes(2), progress=False)
    assert len(contents(folder)) == 6


def test_a_cell_that_kills_every_worker_is_given_up(tmp_path: Path) -> None:
    study = Study(functools.partial(kill_own_worker, marks=tmp_path, times=9), {"rate": RATES, "seed": [0]})
    with pytest.warns(UserWarning, match=r"1 of 3 cells failed: .*given up, since its worker was killed .SIGKILL. 2 t"):
        folder = study.run(tmp_path / "s", engine=Processes(1, retries=1), progress=False)
    assert [failed.cell for failed in cells.read_failures(folder)] == [{"rate": 0.1, "seed": 0}]


PROGRAM = """
import os, sys, time
from pathlib import Path
from xquality import Result
from xquality.study import Study

folder, log = sys.argv[1:]

def trial(rate: float, seed: int) -> Result:
    with open(log, "a") as lines:
        lines.write(f"{rate} {seed} {os.getpid()}\\n")
    time.sleep(0.05)
    return Result(measures={"score": rate * 10 + seed})

study = Study(trial, {"rate": [0.0, 0.1, 0.2, 0.3], "seed": range(8)})
study.run(folder, share=True, progress=False)
"""


def start(program: Path, folder: Path, log: Path) -> "subprocess.Popen[bytes]":
    program.write_text(PROGRAM, encoding="utf-8")
    arguments = [sys.executable, str(program), str(folder), str(log)]
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


@pytest.fixture(scope="module")
def cluster() -> None:
    ray = pytest.importorskip("ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR", object_store_memory=10**8)
    yield
    ray.shutdown()


@pytest.mark.usefixtures("cluster")
class TestRay:
    def test_it_writes_the_same_bytes(self, calm: dict[str, str], tmp_path: Path) -> None:
        folder = Study(trial, AXES).run(tmp_path / "s", engine="ray", progress=False)
        assert contents(folder) == calm

    def test_a_killed_worker_loses_nothing(self, tmp_path: Path) -> None:
        study = Study(functools.partial(kill_own_worker, marks=tmp_path, times=2), {"rate": RATES, "seed": range(2)})
        assert len(contents(study.run(tmp_path / "s", engine="ray", progress=False))) == 6

    @pytest.mark.parametrize("needs", [{"gpus": 1}, {"cpus": 3}, {"memory": 1e15}])
    def test_what_no_machine_has_is_refused_before_the_start(self, needs: dict[str, float], tmp_path: Path) -> None:
        with pytest.raises(SettingError, match=r"Ray\(.*none of the 1 machines of the cluster has it.*ask for less"):
            Study(trial, AXES).run(tmp_path / "s", engine=Ray(**needs), progress=False)
        assert not contents(tmp_path / "s")
