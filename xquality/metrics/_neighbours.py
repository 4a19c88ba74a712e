"""Exact nearest neighbours by blocked matrix products, in one direction or in both from one pass.

Each block of products is used twice: its rows give candidates among the columns, its columns candidates among the
rows. An entry is kept only where it exceeds the worst candidate so far, which is rare after the first blocks, so the
cost is one matrix product and two comparisons, in memory that does not grow with the product.

The 32-bit products only select k neighbours and a few more, which are scored again pair by pair in 64 bits. The
selection is certain where its last entry lies further below the k-th neighbour than rounding can reach. All other rows
(as among copies of one vector, or in a narrow cone of long vectors) are searched again in 64 bits. So the result
depends neither on the block size nor on the BLAS library or the device that multiplies.
"""

import itertools
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from xquality.errors import MetricError

Vectors = NDArray[np.float32]
"""Embeddings as rows of 32-bit numbers, shape (rows, width)."""

Offset = NDArray[np.float64] | None
"""What is added to the products where rows are ranked, shape (rows,)."""

Ranking = tuple[NDArray[np.int64], NDArray[np.float64]]
"""The neighbours of each row, best first, and their dot products in 64 bits, both of shape (rows, k)."""

SPARE = 2  # neighbours selected beyond k, against the rounding of 32-bit products

_ROWS, _COLUMNS = 1024, 8192  # one block of products: 32 MiB
_FIRST = 256  # the first rows or columns compared, before there is a bound
_LONGEST = 1e37  # a product of two vectors of this squared length, plus an offset, stays finite in 32 bits
_PRODUCTS = 1 << 22  # products computed again in 64 bits at a time: 32 MiB
_PAIRS = 1 << 12  # pairs scored in 64 bits at a time


def to_vectors(name: str, embeddings: Any) -> Vectors:
    """Return embeddings (an array, a tensor or lists) as 32-bit rows, without a copy where they are such rows.

    Raises:
        MetricError: where they are no table of finite numbers.

    Example:
        >>> to_vectors("queries", [[1, 2], [3, 4]]).shape
        (2, 2)
    """
    if hasattr(embeddings, "detach"):  # a tensor, perhaps on a device
        embeddings = embeddings.detach().cpu().float().numpy()
    try:
        vectors = np.ascontiguousarray(embeddings, np.float32)
    except (TypeError, ValueError) as fault:
        raise MetricError(f"The {name} must be a table of numbers, shape (rows, width), not {embeddings!r}.") from fault
    if vectors.ndim != 2 or not vectors.shape[1]:
        raise MetricError(f"The {name} must have the shape (rows, width), but have {np.shape(embeddings)}.")
    infinite = np.flatnonzero(~np.isfinite(squared_lengths(vectors)))
    if len(infinite):
        raise MetricError(
            f"The {name} must be finite, but {len(infinite)} of {len(vectors)} rows are not, first row {infinite[0]}."
        )
    return vectors


def check_lengths(x: Vectors, y: Vectors) -> None:
    """Raise `MetricError` where squared lengths are too large for the 32-bit products of a Euclidean search."""
    longest = max(float(squared_lengths(vectors).max(initial=0.0)) for vectors in (x, y))
    if longest > _LONGEST:
        raise MetricError(
            f"Euclidean neighbours need squared lengths of at most {_LONGEST:.0e}, but {longest:.0e} was found; divide "
            "all vectors by one number."
        )


def check_widths(x: Vectors, y: Vectors) -> None:
    """Raise `MetricError` where vectors differ in width."""
    if x.shape[1] != y.shape[1]:
        raise MetricError(f"Vectors of width {x.shape[1]} cannot be compared with vectors of width {y.shape[1]}.")


