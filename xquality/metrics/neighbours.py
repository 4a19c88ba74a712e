"""Nearest neighbours in both directions, exact, in one pass of blocked matrix products on the CPU.

Each block of products serves twice: its rows say which columns lie near a row, its columns which rows lie near a
column. An entry is looked at again only where it exceeds the worst neighbour kept so far, which after the first
blocks hardly happens; so the work is one matrix product and two comparisons, in memory that does not grow with the
product. The products only select: the neighbours kept, and a few more, are scored again pair by pair in 64 bits, and
rows whose selection rounding could have spoilt are searched again in 64 bits. So neither the block size nor the BLAS
library shows in the result.
"""

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from xquality.metrics.neighbours_settled import best_of, settled
from xquality.metrics.vectors import Vectors

SPARE = 2  # neighbours selected beyond k, against the rounding of 32-bit products
_ROWS, _COLUMNS = 1024, 8192  # one block of products: 32 MiB
_FIRST = 256  # the first rows or columns compared, before there is a bound


@final
@dataclass(frozen=True)
class Neighbours:
    """The nearest neighbours of each row, best first, equal ones by index.

    Attributes:
        indices: rows of the other side, shape (rows, k).
        products: dot products with them, in 64 bits, shape (rows, k).
    """

    indices: NDArray[np.int64]
    products: NDArray[np.float64]


def both_ways(
    x: Vectors,
    y: Vectors,
    k: int,
    *,
    x_offset: NDArray[np.float64] | None = None,
    y_offset: NDArray[np.float64] | None = None,
    backward: bool = True,
    block: tuple[int, int] = (_ROWS, _COLUMNS),
) -> tuple[Neighbours, Neighbours | None]:
    """Return for each row of `x` its neighbours in `y`, and for each row of `y` its neighbours in `x`.

    Near is what has a large `dot product + offset`: with offsets of minus half the squared lengths that is the
    Euclidean order, without offsets that of the inner product.

    Args:
        x: finite vectors, shape (rows, width).
        y: finite vectors, shape (columns, width).
        k: how many neighbours; fewer where the other side is smaller.
        x_offset: added to the products where rows of `x` are ranked, shape (rows,).
        y_offset: added where rows of `y` are ranked, shape (columns,).
        backward: False leaves out the second direction.
        block: rows and columns of one block of products.

    Returns:
        The neighbours of the rows of `x`, and those of the rows of `y` (None without `backward`).

    Example:
        >>> x, y = np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32)[[2, 0]]
        >>> forward, backward = both_ways(x, y, 1)
        >>> forward.indices.ravel().tolist(), backward.indices.ravel().tolist()
        ([1, 0, 0], [2, 0])
    """
    rows, columns = block
    near_y = _Best(len(x), min(k + SPARE, len(y)))
    near_x = _Best(len(y), min(k + SPARE, len(x)))
    offsets = [None if one is None else one.astype(np.float32) for one in (x_offset, y_offset)]
    space = np.empty((min(rows, len(x)), min(columns, len(y))), np.float32)
    for top in range(0, len(x), rows):
        for left in range(0, len(y), columns):
            part, other = x[top : top + rows], y[left : left + columns]
            products = np.matmul(part, other.T, out=space[: len(part), : len(other)])
            near_y.add(products, None if offsets[1] is None else offsets[1][left : left + columns], top, left, axis=0)
            if backward:
                near_x.add(products, None if offsets[0] is None else offsets[0][top : top + rows], left, top, axis=1)
    return _exact(x, y, near_y, k, y_offset), _exact(y, x, near_x, k, x_offset) if backward else None


@final
class _Best:
    """The best entries met so far for each of many owners, in order, and the index of each entry."""

    def __init__(self, owners: int, width: int) -> None:
        self.width = width
        self.values = np.full((owners, width), -np.inf, np.float32)
        self.indices = np.zeros((owners, width), np.int64)

    def add(self, products: Vectors, offset: Vectors | None, owner: int, index: int, axis: int) -> None:
        """Take in a block of products whose owners stand along `axis` and begin at `owner`.

        Args:
            products: dot products, shape (rows, columns).
            offset: added to all entries of one index, shape (indices,).
            owner: the number of the block's first owner.
            index: the number of its first index.
            axis: 0 where the rows are the owners, 1 where the columns are.
        """
        end, start = products.shape[1 - axis], 0
        while start < end:
            # While there is no bound yet, the parts double: each brings about `width` entries an owner.
            stop = end if index + start >= _COLUMNS else min(end, max(_FIRST, 2 * (index + start)) - index)
            stop = max(stop, min(end, start + _FIRST))
            part = products[:, start:stop] if axis == 0 else products[start:stop]
            if offset is not None:
                part = part + (offset[start:stop] if axis == 0 else offset[start:stop, None])
            self._take(part, owner, index + start, axis)
            start = stop

    def _take(self, part: Vectors, owner: int, index: int, axis: int) -> None:
        """Merge the entries of a part that exceed their owner's worst into the best."""
        bound = self.values[owner : owner + part.shape[axis], -1]
        better = np.flatnonzero(part > (bound[:, None] if axis == 0 else bound))
        if not len(better):
            return
        places = np.divmod(better, part.shape[1])
        met = np.bincount(places[axis], minlength=part.shape[axis])
        touched = np.flatnonzero(met)
        group = (np.cumsum(met > 0) - 1)[places[axis]]
        # What was kept comes first and has the lower indices, so a stable sort breaks ties by index.
        group = np.concatenate([np.repeat(np.arange(len(touched)), self.width), group])
        values = np.concatenate([self.values[touched + owner].ravel(), part[places]])
        indices = np.concatenate([self.indices[touched + owner].ravel(), places[1 - axis] + index])
        order = np.argsort(_key(group, values), kind="stable")
        sizes = met[touched] + self.width
        kept = order[(np.cumsum(sizes) - sizes)[:, None] + np.arange(self.width)]
        self.values[touched + owner], self.indices[touched + owner] = values[kept], indices[kept]


def _key(groups: NDArray[np.int64], values: Vectors) -> NDArray[np.int64]:
    """Return integers that sort by group, then by value from the largest down."""
    bits = values.view(np.int32)
    rising = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits)  # negative floats sort backwards by their bits
    return (groups << 32) - rising


def _exact(x: Vectors, y: Vectors, best: _Best, k: int, offset: NDArray[np.float64] | None) -> Neighbours:
    """Return the best `k` neighbours, scored pair by pair in 64 bits, equal ones by index."""
    found = best_of(x, y, np.sort(best.indices, axis=1), k, offset)
    return Neighbours(*(found if best.width == len(y) else settled(x, y, found, best.values[:, -1], offset)))
