"""Plan: the units that come out of some rows, in their order, after every strike."""

from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from xquality.data.arrow import Indices
from xquality.transforms.translation_noise.segmentation import Units
from xquality.transforms.translation_noise.strikes import Strikes

_FARTHEST = 3  # how many places a reordered unit moves at most, as in the noise of Lample et al. 2018
_PHRASE = 4  # how many units a hallucinated phrase has at most


@final
@dataclass(frozen=True)
class Plan:
    """The items that come out of some rows.

    Attributes:
        unit: the unit that each item shows, shape (items,).
        slot: the unit whose place the item takes, and with it the gap before it; -1 for an added copy.
        first: the first item of each row, and the number of items, shape (rows + 1,).
        cut: whether the end of a row is lost, with the text after its last unit, shape (rows,).
        renewed: the units that get a new text.
        texts: their new texts, shape (renewed,).
    """

    unit: Indices
    slot: Indices
    first: Indices
    cut: NDArray[np.bool_]
    renewed: Indices
    texts: pa.LargeStringArray


def plan(units: Units, strikes: Strikes) -> Plan:
    """Return what comes out of the rows.

    Units change places first, then some are lost, with the end of a truncated row, and others are said twice; a
    hallucinated tail comes last.
    """
    counts = units.counts
    unit = _reordered(units, strikes)
    slot = np.arange(len(units.start))
    lost = np.zeros(len(slot), np.bool_)
    lost[strikes.units.get("omission", slot[:0])] = True
    cut = np.zeros(len(counts), np.bool_)
    ends, kept = _truncated(units, strikes)
    if len(ends):
        cut[ends] = True
        limit = units.first[1:].copy()
        limit[ends] = units.first[ends] + kept
        lost |= slot >= limit[units.row]
    if lost.any():
        counts = counts - np.bincount(units.row[lost], minlength=len(counts))
        slot = np.flatnonzero(~lost[unit])
        unit = unit[slot]
    unit, slot, counts = _with_copies(units, strikes, unit, slot, counts)
    unit, slot, counts = _with_tails(units, strikes, unit, slot, counts)
    return Plan(unit, slot, _bounds(counts), cut, strikes.renewed, strikes.texts)


def _bounds(counts: Indices) -> Indices:
    """Return where each row begins, and the end of the last."""
    return np.concatenate([[0], np.cumsum(counts)])


def _reordered(units: Units, strikes: Strikes) -> Indices:
    """Return the unit in each slot: a struck one moves up to three places on, or back where it is its row's last."""
    order = np.arange(len(units.start))
    struck = strikes.units.get("reordering", order[:0])
    if not len(struck):
        return order
    row = units.row[struck]
    after, before = units.first[row + 1] - 1 - struck, struck - units.first[row]
    room = np.where(after > 0, after, before)
    luck = strikes.drawn_units.of(strikes.drawn_units.uids[struck]).uniform("move")
    far = 1 + (luck * np.minimum(room, _FARTHEST)).astype(np.int64)
    low, high = np.where(after > 0, struck, struck - far), np.where(after > 0, struck + far, struck)
    passed = np.zeros(len(order), np.bool_)  # all units that a move passes over
    for step in range(_FARTHEST + 1):
        passed[np.minimum(low + step, high)] = True
    window = np.flatnonzero(passed)
    place = 2 * window  # the places of unmoved units are even, a moved one goes between two of them
    place[np.searchsorted(window, struck)] = np.where(after > 0, 2 * (struck + far) + 1, 2 * (struck - far) - 1)
    order[window] = window[np.argsort(place, kind="stable")]
    return order


def _truncated(units: Units, strikes: Strikes) -> tuple[Indices, Indices]:
    """Return the rows that lose their end, and how many units they keep: half of them or more."""
    rows = strikes.rows.get("truncation", np.empty(0, np.int64))
    luck = strikes.drawn.of(strikes.drawn.uids[rows]).uniform("cut")
    counts = units.counts[rows]
    return rows, counts - 1 - (luck * (counts // 2)).astype(np.int64)


def _with_copies(
    units: Units, strikes: Strikes, unit: Indices, slot: Indices, counts: Indices
) -> tuple[Indices, Indices, Indices]:
    """Return the items with each repeated unit said once more, and how many each row has."""
    struck = strikes.units.get("repetition", unit[:0])
    if not len(struck):
        return unit, slot, counts
    twice = np.zeros(len(units.start), np.bool_)
    twice[struck] = True
    places = np.flatnonzero(twice[unit]) + 1
    again = unit[places - 1]
    counts = counts + np.bincount(units.row[again], minlength=len(counts))
    return np.insert(unit, places, again), np.insert(slot, places, -1), counts


def _with_tails(
    units: Units, strikes: Strikes, unit: Indices, slot: Indices, counts: Indices
) -> tuple[Indices, Indices, Indices]:
    """Return the items with a phrase of the row said twice or three times more at the end of hallucinated rows."""
    rows = strikes.rows.get("hallucination", unit[:0])
    if not len(rows):
        return unit, slot, counts
    drawn, old = strikes.drawn.of(strikes.drawn.uids[rows]), units.counts[rows]
    length = 1 + (drawn.uniform("phrase") * np.minimum(old, _PHRASE)).astype(np.int64)
    start = units.first[rows] + (drawn.uniform("from") * (old - length + 1)).astype(np.int64)
    times = 2 + drawn.integers("times", 2)
    total = length * times
    turn = np.arange(total.sum()) - np.repeat(np.cumsum(total) - total, total)
    tail = np.repeat(start, total) + turn % np.repeat(length, total)
    places = np.repeat(_bounds(counts)[rows + 1], total)
    counts = counts.copy()
    counts[rows] += total
    return np.insert(unit, places, tail), np.insert(slot, places, -1), counts
