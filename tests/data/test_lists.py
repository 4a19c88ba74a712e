"""Lists of numbers become arrays however Arrow stores them, and what is no such list is told."""

import itertools
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.data.lists import Matrix, flat, lengths, matrix, nested, numbers, padded, taken

ROWS = [[0.1, 0.9], [0.5, 0.5], [0.7, 0.3], [1.0, 0.0], [0.2, 0.8]]


def stored(kind: pa.DataType, *cuts: int) -> pa.ChunkedArray:
    """Return the rows in chunks, each a slice of a longer array."""
    whole = pa.array([[9.0, 9.0], *ROWS, [9.0, 9.0]], kind)
    ends = [0, *cuts, len(ROWS)]
    return pa.chunked_array([whole.slice(1 + a, b - a) for a, b in itertools.pairwise(ends)], kind)


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float64()), pa.large_list(pa.float64()), pa.list_(pa.float64(), 2), pa.list_(pa.float32())]
)
@pytest.mark.parametrize("cuts", [(), (2,), (1, 1, 4)])
def test_a_column_reads_alike_however_it_is_stored(kind: pa.DataType, cuts: tuple[int, ...]) -> None:
    found = matrix(stored(kind, *cuts), 2)
    assert found is not None
    assert len(found) == len(ROWS)
    assert found.whole() == pytest.approx(np.array(ROWS))
    assert found.take(np.array([4, 0, 4])) == pytest.approx(np.array([ROWS[4], ROWS[0], ROWS[4]]))
    assert found.take(slice(1, 3)) == pytest.approx(np.array(ROWS[1:3]))
    assert found.distributions()


def test_one_chunk_of_doubles_is_read_without_a_copy() -> None:
    held = pa.array(np.arange(6.0))
    column = pa.ListArray.from_arrays(pa.array([0, 2, 4, 6], pa.int32()), held)
    found = matrix(pa.chunked_array([column]), 2)
    assert found is not None
    assert found.whole().ctypes.data == held.buffers()[1].address
    assert found.take(slice(0, 2)).ctypes.data == held.buffers()[1].address


@given(st.lists(st.integers(0, 6), min_size=1, max_size=8), st.lists(st.integers(0, 1000), max_size=30))
def test_rows_taken_from_pieces_are_the_rows(sizes: list[int], chosen: list[int]) -> None:
    total = sum(sizes)
    rows = np.arange(total * 3.0).reshape(total, 3)
    parts = tuple(np.split(rows, np.cumsum(sizes)[:-1]))
    places = np.array([one % total for one in chosen if total], np.int64)
    assert (Matrix(parts).take(places) == rows[places]).all()
    assert (Matrix(parts).whole() == rows).all()


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
def test_what_is_no_list_of_so_many_numbers_is_told(values: list[Any]) -> None:
    assert matrix(pa.chunked_array([pa.array(values)]), 2) is None


def test_a_column_without_rows_has_its_width() -> None:
    empty = matrix(pa.chunked_array([], pa.list_(pa.float64())), 3)
    assert empty is not None
    assert empty.whole().shape == (0, 3)
    assert empty.distributions()


@pytest.mark.parametrize("row", [[0.5, 0.6], [-0.1, 1.1], [np.nan, 1.0], [np.inf, 0.0], [np.inf, -np.inf], [0.0, 0.0]])
def test_what_is_no_distribution_is_told_wherever_it_stands(row: list[float]) -> None:
    assert not Matrix((np.array(ROWS), np.array([*ROWS, row]))).distributions()


def test_lists_of_several_lengths_are_filled_up_with_zeros() -> None:
    read = padded(pa.chunked_array([[[0.5, 0.5]], [[1.0], [0.2, 0.3, 0.5]]]))
    assert read is not None
    assert read[0].whole().tolist() == [[0.5, 0.5, 0.0], [1.0, 0.0, 0.0], [0.2, 0.3, 0.5]]
    assert read[1].tolist() == [2, 1, 3]
    for wrong in ([[0.1], None], [[None]], [0.5], [["a"]]):
        assert padded(pa.chunked_array([pa.array(wrong)])) is None


def test_one_number_a_row() -> None:
    assert numbers(pa.chunked_array([[1.5], [2.0]])).tolist() == [1.5, 2.0]
    assert numbers(pa.chunked_array([[1, 2]])).tolist() == [1.0, 2.0]
    for wrong in ([0.5, None], ["a"], [[0.5]], [True]):
        assert numbers(pa.chunked_array([pa.array(wrong)])) is None


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=12), st.integers(0, 12))
def test_lists_are_taken_apart_and_put_together_again(rows: list[list[int]], cut: int) -> None:
    whole = pa.array(rows, pa.list_(pa.int64()))
    column = pa.chunked_array([whole.slice(0, cut), whole.slice(cut)])
    read = flat(column)
    assert read is not None
    assert read[0].to_pylist() == [one for row in rows for one in row]
    assert read[1].tolist() == [len(row) for row in rows]
    assert nested(read[0].combine_chunks(), read[1]).to_pylist() == rows
    order = np.arange(len(rows))[::-1]
    held = np.array([one for row in rows for one in row], np.int64)
    assert held[taken(read[1], order)].tolist() == [one for row in rows[::-1] for one in row]


def test_a_null_list_is_told_or_has_no_length() -> None:
    column = pa.chunked_array([[[1, 2], None, []]])
    assert flat(column) is None
    assert flat(pa.chunked_array([[1, 2]])) is None
    assert lengths(column.chunk(0)).tolist() == [2, 0, 0]
    fixed = pa.array([[1, 2], None], pa.list_(pa.int64(), 2))
    assert lengths(fixed).tolist() == [2, 0]


def test_missing_lists_become_null() -> None:
    made = nested(pa.array([1, 2, 3]), np.array([2, 0, 1]), np.array([False, True, False]))
    assert made.to_pylist() == [[1, 2], None, [3]]
