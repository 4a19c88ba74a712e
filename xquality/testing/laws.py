"""The laws of a transform, as functions to import: run them on transforms of your own."""

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset, DatasetDict

from xquality.data.digest import digest
from xquality.data.provenance import history
from xquality.data.uids import UID, with_uid
from xquality.errors import (
    DataKindError,
    RepeatedTransformError,
    SettingError,
    TransformError,
    UidError,
    XqualityError,
)
from xquality.randomness import derive_seed
from xquality.testing.comparison import by_uid, changed_cells, rechunked, within
from xquality.transforms.base import Serialisable, Transform
from xquality.transforms.serialisation import from_dict

Law = Callable[[Transform, Dataset, int], None]


def check_transform(transform: Transform, data: Dataset, *, seed: int = 0) -> None:
    """Check every law in `LAWS` on a transform and some data.

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


def repeatable(transform: Transform, data: Dataset, seed: int) -> None:
    """The same data, settings, seed and stream give the same bytes."""
    first, second = digest(transform(data, seed=seed)), digest(transform(data, seed=seed))
    _hold(transform, repeatable, first == second, f"two calls with seed {seed} gave {first} and {second}")


def untouched(transform: Transform, data: Dataset, seed: int) -> None:
    """The input is left as it was."""
    before, records = digest(data), history(data)
    transform(data, seed=seed)
    _hold(transform, untouched, digest(data) == before and history(data) == records, "the input changed")


def order_free(transform: Transform, data: Dataset, seed: int) -> None:
    """The order of rows, chunks and the number of processes change no row's fate."""
    wanted = by_uid(transform(data, seed=seed))
    places = np.random.default_rng(derive_seed("shuffle", seed)).permutation(len(data))
    variants = {
        "shuffled rows": data.select(places),
        "other chunks": rechunked(data),
        "a selection of all rows": data.select(list(range(len(data)))),
    }
    for name, variant in variants.items():
        found = by_uid(transform(variant, seed=seed))
        _hold(transform, order_free, found.equals(wanted), f"{name} gave other rows")
    found = by_uid(transform(data, seed=seed, num_proc=2))
    _hold(transform, order_free, found.equals(wanted), "num_proc=2 gave other rows")


def uids_kept(transform: Transform, data: Dataset, seed: int) -> None:
    """The uids that come out are a unique subset of those that went in."""
    before, after = data[UID][:], transform(data, seed=seed)[UID][:]
    _hold(
        transform,
        uids_kept,
        set(after) <= set(before) and len(set(after)) == len(after),
        "uids were invented or repeated",
    )


def features_kept(transform: Transform, data: Dataset, seed: int) -> None:
    """Features and the order of columns are kept; added columns come last."""
    after = transform(data, seed=seed)
    kept = list(after.features.items())[: len(data.features)]
    _hold(transform, features_kept, kept == list(data.features.items()), f"the features became {after.features}")


def one_record(transform: Transform, data: Dataset, seed: int) -> None:
    """A call adds exactly one record, with the counts and the realised rate."""
    after = transform(data, seed=seed)
    records = history(after)
    _hold(transform, one_record, records[:-1] == history(data), f"the history became {records}")
    last = records[-1]
    right = (last.transform, last.seed, last.rows_before, last.rows_after) == (
        type(transform).__name__,
        seed,
        len(data),
        len(after),
    )
    _hold(transform, one_record, right and last.digest == digest(after), f"the record is {last}")


def nested(transform: Transform, data: Dataset, seed: int) -> None:
    """Where a field is a strength, a weaker call is contained in a stronger one; not so for `partial` transforms."""
    if transform.partial:
        return
    for name in transform.strength:
        value = getattr(transform, name)
        if value is None:
            continue
        half = value // 2 if isinstance(value, int) else value / 2
        weak = transform_with(transform, name, half)(data, seed=seed)
        strong = transform(data, seed=seed)
        few, many = set(weak[UID][:]), set(strong[UID][:])
        _hold(
            transform,
            nested,
            few <= many or many <= few,
            f"the rows at {name}={half} are not nested in those at {value}",
        )
        for column in (one for one in weak.column_names if one.endswith("_before")):
            less, more = changed_cells(weak, column), changed_cells(strong, column)
            first = {row[UID]: row[column] for row in weak}
            inside = all(uid not in many or within(first[uid], change, more.get(uid)) for uid, change in less.items())
            _hold(
                transform,
                nested,
                inside,
                f"the changes to {column} at {name}={half} are not those at {value}",
            )


