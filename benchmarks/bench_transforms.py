"""Transforms beside their obvious alternatives, in one run: medians and ratios.

python benchmarks/bench_transforms.py [--rows N]
"""

import argparse
import statistics
import time
from collections.abc import Callable

import datasets
import numpy as np
from cleanlab.benchmarking.noise_generation import generate_noise_matrix_from_trace, generate_noisy_labels
from datasets import ClassLabel, Dataset, Features, Value
from datasketch import MinHash, MinHashLSH

import xquality as xq
from xquality.text.near_duplicates import band_width
from xquality.transforms import Draw

datasets.disable_progress_bars()


def median(call: Callable[[], object], repeats: int = 5) -> float:
    """Return the median time of a call in seconds."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def table(title: str, rows: int, times: dict[str, float]) -> None:
    """Print the rates, and how many times as long as the first each other takes."""
    first = next(iter(times.values()))
    print(f"\n{title} ({rows:,} rows)")
    for name, seconds in times.items():
        print(f"  {name:44} {rows / seconds / 1e6:9.2f} M rows/s   x{seconds / first:.2f}")


def main(rows: int) -> None:
    """Print every table."""
    labels = np.random.default_rng(0).integers(0, 3, rows)
    features = Features({"text": Value("string"), "label": ClassLabel(num_classes=3)})
    text = [f"sentence number {row} of the benchmark, with some words" for row in range(rows)]
    data = xq.with_uid(Dataset.from_dict({"text": text, "label": labels}, features=features))
    uids = np.arange(rows, dtype=np.uint64)

    np.random.seed(0)  # noqa: NPY002, TID251 (the peer draws from numpy's global state)
    matrix = generate_noise_matrix_from_trace(3, trace=2.4, py=[1 / 3] * 3, valid_noise_matrix=True, seed=0)
    table(
        "Label noise at 20 %",
        rows,
        {
            "xq.LabelNoise, the whole call": median(lambda: xq.LabelNoise(0.2)(data, seed=1)),
            "the draws alone": median(lambda: Draw(1, "bench", 0, uids).uniform("flip")),
            "cleanlab generate_noisy_labels": median(lambda: generate_noisy_labels(labels, matrix), 3),
        },
    )

    half = round(rows / 2)
    chosen = np.sort(np.random.default_rng(0).permutation(rows)[:half])

    def read(selected: Dataset) -> None:
        for batch in selected.with_format("arrow").iter(10_000):
            assert batch.num_rows

    table(
        "Half of the rows taken and read",
        half,
        {
            "xq.Subsample": median(lambda: read(xq.Subsample(n=half)(data, seed=1))),
            "select": median(lambda: read(data.select(chosen)), 3),
            "select, flatten_indices": median(lambda: read(data.select(chosen).flatten_indices()), 1),
        },
    )

    repeated = Dataset.from_dict({"text": [text[row // 2] for row in range(rows)]})
    table(
        "Exact repeats dropped",
        rows,
        {
            "xq.Deduplicate": median(lambda: xq.Deduplicate()(repeated, seed=1), 3),
            "xq.Deduplicate, nothing respelled": median(lambda: xq.Deduplicate(respell=())(repeated, seed=1), 3),
            "dict.fromkeys over the strings": median(lambda: list(dict.fromkeys(repeated["text"])), 3),
        },
    )

    words = np.random.default_rng(0).choice([f"{number:x}" for number in range(5000)], (rows // 50, 20))
    sentences = [" ".join(sentence) for sentence in words]
    table(
        "Near-duplicates looked for",
        len(sentences),
        {
            "xq.Deduplicate, minhash": median(
                lambda: xq.Deduplicate(method="minhash")(Dataset.from_dict({"text": sentences}), seed=1), 3
            ),
            "datasketch, an object for each row": median(lambda: _with_objects(sentences), 1),
        },
    )


def _with_objects(texts: list[str]) -> list[list[int]]:
    """Return for each text the numbers of those that datasketch proposes, from its own objects."""
    width = band_width(0.8, 128)
    index = MinHashLSH(num_perm=128, params=(128 // width, width))
    shingles = ([text[start : start + 3].encode() for start in range(len(text) - 2)] for text in texts)
    signatures = MinHash.bulk(shingles, num_perm=128)
    for number, signature in enumerate(signatures):
        index.insert(number, signature)
    return [index.query(signature) for signature in signatures]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    main(parser.parse_args().rows)
