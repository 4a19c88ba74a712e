"""The words that each row of the toy data may use, drawn for all rows at once without regard to the language."""

import numpy as np
from numpy.typing import NDArray

from xquality.randomness import Draw
from xquality.toy.lexicon import TOPICS, lexicon
from xquality.toy.sentence import Cast, Word

_DOUBLE_NAMES = 0.4  # the share of rows whose first person has two given names, as "Anna Maria"


def shuffled(draw: Draw, purpose: str, size: int) -> NDArray[np.int64]:
    """Return one permutation of range(size) for each row, shape (rows, size).

    Example:
        >>> draw = Draw(seed=0, scope="demo", stream=0, uids=np.arange(2, dtype=np.uint64))
        >>> np.sort(shuffled(draw, "order", 3)).tolist()
        [[0, 1, 2], [0, 1, 2]]
    """
    keys = np.stack([draw.bits(f"{purpose}.{place}") for place in range(size)], axis=1)
    return np.argsort(keys, axis=1, kind="stable")


def casts(draw: Draw) -> list[Cast]:
    """Return for each row the words of every slot: 0 to 3, person(2), city(2), company(2) and filler.

    Example:
        >>> draw = Draw(seed=0, scope="demo", stream=0, uids=np.arange(2, dtype=np.uint64))
        >>> sorted(casts(draw)[0])
        ['0', '1', '2', '3', 'city', 'city2', 'company', 'company2', 'filler', 'person', 'person2']
    """
    concepts: list[Word] = [(topic, place) for topic in TOPICS for place in range(len(lexicon().words[topic]))]
    nouns = shuffled(draw, "nouns", len(concepts))
    groups = {
        group: shuffled(draw, group, len(lexicon().words[group])).tolist()
        for group in ("person", "city", "company", "filler")
    }
    double = draw.uniform("double name") < _DOUBLE_NAMES
    cast: list[Cast] = []
    for row, chosen in enumerate(nouns[:, :4].tolist()):
        slots: dict[str, tuple[Word, ...]] = {str(slot): (concepts[noun],) for slot, noun in enumerate(chosen)}
        for group, orders in groups.items():
            first, second, third, *_ = orders[row]
            slots[group] = ((group, first),)
            if group == "person" and double[row]:
                slots[group] = ((group, first), (group, third))
            if group != "filler":
                slots[f"{group}2"] = ((group, second),)
        cast.append(slots)
    return cast
