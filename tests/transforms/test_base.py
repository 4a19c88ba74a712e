"""Transform and Compose: values, sequences, streams."""

import pytest
from datasets import Dataset, DatasetDict

import xquality as xq
from xquality.errors import DataKindError, RepeatedTransformError, StreamError


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
    a, b, c = xq.LabelNoise(0.2), xq.Subsample(n=50), xq.CleanlabFilter()
    assert (a >> b) >> c == a >> (b >> c) == xq.Compose((a, b, c))
    assert xq.Compose()(spanish, seed=1) is spanish
    assert xq.Compose() >> a == xq.Compose((a,))


def test_a_second_call_with_the_same_seed_names_the_way_out(spanish: Dataset) -> None:
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
