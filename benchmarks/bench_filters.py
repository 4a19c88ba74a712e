"""How much injected noise CleanlabFilter finds, by the source of its probabilities, on real rows.

Of the labels 20 % are wrong (in PAN-X: 20 % of the names are changed), with several seeds; the table gives
medians. A filter that flags labels at random has the share of noisy ones as its precision. "The worst" are half as many
labels as are noisy, those of cleanlab's lowest label quality, with `max_fraction`.

python benchmarks/bench_filters.py [--data FOLDER] [--seeds N] [--encoder FOLDER]

where FOLDER holds sib200/, xnli/, udpos/ and panx/ as parquet files (by default the one named by XQUALITY_DATA;
without either nothing is measured).
Embeddings and fine-tuning use `tiny_encoder`, aligned without labels on SIB-200's parallel training sentences in 14
languages; the filtered rows are among them.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import datasets
from datasets import Dataset

import xquality as xq
from xquality.models import tiny_encoder
from xquality.probabilities import from_embeddings, from_fine_tuning
from xquality.tasks import Task, sib200, xnli

datasets.disable_progress_bars()

RATE = 0.2
TUNING = {"batch_size": 16, "learning_rate": 1e-3}  # the best of six tried on one noisy copy of the Spanish rows
LANGUAGES = (
    *("eng_Latn", "spa_Latn", "deu_Latn", "fra_Latn", "por_Latn", "rus_Cyrl", "arb_Arab"),
    *("hin_Deva", "tur_Latn", "ind_Latn", "swh_Latn", "vie_Latn", "zho_Hans", "jpn_Jpan"),
)
Source = Callable[[Dataset, int], tuple[Dataset, str | None]]


def by_text(data: Dataset, seed: int) -> tuple[Dataset, str | None]:  # noqa: ARG001 (all sources take the same arguments)
    """Leave the rows as they are: the filter computes TF-IDF probabilities itself."""
    return data, None


def by_embeddings(encoder: Path, column: str) -> Source:
    """Return the source of probabilities from a linear model over the encoder's embeddings."""
    return lambda data, seed: (from_embeddings(data, encoder, seed=seed, column=column, threads=1), "probabilities")


def by_fine_tuning(encoder: Path, task: Task, steps: int) -> Source:
    """Return the source of probabilities from five models, each fine-tuned on the other folds."""

    def add_probabilities(data: Dataset, seed: int) -> tuple[Dataset, str | None]:
        made = from_fine_tuning(data, task, model=encoder, seed=seed, folds=5, threads=1, steps=steps, **TUNING)
        return made, "probabilities"

    return add_probabilities


def print_line(
    name: str, kind: str, rows: Dataset, noise: xq.Transform, column: str, source: Source, seeds: int
) -> None:
    """Print a line of the table: medians over seeds."""
    audits, capped, seconds = [], [], []
    for seed in range(seeds):
        noisy = noise(rows, seed=seed)
        started = time.perf_counter()
        predicted, probabilities = source(noisy, seed)
        filter_ = xq.CleanlabFilter(action="flag", probabilities=probabilities, column=column)
        audits.append(xq.audit(filter_(predicted, seed=seed), column=column))
        seconds.append(time.perf_counter() - started)
        share = audits[-1].noisy / audits[-1].rows
        few = xq.CleanlabFilter(action="flag", probabilities=probabilities, column=column, max_fraction=share / 2)
        capped.append(xq.audit(few(predicted, seed=seed), column=column))
    precision, recall, f1 = (
        statistics.median(getattr(audit, score) for audit in audits) for score in ("precision", "recall", "f1")
    )
    noisy_share = statistics.median(audit.noisy / audit.rows for audit in audits)
    flagged = statistics.median(audit.found / audit.rows for audit in audits)
    worst = statistics.median(audit.precision for audit in capped)
    print(
        f"| {name} | {kind} | {audits[0].rows:,} | {noisy_share:.1%} | {flagged:.1%} | {precision:.2f} | {recall:.2f} "
        f"| {f1:.2f} | {worst:.2f} | {statistics.median(seconds):.1f} |",
        flush=True,
    )


def tagged(file: Path, rows: int) -> Dataset:
    """Return the first sentences of a file with their tags."""
    data = Dataset.from_parquet(str(file))
    return xq.with_uid(data.select(range(min(rows, len(data)))))


def some_rows(data: Dataset, rows: int) -> Dataset:
    """Return at most so many of the rows, always the same ones."""
    return data if len(data) <= rows else xq.Subsample(n=rows)(data, seed=0)


def main(root: Path, folder: Path, seeds: int) -> None:
    """Print the table."""
    parallel = {language: sib200.load(language, "train", root)["text"][:] for language in LANGUAGES}
    encoder = tiny_encoder([text for texts in parallel.values() for text in texts], folder=folder, parallel=parallel)
    scores = "precision | recall | F1 | precision of the worst"
    print(f"| rows | probabilities | labels | noisy | flagged | {scores} | seconds |")
    print("| --- " * 10 + "|")
    noise = xq.LabelNoise(rate=RATE)
    for language in ("eng_Latn", "spa_Latn", "swh_Latn"):
        data = sib200.load(language, "train", root)
        print_line(f"SIB-200 {language}", "TF-IDF", data, noise, "label", by_text, seeds)
        print_line(f"SIB-200 {language}", "embeddings", data, noise, "label", by_embeddings(encoder, "label"), seeds)
        print_line(
            f"SIB-200 {language}", "fine-tuning", data, noise, "label", by_fine_tuning(encoder, sib200, 100), seeds
        )
    data = some_rows(xnli.load("en", "train", root), 3000)
    print_line("XNLI en", "TF-IDF", data, noise, "label", by_text, seeds)
    print_line("XNLI en", "embeddings", data, noise, "label", by_embeddings(encoder, "label"), seeds)
    print_line("XNLI en", "fine-tuning", data, noise, "label", by_fine_tuning(encoder, xnli, 300), seeds)
    tags = xq.TagNoise(rate=RATE, column="pos_tags")
    for language, split in (("en", "train"), ("fi", "validation"), ("zh", "test")):
        data = tagged(root / "udpos" / language / f"{split}.parquet", 1000)
        print_line(f"UD POS {language}", "TF-IDF", data, tags, "pos_tags", by_text, seeds)
        print_line(
            f"UD POS {language}", "embeddings", data, tags, "pos_tags", by_embeddings(encoder, "pos_tags"), seeds
        )
    names = xq.TagNoise(rate=RATE)
    for language in ("en", "de"):
        data = tagged(root / "panx" / language / ("train.parquet" if language == "en" else "test.parquet"), 1000)
        print_line(f"PAN-X {language}", "TF-IDF", data, names, "ner_tags", by_text, seeds)
        print_line(
            f"PAN-X {language}", "embeddings", data, names, "ner_tags", by_embeddings(encoder, "ner_tags"), seeds
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    default = os.environ.get("XQUALITY_DATA")
    parser.add_argument("--data", type=Path, default=default, help="folder of local data")
    parser.add_argument(
        "--encoder", type=Path, default=None, help="folder to keep the encoder in; by default it is not kept"
    )
    parser.add_argument("--seeds", type=int, default=5)
    chosen = parser.parse_args()
    if chosen.data is None:
        parser.exit(message="Skipped: this benchmark needs real rows; give --data or set XQUALITY_DATA.\n")
    with tempfile.TemporaryDirectory() as scratch:
        main(chosen.data.resolve(), chosen.encoder or Path(scratch) / "tiny", chosen.seeds)
