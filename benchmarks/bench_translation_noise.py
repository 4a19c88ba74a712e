"""TranslationNoise beside nlpaug and beside a plain Python loop that draws from one generator, in one run.

python benchmarks/bench_translation_noise.py [--rows N]

Three edits: a word is left out, changes places with the next, or becomes another word. Every figure is rows a second
of processor time on one core; nlpaug runs on a prefix of the rows, since it is slow, and only where it is installed.
The last two columns say how many times as fast xquality is, called by itself and inside Dataset.map.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import datasets
import numpy as np
from datasets import Dataset

import xquality as xq

datasets.disable_progress_bars()

WORDS = 20
KINDS = ("omission", "reordering", "wrong_word")


def rate(call: Callable[[], object], rows: int, repeats: int = 5) -> float:
    """Return the median of rows a second of processor time."""
    taken = []
    for _ in range(repeats):
        started = time.process_time()
        call()
        taken.append(time.process_time() - started)
    return rows / statistics.median(taken)


def corpus(rows: int) -> list[str]:
    """Return sentences of twenty words whose frequencies fall as in natural text."""
    generator = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnoprstuvz"))
    words = ["".join(generator.choice(letters, size)) for size in generator.integers(2, 11, 20_000)]
    drawn = np.minimum(generator.zipf(1.3, (rows, WORDS)) - 1, len(words) - 1)
    return [" ".join([words[one] for one in row]).capitalize() + "." for row in drawn.tolist()]


def loop(texts: list[str], words: list[str], share: float) -> list[str]:
    """Make the same three edits with one generator for all rows, as a script would."""
    generator = np.random.default_rng(0)
    made = []
    for text in texts:
        units = text.split(" ")
        luck = generator.random(len(units))
        kind = generator.integers(0, 3, len(units))
        said = []
        for place, word in enumerate(units):
            if luck[place] >= share:
                said.append(word)
            elif kind[place] == 1 and said:
                said.insert(len(said) - 1, word)
            elif kind[place] == 2:
                said.append(words[int(luck[place] / share * len(words))])
        made.append(" ".join(said))
    return made


def quick_loop(texts: list[str], words: list[str], share: float) -> list[str]:
    """The same with the generator called once for all rows: the best that plain Python does."""
    generator = np.random.default_rng(0)
    luck = generator.random((len(texts), WORDS)).tolist()
    kind = generator.integers(0, 3, (len(texts), WORDS)).tolist()
    made = []
    for text, lucks, kinds in zip(texts, luck, kind, strict=True):
        units = text.split(" ")
        said = []
        for word, one, which in zip(units, lucks, kinds, strict=True):
            if one >= share:
                said.append(word)
            elif which == 1 and said:
                said.insert(len(said) - 1, word)
            elif which == 2:
                said.append(words[int(one / share * len(words))])
        made.append(" ".join(said))
    return made


def nlpaug_rates(texts: list[str], share: float) -> dict[str, float]:
    """Return nlpaug's rates for swapping and for deleting words, none where it is not installed."""
    try:
        import nlpaug.augmenter.word as naw
    except ImportError:
        print("nlpaug is not installed: pip install nlpaug==1.1.11")
        return {}
    found = {}
    for action in ("swap", "delete"):
        augmenter = naw.RandomWordAug(action=action, aug_p=share)
        found[f"nlpaug RandomWordAug {action}"] = rate(lambda one=augmenter: one.augment(texts), len(texts), 3)
    return found


def main(rows: int) -> None:
    """Print one table for each severity."""
    texts = corpus(rows)
    data = xq.with_uid(Dataset.from_dict({"text": texts}))
    vocabulary = xq.Vocabulary.fit(data, ["text"])
    words = list(vocabulary.words)
    for severity in (0.1, 0.3):
        noise = xq.TranslationNoise(severity, errors=KINDS, vocabulary=vocabulary)
        inner = lambda table, noise=noise: (  # noqa: E731 (what a user hands to map)
            noise(Dataset(table, fingerprint="batch"), seed=1).data.table.select(["text"])
        )
        rates = {
            "xq.TranslationNoise, the whole call": rate(lambda noise=noise: noise(data, seed=1), rows),
            "Dataset.map around it, 10,000 rows a batch": rate(
                lambda inner=inner: data.with_format("arrow").map(
                    inner, batched=True, batch_size=10_000, keep_in_memory=True, load_from_cache_file=False
                ),
                rows,
                3,
            ),
            "plain Python, generator called once": rate(lambda s=severity: quick_loop(texts, words, s), rows, 3),
            "plain Python, generator called row by row": rate(lambda s=severity: loop(texts, words, s), rows, 3),
            **nlpaug_rates(texts[:2_000], severity),
        }
        call, mapped, *_ = rates.values()
        print(f"\nOmission, reordering and wrong word at {severity:.0%}, {rows:,} rows of {WORDS} words")
        print(f"  {'':46} {'rows/s':>10} {'call is':>9} {'map is':>9}")
        for name, value in rates.items():
            print(f"  {name:46} {value:10,.0f} {f'x{call / value:.1f}':>9} {f'x{mapped / value:.1f}':>9}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="TranslationNoise beside its alternatives.")
    parser.add_argument("--rows", type=int, default=200_000)
    main(parser.parse_args().rows)
