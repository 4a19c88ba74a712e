"""Flipping labels: what the kinds of label noise share."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from xquality._warn import warn
from xquality.data.rows import Change, Rows
from xquality.errors import RateWarning
from xquality.randomness import Draw, smallest

Labels = NDArray[np.int64]


def other_class(labels: Labels, classes: int, draw: Draw) -> Labels:
    """Return a wrong label for every row, each wrong class equally likely, shape (rows,).

    It is a draw of its own: the rate decides whether a row is flipped, never to which class.
    """
    wrong = draw.integers("wrong label", classes - 1)
    wrong += wrong >= labels  # skip the present label
    return wrong


def flip(rows: Rows, column: str, labels: Labels, wrong: Labels, flipped: NDArray[np.bool_]) -> Change:
    """Return the rows with `wrong` instead of their present `labels` where `flipped`, and the first labels kept."""
    table, added = rows.replace(column, pa.array(np.where(flipped, wrong, labels)), flipped)
    count = int(flipped.sum())
    return Change(table, added, changed=count, acted=count)


def drawn_rows(owner: object, rate: float, able: Labels, draw: Draw, *, exact: bool) -> NDArray[np.bool_]:
    """Return which rows a rate strikes, shape (rows,): the same at a low rate as at a higher one.

    Args:
        owner: the transform, for the warning where the rate rounds to no row.
        rate: the share of the rows that can be changed.
        able: the numbers of those rows.
        draw: the randomness of the call.
        exact: whether `round(rate * those rows)` are struck, or each is drawn alone.
    """
    struck = np.zeros(len(draw.uids), np.bool_)
    if not exact:
        struck[able] = draw.uniform("flip")[able] < rate
        return struck
    count = round(rate * len(able))
    if not count:
        warn_of_nothing(owner, rate, len(able))
    struck[able[smallest(draw.bits("flip")[able], draw.uids[able], count)]] = True
    return struck


def warn_of_nothing(owner: object, asked: float, rows: int, what: str = "rows") -> None:
    """Warn where a share above 0 of some rows rounds to none of them."""
    if asked > 0 and rows:
        warn(
            f"{owner!r} rounds to none of {rows} {what}, so nothing is flipped there; give more rows or a higher rate.",
            RateWarning,
        )
