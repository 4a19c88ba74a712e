"""A transform is a frozen value: its fields are its settings, and calling it with data and a seed returns data.

`Transform` is what every transform, the library's or a user's, derives from; `Compose` is a sequence of them.
"""

import dataclasses
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeVar, final, runtime_checkable

from datasets import Dataset, DatasetDict, IterableDataset, IterableDatasetDict

from xquality import _settings
from xquality.data.provenance import history
from xquality.data.rows import Change, Rows
from xquality.errors import DataKindError, RepeatedTransformError, SerialisationError, StreamError
from xquality.randomness import Draw
from xquality.records import Record
from xquality.transforms.call import Call, on_dataset, on_stream

Data = TypeVar("Data", Dataset, IterableDataset)


@runtime_checkable
class Described(Protocol):
    """A setting that was fitted to data, or holds some: a frozen value that tells itself in JSON."""

    def to_dict(self) -> dict[str, Any]:
        """Return the whole value, which its class takes back as keyword arguments."""
        ...

    def summary(self) -> dict[str, Any]:
        """Return what a record keeps of it, a digest where it is large."""
        ...


class Transform(ABC):
    """Base of all transforms. Derive a final frozen dataclass with a field `stream: int = 0` and a method `apply`.

    Class variables:
        algorithm: raise it when the same settings give other rows than before; it is part of every record.
        strength: the fields along which a weaker call is nested in a stronger one.
        partial: whether a cell changes in parts, as a text does word by word. A stronger call then makes the weaker
            one's changes among others, so the cell that comes out is another, and with it the labels, offsets and rows
            that follow the text: nesting cannot be seen from outside, and is not among the laws checked.
        whole: why the transform needs all rows at once; empty where each row is treated alone. A transform with a
            field `exact` needs all rows when that is True.
    """

    algorithm: ClassVar[int] = 1
    strength: ClassVar[tuple[str, ...]] = ()
    partial: ClassVar[bool] = False
    whole: ClassVar[str] = ""
    stream: int

    @abstractmethod
    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Return the changed rows. Called with no rows, return the right columns after checking the settings."""

    @final
    def __call__(self, data: Data, *, seed: int, num_proc: int = 1) -> Data:
        """Return `data` transformed, with one more record in its history; the input is untouched.

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
        call = self._checked(data, seed, num_proc)
        return on_stream(call, data) if isinstance(data, IterableDataset) else on_dataset(call, data)

    @final
    def __rshift__(self, other: "Transform | Compose") -> "Compose":
        """Return the composition that calls this transform first and `other` on what it returns."""
        return Compose((self,)) >> other

    @final
    def to_dict(self) -> dict[str, Any]:
        """Return the transform as plain JSON values, for `xq.from_dict`.

        Raises:
            SerialisationError: where a setting is not plain data, for example a function.
        """
        return self._described(whole=True)

    @final
    def _described(self, *, whole: bool) -> dict[str, Any]:
        """Return the transform as JSON values; what was fitted to data is whole, or told by its summary."""
        fields = dataclasses.fields(self)  # type: ignore[arg-type]  # subclasses are dataclasses
        settings = {one.name: _to_json(self, one.name, getattr(self, one.name), whole=whole) for one in fields}
        return {"transform": type(self).__name__, "settings": settings, "algorithm": self.algorithm}

    @final
    def _checked(self, data: object, seed: object, num_proc: object) -> Call:
        """Return the call to make, after every check that needs no work."""
        name = type(self).__name__
        _check_kind(self, data)
        number = _settings.integer(name, "seed", seed)
        processes = _settings.integer(name, "num_proc", num_proc, least=1)
        for record in _flat(history(data)):
            if (record.transform, record.seed, record.settings.get("stream")) == (name, number, self.stream):
                raise RepeatedTransformError(
                    f"{self!r} would repeat the draws of an earlier {name} with seed {number} on the same rows; "
                    f"give it stream={self.stream + 1}, or another seed."
                )
        if isinstance(data, IterableDataset):
            self._refuse_stream()
        alone = not self.whole and not getattr(self, "exact", False)
        return Call(name, self.apply, self._described(whole=False), self.stream, number, processes, alone)

    @final
    def _refuse_stream(self) -> None:
        """Raise where the transform needs a view of all rows."""
        if self.whole:
            raise StreamError(f"{self!r} {self.whole}, which a stream does not show; load the data as a Dataset.")
        if getattr(self, "exact", False):
            raise StreamError(
                f"{self!r} counts all rows, which a stream does not show; set exact=False to draw each row alone."
            )


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

    transforms: tuple[Transform, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.transforms, tuple | list) or not all(
            isinstance(one, Transform) for one in self.transforms
        ):
            raise DataKindError(f"Compose takes a tuple of transforms, but got {self.transforms!r}.")
        object.__setattr__(self, "transforms", tuple(self.transforms))

    def __call__(self, data: Data, *, seed: int, num_proc: int = 1) -> Data:
        """Return `data` after every transform in turn, with one record for each."""
        _check_kind(self, data)
        _settings.integer("Compose", "seed", seed)
        for member in self.streamed():
            data = member(data, seed=seed, num_proc=num_proc)
        return data

    def __rshift__(self, other: "Transform | Compose") -> "Compose":
        """Return the composition that goes on with `other`."""
        if not isinstance(other, Transform | Compose):
            raise DataKindError(f"A transform is followed by a transform, but got {other!r}.")
        more = other.transforms if isinstance(other, Compose) else (other,)
        return Compose(self.transforms + more)

    def streamed(self) -> tuple[Transform, ...]:
        """Return the members as they are called: a class's second member on one stream gets the next free one."""
        taken: defaultdict[str, set[int]] = defaultdict(set)
        members = []
        for one in self.transforms:
            streams = taken[type(one).__name__]
            stream = one.stream
            while stream in streams:
                stream += 1
            streams.add(stream)
            members.append(one if stream == one.stream else dataclasses.replace(one, stream=stream))  # type: ignore[type-var]  # subclasses are dataclasses
        return tuple(members)

    def to_dict(self) -> dict[str, Any]:
        """Return the composition as plain JSON values, for `xq.from_dict`."""
        return {
            "transform": "Compose",
            "settings": {"transforms": [one.to_dict() for one in self.transforms]},
        }


