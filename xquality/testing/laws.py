"""The laws of a transform, as functions to import: run them on transforms of your own."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset, DatasetDict, Features

from xquality.data._datasets import dataset_of, table_of
from xquality.data.digest import digest
from xquality.data.provenance import history, with_history
from xquality.data.uids import UID, with_uid
from xquality.errors import (
    DataKindError,
    RepeatedTransformError,
    SerialisationError,
    SettingError,
    StreamError,
    TransformError,
    UidError,
    XqualityError,
)
from xquality.randomness import Draw, derive_seed, hash_uids
from xquality.records import Record
from xquality.transforms.base import Serialisable, Transform, call_transform, record_name
from xquality.transforms.function_transform import NamedFunction
from xquality.transforms.mix import DatasetSetting
from xquality.transforms.serialisation import from_dict
from xquality.translators import FunctionTranslator, Translator

Law = Callable[[Transform, Dataset, int], None]

_FEW = 3  # the rows of a chunk, a block and a batch


def check_transform(transform: Transform, data: Dataset, *, seed: int = 0) -> None:
    """Check every law in `LAWS` on a transform and some data, and on these data as another transform leaves them.

    Args:
        transform: the transform, with settings that change something.
        data: some twenty rows or more that it can be called on.
        seed: the seed of the calls.

    Raises:
        TransformError: naming the law that does not hold, and how.

    Example:
        >>> from xquality import LabelNoise, toy
        >>> check_transform(LabelNoise(rate=0.3), toy.topics.load("es", "validation"))
    """
    stamped = data if UID in data.column_names else with_uid(data)
    for law in LAWS:
        law(transform, stamped, seed)
    spoilt = spoil(stamped)
    for law in LAWS:
        try:
            law(transform, spoilt, seed)
        except TransformError as fault:
            raise TransformError(f"{fault} It holds on the data before another transform changed them.") from fault


def spoil(data: Dataset) -> Dataset:
    """Return rows as another transform leaves them: with first values of every column, some null, and its record.

    The first values are those of other rows, so that they differ from the present ones.
    """
    table, features = table_of(data), Features(data.features)
    earlier = Draw(0, "earlier", 0, hash_uids(table.column(UID))).uniform("earlier") < 1 / 3
    for name in [name for name in data.column_names if name != UID and not name.endswith("_before")]:
        if f"{name}_before" not in features:
            present = table.column(name).combine_chunks()
            other = present.take(pa.array(np.roll(np.arange(len(table)), 1)))
            table = table.append_column(
                f"{name}_before", pc.if_else(pa.array(earlier), other, pa.scalar(None, present.type))
            )
            features[f"{name}_before"] = features[name]
    spoilt = dataset_of(table, features, like=data, fingerprint=f"{derive_seed('spoilt', digest(data)):016x}")
    record = Record("Earlier", {"stream": 0}, seed=0, rows_before=len(data), rows_after=len(data))
    return with_history(spoilt, [*history(data), record])


def same_call_gives_same_bytes(transform: Transform, data: Dataset, seed: int) -> None:
    """The same data, settings, seed and stream give the same bytes."""
    first, second = digest(transform(data, seed=seed)), digest(transform(data, seed=seed))
    _require(
        transform, same_call_gives_same_bytes, first == second, f"two calls with seed {seed} gave {first} and {second}"
    )


def input_is_unchanged(transform: Transform, data: Dataset, seed: int) -> None:
    """The data that go in are left as they were."""
    before, records = digest(data), history(data)
    transform(data, seed=seed)
    same = digest(data) == before and history(data) == records
    _require(transform, input_is_unchanged, same, "the input changed")


def order_of_rows_changes_nothing(transform: Transform, data: Dataset, seed: int) -> None:
    """The order of rows, the chunks, a selection and the number of processes change no row's outcome."""
    expected = _by_uid(table_of(transform(data, seed=seed)))
    shuffled = np.random.default_rng(derive_seed("shuffle", seed)).permutation(len(data))
    chunks = pa.concat_tables(_slices(table_of(data)))
    variants: dict[str, Callable[[], Dataset]] = {
        "shuffled rows": lambda: transform(data.select(shuffled), seed=seed),
        "other chunks": lambda: transform(
            dataset_of(chunks, data.features, like=data, fingerprint="chunks"), seed=seed
        ),
        "a selection of all rows": lambda: transform(data.select(list(range(len(data)))), seed=seed),
        "num_proc=2": lambda: transform(data, seed=seed, num_proc=2),
    }
    for name, call in variants.items():
        same = _by_uid(table_of(call())).equals(expected)
        _require(transform, order_of_rows_changes_nothing, same, f"{name} gave other rows")


