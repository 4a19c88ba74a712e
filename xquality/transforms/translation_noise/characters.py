r"""Characters: what every code point is in a text, by one version of Unicode, that of the regex package.

The interpreter and Arrow know other versions; asked about a character that is new in one of them, they would disagree.
"""

from functools import cache
from itertools import starmap
from typing import Final

import numpy as np
import regex
from numpy.typing import NDArray

from xquality.text.words import UNSPACED

# A joiner is part of a word between two letters or digits, a separator between two digits only. The first byte of a
# written character is a CHARACTER, those after it are a TRAIL; a MARK belongs to what it stands on.
GAP, WORD, DIGIT, CHARACTER, TRAIL, MARK, JOINER, SEPARATOR = range(8)

CAPITAL: Final = r"\p{Lu}"
DECIMAL: Final = r"\p{Nd}"

_POINTS = 0x110000
_PLANES = 0x20000  # code points that are looked up one by one
_JAPANESE = "\u3006\u3031-\u3035\u303c\u30fc\uff70"  # written characters that Unicode counts to no script


@cache
def classes() -> NDArray[np.uint8]:
    """Return the class of every code point, shape (1,114,112,)."""
    kinds = np.full(_POINTS, WORD, np.uint8)
    unspaced = np.zeros(_POINTS, np.bool_)
    for pattern, kind in ((r"\p{M}\p{Cf}", MARK), (r"\p{Z}\p{P}\p{S}\p{Cc}", GAP), (DECIMAL, DIGIT)):
        for low, high in _spans(pattern):
            kinds[low:high] = kind
    for low, high in _spans(UNSPACED + _JAPANESE):
        unspaced[low:high] = True
    kinds[unspaced & (kinds == WORD)] = CHARACTER  # not the marks of these scripts, their punctuation and digits
    kinds[0x20000:0x40000] = CHARACTER  # rare Chinese characters
    kinds[0xE0000:0xF0000] = MARK  # tags and variation selectors; the planes after it are for private use
    kinds[[0x0E33, 0x0EB3]] = MARK  # the Thai and the Lao vowel am, which Unicode keeps with their consonants
    kinds[[0xFF9E, 0xFF9F]] = MARK  # the voicing marks of narrow kana
    kinds[0x1F3FB:0x1F400] = MARK  # skin tones
    kinds[[ord("'"), 0x2019, ord("-"), 0x2010, 0xB7]] = JOINER  # with the typographic apostrophe, hyphen, and dot
    kinds[[ord("."), ord(","), 0x066B, 0x066C]] = SEPARATOR  # with those of Arabic numbers
    kinds[ord("_")] = WORD
    return kinds


@cache
def digits() -> str:
    """Return all decimal digits; every script has its ten side by side, so a place modulo ten is a value."""
    return "".join(regex.findall(DECIMAL, _all()))


@cache
def ranges(pattern: str) -> str:
    r"""Return a class of characters as ranges of code points, for engines that know other versions of Unicode.

    Example:
        >>> ranges(r"\p{Lu}").startswith(r"\x{41}-\x{5A}\x{C0}-\x{D6}")
        True
    """
    return "".join(starmap(r"\x{{{:X}}}-\x{{{:X}}}".format, ((low, high - 1) for low, high in _spans(pattern))))


def _spans(pattern: str) -> list[tuple[int, int]]:
    """Return the runs of code points in a class of characters."""
    return [one.span() for one in regex.finditer(f"[{pattern}]+", _all())]


@cache
def _all() -> str:
    """Return the characters of the first two planes in their order; there are none for halves of surrogates."""
    return "".join(" " if 0xD800 <= point < 0xE000 else chr(point) for point in range(_PLANES))
