"""Several processes train one model together, and its history is that of one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from xquality import toy
from xquality.train import Fitted, Stage, fit, processes

PROGRAM = """
import os, sys
from pathlib import Path
from xquality import toy
from xquality.train import Stage, fit
encoder, store, out = sys.argv[1:]
stages = [Stage(toy.topics, language="es", steps=12, batch_size=8), Stage(toy.topics, steps=12, batch_size=8)]
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
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    done = subprocess.run(
        [*command, str(program), str(encoder), str(tmp_path / "store"), str(tmp_path / "out")],
        env={**os.environ, "PYTHONPATH": str(Path.cwd()), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    first, second = ((tmp_path / f"out{rank}").read_text() for rank in (0, 1))
    assert first == second
    together = Fitted.load(tmp_path / "out")
    stages = [Stage(toy.topics, language="es", steps=12, batch_size=8), Stage(toy.topics, steps=12, batch_size=8)]
    alone = fit(stages, model=encoder, seed=1, threads=1, evaluate_on=["de", "ar"])
    assert [stage["processes"] for stage in together.history.stages] == [2, 2]
    assert [stage["steps"] for stage in together.history.stages] == [12, 12]
    for one, two in zip(together.history.points, alone.history.points, strict=True):
        assert (one.stage, one.step, one.language, one.metric, one.rows) == (
            two.stage,
            two.step,
            two.language,
            two.metric,
            two.rows,
        )
        assert one.value == pytest.approx(two.value, rel=2e-3, abs=1.5)


def test_one_process_agrees_with_itself() -> None:
    assert processes.count() == 1
    assert processes.is_first()
    assert processes.agreed("yes") == "yes"
    assert processes.mean(3.0) == 3.0
