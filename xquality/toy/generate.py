"""The toy datasets: seven shapes of task, parallel over nine languages, made offline, always the same."""

import functools
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

import datasets
import numpy as np

from xquality.errors import SourceError
from xquality.randomness import Draw
from xquality.toy.lexicon import LANGUAGES, TOPICS
from xquality.toy.shapes import choices, entities, inference, parallel, questions, topics

__all__ = ["LABELS", "LANGUAGES", "SIZES", "TOPICS", "generate"]

LABELS = {
    "topics": TOPICS,
    "inference": inference.NAMES,
    "entities": entities.NAMES,
    "choices": choices.NAMES,
}

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


class _Row(Protocol):
    def record(self, language: str) -> dict[str, object]: ...


_SHAPES: Mapping[str, tuple[Callable[[Draw], Sequence[_Row]], datasets.Features]] = {
    "topics": (topics.plan, topics.FEATURES),
    "inference": (inference.plan, inference.FEATURES),
    "entities": (entities.plan, entities.FEATURES),
    "questions": (questions.plan, questions.FEATURES),
    "choices": (choices.plan, choices.FEATURES),
    "sentences": (parallel.plan, parallel.FEATURES),
}


def generate(shape: str, language: str, split: str) -> datasets.Dataset:
    """Return one split of one toy dataset; row i means the same in every language.

    Rows of a shape differ from one another, within a split and between splits. In `mining`, the heaps stand
    in their own shuffled orders, and "gold" holds the ids of the true pairs; "validation.source" and so on are further
    heaps, to tune a threshold on.

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
    _check("shape", shape, SIZES)
    _check(f"language of {shape}", language, [code for code in LANGUAGES if (shape, code) != ("mining", "en")])
    _check(f"split of {shape}", split, SIZES[shape])
    if shape != "mining":
        records = [row.record(language) for row in _plan(shape, split)]
        return datasets.Dataset.from_list(records, features=_SHAPES[shape][1])
    known = {row for name in SIZES["sentences"] for row in _plan("sentences", name)}
    features = parallel.GOLD if split.endswith("gold") else parallel.HEAP
    return datasets.Dataset.from_list(parallel.mine(split, language, known), features=features)


@functools.cache
def _plan(shape: str, split: str) -> tuple[_Row, ...]:
    """Return the rows of a split as meanings: the first distinct candidates that no earlier split has."""
    splits = list(SIZES[shape])
    earlier = {row for name in splits[: splits.index(split)] for row in _plan(shape, name)}
    count = SIZES[shape][split]
    uids = np.arange(_CANDIDATES * count, dtype=np.uint64)
    candidates = _SHAPES[shape][0](Draw(seed=0, scope=f"toy.{shape}.{split}", stream=0, uids=uids))
    fresh = dict.fromkeys(row for row in candidates if row not in earlier)
    return tuple(itertools.islice(fresh, count))


def _check(what: str, asked: str, there: Iterable[str]) -> None:
    if asked not in there:
        raise SourceError(f"The toy data have no {what} named {asked!r}; choose one of {', '.join(there)}.")
