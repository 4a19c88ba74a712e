"""Objects written as columns are read back equal: values, types and the order of keys."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.study.columns import from_columns, to_columns

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 2)
    | st.floats(allow_nan=False)
    | st.sampled_from(["", "a", "accuracy"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["all", "keys", "b"]), inner, max_size=2)
    ),
    max_leaves=4,
)
rows = st.lists(
    st.fixed_dictionaries({"all": plain, "rows": plain, "c": st.sampled_from([1, 1.0, True, "1"])}), max_size=9
)


@given(rows | st.lists(st.dictionaries(st.sampled_from("ab"), plain), max_size=4))
def test_what_is_written_is_read_back_equal(objects: list[dict[str, Any]]) -> None:
    written = json.loads(json.dumps(to_columns(objects)))
    assert json.dumps(from_columns(written)) == json.dumps(objects)


def test_repeated_values_are_written_once() -> None:
    points = [{"metric": f"metric {row % 3}", "task": "a long name", "value": row / 7} for row in range(300)]
    written = json.dumps(to_columns(points))
    assert written.count("a long name") == 1
    assert written.count("metric 2") == 1


@pytest.mark.parametrize(
    "damaged",
    [
        {"rows": 2, "columns": {"a": [1]}},
        {"rows": 2, "columns": {"a": {"values": [1], "rows": "01"}}},
        {"rows": 2, "columns": {"a": {"values": [1], "rows": "0"}}},
        {"rows": 2, "columns": {"a": {"values": [1], "rows": "0-"}}},
        {"rows": 2},
        {"rows": "2", "columns": {"a": {"all": 1}}},
        {"rows": 2, "columns": {"a": None}},
        None,
    ],
)
def test_columns_of_another_form_are_an_error(damaged: Any) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, IndexError)):
        from_columns(damaged)