def scale_to_unit(vectors: Vectors) -> Vectors:
    """Return the vectors divided by their lengths; rows of zeros stay zeros.

    Example:
        >>> scale_to_unit(np.array([[3, 4], [0, 0]], np.float32)).tolist()
        [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.sqrt(squared_lengths(vectors))
    return vectors / np.where(lengths > 0, lengths, 1).astype(np.float32)[:, None]


def squared_lengths(vectors: Vectors) -> NDArray[np.float64]:
    """Return the squared length of each row, in 64 bits, shape (rows,)."""
    result = np.empty(len(vectors))
    for start in range(0, len(vectors), 4096):  # some rows at a time, since they are copied to 64 bits
        part = vectors[start : start + 4096].astype(np.float64)
        np.einsum("ij,ij->i", part, part, out=result[start : start + 4096])
    return result


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


def search_one_way(x: Vectors, y: Vectors, k: int, *, y_offset: Offset = None, device: str | None = None) -> Neighbours:
    """Return for each row of `x` its neighbours in `y`; the arguments are those of `search_both_ways`."""
    return _search(x, y, k, None, y_offset, device, None, backward=False)[0]


def search_both_ways(
    x: Vectors,
    y: Vectors,
    k: int,
    *,
    x_offset: Offset = None,
    y_offset: Offset = None,
    device: str | None = None,
    block: tuple[int, int] | None = None,
) -> tuple[Neighbours, Neighbours]:
    """Return for each row of `x` its neighbours in `y`, and for each row of `y` its neighbours in `x`.

    Neighbours are ranked by dot product plus offset: with offsets of minus half the squared lengths that is the
    Euclidean order, without offsets that of the inner product.

    Args:
        x: finite vectors, shape (rows, width).
        y: finite vectors, shape (columns, width).
        k: how many neighbours; fewer where the other side is smaller.
        x_offset: added to the products where rows of `x` are ranked, shape (rows,).
        y_offset: added where rows of `y` are ranked, shape (columns,).
        device: a torch device such as "cuda" for the products; None computes them with NumPy.
        block: rows and columns of one block of products; None for what the device suits.

    Example:
        >>> x, y = np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32)[[2, 0]]
        >>> forward, backward = search_both_ways(x, y, 1)
        >>> forward.indices.ravel().tolist(), backward.indices.ravel().tolist()
        ([1, 0, 0], [2, 0])
    """
    forward, backward = _search(x, y, k, x_offset, y_offset, device, block, backward=True)
    assert backward is not None
    return forward, backward


def _search(
    x: Vectors,
    y: Vectors,
    k: int,
    x_offset: Offset,
    y_offset: Offset,
    device: str | None,
    block: tuple[int, int] | None,
    *,
    backward: bool,
) -> tuple[Neighbours, Neighbours | None]:
    """Return the neighbours in one direction or in both."""
    if device is not None:
        from xquality.metrics import _neighbours_torch

        return _neighbours_torch.search(x, y, k, x_offset, y_offset, device, block, backward=backward)
    rows, columns = block or (_ROWS, _COLUMNS)
    near_y = _Selection(len(x), min(k + SPARE, len(y)))
    near_x = _Selection(len(y), min(k + SPARE, len(x)))
    x_added, y_added = (None if offset is None else offset.astype(np.float32) for offset in (x_offset, y_offset))
    space = np.empty((min(rows, len(x)), min(columns, len(y))), np.float32)
    for top in range(0, len(x), rows):
        for left in range(0, len(y), columns):
            x_part, y_part = x[top : top + rows], y[left : left + columns]
            products = np.matmul(x_part, y_part.T, out=space[: len(x_part), : len(y_part)])
            near_y.add(products, None if y_added is None else y_added[left : left + columns], top, left, axis=0)
            if backward:
                near_x.add(products, None if x_added is None else x_added[top : top + rows], left, top, axis=1)
    forward = near_y.refine(x, y, k, y_offset)
    return forward, near_x.refine(y, x, k, x_offset) if backward else None


@final
class _Selection:
    """For each of many rows the largest products so far, in descending order, and the index of each product."""

    def __init__(self, rows: int, width: int) -> None:
        self.width = width
        self.values = np.full((rows, width), -np.inf, np.float32)
        self.indices = np.zeros((rows, width), np.int64)

    def add(self, products: Vectors, offset: Vectors | None, row: int, index: int, axis: int) -> None:
        """Merge a block of products into the selection.

        Args:
            products: dot products, a matrix.
            offset: added to all products of one index, shape (indices,).
            row: the selection's row that the block begins at.
            index: the index that the block begins at.
            axis: the axis of the block along which the selection's rows lie; the indices lie along the other.
        """
        end, start = products.shape[1 - axis], 0
        while start < end:
            # While there is no bound yet, the parts double: each brings about `width` entries a row.
            stop = end if index + start >= _COLUMNS else min(end, max(_FIRST, 2 * (index + start)) - index)
            stop = max(stop, min(end, start + _FIRST))
            part = products[:, start:stop] if axis == 0 else products[start:stop]
            if offset is not None:
                part = part + (offset[start:stop] if axis == 0 else offset[start:stop, None])
            self._merge(part, row, index + start, axis)
            start = stop

    def _merge(self, part: Vectors, row: int, index: int, axis: int) -> None:
        """Merge the entries that exceed the worst value of their row."""
        bound = self.values[row : row + part.shape[axis], -1]
        better = np.flatnonzero(part > (bound[:, None] if axis == 0 else bound))
        if not len(better):
            return
        places = np.divmod(better, part.shape[1])
        counts = np.bincount(places[axis], minlength=part.shape[axis])
        changed = np.flatnonzero(counts)
        group = (np.cumsum(counts > 0) - 1)[places[axis]]
        # The earlier entries come first and have the lower indices, so a stable sort breaks ties by index.
        group = np.concatenate([np.repeat(np.arange(len(changed)), self.width), group])
        values = np.concatenate([self.values[changed + row].ravel(), part[places]])
        indices = np.concatenate([self.indices[changed + row].ravel(), places[1 - axis] + index])
        order = np.argsort(_sort_key(group, values), kind="stable")
        sizes = counts[changed] + self.width
        kept = order[(np.cumsum(sizes) - sizes)[:, None] + np.arange(self.width)]
        self.values[changed + row], self.indices[changed + row] = values[kept], indices[kept]

    def refine(self, x: Vectors, y: Vectors, k: int, offset: Offset) -> Neighbours:
        """Return the best `k` neighbours in `y` of each row of `x`, scored in 64 bits, equal ones by index."""
        ranking = rank_selected(x, y, np.sort(self.indices, axis=1), k, offset)
        if self.width == len(y):
            return Neighbours(*ranking)
        return Neighbours(*search_uncertain_rows(x, y, ranking, self.values[:, -1], offset))


def _sort_key(groups: NDArray[np.int64], values: Vectors) -> NDArray[np.int64]:
    """Return integers that sort by group, then by value from the largest down."""
    bits = values.view(np.int32)
    rising = np.where(bits < 0, bits ^ np.int32(0x7FFFFFFF), bits)  # negative floats sort backwards by their bits
    return (groups << 32) - rising


def search_uncertain_rows(
    x: Vectors, y: Vectors, ranking: Ranking, last: NDArray[np.floating], offset: Offset
) -> Ranking:
    """Return a ranking in which every row that 32-bit rounding could have changed is searched again in 64 bits.

    Args:
        x: finite vectors, shape (rows, width).
        y: finite vectors, shape (columns, width).
        ranking: the neighbours of each row of `x` among the selected rows of `y`, and their products.
        last: the 32-bit product plus offset of the last selected neighbour, shape (rows,); no other is larger.
        offset: added to the products where rows are ranked, shape (columns,).

    Example:
        >>> x, y = np.ones((1, 2), np.float32), np.ones((9, 2), np.float32)
        >>> search_uncertain_rows(x, y, (np.array([[7]]), np.array([[2.0]])), np.array([2.0]), None)[0].tolist()
        [[0]]
    """
    indices, products = ranking
    furthest = indices[:, -1]
    worst = products[:, -1] if offset is None else products[:, -1] + offset[furthest]
    reach = np.sqrt(squared_lengths(x)) * np.sqrt(squared_lengths(y).max(initial=0.0))
    highest = 0.0 if offset is None else float(np.abs(offset).max(initial=0.0))
    # The error of a sum of `width` rounded products, in any order, and of the offset that is rounded and added.
    terms = x.shape[1] + 3
    uncertain = np.flatnonzero(last >= worst - terms * 2.0**-24 * (reach + highest))
    if not len(uncertain):
        return ranking
    indices, products = indices.copy(), products.copy()
    step = max(1, _PRODUCTS // len(y))
    for start in range(0, len(uncertain), step):
        rows = uncertain[start : start + step]
        scores = _score_all(x[rows], y, offset)
        kth = np.partition(scores, -indices.shape[1], axis=1)[:, -indices.shape[1]]
        bound = kth - terms * 2.0**-51 * (reach[rows] + highest)
        for place, row in enumerate(rows.tolist()):
            near = np.flatnonzero(scores[place] >= bound[place])
            (indices[row],), (products[row],) = rank_selected(x[row : row + 1], y, near[None], indices.shape[1], offset)
    return indices, products


def rank_selected(x: Vectors, y: Vectors, selected: NDArray[np.int64], k: int, offset: Offset) -> Ranking:
    """Return the best `k` of the selected rows of `y` for each row of `x`, scored in 64 bits, equal ones by index.

    Args:
        x: finite vectors, shape (rows, width).
        y: finite vectors, shape (columns, width).
        selected: rows of `y`, ascending in each row, shape (rows, selected).
        k: how many are taken; fewer where fewer are selected.
        offset: added to the products where rows are ranked, shape (columns,).
    """
    products = _pair_products(x, y, selected)
    scores = products if offset is None else products + offset[selected]
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(selected, order, 1), np.take_along_axis(products, order, 1)


def _pair_products(x: Vectors, y: Vectors, selected: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the dot product of each row of `x` with its selected rows of `y`, shape (rows, selected), in 64 bits.

    Each pair is summed by itself, so that equal vectors have equal products.
    """
    products = np.empty(selected.shape)
    columns = max(1, min(_PAIRS, selected.shape[1]))
    rows = max(1, _PAIRS // columns)
    for top, left in itertools.product(range(0, selected.shape[0], rows), range(0, selected.shape[1], columns)):
        part = slice(top, top + rows), slice(left, left + columns)
        pairs = (x[part[0]].astype(np.float64), y[selected[part]].astype(np.float64))
        np.einsum("id,ijd->ij", *pairs, out=products[part])
    return products


def _score_all(x: Vectors, y: Vectors, offset: Offset) -> NDArray[np.float64]:
    """Return the products of all rows of `y` with each row of `x`, plus offset, in 64 bits, shape (rows, columns)."""
    rows, scores = x.astype(np.float64), np.empty((len(x), len(y)))
    for left in range(0, len(y), _COLUMNS):
        part = y[left : left + _COLUMNS].astype(np.float64)
        np.matmul(rows, part.T, out=scores[:, left : left + _COLUMNS])
    return scores if offset is None else scores + offset
