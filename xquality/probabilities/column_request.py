"""ColumnRequest: a column to compute over rows in uid order, and how it is added to the data with its record."""

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
    """What is asked for, and the rows.

    Attributes:
        owner: the function that was called, for messages and the record.
        data: the rows as given, with their uids.
        table: the rows in the order of their hashed uids.
        order: this order, shape (rows,).
        draw: the keyed randomness of the call, in this order.
        folds: how many folds.
        name: the column to add.
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
        """Return the checked question."""
        if not isinstance(data, Dataset):
            raise DataKindError(f"{owner} judges a Dataset, but got {type(data).__name__}; give one split of rows.")
        number, parts = _settings.integer(owner, "seed", seed), _settings.integer(owner, "folds", folds, least=2)
        if _settings.text(owner, "name", name) in data.column_names:
            raise ColumnError(f"{owner} adds a column {name!r}, but there is one; remove it or give another name.")
        stamped = data if UID in data.column_names else with_uid(data)
        table = table_of(stamped)
        uids = check_uids(table.column(UID))
        order = np.argsort(uids).astype(np.int64)
        return cls(
            owner, stamped, table.take(pa.array(order)), order, Draw(number, owner, 0, uids[order]), parts, str(name)
        )

    def rows(self, places: Indices) -> Dataset:
        """Return some of the rows, counted in the order of their uids."""
        return self.data.select(self.order[places])

    def answer(
        self,
        values: pa.Array,
        feature: Any,
        settings: Mapping[str, Any],
        details: Mapping[str, Any],
        packages: Sequence[str],
    ) -> Dataset:
        """Return the data with the values, which stand in the order of the uids, as a column, and one more record."""
        back = np.empty(len(self.order), np.int64)
        back[self.order] = np.arange(len(back))
        record = Record(
            transform=self.owner,
            settings={"name": self.name, "folds": self.folds, **settings},
            seed=self.draw.seed,
            rows_before=len(back),
            rows_after=len(back),
            changed=0,
            versions={"algorithm": _ALGORITHM, **{one: version(one) for one in ("xquality", *packages)}},
            details=details,
        )
        written = json.dumps(record.to_dict(), sort_keys=True, ensure_ascii=False)
        return dataset_of(
            replace_column(table_of(self.data), self.name, values.take(pa.array(back))),
            Features({**self.data.features, self.name: feature}),
            like=self.data,
            fingerprint=derive_fingerprint(self.data, written),
            description=make_description(self.data.info.description, [*history(self.data), record]),
        )
