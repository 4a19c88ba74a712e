"""Which units and rows are struck, and by what: keyed by row and position, nested along the severity.

May import: randomness, transforms.translation_noise.replacement, transforms.translation_noise.segmentation |
numpy, pyarrow.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from xquality.randomness import Draw, mix
from xquality.transforms.translation_noise.replacement import Replacement
from xquality.transforms.translation_noise.segmentation import Places, Units

WORD_KINDS = ("omission", "repetition", "reordering", "wrong_word", "untranslated", "entity")
ROW_KINDS = ("truncation", "hallucination")


@final
@dataclass(frozen=True)
class Strikes:
    """What happens to some rows of text.

    Attributes:
        units: for each kind of error in single units, which units it strikes.
        rows: for each kind of error in whole rows, which rows it strikes.
        renewed: the units that get a new text, each once.
        texts: their new texts, shape (renewed,).
        drawn: the randomness of the rows, for how a row is struck.
        drawn_units: the randomness of all units, for how a unit is struck.
    """

    units: dict[str, Places]
    rows: dict[str, Places]
    renewed: Places
    texts: pa.LargeStringArray
    drawn: Draw
    drawn_units: Draw

    def counts(self) -> dict[str, int]:
        """Return how often each kind struck."""
        return {kind: len(struck) for kind, struck in {**self.units, **self.rows}.items()}


def strike(
    units: Units, draw: Draw, severity: float, kinds: Sequence[str], replacement: Replacement, column: str
) -> Strikes:
    """Return what a severity does to some rows.

    Each unit is struck with the probability `severity`, and then by one of the kinds for units, each as likely; a kind
    that cannot strike it gives way to the next. Each row is struck alike by the kinds for rows.

    Args:
        units: the units of the rows.
        draw: the randomness of the call, keyed by the rows.
        severity: the probability.
        kinds: the kinds of error, each once.
        replacement: where the new texts of units come from.
        column: the column's name, so that two columns of a row are struck apart.
    """
    keyed = mix(draw.uids + np.uint64(1))
    place = np.arange(len(units.start)) - units.first[units.row]
    scope = f"{draw.scope}/{column}"
    drawn = Draw(draw.seed, scope, draw.stream, keyed[units.row] + place.astype(np.uint64))
    rows = Draw(draw.seed, scope, draw.stream, draw.uids)
    of_units = [one for one in kinds if one in WORD_KINDS]
    struck = _struck(drawn, severity) if of_units else np.empty(0, np.int64)
    found: dict[str, list[Places]] = {kind: [np.empty(0, np.int64)] for kind in of_units}
    renewed: list[Places] = [np.empty(0, np.int64)]
    texts: list[pa.Array] = [pa.array([], pa.large_string())]
    number = _of(drawn, struck).integers("kind", max(1, len(of_units)))
    luck = _of(drawn, struck).uniform("how")
    for turn in range(len(of_units)):
        left = np.zeros(len(struck), np.bool_)
        for place_of, kind in enumerate(of_units):
            mine = np.flatnonzero((number + turn) % len(of_units) == place_of)
            able, new = _able(units, kind, struck[mine], luck[mine], rows, replacement)
            found[kind].append(struck[mine[able]])
            if new is not None:
                renewed.append(found[kind][-1])
                texts.append(new)
            left[mine[~able]] = True
        struck, number, luck = struck[left], number[left], luck[left]
    return Strikes(
        {kind: np.sort(np.concatenate(parts)) for kind, parts in found.items()},
        _struck_rows(units, rows, severity, [one for one in kinds if one in ROW_KINDS]),
        np.concatenate(renewed),
        pa.concat_arrays(texts),
        rows,
        drawn,
    )


def spared(units: Units, drawn: Draw) -> Places:
    """Return the one unit of each row that is never lost, in its first half, so that no text comes out empty."""
    half = (units.counts + 1) // 2
    return units.first[:-1] + np.minimum((drawn.uniform("spared") * half).astype(np.int64), np.maximum(half - 1, 0))


def _struck(drawn: Draw, severity: float) -> Places:
    """Return which draws fall below the severity."""
    return np.flatnonzero((drawn.bits("strike") >> np.uint64(11)) < np.uint64(round(severity * 2**53)))


def _of(drawn: Draw, which: Places) -> Draw:
    """Return the draws of some units."""
    return Draw(drawn.seed, drawn.scope, drawn.stream, drawn.uids[which])


def _able(
    units: Units, kind: str, which: Places, luck: NDArray[np.float64], rows: Draw, replacement: Replacement
) -> tuple[NDArray[np.bool_], pa.Array | None]:
    """Return which units a kind can strike, and the new texts of these where it gives any."""
    if kind == "omission":
        return spared(units, rows)[units.row[which]] != which, None
    if kind == "reordering":
        return units.counts[units.row[which]] > 1, None
    if kind == "repetition":
        return np.ones(len(which), np.bool_), None
    return replacement.texts(kind, units, which, luck)


def _struck_rows(units: Units, drawn: Draw, severity: float, kinds: Sequence[str]) -> dict[str, Places]:
    """Return which rows each kind strikes; a text of a single unit has no tail to lose."""
    if not kinds:
        return {}
    struck = _struck(drawn, severity)
    number = _of(drawn, struck).integers("row kind", len(kinds))
    least = {"truncation": 2, "hallucination": 1}
    found: dict[str, list[Places]] = {kind: [] for kind in kinds}
    for turn in range(len(kinds)):
        left = np.zeros(len(struck), np.bool_)
        for place_of, kind in enumerate(kinds):
            mine = np.flatnonzero((number + turn) % len(kinds) == place_of)
            able = units.counts[struck[mine]] >= least[kind]
            found[kind].append(struck[mine[able]])
            left[mine[~able]] = True
        struck, number = struck[left], number[left]
    return {kind: np.sort(np.concatenate(parts)) for kind, parts in found.items()}
