r"""Units of text for whole columns at once: words where a script has spaces, written characters where it has none.

A unit is a run of letters, digits and their marks, with apostrophes, hyphens and decimal signs inside it; in Chinese,
Japanese, Thai, Lao, Khmer and Burmese it is one written character with its marks, and with the consonants stacked
below it, so that no grapheme cluster is cut. White space, punctuation, symbols and emoji belong to the gaps between
units. In a list of tokens each token is a unit.

Everything is computed on the UTF-8 bytes of a whole column. Every byte gets the class of its character; runs of bytes
of the right classes are units. The classes come from one version of Unicode, that of the regex package: the interpreter
and Arrow have other versions, which would disagree about characters that are new in one of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import starmap
from typing import Final, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import regex
from numpy.typing import NDArray

from xquality.data.arrow import Indices, Mask, is_text, list_lengths
from xquality.text.words import UNSPACED

Bytes = NDArray[np.uint8]

CAPITAL: Final = r"\p{Lu}"
DECIMAL: Final = r"\p{Nd}"

# Classes of characters. A joiner is part of a word between two letters or digits, a separator between two digits only.
# The first byte of a written character is a CHARACTER, its other bytes are a TRAIL. A MARK belongs to the character
# before it. A LINKER (a virama, the Khmer coeng) is a mark that joins the consonant after it to its own character.
# FRAGILE and the classes after it are the GAP, the WORD and the MARK of `Units.fragile`.
GAP, WORD, DIGIT, CHARACTER, TRAIL, MARK, JOINER, SEPARATOR, LINKER, FRAGILE, FRAGILE_WORD, FRAGILE_MARK = range(12)

_CLASS_OF_MARK = np.array([GAP, WORD, DIGIT, TRAIL, TRAIL, GAP, GAP, GAP], np.uint8)  # by the class of its base
_CLASS_OF_FRAGILE = np.array([*range(FRAGILE), GAP, WORD, MARK], np.uint8)
_FRAGILE = r"\p{GCB=Regional_Indicator}\p{GCB=L}\p{GCB=V}\p{GCB=T}\p{GCB=Prepend}"
_CONSONANT = "\u1780"  # any consonant that is stacked shows which marks are linkers
_CODE_POINTS = 0x110000
_TWO_PLANES = 0x20000  # code points that are classified one by one; the other planes are classified as a whole
_CLUSTER = regex.compile(r"\X")
_JAPANESE = "\u3006\u3031-\u3035\u303c\u30fc\uff70"  # written characters that belong to no script in Unicode


@final
@dataclass(frozen=True)
class Units:
    """The units of some rows of text.

    Attributes:
        data: the UTF-8 bytes of all rows, one after the other.
        bounds: the first byte of each row, and the number of bytes, shape (rows + 1,).
        start: the first byte of each unit, shape (units,).
        end: the byte after its last, shape (units,).
        first: the first unit of each row, and the number of units, shape (rows + 1,).
        row: the row of each unit, shape (units,).
        spaced: whether the unit is a word between spaces (True) or a written character (False), shape (units,).
        fragile: which rows hold characters that may join what an edit puts beside them, shape (rows,): marks without a
            base, a linker without the consonant that it joins, flags, single letters of Hangul syllables. An edit of
            such a row needs a check by `breaks_clusters`.
    """

    data: Bytes
    bounds: Indices
    start: Indices
    end: Indices
    first: Indices
    row: Indices
    spaced: Mask
    fragile: Mask

    @property
    def counts(self) -> Indices:
        """The number of units of each row, shape (rows,)."""
        return np.diff(self.first)

    @property
    def empty(self) -> Mask:
        """Which units have no bytes, as empty tokens do, shape (units,)."""
        return np.equal(self.start, self.end)

    def text(self, unit: int) -> str:
        """Return one unit as a string."""
        return self.data[self.start[unit] : self.end[unit]].tobytes().decode()

    def texts(self, units: Indices) -> pa.Array:
        """Return some units as an array of strings, shape (units,)."""
        return slice_strings(self.data, self.start[units], self.end[units])

    def drop_empty(self) -> "Units":
        """Return the same rows without their empty units."""
        if not self.empty.any():
            return self
        kept = ~self.empty
        first = np.concatenate([[0], np.cumsum(kept)])[self.first]
        return Units(
            self.data,
            self.bounds,
            self.start[kept],
            self.end[kept],
            first,
            self.row[kept],
            self.spaced[kept],
            self.fragile,
        )


def find_units(values: pa.Array) -> Units:
    """Return the units of an array of strings or of lists of strings; a null has none.

    Example:
        >>> units = find_units(pa.array(["¿Qué tal, Ana?", "東京 2020"]))
        >>> [units.text(unit) for unit in range(len(units.start))]
        ['Qué', 'tal', 'Ana', '東', '京', '2020']
        >>> find_units(pa.array([["¿", "Qué", "tal", "?"]])).counts.tolist()
        [4]
    """
    return _units_of_texts(values) if is_text(values.type) else _units_of_tokens(values)


def string_bytes(texts: pa.Array) -> tuple[Bytes, Indices]:
    """Return the UTF-8 bytes of a string array, and the first byte of each string and the number of bytes.

    Shapes (bytes,) and (strings + 1,); a null has no bytes.
    """
    filled = pc.fill_null(texts, "") if texts.null_count else texts
    width = np.int64 if pa.types.is_large_string(filled.type) else np.int32
    _, offsets, data = filled.buffers()
    if not len(filled) or data is None:
        return np.empty(0, np.uint8), np.zeros(len(filled) + 1, np.int64)
    bounds = np.frombuffer(offsets, width)[filled.offset : filled.offset + len(filled) + 1].astype(np.int64)
    return np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]], bounds - bounds[0]


def strings_from_bytes(data: Bytes, bounds: Indices) -> pa.Array:
    """Return UTF-8 bytes as a string array; the inverse of `string_bytes`."""
    return pa.LargeStringArray.from_buffers(
        len(bounds) - 1, pa.py_buffer(np.ascontiguousarray(bounds, np.int64)), pa.py_buffer(data)
    )


def slice_strings(data: Bytes, start: Indices, end: Indices) -> pa.Array:
    """Return ranges of bytes as a string array, one string a range."""
    bounds = np.concatenate([[0], np.cumsum(end - start)])
    return strings_from_bytes(gather_bytes(data, start, end), bounds)


def gather_bytes(data: Bytes, start: Indices, end: Indices) -> Bytes:
    """Return the bytes of some ranges, one after the other."""
    length = end - start
    filled = length > 0
    start, length = start[filled], length[filled]
    if not len(start):
        return np.empty(0, np.uint8)
    step = np.ones(int(length.sum()), np.int64)  # from each byte to the next one
    heads = np.cumsum(length) - length
    step[0] = start[0]
    step[heads[1:]] = start[1:] - (start[:-1] + length[:-1]) + 1
    return data.take(np.cumsum(step, out=step))


def character_starts(data: Bytes) -> Indices:
    """Return the first byte of every code point in UTF-8 bytes, shape (code points,)."""
    return np.flatnonzero((data & 0xC0) != 0x80)


@cache
def decimal_digits() -> str:
    """Return all decimal digits; every script has its ten side by side, so a digit's value is its index modulo ten."""
    return "".join(regex.findall(DECIMAL, _two_planes()))


