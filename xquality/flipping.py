"""Flipping labels: what the kinds of label noise share.

May import: errors, rows, randomness | pyarrow, numpy.
"""

import warnings

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from xquality.errors import RateWarning
from xquality.randomness import Draw
from xquality.rows import Change, Rows

Labels = NDArray[np.int64]


def other_class(labels: Labels, classes: int, draw: Draw) -> Labels:
    """Return a wrong label for every row, each wrong class equally likely, shape (rows,).

    It is a draw of its own: the rate decides whether a row is flipped, never to which class.
    """
    wrong = draw.integers("wrong label", classes - 1)
    wrong += wrong >= labels  # skip the present label
    return wrong


def flip(rows: Rows, column: str, wrong: Labels, flipped: NDArray[np.bool_]) -> Change:
    """Return the rows with `wrong` labels where `flipped`, and the first labels kept beside them."""
    labels = np.where(flipped, wrong, rows.labels(column))
    table, added = rows.replaced(column, pa.array(labels), flipped)
    count = int(flipped.sum())
    return Change(table, added, changed=count, acted=count)


def warn_of_nothing(owner: object, asked: float, rows: int, what: str = "rows") -> None:
    """Warn where a share above 0 of some rows rounds to none of them."""
    if asked > 0 and rows:
        warnings.warn(
            f"{owner!r} rounds to none of {rows} {what}, so nothing is flipped there; give more rows or a higher rate.",
            RateWarning,
            stacklevel=6,
        )
