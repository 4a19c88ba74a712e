"""A request for a column: the checked arguments, the rows in uid order, and how the values are added to the data."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, final

import numpy as np
import pyarrow as pa
from datasets import Dataset, Features

from xquality import _settings
from xquality.data._datasets import dataset_of, derive_fingerprint, table_of
from xquality.data.arrow import Indices, replace_column
from xquality.data.provenance import history, make_description
from xquality.data.uids import UID, check_uids, with_uid
from xquality.errors import ColumnError, DataKindError
from xquality.randomness import Draw
from xquality.records import Record

_ALGORITHM = 1  # raise it when the same settings give other probabilities than before


@final
@dataclass(frozen=True)
class ColumnRequest:
    """A column of probabilities to compute, and the rows to compute it for.

    The rows are ordered by their uids, so that their order in the data changes nothing.

    Attributes:
        owner: the function that was called, for messages and the record.
        data: the rows as given, with their uids.
        table: the rows in the order of their hashed uids.
        order: the number that each of these rows has in `data`, shape (rows,).
        draw: the keyed randomness of the call, in the order of the table.
        folds: the number of folds.
        name: the name of the column to add.
    """

    owner: str
    data: Dataset
    table: pa.Table
    order: Indices
    draw: Draw
    folds: int
    name: str

    @classmethod
    def of(cls, owner: str, data: object, seed: object, folds: object, name: object) -> "ColumnRequest":
        """Return the request with its arguments checked."""
        if not isinstance(data, Dataset):
            raise DataKindError(f"{owner} takes a Dataset, but got {type(data).__name__}; give one split of rows.")
        checked_seed = _settings.integer(owner, "seed", seed)
        checked_folds = _settings.integer(owner, "folds", folds, least=2)
        if _settings.text(owner, "name", name) in data.column_names:
            raise ColumnError(f"{owner} adds a column {name!r}, but there is one; remove it or give another name.")
        with_uids = data if UID in data.column_names else with_uid(data)
        table = table_of(with_uids)
        uids = check_uids(table.column(UID))
        order = np.argsort(uids).astype(np.int64)
        draw = Draw(checked_seed, owner, 0, uids[order])
        return cls(owner, with_uids, table.take(pa.array(order)), order, draw, checked_folds, str(name))

    def select(self, rows: Indices) -> Dataset:
        """Return some of the rows as a dataset; `rows` are numbers of rows of the table."""
        return self.data.select(self.order[rows])

    def add_column(
        self,
        values: pa.Array,
        feature: Any,
        settings: Mapping[str, Any],
        details: Mapping[str, Any],
        packages: Sequence[str],
    ) -> Dataset:
        """Return the data with the column and one more record.

        Args:
            values: the values of the column, in the order of the table.
            feature: the feature of the column.
            settings: further settings for the record.
            details: further details for the record.
            packages: the packages whose versions decide the values, for the record.
        """
        rows = len(self.order)
        position = np.empty(rows, np.int64)  # of each row of the data in the table
        position[self.order] = np.arange(rows)
        record = Record(
            transform=self.owner,
            settings={"name": self.name, "folds": self.folds, **settings},
            seed=self.draw.seed,
            rows_before=rows,
            rows_after=rows,
            changed=0,
            versions={"algorithm": _ALGORITHM, **{name: version(name) for name in ("xquality", *packages)}},
            details=details,
        )
        written = json.dumps(record.to_dict(), sort_keys=True, ensure_ascii=False)
        return dataset_of(
            replace_column(table_of(self.data), self.name, values.take(pa.array(position))),
            Features({**self.data.features, self.name: feature}),
            like=self.data,
            fingerprint=derive_fingerprint(self.data, written),
            description=make_description(self.data.info.description, [*history(self.data), record]),
        )
