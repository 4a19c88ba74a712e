"""Passages: the ways of a text through one engine or two, with the marked parts that are found again at its end."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar, final

from xquality.errors import DataKindError
from xquality.transforms.translation.alignment import WordAligner
from xquality.transforms.translation.brackets import translate_in_brackets
from xquality.transforms.translation.words import split_tokens
from xquality.translators import MarkedText, MarkedTranslation, Translator, from_dict
from xquality.translators.base import Span, is_description

Item = TypeVar("Item", bound=Hashable)
Result = TypeVar("Result")


def check_translator(owner: str, name: str, value: object) -> Translator:
    """Return a translator; what `to_dict` wrote of one is read. A check of a setting."""
    translator = from_dict(value) if is_description(value) else value
    if not isinstance(translator, Translator):
        raise DataKindError(
            f"{owner}({name}=...) must be a translator, such as a FunctionTranslator, not {type(value).__name__}."
        )
    return translator


class Passage(ABC):
    """A way of texts through one engine or two."""

    @property
    @abstractmethod
    def marks_tokens(self) -> bool:
        """Whether every token of a text can be marked, and not only some spans."""

    @abstractmethod
    def check(self) -> None:
        """Raise where an engine is missing (`NotInstalledError`), or its pair of languages (`LanguagePairError`)."""

    @abstractmethod
    def translate(self, texts: Sequence[str]) -> list[str]:
        """Return the translation of each text."""

    @abstractmethod
    def translate_marked(self, texts: Sequence[MarkedText]) -> list[MarkedTranslation]:
        """Return the translation of each text, and the pieces of it that each of its spans became."""


@final
@dataclass(frozen=True)
class OneEngine(Passage):
    """The way through one engine.

    Marked parts are found again by the aligner where there is one; else by the engine itself where it has marks; else
    by brackets that are written into the text.

    Attributes:
        translator: the engine.
        source: the language of the texts.
        target: the language of the translations.
        aligner: aligns the words of both; None for none.
    """

    translator: Translator
    source: str
    target: str
    aligner: WordAligner | None = None

    @property
    def projection(self) -> str:
        """How marked parts are found again: "alignment", "marks" or "brackets"."""
        if self.aligner is not None:
            return "alignment"
        return "marks" if self.translator.marks else "brackets"

    @property
    def marks_tokens(self) -> bool:
        """Whether every token can be marked, which brackets cannot."""
        return self.projection != "brackets"

    def check(self) -> None:
        """Raise where the engine does not translate the pair."""
        self.translator.check_pair(self.source, self.target)

    def translate(self, texts: Sequence[str]) -> list[str]:
        """Return the translation of each text."""
        return _call_once(texts, lambda distinct: self.translator.translate(distinct, self.source, self.target))

    def translate_marked(self, texts: Sequence[MarkedText]) -> list[MarkedTranslation]:
        """Return the translation of each text, and the pieces of it that each of its spans became."""
        if self.projection == "brackets":
            return translate_in_brackets(texts, self.translate)
        return _call_once(texts, self._align if self.aligner else self._mark)

    def _mark(self, texts: Sequence[MarkedText]) -> list[MarkedTranslation]:
        """Return translations whose parts the engine marks."""
        return self.translator.translate_marked(texts, self.source, self.target)

    def _align(self, texts: Sequence[MarkedText]) -> list[MarkedTranslation]:
        """Return translations whose parts are aligned."""
        assert self.aligner is not None
        pairs = list(
            zip([marked.text for marked in texts], self.translate([marked.text for marked in texts]), strict=True)
        )
        words = [(split_tokens(text), split_tokens(translation)) for text, translation in pairs]
        aligned = self.aligner.align(pairs, words)
        return [
            MarkedTranslation(pair[1], tuple(_aligned_pieces(span, *spans, links) for span in marked.spans))
            for marked, pair, spans, links in zip(texts, pairs, words, aligned, strict=True)
        ]


@final
@dataclass(frozen=True)
class RoundTrip(Passage):
    """The way through an engine to a pivot language, and through an engine back.

    Attributes:
        there: the way to the pivot language.
        back: the way back.
    """

    there: OneEngine
    back: OneEngine

    @property
    def marks_tokens(self) -> bool:
        """Whether every token can be marked on both ways."""
        return self.there.marks_tokens and self.back.marks_tokens

    def check(self) -> None:
        """Raise where one of the ways cannot be gone."""
        self.there.check()
        self.back.check()

    def translate(self, texts: Sequence[str]) -> list[str]:
        """Return each text after both ways."""
        return self.back.translate(self.there.translate(texts))

    def translate_marked(self, texts: Sequence[MarkedText]) -> list[MarkedTranslation]:
        """Return each text after both ways, and the pieces of each of its spans; each piece is marked again."""
        between = self.there.translate_marked(texts)
        pieces = [_disjoint_pieces(translation) for translation in between]
        marked = [
            MarkedText(translation.text, tuple(piece for piece, _ in found))
            for translation, found in zip(between, pieces, strict=True)
        ]
        returned = self.back.translate_marked(marked)
        results = []
        for text, found, translation in zip(texts, pieces, returned, strict=True):
            of_span: list[list[Span]] = [[] for _ in text.spans]
            for (_, span), inner in zip(found, translation.pieces, strict=True):
                of_span[span] += inner
            results.append(MarkedTranslation(translation.text, tuple(tuple(sorted(inner)) for inner in of_span)))
        return results


def _disjoint_pieces(translation: MarkedTranslation) -> list[tuple[Span, int]]:
    """Return the pieces of a translation that overlap no earlier one, each with the number of its span."""
    kept: list[tuple[Span, int]] = []
    for number, pieces in enumerate(translation.pieces):
        for start, end in pieces:
            if all(end <= first or last <= start for (first, last), _ in kept):
                kept.append(((start, end), number))
    return kept


def _aligned_pieces(
    span: Span, source: Sequence[Span], target: Sequence[Span], links: Sequence[tuple[int, int]]
) -> tuple[Span, ...]:
    """Return the words of a translation that are aligned with the words of a marked part, neighbours as one piece."""
    inside = {number for number, (start, end) in enumerate(source) if start < span[1] and span[0] < end}
    numbers = sorted({second for first, second in links if first in inside})
    pieces: list[Span] = []
    before = -2
    for number in numbers:
        start, end = target[number]
        if number == before + 1:
            pieces[-1] = (pieces[-1][0], end)
        else:
            pieces.append((start, end))
        before = number
    return tuple(pieces)


def _call_once(items: Sequence[Item], call: Callable[[list[Item]], Sequence[Result]]) -> list[Result]:
    """Return the result for each item, each distinct one given once, all in one call.

    They are given in a sorted order, so that the order of the rows changes nothing where an engine is not context-free.
    """
    distinct = sorted(set(items), key=repr)
    found = dict(zip(distinct, call(distinct), strict=True)) if distinct else {}
    return [found[item] for item in items]
