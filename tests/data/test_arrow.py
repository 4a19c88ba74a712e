"""Columns and lists read alike however Arrow stores them; other columns are refused."""

import itertools
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.data.arrow import (
    Matrix,
    flatten_lists,
    get_column,
    list_lengths,
    make_lists,
    make_lists_like,
    pad_lists,
    read_integers,
    read_matrix,
    read_numbers,
    read_strings,
    replace_column,
    value_indices,
)
from xquality.errors import ColumnError

TABLE = pa.table({"text": list("abcd"), "label": [0, 1, 0, 1]})
ROWS = [[0.1, 0.9], [0.5, 0.5], [0.7, 0.3], [1.0, 0.0], [0.2, 0.8]]


def stored(kind: pa.DataType, *cuts: int) -> pa.ChunkedArray:
    """Return the rows in chunks, each a slice of a longer array."""
    whole = pa.array([[9.0, 9.0], *ROWS, [9.0, 9.0]], kind)
    ends = [0, *cuts, len(ROWS)]
    return pa.chunked_array([whole.slice(1 + start, end - start) for start, end in itertools.pairwise(ends)], kind)


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float64()), pa.large_list(pa.float64()), pa.list_(pa.float64(), 2), pa.list_(pa.float32())]
)
@pytest.mark.parametrize("cuts", [(), (2,), (1, 1, 4)])
def test_a_matrix_does_not_depend_on_how_it_is_stored(kind: pa.DataType, cuts: tuple[int, ...]) -> None:
    found = read_matrix(stored(kind, *cuts), 2)
    assert found is not None
    assert len(found) == len(ROWS)
    assert found.array() == pytest.approx(np.array(ROWS))
    assert found.take(np.array([4, 0, 4])) == pytest.approx(np.array([ROWS[4], ROWS[0], ROWS[4]]))
    assert found.take(slice(1, 3)) == pytest.approx(np.array(ROWS[1:3]))
    assert found.has_distributions()


def test_one_chunk_of_doubles_is_read_without_a_copy() -> None:
    values = pa.array(np.arange(6.0))
    column = pa.ListArray.from_arrays(pa.array([0, 2, 4, 6], pa.int32()), values)
    found = read_matrix(pa.chunked_array([column]), 2)
    assert found is not None
    assert found.array().ctypes.data == values.buffers()[1].address
    assert found.take(slice(0, 2)).ctypes.data == values.buffers()[1].address


@given(st.lists(st.integers(0, 6), min_size=1, max_size=8), st.lists(st.integers(0, 1000), max_size=30))
def test_rows_taken_from_pieces_are_the_rows(sizes: list[int], chosen: list[int]) -> None:
    total = sum(sizes)
    rows = np.arange(total * 3.0).reshape(total, 3)
    parts = tuple(np.split(rows, np.cumsum(sizes)[:-1]))
    indices = np.array([index % total for index in chosen if total], np.int64)
    assert (Matrix(parts).take(indices) == rows[indices]).all()
    assert (Matrix(parts).array() == rows).all()


@pytest.mark.parametrize(
    "values",
    [
        [[0.1, 0.9], None],
        [[0.1, 0.9], [0.5]],
        [[0.1, None], [0.5, 0.5]],
        [[0.1, 0.2, 0.7]],
        [["a", "b"]],
        [0.1, 0.2],
        ["ab"],
        [{"a": 1}],
    ],
)
def test_other_columns_are_no_matrix(values: list[Any]) -> None:
    assert read_matrix(pa.chunked_array([pa.array(values)]), 2) is None


def test_a_column_without_rows_has_its_width() -> None:
    empty = read_matrix(pa.chunked_array([], pa.list_(pa.float64())), 3)
    assert empty is not None
    assert empty.array().shape == (0, 3)
    assert empty.has_distributions()


@pytest.mark.parametrize("row", [[0.5, 0.6], [-0.1, 1.1], [np.nan, 1.0], [np.inf, 0.0], [np.inf, -np.inf], [0.0, 0.0]])
def test_one_row_that_is_no_distribution_is_noticed(row: list[float]) -> None:
    assert not Matrix((np.array(ROWS), np.array([*ROWS, row]))).has_distributions()


