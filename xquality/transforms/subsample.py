"""Subsample: keep some rows, nested from few to many."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel

from xquality import _settings
from xquality._settings import Flag, Positive, Stream, at_least, check_settings, choice, optional
from xquality.data.arrow import Floats, Indices, is_number, is_variable_list
from xquality.data.rows import Change, Rows
from xquality.errors import ColumnError, SettingError
from xquality.randomness import Draw
from xquality.transforms.base import Transform

_LENGTH: Final = "length:"  # before a column's name: the bin of its length
_LARGEST_PRODUCT: Final = 2**62
_LARGEST_POWER: Final = 1e300
_LARGEST_LOGARITHM: Final = 700.0  # exp of more is beyond the range of floating-point numbers
_LARGEST_EXPONENT: Final = 400  # of numbers whose squared differences are within it


def _check_columns(owner: str, name: str, value: object) -> str | tuple[str, ...]:
    """Return the name of a column, or of several as a tuple."""
    return _settings.text(owner, name, value) if isinstance(value, str) else _settings.texts(owner, name, value)


@final
@dataclass(frozen=True)
class Subsample(Transform):
    """Keep `n` rows or a `fraction` of the rows, in their order.

    A smaller subsample is contained in a larger one with the same seed, along `n` and along `fraction`, whatever the
    method. Quotas follow the divisor method of Sainte-Laguë, whose larger samples contain the smaller ones.

    Attributes:
        n: how many rows to keep.
        fraction: the share of the rows to keep, `round(fraction * rows)` of them.
        stratify_by: a column, or several, whose values keep their shares. "length:text" stands for the length of the
            column `text` in bins bounded by powers of two (0, 1, 2-3, 4-7, 8-15 and so on), in characters, or in items
            where it holds lists; a row's bin depends on no other row. A column that is named so goes first.
        exact: False draws each row alone, with probability `fraction`; this also works on streams.
        method: "random"; "hardest" or "easiest" keeps the highest or the lowest scores, ties by the draw; "diverse"
            covers an embedding column by the greedy k-centre algorithm, in time rows x kept rows.
        by: the column of scores, or of embeddings (lists of one length).
        temperature: with `stratify_by`, a stratum of s rows gets a share in proportion to s ** (1 / temperature): 1
            keeps the shares, larger values favour the small strata, for example low-resource languages.
        stream: separates the draws of several calls with one seed.

    Raises:
        SettingError: for both or neither of `n` and `fraction`, settings that contradict each other, values out of
            range, or more rows than there are.
        ColumnError: for a missing column, rows without a value, or scores and embeddings that are not finite numbers.

    Example:
        >>> from datasets import Dataset
        >>> data = Dataset.from_dict({"text": list("abcdef"), "loss": [3, 1, 2, 6, 5, 4]})
        >>> few, more = Subsample(n=2)(data, seed=1), Subsample(n=4)(data, seed=1)
        >>> set(few["text"]) < set(more["text"])
        True
        >>> Subsample(n=2, method="hardest", by="loss")(data, seed=1)["text"][:]
        ['d', 'e']
    """

    per_row = True
    strength: ClassVar[tuple[str, ...]] = ("n", "fraction")

    n: Annotated[int | None, optional(at_least(0))] = None
    fraction: Annotated[float | None, optional(_settings.rate)] = None
    stratify_by: Annotated[str | tuple[str, ...] | None, optional(_check_columns)] = None
    exact: Flag = True
    method: Annotated[str, choice("random", "hardest", "easiest", "diverse")] = "random"
    by: Annotated[str | None, optional(_settings.text)] = None
    temperature: Positive = 1.0
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)
        if (self.n is None) == (self.fraction is None):
            raise SettingError(
                f"Subsample takes either n or fraction, but got n={self.n!r} and fraction={self.fraction!r}."
            )
        if (self.method == "random") != (self.by is None):
            raise SettingError(f"{self} needs by= with the methods that read a column, and only with them.")
        if self.stratify_by is not None and self.method != "random":
            raise SettingError(f"{self} cannot stratify rows that a column chooses; use method='random'.")
        if self.temperature != 1 and self.stratify_by is None:
            raise SettingError(f"{self} has a temperature, which acts on strata; name stratify_by.")
        if not self.exact and (self.fraction is None or self.stratify_by is not None or self.method != "random"):
            raise SettingError(f"{self} draws each row alone, which needs a fraction and nothing else; set exact=True.")

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Keep the rows that come first: by their draw, their quota, their score or their distance."""
        columns = (self.stratify_by,) if isinstance(self.stratify_by, str) else self.stratify_by or ()
        stratum_of = _strata(rows, columns)
        numbers = None if self.by is None else _numbers(rows, self.by, 2 if self.method == "diverse" else 1)
        count = self._count(len(rows)) if len(rows) and self.exact else 0
        if not self.exact:
            kept = np.flatnonzero(draw.uniform("keep") < (self.fraction or 0.0))
        elif numbers is not None and self.method == "diverse":
            kept = _farthest_first(numbers, draw, count)
        elif numbers is not None:
            score = -numbers if self.method == "hardest" else numbers
            kept = np.sort(np.lexsort((draw.uids, draw.bits("keep"), score))[:count])
        else:
            kept = draw.smallest("keep", count)
            if stratum_of is not None and len(rows):
                kept = _take_by_quota(stratum_of, draw, count, self.temperature)
        return Change(rows.take(kept), acted=len(kept))

    def _count(self, rows: int) -> int:
        """Return how many rows to keep."""
        count = round((self.fraction or 0.0) * rows) if self.n is None else self.n
        if count > rows:
            raise SettingError(f"{self} asks for {count} rows, but the data have {rows}; ask for at most {rows}.")
        return count


