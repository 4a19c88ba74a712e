"""Study: cells, resuming, refusals, equal bytes, and kill -9."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xquality.errors import SettingError, StudyError
from xquality.records import History, Point, Result, Score
from xquality.study import Study
from xquality.study.cells import cell_name

AXES = {"rate": [0.0, 0.2, 0.4], "fraction": [0.5, 1.0], "seed": range(2)}


def trial(rate: float, fraction: float, seed: int) -> Result:
    value = 60 * fraction - 20 * rate + seed
    score = Score("toy", "de", "accuracy", value, 9, {"split": "test"})
    points = tuple(Point(0, step, "toy", "de", "accuracy", value * step / 9, 9) for step in (0, 3, 9))
    return Result((score,), History(({"language": "en"},), points), {"zero-shot accuracy": value}, {"note": "toy"})


def contents(folder: Path) -> dict[str, object]:
    """Return every cell file without what may differ: times and host."""
    found = {}
    for file in sorted((folder / "cells").glob("*.json")):
        kept = json.loads(file.read_text(encoding="utf-8"))
        kept["run"] = sorted(kept["run"])
        found[file.name] = json.dumps(kept)
    return found


def test_it_runs_every_cell_once_and_resumes_with_the_unfinished_ones(tmp_path: Path) -> None:
    calls: list[dict[str, object]] = []

    def counted(rate: float, fraction: float, seed: int) -> Result:
        calls.append({"rate": rate, "fraction": fraction, "seed": seed})
        return trial(rate, fraction, seed)

    study = Study(counted, AXES)
    study.run(tmp_path / "s", progress=False)
    study.run(tmp_path / "s", progress=False)
    assert len(calls) == 12
    assert [call["seed"] for call in calls] == [0] * 6 + [1] * 6  # every arm of the first seed first
    Study(counted, {**AXES, "seed": range(3)}).run(tmp_path / "s", progress=False)
    assert len(calls) == 18


def test_two_runs_in_fresh_folders_write_the_same_bytes(tmp_path: Path) -> None:
    first, second = (Study(trial, AXES).run(tmp_path / name, progress=False) for name in ("first", "second"))
    assert contents(first) == contents(second)
    assert (first / "study.json").read_bytes() == (second / "study.json").read_bytes()


def test_results_are_one_tidy_table(tmp_path: Path) -> None:
    study = Study(trial, AXES)
    table = study.results(study.run(tmp_path / "s", progress=False))
    assert list(table.columns) == ["rate", "fraction", "seed", "task", "language", "metric", "value", "rows"]
    assert len(table) == 24
    scores = table[table.language == "de"]
    assert scores[(scores.rate == 0.2) & (scores.fraction == 1.0) & (scores.seed == 1)].value.tolist() == [57.0]


def test_a_union_of_grids_gives_arms_of_different_axes() -> None:
    study = Study(trial, [{"arm": ["none"], "seed": [0]}, {"rate": [0.1, 0.2], "seed": [0]}])
    assert study.cells() == [{"arm": "none", "seed": 0}, {"rate": 0.1, "seed": 0}, {"rate": 0.2, "seed": 0}]


def test_a_changed_trial_is_refused_in_an_old_folder(tmp_path: Path) -> None:
    def changed(rate: float, fraction: float, seed: int) -> Result:
        return Result(measures={"score": rate + fraction + seed})

    Study(trial, AXES).run(tmp_path / "s", progress=False)
    with pytest.raises(StudyError, match="trial has changed"):
        Study(changed, AXES).run(tmp_path / "s", progress=False)
    with pytest.warns(UserWarning, match="old trial's results"):
        Study(changed, AXES).results(tmp_path / "s")


def test_a_failing_trial_names_its_cell_and_keeps_the_finished_ones(tmp_path: Path) -> None:
    def failing(rate: float, seed: int) -> Result:
        if rate == 0.2:
            raise ValueError("out of memory")
        return Result(measures={"score": rate})

    with pytest.raises(StudyError, match=r"'rate': 0.2.*out of memory"):
        Study(failing, {"rate": [0.0, 0.2], "seed": [0]}).run(tmp_path / "s", on_error="stop", progress=False)
    assert len(list((tmp_path / "s" / "cells").glob("*.json"))) == 1


@pytest.mark.parametrize(
    "returned",
    [None, {"score": 1.0}, Result(measures={"score": float("nan")}), Result(notes={"what": object()})],
)
def test_what_is_no_plain_result_is_refused(tmp_path: Path, returned: object) -> None:
    def wrong(seed: int) -> Result:
        return returned

    with pytest.raises(StudyError):
        Study(wrong, {"seed": [0]}).run(tmp_path / "s", progress=False)


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("dear")
    with pytest.raises(StudyError, match="other files"):
        Study(trial, AXES).run(tmp_path, progress=False)


PROGRAM = """
import sys, time
from pathlib import Path
from xquality import Result
from xquality.study import Study