def test_lists_of_several_lengths_are_padded_with_zeros() -> None:
    read = pad_lists(pa.chunked_array([[[0.5, 0.5]], [[1.0], [0.2, 0.3, 0.5]]]))
    assert read is not None
    assert read[0].array().tolist() == [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.2, 0.3, 0.5]]
    assert read[1].tolist() == [2, 1, 3]
    for wrong in ([[0.1], None], [[None]], [0.5], [["a"]]):
        assert pad_lists(pa.chunked_array([pa.array(wrong)])) is None


def test_one_number_a_row() -> None:
    assert read_numbers(pa.chunked_array([[1.5], [2.0]])).tolist() == [1.5, 2.0]
    assert read_numbers(pa.chunked_array([[1, 2]])).tolist() == [1.0, 2.0]
    for wrong in ([0.5, None], ["a"], [[0.5]], [True]):
        assert read_numbers(pa.chunked_array([pa.array(wrong)])) is None


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=12), st.integers(0, 12))
def test_lists_are_taken_apart_and_put_together_again(rows: list[list[int]], cut: int) -> None:
    whole = pa.array(rows, pa.list_(pa.int64()))
    column = pa.chunked_array([whole.slice(0, cut), whole.slice(cut)])
    read = flatten_lists(column)
    assert read is not None
    assert read[0].to_pylist() == [number for row in rows for number in row]
    assert read[1].tolist() == [len(row) for row in rows]
    assert make_lists(read[0].combine_chunks(), read[1]).to_pylist() == rows
    order = np.arange(len(rows))[::-1]
    values = np.array([number for row in rows for number in row], np.int64)
    assert values[value_indices(read[1], order)].tolist() == [number for row in rows[::-1] for number in row]


def test_a_column_with_a_null_list_is_not_flattened() -> None:
    column = pa.chunked_array([[[1, 2], None, []]])
    assert flatten_lists(column) is None
    assert flatten_lists(pa.chunked_array([[1, 2]])) is None
    assert list_lengths(column.chunk(0)).tolist() == [2, 0, 0]
    fixed = pa.array([[1, 2], None], pa.list_(pa.int64(), 2))
    assert list_lengths(fixed).tolist() == [2, 0]


def test_missing_lists_become_null() -> None:
    made = make_lists(pa.array([1, 2, 3]), np.array([2, 0, 1]), np.array([False, True, False]))
    assert made.to_pylist() == [[1, 2], None, [3]]


lists = st.lists(st.one_of(st.none(), st.lists(st.one_of(st.none(), st.integers(0, 2)), max_size=3)), max_size=6)


@given(lists, st.sampled_from([pa.list_, pa.large_list]))
def test_lists_made_like_others_keep_their_type_and_nulls(rows: list[Any], kind: Any) -> None:
    old = pa.array(rows, kind(pa.int64()))
    made = make_lists_like(old, old.flatten(), list_lengths(old))
    made.validate(full=True)
    assert made.equals(old)
    assert made.type == old.type


def test_the_length_of_a_null_list_is_nothing_whatever_lies_under_it() -> None:
    hidden = pa.ListArray.from_arrays(
        pa.array([0, 2, 3], pa.int32()), pa.array([1, 2, 3]), mask=pa.array([True, False])
    )
    assert list_lengths(hidden).tolist() == [0, 1]


def test_a_missing_column_is_refused_with_the_columns_there_are() -> None:
    assert get_column(TABLE, "text", "Noise").to_pylist() == list("abcd")
    with pytest.raises(ColumnError, match=r"Noise reads the column 'premise', but the data have \['text', 'label'\]"):
        get_column(TABLE, "premise", "Noise")


def test_a_replaced_column_keeps_its_place_and_a_new_one_comes_last() -> None:
    table = replace_column(replace_column(TABLE, "text", pa.array(list("wxyz"))), "new", pa.array(range(4)))
    assert table.column_names == ["text", "label", "new"]
    assert table.column("text").to_pylist() == list("wxyz")


def test_a_null_reads_as_the_empty_string() -> None:
    assert read_strings(pa.chunked_array([["a", None], [""]])) == ["a", "", ""]


def test_integers_of_any_width_in_any_chunks_come_as_64_bits() -> None:
    values = read_integers(pa.chunked_array([pa.array([1, -1], pa.int8()), pa.array([127], pa.int8())]))
    assert (values.tolist(), values.dtype) == ([1, -1, 127], np.dtype(np.int64))
