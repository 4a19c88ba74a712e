"""Differences: where labels are not the first ones, for labels of every shape."""

from typing import Any

import pyarrow as pa
import pytest

from xquality.differences import differs, per_label


@pytest.mark.parametrize(
    ("values", "first"),
    [
        ([1, 2, 3, 4], [None, 2, 7, None]),
        ([[1], [2, 2], [3, 3], []], [None, [2, 2], [3, 7], None]),
        (
            [{"text": ["a"], "at": [one]} for one in (1, 2, 3, 4)],
            [None, {"text": ["a"], "at": [2]}, {"text": ["b"], "at": [3]}, None],
        ),
    ],
)
def test_a_value_differs_where_another_stood_first(values: list[Any], first: list[Any]) -> None:
    now = pa.array(values)
    chunks = pa.chunked_array([now.slice(0, 1), now.slice(1)])
    found = differs(chunks, pa.chunked_array([pa.array(first, now.type)]))
    assert found.tolist() == [False, False, True, False]


def test_tags_are_told_apart_token_by_token() -> None:
    table = pa.table(
        {
            "tokens": [["a", "b"], ["c"], []],
            "tags": [[1, 2], [3], []],
            "tags_before": pa.array([[1, 0], None, None], pa.list_(pa.int64())),
            "tags_given": pa.array([None, [4], None], pa.list_(pa.int64())),
            "label_issue": [[False, True], [True], []],
        }
    )
    found = per_label(table, "tags").to_pydict()
    assert found == {
        "tags": [1, 2, 3],
        "tags_before": [1, 0, None],
        "tags_given": [None, None, 4],
        "label_issue": [False, True, True],
    }


def test_labels_of_rows_are_left_as_they_are() -> None:
    table = pa.table({"label": [1, 2], "label_issue": [True, False]})
    assert per_label(table, "label") is table
    plain = pa.table({"tags": [[1], [2]]})
    assert per_label(plain, "tags") is plain
