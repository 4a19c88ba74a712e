"""Tokens as a text that an engine can read, and a translation as tokens again, with the characters of each."""

import unicodedata
from collections.abc import Sequence
from typing import Final

import regex

from xquality.text.words import UNSPACED, CharacterSpan, word_spans

# Punctuation that has no space before it, or none after it, in most languages, after Unicode's compatibility form;
# straight quotes may be either.
_NO_SPACE_BEFORE: Final = regex.compile(
    r"[\p{Pe}\p{Pf},.;:!?%\u060c\u061b\u061f\u3001\u3002]+|['\u2019]\p{L}{1,2}|n['\u2019]t"
)
_NO_SPACE_AFTER: Final = regex.compile(r"[\p{Ps}\p{Pi}\u00bf\u00a1]+")
_UNSPACED: Final = regex.compile(rf"[{UNSPACED}]")
_SENTENCE_END: Final = regex.compile(r"[.!?\u061f\u0964\u3002\uff01\uff1f]\s|\n")
_MOST_BETWEEN: Final = 3  # words between the pieces of a part that is joined
_SIGNS: Final = regex.compile(r"(.)\1*", regex.DOTALL)
_AROUND: Final = regex.compile(r"[\p{P}\p{S}]")


def join_tokens(tokens: Sequence[str]) -> tuple[str, list[CharacterSpan]]:
    """Return tokens as a text in ordinary spacing, and the characters of each token in it.

    Tokens are joined by spaces, but not before a full stop or after an opening bracket, nor where both neighbours are
    of a script without spaces.

    Example:
        >>> join_tokens(["It", "is", "(", "very", ")", "late", "."])[0]
        'It is (very) late.'
        >>> join_tokens(["東京", "に"])
        ('東京に', [(0, 2), (2, 3)])
    """
    text, spans = "", list[CharacterSpan]()
    before = ""
    for token in tokens:
        if before and token and _is_spaced(before, token):
            text += " "
        spans.append((len(text), len(text) + len(token)))
        text += token
        before = token or before
    return text, spans


def _is_spaced(before: str, after: str) -> bool:
    """Return whether a space stands between two tokens that are not empty."""
    first, second = (unicodedata.normalize("NFKC", token) for token in (before, after))
    if _NO_SPACE_BEFORE.fullmatch(second) or _NO_SPACE_AFTER.fullmatch(first):
        return False
    return not (_UNSPACED.match(before[-1]) and _UNSPACED.match(after[0]))


def split_tokens(text: str) -> list[CharacterSpan]:
    """Return the characters of each token: words, and the punctuation and symbols around them.

    A run of one sign, as in ..., is one token. Punctuation inside a word, as in 3.5 or l'eau, divides none. In scripts
    without spaces each character is a token.

    Example:
        >>> text = "El 3,5 % (casi)..."
        >>> [text[start:end] for start, end in split_tokens(text)]
        ['El', '3,5', '%', '(', 'casi', ')', '...']
    """
    tokens = []
    for start, end in word_spans(text):
        first, last = start, end
        while first < last and _AROUND.match(text, first):
            first += 1
        while first < last and _AROUND.match(text, last - 1):
            last -= 1
        tokens += [found.span() for found in _SIGNS.finditer(text, start, first)]
        tokens += [(first, last)] if first < last else []
        tokens += [found.span() for found in _SIGNS.finditer(text, last, end)]
    return tokens


def join_pieces(text: str, pieces: Sequence[CharacterSpan], part: str) -> CharacterSpan | None:
    """Return the span of a translation that holds all pieces of a marked part; None where they are too far apart.

    Between two neighbouring pieces there may be white space, and as many other words as the pieces have in all, three
    at most, within one sentence. White space at both ends is left out, and punctuation that the marked part has not.

    Args:
        text: the translation.
        pieces: the parts of it that came of the marked part; none where it was lost.
        part: the marked part of the source.

    Example:
        >>> join_pieces("la casa muy blanca.", [(3, 7), (12, 19)], "white house")
        (3, 18)
    """
    ordered = sorted(piece for piece in pieces if text[slice(*piece)].strip())
    if not ordered:
        return None
    words = sum(len(split_tokens(text[start:end])) for start, end in ordered)
    end = ordered[0][1]
    between = 0
    for first, last in ordered[1:]:
        gap = text[end:first] if first > end else ""
        if _SENTENCE_END.search(gap):
            return None
        between += len(split_tokens(gap))
        end = max(end, last)
    if between > min(words, _MOST_BETWEEN):
        return None
    return _trim(text, (ordered[0][0], end), part)


def _trim(text: str, span: CharacterSpan, part: str) -> CharacterSpan | None:
    """Return a span without white space and punctuation at its ends that the marked part does not have at its own."""
    start, end = span
    part = part.strip()
    keep_first, keep_last = bool(_AROUND.match(part[:1])), bool(_AROUND.match(part[-1:]))
    while start < end and (text[start].isspace() or (not keep_first and _AROUND.match(text[start]))):
        start += 1
    while start < end and (text[end - 1].isspace() or (not keep_last and _AROUND.match(text[end - 1]))):
        end -= 1
    return (start, end) if start < end else None
