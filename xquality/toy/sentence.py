"""Sentences of the toy data as meanings: a template and the words in its slots, in any language.

Two sentences with the same meaning are equal, so rows are compared before they are written in a language. The words
that a row may use are drawn for all rows at once, without regard to the language.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from xquality.randomness import Draw
from xquality.toy.lexicon import SLOT, TOPICS, lexicon

Word = tuple[str, int]  # a group of words and the place in it
Slots = Mapping[str, tuple[Word, ...]]  # the words of a row for each slot that a template may have

# Letters cannot be found with \w: it stops at the vowel signs of Hindi.
_MARKS = ".,:;?!«»“”„\u00bf\u00a1\u060c\u061f\u0964\u3001\u3002\uff0c\uff1a\uff1f"
_TOKEN = re.compile(rf"[{_MARKS}]|[^\s{_MARKS}]+")

_DOUBLE_NAMES = 0.4  # the share of rows whose first person has two given names, as "Anna Maria"


@final
@dataclass(frozen=True)
class Sentence:
    """A template and the words in its slots. The ids of `questions` are hashes of this class's repr.

    Attributes:
        kind: the template's kind.
        name: the template's name among its kind.
        fill: each slot of the template with its words.

    Example:
        >>> likes = Sentence("context", "likes", (("person", (("person", 0),)), ("0", (("food", 0),))))
        >>> likes.text("en"), likes.text("es")
        ('Anna likes the word “bread”.', 'A Ana le gusta la palabra «pan».')
    """

    kind: str
    name: str
    fill: tuple[tuple[str, tuple[Word, ...]], ...]

    def parts(self, language: str) -> list[tuple[str, str]]:
        """Return the sentence cut at its slots: (slot or "", text); Chinese keeps spaces between tokens."""
        words = {slot: " ".join(_spell(word, language) for word in words) for slot, words in self.fill}
        pieces = SLOT.split(lexicon().templates[self.kind][self.name][language])
        parts = [(piece, words[piece]) if place % 2 else ("", piece) for place, piece in enumerate(pieces)]
        parts = [(slot, text) for slot, text in parts if text]
        slot, first = parts[0]
        capital = "\u0130" if language == "tr" and first[0] == "i" else first[0].upper()
        return [(slot, capital + first[1:]), *parts[1:]]

    def text(self, language: str) -> str:
        """Return the sentence as running text."""
        return _join_tokens("".join(text for _, text in self.parts(language)), language)

    def tokens(self, language: str) -> list[tuple[str, str]]:
        """Return the sentence as tokens, each with its slot or "" for a token of the template."""
        return [(token, slot) for slot, text in self.parts(language) for token in _TOKEN.findall(text)]

    def span(self, language: str, wanted: str) -> tuple[int, str]:
        """Return where the words of slot `wanted` start in the running text, and the words."""
        start = 0
        for slot, raw in self.parts(language):
            text = _join_tokens(raw, language)
            if slot == wanted:
                return start, text
            start += len(text)
        raise KeyError(wanted)


def fill_template(kind: str, name: str, words: Slots) -> Sentence:
    """Return the sentence that fills a template's slots from `words`, which may hold more than the slots."""
    slots = sorted(set(SLOT.findall(lexicon().templates[kind][name]["en"])))
    return Sentence(kind, name, tuple((slot, words[slot]) for slot in slots))


def _spell(word: Word, language: str) -> str:
    """Return a word in a language."""
    group, place = word
    return lexicon().words[group][place][language]


def _join_tokens(text: str, language: str) -> str:
    """Return text without the spaces between tokens that the language does not write."""
    return text.replace(" ", "") if language == "zh" else text


def draw_permutations(draw: Draw, purpose: str, size: int) -> NDArray[np.int64]:
    """Return one permutation of range(size) for each row, shape (rows, size).

    Example:
        >>> draw = Draw(seed=0, scope="demo", stream=0, uids=np.arange(2, dtype=np.uint64))
        >>> np.sort(draw_permutations(draw, "order", 3)).tolist()
        [[0, 1, 2], [0, 1, 2]]
    """
    keys = np.stack([draw.bits(f"{purpose}.{place}") for place in range(size)], axis=1)
    return np.argsort(keys, axis=1, kind="stable")


def draw_words(draw: Draw) -> list[Slots]:
    """Return for each row the words of every slot: 0 to 3, person(2), city(2), company(2) and filler.

    Example:
        >>> draw = Draw(seed=0, scope="demo", stream=0, uids=np.arange(2, dtype=np.uint64))
        >>> sorted(draw_words(draw)[0])
        ['0', '1', '2', '3', 'city', 'city2', 'company', 'company2', 'filler', 'person', 'person2']
    """
    concepts: list[Word] = [(topic, place) for topic in TOPICS for place in range(len(lexicon().words[topic]))]
    nouns = draw_permutations(draw, "nouns", len(concepts))
    groups = {
        group: draw_permutations(draw, group, len(lexicon().words[group])).tolist()
        for group in ("person", "city", "company", "filler")
    }
    double = draw.uniform("double name") < _DOUBLE_NAMES
    rows: list[Slots] = []
    for row, chosen in enumerate(nouns[:, :4].tolist()):
        slots: dict[str, tuple[Word, ...]] = {str(slot): (concepts[noun],) for slot, noun in enumerate(chosen)}
        for group, orders in groups.items():
            first, second, third, *_ = orders[row]
            slots[group] = ((group, first),)
            if group == "person" and double[row]:
                slots[group] = ((group, first), (group, third))
            if group != "filler":
                slots[f"{group}2"] = ((group, second),)
        rows.append(slots)
    return rows
