"""A chain of transforms over generated rows on Ray Data, beside the same chain called in one process.

    python benchmarks/bench_ray_data.py --rows 100000
    python benchmarks/bench_ray_data.py --rows 10000000 --folder /somewhere/with/5/GB

The rows lie in parquet files. In one process they are mapped from disk, and the chain is called; on Ray they are read,
transformed by `batches(seed)` and written to parquet files by two workers. Both results are sorted by uid, in parts of
a million uids, and digested. The memory is that of this process and all of Ray's, without what is mapped from files,
sampled twice a second. Linux only.
"""

import argparse
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import ray
from datasets import ClassLabel, Dataset, Features, Value
from datasets.arrow_writer import ArrowWriter

import xquality as xq

datasets.disable_progress_bars()

SPOIL = (
    xq.Subsample(fraction=0.5, exact=False) >> xq.LabelNoise(rate=0.2, exact=False) >> xq.TranslationNoise(severity=0.3)
)
FEATURES = Features(
    {
        "uid": Value("int64"),
        "text": Value("string"),
        "label": ClassLabel(names=["entailment", "neutral", "contradiction"]),
    }
)
WORDS = (
    "la casa de el perro come una manzana roja en su jardín mientras niños juegan con balón nuevo y madre canta "
    "canciones viejas para todos vecinos del pueblo que escuchan desde sus ventanas abiertas al sol cuando llueve"
).split()
SHARD, BATCH, PART = 250_000, 10_000, 1_000_000  # rows of a file, of a batch, and uids that are sorted at a time
SEED = 1


def generate(folder: Path, rows: int) -> None:
    """Write rows of about twenty words and a label to parquet files."""
    folder.mkdir()
    words = np.array(WORDS, object)
    for start in range(0, rows, SHARD):
        numbers, count = np.random.default_rng(start), min(SHARD, rows - start)
        ends = np.cumsum(numbers.integers(16, 25, count))
        chosen = words[numbers.integers(0, len(words), ends[-1])]
        texts = [" ".join(chosen[first:last]) for first, last in zip([0, *ends], ends, strict=False)]
        columns = {"uid": np.arange(start, start + count), "text": texts, "label": numbers.integers(0, 3, count)}
        table = pa.table(columns, schema=FEATURES.arrow_schema)
        pa.parquet.write_table(table, folder / f"{start // SHARD:05d}.parquet", row_group_size=BATCH)


def in_process(rows: Path, folder: Path) -> Dataset:
    """Return the rows transformed by a call in this process."""
    files = [str(file) for file in sorted(rows.glob("*.parquet"))]
    return SPOIL(Dataset.from_parquet(files, cache_dir=str(folder / "cache")), seed=SEED)


def on_ray(rows: Path, folder: Path) -> None:
    """Write the rows transformed by Ray's workers to parquet files."""
    function = SPOIL.batches(SEED, features=FEATURES)
    read = ray.data.read_parquet(str(rows))
    read.map_batches(function, batch_format="pyarrow", batch_size=BATCH).write_parquet(str(folder / "spoiled"))


def digest_by_uid(parts: Iterator[pa.Table], features: Features, file: Path) -> tuple[str, int]:
    """Return the digest of tables that come in the order of their uids, each sorted here, and the number of rows."""
    with ArrowWriter(path=str(file), features=features) as writer:
        for part in parts:
            writer.write_table(part.sort_by("uid").cast(features.arrow_schema))
        writer.finalize()
    data = Dataset.from_file(str(file))
    return xq.digest(data), data.num_rows


def parts_of(source: pa.dataset.Dataset, rows: int) -> Iterator[pa.Table]:
    """Yield the rows of each range of uids, wherever they lie."""
    for start in range(0, rows, PART):
        yield source.to_table(filter=(pa.dataset.field("uid") >= start) & (pa.dataset.field("uid") < start + PART))


def slices_of(data: Dataset) -> Iterator[pa.Table]:
    """Yield the rows of a dataset that is in the order of its uids, a million at a time."""
    arrow = data.with_format("arrow")
    for start in range(0, data.num_rows, PART):
        yield arrow[start : start + PART]


def memory() -> float:
    """Return the resident memory of this process and its descendants in GB, without what is mapped from files."""
    parents, used = {}, {}
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            fields = dict(line.split(":", 1) for line in status.read_text(encoding="utf-8").splitlines())
        except OSError:  # it has ended
            continue
        number = int(fields["Pid"])
        parents[number] = int(fields["PPid"])
        used[number] = int(fields.get("RssAnon", "0 kB").split()[0])
    own, found = {os.getpid()}, 0
    while len(own) != found:
        found = len(own)
        own |= {number for number, parent in parents.items() if parent in own}
    # Ray's object store is one mapping that all its processes share: it is limited when Ray is started.
    return sum(used[number] for number in own) / 2**20


def timed(call: Callable[[], object]) -> tuple[object, float, float]:
    """Return what a call returns, its seconds, and the peak of the memory in GB."""
    peak, ended = [memory()], threading.Event()

    def watch() -> None:
        while not ended.wait(0.5):
            peak[0] = max(peak[0], memory())

    thread = threading.Thread(target=watch)
    thread.start()
    started = time.perf_counter()
    try:
        found = call()
    finally:
        ended.set()
        thread.join()
    return found, time.perf_counter() - started, peak[0]


def main(rows: int, folder: Path, workers: int) -> None:
    """Print the rates, the peaks of the memory and the digests."""
    _, seconds, _ = timed(lambda: generate(folder / "rows", rows))
    print(f"{rows:,} rows generated in {seconds:.0f} s", flush=True)
    called, seconds, peak = timed(lambda: in_process(folder / "rows", folder))
    wanted = digest_by_uid(slices_of(called), called.features, folder / "called.arrow")
    print(f"one process: {rows / seconds:11,.0f} rows/s, {peak:4.1f} GB, {wanted[1]:,} rows, {wanted[0]}", flush=True)
    store = 2**30
    ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False, object_store_memory=store)
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        _, seconds, peak = timed(lambda: on_ray(folder / "rows", folder))
    finally:
        ray.shutdown()
    spoiled = pa.dataset.dataset(folder / "spoiled", format="parquet")
    found = digest_by_uid(parts_of(spoiled, rows), called.features, folder / "spoiled.arrow")
    print(
        f"Ray Data:    {rows / seconds:11,.0f} rows/s, {peak:4.1f} GB and at most {store / 2**30:.0f} GB of object "
        f"store, {found[1]:,} rows, {found[0]}, {workers} workers",
        flush=True,
    )
    assert found == wanted, "the rows differ"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="for the rows and the results; left out, a temporary one")
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as temporary:
        main(arguments.rows, Path(temporary), arguments.workers)