@cache
def code_point_ranges(pattern: str) -> str:
    r"""Return a class of characters as ranges of code points, for engines that have other versions of Unicode.

    Example:
        >>> code_point_ranges(r"\p{Lu}").startswith(r"\x{41}-\x{5A}\x{C0}-\x{D6}")
        True
    """
    return "".join(starmap(r"\x{{{:X}}}-\x{{{:X}}}".format, ((low, high - 1) for low, high in _runs_of(pattern))))


@cache
def character_classes() -> Bytes:
    """Return the class of every code point, shape (1,114,112,)."""
    classes = np.full(_CODE_POINTS, WORD, np.uint8)
    unspaced = np.zeros(_CODE_POINTS, np.bool_)
    for pattern, kind in ((r"\p{M}\p{Cf}", MARK), (r"\p{Z}\p{P}\p{S}\p{Cc}", GAP), (DECIMAL, DIGIT)):
        for low, high in _runs_of(pattern):
            classes[low:high] = kind
    for low, high in _runs_of(UNSPACED + _JAPANESE):
        unspaced[low:high] = True
    classes[unspaced & (classes == WORD)] = CHARACTER  # not the marks of these scripts, their punctuation and digits
    classes[0x20000:0x40000] = CHARACTER  # rare Chinese characters
    classes[0xE0000:0xF0000] = MARK  # tags and variation selectors; the planes after it are for private use
    classes[[0x0E33, 0x0EB3]] = MARK  # the Thai and the Lao vowel am, which Unicode keeps with their consonants
    classes[[0xFF9E, 0xFF9F]] = MARK  # the voicing marks of half-width kana
    classes[0x1F3FB:0x1F400] = MARK  # skin tones
    classes[[ord("'"), 0x2019, ord("-"), 0x2010, 0xB7]] = JOINER  # with the typographic apostrophe, hyphen, and dot
    classes[[ord("."), ord(","), 0x066B, 0x066C]] = SEPARATOR  # with those of Arabic numbers
    classes[ord("_")] = WORD
    marks = np.flatnonzero(classes[:_TWO_PLANES] == MARK)
    conjuncts = "\n".join(f"{_CONSONANT}{chr(mark)}{_CONSONANT}" for mark in marks)
    classes[[ord(found[1]) for found in regex.findall(r"(?m)^\X$", conjuncts)]] = LINKER
    for low, high in _runs_of(_FRAGILE):
        classes[low:high] = np.select(
            [classes[low:high] == kind for kind in (GAP, WORD, MARK)], [FRAGILE, FRAGILE_WORD, FRAGILE_MARK]
        )
    return classes


