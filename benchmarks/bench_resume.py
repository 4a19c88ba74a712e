"""Twenty runs killed at random moments and resumed: the weights must be those of the run without interruption.

Each run is a process of its own, killed with SIGKILL at a moment drawn uniformly over the duration of a complete run:
before the first checkpoint, while one is written, or between two. Where the process had ended by then, the draw is
repeated; the benchmark fails where too few runs are killed, or none after a checkpoint.

python benchmarks/bench_resume.py [--kills N] [--seed N]
"""

import argparse
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np

from xquality import toy
from xquality.models import tiny_encoder
from xquality.train import Fitted, Mixture, Selection, Stage, fit

# What the server of processes loads once, so that a run does not begin with seconds of imports.
_LOADED = ["__main__", "xquality.train.trainer", "transformers.models.xlm_roberta.modeling_xlm_roberta"]


def run(encoder: str, store: str) -> Fitted:
    """Train a stage with everything in it that a checkpoint must bring back."""
    stage = Stage(
        Mixture((toy.topics, toy.inference)),
        steps=120,
        batch_size=8,
        schedule="linear",
        max_length=32,
        selection=Selection("best_source", every=20, rows=40),
    )
    return fit([stage], model=encoder, seed=3, store=store, threads=1, checkpoint_every=7, evaluate_on=["de"])


def run_in_process(encoder: str, store: str) -> None:
    """Train in a process of its own."""
    run(encoder, store)


def encoder_with_dropout(folder: Path) -> str:
    """Return a small encoder whose training draws random numbers at every step."""
    parallel = {language: toy.sentences.load(language, "train")["source_sentence"][:300] for language in ("en", "de")}
    texts = [text for several in parallel.values() for text in several]
    made = tiny_encoder(texts, folder=folder / "encoder", parallel=parallel, pieces=1000, width=32, steps=20)
    settings = json.loads((made / "config.json").read_text(encoding="utf-8"))
    settings |= {"hidden_dropout_prob": 0.2, "attention_probs_dropout_prob": 0.2}
    (made / "config.json").write_text(json.dumps(settings), encoding="utf-8")
    return str(made)


def start_run(encoder: str, store: Path) -> BaseProcess:
    """Start a run in a process of its own."""
    process = multiprocessing.get_context("forkserver").Process(target=run_in_process, args=(encoder, str(store)))
    process.start()
    return process


def main(kills: int, seed: int) -> None:
    """Print the results, or exit with an error."""
    draw = np.random.default_rng(seed)
    multiprocessing.get_context("forkserver").set_forkserver_preload(_LOADED)
    with tempfile.TemporaryDirectory() as scratch:
        encoder = encoder_with_dropout(Path(scratch))
        durations = []
        for number in range(3):  # the first waits for the server of processes
            begun = time.perf_counter()
            process = start_run(encoder, Path(scratch) / f"whole-{number}")
            process.join()
            durations.append(time.perf_counter() - begun)
        whole = run(encoder, f"{scratch}/whole-2")  # found, not trained
        killed = before = wrong = 0
        for number in range(3 * kills):
            store = Path(scratch) / f"cut-{number}"
            process = start_run(encoder, store)
            time.sleep(float(draw.uniform(0, min(durations))))
            os.kill(process.pid or 0, signal.SIGKILL)
            process.join()
            if process.exitcode != -signal.SIGKILL:
                continue
            killed += 1
            steps = sorted(path.name for path in (store / "under-way").glob("*/step-*"))
            before += not steps
            again = run(encoder, str(store))
            same = again.model.digest == whole.model.digest and again.history == whole.history
            wrong += not same
            where = steps[-1] if steps else "before the first checkpoint"
            print(f"  kill {killed:2}: {where:28} {'same' if same else 'OTHER'}", flush=True)
            if killed == kills:
                break
    print(f"{killed} runs killed, {killed - before} after a checkpoint; {wrong} ended with other weights or histories")
    if killed < kills or killed == before or wrong:
        sys.exit(1)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    main(given.kills, given.seed)