def refuses(transform: Transform, data: Dataset, seed: int) -> None:
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
        try:
            call()
        except kind:
            continue
        except Exception as fault:
            raise TransformError(
                f"{transform!r} breaks the law 'refuses': wanted {kind.__name__}, got {fault!r}."
            ) from fault
        _hold(transform, refuses, False, f"nothing was raised where {kind.__name__} was wanted")
    empty = transform(data.select([]), seed=seed)
    _hold(
        transform,
        refuses,
        len(empty) == 0 and len(history(empty)) == len(history(data)) + 1,
        "no rows were not returned as no rows",
    )


def written(transform: Transform, data: Dataset, seed: int) -> None:
    """The repr evaluates to an equal value, unless a setting is fitted to data; JSON round-trips."""
    kind = type(transform)
    settings = [getattr(transform, one.name) for one in dataclasses.fields(transform)]  # type: ignore[arg-type]  # transforms are dataclasses
    if not any(isinstance(one, Serialisable) for one in settings):
        again = eval(repr(transform), {kind.__name__: kind})  # noqa: S307 (the text is our own repr: this is the law)
        _hold(transform, written, again == transform and hash(again) == hash(transform), f"its repr gives {again!r}")
    back = from_dict(json.loads(json.dumps(transform.to_dict())), known=(kind,))
    _hold(transform, written, back == transform, f"JSON gives {back!r}")
    same = digest(back(data, seed=seed)) == digest(transform(data, seed=seed))
    _hold(transform, written, same, "its twin from JSON does something else")


def undone(transform: Transform, data: Dataset, seed: int) -> None:
    """What was changed can be undone from `<column>_before`; columns without one are unchanged."""
    after = transform(data, seed=seed)
    kept = data.select([row for row, uid in enumerate(data[UID]) if uid in set(after[UID][:])])
    before, result = by_uid(kept), by_uid(after)
    for name in before.column_names:
        present = result.column(name)
        if f"{name}_before" in result.column_names:
            present = pc.coalesce(result.column(f"{name}_before"), present)
        same = (
            before.column(name)
            .combine_chunks()
            .equals(pa.chunked_array(present).combine_chunks().cast(before.column(name).type))
        )
        _hold(transform, undone, same, f"the first values of {name!r} cannot be found again")


def streams(transform: Transform, data: Dataset, seed: int) -> None:
    """Where a transform needs no view of all rows, a stream gives each row the same fate; others refuse streams."""
    needs_all = transform.why_all_rows() is not None
    stream = data.to_iterable_dataset()
    if needs_all:
        try:
            transform(stream, seed=seed)
        except TypeError:
            return
        _hold(transform, streams, False, "a stream was accepted")
    wanted, found = transform(data, seed=seed), list(transform(stream, seed=seed))
    _hold(transform, streams, wanted.to_list() == found, "a stream gave other rows")


LAWS: tuple[Law, ...] = (
    repeatable,
    untouched,
    order_free,
    uids_kept,
    features_kept,
    one_record,
    nested,
    refuses,
    written,
    undone,
    streams,
)


def transform_with(transform: Transform, name: str, value: Any) -> Transform:
    """Return the transform with one setting replaced."""
    changed: Transform = dataclasses.replace(transform, **{name: value})  # type: ignore[type-var]  # transforms are dataclasses
    return changed


def _hold(transform: Transform, law: Law, holds: bool, found: str) -> None:
    """Raise where a law does not hold."""
    if not holds:
        raise TransformError(f"{transform!r} breaks the law '{law.__name__}': {found}.")
