"""Subsample: keep some rows, nested from few to many.

May import: errors, checks, transform, rows, randomness | pyarrow, numpy, datasets.
"""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import pyarrow as pa
from datasets import ClassLabel
from numpy.typing import NDArray

from xquality import checks
from xquality.errors import ColumnError, SettingError
from xquality.randomness import Draw
from xquality.rows import Change, Rows
from xquality.transform import Transform


@final
@dataclass(frozen=True)
class Subsample(Transform):
    """Keep `n` rows or a `fraction` of the rows, in their order.

    A smaller subsample is contained in a larger one with the same seed, along `n` and along `fraction`. Stratified
    quotas follow the divisor method of Sainte-Laguë, which never takes a row back when the house grows, so they
    nest too; each class's share is within one row of proportional in the usual case.

    Attributes:
        n: how many rows to keep.
        fraction: the share of the rows to keep, `round(fraction * rows)` of them.
        stratify_by: a column, or several, whose values keep their shares.
        exact: False draws each row alone, with probability `fraction`; this also works on streams.
        stream: tells apart several calls with one seed.

    Raises:
        SettingError: for both or neither of `n` and `fraction`, values out of range, or more rows than there are.
        ColumnError: for a missing column to stratify by, or one with unlabelled rows.

    Example:
        >>> from datasets import Dataset
        >>> data = Dataset.from_dict({"text": list("abcdef")})
        >>> few, more = Subsample(n=2)(data, seed=1), Subsample(n=4)(data, seed=1)
        >>> set(few["text"]) < set(more["text"])
        True
    """

    strength: ClassVar[tuple[str, ...]] = ("n", "fraction")

    n: int | None = None
    fraction: float | None = None
    stratify_by: str | tuple[str, ...] | None = None
    exact: bool = True
    stream: int = 0

    def __post_init__(self) -> None:
        owner = "Subsample"
        if (self.n is None) == (self.fraction is None):
            raise SettingError(
                f"Subsample takes either n or fraction, but got n={self.n!r} and fraction={self.fraction!r}."
            )
        if self.n is not None:
            object.__setattr__(self, "n", checks.integer(owner, "n", self.n, least=0))
        if self.fraction is not None:
            object.__setattr__(self, "fraction", checks.rate(owner, "fraction", self.fraction))
        if self.stratify_by is not None and not isinstance(self.stratify_by, str):
            object.__setattr__(self, "stratify_by", checks.texts(owner, "stratify_by", self.stratify_by))
        object.__setattr__(self, "exact", checks.boolean(owner, "exact", self.exact))
        object.__setattr__(self, "stream", checks.integer(owner, "stream", self.stream, least=0))
        if not self.exact and (self.fraction is None or self.stratify_by is not None):
            raise SettingError(
                f"{self!r} draws each row alone, which needs fraction and no stratify_by; set exact=True."
            )

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Keep the rows with the smallest draws."""
        strata = _strata(rows, (self.stratify_by,) if isinstance(self.stratify_by, str) else self.stratify_by or ())
        if not len(rows):
            return Change(rows.table, acted=0)
        if not self.exact:
            kept = np.flatnonzero(draw.uniform("keep") < (self.fraction or 0.0))
        else:
            count = self._count(len(rows))
            kept = draw.smallest("keep", count) if strata is None else _stratified(strata, draw, count)
        return Change(rows.table.take(pa.array(kept)), acted=len(kept))

    def _count(self, rows: int) -> int:
        """Return how many rows to keep."""
        count = round((self.fraction or 0.0) * rows) if self.n is None else self.n
        if count > rows:
            raise SettingError(f"{self!r} asks for {count} rows, but the data have {rows}; ask for at most {rows}.")
        return count


def _strata(rows: Rows, columns: tuple[str, ...]) -> NDArray[np.int64] | None:
    """Return each row's stratum as a number, shape (rows,); None where there is nothing to stratify by."""
    strata: NDArray[np.int64] | None = None
    for name in columns:
        values = rows.labels(name) if isinstance(rows.features.get(name), ClassLabel) else _codes(rows, name)
        strata = values if strata is None else strata * (values.max(initial=0) + 1) + values
    return strata


def _codes(rows: Rows, name: str) -> NDArray[np.int64]:
    """Return a column's values as small numbers, equal where the values are equal."""
    values = rows.column(name)
    if values.null_count:
        raise ColumnError(
            f"{rows.owner} stratifies by {name!r}, but {values.null_count} rows have no value there; "
            "fill or filter them."
        )
    if pa.types.is_nested(values.type):
        raise ColumnError(
            f"{rows.owner} stratifies by plain values, but {name!r} holds {values.type}; name another column."
        )
    return np.asarray(values.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False), np.int64)


def _stratified(strata: NDArray[np.int64], draw: Draw, count: int) -> NDArray[np.int64]:
    """Return the first `count` rows in the order in which Sainte-Laguë's method hands out seats.

    The r-th drawn row (from 0) of a stratum with s rows takes its seat at (r + 1/2) / s; ties go by the draw.
    """
    order = draw.order("keep")
    _, stratum, sizes = np.unique(strata[order], return_inverse=True, return_counts=True)
    grouped = np.argsort(stratum, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    rank = np.empty(len(order), np.int64)
    rank[grouped] = np.arange(len(order)) - np.repeat(starts, sizes)
    seat = (2 * rank + 1) / (2 * sizes[stratum])
    return np.sort(order[np.argsort(seat, kind="stable")[:count]])