def is_whole_character(text: str, character: str) -> bool:
    """Return whether a written character of a text is grapheme clusters of it, and joins nothing after it.

    Example:
        >>> [is_whole_character("\u1780\u17d2\u1781 \u1782\u17d2", part) for part in ("\u1781", "\u1782\u17d2")]
        [False, False]
    """
    return not breaks_clusters(text, character, []) and not _CLUSTER.fullmatch(character + _CONSONANT)


def breaks_clusters(old: str, new: str, texts: Iterable[str]) -> bool:
    """Return whether an edit joined or cut grapheme clusters.

    Args:
        old: the text before the edit.
        new: the text after it.
        texts: what else the edit may show.

    Example:
        >>> breaks_clusters("\u1780\u17d2 \u1781", "\u1780\u17d2\u1781", [])
        True
    """
    known = {cluster for text in (" ", old, *texts) for cluster in _CLUSTER.findall(text)}
    return any(cluster not in known for cluster in _CLUSTER.findall(new))


def _units_of_texts(texts: pa.Array) -> Units:
    """Return the units of a string array."""
    data, bounds = string_bytes(texts)
    classes, joined, fragile = _classes(data, bounds)
    heads = bounds[:-1][np.diff(bounds) > 0]  # the first byte of each row that has bytes
    inside = classes > GAP
    split = _splits(classes, inside, joined, heads)
    starts, ends = _runs(inside) if split is None else _split_runs(inside, split)
    first = np.searchsorted(starts, bounds)
    row = np.repeat(np.arange(len(texts)), np.diff(first))
    rows = np.zeros(len(texts), np.bool_)
    rows[np.searchsorted(bounds, fragile, "right") - 1] = True
    return Units(data, bounds, starts, ends, first, row, classes[starts] != CHARACTER, rows)


