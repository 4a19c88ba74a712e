"""Subsample: keep some rows, nested from few to many."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from xquality import _settings
from xquality.data.rows import Change, Rows
from xquality.errors import ColumnError, SettingError
from xquality.randomness import Draw
from xquality.transforms.base import Transform
from xquality.transforms.quotas import by_quota, farthest_first, strata


@final
@dataclass(frozen=True)
class Subsample(Transform):
    """Keep `n` rows or a `fraction` of the rows, in their order.

    A smaller subsample is contained in a larger one with the same seed, along `n` and along `fraction`, whatever the
    method. Quotas follow the divisor method of Sainte-Laguë, which never takes a row back when the house grows.

    Attributes:
        n: how many rows to keep.
        fraction: the share of the rows to keep, `round(fraction * rows)` of them.
        stratify_by: a column, or several, whose values keep their shares. "length:text" stands for the length of the
            column `text` in bins bounded by powers of two (0, 1, 2-3, 4-7, 8-15 and so on), in characters, or in items
            where it holds lists; a row's bin depends on no other row. A column of that very name goes first.
        exact: False draws each row alone, with probability `fraction`; this also works on streams.
        method: "random"; "hardest" or "easiest" keeps the highest or the lowest scores, ties by the draw; "diverse"
            covers an embedding column by the greedy k-centre algorithm, in time rows x kept rows.
        by: the column of scores, or of embeddings (lists of one length).
        temperature: with `stratify_by`, a stratum of s rows gets a share in proportion to s ** (1 / temperature): 1
            keeps the shares, larger values favour the small strata, for example low-resource languages.
        stream: tells apart several calls with one seed.

    Raises:
        SettingError: for both or neither of `n` and `fraction`, settings that contradict each other, values out of
            range, or more rows than there are.
        ColumnError: for a missing column, rows without a value, or scores and embeddings that are none.

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

    n: int | None = None
    fraction: float | None = None
    stratify_by: str | tuple[str, ...] | None = None
    exact: bool = True
    method: str = "random"
    by: str | None = None
    temperature: float = 1.0
    stream: int = 0

    def __post_init__(self) -> None:
        owner = "Subsample"
        if (self.n is None) == (self.fraction is None):
            raise SettingError(
                f"Subsample takes either n or fraction, but got n={self.n!r} and fraction={self.fraction!r}."
            )
        if self.n is not None:
            object.__setattr__(self, "n", _settings.integer(owner, "n", self.n, least=0))
        if self.fraction is not None:
            object.__setattr__(self, "fraction", _settings.rate(owner, "fraction", self.fraction))
        if self.stratify_by is not None and not isinstance(self.stratify_by, str):
            object.__setattr__(self, "stratify_by", _settings.texts(owner, "stratify_by", self.stratify_by))
        object.__setattr__(self, "exact", _settings.boolean(owner, "exact", self.exact))
        _settings.one_of(owner, "method", self.method, ("random", "hardest", "easiest", "diverse"))
        if self.by is not None:
            _settings.text(owner, "by", self.by)
        object.__setattr__(self, "temperature", _settings.positive(owner, "temperature", self.temperature))
        object.__setattr__(self, "stream", _settings.integer(owner, "stream", self.stream, least=0))
        self._check_together()

    def _check_together(self) -> None:
        """Raise where settings contradict each other."""
        if (self.method == "random") != (self.by is None):
            raise SettingError(f"{self!r} needs by= with the methods that read a column, and only with them.")
        if self.stratify_by is not None and self.method != "random":
            raise SettingError(f"{self!r} cannot stratify rows that a column chooses; use method='random'.")
        if self.temperature != 1 and self.stratify_by is None:
            raise SettingError(f"{self!r} has a temperature, which acts on strata; name stratify_by.")
        if not self.exact and (self.fraction is None or self.stratify_by is not None or self.method != "random"):
            raise SettingError(
                f"{self!r} draws each row alone, which needs a fraction and nothing else; set exact=True."
            )

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Keep the rows that come first: by their draw, their quota, their score or their distance."""
        columns = (self.stratify_by,) if isinstance(self.stratify_by, str) else self.stratify_by or ()
        stratum_of = strata(rows, columns)
        numbers = None if self.by is None else _numbers(rows, self.by, 2 if self.method == "diverse" else 1)
        count = self._count(len(rows)) if len(rows) and self.exact else 0
        if not self.exact:
            kept = np.flatnonzero(draw.uniform("keep") < (self.fraction or 0.0))
        elif numbers is not None and self.method == "diverse":
            kept = farthest_first(numbers, draw, count)
        elif numbers is not None:
            score = -numbers if self.method == "hardest" else numbers
            kept = np.sort(np.lexsort((draw.uids, draw.bits("keep"), score))[:count])
        else:
            kept = draw.smallest("keep", count)
            if stratum_of is not None and len(rows):
                kept = by_quota(stratum_of, draw, count, self.temperature)
        return Change(rows.take(kept), acted=len(kept))

    def _count(self, rows: int) -> int:
        """Return how many rows to keep."""
        count = round((self.fraction or 0.0) * rows) if self.n is None else self.n
        if count > rows:
            raise SettingError(f"{self!r} asks for {count} rows, but the data have {rows}; ask for at most {rows}.")
        return count


def _numbers(rows: Rows, name: str, dimensions: int) -> NDArray[np.float64]:
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
        raise ColumnError(f"{rows.owner} needs finite {wanted} in {name!r}, but it holds {values.type}; mend it.")
    return numbers


def _holds_numbers(kind: pa.DataType, dimensions: int) -> bool:
    """Say whether an Arrow type holds numbers, or lists of them."""
    inner = kind.value_type if dimensions == 2 and pa.types.is_nested(kind) and hasattr(kind, "value_type") else kind
    nested = pa.types.is_nested(kind) if dimensions == 2 else True
    return nested and (pa.types.is_integer(inner) or pa.types.is_floating(inner))
