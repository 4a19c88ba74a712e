"""Column requests: a column is added in the rows' own order, whatever that is, with a record."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from datasets import Dataset, Value

import xquality as xq
from xquality.errors import ColumnError, DataKindError, SettingError, UidError
from xquality.probabilities.column_request import ColumnRequest

DATA = xq.with_uid(Dataset.from_dict({"text": ["a", "b", "c", "d"], "id": ["x", "z", "y", "w"]}), "id")


def with_copy(data: Dataset) -> Dataset:
    """Add each row's text again, from the order of the request."""
    request = ColumnRequest.of("from_test", data, 1, 2, "copy")
    texts = request.table.column("text").combine_chunks()
    return request.add_column(texts, Value("string"), {"a": 1}, {"b": 2}, ("numpy",))


def test_values_come_back_to_their_rows() -> None:
    assert with_copy(DATA)["copy"][:] == ["a", "b", "c", "d"]
    assert with_copy(DATA.select([2, 0, 3]))["copy"][:] == ["c", "a", "d"]


def test_the_order_of_a_request_does_not_depend_on_that_of_the_rows() -> None:
    straight = ColumnRequest.of("from_test", DATA, 1, 2, "p")
    shuffled = ColumnRequest.of("from_test", DATA.select([3, 1, 0, 2]), 1, 2, "p")
    assert straight.table.equals(shuffled.table)
    assert straight.draw.bits("fold").tolist() == shuffled.draw.bits("fold").tolist()
    assert straight.select(np.array([1, 2])).to_list() == shuffled.select(np.array([1, 2])).to_list()


def test_the_record_says_how_the_column_was_made() -> None:
    before = xq.history(DATA)
    records = xq.history(with_copy(DATA))
    assert records[:-1] == before
    last = records[-1]
    assert (last.transform, last.seed, last.rows_before, last.rows_after, last.changed) == (
        "from_test",
        1,
        4,
        4,
        0,
    )
    assert last.settings == {"name": "copy", "folds": 2, "a": 1}
    assert last.details == {"b": 2}
    assert set(last.versions) == {"algorithm", "xquality", "numpy"}


def test_the_data_keep_their_columns_format_and_rows() -> None:
    made = with_copy(DATA.with_format("numpy"))
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
def test_invalid_arguments_are_refused(data: Any, seed: Any, folds: Any, name: Any, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        ColumnRequest.of("from_test", data, seed, folds, name)


def test_rows_without_uids_get_their_numbers() -> None:
    plain = Dataset.from_dict({"text": ["b", "a"]})
    made = with_copy(plain)
    assert made["uid"][:] == [0, 1]
    assert made["copy"][:] == ["b", "a"]
    assert pa.types.is_string(made.data.column("copy").type)