def _units_of_tokens(tokens: pa.Array) -> Units:
    """Return the tokens of a list array as units, empty ones among them."""
    data, bounds = string_bytes(tokens.flatten())
    first = np.concatenate([[0], np.cumsum(list_lengths(tokens))])
    row = np.repeat(np.arange(len(tokens)), np.diff(first))
    start, end = bounds[:-1], bounds[1:]
    classes = np.append(_classes(data, bounds)[0], np.uint8(GAP))  # an empty last token starts at the end
    spaced = (classes[start] != CHARACTER) | (start == end)  # an empty token starts where the next one does
    return Units(data, bounds[first], start, end, first, row, spaced, np.zeros(len(tokens), np.bool_))


def _splits(classes: Bytes, inside: Mask, joined: Indices, heads: Indices) -> Mask | None:
    """Return where a unit begins although the byte before it belongs to a unit too; None where that is nowhere."""
    split = None
    if classes.max(initial=GAP) > DIGIT:
        split = classes == CHARACTER  # each is a unit alone, and what comes after it is another
        split[1:] |= (classes[1:] < CHARACTER) & (classes[:-1] > DIGIT)
        split[joined] = False
        split &= inside
    adjacent = heads[1:][inside[heads[1:]] & inside[heads[1:] - 1]]  # no gap separates two rows
    if len(adjacent):
        split = np.zeros(len(classes), np.bool_) if split is None else split
        split[adjacent] = True
    return split


def _runs(inside: Mask) -> tuple[Indices, Indices]:
    """Return the first byte of each run of bytes that belong to units, and the byte after its last."""
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    if len(inside) and inside[0]:
        edges = np.concatenate([[0], edges])
    if len(inside) and inside[-1]:
        edges = np.append(edges, len(inside))
    return np.ascontiguousarray(edges[::2]), np.ascontiguousarray(edges[1::2])


def _split_runs(inside: Mask, split: Mask) -> tuple[Indices, Indices]:
    """Return the same for runs that are split at the bytes where a unit begins."""
    start = inside.copy()
    start[1:] &= ~inside[:-1] | split[1:]
    last = inside.copy()
    last[:-1] &= start[1:] | ~inside[1:]
    return np.flatnonzero(start), np.flatnonzero(last) + 1


def _classes(data: Bytes, bounds: Indices) -> tuple[Bytes, Indices, Indices]:
    """Return the class of each byte, where a linker joins characters, and where text is fragile.

    Marks get the class of their base, joiners and separators that of their context: the classes hold no class above
    TRAIL. The second value are bytes at which a character begins that belongs to the unit before it, the third are
    bytes of characters that may join what an edit puts beside them.
    """
    classes = np.frombuffer(bytearray(data).translate(character_classes()[:256].tobytes()), np.uint8)
    leads = np.flatnonzero(data >= 0xC0)  # the first bytes of characters of several bytes
    for low, high, size in ((0xC0, 0xE0, 2), (0xE0, 0xF0, 3), (0xF0, 0xFF, 4)):
        of_size = leads[(data[leads] >= low) & (data[leads] < high)]
        if len(of_size):
            _fill_wide(data, of_size, size, classes)
    dependent = np.flatnonzero(classes > TRAIL)
    kinds = classes[dependent]
    joined, fragile = dependent[:0], [dependent[:0]]
    highest = kinds.max(initial=GAP)
    if highest >= FRAGILE:
        fragile.append(dependent[kinds >= FRAGILE])
        kinds = _CLASS_OF_FRAGILE[kinds]
        classes[dependent] = kinds
    if highest >= LINKER:
        linkers = dependent[kinds == LINKER]
        kinds[kinds == LINKER] = MARK
        classes[linkers] = MARK
        linkers = linkers[np.diff(linkers, append=-1) != 1]  # one byte of each, or of several together
        joined, dangling = _find_conjuncts(classes, dependent[kinds == MARK], linkers, bounds)
        fragile.append(dangling)
    marks = dependent[kinds == MARK]
    if len(marks):
        fragile.append(_fill_marks(classes, marks, bounds))
    joiners = dependent[kinds > MARK]
    if len(joiners):
        _fill_joiners(data, classes, joiners, bounds)
    return classes, joined, np.concatenate(fragile)


