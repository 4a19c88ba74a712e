"""The adapter for the datasets library: tables and back, and a canary for each private name that it uses."""

import numpy as np
import pyarrow as pa
from datasets import ClassLabel, Dataset, Features, NamedSplit, Value
from hypothesis import given
from hypothesis import strategies as st

from xquality.data._datasets import dataset_of, table_of
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
