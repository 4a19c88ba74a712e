"""CoNLL-U: the files of Universal Dependencies, read as XTREME reads them, with fused words kept as one.

Where a treebank splits a written word into syntactic ones ("du" into "de" and "le"), XTREME keeps the written word and
gives it the part of speech of one of the others: of the one with the fewest words above it in the sentence's graph, and
among equals of the first by a list of precedence that Spanish, French and Italian have of their own. Words that are
above are counted over basic and enhanced dependencies together. This is what the ud-conversion-tools do that XTREME
ships; where they break off (a part of speech that the list does not name), such a part of speech comes last here.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from xquality.data.local_files import line_error, read_lines

# In the order of the classes on the Hub.
UPOS = tuple("ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split())

_PRECEDENCE = {
    "es": "VERB AUX PRON ADP DET".split(),
    "fr": "VERB AUX PRON NOUN ADJ ADV ADP DET PART SCONJ CONJ".split(),
    "it": "VERB AUX ADV PRON ADP DET INTJ".split(),
}
_USUAL = "VERB NOUN PROPN PRON ADJ NUM ADV INTJ AUX ADP DET PART CCONJ SCONJ X PUNCT".split()
_ID = re.compile(r"(?P<word>[1-9]\d*)(?:-(?P<last>[1-9]\d*))?|\d+\.[1-9]\d*")
_COLUMNS = 10

Tagged = tuple[list[str], list[str]]  # words and their parts of speech


@final
@dataclass(frozen=True)
class _Word:
    """A syntactic word: its form, its part of speech, and the words directly above it (0 is above the root)."""

    form: str
    tag: str
    above: tuple[int, ...]


@final
@dataclass
class _Sentence:
    """A sentence while it is read."""

    words: list[_Word] = field(default_factory=list)
    fused: list[tuple[int, int, str]] = field(default_factory=list)  # first word, last word, form

    def depth(self, word: int) -> int:
        """Return how many words are above a word."""
        found: set[int] = set()
        waiting = [word]
        while waiting:
            one = waiting.pop()
            new = set(self.words[one - 1].above if one else ()) - found
            found |= new
            waiting.extend(new)
        return len(found - {word})

    def chosen(self, first: int, last: int, precedence: Sequence[str]) -> int:
        """Return the word whose part of speech a fused word gets."""
        depths = {word: self.depth(word) for word in range(first, last + 1)}
        highest = [word for word, depth in depths.items() if depth == min(depths.values())]
        tags = [self.words[word - 1].tag for word in highest]
        return highest[min(range(len(tags)), key=lambda one: _rank(tags[one], precedence))]

    def tagged(self, precedence: Sequence[str]) -> Tagged:
        """Return the written words with their parts of speech."""
        forms: list[str] = []
        tags: list[str] = []
        starts = {first: (last, form) for first, last, form in self.fused}
        word = 1
        while word <= len(self.words):
            last, form = starts.get(word, (word, self.words[word - 1].form))
            right = self.chosen(word, last, precedence) if last > word else word
            forms.append(form)
            tags.append(self.words[right - 1].tag)
            word = last + 1
        return forms, tags


def _rank(tag: str, precedence: Sequence[str]) -> int:
    """Return a part of speech's place in the list, after all others where it is not named."""
    return precedence.index(tag) if tag in precedence else len(precedence)


def read_conllu(file: Path, language: str) -> list[Tagged]:
    """Return the sentences of a CoNLL-U file as written words and their parts of speech.

    As in XTREME, sentences whose words are (almost) all hidden behind "_" are left out, and words lose their inner
    blanks and the character U+200C.

    Args:
        file: the file.
        language: the language's code, for the order of precedence.

    Raises:
        DamagedError: for a file that is no CoNLL-U, naming the line.
    """
    precedence = _PRECEDENCE.get(language, _USUAL)
    sentences = []
    for line, sentence in _sentences(file):
        forms, tags = sentence.tagged(precedence)
        hidden = sum(one == "_" for one in forms)
        if hidden and hidden >= len(forms) - 1:
            continue
        unknown = [one for one in tags if one not in UPOS]
        if unknown:
            raise line_error(file, line, f"a word of the sentence that ends here has the part of speech {unknown[0]!r}")
        sentences.append(([one.replace("\u200c", "").replace(" ", "") for one in forms], tags))
    return sentences


def _sentences(file: Path) -> Iterator[tuple[int, _Sentence]]:
    """Yield each sentence with the number of the line that ends it."""
    sentence = _Sentence()
    number = 0
    for number, line in enumerate(read_lines(file), start=1):
        if line.startswith("#"):
            continue
        if line:
            _take(sentence, line, file, number)
            continue
        if sentence.words:
            _check(sentence, file, number)
            yield number, sentence
        sentence = _Sentence()
    if sentence.words or sentence.fused:
        raise line_error(file, number, "the file ends in the middle of a sentence")


def _take(sentence: _Sentence, line: str, file: Path, number: int) -> None:
    """Add one line to a sentence."""
    columns = line.split("\t")
    if len(columns) != _COLUMNS:
        raise line_error(file, number, f"{_COLUMNS} columns were expected, but there are {len(columns)}")
    name, form, tag, head, deps = (columns[one] for one in (0, 1, 3, 6, 8))
    found = _ID.fullmatch(name)
    if not found:
        raise line_error(file, number, f"{name!r} is no word's number")
    if found["word"] is None:  # an empty node, which is not written
        return
    first, expected = int(found["word"]), len(sentence.words) + 1
    if first != expected:
        raise line_error(file, number, f"the word {expected} was expected, but it is {name!r}")
    if found["last"]:
        last = int(found["last"])
        if last <= first or (sentence.fused and sentence.fused[-1][1] >= first):
            raise line_error(file, number, f"{name!r} is no range of words, or overlaps the one before")
        sentence.fused.append((first, last, form))
        return
    if head != "_" and not (head.isascii() and head.isdigit()):
        raise line_error(file, number, f"the head {head!r} is no word's number")
    heads = [head, *(one.split(":")[0] for one in deps.split("|"))]  # those of empty nodes, such as 5.1, do not count
    above = dict.fromkeys(int(one) for one in heads if one.isascii() and one.isdigit())
    sentence.words.append(_Word(form, tag, tuple(above)))


def _check(sentence: _Sentence, file: Path, number: int) -> None:
    """Raise where a sentence points outside itself."""
    length = len(sentence.words)
    if any(one > length for word in sentence.words for one in word.above):
        raise line_error(file, number, f"a head in the sentence that ends here is not among its {length} words")
    if sentence.fused and sentence.fused[-1][1] > length:
        raise line_error(file, number, f"a range in the sentence that ends here goes beyond its {length} words")
