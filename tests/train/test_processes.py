"""Several processes train one model together, and its history is that of one."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from xquality import toy
from xquality.train import Fitted, Stage, fit, processes

PROGRAM = """
import dataclasses, os, sys
from pathlib import Path
from xquality import toy
from xquality.train import Stage, fit
encoder, store, out = sys.argv[1:]
mean = dataclasses.replace(toy.topics, head=dataclasses.replace(toy.topics.head, pooling="mean"))
stages = [Stage(mean, language="es", steps=12, batch_size=8), Stage(toy.topics, steps=12, batch_size=8)]
fitted = fit(stages, model=encoder, seed=1, threads=1, store=store, evaluate_on=["de", "ar"], checkpoint_every=5)
rank = os.environ["RANK"]
Path(out + rank).write_text(fitted.model.digest)  # a file each: two processes' lines may meet in one pipe
fitted = fit(stages, model=encoder, seed=1, threads=1, store=store, evaluate_on=["de", "ar"])  # looked up by both
if rank == "0":
    fitted.save(out)
"""


def test_two_processes_have_the_history_of_one(encoder: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    _together(program, encoder, tmp_path / "store", tmp_path / "out")
    first, second = ((tmp_path / f"out{rank}").read_text() for rank in (0, 1))
    assert first == second
    together = Fitted.load(tmp_path / "out")
    mean = dataclasses.replace(toy.topics, head=dataclasses.replace(toy.topics.head, pooling="mean"))
    stages = [Stage(mean, language="es", steps=12, batch_size=8), Stage(toy.topics, steps=12, batch_size=8)]
    alone = fit(stages, model=encoder, seed=1, threads=1, evaluate_on=["de", "ar"])
    assert [stage["processes"] for stage in together.history.stages] == [2, 2]
    assert [stage["steps"] for stage in together.history.stages] == [12, 12]
    for point, expected in zip(together.history.points, alone.history.points, strict=True):
        assert dataclasses.replace(point, value=0) == dataclasses.replace(expected, value=0)
        assert point.value == pytest.approx(expected.value, rel=2e-3, abs=1.5)


KILLED = """
import os, sys
from pathlib import Path
from xquality import toy
from xquality.train import Stage, fit
from xquality.train.training_run import TrainingRun
encoder, out = sys.argv[1:]
partly = {"frozen_embeddings": True, "head_learning_rate": 1e-2}
stages = [Stage(toy.entities, steps=6, batch_size=8, max_length=32, **partly)]

def trained(store):
    return fit(stages, model=encoder, seed=1, threads=1, store=store, checkpoint_every=2).history

def killed(self, step, *others, **settings):
    if step == 5:
        raise KeyboardInterrupt
    return finish_step(self, step, *others, **settings)

alone = trained(out + "/whole")
finish_step, TrainingRun.finish_step = TrainingRun.finish_step, killed
try:
    trained(out + "/parts")
    sys.exit("the run was not interrupted")
except KeyboardInterrupt:
    TrainingRun.finish_step = finish_step
again = trained(out + "/parts")
assert again.points == alone.points, (again.points, alone.points)
assert again.stages == alone.stages, (again.stages, alone.stages)
Path(out + "/passed" + os.environ["RANK"]).touch()
"""


def test_two_killed_processes_resume_with_the_same_result_though_each_draws_its_own_dropout(
    encoder: Path, tmp_path: Path
) -> None:
    program, dropping = tmp_path / "program.py", tmp_path / "encoder"
    program.write_text(KILLED)
    shutil.copytree(encoder, dropping)
    settings = json.loads((dropping / "config.json").read_text())
    settings |= {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
    (dropping / "config.json").write_text(json.dumps(settings))
    _together(program, dropping, tmp_path)
    assert (tmp_path / "passed0").exists()
    assert (tmp_path / "passed1").exists()


FAILING = """
import os, sys
from pathlib import Path
from xquality import toy
from xquality.errors import XqualityError
from xquality.train import Fitted, Stage, fit
encoder, out = sys.argv[1:]
rank = os.environ["RANK"]

def fail(self, folder):
    raise OSError(28, "No space left on device")

def train(store):
    try:
        fit([Stage(toy.topics, steps=2, batch_size=8)], model=encoder, seed=1, threads=1, store=store)
        return "no error"
    except XqualityError as fault:
        return f"{type(fault).__name__}: {fault}"

errors = [train(encoder + "/config.json/store")]  # a file cannot hold a folder
write, Fitted.write = Fitted.write, fail
errors.append(train(out + "/store"))
Fitted.write = write
errors.append(train(out + "/store"))
Path(out + "/errors" + rank).write_text("\\n".join(errors))
"""


def test_where_the_first_process_fails_the_others_fail_too_and_do_not_wait(encoder: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(FAILING)
    _together(program, encoder, tmp_path)
    first, second = ((tmp_path / f"errors{rank}").read_text().splitlines() for rank in (0, 1))
    assert [line.partition(":")[0] for line in first] == ["WriteError", "WriteError", "no error"]
    assert [line.partition(":")[0] for line in second] == ["TrainingError", "TrainingError", "no error"]
    assert "The first process could not use the store" in second[0]


def _together(program: Path, *arguments: Path) -> None:
    """Run a program in two processes."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", str(program)]
    done = subprocess.run(
        [*command, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]


def test_one_process_needs_no_others() -> None:
    assert processes.count() == 1
    assert processes.is_first()
    assert processes.broadcast("yes") == "yes"
    assert processes.mean(3.0) == 3.0
