"""The toy shapes `sentences` and `mining`: sentences of every kind beside English ones, in pairs or in heaps."""

import functools
import itertools
from collections.abc import Collection
from dataclasses import dataclass
from typing import final

import datasets
import numpy as np

from xquality.randomness import Draw
from xquality.toy.cast import casts
from xquality.toy.lexicon import lexicon
from xquality.toy.sentence import Sentence, say

FEATURES = datasets.Features(
    dict.fromkeys(("source_sentence", "target_sentence", "source_lang", "target_lang"), datasets.Value("string"))
)
HEAP = datasets.Features(dict.fromkeys(("id", "sentence", "lang"), datasets.Value("string")))
GOLD = datasets.Features(dict.fromkeys(("source_id", "target_id"), datasets.Value("string")))

# Sentences with a translation in the other heap, and sentences without one in each heap, by part.
_SIZES = {"": (150, 200), "validation": (100, 150)}


@final
@dataclass(frozen=True)
class Paired:
    """One row of `sentences`: a sentence and its English translation."""

    sentence: Sentence

    def record(self, language: str) -> dict[str, object]:
        """Return the row from `language` to English."""
        said = {"source_sentence": self.sentence.text(language), "target_sentence": self.sentence.text("en")}
        return {**said, "source_lang": language, "target_lang": "en"}


def plan(draw: Draw) -> list[Paired]:
    """Return one row for each uid of `draw`; each kind of template is as frequent as the others."""
    kinds = [(kind, list(names)) for kind, names in lexicon().templates.items()]
    kind, template = draw.integers("kind", len(kinds)), draw.uniform("template")
    rows = []
    for row, cast in enumerate(casts(draw)):
        chosen, names = kinds[kind[row]]
        rows.append(Paired(say(chosen, names[int(template[row] * len(names))], cast)))
    return rows


def mine(split: str, language: str, known: Collection[object]) -> list[dict[str, object]]:
    """Return the rows of one split of `mining`: no sentence repeats, and none is among the `known` ones.

    Args:
        split: "source" for the heap in `language`, "target" for the English heap, "gold" for the true pairs;
            "validation.source" and so on for heaps of other sentences.
        language: the source language.
        known: rows of `sentences`, so that what aligned an encoder is not mined.
    """
    part, _, kind = split.rpartition(".")
    source, target = (_heap(part, side, frozenset(known)) for side in ("source", "target"))
    if kind != "gold":
        heap, lang = (source, language) if kind == "source" else (target, "en")
        return [
            {"id": f"{lang}-{place:04d}", "sentence": row.sentence.text(lang), "lang": lang}
            for place, row in enumerate(heap)
        ]
    places = {row: place for place, row in enumerate(target)}
    return [
        {"source_id": f"{language}-{place:04d}", "target_id": f"en-{places[row]:04d}"}
        for place, row in enumerate(source)
        if row in places
    ]


@functools.cache
def _heap(part: str, side: str, known: frozenset[object]) -> tuple[Paired, ...]:
    """Return one heap in its shuffled order: the shared sentences and this side's own."""
    pairs, alone = _SIZES[part]
    before = sum(one + 2 * other for one, other in list(_SIZES.values())[: list(_SIZES).index(part)])
    draw = Draw(seed=0, scope="toy.mining.sentences", stream=0, uids=np.arange(3000, dtype=np.uint64))
    fresh = dict.fromkeys(row for row in plan(draw) if row not in known)
    drawn = list(itertools.islice(fresh, before, before + pairs + 2 * alone))
    own = drawn[pairs : pairs + alone] if side == "source" else drawn[pairs + alone :]
    rows = drawn[:pairs] + own
    order = Draw(
        seed=0, scope=f"toy.mining.{part and part + '.'}{side}", stream=0, uids=np.arange(len(rows), dtype=np.uint64)
    )
    return tuple(rows[place] for place in order.order("shuffle"))