def blocks_change_nothing(transform: Transform, data: Dataset, seed: int) -> None:
    """Where each row is treated alone, blocks of a few rows change neither a row nor the record."""
    if transform.why_all_rows() is not None:
        return
    expected, found = transform(data, seed=seed), call_transform(transform, data, seed=seed, block_rows=_FEW)
    same = digest(found) == digest(expected)
    _require(transform, blocks_change_nothing, same, f"blocks of {_FEW} rows gave other rows than all rows at once")
    before, after = history(expected)[-1], history(found)[-1]
    _require(transform, blocks_change_nothing, before == after, f"the record of blocks is {after}, not {before}")


def streams_agree_or_are_refused(transform: Transform, data: Dataset, seed: int) -> None:
    """A stream in batches of a few rows gives the rows of a dataset; where all rows are needed, it is refused."""
    stream = data.to_iterable_dataset()
    if transform.why_all_rows() is not None:
        _require_error(transform, streams_agree_or_are_refused, StreamError, lambda: transform(stream, seed=seed))
        return
    expected = transform(data, seed=seed).with_format(None).to_list()
    found = list(call_transform(transform, stream, seed=seed, block_rows=_FEW))
    _require(transform, streams_agree_or_are_refused, expected == found, "a stream gave other rows")


def batches_agree_or_are_refused(transform: Transform, data: Dataset, seed: int) -> None:
    """`transform.batches(seed)` gives the rows of a dataset; where all rows are needed, it is refused."""
    if transform.why_all_rows() is not None:
        _require_error(transform, batches_agree_or_are_refused, StreamError, lambda: transform.batches(seed))
        return
    expected = transform(data, seed=seed)
    order = np.random.default_rng(derive_seed("batches", seed)).permutation(len(data))
    function = transform.batches(seed, features=data.features)
    found = pa.concat_tables([function(batch) for batch in _slices(table_of(data.select(order)))])
    same = _by_uid(found).equals(_by_uid(table_of(expected)))
    _require(transform, batches_agree_or_are_refused, same, f"batches of {_FEW} rows gave other rows than a dataset")
    features = Features.from_arrow_schema(found.schema)
    kept = features == expected.features
    _require(transform, batches_agree_or_are_refused, kept, f"the features of batches became {features}")


def uids_are_a_unique_subset(transform: Transform, data: Dataset, seed: int) -> None:
    """The uids that come out are a unique subset of those that go in."""
    before, after = data[UID][:], transform(data, seed=seed)[UID][:]
    subset = set(after) <= set(before) and len(set(after)) == len(after)
    _require(transform, uids_are_a_unique_subset, subset, "uids were invented or repeated")


def features_are_kept(transform: Transform, data: Dataset, seed: int) -> None:
    """Features and the order of columns are kept; added columns come last."""
    after = transform(data, seed=seed)
    kept = list(after.features.items())[: len(data.features)]
    same = kept == list(data.features.items())
    _require(transform, features_are_kept, same, f"the features became {after.features}")


def one_record_is_added(transform: Transform, data: Dataset, seed: int) -> None:
    """A call adds exactly one record, with the counts and the realised rate."""
    after = transform(data, seed=seed)
    records = history(after)
    _require(transform, one_record_is_added, records[:-1] == history(data), f"the history became {records}")
    last = records[-1]
    expected = (record_name(transform), seed, len(data), len(after))
    right = (last.transform, last.seed, last.rows_before, last.rows_after) == expected
    _require(transform, one_record_is_added, right and last.digest == digest(after), f"the record is {last}")


