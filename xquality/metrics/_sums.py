"""Sums from left to right, as in the official XTREME code.

Python's own `sum` is compensated from version 3.12 on, and NumPy's is pairwise: both can change a score's last digit.
"""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray


def plain_sum(values: Iterable[float]) -> float:
    """Return the sum of `values`, added in their order without compensation.

    Example:
        >>> plain_sum([0.1] * 10)
        0.9999999999999999
    """
    total = 0.0
    for value in values:
        total += value
    return total


def column_sums(statistics: NDArray[Any]) -> list[float]:
    """Return the left-to-right sum of each column.

    Args:
        statistics: one row for each example, shape (rows, columns), or a row of sums, shape (columns,).

    Returns:
        Plain numbers, shape (columns,); zeros where there is no row.

    Example:
        >>> column_sums(np.array([[1, 2], [3, 4]]))
        [4, 6]
    """
    table = np.atleast_2d(statistics)
    if not len(table):
        return [0.0] * table.shape[1]
    sums: list[float] = np.add.accumulate(table, axis=0)[-1].tolist()
    return sums
