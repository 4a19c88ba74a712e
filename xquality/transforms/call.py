"""Applying one call to a dataset, a stream or a batch, and writing its record: every call passes here.

A transform that treats each row alone is given large data in blocks, and large results are kept on disk
(`xquality.data.spill`), so that neither the size of the text nor the length of a chain decides how much memory a call
needs. The result does not depend on the blocks.
"""

import dataclasses
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any, final

import numpy as np
import pyarrow as pa
from datasets import Dataset, Features, IterableDataset, Value

from xquality.data._datasets import dataset_of, derive_fingerprint, stream_format, table_of, with_features
from xquality.data.arrow import replace_column, without_views
from xquality.data.provenance import add_record, history
from xquality.data.rows import Change, Rows, merge_changes
from xquality.data.spill import block_ranges, is_large, map_new_columns, write_mapped
from xquality.data.uids import UID, check_uids, with_uid
from xquality.errors import ColumnError, DataKindError, TransformError, UidError
from xquality.randomness import Bits, Draw, hash_uids
from xquality.records import Record

_STREAM_ROWS = 10_000  # rows of a stream handed over at a time; Arrow work costs least from about here on

_version = cache(version)  # which reads a file each time


@final
@dataclass(frozen=True)
class Call:
    """One call of a transform: what to apply, with which settings and seed, whether to each row alone, and to what.

    `records` are the history of the data that the call is made on, and `languages` those of its rows.
    """

    name: str
    apply: Callable[[Rows, Draw], Change]
    described: Mapping[str, Any]
    stream: int
    seed: int
    num_proc: int
    per_row: bool
    records: tuple[Record, ...] = ()
    languages: tuple[str, ...] = ()

    def run(self, table: pa.Table, features: Features, uids: Bits, start: int = 0) -> tuple[Change, Features]:
        """Apply the transform to a table that has its uids, and check what every transform promises."""
        table = without_views(table)  # for which Arrow lacks functions; the caller casts to the features
        change = self.apply(
            Rows(
                table,
                features,
                self.name,
                self.num_proc,
                start,
                whole=not self.per_row,
                records=self.records,
                languages=self.languages,
            ),
            Draw(self.seed, self.name, self.stream, uids),
        )
        names = change.table.column_names
        added = [name for name in names if name not in features]
        if names != [*features, *added] or not set(added) <= set(change.features) or len(change.table) > len(table):
            raise TransformError(
                f"{self.name}.apply returned {len(change.table)} rows with columns {names} for {len(table)} rows with "
                f"{list(features)}; keep the columns in order, add new ones last with their features, and add no rows."
            )
        return change, Features({**features, **{name: change.features[name] for name in added}})

    def record(self, change: Change | None, rows: int | None) -> Record:
        """Return the record of this call; counts are None on a stream."""
        acted = None if change is None else change.acted
        counted = rows if change is None or change.of is None else change.of
        return Record(
            transform=self.name,
            settings=self.described["settings"],
            seed=self.seed,
            rows_before=rows,
            rows_after=None if change is None else len(change.table),
            changed=None if change is None else change.changed,
            realised_rate=None if acted is None else acted / counted if counted else 0.0,
            versions={"algorithm": self.described["algorithm"], "xquality": _version("xquality")},
            details={} if change is None else change.record_details(),
        )


def call_on_dataset(call: Call, data: Dataset, block_rows: int | None = None) -> Dataset:
    """Return `data` after a call; where each row is treated alone, `block_rows` or large data make blocks."""
    stamped = data if UID in data.column_names else with_uid(data)
    table = table_of(stamped)
    uids = check_uids(table.column(UID))
    if call.per_row and len(table) and (block_rows is not None or is_large(table)):
        change, features = _run_by_block(call, table, stamped.features, uids, _ranges(table, block_rows))
    else:
        change, features = _run_at_once(call, table, stamped.features, uids)
    settings = json.dumps(call.described, sort_keys=True)
    return dataset_of(
        change.table,
        features,
        like=stamped,
        # Of the call and what went in: the datasets library would pickle the code, and miss a change in it.
        fingerprint=derive_fingerprint(stamped, settings, call.seed),
        description=add_record(data.info.description, history(data), call.record(change, len(table))),
    )


def _ranges(table: pa.Table, block_rows: int | None) -> Iterable[tuple[int, int]]:
    """Return the first row of each block and the row after its last."""
    if block_rows is None:
        return block_ranges(table)
    return ((start, min(start + block_rows, len(table))) for start in range(0, len(table), block_rows))


def _run_at_once(call: Call, table: pa.Table, features: Features, uids: Bits) -> tuple[Change, Features]:
    """Apply a call to all rows together."""
    change, features = call.run(table, features, uids)
    if len(change.table) == len(table):  # else rows were taken, which keeps a large table on disk by itself
        change = dataclasses.replace(change, table=map_new_columns(change.table, table))
    return change, features


