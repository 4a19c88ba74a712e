"""Edits: drawn errors applied to rows, as a plan of the units that come out and then as new texts or tokens.

Between the units of a text every byte stays as it was, unless the unit next to it is lost.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa

from xquality.data.arrow import Indices, Mask, make_lists_like
from xquality.transforms.translation_noise.drawing import DrawnErrors
from xquality.transforms.translation_noise.segmentation import (
    Bytes,
    Units,
    gather_bytes,
    string_bytes,
    strings_from_bytes,
)

_FARTHEST = 3  # how many places a reordered unit moves at most, as in the noise of Lample et al. 2018
_LONGEST_PHRASE = 4  # units of a hallucinated phrase


@final
@dataclass(frozen=True)
class EditPlan:
    """The units that come out of some rows, in their order; an item is one of them.

    Attributes:
        unit: the unit that each item shows, shape (items,).
        slot: the unit whose place the item takes, and with it the gap before it; -1 for an added copy, shape (items,).
        first: the first item of each row, and the number of items, shape (rows + 1,).
        truncated: whether the end of a row is lost, with the text after its last unit, shape (rows,).
        replaced: the units that get a new text.
        texts: their new texts, shape (replaced,).
    """

    unit: Indices
    slot: Indices
    first: Indices
    truncated: Mask
    replaced: Indices
    texts: pa.LargeStringArray


def plan_edits(units: Units, errors: DrawnErrors) -> EditPlan:
    """Return the units that come out of the rows.

    Units are reordered first; then some are omitted, or cut off at the end of a truncated row; then others are
    repeated; a hallucinated tail comes last.
    """
    counts = units.counts
    unit = _reorder(units, errors)
    slot = np.arange(len(units.start))
    lost = np.zeros(len(slot), np.bool_)
    lost[errors.units.get("omission", slot[:0])] = True
    truncated = np.zeros(len(counts), np.bool_)
    rows, kept = _truncate(units, errors)
    if len(rows):
        truncated[rows] = True
        limit = units.first[1:].copy()
        limit[rows] = units.first[rows] + kept
        lost |= slot >= limit[units.row]
    if lost.any():
        counts = counts - np.bincount(units.row[lost], minlength=len(counts))
        slot = np.flatnonzero(~lost[unit])
        unit = unit[slot]
    unit, slot, counts = _insert(units, unit, slot, counts, *_repeat(units, errors, unit))
    unit, slot, counts = _insert(units, unit, slot, counts, *_hallucinate(units, errors, counts))
    return EditPlan(unit, slot, _firsts(counts), truncated, errors.replaced, errors.texts)


def _firsts(counts: Indices) -> Indices:
    """Return the first item of each row, and the number of items, shape (rows + 1,)."""
    return np.concatenate([[0], np.cumsum(counts)])


def _insert(
    units: Units, unit: Indices, slot: Indices, counts: Indices, copies: Indices, places: Indices
) -> tuple[Indices, Indices, Indices]:
    """Return the units, the slots and the counts of items with copies of units inserted before some items."""
    if not len(copies):
        return unit, slot, counts
    counts = counts + np.bincount(units.row[copies], minlength=len(counts))
    return np.insert(unit, places, copies), np.insert(slot, places, -1), counts


def _reorder(units: Units, errors: DrawnErrors) -> Indices:
    """Return the unit in each slot: a reordered one moves up to three places on, or back where it is its row's last."""
    order = np.arange(len(units.start))
    moved = errors.units.get("reordering", order[:0])
    if not len(moved):
        return order
    row = units.row[moved]
    after, before = units.first[row + 1] - 1 - moved, moved - units.first[row]
    room = np.where(after > 0, after, before)
    uniform = errors.unit_draw.of(errors.unit_draw.uids[moved]).uniform("move")
    far = 1 + (uniform * np.minimum(room, _FARTHEST)).astype(np.int64)
    low, high = np.where(after > 0, moved, moved - far), np.where(after > 0, moved + far, moved)
    passed = np.zeros(len(order), np.bool_)  # all units that a move passes over
    for step in range(_FARTHEST + 1):
        passed[np.minimum(low + step, high)] = True
    window = np.flatnonzero(passed)
    place = 2 * window  # the places of unmoved units are even; a moved one goes between two of them
    place[np.searchsorted(window, moved)] = np.where(after > 0, 2 * (moved + far) + 1, 2 * (moved - far) - 1)
    order[window] = window[np.argsort(place, kind="stable")]
    return order


