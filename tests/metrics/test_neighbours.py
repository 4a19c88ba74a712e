"""Nearest neighbours in both directions against sorting all products, whatever the blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from xquality.metrics.neighbours import Neighbours, both_ways

sizes = st.integers(1, 40)
seeds = st.integers(0, 2**32)


def vectors(seed: int, rows: int, width: int, *, coarse: bool = False) -> NDArray[np.float32]:
    """Return random vectors; coarse ones have few values, so that many products are equal."""
    draw = np.random.default_rng(seed)
    if coarse:
        return draw.integers(-2, 3, (rows, width)).astype(np.float32)
    return draw.standard_normal((rows, width)).astype(np.float32)


def sorted_products(products: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    return np.argsort(-products, axis=1, kind="stable")[:, :k]


@given(seeds, sizes, sizes, st.integers(1, 6), st.booleans())
def test_neighbours_are_those_of_sorting_all_products(seed: int, rows: int, columns: int, k: int, offset: bool) -> None:
    x, y = vectors(seed, rows, 5), vectors(seed + 1, columns, 5)
    draw = np.random.default_rng(seed)
    offsets = (draw.standard_normal(rows), draw.standard_normal(columns)) if offset else (None, None)
    forward, backward = both_ways(x, y, k, x_offset=offsets[0], y_offset=offsets[1])
    products = x.astype(np.float64) @ y.astype(np.float64).T
    ahead, back = (products + offsets[1], products.T + offsets[0]) if offset else (products, products.T)
    assert backward is not None
    assert (forward.indices == sorted_products(ahead, k)).all()
    assert (backward.indices == sorted_products(back, k)).all()
    assert forward.products == pytest.approx(np.take_along_axis(products, forward.indices, 1))


@given(seeds, sizes, sizes, st.integers(1, 6), st.tuples(st.integers(1, 50), st.integers(1, 50)))
def test_blocks_change_nothing(seed: int, rows: int, columns: int, k: int, block: tuple[int, int]) -> None:
    x, y = vectors(seed, rows, 17), vectors(seed + 1, columns, 17)
    for one, other in zip(both_ways(x, y, k), both_ways(x, y, k, block=block), strict=True):
        assert isinstance(one, Neighbours)
        assert isinstance(other, Neighbours)
        assert (one.indices == other.indices).all()
        assert (one.products == other.products).all()


@given(seeds, st.integers(1, 12), sizes, st.integers(1, 4))
def test_of_equal_neighbours_the_first_come_first(seed: int, rows: int, columns: int, k: int) -> None:
    # Small whole numbers: products are exact in 32 bits, and equal ones abound.
    x, y = vectors(seed, rows, 3, coarse=True), vectors(seed + 1, columns, 3, coarse=True)
    for block in ((1024, 8192), (3, 4)):
        forward, backward = both_ways(x, y, k, block=block)
        assert backward is not None
        assert (forward.indices == sorted_products(x.astype(np.float64) @ y.T, k)).all()
        assert (backward.indices == sorted_products(y.astype(np.float64) @ x.T, k)).all()


def test_many_rows_and_columns_go_through_several_blocks_and_bounds() -> None:
    x, y = vectors(1, 1500, 16), vectors(2, 9000, 16)
    forward, backward = both_ways(x, y, 4)
    products = x.astype(np.float64) @ y.astype(np.float64).T
    assert backward is not None
    assert (forward.indices == sorted_products(products, 4)).all()
    assert (backward.indices == sorted_products(products.T, 4)).all()


def test_rows_in_the_worst_order_are_found_too() -> None:
    # Each column beats all before it, so that every entry passes the bound.
    y = np.linspace(1, 2, 3000, dtype=np.float32)[:, None]
    forward, _ = both_ways(np.ones((3, 1), np.float32), y, 2, block=(2, 500))
    assert forward.indices.tolist() == [[2999, 2998]] * 3


def test_one_direction_alone_is_the_same() -> None:
    x, y = vectors(3, 30, 4), vectors(4, 20, 4)
    alone, nothing = both_ways(x, y, 3, backward=False)
    assert nothing is None
    assert (alone.indices == both_ways(x, y, 3)[0].indices).all()


def test_pairs_score_in_64_bits() -> None:
    x = np.array([[1e4, 1.0, 1e-4]], np.float32)
    y = np.array([[-1e4, 1.0, 1.0], [-1e4, 1.0, 1.5]], np.float32)
    forward, _ = both_ways(x, y, 1)
    assert forward.indices.tolist() == [[1]]  # 5e-5 apart at 1e8, which 32 bits cannot tell
