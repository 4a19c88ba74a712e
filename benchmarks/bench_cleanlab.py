"""CleanlabFilter end to end beside cleanlab's own calls on the same arrays, one thread each.

Each round times both sides one after the other, in CPU seconds; the table gives medians over the rounds, and the median
of the ratios within rounds, which a busy machine disturbs least.

python benchmarks/bench_cleanlab.py [--rows N] [--classes K] [--rounds R]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable

import datasets
import numpy as np
from cleanlab.experimental.label_issues_batched import find_label_issues_batched
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from cleanlab.token_classification.filter import find_label_issues as find_token_issues
from datasets import ClassLabel, Dataset, Features, List, Value, load_from_disk

import xquality as xq

datasets.disable_progress_bars()

Call = Callable[[], object]


def seconds(call: Call) -> float:
    """Return how long a call takes, in CPU seconds of all threads."""
    started = time.process_time()
    call()
    return time.process_time() - started


def compare(name: str, ours: Call, theirs: Call, rounds: int) -> None:
    """Print one line of the table."""
    ours(), theirs()  # the first calls import and touch memory
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    own, peer = (statistics.median(times) for times in zip(*pairs, strict=True))
    ratio = statistics.median(first / second for first, second in pairs)
    print(f"  {name:58} {own:8.3f} s {peer:8.3f} s   x{ratio:.2f}")


def noisy(rows: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return labels, a fifth of them wrong, and probabilities that reveal some of these."""
    random = np.random.default_rng(0)
    right = random.integers(0, classes, rows)
    scores = random.normal(size=(rows, classes))
    scores[np.arange(rows), right] += 2
    odds = np.exp(1.5 * scores)
    wrong = (right + random.integers(1, classes, rows)) % classes
    return np.where(random.random(rows) < 0.2, wrong, right), odds / odds.sum(axis=1, keepdims=True)


def classes_table(rows: int, classes: int, rounds: int) -> None:
    """Compare on one label a row."""
    labels, probabilities = noisy(rows, classes)
    features = Features({"label": ClassLabel(num_classes=classes), "p": List(Value("float64"))})
    made = Dataset.from_dict({"label": labels, "p": list(probabilities)}, features=features)
    data = xq.with_uid(made)
    mixed = data.select(np.random.default_rng(1).permutation(rows))

    def ours(on: Dataset = data, **settings: object) -> Call:
        return lambda: xq.CleanlabFilter(probabilities="p", **settings)(on, seed=1)

    def theirs(**settings: object) -> Call:
        return lambda: find_label_issues(labels, probabilities, n_jobs=1, **settings)

    def scored() -> None:
        theirs()()
        get_label_quality_scores(labels, probabilities)

    print(f"\n{rows:,} rows x {classes} classes{'':28} CleanlabFilter    cleanlab   ratio")
    compare("drop (find_label_issues)", ours(), theirs(), rounds)
    compare("flag (find_label_issues)", ours(action="flag"), theirs(), rounds)
    compare("relabel (find_label_issues)", ours(action="relabel"), theirs(), rounds)
    compare("weight (find_label_issues, get_label_quality_scores)", ours(action="weight"), scored, rounds)
    compare("drop at most 10 % (find_label_issues, quality scores)", ours(max_fraction=0.1), scored, rounds)
    for rule in ("confident_learning", "low_normalized_margin", "low_self_confidence", "predicted_neq_given"):
        compare(f"flag, {rule}", ours(action="flag", filter_by=rule), theirs(filter_by=rule), rounds)
    with tempfile.TemporaryDirectory() as folder:
        made.save_to_disk(folder)
        compare("drop, from disk, without uids (find_label_issues)", ours(load_from_disk(folder)), theirs(), rounds)
    compare("drop, a shuffled selection (find_label_issues)", ours(mixed), theirs(), rounds)

    def batched() -> object:
        return find_label_issues_batched(labels, probabilities, batch_size=10_000, verbose=False)

    compare("flag in batches (find_label_issues_batched)", ours(action="flag", batch_size=10_000), batched, rounds)


def tokens_table(rows: int, length: int, classes: int, rounds: int) -> None:
    """Compare on one label a token."""
    labels, probabilities = noisy(rows * length, classes)
    tags = labels.reshape(rows, length)
    predicted = probabilities.reshape(rows, length, classes)
    features = Features({"tags": List(ClassLabel(num_classes=classes)), "p": List(List(Value("float64")))})
    data = xq.with_uid(Dataset.from_dict({"tags": list(tags), "p": predicted.tolist()}, features=features))
    filter_ = xq.CleanlabFilter(action="flag", probabilities="p", column="tags")
    given, lists = tags.tolist(), list(predicted)
    print(f"\n{rows:,} rows x {length} tokens x {classes} classes")
    compare(
        "flag (token_classification.filter.find_label_issues)",
        lambda: filter_(data, seed=1),
        lambda: find_token_issues(given, lists, n_jobs=1),
        rounds,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=400_000)
    parser.add_argument("--classes", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    classes_table(chosen.rows, chosen.classes, chosen.rounds)
    tokens_table(chosen.rows // 20, 20, 7, max(1, chosen.rounds // 2))
