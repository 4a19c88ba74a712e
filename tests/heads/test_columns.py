"""Columns: labels, weights and keys that heads read."""

import numpy as np
import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset

from xquality.errors import LabelError
from xquality.heads.columns import check_classes, read_keys, read_weights
from xquality.randomness import hash_uids


@pytest.mark.parametrize("values", [[0, None], [0, -1], [0, 2]])
def test_labels_that_are_none_or_out_of_range_are_refused(values: list[int | None]) -> None:
    with pytest.raises(LabelError, match="tags"):
        check_classes(ClassLabel(names=["a", "b"]), ("a", "b"), pa.array(values), "tags")


def test_no_labels_at_all_are_fine() -> None:
    check_classes(ClassLabel(names=["a", "b"]), ("a", "b"), pa.array([], pa.int64()), "label")


def test_classes_in_another_order_are_refused() -> None:
    with pytest.raises(LabelError, match="cast"):
        check_classes(ClassLabel(names=["b", "a"]), ("a", "b"), pa.array([0]), "label")


def test_keys_are_the_hashed_uids_or_the_places() -> None:
    table = Dataset.from_dict({"uid": [5, 3]}).data.table
    assert (read_keys(table) == hash_uids(table.column("uid"))).all()
    assert read_keys(table.drop_columns("uid").append_column("x", pa.array([1, 1]))).tolist() == [0, 1]


def test_weights_are_none_where_there_is_no_column() -> None:
    assert read_weights(pa.table({"x": [1]})) is None
    assert np.array_equal(read_weights(pa.table({"weight": [1, 0]})), [1.0, 0.0])
