"""Transform and Compose: values, sequences, streams."""

from dataclasses import dataclass
from typing import Any, ClassVar, final

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features

import xquality as xq
from xquality.errors import DataKindError, RepeatedTransformError, StreamError, XqualityError
from xquality.transforms import Change, Transform


def test_transforms_are_values() -> None:
    assert xq.LabelNoise(0.2) == xq.LabelNoise(rate=0.2)
    assert len({xq.LabelNoise(0.2), xq.LabelNoise(0.2), xq.LabelNoise(0.3)}) == 2
    with pytest.raises(AttributeError):
        xq.LabelNoise(0.2).rate = 0.3  # type: ignore[misc]  # on purpose


def test_a_composition_is_the_calls_in_turn(spanish: Dataset) -> None:
    noise, part = xq.LabelNoise(0.2), xq.Subsample(n=50)
    assert xq.digest((noise >> part)(spanish, seed=1)) == xq.digest(part(noise(spanish, seed=1), seed=1))
    assert [record.transform for record in xq.history((noise >> part)(spanish, seed=1))] == ["LabelNoise", "Subsample"]


def test_composing_is_associative_and_the_empty_composition_changes_nothing(spanish: Dataset) -> None:
    noise, part, cleaned = xq.LabelNoise(0.2), xq.Subsample(n=50), xq.CleanlabFilter()
    assert (noise >> part) >> cleaned == noise >> (part >> cleaned) == xq.Compose([noise, part, cleaned])
    assert xq.Compose()(spanish, seed=1) is spanish
    assert xq.Compose() >> noise == xq.Compose((noise,))
    for members in (noise, (noise, "Subsample"), {noise}):
        with pytest.raises(DataKindError, match="takes a tuple of transforms"):
            xq.Compose(members)


def test_a_second_call_with_the_same_seed_says_what_to_do(spanish: Dataset) -> None:
    once = xq.LabelNoise(0.2)(spanish, seed=1)
    with pytest.raises(RepeatedTransformError, match="stream=1"):
        xq.LabelNoise(0.4)(once, seed=1)
    xq.LabelNoise(0.4, stream=1)(once, seed=1)
    xq.LabelNoise(0.4)(once, seed=2)


def test_a_dataset_dict_is_refused_and_the_fix_named(spanish: Dataset) -> None:
    splits = DatasetDict({"train": spanish, "test": spanish})
    for call in (xq.LabelNoise(0.1), xq.LabelNoise(0.1) >> xq.Subsample(n=3)):
        with pytest.raises(DataKindError, match=r"transform data\['train'\]"):
            call(splits, seed=1)


def test_a_stream_is_refused_where_all_rows_are_needed_and_the_fix_named(spanish: Dataset) -> None:
    stream = spanish.to_iterable_dataset()
    with pytest.raises(StreamError, match="exact=False"):
        xq.LabelNoise(0.1)(stream, seed=1)
    with pytest.raises(StreamError, match="compares each row with all others"):
        xq.CleanlabFilter()(stream, seed=1)


@final
@dataclass(frozen=True)
class Undeclared(Transform):
    """A transform whose class says nothing about its rows."""

    stream: int = 0

    def apply(self, rows, draw):
        return Change(rows.table)


@final
@dataclass(frozen=True)
class Declared(Transform):
    """A transform that declares that it treats each row alone unless `exact`."""

    per_row = True

    exact: bool = True
    stream: int = 0

    apply = Undeclared.apply


def test_a_transform_needs_all_rows_unless_its_class_declares_otherwise(spanish: Dataset) -> None:
    stream = spanish.to_iterable_dataset()
    with pytest.raises(StreamError, match="does not declare per_row = True"):
        Undeclared()(stream, seed=1)
    with pytest.raises(StreamError, match="exact=False"):
        Declared()(stream, seed=1)
    assert list(Declared(exact=False)(stream, seed=1)) == spanish.to_list()
    assert [transform.why_all_rows() is None for transform in (Undeclared(), Declared(), Declared(exact=False))] == [
        False,
        False,
        True,
    ]


def test_streams_compose(spanish: Dataset) -> None:
    spoil = xq.LabelNoise(0.3, exact=False) >> xq.Subsample(fraction=0.5, exact=False)
    rows = list(spoil(spanish.to_iterable_dataset(), seed=1))
    assert rows == spoil(spanish, seed=1).to_list()


def test_joining_parts_with_their_uids_as_they_were_does_not_hide_their_draws(spanish: Dataset) -> None:
    noisy = xq.LabelNoise(0.2)(spanish, seed=1)
    left, right = noisy.select(range(100)), noisy.select(range(100, 200))
    with pytest.raises(RepeatedTransformError):
        xq.LabelNoise(0.2)(xq.concatenate([left, right]), seed=1)
    xq.LabelNoise(0.2)(xq.concatenate([left, right], names=["left", "right"]), seed=1)


@dataclass(frozen=True)
class WithoutStream(Transform):
    per_row: ClassVar[bool] = True

    def apply(self, rows, draw):
        return rows


@dataclass(frozen=True)
class WithAnotherStream(Transform):
    per_row: ClassVar[bool] = True
    stream: Any = "one"

    def apply(self, rows, draw):
        return rows


@pytest.mark.parametrize("kind", [WithoutStream, WithAnotherStream])
def test_a_transform_without_a_usable_stream_is_a_setting_error_before_anything_is_computed(kind) -> None:
    data = Dataset.from_dict({"text": ["a"]})
    for use in (
        lambda: kind()(data, seed=1),
        lambda: (xq.Subsample(n=1) >> kind())(data, seed=1),
        lambda: kind().batches(1),
        lambda: kind()(data.to_iterable_dataset(), seed=1),
    ):
        with pytest.raises(XqualityError, match="stream"):
            use()


def test_messages_name_a_transform_by_the_settings_that_were_given() -> None:
    given = xq.CleanlabFilter(action="flag", max_fraction=0.5)
    assert str(given) == "CleanlabFilter(action='flag', max_fraction=0.5)"
    assert str(xq.LabelNoise(rate=0.2) >> xq.Subsample(n=9)) == "LabelNoise(rate=0.2) >> Subsample(n=9)"
    long = xq.PairNoise(rate=0.2, pairs={f"class {number}": f"class {number + 1}" for number in range(50)})
    assert len(str(long)) < 200 < len(repr(long))
    with pytest.raises(xq.XqualityError, match=r"^CleanlabFilter\(action='flag', max_fraction=0\.5\) reads text"):
        given(Dataset.from_dict({"label": [0, 1]}, features=Features({"label": ClassLabel(names=["a", "b"])})), seed=1)
