"""Applying one call to a whole dataset or to a stream, and writing its record: the one place every call passes.

A transform that treats each row alone is given large data in blocks, and large results are kept on disk
(`xquality.data.spill`), so that neither the size of the text nor the length of a chain decides how much memory a call
needs. The result does not depend on the blocks.
"""

import dataclasses
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any, final

import numpy as np
import pyarrow as pa
from datasets import Dataset, Features, IterableDataset, Value

from xquality.data._datasets import dataset_of, derive_fingerprint, stream_format, table_of, with_features
from xquality.data.arrow import replace_column
from xquality.data.provenance import describe, history
from xquality.data.rows import Change, Rows, joined
from xquality.data.spill import block_ranges, is_large, map_new_columns, write_mapped
from xquality.data.uids import UID, check_uids, with_uid
from xquality.errors import TransformError, UidError
from xquality.randomness import Bits, Draw, hash_uids
from xquality.records import Record

_BATCH = 10_000  # rows of a stream handed over at a time; Arrow work costs least from about here on

_version = cache(version)  # which reads a file each time


@final
@dataclass(frozen=True)
class Call:
    """One call of a transform: what to apply, with which settings, seed and help, and whether to each row alone."""

    name: str
    apply: Callable[[Rows, Draw], Change]
    described: Mapping[str, Any]
    stream: int
    seed: int
    num_proc: int
    alone: bool

    def run(self, table: pa.Table, features: Features, uids: Bits, start: int = 0) -> tuple[Change, Features]:
        """Apply the transform to a table that has its uids, and check what every transform promises."""
        change = self.apply(
            Rows(table, features, self.name, self.num_proc, start), Draw(self.seed, self.name, self.stream, uids)
        )
        names = change.table.column_names
        added = [one for one in names if one not in features]
        if names != [*features, *added] or not set(added) <= set(change.features) or len(change.table) > len(table):
            raise TransformError(
                f"{self.name}.apply returned {len(change.table)} rows with columns {names} for {len(table)} rows with "
                f"{list(features)}; keep the columns in order, add new ones last with their features, and add no rows."
            )
        return change, Features({**features, **{one: change.features[one] for one in added}})

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
            details={} if change is None else change.details,
        )


def on_dataset(call: Call, data: Dataset) -> Dataset:
    """Apply a call to all rows at once."""
    stamped = data if UID in data.column_names else with_uid(data)
    table = table_of(stamped)
    uids = check_uids(table.column(UID))
    run = _by_block if call.alone and is_large(table) else _at_once
    change, features = run(call, table, stamped.features, uids)
    settings = json.dumps(call.described, sort_keys=True)
    return dataset_of(
        change.table,
        features,
        like=stamped,
        # Of the call and what went in: the datasets library would pickle the code, and miss a change in it.
        fingerprint=derive_fingerprint(stamped, settings, call.seed),
        description=describe(data.info.description, [*history(data), call.record(change, len(table))]),
    )


def _at_once(call: Call, table: pa.Table, features: Features, uids: Bits) -> tuple[Change, Features]:
    """Apply a call to all rows in one go."""
    change, features = call.run(table, features, uids)
    if len(change.table) == len(table):  # else rows were taken, which keeps a large table on disk by itself
        change = dataclasses.replace(change, table=map_new_columns(change.table, table))
    return change, features


def _by_block(call: Call, table: pa.Table, features: Features, uids: Bits) -> tuple[Change, Features]:
    """Apply a call to a large table whose rows are treated alone, block by block."""
    empty, made = call.run(table.slice(0, 0), features, uids[:0])
    schema = made.arrow_schema
    changes = []

    def parts() -> Iterator[pa.Table]:
        for start, end in block_ranges(table):
            change, _ = call.run(table.slice(start, end - start), features, uids[start:end], start)
            changes.append(dataclasses.replace(change, table=empty.table))
            yield change.table.cast(schema)

    return joined(changes, write_mapped(schema, parts())), made


def on_stream(call: Call, data: IterableDataset) -> IterableDataset:
    """Apply a call batch by batch; each row's fate is the same as in a `Dataset` with the same uids."""
    described = with_features(data)
    if UID not in described.features and described.num_shards > 1:
        raise UidError(
            f"{call.name} stamps rows of a stream by their place, but this stream has {described.num_shards} shards "
            "that are counted apart; give it a uid column, for example by xq.with_uid before to_iterable_dataset."
        )
    stamped = Features({**described.features, **({} if UID in described.features else {UID: Value("int64")})})
    empty = stamped.arrow_schema.empty_table()
    _, features = call.run(empty, stamped, np.empty(0, np.uint64))

    def step(batch: pa.Table, numbers: list[int]) -> pa.Table:
        if UID not in batch.column_names:
            batch = replace_column(batch, UID, pa.array(numbers, pa.int64()))
        change, _ = call.run(batch.cast(stamped.arrow_schema), stamped, hash_uids(batch.column(UID)))
        return change.table.cast(features.arrow_schema)

    mapped = described.with_format("arrow").map(
        step, with_indices=True, batched=True, batch_size=_BATCH, features=features
    )
    mapped = mapped.with_format(stream_format(described))
    mapped.info.description = describe(data.info.description, [*history(data), call.record(None, None)])
    return mapped
