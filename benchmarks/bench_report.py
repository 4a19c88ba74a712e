"""How long a report of many cells takes: reading and analysis, then the page; imports left out.

    python benchmarks/bench_report.py [--cells 9000] [--folder FOLDER]

The folder is made by `Study.run` with a trial that returns numbers at once: curves of six points and scores in three
languages, in a grid of thirty amounts, qualities of noise and ten seeds. Targets for 9,000 cells: 3 s for reading and
analysis, 8 s in all.
"""

import argparse
import math
import tempfile
import time
from pathlib import Path

import numpy as np

from xquality.records import History, Point, Result, Score
from xquality.report import summarise, write_report
from xquality.study import Study

LANGUAGES = ("de", "ru", "ar")
STEPS = (0, 2, 5, 12, 30, 60)
AMOUNTS, SEEDS = 30, 10


def trial(rows: int, rate: float, seed: int) -> Result:
    """Return a cell in which one row of a rate is worth 1 - rate clean rows."""
    numbers = np.random.default_rng((rows, round(1000 * rate), seed))
    final = 20 + 6 * math.log((1 - rate) * rows)
    finals = [final + float(numbers.normal()) for _ in LANGUAGES]
    points = tuple(
        Point(1, step, "topics", language, "accuracy", 17 + (end - 17) * math.log1p(step) / math.log1p(STEPS[-1]), 99)
        for step in STEPS
        for language, end in zip(LANGUAGES, finals, strict=True)
    )
    scores = tuple(
        Score("topics", language, "accuracy", end, 200) for language, end in zip(LANGUAGES, finals, strict=True)
    )
    stages = ({"language": "es", "rows": rows}, {"language": "en", "rows": 100})
    return Result(scores, History(stages, points), {"zero-shot accuracy": sum(finals) / len(finals)})


def main(cells: int, folder: Path | None) -> None:
    """Make a study folder, report it, and print the seconds.

    Args:
        cells: how many.
        folder: where the study is kept, so that another run finds its cells; None for a temporary folder.
    """
    rates = [
        round(0.9 * number / max(1, cells // (AMOUNTS * SEEDS)), 4) for number in range(cells // (AMOUNTS * SEEDS))
    ]
    axes = {"rows": [50 * 2**number for number in range(4)] + [500 + 20 * number for number in range(AMOUNTS - 4)]}
    study = Study(trial, {**axes, "rate": rates, "seed": range(SEEDS)}, quantity="rows", quality="rate")
    with tempfile.TemporaryDirectory() as place:
        begin = time.perf_counter()
        folder = study.run(folder or Path(place) / "study", progress=False)
        written = time.perf_counter() - begin
        write_report(folder)  # imports what reports need
        begin, busy = time.perf_counter(), time.process_time()
        summary = summarise(folder)
        read = f"{time.perf_counter() - begin:6.2f} s ({time.process_time() - busy:.2f} s of CPU)"
        begin, busy = time.perf_counter(), time.process_time()
        page = write_report(folder)
        whole = f"{time.perf_counter() - begin:6.2f} s ({time.process_time() - busy:.2f} s of CPU)"
        size = page.stat().st_size
    count = sum(len(arm.cells) for arm in summary.arms)
    print(f"{count} cells, written in {written:.1f} s ({1000 * written / count:.1f} ms each)")
    print(f"reading and analysis  {read}")
    print(f"the report in all     {whole}, a page of {size / 1e6:.2f} MB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Measure how long a report takes.")
    parser.add_argument("--cells", type=int, default=9000)
    parser.add_argument("--folder", type=Path)
    chosen = parser.parse_args()
    main(chosen.cells, chosen.folder)