def _run_by_block(
    call: Call, table: pa.Table, features: Features, uids: Bits, ranges: Iterable[tuple[int, int]]
) -> tuple[Change, Features]:
    """Apply a call that treats each row alone block by block."""
    empty, after = call.run(table.slice(0, 0), features, uids[:0])
    schema = after.arrow_schema
    changes = []

    def changed_blocks() -> Iterator[pa.Table]:
        for start, end in ranges:
            change, found = call.run(table.slice(start, end - start), features, uids[start:end], start)
            _check_columns(call, after, found)
            changes.append(dataclasses.replace(change, table=empty.table))
            yield change.table.cast(schema)

    rows = write_mapped(schema, changed_blocks())
    return merge_changes(call.name, changes, rows), after


def _check_columns(call: Call, expected: Features, found: Features) -> None:
    """Raise where a call adds columns to some rows only."""
    if list(found) != list(expected):
        raise TransformError(
            f"{call.name}.apply returned the columns {list(found)} for some rows, but {list(expected)} for none; add "
            "the same columns whatever the rows are."
        )


def call_on_stream(call: Call, data: IterableDataset, batch_rows: int | None = None) -> IterableDataset:
    """Return a stream after a call, batch by batch; each row comes out as in a `Dataset` with the same uids."""
    described = with_features(data)
    if UID not in described.features and described.num_shards > 1:
        raise UidError(
            f"{call.name} stamps rows of a stream by their place, but this stream has {described.num_shards} shards "
            "that are counted apart; give it a uid column, for example by xq.with_uid before to_iterable_dataset."
        )
    stamped = Features({**described.features, **({} if UID in described.features else {UID: Value("int64")})})
    empty = stamped.arrow_schema.empty_table()
    _, features = call.run(empty, stamped, np.empty(0, np.uint64))

    def change_batch(batch: pa.Table, numbers: list[int]) -> pa.Table:
        if UID not in batch.column_names:
            batch = replace_column(batch, UID, pa.array(numbers, pa.int64()))
        change, found = call.run(batch.cast(stamped.arrow_schema), stamped, hash_uids(batch.column(UID)))
        _check_columns(call, features, found)
        return change.table.cast(features.arrow_schema)

    mapped = described.with_format("arrow").map(
        change_batch, with_indices=True, batched=True, batch_size=batch_rows or _STREAM_ROWS, features=features
    )
    mapped = mapped.with_format(stream_format(described))
    mapped.info.description = add_record(data.info.description, history(data), call.record(None, None))
    return mapped


@final
@dataclass(frozen=True)
class BatchFunction:
    """A function from an Arrow table with a `uid` column to the transformed table, which can be pickled.

    Attributes:
        calls: the calls to make in turn, each of a transform that treats each row alone.
        features: of the columns of the tables; None reads them from the metadata of their schemas.
    """

    calls: tuple[Call, ...]
    features: Features | None = None

    def __call__(self, table: pa.Table) -> pa.Table:
        """Return the transformed rows of a table; the schema's metadata hold their features.

        Raises:
            DataKindError: where `table` is no `pyarrow.Table`.
            UidError: where it has no `uid` column, or a uid is null.
            ColumnError: where its columns are others than those of `features`, or hold other types.
        """
        if not isinstance(table, pa.Table):
            raise DataKindError(
                f"A batch is a pyarrow.Table, but got {type(table).__name__}; build one, for example by "
                "pyarrow.Table.from_batches."
            )
        if UID not in table.column_names:
            raise UidError(
                f"{self._owner} draws each row by its uid, but this batch has only the columns {table.column_names}; "
                "numbering a batch would draw other rows than numbering the data, so stamp these with xq.with_uid."
            )
        features = Features.from_arrow_schema(table.schema) if self.features is None else self.features
        table = _cast(table, features, self._owner)
        for call in self.calls:
            change, features = call.run(table, features, hash_uids(table.column(UID)))
            table = change.table.cast(features.arrow_schema)
        return table

    @property
    def _owner(self) -> str:
        """The names of the transforms, for messages."""
        return " >> ".join(call.name for call in self.calls) or "Compose"


def _cast(table: pa.Table, features: Features, owner: str) -> pa.Table:
    """Return a table with the columns and the types of its features."""
    if set(table.column_names) != set(features):
        raise ColumnError(
            f"{owner} was given the features of {list(features)}, but the batch has the columns {table.column_names}; "
            "give the features of these."
        )
    try:
        return table.select(list(features)).cast(features.arrow_schema)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as fault:
        raise ColumnError(f"{owner} was given features that do not fit the batch: {fault}.") from fault
