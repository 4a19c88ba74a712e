"""Deduplicate: keep one row of every group of equal or near-equal texts."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from xquality._settings import (
    Stream,
    at_least,
    check_settings,
    choice,
    choices,
    optional,
    positive,
    rate,
    texts,
)
from xquality.data.missing import rows_of_nulls, warn_without_text
from xquality.data.rows import Change, Rows
from xquality.errors import SettingError
from xquality.randomness import Draw, derive_seed
from xquality.text.columns import read_text, text_columns
from xquality.text.near_duplicates import UNITS, group_near_duplicates
from xquality.text.words import SPELLING_STEPS, respell
from xquality.transforms.base import Transform

_LONG = 50  # words: from here on a column's shingles are of words, since one changed word then changes few of them


def _respelling(owner: str, name: str, value: object) -> tuple[str, ...]:
    """Return steps of respelling as a tuple, which may be empty and must be in their fixed order."""
    if isinstance(value, tuple | list) and not value:
        return ()
    steps: tuple[str, ...] = choices(*SPELLING_STEPS)(owner, name, value)
    if steps != tuple(step for step in SPELLING_STEPS if step in steps):
        raise SettingError(f"{owner}({name}={steps!r}) must name the steps in the order {', '.join(SPELLING_STEPS)}.")
    return steps


@final
@dataclass(frozen=True)
class Deduplicate(Transform):
    """Drop all but one row of every group of equal or near-equal texts; which row is kept is drawn by uid.

    With "minhash", two rows are near-equal if in every column the Jaccard similarity of their shingles (the set of
    runs of `size` words or characters) is `threshold` or more. It is computed in full for the pairs that MinHash and
    banding propose (Broder 1997; datasketch's permutations, seeded from the call's seed and stream): of the pairs at
    the threshold at most 1 in 100 is missed, of more similar ones fewer. Groups are connected components: if a is near
    b and b near c, one of the three is kept. Labels do not count: rows with one text and two labels are equal.

    Attributes:
        columns: the columns that must be equal, strings or lists of tokens; None for every string column but `uid` and
            first values (`*_before`). Name them if the data have a column of ids.
        method: "exact" or "minhash".
        threshold: the least similarity of near-equal texts, above 0 and at most 1.
        respell: steps that make texts equal that differ in writing only, in this order: "nfkc" (Unicode's
            compatibility form), "casefold" (Unicode's case folding), "spaces" (each run of white space becomes one
            space, and both ends are stripped). An empty tuple compares the texts as they are.
        unit: what shingles are made of: "words" (written characters in scripts without spaces), "characters", or
            "auto": for each column words if half of its texts have 50 words or more separated by spaces, else
            characters.
        size: how many units a shingle has. One changed word changes `size` shingles of words.
        permutations: how many numbers a MinHash signature has; more of them cost time and miss fewer pairs.
        stream: separates the draws of several calls with one seed.

    Raises:
        SettingError: for an unknown method, unit or step of respelling, or a number out of range.
        ColumnError: for a missing column, a column without text, or data without a string column.

    Example:
        >>> from datasets import Dataset
        >>> data = Dataset.from_dict({"text": ["El gato", "el  gato", "un perro", "El gato negro"]})
        >>> len(Deduplicate()(data, seed=1)), len(Deduplicate(method="minhash", threshold=0.4)(data, seed=1))
        (3, 2)
    """

    needs_all_rows: ClassVar[str] = "compares each row with all others"

    columns: Annotated[tuple[str, ...] | None, optional(texts)] = None
    method: Annotated[str, choice("exact", "minhash")] = "exact"
    threshold: Annotated[float, positive, rate] = 0.8
    respell: Annotated[tuple[str, ...], _respelling] = SPELLING_STEPS
    unit: Annotated[str, choice("auto", *UNITS)] = "auto"
    size: Annotated[int, at_least(1)] = 3
    permutations: Annotated[int, at_least(16)] = 128
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Number the groups and keep from each the row of the smallest draw."""
        names = text_columns(rows, self.columns)
        columns = [self._respell(read_text(rows, name)) for name in names]
        missing = rows_of_nulls([rows.column(name) for name in names])
        warn_without_text(rows.owner, names, missing, "all are kept, so filter them out if they are of no use")
        groups = _group_equal(columns)
        details: dict[str, Any] = {"columns": list(names)}
        if self.method == "minhash" and len(rows):
            units = [self._unit(values) for values in columns]
            groups = self._group_near(columns, units, groups, draw)
            details["units"] = units
        if missing.any():
            groups[missing] = groups.max() + 1 + np.arange(missing.sum())
            details["without_text"] = int(missing.sum())
        order = draw.order("keep")
        _, first, sizes = np.unique(groups[order], return_index=True, return_counts=True)
        kept = np.sort(order[first])
        dropped = len(rows) - len(kept)
        counts = {"groups": int((sizes > 1).sum()), "dropped": dropped}
        return Change(rows.take(kept), acted=dropped, details={**counts, **details})

    def _respell(self, values: pa.ChunkedArray) -> pa.ChunkedArray:
        """Return texts in one spelling."""
        if not self.respell:
            return values
        return pa.chunked_array([pa.array(respell(values.to_pylist(), self.respell), pa.large_string())])

    def _unit(self, values: pa.ChunkedArray) -> str:
        """Return what the shingles of a column are made of."""
        if self.unit != "auto":
            return self.unit
        words = np.median([text.count(" ") + 1 for text in values.to_pylist()])
        return "words" if words >= _LONG else "characters"

    def _group_near(
        self, columns: list[pa.ChunkedArray], units: list[str], equal: NDArray[np.int64], draw: Draw
    ) -> NDArray[np.int64]:
        """Return each row's group of near-equal texts; only one of equal rows is compared."""
        _, first, members = np.unique(equal, return_index=True, return_inverse=True)
        groups = group_near_duplicates(
            [values.take(pa.array(first)).to_pylist() for values in columns],
            units,
            self.size,
            threshold=self.threshold,
            permutations=self.permutations,
            seed=derive_seed("Deduplicate", draw.seed, draw.stream),
        )
        return groups[members]


def _group_equal(columns: list[pa.ChunkedArray]) -> NDArray[np.int64]:
    """Return each row's group of equal texts as a number, shape (rows,)."""
    groups = np.zeros(len(columns[0]), np.int64)
    for values in columns:
        codes = values.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False).astype(np.int64)
        _, groups = np.unique(groups * (codes.max(initial=0) + 1) + codes, return_inverse=True)
    return groups
