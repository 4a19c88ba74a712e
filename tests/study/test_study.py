"""Study: cells, resuming, refusals, equal bytes, and kill -9."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from cell_files import contents
from datasets import Dataset

from xquality.errors import SettingError, StudyError, WriteError
from xquality.records import History, Point, Result, Score
from xquality.study import Study, cells
from xquality.study.cells import cell_name

SHIFT = 0.5
AXES = {"rate": [0.0, 0.2, 0.4], "fraction": [0.5, 1.0], "seed": range(2)}


def trial(rate: float, fraction: float, seed: int) -> Result:
    value = 60 * fraction - 20 * rate + seed
    score = Score("toy", "de", "accuracy", value, 9, {"split": "test"})
    points = tuple(Point(0, step, "toy", "de", "accuracy", value * step / 9, 9) for step in (0, 3, 9))
    return Result((score,), History(({"language": "en"},), points), {"zero-shot accuracy": value}, {"note": "toy"})


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
    with pytest.raises(StudyError, match=r"trial has changed .*\(.*changed, trial\)"):
        Study(changed, AXES).run(tmp_path / "s", progress=False)
    with pytest.warns(UserWarning, match="old trial's results"):
        Study(changed, AXES).results(tmp_path / "s")


def failing(rate: float, seed: int) -> Result:
    if rate == 0.2:
        raise ValueError("out of memory")
    return Result(measures={"score": rate})


def test_a_failing_cell_does_not_stop_the_others(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = Study(failing, {"rate": [0.0, 0.2, 0.4], "seed": [0, 1]})
    with pytest.warns(UserWarning, match=r"2 of 6 cells failed: .*'rate': 0.2, 'seed': 0.*out of memory.*tries again"):
        folder = study.run(tmp_path / "s")
    assert folder == tmp_path / "s"
    assert study.results(folder)["value"].tolist() == [0.0, 0.0, 0.4, 0.4]
    failed = cells.read_contents(folder).failed
    assert [failure.cell["seed"] for failure in failed] == [0, 1]
    assert failed[0].error == "ValueError: out of memory"
    assert "in failing" in failed[0].traceback
    assert "were finished before" not in capsys.readouterr().err
    with pytest.warns(UserWarning, match="2 of 6 cells failed"):
        study.run(folder)
    assert "4 of 6 cells were finished before." in capsys.readouterr().err


def test_failed_cells_are_tried_again(tmp_path: Path) -> None:
    flag = tmp_path / "flag"

    def sometimes(seed: int) -> Result:
        if seed == 1 and not flag.exists():
            sys.exit("no network")
        return Result(measures={"score": float(seed)})

    study = Study(sometimes, {"seed": range(3)})
    with pytest.warns(UserWarning, match="SystemExit: no network"):
        study.run(tmp_path / "s", progress=False)
    flag.touch()
    folder = study.run(tmp_path / "s", progress=False)
    assert study.results(folder)["value"].tolist() == [0.0, 1.0, 2.0]
    assert not list((folder / "failed").glob("*.json"))


def test_stop_starts_no_further_cell(tmp_path: Path) -> None:
    study = Study(failing, {"rate": [0.0, 0.2, 0.4], "seed": [0]})
    with pytest.raises(StudyError, match=r"'rate': 0.2.*out of memory") as caught:
        study.run(tmp_path / "s", on_error="stop", progress=False)
    assert isinstance(caught.value.__cause__, ValueError)
    contents = cells.read_contents(tmp_path / "s")
    assert (len(contents.finished), len(contents.failed), len(contents.missing)) == (1, 1, 1)


def test_a_study_without_any_finished_cell_raises_and_may_be_mended(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match=r"2 of 2 cells failed"):
        Study(failing, {"rate": [0.2], "seed": [0, 1]}).run(tmp_path / "s", progress=False)
    Study(trial, AXES).run(tmp_path / "s", progress=False)  # nothing was finished by the other trial
    assert len(contents(tmp_path / "s")) == 12


@pytest.mark.parametrize(
    "axes", [{"rate": [0.0]}, {"rate": [0.0], "seed": [0], "arm": ["a"]}, {"arm": ["a"], "seed": [0]}]
)
def test_a_trial_that_does_not_fit_the_axes_is_refused_before_anything(
    axes: dict[str, list[object]], tmp_path: Path
) -> None:
    with pytest.raises(StudyError, match=r"\(rate: .*, seed: .*\).*cannot be called with the axes"):
        Study(failing, axes).run(tmp_path / "s", progress=False)
    assert not (tmp_path / "s").exists()


@pytest.mark.parametrize(
    "settings", [{"on_error": "ignore"}, {"on_error": None}, {"progress": "yes"}, {"progress": None}]
)
def test_wrong_settings_of_a_run_are_refused(settings: dict[str, object], tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"Study\.run"):
        Study(trial, AXES).run(tmp_path / "s", **settings)
    assert not (tmp_path / "s").exists()


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


def test_axes_named_like_the_columns_of_the_results_keep_their_values(tmp_path: Path) -> None:
    def named(language: str, metric: str, value: int, axis_value: int) -> Result:
        return Result((Score("toy", "de", "accuracy", 50.0, 9),), measures={"score": 1.0})

    study = Study(named, {"language": ["es", "fr"], "metric": ["m"], "value": [7], "axis_value": [8]})
    table = study.results(study.run(tmp_path / "s", progress=False))
    columns = ["axis_language", "axis_metric", "axis_axis_value", "axis_value"]
    assert list(table.columns) == [*columns, "task", "language", "metric", "value", "rows"]
    assert table["axis_language"].tolist() == ["es", "es", "fr", "fr"]
    assert table["axis_axis_value"].tolist() == [7] * 4
    assert table["language"].dropna().tolist() == ["de", "de"]
    assert table["metric"].tolist() == ["accuracy", "score"] * 2


def test_equal_numbers_are_one_cell(tmp_path: Path) -> None:
    calls: list[float] = []

    def counted(rate: float, seed: int) -> Result:
        calls.append(rate)
        return Result(measures={"score": 1.0 * rate})

    Study(counted, {"rate": [0.0, 0.5, 1.0], "seed": [0, 1]}).run(tmp_path / "s", progress=False)
    again = Study(counted, {"rate": [0, 0.5, 1], "seed": [0.0, 1.0]})
    assert again.results(again.run(tmp_path / "s", progress=False))["value"].tolist() == [0, 0, 0.5, 0.5, 1, 1]
    assert len(calls) == 6
    with pytest.raises(StudyError, match=r"different cells.*'rate': 0\.0.*comes again"):
        Study(counted, {"rate": [0, 0.0], "seed": [0]})


DATA = Dataset.from_dict({"text": [str(number) for number in range(100)]})


def counting(seed: int) -> Result:
    return Result(measures={"rows": len(DATA)})


def test_a_dataset_of_the_module_that_changes_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study(counting, {"seed": [0]})
    folder = study.run(tmp_path / "s", progress=False)
    monkeypatch.setitem(globals(), "DATA", Dataset.from_dict({"text": [str(number) for number in range(300)]}))
    with pytest.raises(StudyError, match=r"has changed .*\(DATA\)"):
        study.run(folder, progress=False)
    with pytest.warns(UserWarning, match=r"\(DATA\); these are the old trial's results"):
        study.results(folder)
    monkeypatch.setitem(globals(), "DATA", Dataset.from_dict({"text": [str(number) for number in range(100)]}))
    study.run(folder, progress=False)


def test_what_cannot_be_compared_is_named_before_the_first_cell(tmp_path: Path) -> None:
    rows = (number for number in range(3))

    def reading(seed: int) -> Result:
        return Result(measures={"rows": next(rows)})

    with pytest.warns(UserWarning, match=r"A change of rows in .*reading in the trial goes unnoticed"):
        Study(reading, {"seed": [0]}).run(tmp_path / "s", progress=False)


def test_another_path_is_a_warning(tmp_path: Path) -> None:
    def reading(seed: int, root: Path) -> Result:
        return Result(measures={"score": 1.0})

    for place in ("a", "a"):
        Study(partial(reading, root=tmp_path / place), {"seed": [0, 1]}).run(tmp_path / "s", progress=False)
    with pytest.warns(UserWarning, match=r"other paths .*\(argument root\)"):
        Study(partial(reading, root=tmp_path / "b"), {"seed": [0, 1, 2]}).run(tmp_path / "s", progress=False)


COUNTER = {"calls": 0}


def filling(seed: int) -> Result:
    COUNTER["calls"] += 1
    return Result(measures={"score": 1.0})


def test_what_a_trial_changes_itself_is_no_change_of_the_trial(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Study(filling, {"seed": [0, 1]}).run(tmp_path / "s", progress=False)
    Study(filling, {"seed": [0, 1, 2]}).run(folder, progress=False)
    assert COUNTER["calls"] == 3
    monkeypatch.setitem(COUNTER, "calls", 0)  # as in a new process
    Study(filling, {"seed": [0, 1, 2, 3]}).run(folder, progress=False)
    monkeypatch.setitem(COUNTER, "calls", 77)
    with pytest.warns(UserWarning, match="changes COUNTER while it runs, and has another value"):
        Study(filling, {"seed": range(5)}).run(folder, progress=False)
    assert len(cells.read_cells(folder)) == 5


def test_what_is_not_believed_is_set_aside_and_run_again(tmp_path: Path) -> None:
    study = Study(trial, AXES)
    folder = study.run(tmp_path / "s", progress=False)
    before = contents(folder)
    files = sorted((folder / "cells").glob("*.json"))
    files[0].write_text("{")
    files[1].write_bytes(files[2].read_bytes())
    with pytest.warns(UserWarning, match="left out; run the study again"):
        assert len(study.results(folder)) == 20
    with pytest.warns(UserWarning, match=r"set aside as .*damaged-0, and the cell is run again") as caught:
        study.run(folder, progress=False)
    assert len(caught) == 2
    assert contents(folder) == before


@pytest.mark.parametrize("damage", [None, "", "null", '{"axes": []}'])
def test_a_lost_or_damaged_study_file_loses_no_cell(damage: str | None, tmp_path: Path) -> None:
    folder = Study(trial, AXES).run(tmp_path / "s", progress=False)
    (folder / "study.json").unlink()
    if damage is not None:
        (folder / "study.json").write_text(damage)

    def other(rate: float, fraction: float, seed: int) -> Result:
        raise AssertionError

    with pytest.raises(StudyError, match="no cell in it was finished by the present trial"):
        Study(other, AXES).run(folder, progress=False)
    times = [file.stat().st_mtime_ns for file in sorted((folder / "cells").iterdir())]
    with pytest.warns(UserWarning, match=r"study\.json"):
        Study(trial, AXES).run(folder, progress=False)
    assert times == [file.stat().st_mtime_ns for file in sorted((folder / "cells").iterdir())]
    assert len(Study(trial, AXES).results(folder)) == 24


def test_a_cell_of_another_trial_is_not_believed(tmp_path: Path) -> None:
    def other(rate: float, fraction: float, seed: int) -> Result:
        return Result(measures={"score": 0.0})

    axes = {"rate": [0.0], "fraction": [0.5], "seed": [0, 1]}
    first, second = (
        Study(run, axes).run(tmp_path / name, progress=False) for run, name in ((trial, "a"), (other, "b"))
    )
    name = f"{cell_name({'rate': 0, 'fraction': 0.5, 'seed': 1})}.json"
    (first / "cells" / name).write_bytes((second / "cells" / name).read_bytes())
    with pytest.warns(UserWarning, match="another trial"):
        assert len(Study(trial, axes).results(first)) == 2
    with pytest.warns(UserWarning, match=r"another trial.*set aside"):
        Study(trial, axes).run(first, progress=False)
    assert len(Study(trial, axes).results(first)) == 4


def test_notes_keep_half_a_surrogate(tmp_path: Path) -> None:
    def noted(seed: int) -> Result:
        return Result(measures={"score": 1.0}, notes={"text": "half \ud800"})

    folder = Study(noted, {"seed": [0]}).run(tmp_path / "s", progress=False)
    assert cells.read_cells(folder)[0].result.notes == {"text": "half \ud800"}


@pytest.mark.parametrize("value", ["half \ud800", float("inf")])
def test_axes_that_cannot_be_written_are_refused_before_the_trial_runs(value: object) -> None:
    with pytest.raises(StudyError, match="An axis holds plain values"):
        Study(trial, {"arm": [value]})


def test_a_trial_that_changes_directory_runs_in_a_relative_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()

    def moving(seed: int) -> Result:
        assert Path.cwd() == tmp_path
        os.chdir("elsewhere")
        return Result(measures={"score": 1.0})

    assert Study(moving, {"seed": range(3)}).run("runs/s", progress=False) == Path("runs/s")
    assert len(cells.read_cells(tmp_path / "runs" / "s")) == 3
    assert Path.cwd() == tmp_path


@pytest.mark.parametrize("at", [1, 3])
def test_a_folder_that_is_deleted_while_the_study_runs_is_noticed(at: int, tmp_path: Path) -> None:
    folder = tmp_path / "s"

    def deleting(seed: int) -> Result:
        if seed == at:
            shutil.rmtree(folder)
        return Result(measures={"score": 1.0})

    with pytest.raises(StudyError, match=f"deleted or replaced while the study ran, with the {at} cells"):
        Study(deleting, {"seed": range(4)}).run(folder, progress=False)
    assert not folder.exists()


def test_cells_that_are_deleted_while_the_study_runs_are_noticed(tmp_path: Path) -> None:
    def deleting(seed: int) -> Result:
        if seed == 2:
            shutil.rmtree(tmp_path / "s" / "cells")
        return Result(measures={"score": 1.0})

    with pytest.raises(StudyError, match=r"2 of the 4 cells that were finished in .* were deleted"):
        Study(deleting, {"seed": range(4)}).run(tmp_path / "s", progress=False)


def test_an_error_without_a_text_is_kept(tmp_path: Path) -> None:
    class SilentError(Exception):
        def __str__(self) -> str:
            raise TypeError

    def broken(seed: int) -> Result:
        if seed:
            raise SilentError
        return Result(measures={"score": 1.0})

    with pytest.warns(UserWarning, match=r"\(SilentError\)"):
        Study(broken, {"seed": [0, 1]}).run(tmp_path / "s", progress=False)


def test_a_full_disk_stops_the_study_with_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(seed: int) -> Result:
        if seed == 1:
            monkeypatch.setattr(os, "fsync", refuse)
        return Result(measures={"score": 1.0})

    def refuse(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    study = Study(full, {"seed": range(3)})
    with pytest.raises(WriteError, match=r"result at \{'seed': 1\} could not be kept.*[Nn]o space.*goes on with"):
        study.run(tmp_path / "s", progress=False)
    monkeypatch.undo()
    assert len(cells.read_cells(tmp_path / "s")) == 1


def test_a_finished_study_is_run_and_read_without_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = Study(trial, AXES)
    folder = study.run(tmp_path / "s", progress=False)
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*")}

    def refuse(*arguments: object, **settings: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    for name in ("fsync", "mkdir", "replace", "rename", "unlink"):
        monkeypatch.setattr(os, name, refuse)
    monkeypatch.setattr(os, "open", refuse)
    study.run(folder, progress=False)
    assert len(study.results(folder)) == 24
    with pytest.raises(WriteError, match="cannot be written"):
        Study(trial, {**AXES, "seed": range(3)}).run(folder, progress=False)
    monkeypatch.undo()
    assert before == {file: file.stat().st_mtime_ns for file in folder.rglob("*")}


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    for place in (tmp_path / "file", tmp_path / "file" / "s"):
        with pytest.raises(WriteError, match="cannot be written"):
            Study(trial, AXES).run(place, progress=False)


def test_an_interrupt_in_an_interpreter_is_a_keyboard_interrupt_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(seed: int) -> Result:
        if seed == 2:
            raise KeyboardInterrupt
        return Result(measures={"score": 1.0})

    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    with pytest.raises(KeyboardInterrupt, match=r"Interrupted at \{'seed': 2\}; 2 of 4 cells are finished") as caught:
        Study(interrupted, {"seed": range(4)}).run(tmp_path / "s", progress=False)
    assert not isinstance(caught.value, SystemExit)
    assert len(cells.read_cells(tmp_path / "s")) == 2


def test_an_interrupt_ends_a_script_with_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM.replace("0.12", "30 * (rate > 0)"), encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, str(program), str(tmp_path / "s"), str(tmp_path / "log")], stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "log").exists() or len((tmp_path / "log").read_text().splitlines()) < 2:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=180)
    assert process.returncode == 130
    assert "1 of 16 cells are finished" in error
    assert "Traceback" not in error


def test_the_folder_keeps_the_command_and_the_trials_text(tmp_path: Path) -> None:
    def local(seed: int) -> Result:
        return Result(measures={"score": float(seed) + SHIFT})  # a comment stays

    folder = Study(local, {"seed": [0]}).run(tmp_path / "s", progress=False)
    made = json.loads((folder / "study.json").read_text(encoding="utf-8"))["made"]
    assert made["command"].startswith("python ")
    assert "def local(seed: int) -> Result:" in made["trial"]
    assert "# a comment stays" in made["trial"]
    assert "SHIFT = 0.5" in made["trial"]
    assert "test_the_folder_keeps" not in made["trial"]
    assert Study(local, {"seed": [0]}).results(folder)["value"].tolist() == [0.5]