def _truncate(units: Units, errors: DrawnErrors) -> tuple[Indices, Indices]:
    """Return the rows that lose their end, and how many units they keep: half of them or more."""
    rows = errors.rows.get("truncation", np.empty(0, np.int64))
    uniform = errors.row_draw.of(errors.row_draw.uids[rows]).uniform("cut")
    counts = units.counts[rows]
    return rows, counts - 1 - (uniform * (counts // 2)).astype(np.int64)


def _repeat(units: Units, errors: DrawnErrors, unit: Indices) -> tuple[Indices, Indices]:
    """Return a copy of each repeated unit, and the item before which it is inserted."""
    repeated = errors.units.get("repetition", unit[:0])
    if not len(repeated):
        return repeated, repeated
    twice = np.zeros(len(units.start), np.bool_)
    twice[repeated] = True
    places = np.flatnonzero(twice[unit]) + 1
    return unit[places - 1], places


def _hallucinate(units: Units, errors: DrawnErrors, counts: Indices) -> tuple[Indices, Indices]:
    """Return a phrase of each hallucinated row two or three times, and the item before which each unit is inserted."""
    rows = errors.rows.get("hallucination", counts[:0])
    if not len(rows):
        return rows, rows
    draw, available = errors.row_draw.of(errors.row_draw.uids[rows]), units.counts[rows]
    length = 1 + (draw.uniform("phrase") * np.minimum(available, _LONGEST_PHRASE)).astype(np.int64)
    start = units.first[rows] + (draw.uniform("from") * (available - length + 1)).astype(np.int64)
    times = 2 + draw.integers("times", 2)
    total = length * times
    step = np.arange(total.sum()) - np.repeat(np.cumsum(total) - total, total)
    return np.repeat(start, total) + step % np.repeat(length, total), np.repeat(_firsts(counts)[rows + 1], total)


@final
@dataclass(frozen=True)
class PieceTable:
    """The new texts of some rows as ranges of bytes of a source: the old texts, with the new texts of units after them.

    Attributes:
        source: the bytes that pieces are ranges of.
        start: the first byte of each piece, shape (pieces,).
        end: the byte after its last, shape (pieces,).
        stop: the piece after the last one of each row, shape (rows,).
        added: whether a piece is a copy of a unit, which is also at its own place, shape (pieces,).
    """

    source: Bytes
    start: Indices
    end: Indices
    stop: Indices
    added: Mask

    def to_strings(self) -> pa.Array:
        """Return the new texts, shape (rows,)."""
        if not len(self.stop):
            return pa.array([], pa.large_string())
        ends = np.cumsum(self.end - self.start)
        bounds = np.concatenate([[0], ends[self.stop - 1]])
        split = np.flatnonzero(self.start[1:] != self.end[:-1]) + 1  # adjacent pieces are copied together
        heads = np.concatenate([[0], split])
        data = gather_bytes(self.source, self.start[heads], self.end[np.append(split, len(self.end)) - 1])
        return strings_from_bytes(data, bounds)

    def new_starts(self, start: Indices, end: Indices) -> Indices:
        """Return the first byte that ranges of the old texts have in the new ones, -1 where a range is not whole there.

        Added copies of a unit do not count, so that no range is found in one.

        Args:
            start: the first byte of each range in the source, shape (ranges,).
            end: the byte after its last, shape (ranges,).

        Returns:
            Bytes counted from the start of the first new text, shape (ranges,).
        """
        length = self.end - self.start
        filled = np.flatnonzero(length > 0)
        low, high, added = self.start[filled], self.end[filled], self.added[filled]
        separate = np.ones(len(filled), np.bool_)
        separate[1:] = (low[1:] != high[:-1]) | added[1:] | added[:-1]
        heads = np.flatnonzero(separate)  # the first piece of each run of adjacent pieces
        last = np.append(heads[1:], len(filled))[: len(heads)] - 1
        heads, last = heads[~added[heads]], last[~added[heads]]
        order = np.argsort(low[heads])
        heads, last = heads[order], last[order]
        run = np.searchsorted(low[heads], start, "right") - 1
        whole = run >= 0
        whole[whole] = end[whole] <= high[last[run[whole]]]
        found = np.full(len(start), -1)
        head = heads[run[whole]]
        found[whole] = (np.cumsum(length) - length)[filled[head]] + start[whole] - low[head]
        return found


def edit_texts(units: Units, plan: EditPlan) -> PieceTable:
    """Return the new texts of rows of strings, piece by piece.

    A gap keeps its place, so that punctuation stays where it was when words change places. A lost unit takes the gap
    before it along, the first unit of a row the gap after it.
    """
    source, start, end, new = _source(units, plan)
    rows = len(units.first) - 1
    opens = np.zeros(len(plan.unit), np.bool_)
    opens[plan.first[:-1][np.diff(plan.first) > 0]] = True
    plain = plan.unit == plan.slot
    if len(plan.replaced):
        plain &= ~new[plan.unit]
    follows = np.zeros(len(plan.unit), np.bool_)  # the item and the one before it are neighbours in the old text too
    follows[1:] = plain[1:] & plain[:-1] & (plan.slot[1:] == plan.slot[:-1] + 1)
    follows &= ~opens
    heads = np.flatnonzero(~follows)
    unit, slot, row = plan.unit[heads], plan.slot[heads], units.row[plan.unit[heads]]
    gap_start, gap_end = _gaps(units, slot, row, opens[heads], units.spaced[unit], len(units.data))
    last_unit = plan.unit[np.append(heads[1:], len(plan.unit)) - 1] if len(heads) else unit
    # The pieces of a row are a gap and a text for each of its heads, and then the end of the row.
    tails = 2 * np.cumsum(np.bincount(row, minlength=rows)) + np.arange(rows)
    gaps = 2 * np.arange(len(heads)) + row
    texts = gaps + 1
    starts, ends = np.empty(2 * len(heads) + rows, np.int64), np.empty(2 * len(heads) + rows, np.int64)
    starts[gaps], ends[gaps] = gap_start, gap_end
    starts[texts], ends[texts] = start[unit], end[last_unit]
    filled = units.counts > 0
    starts[tails] = units.bounds[:-1]
    starts[tails[filled]] = units.end[units.first[1:][filled] - 1]
    ends[tails] = np.where(plan.truncated, starts[tails], units.bounds[1:])
    added = np.zeros(len(starts), np.bool_)
    added[texts] = slot < 0
    return PieceTable(source, starts, ends, tails + 1, added)


def _source(units: Units, plan: EditPlan) -> tuple[Bytes, Indices, Indices, Mask]:
    """Return the old texts with a space and the new texts of units after them, and the place of each unit in it.

    Returns:
        The bytes; the first byte of each unit and the byte after its last; whether its text is new, or no such mask
        where none is.
    """
    space = np.frombuffer(b" ", np.uint8)
    if not len(plan.replaced):
        return np.concatenate([units.data, space]), units.start, units.end, np.empty(0, np.bool_)
    added, bounds = string_bytes(plan.texts)
    start, end, new = units.start.copy(), units.end.copy(), np.zeros(len(units.start), np.bool_)
    start[plan.replaced] = len(units.data) + 1 + bounds[:-1]
    end[plan.replaced] = len(units.data) + 1 + bounds[1:]
    new[plan.replaced] = True
    return np.concatenate([units.data, space, added]), start, end, new


def _gaps(units: Units, slot: Indices, row: Indices, opens: Mask, spaced: Mask, space: int) -> tuple[Indices, Indices]:
    """Return the bytes before each item: the start of its row, the gap of its slot, or a space before a copy."""
    start, end = units.end[np.maximum(slot, 1) - 1], units.start[slot]
    head = np.flatnonzero(opens)
    start[head] = units.bounds[row[head]]
    end[head] = units.start[units.first[row[head]]]
    copies = np.flatnonzero((slot < 0) & ~opens)
    start[copies] = space
    end[copies] = space + spaced[copies]
    return start, end


def edit_tokens(tokens: pa.Array, plan: EditPlan) -> pa.Array:
    """Return the new lists of tokens."""
    flat = tokens.flatten()
    place = np.arange(len(flat))
    place[plan.replaced] = len(flat) + np.arange(len(plan.replaced))
    values = pa.concat_arrays([flat, plan.texts.cast(flat.type)])
    return make_lists_like(tokens, values.take(pa.array(place[plan.unit])), np.diff(plan.first))
