"""Units of text for whole columns at once: words where a script has spaces, written characters where it has none.

A unit is a run of letters, digits and their marks, with apostrophes, hyphens and decimal signs inside it; in Chinese,
Japanese, Thai, Lao, Khmer and Burmese it is one written character with its marks. White space, punctuation, symbols
and emoji belong to the gaps between units. Everything is done on the UTF-8 bytes, for a column of rows in one go.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from xquality.data.arrow import Indices, Mask, is_text, list_lengths
from xquality.transforms.translation_noise.characters import (
    CHARACTER,
    DIGIT,
    GAP,
    JOINER,
    MARK,
    TRAIL,
    WORD,
    classes,
)

Bytes = NDArray[np.uint8]

_TAKES_MARKS = np.array([GAP, WORD, DIGIT, TRAIL, TRAIL, GAP, GAP, GAP], np.uint8)


@final
@dataclass(frozen=True)
class Units:
    """The units of some rows of text.

    Attributes:
        data: the UTF-8 bytes of all rows, one after the other.
        bounds: where each row starts, and the end of the last, shape (rows + 1,).
        start: the first byte of each unit, shape (units,).
        end: the byte after its last, shape (units,).
        first: the first unit of each row, and the number of units, shape (rows + 1,).
        row: the row of each unit, shape (units,).
        spaced: whether spaces part the unit from others of its script, shape (units,).
    """

    data: Bytes
    bounds: Indices
    start: Indices
    end: Indices
    first: Indices
    row: Indices
    spaced: NDArray[np.bool_]

    @property
    def counts(self) -> Indices:
        """How many units each row has, shape (rows,)."""
        return np.diff(self.first)

    @property
    def empty(self) -> NDArray[np.bool_]:
        """Which units hold no text, as tokens of a list may, shape (units,)."""
        return np.equal(self.start, self.end)

    def text(self, unit: int) -> str:
        """Return a unit as a string."""
        return self.data[self.start[unit] : self.end[unit]].tobytes().decode()

    def filled(self) -> "Units":
        """Return the same rows without the units that hold no text."""
        if not self.empty.any():
            return self
        kept = ~self.empty
        first = np.concatenate([[0], np.cumsum(kept)])[self.first]
        return Units(self.data, self.bounds, self.start[kept], self.end[kept], first, self.row[kept], self.spaced[kept])


def segment(texts: pa.Array) -> Units:
    """Return the units of a string array; a null has none.

    Example:
        >>> units = segment(pa.array(["¿Qué tal, Ana?", "東京 2020"]))
        >>> [units.text(one) for one in range(len(units.start))]
        ['Qué', 'tal', 'Ana', '東', '京', '2020']
    """
    data, bounds = bytes_of(texts)
    kinds = _classes(data, bounds)
    heads = bounds[:-1][np.diff(bounds) > 0]  # rows that hold a byte
    inside = kinds > GAP
    split = _splits(kinds, inside, heads)
    starts, ends = _runs(inside) if split is None else _parted_runs(inside, split)
    first = np.searchsorted(starts, bounds)
    row = np.repeat(np.arange(len(texts)), np.diff(first))
    return Units(data, bounds, starts, ends, first, row, kinds[starts] != CHARACTER)


def segment_lists(tokens: pa.Array) -> Units:
    """Return the tokens of a list array as units, each token one; a null has none."""
    data, bounds = bytes_of(tokens.flatten())
    first = np.concatenate([[0], np.cumsum(list_lengths(tokens))])
    row = np.repeat(np.arange(len(tokens)), np.diff(first))
    start, end = bounds[:-1], bounds[1:]
    kinds = np.append(_classes(data, bounds), np.uint8(GAP))  # an empty last token starts at the end
    spaced = (kinds[start] != CHARACTER) | (start == end)  # at the start of an empty token stands the next one
    return Units(data, bounds[first], start, end, first, row, spaced)


def units_of(values: pa.Array) -> Units:
    """Return the units of an array of strings or of lists of strings."""
    return segment(values) if is_text(values.type) else segment_lists(values)


def bytes_of(texts: pa.Array) -> tuple[Bytes, Indices]:
    """Return the bytes of a string array and the bounds of its rows in them."""
    filled = pc.fill_null(texts, "") if texts.null_count else texts
    width = np.int64 if pa.types.is_large_string(filled.type) else np.int32
    _, offsets, data = filled.buffers()
    if not len(filled) or data is None:
        return np.empty(0, np.uint8), np.zeros(len(filled) + 1, np.int64)
    bounds = np.frombuffer(offsets, width)[filled.offset : filled.offset + len(filled) + 1].astype(np.int64)
    return np.frombuffer(data, np.uint8)[bounds[0] : bounds[-1]], bounds - bounds[0]


def _splits(kinds: Bytes, inside: Mask, heads: Indices) -> Mask | None:
    """Return where a unit begins though the byte before it is in one too; None where that is nowhere."""
    split = None
    if kinds.max(initial=GAP) > DIGIT:
        split = kinds == CHARACTER  # each is a unit of its own, and so is what comes after it
        split[1:] |= (kinds[1:] < CHARACTER) & (kinds[:-1] > DIGIT)
        split &= inside
    met = heads[1:][inside[heads[1:]] & inside[heads[1:] - 1]]  # no sign stands between two rows
    if len(met):
        split = np.zeros(len(kinds), np.bool_) if split is None else split
        split[met] = True
    return split


def _runs(inside: Mask) -> tuple[Indices, Indices]:
    """Return where runs of bytes in units begin, and the bytes after their ends."""
    edges = np.flatnonzero(inside[1:] != inside[:-1]) + 1
    if len(inside) and inside[0]:
        edges = np.concatenate([[0], edges])
    if len(inside) and inside[-1]:
        edges = np.append(edges, len(inside))
    return np.ascontiguousarray(edges[::2]), np.ascontiguousarray(edges[1::2])


def _parted_runs(inside: Mask, split: Mask) -> tuple[Indices, Indices]:
    """Return the same for runs that are parted further, at the bytes where a unit begins."""
    start = inside.copy()
    start[1:] &= ~inside[:-1] | split[1:]
    last = inside.copy()
    last[:-1] &= start[1:] | ~inside[1:]
    return np.flatnonzero(start), np.flatnonzero(last) + 1


def _classes(data: Bytes, bounds: Indices) -> Bytes:
    """Return the class of each byte; marks have taken the class of what they stand on, joiners that of their place."""
    kinds = np.frombuffer(bytearray(data).translate(classes()[:256].tobytes()), np.uint8)
    leads = np.flatnonzero(data >= 0xC0)  # of characters of several bytes
    for low, high, size in ((0xC0, 0xE0, 2), (0xE0, 0xF0, 3), (0xF0, 0xFF, 4)):
        mine = leads[(data[leads] >= low) & (data[leads] < high)]
        if len(mine):
            _fill_wide(data, mine, size, kinds)
    unsettled = np.flatnonzero(kinds > TRAIL)
    if (kinds[unsettled] == MARK).any():
        _fill_marks(kinds, bounds)
    joined = unsettled[kinds[unsettled] > MARK]
    if len(joined):
        _fill_joiners(data, kinds, joined, bounds)
    return kinds


def _fill_wide(data: Bytes, leads: Indices, size: int, kinds: Bytes) -> None:
    """Write the classes of characters of `size` bytes over all their bytes."""
    points = (data[leads] & (0x7F >> size)).astype(np.int32)
    for place in range(1, size):
        points <<= 6
        points |= data[leads + place] & 0x3F
    kind = classes()[points]
    kinds[leads] = kind
    kind[kind == CHARACTER] = TRAIL
    for place in range(1, size):
        kinds[leads + place] = kind


def _fill_marks(kinds: Bytes, bounds: Indices) -> None:
    """Give each mark the class of the character it stands on, within its row."""
    heads = bounds[:-1][np.diff(bounds) > 0]
    first = heads[kinds[heads] == MARK]
    kinds[first] = GAP  # a mark that stands on nothing
    base = np.where(kinds == MARK, 0, np.arange(len(kinds), dtype=np.int32))
    marks = np.flatnonzero(kinds == MARK)
    kinds[marks] = _TAKES_MARKS[kinds[np.maximum.accumulate(base)[marks]]]


def _fill_joiners(data: Bytes, kinds: Bytes, joined: Indices, bounds: Indices) -> None:
    """Make joiners part of the word they stand in, and gaps elsewhere."""
    runs = np.flatnonzero(np.diff(joined, prepend=-2) != 1)
    low = joined[runs]
    high = joined[np.append(runs[1:] - 1, len(joined) - 1)]
    before, after = kinds[np.maximum(low - 1, 0)], kinds[np.minimum(high + 1, len(kinds) - 1)]
    digits = (before == DIGIT) & (after == DIGIT)
    words = ((before == WORD) | (before == DIGIT)) & ((after == WORD) | (after == DIGIT))
    size = np.where(data[low] < 0x80, 1, np.where(data[low] < 0xE0, 2, 3))
    alone = high - low + 1 == size
    inside = alone & np.where(kinds[low] == JOINER, words, digits)
    inside &= np.searchsorted(bounds, low - 1, "right") == np.searchsorted(bounds, high + 1, "right")  # one row
    kinds[joined] = np.where(np.repeat(inside, high - low + 1), WORD, GAP)
