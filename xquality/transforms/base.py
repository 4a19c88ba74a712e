"""A transform is a frozen value: its fields are its settings, and calling it with data and a seed returns data.

`Transform` is what every transform, the library's or a user's, derives from; `Compose` is a sequence of them.
"""

import dataclasses
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Protocol, TypeVar, final, runtime_checkable

from datasets import Dataset, DatasetDict, Features, IterableDataset, IterableDatasetDict

from xquality import _settings
from xquality._settings import check_settings
from xquality.data.provenance import history, origins, parts_of
from xquality.data.rows import Change, Rows
from xquality.errors import DataKindError, RepeatedTransformError, SerialisationError, SettingError, StreamError
from xquality.randomness import Draw
from xquality.records import Record
from xquality.transforms.call import BatchFunction, Call, call_on_dataset, call_on_stream

Data = TypeVar("Data", Dataset, IterableDataset)

_SHOWN = 100  # characters of a setting in messages


@runtime_checkable
class Serialisable(Protocol):
    """A setting that is fitted to data or holds some: a frozen value that serialises to JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the whole value, as keyword arguments of its class."""
        ...

    def summary(self) -> dict[str, Any]:
        """Return what a record keeps of the value, a digest where it is large."""
        ...


class Named(ABC):
    """A transform whose records and draws are named after the instance, and not after its class."""

    @property
    @abstractmethod
    def record_name(self) -> str:
        """The name in records and the scope of the draws."""


