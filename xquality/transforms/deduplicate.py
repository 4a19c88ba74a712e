"""Deduplicate: keep one row of every group of equal or near-equal texts."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from xquality import _settings
from xquality.data.rows import Change, Rows
from xquality.errors import SettingError
from xquality.randomness import Draw, derive_seed
from xquality.text.columns import SPELLINGS, read_text, respelled, text_columns
from xquality.text.near_duplicates import near_groups
from xquality.text.shingles import UNITS
from xquality.transforms.base import Transform

_LONG = 50  # words: from here on a column's shingles are of words, and one changed word spoils few of them


@final
@dataclass(frozen=True)
class Deduplicate(Transform):
    """Drop all but one row of every group of equal or near-equal texts; which one stays is drawn, whatever the order.

    With "minhash", two rows are near-equal where in every column the Jaccard similarity of their shingles (the set of
    runs of `size` words or characters) is `threshold` or more. It is computed in full for the pairs that MinHash and
    banding propose (Broder 1997; datasketch's permutations, seeded from the call's seed and stream): of the pairs at
    the threshold at most 1 in 100 is missed, of more similar ones fewer. Groups are joined by chains: where a is near
    b and b near c, one of the three stays. Labels do not count: rows with one text and two labels are equal.

    Attributes:
        columns: the columns that must be equal, strings or lists of tokens; None for every string column but `uid` and
            those that keep first values (`*_before`). Name them where the data have a column of ids.
        method: "exact" or "minhash".
        threshold: the least similarity of near-equal texts, above 0 and at most 1.
        respell: what makes texts equal that differ in writing only, in this order: "nfkc" (Unicode's compatibility
            form), "casefold" (Unicode's case folding), "spaces" (each run of white space is one space, none at the
            ends). An empty tuple compares the texts as they are.
        unit: what a shingle holds: "words" (written characters in scripts without spaces), "characters", or "auto":
            for each column words where half of its texts have 50 words or more parted by spaces, else characters.
        size: how many units a shingle holds. One changed word spoils `size` shingles of words.
        permutations: how many numbers a MinHash signature holds; more cost time and miss fewer pairs.
        stream: tells apart several calls with one seed.

    Raises:
        SettingError: for an unknown method, unit or respelling, or a number out of range.
        ColumnError: for a missing column, a column without text, or data without a string column.

    Example:
        >>> from datasets import Dataset
        >>> data = Dataset.from_dict({"text": ["El gato", "el  gato", "un perro", "El gato negro"]})
        >>> len(Deduplicate()(data, seed=1)), len(Deduplicate(method="minhash", threshold=0.4)(data, seed=1))
        (3, 2)
    """

    whole: ClassVar[str] = "compares each row with all others"

    columns: tuple[str, ...] | None = None
    method: str = "exact"
    threshold: float = 0.8
    respell: tuple[str, ...] = SPELLINGS
    unit: str = "auto"
    size: int = 3
    permutations: int = 128
    stream: int = 0

    def __post_init__(self) -> None:
        owner = "Deduplicate"
        if self.columns is not None:
            object.__setattr__(self, "columns", _settings.texts(owner, "columns", self.columns))
        _settings.one_of(owner, "method", self.method, ("exact", "minhash"))
        object.__setattr__(self, "threshold", _settings.positive(owner, "threshold", self.threshold))
        _settings.rate(owner, "threshold", self.threshold)
        none = isinstance(self.respell, tuple | list) and not self.respell
        object.__setattr__(self, "respell", () if none else _settings.texts(owner, "respell", self.respell))
        for one in self.respell:
            _settings.one_of(owner, "respell", one, SPELLINGS)
        if self.respell != tuple(one for one in SPELLINGS if one in self.respell):
            raise SettingError(f"Deduplicate(respell={self.respell!r}) must name each step once, in the order given.")
        _settings.one_of(owner, "unit", self.unit, ("auto", *UNITS))
        object.__setattr__(self, "size", _settings.integer(owner, "size", self.size, least=1))
        object.__setattr__(self, "permutations", _settings.integer(owner, "permutations", self.permutations, least=16))
        object.__setattr__(self, "stream", _settings.integer(owner, "stream", self.stream, least=0))

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Number the groups and keep from each the row of the smallest draw."""
        names = text_columns(rows, self.columns)
        columns = [self._respelled(read_text(rows, name)) for name in names]
        groups, details = _equal(columns), {"columns": list(names)}
        if self.method == "minhash" and len(rows):
            units = [self._unit(one) for one in columns]
            groups = self._near(columns, units, groups, draw)
            details["units"] = units
        order = draw.order("keep")
        _, first, sizes = np.unique(groups[order], return_index=True, return_counts=True)
        kept = np.sort(order[first])
        dropped = len(rows) - len(kept)
        counts = {"groups": int((sizes > 1).sum()), "dropped": dropped}
        return Change(rows.taken(kept), acted=dropped, details={**counts, **details})

    def _respelled(self, values: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return texts in one spelling."""
        if not self.respell:
            return values
        return pa.chunked_array([pa.array(respelled(values.to_pylist(), self.respell), pa.large_string())])

    def _unit(self, values: pa.ChunkedArray) -> str:
        """Return what the shingles of a column hold."""
        if self.unit != "auto":
            return self.unit
        return "words" if np.median([one.count(" ") + 1 for one in values.to_pylist()]) >= _LONG else "characters"

    def _near(
        self, columns: list[pa.ChunkedArray], units: list[str], equal: NDArray[np.int64], draw: Draw
    ) -> NDArray[np.int64]:
        """Return each row's group of near-equal texts; of equal rows only one is compared."""
        _, first, places = np.unique(equal, return_index=True, return_inverse=True)
        texts = [one.take(pa.array(first)).to_pylist() for one in columns]
        seed = derive_seed("Deduplicate", draw.seed, draw.stream)
        found = near_groups(
            texts, units, self.size, threshold=self.threshold, permutations=self.permutations, seed=seed
        )
        return found[places]


def _equal(columns: list[pa.ChunkedArray]) -> NDArray[np.int64]:
    """Return each row's group of equal texts as a number, shape (rows,)."""
    groups = np.zeros(len(columns[0]), np.int64)
    for values in columns:
        codes = values.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
        _, groups = np.unique(groups * (codes.max(initial=0) + 1) + codes, return_inverse=True)
    return groups
