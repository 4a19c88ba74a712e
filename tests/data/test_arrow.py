"""Datasets as tables: selections are taken, formats stay, missing columns are named."""

import numpy as np
import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset, Features, NamedSplit, Value
from hypothesis import given
from hypothesis import strategies as st

from xquality.data.arrow import column, dataset_of, integers, replace, strings, table_of
from xquality.errors import ColumnError

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
    assert table_of(whole) is whole._data.table


def test_a_dataset_made_from_a_table_keeps_info_split_and_class_names() -> None:
    made = dataset_of(table_of(data()).slice(1, 2), FEATURES, like=data(), fingerprint="f1")
    assert made.to_list() == data().to_list()[1:3]
    assert (made.info.description, made.split, made.features) == ("four letters", NamedSplit("train"), FEATURES)
    assert made._fingerprint == "f1"


def test_making_a_dataset_leaves_the_description_of_the_old_one_alone() -> None:
    before = data()
    made = dataset_of(table_of(before), FEATURES, like=before, fingerprint="f1", description="new")
    assert (before.info.description, made.info.description) == ("four letters", "new")


def test_a_format_and_the_columns_it_hides_stay_and_new_columns_are_shown() -> None:
    shown = data().with_format("numpy", columns=["label"])
    features = Features({**FEATURES, "weight": Value("float64")})
    table = replace(table_of(shown), "weight", pa.array([1.0, 0.5, 1.0, 0.5]))
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


def test_a_missing_column_is_refused_with_the_columns_there_are() -> None:
    assert column(table_of(data()), "text", "Noise").to_pylist() == list("abcd")
    with pytest.raises(ColumnError, match=r"Noise reads the column 'premise', but the data have \['text', 'label'\]"):
        column(table_of(data()), "premise", "Noise")


def test_a_replaced_column_keeps_its_place_and_a_new_one_comes_last() -> None:
    table = replace(replace(table_of(data()), "text", pa.array(list("wxyz"))), "new", pa.array(range(4)))
    assert table.column_names == ["text", "label", "new"]
    assert table.column("text").to_pylist() == list("wxyz")


def test_a_null_reads_as_the_empty_string() -> None:
    assert strings(pa.chunked_array([["a", None], [""]])) == ["a", "", ""]


def test_integers_of_any_width_in_any_chunks_come_as_64_bits() -> None:
    values = integers(pa.chunked_array([pa.array([1, -1], pa.int8()), pa.array([127], pa.int8())]))
    assert (values.tolist(), values.dtype) == ([1, -1, 127], np.dtype(np.int64))
