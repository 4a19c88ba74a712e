"""One sentence of the toy data as a meaning: a template and the words in its slots, said in any language.

Two sentences with the same meaning are equal, so rows are compared before they are said in a language.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from xquality.toy.lexicon import SLOT, lexicon

Word = tuple[str, int]  # the group and the place in it
Cast = Mapping[str, tuple[Word, ...]]  # the words that one row has for each slot a template may name

# Letters cannot be found with \w: it stops at the vowel signs of Hindi.
_MARKS = ".,:;?!«»“”„\u00bf\u00a1\u060c\u061f\u0964\u3001\u3002\uff0c\uff1a\uff1f"
_TOKEN = re.compile(rf"[{_MARKS}]|[^\s{_MARKS}]+")


@final
@dataclass(frozen=True)
class Sentence:
    """A template and the words in its slots.

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
        said = {slot: " ".join(_say(word, language) for word in words) for slot, words in self.fill}
        pieces = SLOT.split(lexicon().templates[self.kind][self.name][language])
        parts = [(piece, said[piece]) if at % 2 else ("", piece) for at, piece in enumerate(pieces)]
        parts = [(slot, text) for slot, text in parts if text]
        slot, first = parts[0]
        capital = "\u0130" if language == "tr" and first[0] == "i" else first[0].upper()
        return [(slot, capital + first[1:]), *parts[1:]]

    def text(self, language: str) -> str:
        """Return the sentence as running text."""
        return _run_on("".join(text for _, text in self.parts(language)), language)

    def tokens(self, language: str) -> list[tuple[str, str]]:
        """Return the sentence as tokens, each with its slot or "" for a token of the template."""
        return [(token, slot) for slot, text in self.parts(language) for token in _TOKEN.findall(text)]

    def span(self, language: str, wanted: str) -> tuple[int, str]:
        """Return where the words of slot `wanted` start in the running text, and the words."""
        start = 0
        for slot, raw in self.parts(language):
            text = _run_on(raw, language)
            if slot == wanted:
                return start, text
            start += len(text)
        raise KeyError(wanted)


def say(kind: str, name: str, cast: Cast) -> Sentence:
    """Return the sentence that fills a template's slots from `cast`, which may hold more than the slots."""
    slots = sorted(set(SLOT.findall(lexicon().templates[kind][name]["en"])))
    return Sentence(kind, name, tuple((slot, cast[slot]) for slot in slots))


def _say(word: Word, language: str) -> str:
    group, place = word
    return lexicon().words[group][place][language]


def _run_on(text: str, language: str) -> str:
    return text.replace(" ", "") if language == "zh" else text