def _numbers(rows: Rows, name: str, dimensions: int) -> Floats:
    """Return a column of finite numbers, shape (rows,), or of vectors of one length, shape (rows, width)."""
    values = rows.column(name)
    wanted = "numbers" if dimensions == 1 else "lists of numbers, all of one length,"
    numbers = np.empty((0,) * dimensions) if not len(rows) and _holds_numbers(values.type, dimensions) else None
    if numbers is None:
        try:
            numbers = np.array(values.to_pylist() if dimensions == 2 else values.to_numpy(), np.float64)
        except (TypeError, ValueError):
            numbers = np.empty(0)
    if numbers.ndim != dimensions or not _holds_numbers(values.type, dimensions) or not np.isfinite(numbers).all():
        raise ColumnError(
            f"{rows.owner} needs finite {wanted} in {name!r}, but it holds {values.type}; fill it or name another."
        )
    return numbers


def _holds_numbers(kind: pa.DataType, dimensions: int) -> bool:
    """Say whether an Arrow type holds numbers, or lists of them."""
    inner = kind.value_type if dimensions == 2 and pa.types.is_nested(kind) and hasattr(kind, "value_type") else kind
    nested = pa.types.is_nested(kind) if dimensions == 2 else True
    return nested and is_number(inner)


def _strata(rows: Rows, columns: tuple[str, ...]) -> Indices | None:
    """Return each row's stratum as a number, shape (rows,); None where there is nothing to stratify by.

    Args:
        rows: the rows.
        columns: names of columns, or "length:" and the name of a column of strings or lists.
    """
    stratum_of: Indices | None = None
    for name in columns:
        if name.startswith(_LENGTH) and name not in rows.features:
            values = _length_bins(rows, name.removeprefix(_LENGTH))
        else:
            values = rows.labels(name) if isinstance(rows.features.get(name), ClassLabel) else _codes(rows, name)
        stratum_of = values if stratum_of is None else _pair_numbers(stratum_of, values)
    return stratum_of


def _pair_numbers(first: Indices, second: Indices) -> Indices:
    """Return a number for each pair of numbers, equal where the pairs are equal, shape (rows,)."""
    if (int(first.max(initial=0)) + 1) * (int(second.max(initial=0)) + 1) > _LARGEST_PRODUCT:
        first = np.unique(first, return_inverse=True)[1].astype(np.int64)  # now below the number of rows
    return np.asarray(first * (second.max(initial=0) + 1) + second, np.int64)


