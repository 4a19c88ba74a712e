"""Sums from left to right: the digits of a plain loop, in every version of Python and NumPy."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xquality.metrics.sums import column_sums, plain_sum

values = st.lists(st.floats(0, 100), max_size=300)


def looped(numbers: list[float]) -> float:
    total = 0.0
    for number in numbers:
        total += number
    return total


@given(values)
def test_a_sum_is_that_of_a_loop(numbers: list[float]) -> None:
    assert plain_sum(numbers) == looped(numbers)


@given(values)
def test_columns_are_summed_as_a_loop_does(numbers: list[float]) -> None:
    table = np.array(numbers).reshape(-1, 1) * [[1.0, 3.0]]
    assert column_sums(table) == [looped(table[:, 0].tolist()), looped(table[:, 1].tolist())]


def test_neither_a_compensated_nor_a_pairwise_sum_would_do() -> None:
    # The first is what Python's sum gives from 3.12 on, the second what NumPy's gives on a thousand numbers.
    tenths = [0.1] * 1000
    assert plain_sum(tenths) == column_sums(np.array(tenths)[:, None])[0] == looped(tenths)
    assert looped(tenths) not in (100.0, float(np.sum(tenths)))


def test_a_row_of_sums_is_left_as_it_is() -> None:
    assert column_sums(np.array([3, 4])) == [3, 4]
    assert column_sums(np.empty((0, 2))) == [0.0, 0.0]
