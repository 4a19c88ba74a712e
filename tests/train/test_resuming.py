"""A killed run resumes from its last checkpoint and ends with the same bytes."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from xquality import toy
from xquality.train import Fitted, Selection, Stage, fit
from xquality.train.checkpoint import Checkpoints

# A stage that takes a few seconds, with everything in it that a checkpoint must bring back.
STAGE = """
from xquality import toy
from xquality.train import Mixture, Selection, Stage, fit
import sys

def run(encoder, store):
    stage = Stage(
        Mixture((toy.topics, toy.inference)), steps=120, batch_size=8, schedule="linear", max_length=32,
        selection=Selection("best_source", every=20, rows=40), arguments={"max_grad_norm": 1.0},
    )
    return fit([stage], model=encoder, seed=3, store=store, threads=1, checkpoint_every=7, evaluate_on=["de"])
"""
exec(STAGE)  # noqa: S102 (the same text is run here and in a process that is killed)


@pytest.fixture(scope="module")
def with_dropout(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder with dropout, so that the random state matters."""
    import json
    import shutil

    folder = tmp_path_factory.mktemp("dropout") / "encoder"
    shutil.copytree(encoder, folder)
    settings = json.loads((folder / "config.json").read_text())
    settings |= {"hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.2}
    (folder / "config.json").write_text(json.dumps(settings))
    return folder


@pytest.fixture(scope="module")
def whole(with_dropout: Path, tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    """The run that was not interrupted."""
    return run(with_dropout, tmp_path_factory.mktemp("whole"))  # noqa: F821 (from the text above)


def assert_same(fitted: Fitted, expected: Fitted) -> None:
    assert fitted.model.digest == expected.model.digest
    assert fitted.history == expected.history


@pytest.mark.parametrize("kill", [1, 2, 3])
def test_a_killed_stage_ends_with_the_same_result(with_dropout: Path, whole: Fitted, tmp_path: Path, kill: int) -> None:
    program = STAGE + f"\nrun({str(with_dropout)!r}, {str(tmp_path / 'killed')!r})\n"
    process = subprocess.Popen([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(Path.cwd())})
    under_way = tmp_path / "killed/under-way"
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and len(list(under_way.glob("*/step-*"))) < min(kill, 2):
        time.sleep(0.002)
    time.sleep(0.013 * kill)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert process.returncode == -signal.SIGKILL, "the process had ended before it was killed"
    left = list(under_way.glob("*/step-*"))
    assert left, "there was no checkpoint to resume from"
    again = run(with_dropout, tmp_path / "killed")  # noqa: F821 (from the text above)
    assert_same(whole, again)
    assert not list(under_way.glob("*"))


@pytest.mark.parametrize("stop", [7, 60, 119])
def test_any_checkpoint_leads_to_the_same_end(
    with_dropout: Path, whole: Fitted, tmp_path: Path, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:

    class StoppedError(Exception):
        pass

    write = Checkpoints.write

    def write_and_stop(self, step, state, tensors) -> None:
        write(self, step, state, tensors)
        if step >= stop:
            raise StoppedError

    monkeypatch.setattr(Checkpoints, "write", write_and_stop)
    with pytest.raises(StoppedError):
        run(with_dropout, tmp_path / "cut")  # noqa: F821 (from the text above)
    monkeypatch.undo()
    assert_same(whole, run(with_dropout, tmp_path / "cut"))  # noqa: F821 (from the text above)


def test_a_run_in_parts_is_the_run_in_one_also_with_accumulation_and_mean_weights(
    with_dropout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run_averaging(store: Path) -> Fitted:
        stage = Stage(
            toy.topics, steps=40, batch_size=8, group_by_length=True, selection=Selection("average", every=10, count=2),
            arguments={"gradient_accumulation_steps": 2},
        )  # fmt: skip
        return fit([stage], model=with_dropout, seed=1, store=store, threads=1, checkpoint_every=5)

    whole, write = run_averaging(tmp_path / "whole"), Checkpoints.write

    def write_and_stop(self, step, state, tensors) -> None:
        write(self, step, state, tensors)
        if step == 25:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoints, "write", write_and_stop)
    with pytest.raises(KeyboardInterrupt):
        run_averaging(tmp_path / "cut")
    monkeypatch.undo()
    assert_same(whole, run_averaging(tmp_path / "cut"))


def test_how_often_checkpoints_are_written_changes_nothing(encoder: Path, tmp_path: Path) -> None:
    stage = Stage(toy.topics, steps=20, batch_size=8)
    often = fit([stage], model=encoder, seed=1, store=tmp_path / "often", threads=1, checkpoint_every=3)
    never = fit([stage], model=encoder, seed=1, threads=1)
    assert_same(often, never)