def _length_bins(rows: Rows, name: str) -> Indices:
    """Return the bins of the lengths of texts in characters, or of lists in items, shape (rows,).

    The bounds are powers of two (0, 1, 2-3, 4-7, 8-15 and so on), so that a row's bin depends on no other row.
    """
    values = rows.column(name)
    lists = is_variable_list(values.type)
    lengths = pc.list_value_length(values) if lists else pc.utf8_length(rows.text(name))
    _refuse_nulls(rows, name, values)
    return np.asarray(np.frexp(lengths.to_numpy().astype(np.float64))[1], np.int64)


def _codes(rows: Rows, name: str) -> Indices:
    """Return a column's values as small numbers, equal where the values are equal."""
    values = rows.column(name)
    _refuse_nulls(rows, name, values)
    if pa.types.is_nested(values.type):
        raise ColumnError(
            f"{rows.owner} stratifies by plain values, but {name!r} holds {values.type}; name another column."
        )
    return np.asarray(values.combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False), np.int64)


def _refuse_nulls(rows: Rows, name: str, values: pa.ChunkedArray) -> None:
    """Raise where rows have no value to stratify by."""
    if values.null_count:
        raise ColumnError(
            f"{rows.owner} stratifies by {name!r}, but {values.null_count} rows have no value there; "
            "fill or filter them."
        )


def _take_by_quota(stratum_of: Indices, draw: Draw, count: int, temperature: float = 1.0) -> Indices:
    """Return the first `count` rows by Sainte-Laguë's divisor method, as sorted row numbers.

    The r-th drawn row (from 0) of a stratum with weight w comes at (r + 1/2) / w; ties go by the draw. A row's place in
    this order does not depend on `count`, so samples nest, and no row is taken twice.

    Args:
        stratum_of: each row's stratum, shape (rows,).
        draw: the randomness of the call.
        count: how many rows.
        temperature: a stratum of s rows has the weight s ** (1 / temperature): 1 keeps the shares of the strata, larger
            values favour the small ones, as multilingual sampling does.
    """
    order = draw.order("keep")
    _, stratum, sizes = np.unique(stratum_of[order], return_inverse=True, return_counts=True)
    grouped = np.argsort(stratum, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    rank = np.empty(len(order), np.int64)
    rank[grouped] = np.arange(len(order)) - np.repeat(starts, sizes)
    power = 1 / max(temperature, 1 / _LARGEST_POWER)
    if power * np.log(sizes.max(initial=1)) < _LARGEST_LOGARITHM:
        weights = sizes if temperature == 1 else sizes**power
        quotient = (2 * rank + 1) / (2 * weights[stratum])
    else:  # the powers overflow: their logarithms are in the same order
        quotient = np.log(2 * rank + 1) - power * np.log(sizes)[stratum]
    return np.sort(order[np.argsort(quotient, kind="stable")[:count]])


def _scale(points: Floats) -> Floats:
    """Return points whose squared distances neither overflow nor vanish, divided by a power of two if need be."""
    exponent = int(np.frexp(np.abs(points).max(initial=0.0))[1])
    return points if abs(exponent) < _LARGEST_EXPONENT else np.ldexp(points, -exponent)


def _farthest_first(points: Floats, draw: Draw, count: int) -> Indices:
    """Return `count` rows that cover the points, as sorted row numbers: the greedy k-centre algorithm (Gonzalez 1985).

    The first row is drawn; each next row is the one farthest from those chosen so far, ties going by the draw.

    Args:
        points: one vector a row, shape (rows, width).
        draw: the randomness of the call.
        count: how many rows.
    """
    order = draw.order("keep")  # an order of the rows that does not depend on how they are stored
    ordered = _scale(points)[order]
    chosen: list[int] = []
    nearest = np.full(len(order), np.inf)
    for _ in range(count):
        farthest = int(np.argmax(nearest))
        chosen.append(farthest)
        nearest = np.minimum(nearest, ((ordered - ordered[farthest]) ** 2).sum(axis=1))
        nearest[farthest] = -1.0  # never again, not even where several points are equal
    return np.sort(order[chosen])
