"""ColumnRequest: a column is added in the rows' own order, whatever that is, with a record."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from datasets import Dataset, Value

import xquality as xq
from xquality.errors import ColumnError, DataKindError, SettingError, UidError
from xquality.probabilities.column_request import ColumnRequest

DATA = xq.with_uid(Dataset.from_dict({"text": ["a", "b", "c", "d"], "id": ["x", "z", "y", "w"]}), "id")


def answered(data: Dataset) -> Dataset:
    """Add each row's text again, from the order in which it is judged."""
    asked = ColumnRequest.of("predict_probabilities", data, 1, 2, "copy")
    return asked.answer(asked.table.column("text").combine_chunks(), Value("string"), {"a": 1}, {"b": 2}, ("numpy",))


def test_values_come_back_to_their_rows() -> None:
    assert answered(DATA)["copy"][:] == ["a", "b", "c", "d"]
    assert answered(DATA.select([2, 0, 3]))["copy"][:] == ["c", "a", "d"]


def test_rows_are_judged_in_an_order_of_their_own() -> None:
    one = ColumnRequest.of("predict_probabilities", DATA, 1, 2, "p")
    other = ColumnRequest.of("predict_probabilities", DATA.select([3, 1, 0, 2]), 1, 2, "p")
    assert one.table.equals(other.table)
    assert one.draw.bits("fold").tolist() == other.draw.bits("fold").tolist()
    assert one.rows(np.array([1, 2])).to_list() == other.rows(np.array([1, 2])).to_list()


def test_the_record_says_how_the_column_was_made() -> None:
    before = xq.history(DATA)
    records = xq.history(answered(DATA))
    assert records[:-1] == before
    last = records[-1]
    assert (last.transform, last.seed, last.rows_before, last.rows_after, last.changed) == (
        "predict_probabilities",
        1,
        4,
        4,
        0,
    )
    assert last.settings == {"name": "copy", "folds": 2, "a": 1}
    assert last.details == {"b": 2}
    assert set(last.versions) == {"algorithm", "xquality", "numpy"}


def test_the_data_keep_their_columns_format_and_rows() -> None:
    made = answered(DATA.with_format("numpy"))
    assert made.format["type"] == "numpy"
    assert made.column_names == ["text", "id", "uid", "copy"]
    assert "copy" not in DATA.column_names


@pytest.mark.parametrize(
    ("data", "seed", "folds", "name", "fault"),
    [
        ([1], 1, 2, "p", DataKindError),
        (DATA, 1.5, 2, "p", SettingError),
        (DATA, 1, 1, "p", SettingError),
        (DATA, 1, 2, "", SettingError),
        (DATA, 1, 2, "text", ColumnError),
        (DATA.select([0, 0]), 1, 2, "p", UidError),
    ],
)
def test_a_question_that_makes_no_sense_is_refused(
    data: Any, seed: Any, folds: Any, name: Any, fault: type[Exception]
) -> None:
    with pytest.raises(fault):
        ColumnRequest.of("predict_probabilities", data, seed, folds, name)


def test_rows_without_uids_are_stamped_by_their_place() -> None:
    plain = Dataset.from_dict({"text": ["b", "a"]})
    made = answered(plain)
    assert made["uid"][:] == [0, 1]
    assert made["copy"][:] == ["b", "a"]
    assert pa.types.is_string(made.data.column("copy").type)
