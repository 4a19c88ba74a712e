"""Memory and time of a chain of transforms over 1, 3 and 10 million rows of generated text, mapped from disk.

    python benchmarks/bench_memory.py [--rows 1000000 3000000 10000000] [--folder FOLDER]

Each size runs in a fresh process. The peak is that of RssAnon, the resident memory that is not mapped from a file (the
system can drop mapped pages at any time), sampled every 20 ms. Linux only.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
from datasets import ClassLabel, Dataset, Features, Value
from datasets.arrow_writer import ArrowWriter

import xquality as xq

PIPELINE = (xq.Subsample(fraction=0.5), xq.LabelNoise(rate=0.2), xq.TranslationNoise(severity=0.3))

FEATURES = Features({"text": Value("string"), "label": ClassLabel(names=["entailment", "neutral", "contradiction"])})
WORDS = (
    "la casa de el perro come una manzana roja en su jardín mientras niños juegan con balón nuevo y madre canta "
    "canciones viejas para todos vecinos del pueblo que escuchan desde sus ventanas abiertas al sol cuando llueve"
).split()
_BATCH = 50_000  # rows generated at a time


def generate(file: Path, rows: int) -> None:
    """Write rows of about twenty words and a label to an Arrow file, batch by batch."""
    words = np.array(WORDS, object)
    with ArrowWriter(path=str(file), features=FEATURES) as writer:
        for start in range(0, rows, _BATCH):
            source = np.random.default_rng(start)
            count = min(_BATCH, rows - start)
            lengths = source.integers(16, 25, count)
            ends = np.cumsum(lengths)
            chosen = words[source.integers(0, len(words), ends[-1])]
            texts = [" ".join(chosen[end - length : end]) for end, length in zip(ends, lengths, strict=True)]
            labels = source.integers(0, 3, count)
            writer.write_table(pa.table({"text": texts, "label": labels}, schema=FEATURES.arrow_schema))
        writer.finalize()


def anonymous_memory() -> int:
    """Return this process's anonymous resident memory in kB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:"))


@contextmanager
def memory_peak() -> Iterator[list[int]]:
    """Yield a list with one number, in the end the peak of the anonymous memory in kB while the block ran."""
    peak, done = [anonymous_memory()], threading.Event()

    def watch() -> None:
        while not done.wait(0.02):
            peak[0] = max(peak[0], anonymous_memory())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peak
    finally:
        done.set()
        thread.join()


def measure(file: Path) -> None:
    """Run the chain of transforms over the rows of a file, and print a line of the table for all and one for each."""
    data = Dataset.from_file(str(file))
    rows, start = len(data), anonymous_memory()
    lines = []
    for transform in PIPELINE:
        started, cpu_started = time.perf_counter(), time.process_time()
        with memory_peak() as peak:
            data = transform(data, seed=1)
        wall_seconds, cpu_seconds = time.perf_counter() - started, time.process_time() - cpu_started
        lines.append((f"  {type(transform).__name__}: {len(data):,} left", wall_seconds, cpu_seconds, peak[0]))
    _, seconds, cpu, peaks = zip(*lines, strict=True)
    lines.insert(0, (f"{rows:,} rows", sum(seconds), sum(cpu), max(peaks)))
    for name, wall_seconds, cpu_seconds, highest in lines:
        print(f"{name:36} {wall_seconds:10.1f} {cpu_seconds:10.1f} {rows / cpu_seconds:12,.0f} {highest / 1024:12,.0f}")
    print(f"{'  before the first step':36} {'':10} {'':10} {'':12} {start / 1024:12,.0f}")


def main(sizes: list[int], folder: Path | None) -> None:
    """Print the table."""
    print(" >> ".join(map(repr, PIPELINE)))
    print(f"{'':36} {'seconds':>10} {'of CPU':>10} {'rows/CPU s':>12} {'RssAnon, MB':>12}", flush=True)
    with tempfile.TemporaryDirectory(dir=folder) as directory:
        for rows in sizes:
            file = Path(directory) / f"{rows}.arrow"
            generate(file, rows)
            subprocess.run([sys.executable, __file__, "--measure", str(file)], check=True)
            file.unlink()


if __name__ == "__main__":
    datasets.disable_progress_bars()
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 3_000_000, 10_000_000])
    parser.add_argument("--folder", type=Path, help="where the generated rows are stored; a disk, not memory")
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(given.measure)
    else:
        main(given.rows, given.folder)