class Transform(ABC):
    """Base of all transforms. Derive a final frozen dataclass with a field `stream: int = 0` and a method `apply`.

    What a class declares:
        algorithm: raise it when the same settings give other rows than before; it is part of every record.
        strength: the fields along which a weaker call is nested in a stronger one.
        partial: whether a cell changes in parts, as a text does word by word. A stronger call then makes the weaker
            one's changes among others, so the cell that comes out is another, and with it the labels, offsets and rows
            that follow the text: nesting cannot be seen from outside, and is not among the laws checked.
        per_row: True where each row is treated alone: what becomes of it depends on its values, its uid and the seed,
            and on no other row. Only then may the rows come in blocks, on a stream or in batches.
        needs_all_rows: for the others, why they need all rows, as the end of a sentence that begins with the transform.
        exact: a field of this name is True where the transform counts all rows to act on an exact share of them; the
            rows are then treated together, also where `per_row` is True.
        stream: the field that separates the draws of several calls with one seed.
    """

    algorithm: ClassVar[int] = 1
    strength: ClassVar[tuple[str, ...]] = ()
    partial: ClassVar[bool] = False
    needs_all_rows: ClassVar[str] = "needs all rows, since its class does not declare per_row = True"
    per_row: bool = False
    exact: bool = False
    stream: int

    @abstractmethod
    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Return the changed rows. Called with no rows, return the right columns after checking the settings."""

    @final
    def __call__(self, data: Data, *, seed: int, num_proc: int = 1) -> Data:
        """Return `data` transformed, with one more record in its history; the input is not changed.

        Args:
            data: training data, one split. Rows without a `uid` are stamped with their number first.
            seed: an integer; the same seed gives the same bytes, whatever the order and the chunks of the rows.
            num_proc: how many processes may help; it never changes the outcome.

        Raises:
            DataKindError: where `data` is a `DatasetDict` or no dataset at all.
            SettingError: where the seed is not an integer.
            RepeatedTransformError: where this class was called on these data with this seed and stream before.
            StreamError: where `data` is an `IterableDataset` and the transform needs all rows at once.
        """
        return call_transform(self, data, seed=seed, num_proc=num_proc)

    @final
    def batches(self, seed: int, *, features: Features | None = None) -> BatchFunction:
        """Return a function that transforms an Arrow table with any of the rows, for engines that work in batches.

        The function gives each row what `transform(data, seed=seed)` gives it, whatever the batches, and it can be
        pickled. It suits `Dataset.map(function, batched=True)` on data with the format "arrow", Ray Data's
        `map_batches(function, batch_format="pyarrow")`, and Spark's `mapInArrow` with `pyarrow.Table.from_batches`
        around it. A table has no history: no record is added, and an earlier call with the same draws is not noticed.

        Args:
            seed: as in a call.
            features: of the columns; None reads them from the schema's metadata, where the datasets library writes
                them, and takes plain types where there are none. Engines that drop metadata need them given for
                columns with class names.

        Raises:
            SettingError: where the seed is not an integer.
            StreamError: where the transform needs all rows at once.

        Example:
            >>> from xquality import LabelNoise, toy
            >>> data, noise = toy.topics.load("es", "test"), LabelNoise(rate=0.3, exact=False)
            >>> in_batches = data.with_format("arrow").map(noise.batches(seed=1), batched=True, batch_size=7)
            >>> in_batches["label"][:].to_pylist() == noise(data, seed=1)["label"][:]
            True
        """
        return BatchFunction((_prepare_call(self, seed, 1, "a batch"),), features)

    @final
    def __rshift__(self, other: "Transform | Compose") -> "Compose":
        """Return the composition that calls this transform first and `other` on what it returns."""
        return Compose((self,)) >> other

    @final
    def why_all_rows(self) -> str | None:
        """Return why all rows are needed at once, as the end of a sentence; None where each row is treated alone."""
        if not self.per_row:
            return self.needs_all_rows
        return "counts all rows" if self.exact else None

    @final
    def to_dict(self) -> dict[str, Any]:
        """Return the transform as plain JSON values, for `xq.from_dict`.

        Raises:
            SerialisationError: where a setting is not plain data.
        """
        return _describe(self, whole=True)

    def __str__(self) -> str:
        """Return the class with the settings that differ from their defaults, as messages name a transform."""
        given = [
            f"{field.name}={shown if len(shown) <= _SHOWN else f'{shown[:_SHOWN]}...'}"
            for field in dataclasses.fields(self)  # type: ignore[arg-type]  # subclasses are dataclasses
            if field.init and field.repr
            for shown in (repr(getattr(self, field.name)),)
            if shown != repr(field.default)
        ]
        return f"{type(self).__name__}({', '.join(given)})"


def _check_members(owner: str, name: str, value: object) -> tuple[Transform, ...]:
    """Return the members of a composition as a tuple."""
    del owner, name
    if not isinstance(value, tuple | list) or not all(isinstance(member, Transform) for member in value):
        raise DataKindError(f"Compose takes a tuple of transforms, but got {value!r:.100}.")
    return tuple(value)


@final
@dataclass(frozen=True)
class Compose:
    """Transforms called one after the other; also written `a >> b`.

    Repeated members of one class are given streams of their own, so that their draws are independent.

    Example:
        >>> from xquality.transforms import LabelNoise, Subsample
        >>> LabelNoise(rate=0.2) >> Subsample(fraction=0.5) == Compose((LabelNoise(0.2), Subsample(fraction=0.5)))
        True
    """

    transforms: Annotated[tuple[Transform, ...], _check_members] = ()

    def __post_init__(self) -> None:
        check_settings(self)

    def __call__(self, data: Data, *, seed: int, num_proc: int = 1) -> Data:
        """Return `data` after every transform in turn, with one record for each."""
        _check_kind(self, data)
        _settings.integer("Compose", "seed", seed)
        for member in self.streamed():
            data = member(data, seed=seed, num_proc=num_proc)
        return data

    def batches(self, seed: int, *, features: Features | None = None) -> BatchFunction:
        """Return a function that applies every transform in turn to an Arrow table; see `Transform.batches`."""
        _settings.integer("Compose", "seed", seed)
        return BatchFunction(tuple(_prepare_call(member, seed, 1, "a batch") for member in self.streamed()), features)

    def __rshift__(self, other: "Transform | Compose") -> "Compose":
        """Return the composition that calls `other` last."""
        if not isinstance(other, Transform | Compose):
            raise DataKindError(f"A transform is followed by a transform, but got {other!r:.100}.")
        more = other.transforms if isinstance(other, Compose) else (other,)
        return Compose(self.transforms + more)

    def __str__(self) -> str:
        """Return the composition as messages name it."""
        return " >> ".join(map(str, self.transforms)) or repr(self)

    def streamed(self) -> tuple[Transform, ...]:
        """Return the members as they are called: a class's second member on one stream gets the next free one."""
        taken: defaultdict[str, set[int]] = defaultdict(set)
        members = []
        for member in self.transforms:
            streams, stream = taken[record_name(member)], _stream_of(member)
            while stream in streams:
                stream += 1
            streams.add(stream)
            members.append(member if stream == member.stream else dataclasses.replace(member, stream=stream))  # type: ignore[type-var]  # subclasses are dataclasses
        return tuple(members)

    def to_dict(self) -> dict[str, Any]:
        """Return the composition as plain JSON values, for `xq.from_dict`."""
        return {
            "transform": "Compose",
            "settings": {"transforms": [member.to_dict() for member in self.transforms]},
        }


