"""The toy datasets: seven shapes of task, parallel over nine languages, generated offline, always the same."""

import functools
import itertools
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import datasets
import numpy as np

from xquality.errors import SourceError
from xquality.randomness import Draw
from xquality.toy.lexicon import LANGUAGES
from xquality.toy.shapes import DRAW_ROWS, FEATURES, Row, SentencePair, draw_sentences

_LARGE = {"train": 1000, "validation": 200, "test": 300}
_SMALL = {"train": 600, "validation": 150, "test": 200}
SIZES: Mapping[str, Mapping[str, int]] = {
    "topics": _LARGE,
    "inference": _SMALL,
    "entities": _SMALL,
    "questions": _SMALL,
    "choices": _SMALL,
    "sentences": _LARGE,
    "mining": {
        "source": 350,
        "target": 350,
        "gold": 150,
        "validation.source": 250,
        "validation.target": 250,
        "validation.gold": 100,
    },
}

_CANDIDATES = 4  # rows drawn for each row kept: room for the repeated ones

_TEXT = datasets.Value("string")
_SIDE = datasets.Features(dict.fromkeys(("id", "sentence", "lang"), _TEXT))
_GOLD = datasets.Features(dict.fromkeys(("source_id", "target_id"), _TEXT))
# Of each part of `mining`: sentences with a translation on the other side, and sentences without one on each side.
_MINING_SIZES = {"": (150, 200), "validation": (100, 150)}
_MINING_CANDIDATES = 3000


def generate(shape: str, language: str, split: str) -> datasets.Dataset:
    """Return one split of one toy dataset; row i means the same in every language.

    Rows of a shape differ from one another, within a split and between splits. In `mining` both sides have a shuffled
    order of their own, and "gold" holds the ids of the true pairs; "validation.source" and so on are further sentences,
    to tune a threshold on.

    Args:
        shape: a key of `SIZES`, the kind of task.
        language: one of `LANGUAGES`; not "en" for `mining`, which mines against English.
        split: a key of `SIZES[shape]`.

    Raises:
        SourceError: where there is no such shape, language or split.

    Example:
        >>> generate("choices", "es", "test")[0]["question"] in ("cause", "effect")
        True
        >>> generate("topics", "ru", "train")["label"] == generate("topics", "zh", "train")["label"]
        True
    """
    _check_name("shape", shape, SIZES)
    _check_name(f"language of {shape}", language, [code for code in LANGUAGES if (shape, code) != ("mining", "en")])
    _check_name(f"split of {shape}", split, SIZES[shape])
    if shape != "mining":
        records = [row.in_language(language) for row in draw_split(shape, split)]
        return datasets.Dataset.from_list(records, features=FEATURES[shape])
    aligned = {row for name in SIZES["sentences"] for row in draw_split("sentences", name)}
    features = _GOLD if split.endswith("gold") else _SIDE
    return datasets.Dataset.from_list(make_mining(split, language, aligned), features=features)


@functools.cache
def draw_split(shape: str, split: str) -> tuple[Row, ...]:
    """Return the rows of a split as meanings: the first distinct candidates that no earlier split has."""
    splits = list(SIZES[shape])
    earlier = {row for name in splits[: splits.index(split)] for row in draw_split(shape, name)}
    count = SIZES[shape][split]
    uids = np.arange(_CANDIDATES * count, dtype=np.uint64)
    candidates = DRAW_ROWS[shape](Draw(seed=0, scope=f"toy.{shape}.{split}", stream=0, uids=uids))
    new = dict.fromkeys(row for row in candidates if row not in earlier)
    return tuple(itertools.islice(new, count))


def make_mining(split: str, language: str, excluded: Collection[object]) -> list[dict[str, Any]]:
    """Return the rows of one split of `mining`; no sentence repeats.

    Args:
        split: "source" for the sentences in `language`, "target" for the English ones, "gold" for the true pairs;
            "validation.source" and so on for other sentences.
        language: the source language.
        excluded: rows of `sentences` that are not used, since an encoder may have been aligned on them.
    """
    part, _, kind = split.rpartition(".")
    source, target = (_draw_side(part, side, frozenset(excluded)) for side in ("source", "target"))
    if kind != "gold":
        rows, lang = (source, language) if kind == "source" else (target, "en")
        return [
            {"id": f"{lang}-{place:04d}", "sentence": row.sentence.text(lang), "lang": lang}
            for place, row in enumerate(rows)
        ]
    places = {row: place for place, row in enumerate(target)}
    return [
        {"source_id": f"{language}-{place:04d}", "target_id": f"en-{places[row]:04d}"}
        for place, row in enumerate(source)
        if row in places
    ]


@functools.cache
def _draw_side(part: str, side: str, excluded: frozenset[object]) -> tuple[SentencePair, ...]:
    """Return one side of a part in its shuffled order: the sentences of both sides and its own."""
    shared, alone = _MINING_SIZES[part]
    earlier = list(_MINING_SIZES.values())[: list(_MINING_SIZES).index(part)]
    start = sum(pairs + 2 * others for pairs, others in earlier)
    uids = np.arange(_MINING_CANDIDATES, dtype=np.uint64)
    draw = Draw(seed=0, scope="toy.mining.sentences", stream=0, uids=uids)
    new = dict.fromkeys(row for row in draw_sentences(draw) if row not in excluded)
    drawn = list(itertools.islice(new, start, start + shared + 2 * alone))
    own = drawn[shared : shared + alone] if side == "source" else drawn[shared + alone :]
    rows = drawn[:shared] + own
    scope = f"toy.mining.{part and part + '.'}{side}"
    order = Draw(seed=0, scope=scope, stream=0, uids=np.arange(len(rows), dtype=np.uint64)).order("shuffle")
    return tuple(rows[place] for place in order)


def _check_name(what: str, name: str, known: Iterable[str]) -> None:
    """Raise `SourceError` where a name is not among the known ones."""
    if name not in known:
        raise SourceError(f"The toy data have no {what} named {name!r}; choose one of {', '.join(known)}.")
