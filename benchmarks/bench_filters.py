"""How much injected noise CleanlabFilter finds, by the source of its probabilities, on real rows.

Each source judges labels of which 20 % are wrong (in PAN-X: tags, of which 20 % of the names are spoilt), with several
seeds; the table gives medians. A filter that draws labels by chance has the share of noisy ones as its precision. "The
worst" are as many labels as half of the noisy ones, taken by cleanlab's label quality with `max_fraction`.

python benchmarks/bench_filters.py [--data FOLDER] [--seeds N] [--encoder FOLDER]

where FOLDER holds sib200/, xnli/, udpos/ and panx/ as parquet files (by default the one named by XQUALITY_DATA;
without either nothing is measured).
Embeddings and fine-tuning use `tiny_encoder`, aligned without labels on SIB-200's parallel training sentences in 14
languages; those that are judged are among them.
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
Judge = Callable[[Dataset, int], tuple[Dataset, str | None]]


def by_text(data: Dataset, seed: int) -> tuple[Dataset, str | None]:  # noqa: ARG001 (all judges are called alike)
    """Leave the rows as they are: the filter computes TF-IDF probabilities itself."""
    return data, None


def by_embeddings(encoder: Path, column: str) -> Judge:
    """Return a predict_probabilities by a linear model over the encoder's embeddings."""
    return lambda data, seed: (from_embeddings(data, encoder, seed=seed, column=column, threads=1), "probabilities")


def by_fine_tuning(encoder: Path, task: Task, steps: int) -> Judge:
    """Return a predict_probabilities by five models fine-tuned on the other folds."""

    def predict_probabilities(data: Dataset, seed: int) -> tuple[Dataset, str | None]:
        made = from_fine_tuning(data, task, model=encoder, seed=seed, folds=5, threads=1, steps=steps, **TUNING)
        return made, "probabilities"

    return predict_probabilities


def line(
    name: str, source: str, rows: Dataset, noise: xq.Transform, column: str, predict_probabilities: Judge, seeds: int
) -> None:
    """Print one line of the table: medians over seeds."""
    audits, capped, seconds = [], [], []
    for seed in range(seeds):
        noisy = noise(rows, seed=seed)
        started = time.perf_counter()
        judged, probabilities = predict_probabilities(noisy, seed)
        filter_ = xq.CleanlabFilter(action="flag", probabilities=probabilities, column=column)
        audits.append(xq.audit(filter_(judged, seed=seed), column=column))
        seconds.append(time.perf_counter() - started)
        share = audits[-1].noisy / audits[-1].rows
        few = xq.CleanlabFilter(action="flag", probabilities=probabilities, column=column, max_fraction=share / 2)
        capped.append(xq.audit(few(judged, seed=seed), column=column))
    precision, recall, f1 = (
        statistics.median(getattr(one, what) for one in audits) for what in ("precision", "recall", "f1")
    )
    noisy_share = statistics.median(one.noisy / one.rows for one in audits)
    found = statistics.median(one.found / one.rows for one in audits)
    worst = statistics.median(one.precision for one in capped)
    print(
        f"| {name} | {source} | {audits[0].rows:,} | {noisy_share:.1%} | {found:.1%} | {precision:.2f} | {recall:.2f} "
        f"| {f1:.2f} | {worst:.2f} | {statistics.median(seconds):.1f} |",
        flush=True,
    )


def tagged(file: Path, rows: int) -> Dataset:
    """Return the first sentences of a file with their tags."""
    data = Dataset.from_parquet(str(file))
    return xq.with_uid(data.select(range(min(rows, len(data)))))


def capped_rows(data: Dataset, rows: int) -> Dataset:
    """Return some of the rows, the same ones always."""
    return data if len(data) <= rows else xq.Subsample(n=rows)(data, seed=0)


def main(root: Path, place: Path, seeds: int) -> None:
    """Print the table."""
    parallel = {one: sib200.load(one, "train", root)["text"][:] for one in LANGUAGES}
    encoder = tiny_encoder([text for texts in parallel.values() for text in texts], folder=place, parallel=parallel)
    print(
        "| rows | probabilities | labels | noisy | found | precision | recall | F1 | precision of the worst | seconds |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    noise = xq.LabelNoise(rate=RATE)
    for language in ("eng_Latn", "spa_Latn", "swh_Latn"):
        data = sib200.load(language, "train", root)
        line(f"SIB-200 {language}", "TF-IDF", data, noise, "label", by_text, seeds)
        line(f"SIB-200 {language}", "embeddings", data, noise, "label", by_embeddings(encoder, "label"), seeds)
        line(f"SIB-200 {language}", "fine-tuning", data, noise, "label", by_fine_tuning(encoder, sib200, 100), seeds)
    data = capped_rows(xnli.load("en", "train", root), 3000)
    line("XNLI en", "TF-IDF", data, noise, "label", by_text, seeds)
    line("XNLI en", "embeddings", data, noise, "label", by_embeddings(encoder, "label"), seeds)
    line("XNLI en", "fine-tuning", data, noise, "label", by_fine_tuning(encoder, xnli, 300), seeds)
    tags = xq.TagNoise(rate=RATE, column="pos_tags")
    for language, split in (("en", "train"), ("fi", "validation"), ("zh", "test")):
        data = tagged(root / "udpos" / language / f"{split}.parquet", 1000)
        line(f"UD POS {language}", "TF-IDF", data, tags, "pos_tags", by_text, seeds)
        line(f"UD POS {language}", "embeddings", data, tags, "pos_tags", by_embeddings(encoder, "pos_tags"), seeds)
    names = xq.TagNoise(rate=RATE)
    for language in ("en", "de"):
        data = tagged(root / "panx" / language / ("train.parquet" if language == "en" else "test.parquet"), 1000)
        line(f"PAN-X {language}", "TF-IDF", data, names, "ner_tags", by_text, seeds)
        line(f"PAN-X {language}", "embeddings", data, names, "ner_tags", by_embeddings(encoder, "ner_tags"), seeds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    default = os.environ.get("XQUALITY_DATA")
    parser.add_argument("--data", type=Path, default=default, help="folder of local data")
    parser.add_argument("--encoder", type=Path, default=None, help="where to keep the encoder; nowhere by default")
    parser.add_argument("--seeds", type=int, default=5)
    chosen = parser.parse_args()
    if chosen.data is None:
        parser.exit(message="Left out: filters are judged on real rows; give --data or set XQUALITY_DATA.\n")
    with tempfile.TemporaryDirectory() as scratch:
        main(chosen.data.resolve(), chosen.encoder or Path(scratch) / "tiny", chosen.seeds)
