"""Words and spellings of a string: how it is split into words, and one spelling for texts that differ in writing only.

Scripts with spaces between words are split at white space; in scripts without, each written character is a word.
"""

import unicodedata
from collections.abc import Sequence

import regex

# Scripts without spaces between words: each written character (with its combining marks) is a word of its own. Unicode
# ends a grapheme cluster before some marks of Burmese; a mark is no word, so they stay with their character.
UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_MARKS = r"\p{M}\u0e33\u0eb3"
_WORD = regex.compile(rf"(?=[{UNSPACED}])\X[{_MARKS}]*+|[^\s{UNSPACED}]++(?:[{_MARKS}]++[^\s{UNSPACED}]*+)*+")

SPELLING_STEPS = ("nfkc", "casefold", "spaces")

CharacterSpan = tuple[int, int]  # first code point, code point after the last


def word_spans(text: str) -> list[CharacterSpan]:
    """Return the span of every word in code points; white space belongs to no word.

    Example:
        >>> word_spans("two words")
        [(0, 3), (4, 9)]
        >>> [text[start:end] for text in ["東京 is big"] for start, end in word_spans(text)]
        ['東', '京', 'is', 'big']
    """
    return [found.span() for found in _WORD.finditer(text)]


def split_words(text: str) -> list[str]:
    """Return the words of a string.

    Example:
        >>> split_words("東京 is big")
        ['東', '京', 'is', 'big']
    """
    plain = text.isascii() and text.isprintable()  # only spaces separate words then, and str.split is much faster
    return text.split() if plain else list(_WORD.findall(text))


def respell(texts: Sequence[str], steps: Sequence[str]) -> list[str]:
    """Return texts in one spelling, so that texts that differ in writing only become equal strings.

    Args:
        texts: the texts.
        steps: which of `SPELLING_STEPS` to apply, always in that order: "nfkc" is Unicode's compatibility form
            (full-width letters, ligatures, composed accents), "casefold" is Unicode's case folding, "spaces" replaces
            every run of white space by one space and strips both ends.

    Example:
        >>> respell(["El  GATO ", "el gato"], SPELLING_STEPS)
        ['el gato', 'el gato']
    """
    spelled = list(texts)
    if "nfkc" in steps:
        spelled = [unicodedata.normalize("NFKC", text) for text in spelled]
    if "casefold" in steps:
        spelled = [text.casefold() for text in spelled]
    if "spaces" in steps:
        spelled = [" ".join(text.split()) for text in spelled]
    return spelled