def _flat(records: Iterable[Record]) -> Iterator[Record]:
    """Yield all records, those of parts that were joined with their uids as they were among them."""
    for record in records:
        yield record
        if record.transform == "concatenate" and record.settings.get("names") is None:
            for part in record.settings.get("parts", ()):
                yield from _flat(map(Record.from_dict, part))


def _check_kind(owner: object, data: object) -> None:
    """Raise `DataKindError` for anything but one split of rows."""
    if isinstance(data, DatasetDict | IterableDatasetDict):
        splits = sorted(data)
        first = "train" if "train" in splits else next(iter(splits), "train")
        raise DataKindError(
            f"{owner!r} changes one split at a time, but got a {type(data).__name__} with {splits}; "
            f"transform data[{first!r}] and leave evaluation splits alone."
        )
    if not isinstance(data, Dataset | IterableDataset):
        raise DataKindError(f"{owner!r} changes a datasets.Dataset, but got {type(data).__name__}; convert it first.")


def _to_json(owner: object, name: str, value: object, *, whole: bool) -> Any:
    """Return a setting as a plain JSON value, or raise `SerialisationError`."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Described):
        return value.to_dict() if whole else value.summary()
    if isinstance(value, tuple | list):
        return [_to_json(owner, name, one, whole=whole) for one in value]
    if isinstance(value, Mapping) and all(isinstance(one, str) for one in value):
        return {key: _to_json(owner, name, one, whole=whole) for key, one in value.items()}
    kind = type(value).__name__
    raise SerialisationError(
        f"{type(owner).__name__} holds {name} of type {kind}, which JSON cannot; rebuild it in Python."
    )
