"""Labels beside their first values: rows or tokens, classes in their order, marks of either shape."""

import numpy as np
import pyarrow as pa
import pytest
from datasets import ClassLabel, List

from xquality.data.first_labels import Labels, read_labels
from xquality.errors import ColumnError

TABLE = pa.table({"label": [1, 0, None, 2], "label_before": pa.array([0, None, None, 2], pa.int64())})
LISTS = pa.table({"tags": [[0, 1], [], [2]], "tags_before": pa.array([[2, 1], None, None], pa.list_(pa.int64()))})


def labels() -> Labels:
    return read_labels(TABLE, TABLE["label"], "label", "audit")


def tags() -> Labels:
    return read_labels(LISTS, LISTS["tags"], "tags", "audit")


def test_what_was_never_changed_is_its_own_first_value() -> None:
    assert labels().first.to_pylist() == [0, 0, None, 2]
    assert labels().noisy().tolist() == [True, False, False, False]
    assert tags().first.to_pylist() == [2, 1, 2]
    assert tags().noisy().tolist() == [True, False, False]


def test_labels_in_another_column_are_compared_with_the_first() -> None:
    assert labels().as_first(pa.chunked_array([[0, 1, 1, 2]]), "audit").tolist() == [True, False, True, True]
    assert tags().as_first(pa.chunked_array([[[2, 0], [], [2]]]), "audit").tolist() == [True, False, True]


def test_marks_stand_on_labels_or_on_rows() -> None:
    assert tags().mask(pa.chunked_array([[[True, False], [], [True]]]), "m", "audit").tolist() == [True, False, True]
    assert tags().mask(pa.chunked_array([[True, True, None]]), "m", "audit").tolist() == [True, True, False]
    assert labels().mask(pa.chunked_array([[1, 0, 0, 1]]), "m", "audit").tolist() == [True, False, False, True]
    for wrong in (["x"] * 4, [[True]] * 4):
        with pytest.raises(ColumnError, match="'m'"):
            labels().mask(pa.chunked_array([wrong]), "m", "audit")


def test_classes_come_in_the_order_of_their_feature_or_of_their_values() -> None:
    marks = {"all": np.ones(4, np.bool_), "noisy": labels().noisy()}
    named = labels().by_class(labels().first, ClassLabel(names=["b", "a", "c"]), marks)
    assert named == {"b": {"all": 2, "noisy": 1}, "a": {"all": 0, "noisy": 0}, "c": {"all": 1, "noisy": 0}}
    valued = labels().by_class(labels().seen, None, marks)
    assert list(valued) == ["0", "1", "2"]
    inner = tags().by_class(tags().seen, List(ClassLabel(names=["x", "y", "z"])), {"all": np.ones(3, np.bool_)})
    assert inner == {"x": {"all": 1}, "y": {"all": 1}, "z": {"all": 1}}


def test_a_table_without_first_values_is_refused() -> None:
    with pytest.raises(ColumnError, match="audit reads the column 'label_before'"):
        read_labels(TABLE.drop_columns("label_before"), TABLE["label"], "label", "audit")
