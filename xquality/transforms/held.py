"""DatasetSetting: a dataset inside a frozen value, known by its digest."""

from dataclasses import dataclass, field
from typing import Any, final

from datasets import Dataset

from xquality.data._datasets import table_of
from xquality.data.digest import digest
from xquality.data.provenance import history, origins
from xquality.data.uids import UID, check_uids, with_uid
from xquality.errors import DataKindError, SerialisationError


@final
@dataclass(frozen=True, repr=False)
class DatasetSetting:
    """A dataset as the setting of a transform: equal where the digests are, written as what it is, without its rows.

    Attributes:
        data: the rows, with their uids; rows without any are stamped by their place.
        digest: of the rows with their uids.

    Raises:
        DataKindError: where `data` is no `Dataset`.
        SerialisationError: where `data` is what `to_dict` wrote: the rows are not in it.
        UidError: where a uid is null or stands on two rows.

    Example:
        >>> rows = Dataset.from_dict({"text": ["a", "b"]})
        >>> DatasetSetting(rows) == DatasetSetting(rows.select([0, 1])) != DatasetSetting(rows.select([0]))
        True
    """

    data: Dataset = field(compare=False)
    digest: str = field(init=False)

    def __post_init__(self) -> None:
        if isinstance(self.data, dict) and "digest" in self.data:
            raise SerialisationError(
                f"JSON holds the digest {self.data['digest']} of a dataset but not its rows; build the transform in "
                "Python with the dataset."
            )
        if not isinstance(self.data, Dataset):
            raise DataKindError(
                f"A transform can hold a datasets.Dataset, but got {type(self.data).__name__}; give one split."
            )
        if UID in self.data.column_names:
            check_uids(table_of(self.data).column(UID))
        else:
            object.__setattr__(self, "data", with_uid(self.data))
        object.__setattr__(self, "digest", digest(self.data))

    def __repr__(self) -> str:
        return f"<{len(self.data)} rows, digest {self.digest}>"

    def to_dict(self) -> dict[str, Any]:
        """Return what the rows are and how they came to be, as plain JSON values, without the rows."""
        return {
            "digest": self.digest,
            "rows": len(self.data),
            "origins": origins(self.data),
            "history": [one.to_dict() for one in history(self.data)],
        }

    def summary(self) -> dict[str, Any]:
        """Return what a record keeps of it: the same."""
        return self.to_dict()
