"""Neighbours that 32-bit products leave open, found again in 64 bits.

A selection by 32-bit products is certain where its last entry lies further below the k-th neighbour than rounding can
reach. Elsewhere, as among copies of one vector or in a narrow cone of long vectors, all products of the row are made
anew. So neither the block size nor the library that multiplies shows in which neighbours are found.
"""

import itertools

import numpy as np
from numpy.typing import NDArray

from xquality.metrics.vectors import Vectors, squared_lengths

_CELLS = 1 << 22  # products made anew at a time: 32 MiB
_PAIRS = 1 << 12  # pairs scored at a time
_COLUMNS = 8192  # columns widened to 64 bits at a time

Found = tuple[NDArray[np.int64], NDArray[np.float64]]


def settled(
    x: Vectors, y: Vectors, found: Found, last: NDArray[np.floating], offset: NDArray[np.float64] | None
) -> Found:
    """Return neighbours that are certain.

    Args:
        x: finite vectors, shape (rows, width).
        y: finite vectors, shape (columns, width).
        found: the neighbours of each row of `x` among the selected rows of `y`, best first, and their dot products in
            64 bits, both of shape (rows, k).
        last: what the last selected one was ranked by in 32 bits, shape (rows,); all others rank no higher.
        offset: added to the products where rows are ranked, shape (columns,).

    Example:
        >>> x, y = np.ones((1, 2), np.float32), np.ones((9, 2), np.float32)
        >>> chosen = np.array([[7]]), np.array([[2.0]])
        >>> settled(x, y, chosen, np.array([2.0]), None)[0].tolist()
        [[0]]
    """
    indices, products = found
    far = indices[:, -1]
    worst = products[:, -1] if offset is None else products[:, -1] + offset[far]
    reach = np.sqrt(squared_lengths(x)) * np.sqrt(squared_lengths(y).max(initial=0.0))
    highest = 0.0 if offset is None else float(np.abs(offset).max(initial=0.0))
    # The error of a sum of `width` rounded products, in any order, and of the offset that is rounded and added.
    terms = x.shape[1] + 3
    unsure = np.flatnonzero(last >= worst - terms * 2.0**-24 * (reach + highest))
    if not len(unsure):
        return found
    indices, products = indices.copy(), products.copy()
    step = max(1, _CELLS // len(y))
    for start in range(0, len(unsure), step):
        rows = unsure[start : start + step]
        ranked = _all_ranked(x[rows], y, offset)
        kth = np.partition(ranked, -indices.shape[1], axis=1)[:, -indices.shape[1]]
        bound = kth - terms * 2.0**-51 * (reach[rows] + highest)
        for place, row in enumerate(rows.tolist()):
            near = np.flatnonzero(ranked[place] >= bound[place])
            (indices[row],), (products[row],) = best_of(x[row : row + 1], y, near[None], indices.shape[1], offset)
    return indices, products


def best_of(x: Vectors, y: Vectors, selected: NDArray[np.int64], k: int, offset: NDArray[np.float64] | None) -> Found:
    """Return the best `k` of the selected rows of `y` for each row of `x`, scored in 64 bits, equal ones by index.

    Args:
        x: finite vectors, shape (rows, width).
        y: finite vectors, shape (columns, width).
        selected: rows of `y`, rising in each row, shape (rows, selected).
        k: how many are taken; fewer where fewer are selected.
        offset: added to the products where rows are ranked, shape (columns,).
    """
    products = _pair_products(x, y, selected)
    ranked = products if offset is None else products + offset[selected]
    order = np.argsort(-ranked, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(selected, order, 1), np.take_along_axis(products, order, 1)


def _pair_products(x: Vectors, y: Vectors, chosen: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the dot product of each row of `x` with its chosen rows of `y`, shape (rows, chosen), in 64 bits.

    Each pair is summed by itself, so that equal vectors have equal products.
    """
    products = np.empty(chosen.shape)
    wide = max(1, min(_PAIRS, chosen.shape[1]))
    step = max(1, _PAIRS // wide)
    for start, left in itertools.product(range(0, chosen.shape[0], step), range(0, chosen.shape[1], wide)):
        part = slice(start, start + step), slice(left, left + wide)
        pairs = (x[part[0]].astype(np.float64), y[chosen[part]].astype(np.float64))
        np.einsum("id,ijd->ij", *pairs, out=products[part])
    return products


def _all_ranked(x: Vectors, y: Vectors, offset: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """Return what all rows of `y` are ranked by for each row of `x`, in 64 bits, shape (rows, columns)."""
    wide, ranked = x.astype(np.float64), np.empty((len(x), len(y)))
    for left in range(0, len(y), _COLUMNS):
        part = y[left : left + _COLUMNS].astype(np.float64)
        np.matmul(wide, part.T, out=ranked[:, left : left + _COLUMNS])
    return ranked if offset is None else ranked + offset