def _find_conjuncts(classes: Bytes, marks: Indices, linkers: Indices, bounds: Indices) -> tuple[Indices, Indices]:
    """Return the bytes at which a character begins that linkers join to the one before, and the linkers without any.

    A linker joins the first character after it and the marks beside it.
    """
    ends = bounds[1:][np.diff(bounds) > 0] - 1
    ends = ends[classes[ends] == MARK]  # where a row ends, no other joins it
    last = np.sort(np.concatenate([marks[np.diff(marks, append=-1) != 1], ends]))
    after = last[np.searchsorted(last, linkers)] + 1
    joins = classes[np.minimum(after, len(classes) - 1)]
    joins = (joins > GAP) & (joins <= CHARACTER)
    if len(ends):
        joins &= ~np.isin(after - 1, ends)
    return after[joins], linkers[~joins]


def _fill_wide(data: Bytes, leads: Indices, size: int, classes: Bytes) -> None:
    """Write the classes of characters of `size` bytes over all their bytes."""
    points = (data[leads] & (0x7F >> size)).astype(np.int32)
    for offset in range(1, size):
        points <<= 6
        points |= data[leads + offset] & 0x3F
    kinds = character_classes()[points]
    classes[leads] = kinds
    kinds[kinds == CHARACTER] = TRAIL
    for offset in range(1, size):
        classes[leads + offset] = kinds


def _fill_marks(classes: Bytes, marks: Indices, bounds: Indices) -> Indices:
    """Give each mark the class of the character before it in its row; return the marks that are in a gap."""
    heads = bounds[:-1][np.diff(bounds) > 0]
    first = heads[classes[heads] == MARK]
    classes[first] = GAP  # a mark without a base
    base = np.where(classes == MARK, 0, np.arange(len(classes), dtype=np.int32))
    if len(first):
        marks = marks[classes[marks] == MARK]
    kinds = _CLASS_OF_MARK[classes[np.maximum.accumulate(base)[marks]]]
    classes[marks] = kinds
    return np.concatenate([first, marks[kinds == GAP]])


def _fill_joiners(data: Bytes, classes: Bytes, joiners: Indices, bounds: Indices) -> None:
    """Give joiners and separators the class WORD inside a word or number, and GAP elsewhere."""
    runs = np.flatnonzero(np.diff(joiners, prepend=-2) != 1)
    low = joiners[runs]
    high = joiners[np.append(runs[1:] - 1, len(joiners) - 1)]
    before, after = classes[np.maximum(low - 1, 0)], classes[np.minimum(high + 1, len(classes) - 1)]
    digits = (before == DIGIT) & (after == DIGIT)
    words = ((before == WORD) | (before == DIGIT)) & ((after == WORD) | (after == DIGIT))
    size = np.where(data[low] < 0x80, 1, np.where(data[low] < 0xE0, 2, 3))
    single = high - low + 1 == size
    inside = single & np.where(classes[low] == JOINER, words, digits)
    inside &= np.searchsorted(bounds, low - 1, "right") == np.searchsorted(bounds, high + 1, "right")  # of one row
    classes[joiners] = np.where(np.repeat(inside, high - low + 1), WORD, GAP)


def _runs_of(pattern: str) -> list[tuple[int, int]]:
    """Return the runs of code points in a class of characters."""
    return [found.span() for found in regex.finditer(f"[{pattern}]+", _two_planes())]


@cache
def _two_planes() -> str:
    """Return the characters of the first two planes in their order, with a space for each half of a surrogate."""
    return "".join(" " if 0xD800 <= point < 0xE000 else chr(point) for point in range(_TWO_PLANES))