def weaker_is_nested_in_stronger(transform: Transform, data: Dataset, seed: int) -> None:
    """Where a field is a strength, a weaker call is contained in a stronger one; not so for `partial` transforms."""
    if transform.partial:
        return
    for name in transform.strength:
        value = getattr(transform, name)
        if value is None:
            continue
        half = value // 2 if isinstance(value, int) else value / 2
        weaker: Transform = dataclasses.replace(transform, **{name: half})  # type: ignore[type-var]  # transforms are dataclasses
        weak, strong = weaker(data, seed=seed), transform(data, seed=seed)
        few, many = set(weak[UID][:]), set(strong[UID][:])
        found = f"the rows at {name}={half} are not nested in those at {value}"
        _require(transform, weaker_is_nested_in_stronger, few <= many or many <= few, found)
        for column in (column for column in data.column_names if f"{column}_before" in weak.column_names):
            present = dict(zip(data[UID], data[column], strict=True))
            less, more = _changed_cells(present, weak, column), _changed_cells(present, strong, column)
            inside = all(
                uid not in many or _is_within(present[uid], cell, more.get(uid, present[uid]))
                for uid, cell in less.items()
            )
            found = f"the changes to {column} at {name}={half} are not those at {value}"
            _require(transform, weaker_is_nested_in_stronger, inside, found)


def bad_calls_are_refused(transform: Transform, data: Dataset, seed: int) -> None:
    """What cannot be transformed is refused with the typed error; no rows at all are returned as they are."""
    calls: tuple[tuple[type[XqualityError], Callable[[], Any]], ...] = (
        (DataKindError, lambda: transform(DatasetDict({"train": data}), seed=seed)),
        (DataKindError, lambda: transform([{"text": "a"}], seed=seed)),
        (SettingError, lambda: transform(data, seed=0.5)),  # type: ignore[arg-type]  # on purpose
        (SettingError, lambda: transform(data, seed=True)),
        (UidError, lambda: transform(data.select([0, 0, *range(len(data))]), seed=seed)),
        (RepeatedTransformError, lambda: transform(transform(data, seed=seed), seed=seed)),
    )
    for kind, call in calls:
        _require_error(transform, bad_calls_are_refused, kind, call)
    empty = transform(data.select([]), seed=seed)
    right = len(empty) == 0 and len(history(empty)) == len(history(data)) + 1
    _require(transform, bad_calls_are_refused, right, "no rows were not returned as no rows")


def repr_and_json_give_an_equal_value(transform: Transform, data: Dataset, seed: int) -> None:
    """The repr evaluates to an equal value, unless a setting is fitted to data or a function; JSON round-trips.

    JSON does not hold the rows of a dataset: a transform with such a setting is refused when it is read back.
    """
    law, kind = repr_and_json_give_an_equal_value, type(transform)
    settings = [getattr(transform, field.name) for field in dataclasses.fields(transform)]  # type: ignore[arg-type]  # transforms are dataclasses
    if not any(isinstance(setting, Serialisable) for setting in settings):
        again = eval(repr(transform), {kind.__name__: kind})  # noqa: S307 (the text is our own repr: this is the law)
        _require(transform, law, again == transform and hash(again) == hash(transform), f"its repr gives {again!r}")
    written = json.loads(json.dumps(transform.to_dict()))
    known: tuple[Any, ...] = (kind, *(part for setting in settings for part in _known_parts(setting)))
    if any(isinstance(setting, DatasetSetting) for setting in settings):
        _require_error(transform, law, SerialisationError, lambda: from_dict(written, known=known))
        return
    back = from_dict(written, known=known)
    _require(transform, law, back == transform, f"JSON gives {back!r}")
    same = digest(back(data, seed=seed)) == digest(transform(data, seed=seed))
    _require(transform, law, same, "what JSON gives transforms the data otherwise")


