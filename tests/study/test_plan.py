"""The plan of a study and its status: cells, steps, shared stages, hours, seeds, and what is running."""

import functools
import os
import threading
import time
from pathlib import Path

import pytest

from xquality import toy
from xquality.errors import SettingError, StudyError
from xquality.records import Result
from xquality.study import Study, read_status
from xquality.train import Stage, fit


def training(rows: int, target_steps: int, kept: bool, seed: int, encoder: Path, store: Path) -> Result:
    if rows == 99:
        raise ValueError("no such rows")
    spanish = Stage(toy.topics, toy.topics.load("es", "train").select(range(rows)), "es", steps=3, batch_size=4)
    chain = [spanish, Stage(toy.topics, steps=target_steps, batch_size=4)]
    fitted = fit(chain, model=encoder, seed=seed, store=store if kept else None)
    return Result(measures={"loss": float(len(fitted.history.points))})


def test_a_plan_counts_shared_stages_once_and_times_some_steps(encoder: Path, tmp_path: Path) -> None:
    trial = functools.partial(training, encoder=encoder, store=tmp_path / "store")
    axes = {"rows": [20, 40], "target_steps": [1, 2], "kept": [True, False], "seed": [0]}
    Study(trial, {name: values[:1] for name, values in axes.items()}).run(tmp_path / "s", progress=False)
    study = Study(trial, [{**axes, "seed": [0, 1]}, {"rows": [99], "target_steps": [1], "kept": [True], "seed": [0]}])
    plan = study.plan(steps_to_time=2)
    table = plan.to_pandas()
    trained = table[table.rows != 99].set_index(["kept", "seed"])
    assert trained.steps.tolist() == [4, 4, 5, 5] * 4
    assert trained.loc[(False, 0)].new_steps.tolist() == [4, 5, 4, 5]  # nothing is shared without a store
    assert trained.loc[(True, 0)].new_steps.tolist() == [0, 2, 4, 2]  # two stages are in the store
    assert trained.loc[(True, 1)].new_steps.tolist() == [4, 2, 4, 2]
    assert (plan.open, plan.done, plan.shared_stages, plan.steps) == (17, 0, 4, 56)
    assert table.error.str.contains("no such rows").sum() == 1
    assert "2 timed steps" in plan.basis
    assert ((trained.hours > 0) == (trained.new_steps > 0)).all()
    assert "56 steps are left, 4 stages are shared" in repr(plan)
    assert sum(path.is_dir() and path.name != "locks" for path in (tmp_path / "store").iterdir()) == 2


def scored(arm: str, seed: int) -> Result:
    return Result(measures={"score": {"a": 0.0, "b": 1.0}[arm] + (seed * 7919 % 5) * (1.0 if arm == "a" else 1.2)})


def test_a_plan_without_training_and_the_seeds_that_an_effect_needs(tmp_path: Path) -> None:
    study = Study(scored, {"arm": ["a", "b"], "seed": range(5)})
    with pytest.raises(SettingError, match=r"needs deviation=.*or a folder"):
        study.plan(effect=1.0)
    before = study.plan(effect=1.0, deviation=2.0)
    assert before.seeds == 34
    assert before.hours is not None
    assert "ran as a whole" in before.basis  # there was no training to time
    folder = study.run(tmp_path / "s", progress=False)
    plan = study.plan(folder, effect=0.5)
    assert (plan.open, plan.hours, plan.steps) == (0, 0.0, 0)
    assert plan.seeds == 6
    assert "of score, from the finished cells (4 degrees of freedom)" in plan.seeds_basis


@pytest.mark.parametrize("settings", [{"steps_to_time": -1}, {"effect": 0}, {"deviation": 1.0}, {"effect": "big"}])
def test_wrong_settings_of_a_plan_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=r"Study\.plan"):
        Study(scored, {"arm": ["a"], "seed": [0]}).plan(**settings)


def waiting(seed: int, go: Path) -> Result:
    if seed == 1:
        raise ValueError("no such seed")
    while seed == 2 and not go.exists():
        time.sleep(0.01)
    return Result(measures={"score": 1.0})


@pytest.mark.filterwarnings("ignore:1 of 4 cells failed")
def test_a_status_says_what_is_finished_running_failed_and_missing(tmp_path: Path) -> None:
    study = Study(functools.partial(waiting, go=tmp_path / "go"), {"seed": range(4)})
    runner = threading.Thread(target=study.run, args=(tmp_path / "s",), kwargs={"progress": False})
    runner.start()
    deadline = time.monotonic() + 30
    while not (tmp_path / "s" / "study.json").exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    while (status := study.status(tmp_path / "s")).cells[2].state != "running":
        assert time.monotonic() < deadline
        time.sleep(0.01)
    (tmp_path / "go").touch()
    runner.join()
    assert [cell.state for cell in status.cells] == ["finished", "failed", "running", "missing"]
    assert (status.finished, status.failed, status.running, status.missing) == (1, 1, 1, 1)
    running = status.cells[2]
    assert (running.process, running.host != "", running.since[:2]) == (os.getpid(), True, "20")
    assert status.cells[1].error == "ValueError: no such seed"
    assert "1 of 4 cells are finished, 1 failed, 1 running, 1 missing" in repr(status)
    after = read_status(tmp_path / "s")
    assert [cell.state for cell in after.cells] == ["finished", "failed", "finished", "finished"]
    assert after.hours_left is not None
    assert after.to_pandas()["seed"].tolist() == [0, 1, 2, 3]
    with pytest.raises(StudyError, match="holds no study"):
        read_status(tmp_path)
