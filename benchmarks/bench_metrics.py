"""Metrics compared with other implementations in one run: rates, CPU time and memory.

python benchmarks/bench_metrics.py [--peers FOLDER] [--official FOLDER] [--sentences N] [--width N] [--device cuda]

The others are optional: `seqeval`, `evaluate` and `faiss` are imported from this environment or from the site-packages
folder given by --peers, the official question-answering scripts from the checkout of XTREME's repository given by
--official. Each mining run has a process of its own, whose anonymous memory is sampled.
"""

import argparse
import contextlib
import importlib
import io
import json
import resource
import statistics
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from xquality.metrics._neighbours import scale_to_unit, search_both_ways
from xquality.metrics.question_answering import mlqa, squad
from xquality.metrics.retrieval import mine
from xquality.metrics.tagging import chunk_f1

RUNS = ("faiss, inner product, both ways", "both ways", "mine", "torch")


def peer(name: str) -> Any:
    """Return a module, or None where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def hub_metric(name: str) -> Any:
    """Return a metric of the evaluate package, or None where its script is not available."""
    package = peer("evaluate")
    if package is None:
        return None
    try:
        return package.load(name)
    except (OSError, ImportError, ValueError):  # no Hub, or no script
        return None


def rate(call: Callable[[], object] | None, rows: int, repeats: int = 5) -> str:
    """Return the median rate of a call, or "not installed" for None."""
    if call is None:
        return "not installed"
    taken = []
    for _ in range(repeats):
        started = time.perf_counter()
        with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call()
        taken.append(time.perf_counter() - started)
    return f"{rows / statistics.median(taken):14,.0f} a second"


def table(title: str, lines: dict[str, str]) -> None:
    """Print a table of two columns."""
    print(f"\n{title}")
    for name, value in lines.items():
        print(f"  {name:44} {value}")


def answers(rows: int, alphabet: str, blank: float, seed: int) -> tuple[dict[str, str], dict[str, list[str]]]:
    """Return made-up predictions and references: answers of some 20 characters, half of the predictions changed."""
    draw = np.random.default_rng(seed)

    def text() -> str:
        letters = draw.choice(list(alphabet), draw.integers(4, 36))
        return "".join(np.where(draw.random(len(letters)) < blank, " ", letters))

    references = {f"q{row}": [text() for _ in range(1 + row % 2)] for row in range(rows)}
    predictions = {
        question: golds[0] if row % 2 else f"the {golds[0][3:]}{text()[:8]}."
        for row, (question, golds) in enumerate(references.items())
    }
    return predictions, references


def question_answering(official: str | None) -> None:
    """Print the rates of the question-answering metrics."""
    if official:
        sys.path.append(official)
    nested: Callable[[dict[str, list[str]]], list[Any]] = lambda references: [  # noqa: E731 (a form, named once)
        {"paragraphs": [{"qas": [{"id": question, "answers": [{"text": text} for text in golds]}]}]}
        for question, golds in references.items()
    ]
    rows = 10_000
    latin, chinese = "abcdefghilmnoprstu,.-", "北京大学的一是在不了有和人这中国上地为子生，。年3a"  # noqa: RUF001 (a Chinese comma)
    found, right = answers(rows, latin, 0.18, 1)
    data = nested(right)
    script, metric = peer("third_party.evaluate_squad"), hub_metric("squad")
    table(
        f"SQuAD v1.1 ({rows:,} questions)",
        {
            "xquality squad": rate(lambda: squad(found, right), rows),
            "the official script": rate(script and (lambda: script.evaluate(data, found)), rows, 1),
            "evaluate, squad": rate(
                metric
                and (
                    lambda: metric.compute(
                        predictions=[{"id": question, "prediction_text": text} for question, text in found.items()],
                        references=[
                            {"id": question, "answers": {"text": golds, "answer_start": [0] * len(golds)}}
                            for question, golds in right.items()
                        ],
                    )
                ),
                rows,
                1,
            ),
        },
    )
    script = peer("third_party.evaluate_mlqa")
    for language, alphabet, blank in (("es", latin, 0.18), ("zh", chinese, 0.05)):
        found, right = answers(rows, alphabet, blank, 2)
        data = nested(right)
        table(
            f"MLQA, {language} ({rows:,} questions)",
            {
                "xquality mlqa": rate(lambda: mlqa(found, right, language), rows),  # noqa: B023 (called at once)
                "the official script": rate(
                    script and (lambda: script.evaluate(data, found, language)),  # noqa: B023 (called at once)
                    rows,
                    1,
                ),
            },
        )


def tagging() -> None:
    """Print the rates of chunk F1."""
    draw = np.random.default_rng(0)
    kinds = {
        "named entities": "O O O O O O B-PER I-PER B-LOC I-LOC B-ORG I-ORG".split(),
        "parts of speech": "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split(),
    }
    seqeval, metric = peer("seqeval.metrics"), hub_metric("seqeval")
    for kind, tags in kinds.items():
        gold = [draw.choice(tags, 20).tolist() for _ in range(10_000)]
        found = [[tag if draw.random() < 0.9 else str(draw.choice(tags)) for tag in sentence] for sentence in gold]
        tokens = 20 * len(gold)
        few = gold[:1000], found[:1000]

        def official(few: Any = few) -> None:
            for name in ("f1_score", "precision_score", "recall_score"):
                getattr(seqeval, name)(*few)

        table(
            f"Chunk F1, precision and recall, {kind} (tokens)",
            {
                "xquality chunk_f1, as seqeval 0.0.12": rate(lambda: chunk_f1(found, gold), tokens),  # noqa: B023
                "xquality chunk_f1, as seqeval 1.2.2": rate(lambda: chunk_f1(found, gold, "1.2.2"), tokens),  # noqa: B023
                "seqeval, as the official code calls it": rate(seqeval and official, 20 * len(few[0]), 1),
                "evaluate, seqeval": rate(
                    metric and (lambda: metric.compute(predictions=few[1], references=few[0])),  # noqa: B023
                    20 * len(few[0]),
                    1,
                ),
            },
        )


def anonymous() -> float:
    """Return this process's anonymous memory in MiB."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextlib.contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Measure wall time, CPU time and the peak of anonymous memory above that at the start."""
    measured: dict[str, float] = {}
    done = threading.Event()
    base = peak = anonymous()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.005):
            peak = max(peak, anonymous())

    watcher = threading.Thread(target=watch)
    watcher.start()
    usage, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    yield measured
    after = resource.getrusage(resource.RUSAGE_SELF)
    measured["wall"] = time.perf_counter() - started
    measured["cpu"] = after.ru_utime + after.ru_stime - usage.ru_utime - usage.ru_stime
    done.set()
    watcher.join()
    measured["memory"] = max(peak, anonymous()) - base