def changes_can_be_undone(transform: Transform, data: Dataset, seed: int) -> None:
    """First values are found in `<column>_before`, also those from before; columns without one are unchanged.

    What earlier transforms wrote about a column (`<column>_given`, `label_issue`) may be added to.
    """
    after = transform(data, seed=seed)
    kept = set(after[UID][:])
    before = _by_uid(table_of(data.select([row for row, uid in enumerate(data[UID]) if uid in kept])))
    result = _by_uid(table_of(after))
    notes = {f"{name}_{note}" for name in data.column_names for note in ("before", "given", "label_issue")}
    for name in (name for name in before.column_names if name not in notes | {"label_issue"}):
        same = _first_values(before, name).equals(_first_values(result, name))
        _require(transform, changes_can_be_undone, same, f"the first values of {name!r} cannot be found again")


LAWS: tuple[Law, ...] = (
    same_call_gives_same_bytes,
    input_is_unchanged,
    order_of_rows_changes_nothing,
    blocks_change_nothing,
    streams_agree_or_are_refused,
    batches_agree_or_are_refused,
    uids_are_a_unique_subset,
    features_are_kept,
    one_record_is_added,
    weaker_is_nested_in_stronger,
    bad_calls_are_refused,
    repr_and_json_give_an_equal_value,
    changes_can_be_undone,
)


def _known_parts(setting: object) -> Iterator[Any]:
    """Yield what `from_dict` must be given in `known` to read a setting: functions, and classes of translators."""
    if isinstance(setting, NamedFunction | FunctionTranslator):
        yield setting.function
    if isinstance(setting, Translator):
        yield type(setting)
        for field in dataclasses.fields(setting):  # type: ignore[arg-type]  # subclasses are dataclasses
            yield from _known_parts(getattr(setting, field.name))


def _require(transform: Transform, law: Law, holds: bool, found: str) -> None:
    """Raise where a law does not hold."""
    if not holds:
        raise TransformError(f"{transform} breaks the law '{law.__name__}': {found}.")


def _require_error(transform: Transform, law: Law, kind: type[XqualityError], call: Callable[[], Any]) -> None:
    """Raise where a call does not raise the typed error."""
    try:
        call()
    except kind:
        return
    except Exception as fault:
        raise TransformError(
            f"{transform} breaks the law '{law.__name__}': {kind.__name__} was expected, but {fault!r} was raised."
        ) from fault
    _require(transform, law, False, f"nothing was raised where {kind.__name__} was expected")


def _slices(table: pa.Table) -> list[pa.Table]:
    """Return a table in pieces of a few rows."""
    return [table.slice(start, _FEW) for start in range(0, len(table), _FEW)]


def _by_uid(table: pa.Table) -> pa.Table:
    """Return the rows in the order of their uids, in one chunk and without metadata: equal for equal rows."""
    return table.sort_by(UID).combine_chunks().replace_schema_metadata(None)


def _first_values(table: pa.Table, name: str) -> pa.ChunkedArray:
    """Return the first values of a column: those that `<name>_before` keeps, or else the present ones."""
    present = table.column(name)
    if f"{name}_before" not in table.column_names:
        return present
    return pa.chunked_array(pc.coalesce(table.column(f"{name}_before"), present)).cast(present.type)


def _changed_cells(present: dict[Any, Any], after: Dataset, column: str) -> dict[Any, Any]:
    """Return by uid the cells of a column that differ from those that went in."""
    return {uid: cell for uid, cell in zip(after[UID], after[column], strict=True) if cell != present[uid]}


def _is_within(first: Any, weak: Any, strong: Any) -> bool:
    """Return whether a cell's weaker change is part of its stronger one; in lists of one length, token by token."""
    if isinstance(first, list) and isinstance(strong, list) and len(first) == len(weak) == len(strong):
        return all(
            weak_token in (first_token, strong_token)
            for first_token, weak_token, strong_token in zip(first, weak, strong, strict=True)
        )
    return bool(weak == strong)