def trial(rate: float, seed: int) -> Result:
    with open(sys.argv[2], "a") as log:
        log.write(f"{rate} {seed}\\n")
        log.flush()
    time.sleep(0.12)
    return Result(measures={"score": rate * 10 + seed}, notes={"filler": "x" * 20000})

Study(trial, {"rate": [0.0, 0.1, 0.2, 0.3], "seed": range(4)}).run(sys.argv[1], progress=False)
"""


def start(folder: Path, log: Path, program: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(program), str(folder), str(log)], env=os.environ.copy())


def test_kill_9_loses_no_finished_cell_and_changes_no_result(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM, encoding="utf-8")
    calm, killed, log = tmp_path / "calm", tmp_path / "killed", tmp_path / "log"
    assert start(calm, tmp_path / "calm-log", program).wait(120) == 0
    for kill in range(3):
        process = start(killed, log, program)
        wanted = 3 + 4 * kill  # so that each kill comes in the middle of the study
        deadline = time.monotonic() + 60
        while len(list((killed / "cells").glob("*.json"))) < wanted:
            assert process.poll() is None, "the study ended before the kill"
            assert time.monotonic() < deadline, "the study made no progress"
            time.sleep(0.01)
        time.sleep(0.02 * kill)
        process.send_signal(signal.SIGKILL)
        assert process.wait(60) == -signal.SIGKILL
    finished = {file.name for file in (killed / "cells").glob("*.json")}
    assert 0 < len(finished) < 16
    before = log.read_text().splitlines()
    assert start(killed, log, program).wait(120) == 0
    redone = log.read_text().splitlines()[len(before) :]
    names = {cell_name({"rate": float(rate), "seed": int(seed)}) + ".json" for rate, seed in map(str.split, redone)}
    assert not names & finished
    assert contents(killed) == contents(calm)
    assert not list(killed.rglob(".unfinished-*"))


def test_two_processes_do_not_run_one_study_at_once(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.replace("0.12", "1.0"), encoding="utf-8")
    first = start(tmp_path / "s", tmp_path / "log", program)
    try:
        while not (tmp_path / "log").exists():
            assert first.poll() is None
            time.sleep(0.02)
        second = subprocess.run(
            [sys.executable, str(program), str(tmp_path / "s"), str(tmp_path / "log")],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    finally:
        first.kill()
        first.wait()
    assert second.returncode != 0
    assert "Another process is running the study" in second.stderr


def test_what_a_desktop_or_a_killed_start_left_in_the_folder_is_no_hindrance(tmp_path: Path) -> None:
    for name in (".DS_Store", ".unfinished-0123"):
        (tmp_path / name).write_text("left")
    Study(trial, AXES).run(tmp_path, progress=False)
    assert len(contents(tmp_path)) == 12


def test_records_and_numbers_of_numpy_are_kept_as_plain_values(tmp_path: Path) -> None:
    import numpy as np

    from xquality.records import Record

    def noted(seed: int) -> Result:
        return Result(measures={"score": np.float32(1.5)}, notes={"records": (Record("LabelNoise"),)})

    study = Study(noted, {"seed": [0]})
    assert study.results(study.run(tmp_path / "s", progress=False)).value.tolist() == [1.5]


def test_the_axis_of_seeds_has_a_name() -> None:
    with pytest.raises(SettingError, match=r"Study\(seed=''\)"):
        Study(trial, AXES, seed="")
