"""The adapter for the datasets library: tables and back, and a canary for each private name that it uses."""

import io
import json
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset, DatasetInfo, Features, IterableDataset, NamedSplit, Value
from hypothesis import given
from hypothesis import strategies as st

from xquality.data._datasets import (
    DAMAGE_ERRORS,
    dataset_of,
    derive_fingerprint,
    fingerprint_of,
    stream_format,
    table_of,
    with_description,
    with_features,
)
from xquality.data.arrow import replace_column

FEATURES = Features({"text": Value("string"), "label": ClassLabel(names=["no", "yes"])})


def data() -> Dataset:
    made = Dataset.from_dict({"text": list("abcd"), "label": [0, 1, 0, 1]}, features=FEATURES, split="train")
    made.info.description = "four letters"
    return made


@given(st.lists(st.integers(0, 3), max_size=8))
def test_a_table_holds_the_rows_that_the_dataset_shows(chosen: list[int]) -> None:
    selected = data().select(chosen)
    assert table_of(selected).to_pylist() == selected.to_list()


def test_a_table_of_a_whole_dataset_is_not_copied() -> None:
    whole = data()
    assert table_of(whole) is whole.data.table


def test_a_dataset_made_from_a_table_keeps_info_split_and_class_names() -> None:
    made = dataset_of(table_of(data()).slice(1, 2), FEATURES, like=data(), fingerprint="f1")
    assert made.to_list() == data().to_list()[1:3]
    assert (made.info.description, made.split, made.features) == ("four letters", NamedSplit("train"), FEATURES)
    assert fingerprint_of(made) == "f1"


def test_making_a_dataset_leaves_the_description_of_the_old_one_alone() -> None:
    before = data()
    made = dataset_of(table_of(before), FEATURES, like=before, fingerprint="f1", description="new")
    assert (before.info.description, made.info.description) == ("four letters", "new")


def test_a_format_and_its_hidden_columns_are_kept_and_new_columns_are_shown() -> None:
    shown = data().with_format("numpy", columns=["label"])
    features = Features({**FEATURES, "weight": Value("float64")})
    table = replace_column(table_of(shown), "weight", pa.array([1.0, 0.5, 1.0, 0.5]))
    made = dataset_of(table, features, like=shown, fingerprint="f1")
    assert set(made[0]) == {"label", "weight"}
    assert isinstance(made[0]["weight"], np.floating)
    assert made.column_names == ["text", "label", "weight"]
    plain = dataset_of(table_of(data()), FEATURES, like=data().with_format(columns=["text"]), fingerprint="f1")
    assert plain[0] == {"text": "a"}


def test_values_are_stored_as_the_features_say() -> None:
    table = pa.table({"text": pa.array(list("ab"), pa.large_string()), "label": pa.array([1, 0], pa.int8())})
    assert table_of(dataset_of(table, FEATURES, like=data(), fingerprint="f1")).schema.types == [
        pa.string(),
        pa.int64(),
    ]


def test_a_fingerprint_depends_on_the_rows_and_on_every_part() -> None:
    whole = data()
    prints = [derive_fingerprint(whole), derive_fingerprint(whole, "a"), derive_fingerprint(whole.select([0]), "a")]
    assert len({*prints, fingerprint_of(whole), derive_fingerprint(whole, "a", 1)}) == 5
    assert derive_fingerprint(whole, "a") == prints[1]


def test_a_description_is_replaced_in_a_copy_without_a_format() -> None:
    before = data().with_format("numpy")
    made = with_description(before, "new")
    assert (before.info.description, made.info.description) == ("four letters", "new")
    assert made.format["type"] is None
    assert made.to_list() == data().to_list()


def test_a_stream_has_features_and_a_format() -> None:
    stream = IterableDataset.from_generator(lambda: iter([{"text": "a"}]))
    assert stream.features is None
    assert with_features(stream).features == Features({"text": Value("string")})
    assert (stream_format(stream), stream_format(stream.with_format("numpy"))) == (None, "numpy")


def stream() -> IterableDataset:
    return data().to_iterable_dataset()


def info_is_stored_in_info() -> bool:
    whole = data()
    return whole.info is whole._info


def info_is_written_as_json() -> bool:
    written = io.BytesIO()
    data().info._dump_info(written)
    return DatasetInfo.from_dict(json.loads(written.getvalue())) == data().info


PRIVATE: dict[str, Callable[[], bool]] = {
    "Dataset._data.table": lambda: isinstance(data()._data.table, pa.Table),
    "Dataset._indices (none)": lambda: data()._indices is None,
    "Dataset._indices.column": lambda: data().select([2, 0])._indices.column(0).to_pylist() == [2, 0],
    "Dataset._fingerprint": lambda: isinstance(data()._fingerprint, str),
    "Dataset._info": info_is_stored_in_info,
    "DatasetInfo._dump_info": info_is_written_as_json,
    "IterableDataset._resolve_features": lambda: stream()._resolve_features().features == FEATURES,
    "IterableDataset._formatting (none)": lambda: stream()._formatting is None,
    "IterableDataset._formatting.format_type": lambda: stream().with_format("arrow")._formatting.format_type == "arrow",
    "NonMatchingSplitsSizesError": lambda: all(issubclass(kind, Exception) for kind in DAMAGE_ERRORS),
}


@pytest.mark.parametrize("name", PRIVATE)
def test_private_names_of_the_datasets_library_are_as_the_adapter_expects(name: str) -> None:
    assert PRIVATE[name]()
