"""TranslationNoise beside nlpaug and beside a plain Python loop that draws from one generator, in one run.

python benchmarks/bench_translation_noise.py [--rows N] [--rounds N]

Three edits: a word is omitted, changes places with the next, or becomes another word. Every figure is rows a second of
processor time on one core, the median of the rounds; nlpaug runs on the first rows only, since it is slow, and only
where it is installed. The last two columns show how many times as fast xquality is, called directly and inside
Dataset.map: the median of the ratios within a round.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import datasets
import numpy as np
from datasets import Dataset

import xquality as xq

datasets.disable_progress_bars()

WORDS = 20
KINDS = ("omission", "reordering", "wrong_word")


@dataclass(frozen=True)
class Contender:
    """A way to make the edits.

    Attributes:
        name: its name in the table.
        call: one run.
        rows: the number of rows of a run.
    """

    name: str
    call: Callable[[], object]
    rows: int

    def rate(self) -> float:
        """Return the rows a second of processor time of one run."""
        started = time.process_time()
        self.call()
        return self.rows / (time.process_time() - started)


def rounds(contenders: Sequence[Contender], count: int) -> list[list[float]]:
    """Return the rates of each; all take turns, so that a machine that slows down for a while slows all of them."""
    for contender in contenders:
        contender.call()
    each_round = ([contender.rate() for contender in contenders] for _ in range(count))
    return [list(rates) for rates in zip(*each_round, strict=True)]


def corpus(rows: int) -> list[str]:
    """Return sentences of twenty words whose frequencies fall as in natural text."""
    generator = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnoprstuvz"))
    words = ["".join(generator.choice(letters, size)) for size in generator.integers(2, 11, 20_000)]
    drawn = np.minimum(generator.zipf(1.3, (rows, WORDS)) - 1, len(words) - 1)
    return [" ".join([words[rank] for rank in row]).capitalize() + "." for row in drawn.tolist()]


def loop(texts: list[str], words: list[str], share: float) -> list[str]:
    """Make the same three edits with one generator for all rows, as a script would."""
    generator = np.random.default_rng(0)
    edited = []
    for text in texts:
        units = text.split(" ")
        uniform = generator.random(len(units))
        kind = generator.integers(0, 3, len(units))
        new: list[str] = []
        for place, word in enumerate(units):
            if uniform[place] >= share:
                new.append(word)
            elif kind[place] == 1 and new:
                new.insert(len(new) - 1, word)
            elif kind[place] == 2:
                new.append(words[int(uniform[place] / share * len(words))])
        edited.append(" ".join(new))
    return edited


def quick_loop(texts: list[str], words: list[str], share: float) -> list[str]:
    """The same with the generator called once for all rows: the best that plain Python does."""
    generator = np.random.default_rng(0)
    uniform = generator.random((len(texts), WORDS)).tolist()
    kind = generator.integers(0, 3, (len(texts), WORDS)).tolist()
    edited = []
    for text, numbers, kinds in zip(texts, uniform, kind, strict=True):
        new: list[str] = []
        for word, number, which in zip(text.split(" "), numbers, kinds, strict=True):
            if number >= share:
                new.append(word)
            elif which == 1 and new:
                new.insert(len(new) - 1, word)
            elif which == 2:
                new.append(words[int(number / share * len(words))])
        edited.append(" ".join(new))
    return edited


def nlpaug(texts: list[str], share: float) -> list[Contender]:
    """Return nlpaug's swapping and deleting of words, nothing where it is not installed."""
    try:
        import nlpaug.augmenter.word as naw
    except ImportError:
        print("nlpaug is not installed: pip install nlpaug==1.1.11")
        return []
    augmenters = {action: naw.RandomWordAug(action=action, aug_p=share) for action in ("swap", "delete")}
    return [
        Contender(f"nlpaug RandomWordAug {action}", partial(augmenter.augment, texts), len(texts))
        for action, augmenter in augmenters.items()
    ]


def main(rows: int, count: int) -> None:
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
        mapped = partial(
            data.with_format("arrow").map,
            inner, batched=True, batch_size=10_000, keep_in_memory=True, load_from_cache_file=False,
        )  # fmt: skip
        contenders = [
            Contender("xq.TranslationNoise, the whole call", partial(noise, data, seed=1), rows),
            Contender("Dataset.map around it, 10,000 rows a batch", mapped, rows),
            Contender("plain Python, generator called once", partial(quick_loop, texts, words, severity), rows),
            Contender("plain Python, generator called row by row", partial(loop, texts, words, severity), rows),
            *nlpaug(texts[:2_000], severity),
        ]
        found = rounds(contenders, count)
        print(
            f"\nOmission, reordering and wrong word at {severity:.0%}, {rows:,} rows of {WORDS} words, {count} rounds"
        )
        print(f"  {'':46} {'rows/s':>10} {'call is':>9} {'map is':>9}")
        for contender, rates in zip(contenders, found, strict=True):
            times = [f"x{_median_ratio(ours, rates):.1f}" for ours in found[:2]]
            print(f"  {contender.name:46} {statistics.median(rates):10,.0f} {times[0]:>9} {times[1]:>9}")


def _median_ratio(ours: Sequence[float], others: Sequence[float]) -> float:
    """Return the median over rounds of how many times as fast ours is."""
    return statistics.median(rate / other for rate, other in zip(ours, others, strict=True))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="TranslationNoise beside its alternatives.")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=7)
    chosen = parser.parse_args()
    main(chosen.rows, chosen.rounds)
