"""Which units and rows are struck, and by what: keyed by row and position, nested along the severity."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa

from xquality.data.arrow import Indices, Mask
from xquality.randomness import Bits, Draw, mix
from xquality.transforms.translation_noise.replacement import Replacement
from xquality.transforms.translation_noise.segmentation import Units

WORD_KINDS = ("omission", "repetition", "reordering", "wrong_word", "untranslated", "entity")
ROW_KINDS = ("truncation", "hallucination")
_LEAST = {"truncation": 2, "hallucination": 1}  # units in a row: a text of a single one has no tail to lose


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

    units: dict[str, Indices]
    rows: dict[str, Indices]
    renewed: Indices
    texts: pa.LargeStringArray
    drawn: Draw
    drawn_units: Draw

    def counts(self, units: Units, rows: Mask) -> dict[str, int]:
        """Return how often each kind struck in some of the rows, which are a mask of shape (rows,)."""
        of_units = {kind: int(rows[units.row[struck]].sum()) for kind, struck in self.units.items()}
        return of_units | {kind: int(rows[struck].sum()) for kind, struck in self.rows.items()}


def strike(
    units: Units, draw: Draw, severity: float, kinds: Sequence[str], replacement: Replacement, column: str
) -> Strikes:
    """Return what a severity does to some rows.

    Each unit is struck with the probability `severity`, and then by one of the kinds for units that can strike it, each
    as likely. Each row is struck alike by the kinds for rows.

    Args:
        units: the units of the rows.
        draw: the randomness of the call, keyed by the rows.
        severity: the probability.
        kinds: the kinds of error, each once.
        replacement: where the new texts of units come from.
        column: the column's name, so that two columns of a row are struck apart.
    """
    rows = Draw(draw.seed, f"{draw.scope}/{column}", draw.stream, draw.uids)
    keys: Bits = np.repeat(mix(draw.uids + np.uint64(1)) - units.first[:-1].astype(np.uint64), units.counts)
    keys += np.arange(len(keys), dtype=np.uint64)  # a row's key and the unit's place in it
    drawn = rows.of(keys)
    renewed: list[Indices] = [np.empty(0, np.int64)]
    texts: list[pa.Array] = [pa.array([], pa.large_string())]
    safe = spared(units, rows)

    def able(kind: str, which: Indices) -> Mask:
        """Return which units a kind can strike; keep the new texts that it gives them."""
        if kind == "omission":
            return np.asarray(safe[units.row[which]] != which)
        if kind == "reordering":
            return np.asarray(units.counts[units.row[which]] > 1)
        if kind == "repetition":
            return np.ones(len(which), np.bool_)
        can, new = replacement.texts(kind, units, which, drawn.of(drawn.uids[which]).uniform("how"))
        renewed.append(which[can])
        texts.append(new)
        return can

    return Strikes(
        _dealt(drawn, severity, [one for one in kinds if one in WORD_KINDS], able),
        _dealt(
            rows,
            severity,
            [one for one in kinds if one in ROW_KINDS],
            lambda kind, which: units.counts[which] >= _LEAST[kind],
        ),
        np.concatenate(renewed),
        pa.concat_arrays(texts),
        rows,
        drawn,
    )


def spared(units: Units, drawn: Draw) -> Indices:
    """Return the one unit of each row that is never lost, in its first half, so that no text comes out empty."""
    half = (units.counts + 1) // 2
    return units.first[:-1] + np.minimum((drawn.uniform("spared") * half).astype(np.int64), np.maximum(half - 1, 0))


def _dealt(
    drawn: Draw, severity: float, kinds: Sequence[str], able: Callable[[str, Indices], Mask]
) -> dict[str, Indices]:
    """Return what each kind strikes, units or rows: each of the struck falls to one of the kinds that can strike it.

    A kind is drawn among those not tried yet until one can. That is the first able one in a random order of all kinds,
    so each able one is as likely, and the others have no share.
    """
    found: dict[str, list[Indices]] = {kind: [np.empty(0, np.int64)] for kind in kinds}
    struck = np.empty(0, np.int64)
    if kinds:
        bound = round(severity * 2**53) << 11  # of 64 random bits the upper 53 count
        bits = drawn.bits("strike")
        struck = np.flatnonzero(bits < np.uint64(bound)) if bound < 2**64 else np.arange(len(bits))
    untried = np.ones((len(struck), len(kinds)), np.bool_)
    for turn in range(len(kinds)):
        number = drawn.of(drawn.uids[struck]).integers(f"kind {turn}", len(kinds) - turn)
        chosen = np.argmax(np.cumsum(untried, axis=1) > number[:, None], axis=1) if turn else number
        can = np.zeros(len(struck), np.bool_)
        for place, kind in enumerate(kinds):
            mine = np.flatnonzero(chosen == place)
            can[mine] = able(kind, struck[mine])
            found[kind].append(struck[mine[can[mine]]])
        untried[np.arange(len(struck)), chosen] = False
        struck, untried = struck[~can], untried[~can]
    return {kind: np.sort(np.concatenate(parts)) for kind, parts in found.items()}