def mining_run(run: str, sentences: int, width: int, device: str) -> None:
    """Print one run of mining as JSON: the measures, and a checksum of what was found."""
    draw = np.random.default_rng(0)
    x = scale_to_unit(draw.standard_normal((sentences, width), np.float32))
    y = scale_to_unit(x + draw.standard_normal((sentences, width), np.float32) * np.float32(0.04))
    if run == RUNS[0]:
        faiss = importlib.import_module("faiss")
        with watched() as measured:
            total = 0.0
            for queries, corpus in ((x, y), (y, x)):
                index = faiss.IndexFlatIP(width)
                index.add(corpus)
                total += float(index.search(queries, 4)[0].sum())
    elif run == RUNS[1]:
        with watched() as measured:
            total = float(sum(found.products.sum() for found in search_both_ways(x, y, 4)))
    elif run == RUNS[2]:
        with watched() as measured:
            total = len(mine(x, y))
    else:
        search_both_ways(x[:64], y[:64], 4, device=device)  # the device's start is not counted
        with watched() as measured:
            total = float(sum(found.products.sum() for found in search_both_ways(x, y, 4, device=device)))
    print(json.dumps({**measured, "total": total}))


def mining(arguments: argparse.Namespace) -> None:
    """Print the table of mining, each run in a process of its own."""
    lines = {}
    first = None
    for run in RUNS[: 4 if arguments.device else 3]:
        name = (
            f"xquality, torch on {arguments.device}" if run == "torch" else run if "faiss" in run else f"xquality {run}"
        )
        if "faiss" in run and peer("faiss") is None:
            lines[name] = "not installed"
            continue
        command = [sys.executable, __file__, "--run", run, *sys.argv[1:]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            lines[name] = done.stderr.strip().splitlines()[-1]
            continue
        found = json.loads(done.stdout.splitlines()[-1])
        first = first or found["cpu"]
        lines[name] = (
            f"{found['cpu']:7.1f} CPU s (x{found['cpu'] / first:.2f}) {found['wall']:7.1f} s "
            f"{found['memory']:6.0f} MiB above the input, found {found['total']:.3f}"
        )
    table(f"Mining, {arguments.sentences:,} x {arguments.sentences:,} x {arguments.width}, k = 4", lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--peers", help="a site-packages folder to take peers from")
    parser.add_argument("--official", help="a checkout of XTREME's repository")
    parser.add_argument("--sentences", type=int, default=10_000)
    parser.add_argument("--width", type=int, default=768)
    parser.add_argument("--device", help="a torch device for mining, such as cuda")
    parser.add_argument("--run", choices=RUNS, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.peers:
        sys.path.append(given.peers)
    if given.run:
        mining_run(given.run, given.sentences, given.width, given.device)
    else:
        question_answering(given.official)
        tagging()
        mining(given)