def call_transform(
    transform: Transform, data: Data, *, seed: int, num_proc: int = 1, block_rows: int | None = None
) -> Data:
    """Return `data` transformed, as `Transform.__call__` does.

    Args:
        transform: the transform.
        data: one split.
        seed: the seed of the call.
        num_proc: how many processes may help.
        block_rows: how many rows are handed over at a time where each is treated alone; None lets the size of the data
            decide. It changes no row: the laws call with a few.
    """
    _check_kind(transform, data)
    streamed = isinstance(data, IterableDataset)
    call = _prepare_call(transform, seed, num_proc, "a stream" if streamed else None)
    records = history(data)
    languages = tuple(dict.fromkeys(origin["language"] for origin in origins(data)))
    call = dataclasses.replace(call, records=records, languages=languages)
    for record in _with_parts(records):
        if (record.transform, record.seed, record.settings.get("stream")) == (call.name, call.seed, call.stream):
            raise RepeatedTransformError(
                f"{transform} would repeat the draws of an earlier {call.name} with seed {call.seed} on the same "
                f"rows; give it stream={call.stream + 1}, or another seed."
            )
    if isinstance(data, IterableDataset):
        return call_on_stream(call, data, block_rows)
    return call_on_dataset(call, data, block_rows)


def _stream_of(transform: Transform) -> int:
    """Return the stream of a transform; raise `SettingError` where its class has no usable field of that name."""
    stream = getattr(transform, "stream", None)
    name = record_name(transform)
    if stream is None or not dataclasses.is_dataclass(transform):
        raise SettingError(
            f"{name} has no field stream, which every transform needs; add `stream: int = 0` to its class."
        )
    return _settings.integer(name, "stream", stream, least=0)


def _prepare_call(transform: Transform, seed: object, num_proc: object, part: str | None) -> Call:
    """Return the call to make, after every check that needs no data.

    Args:
        transform: the transform.
        seed: the seed of the call.
        num_proc: how many processes may help.
        part: what shows only some of the rows ("a stream", "a batch"); None where the data show all.
    """
    name, why = record_name(transform), transform.why_all_rows()
    number = _settings.integer(name, "seed", seed)
    processes = _settings.integer(name, "num_proc", num_proc, least=1)
    if part is not None and why is not None:
        what_to_do = "set exact=False to draw each row alone" if transform.per_row else "load the data as a Dataset"
        raise StreamError(f"{transform} {why}, which {part} does not show; {what_to_do}.")
    described = _describe(transform, whole=False)
    return Call(name, transform.apply, described, _stream_of(transform), number, processes, why is None)


def record_name(transform: Transform) -> str:
    """Return a transform's name in records and the scope of its draws."""
    return transform.record_name if isinstance(transform, Named) else type(transform).__name__


def _with_parts(records: Iterable[Record]) -> Iterator[Record]:
    """Yield records, and after one of parts that were concatenated under their own uids, those of the parts."""
    for record in records:
        yield record
        if record.settings.get("names") is None:
            for part in parts_of(record):
                yield from _with_parts(part)


def _check_kind(owner: object, data: object) -> None:
    """Raise `DataKindError` for anything but one split of rows."""
    if isinstance(data, DatasetDict | IterableDatasetDict):
        splits = sorted(data)
        first = "train" if "train" in splits else next(iter(splits), "train")
        raise DataKindError(
            f"{owner} changes one split at a time, but got a {type(data).__name__} with {splits}; "
            f"transform data[{first!r}] and leave evaluation splits alone."
        )
    if not isinstance(data, Dataset | IterableDataset):
        raise DataKindError(
            f"{owner} changes a datasets.Dataset, but got {type(data).__name__}; give one split as a Dataset."
        )


def _describe(transform: Transform, *, whole: bool) -> dict[str, Any]:
    """Return a transform as plain JSON values; a setting that is fitted to data is whole, or a summary."""
    names = [field.name for field in dataclasses.fields(transform)]  # type: ignore[arg-type]  # subclasses are dataclasses
    settings = {name: _to_json(transform, name, getattr(transform, name), whole=whole) for name in names}
    return {"transform": type(transform).__name__, "settings": settings, "algorithm": transform.algorithm}


def _to_json(owner: object, name: str, value: object, *, whole: bool) -> Any:
    """Return a setting as plain JSON values, or raise `SerialisationError`."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Serialisable):
        return value.to_dict() if whole else value.summary()
    if isinstance(value, tuple | list):
        return [_to_json(owner, name, item, whole=whole) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _to_json(owner, name, item, whole=whole) for key, item in value.items()}
    kind = type(value).__name__
    raise SerialisationError(
        f"{type(owner).__name__} holds {name} of type {kind}, which JSON cannot; rebuild it in Python."
    )
