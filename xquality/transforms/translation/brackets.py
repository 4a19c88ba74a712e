"""Brackets: marked parts are found again by brackets that an engine translates along (EasyProject).

Chen et al. 2023, Frustratingly Easy Label Projection for Cross-lingual Transfer (ACL Findings).
"""

import difflib
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final

from xquality.translators import MarkedText, MarkedTranslation
from xquality.translators.base import Span

_PAIRS: Final = ("[]", "{}", "«»", "()", "<>")  # in this order; square ones survive best
_VARIANTS: Final = {"【": "[", "】": "]", "《": "«", "》": "»"}  # besides full-width ones, as engines write for Chinese
_WORTH: Final = 0.3  # of the similarity of a part between brackets and the translation of a marked part


def translate_in_brackets(
    texts: Sequence[MarkedText], translate: Callable[[Sequence[str]], list[str]]
) -> list[MarkedTranslation]:
    """Return the translation of each text, and the part between brackets that each of its spans became.

    The brackets are of a kind that the text does not have; where it has all, its spans are lost. Where a text has
    several spans, each is translated alone as well, and the parts between brackets are given to the most similar ones.

    Args:
        texts: the texts with their spans.
        translate: returns the translations of plain texts.
    """
    pairs = [_free_pair(marked.text) for marked in texts]
    written = [_insert(marked, pair) for marked, pair in zip(texts, pairs, strict=True)]
    several = [marked for marked, pair in zip(texts, pairs, strict=True) if pair and len(marked.spans) > 1]
    alone = [marked.text[slice(*span)] for marked in several for span in marked.spans]
    both = translate([*written, *alone])
    of_parts = dict(zip(alone, both[len(written) :], strict=True))
    found = []
    for marked, pair, translation in zip(texts, pairs, both[: len(written)], strict=True):
        text, inner = (translation, []) if pair is None else _remove(translation, pair)
        parts = [of_parts.get(marked.text[slice(*span)], "") for span in marked.spans]
        found.append(MarkedTranslation(text, _assign(text, inner, parts)))
    return found


def _free_pair(text: str) -> str | None:
    """Return the first pair of brackets that a text does not have; None where it has all."""
    there = {_plain_bracket(character) for character in text}
    return next((pair for pair in _PAIRS if there.isdisjoint(pair)), None)


def _plain_bracket(character: str) -> str:
    """Return the bracket of `_PAIRS` that a character is another form of, or the character itself."""
    return _VARIANTS.get(character) or (unicodedata.normalize("NFKC", character) if character > "\uff00" else character)


def _insert(marked: MarkedText, pair: str | None) -> str:
    """Return a text with brackets around its spans."""
    if pair is None:
        return marked.text
    parts, place = [], 0
    for start, end in sorted(marked.spans):
        parts += [marked.text[place:start], pair[0], marked.text[start:end], pair[1]]
        place = end
    return "".join([*parts, marked.text[place:]])


def _remove(translation: str, pair: str) -> tuple[str, list[Span]]:
    """Return a translation without brackets, and the parts that stood between them.

    Example:
        >>> _remove("el [ coche rojo ] [", "[]")
        ('el coche rojo', [(3, 13)])
    """
    text, spans = "", list[Span]()
    opened: int | None = None
    removed = False  # whether a bracket stood right before: of the spaces on both sides of it one is kept
    for character in translation:
        plain = _plain_bracket(character)
        if plain not in pair:
            doubled = removed and character.isspace() and (not text or text[-1].isspace())
            text += "" if doubled else character
            removed = doubled
            continue
        removed = True
        if plain == pair[0]:
            opened = len(text)
        elif opened is not None:
            start, end = opened + len(text[opened:]) - len(text[opened:].lstrip()), len(text.rstrip())
            spans += [(start, end)] if start < end else []
            opened = None
    kept = text.rstrip()
    return kept, [(start, min(end, len(kept))) for start, end in spans if start < len(kept)]


def _assign(text: str, inner: Sequence[Span], parts: Sequence[str]) -> tuple[tuple[Span, ...], ...]:
    """Return for each marked part the part between brackets that it became, or none.

    Args:
        text: the translation.
        inner: the parts that stood between brackets.
        parts: the translation of each marked part alone; it does not matter where there is one.
    """
    if len(parts) == 1:
        return (tuple(inner[:1]),)
    scores = sorted(
        (-_similarity(text[slice(*span)], part), abs(number - place), number, place)
        for number, part in enumerate(parts)
        for place, span in enumerate(inner)
    )
    given: dict[int, int] = {}
    for score, _, number, place in scores:
        if number not in given and place not in given.values() and (-score >= _WORTH or len(inner) == len(parts)):
            given[number] = place
    return tuple((inner[given[number]],) if number in given else () for number in range(len(parts)))


def _similarity(first: str, second: str) -> float:
    """Return how similar two texts are, in [0, 1]."""
    return difflib.SequenceMatcher(None, first.casefold(), second.casefold(), autojunk=False).ratio()
