"""Texts: a plan for some rows written out as strings, in which every untouched byte is as it was."""

from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa

from xquality.data.arrow import Indices, Mask
from xquality.transforms.translation_noise.pieces import gather, strings
from xquality.transforms.translation_noise.plan import Plan
from xquality.transforms.translation_noise.segmentation import Bytes, Units, bytes_of


@final
@dataclass(frozen=True)
class Written:
    """Some rows as a sequence of pieces of a source: their own bytes, and after them the new texts.

    Attributes:
        source: the bytes that pieces are taken from.
        start: the first byte of each piece, shape (pieces,).
        end: the byte after its last, shape (pieces,).
        stop: for each row, the piece after its last one, shape (rows,).
        added: whether a piece is a unit said again, which stands elsewhere as well, shape (pieces,).
    """

    source: Bytes
    start: Indices
    end: Indices
    stop: Indices
    added: Mask

    def texts(self) -> pa.Array:
        """Return the rows as strings."""
        if not len(self.stop):
            return pa.array([], pa.large_string())
        ends = np.cumsum(self.end - self.start)
        offsets = np.concatenate([[0], ends[self.stop - 1]])
        split = np.flatnonzero(self.start[1:] != self.end[:-1]) + 1  # pieces that follow each other are one
        whole = np.concatenate([[0], split])
        return strings(gather(self.source, self.start[whole], self.end[np.append(split, len(self.end)) - 1]), offsets)

    def moved(self, start: Indices, end: Indices) -> Indices:
        """Return where stretches of the old texts begin in the new ones, -1 for one that is not whole there.

        A unit that is said again counts only where it stood first, so that no stretch is found in what was added.

        Args:
            start: the first byte of each, counted from the start of the source, shape (stretches,).
            end: the byte after its last, shape (stretches,).

        Returns:
            Bytes counted from the start of the first new text, shape (stretches,).
        """
        length = self.end - self.start
        filled = np.flatnonzero(length > 0)
        low, high, added = self.start[filled], self.end[filled], self.added[filled]
        parted = np.ones(len(filled), np.bool_)
        parted[1:] = (low[1:] != high[:-1]) | added[1:] | added[:-1]
        heads = np.flatnonzero(parted)  # where each run begins that was copied in one go
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


def write(units: Units, plan: Plan) -> Written:
    """Return the rows after a plan, piece by piece.

    A gap belongs to its place, so that punctuation stays where it was when words change places; a lost unit takes the
    gap before it along, and the first of a row the gap after it.
    """
    source, start, end, new = _with_texts(units, plan)
    rows = len(units.first) - 1
    opens = np.zeros(len(plan.unit), np.bool_)
    opens[plan.first[:-1][np.diff(plan.first) > 0]] = True
    plain = plan.unit == plan.slot
    if len(plan.renewed):
        plain &= ~new[plan.unit]
    follows = np.zeros(len(plan.unit), np.bool_)  # the item goes on where the last one ended
    follows[1:] = plain[1:] & plain[:-1] & (plan.slot[1:] == plan.slot[:-1] + 1)
    follows &= ~opens
    heads = np.flatnonzero(~follows)
    unit, slot, row = plan.unit[heads], plan.slot[heads], units.row[plan.unit[heads]]
    gap_start, gap_end = _gaps(units, slot, row, opens[heads], units.spaced[unit], len(units.data))
    last_unit = plan.unit[np.append(heads[1:], len(plan.unit)) - 1] if len(heads) else unit
    # Each row's pieces are those of its heads, a gap and a text each, and then its end.
    tails = 2 * np.cumsum(np.bincount(row, minlength=rows)) + np.arange(rows)
    gaps = 2 * np.arange(len(heads)) + row
    said = gaps + 1
    starts, ends = np.empty(2 * len(heads) + rows, np.int64), np.empty(2 * len(heads) + rows, np.int64)
    starts[gaps], ends[gaps] = gap_start, gap_end
    starts[said], ends[said] = start[unit], end[last_unit]
    filled = units.counts > 0
    starts[tails] = units.bounds[:-1]
    starts[tails[filled]] = units.end[units.first[1:][filled] - 1]
    ends[tails] = np.where(plan.cut, starts[tails], units.bounds[1:])
    added = np.zeros(len(starts), np.bool_)
    added[said] = slot < 0
    return Written(source, starts, ends, tails + 1, added)


def _with_texts(units: Units, plan: Plan) -> tuple[Bytes, Indices, Indices, Mask]:
    """Return the source with a space and the new texts after it, and where each unit stands in it."""
    space = np.frombuffer(b" ", np.uint8)
    if not len(plan.renewed):
        return np.concatenate([units.data, space]), units.start, units.end, np.empty(0, np.bool_)
    added, bounds = bytes_of(plan.texts)
    start, end, new = units.start.copy(), units.end.copy(), np.zeros(len(units.start), np.bool_)
    start[plan.renewed] = len(units.data) + 1 + bounds[:-1]
    end[plan.renewed] = len(units.data) + 1 + bounds[1:]
    new[plan.renewed] = True
    return np.concatenate([units.data, space, added]), start, end, new


def _gaps(units: Units, slot: Indices, row: Indices, opens: Mask, spaced: Mask, space: int) -> tuple[Indices, Indices]:
    """Return what stands before each item: the text that opens its row, the gap of its place, or a space."""
    before, after = units.end[np.maximum(slot, 1) - 1], units.start[slot]
    head = np.flatnonzero(opens)
    before[head] = units.bounds[row[head]]
    after[head] = units.start[units.first[row[head]]]
    copies = np.flatnonzero((slot < 0) & ~opens)
    before[copies] = space
    after[copies] = space + spaced[copies]
    return before, after
