"""Words as spans of a string: by spaces where a script has them, by written characters where it has none."""

import regex

# Scripts that write no spaces between words: each written character (with its marks) is a unit of its own.
UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_UNIT = regex.compile(rf"(?=[{UNSPACED}])\X|[^\s{UNSPACED}]+")

Span = tuple[int, int]


def word_spans(text: str) -> list[Span]:
    """Return the (start, end) of every word, in code points; white space belongs to none.

    Example:
        >>> word_spans("two words")
        [(0, 3), (4, 9)]
        >>> [text[a:b] for text in ["東京 is big"] for a, b in word_spans(text)]
        ['東', '京', 'is', 'big']
    """
    return [found.span() for found in _UNIT.finditer(text)]


def words(text: str) -> list[str]:
    """Return the words themselves.

    Example:
        >>> words("東京 is big")
        ['東', '京', 'is', 'big']
    """
    plain = text.isascii() and text.isprintable()  # then spaces alone part the words, and splitting is far faster
    return text.split() if plain else list(_UNIT.findall(text))
