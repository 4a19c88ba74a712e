"""Mix: replace a share of the rows by the same rows from another version of the data."""

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset

from xquality._settings import Flag, Rate, Stream, check_settings
from xquality.data._datasets import table_of
from xquality.data.arrow import list_columns
from xquality.data.digest import digest
from xquality.data.provenance import history, origins
from xquality.data.rows import Change, Distinct, Rows
from xquality.data.uids import UID, check_uids, with_uid
from xquality.errors import ColumnError, DataKindError, SerialisationError, UidError
from xquality.randomness import Draw
from xquality.transforms.base import Transform
from xquality.transforms.rates import select_at_rate


def _check_rows(owner: str, name: str, value: Any) -> Dataset:
    """Return a dataset with uids, each on one row."""
    del owner, name
    if isinstance(value, dict) and "digest" in value:
        raise SerialisationError(
            f"JSON holds the digest {value['digest']} of a dataset but not its rows; build the transform in Python "
            "with the dataset."
        )
    if not isinstance(value, Dataset):
        raise DataKindError(f"A transform can hold a datasets.Dataset, but got {type(value).__name__}; give one split.")
    if UID not in value.column_names:
        return with_uid(value)
    check_uids(table_of(value).column(UID))
    return value


@final
@dataclass(frozen=True, repr=False, eq=False)
class DatasetSetting:
    """A dataset as the setting of a transform: equal to others of the same digest; JSON describes it without its rows.

    Attributes:
        data: the rows, with their uids; rows without any are stamped with their number.

    Raises:
        DataKindError: where `data` is no `Dataset`.
        SerialisationError: where `data` is what `to_dict` returned: the rows are not in it.
        UidError: where a uid is null or repeated.

    Example:
        >>> rows = Dataset.from_dict({"text": ["a", "b"]})
        >>> DatasetSetting(rows) == DatasetSetting(rows.select([0, 1])) != DatasetSetting(rows.select([0]))
        True
    """

    data: Annotated[Dataset, _check_rows]

    def __post_init__(self) -> None:
        check_settings(self)

    @cached_property
    def digest(self) -> str:
        """The digest of the rows with their uids."""
        return digest(self.data)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DatasetSetting) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"<{len(self.data)} rows, digest {self.digest}>"

    def to_dict(self) -> dict[str, Any]:
        """Return what the rows are and how they came to be, as plain JSON values, without the rows."""
        return {
            "digest": self.digest,
            "rows": len(self.data),
            "origins": origins(self.data),
            "history": [record.to_dict() for record in history(self.data)],
        }

    def summary(self) -> dict[str, Any]:
        """Return what a record keeps of it: the same."""
        return self.to_dict()


def check_dataset(owner: str, name: str, value: object) -> DatasetSetting:
    """Return a dataset as the setting of a transform; a check of a setting."""
    del owner, name
    return value if isinstance(value, DatasetSetting) else DatasetSetting(value)


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
            rows are stamped with their number. Stored as a `DatasetSetting`, whose `data` are the rows.
        rate: the share of the rows to replace, `round(rate * rows)` of them.
        exact: False draws each row alone, which also works on streams.
        stream: separates the draws of several calls with one seed.

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

    other: Annotated[Dataset | DatasetSetting, check_dataset]
    rate: Rate
    exact: Flag = True
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Replace the drawn rows, column by column."""
        names = self._columns(rows)
        source = table_of(self.other.data).select(names).take(self._row_numbers(rows))
        replaced = np.zeros(len(rows), np.bool_)
        replaced[select_at_rate(self, self.rate, draw, exact=self.exact)] = True
        table, features, changed = rows.table, {}, 0
        for name in names:
            current = dataclasses.replace(rows, table=table)
            present = current.column(name)
            mixed = pc.if_else(pa.array(replaced), source.column(name).cast(present.type), present)
            changed_cells = current.changed_cells(name, mixed)
            table, added = current.replace(name, mixed, changed_cells)
            features.update(added)
            changed += int(changed_cells.sum())
        acted = int(replaced.sum())
        details = {"columns": names, "origins": Distinct(self.other.to_dict()["origins"] if acted else [])}
        return Change(table, features, changed=changed, acted=acted, details=details)

    def _columns(self, rows: Rows) -> list[str]:
        """Return the columns to replace, after checking that both versions mean the same by them."""
        theirs: dict[str, Any] = self.other.data.features
        kept = {f"{name}_before" for name in rows.features}
        names = [name for name in rows.features if name in theirs and name != UID and name not in kept]
        if not names:
            raise ColumnError(
                f"{self} finds no column of {list_columns(rows.features)} in the other version; rename them."
            )
        for name in names:
            if rows.features[name] != theirs[name]:
                raise ColumnError(
                    f"{self} replaces {name!r}, which holds {rows.features[name]} here but {theirs[name]} in the "
                    "other version; cast one of them."
                )
        return names

    def _row_numbers(self, rows: Rows) -> pa.Array:
        """Return the number of the row of the other version that has each row's uid, shape (rows,)."""
        ours, theirs = _widen_uids(rows.column(UID)), _widen_uids(table_of(self.other.data).column(UID))
        if ours.type != theirs.type:
            raise UidError(
                f"{self} pairs rows by uid, but one version has integers and the other strings; convert one column "
                "'uid'."
            )
        numbers = pc.index_in(ours, theirs)
        if numbers.null_count:
            first = ours.filter(numbers.is_null())[0].as_py()
            raise UidError(
                f"{self} needs every row in the other version, but {numbers.null_count} of {len(ours)} are missing "
                f"there, the first with the uid {first!r}; drop these rows first."
            )
        return numbers


def _widen_uids(uids: pa.ChunkedArray) -> pa.Array:
    """Return uids as 64-bit integers or as strings, in one chunk."""
    array = uids.combine_chunks() if isinstance(uids, pa.ChunkedArray) else uids
    return array.cast(pa.int64() if pa.types.is_integer(array.type) else pa.large_string())
