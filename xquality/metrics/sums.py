"""Sums from left to right, as the official code adds up.

Python's own `sum` is compensated from version 3.12 on, and NumPy's adds pairwise: both can change a score's last digit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray


def plain_sum(values: Iterable[float]) -> float:
    """Return the sum of `values`, added one after the other in their order.

    Example:
        >>> plain_sum([0.1] * 10)
        0.9999999999999999
    """
    total = 0.0
    for value in values:
        total += value
    return total


def column_sums(statistics: NDArray[Any]) -> list[float]:
    """Return one left-to-right sum a column.

    Args:
        statistics: one row an example, shape (rows, columns), or a row of sums already, shape (columns,).

    Returns:
        Plain numbers, shape (columns,); zeros where there is no row.

    Example:
        >>> import numpy as np
        >>> column_sums(np.array([[1, 2], [3, 4]]))
        [4, 6]
    """
    import numpy as np

    table = np.atleast_2d(statistics)
    if not len(table):
        return [0.0] * table.shape[1]
    sums: list[float] = np.add.accumulate(table, axis=0)[-1].tolist()
    return sums
