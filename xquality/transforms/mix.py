"""Mix: replace a share of the rows by the same rows from another version of the data."""

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset
from numpy.typing import NDArray

from xquality import _settings
from xquality.data._datasets import table_of
from xquality.data.rows import Change, Distinct, Rows
from xquality.errors import ColumnError, UidError
from xquality.randomness import Draw
from xquality.transforms.base import Transform
from xquality.transforms.flipping import drawn_rows
from xquality.transforms.held import DatasetSetting


@final
@dataclass(frozen=True)
class Mix(Transform):
    """Replace a share of the rows by the row with the same uid from another version of the data.

    What machine-translated data cost is measured with it: `Mix(translated, rate)` grows from the human version at rate
    0 into the translated one at rate 1, and the rows replaced at 10 % are replaced at 30 %. Every column that both
    versions have is replaced but `uid` and those that keep first values (`*_before`). First values stay in
    `<column>_before` where the two versions differ, null elsewhere; the record counts the cells that changed.

    The value holds the other version: it is equal to another one where the digests of the rows are, its repr names
    the digest, and `to_dict` writes the digest, the origin and the history of the rows, but not the rows, so that
    `xq.from_dict` refuses it.

    Attributes:
        other: the other version, a `Dataset` with every uid of the data (more do no harm); without a uid column its
            rows are stamped by their place. Stored as a `DatasetSetting`,
            whose `data` are the rows.
        rate: the share of the rows to replace, `round(rate * rows)` of them.
        exact: False draws each row alone, which also works on streams.
        stream: tells apart several calls with one seed.

    Raises:
        DataKindError: where `other` is no `Dataset`.
        SettingError: for a rate outside [0, 1].
        UidError: where a row's uid is missing in the other version, or stands in it twice.
        ColumnError: where the versions share no column, a shared column's features differ, or a null would be
            replaced by a value, which `<column>_before` cannot tell from a cell that was never changed.

    Warns:
        RateWarning: where a rate above 0 rounds to no row.

    Example:
        >>> human = Dataset.from_dict({"text": ["a cat", "a dog", "a cow", "a pig"]})
        >>> machine = Dataset.from_dict({"text": ["one cat", "one dog", "one cow", "one pig"]})
        >>> mixed = Mix(machine, rate=0.5)(human, seed=1)
        >>> sum(text.startswith("one") for text in mixed["text"])
        2
    """

    per_row = True
    strength: ClassVar[tuple[str, ...]] = ("rate",)

    other: Dataset | DatasetSetting
    rate: float
    exact: bool = True
    stream: int = 0

    def __post_init__(self) -> None:
        owner = "Mix"
        object.__setattr__(self, "rate", _settings.rate(owner, "rate", self.rate))
        object.__setattr__(self, "exact", _settings.boolean(owner, "exact", self.exact))
        object.__setattr__(self, "stream", _settings.integer(owner, "stream", self.stream, least=0))
        if not isinstance(self.other, DatasetSetting):
            object.__setattr__(self, "other", DatasetSetting(self.other))

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Replace the drawn rows, column by column."""
        names = self._columns(rows)
        places = self._places(rows)
        replaced = drawn_rows(self, self.rate, np.arange(len(rows)), draw, exact=self.exact)
        source = table_of(self.other.data).select(names).take(places)
        table, features, changed = rows.table, {}, 0
        for name in names:
            now = Rows(table, rows.features, rows.owner)
            values = source.column(name).cast(now.column(name).type)
            differs = replaced & _differ(now.column(name), values)
            lost = differs & now.column(name).is_null().to_numpy()
            if lost.any():
                raise ColumnError(
                    f"{self!r} would replace {int(lost.sum())} nulls in {name!r} by values, which could not be undone; "
                    "fill or filter them first."
                )
            mixed = pc.if_else(pa.array(differs), values, now.column(name))
            table, added = now.replace(name, mixed, differs)
            features.update(added)
            changed += int(differs.sum())
        acted = int(replaced.sum())
        details = {"columns": names, "origins": Distinct(self.other.to_dict()["origins"] if acted else [])}
        return Change(table, features, changed=changed, acted=acted, details=details)

    def _columns(self, rows: Rows) -> list[str]:
        """Return the columns to replace, after checking that both versions mean the same by them."""
        theirs: dict[str, Any] = self.other.data.features
        kept = {
            one for one in rows.features if one.removesuffix("_before") in rows.features and one.endswith("_before")
        }
        names = [one for one in rows.features if one in theirs and one != "uid" and one not in kept]
        if not names:
            raise ColumnError(f"{self!r} finds no column of {list(rows.features)} in the other version; rename them.")
        for one in names:
            if rows.features[one] != theirs[one]:
                raise ColumnError(
                    f"{self!r} replaces {one!r}, which holds {rows.features[one]} here but {theirs[one]} in the other "
                    "version; cast one of them."
                )
        return names

    def _places(self, rows: Rows) -> pa.Array:
        """Return the row of the other version that has each row's uid, shape (rows,)."""
        ours, theirs = _plain(rows.column("uid")), _plain(table_of(self.other.data).column("uid"))
        if ours.type != theirs.type:
            raise UidError(f"{self!r} pairs rows by uid, but one version has integers and the other strings.")
        places = pc.index_in(ours, theirs)
        if places.null_count:
            first = ours.filter(places.is_null())[0].as_py()
            raise UidError(
                f"{self!r} needs every row in the other version, but {places.null_count} of {len(ours)} are missing "
                f"there, the first with the uid {first!r}; drop these rows first."
            )
        return places


def _plain(uids: pa.ChunkedArray) -> pa.Array:
    """Return uids as 64-bit integers or as strings, in one chunk."""
    array = uids.combine_chunks() if isinstance(uids, pa.ChunkedArray) else uids
    return array.cast(pa.int64() if pa.types.is_integer(array.type) else pa.large_string())


def _differ(one: pa.ChunkedArray, other: pa.ChunkedArray) -> NDArray[np.bool_]:
    """Return where two columns differ, shape (rows,); nulls are equal, and so are NaNs."""
    if pa.types.is_nested(one.type):
        return np.array([a != b for a, b in zip(one.to_pylist(), other.to_pylist(), strict=True)], np.bool_)
    null = pc.xor(one.is_null(), other.is_null())
    differ = pc.or_(pc.fill_null(pc.not_equal(one, other), False), null)
    if pa.types.is_floating(one.type):
        both = pc.and_(pc.is_nan(one), pc.is_nan(other))
        differ = pc.and_not(differ, pc.fill_null(both, False))
    return np.asarray(differ.to_numpy(), np.bool_)
