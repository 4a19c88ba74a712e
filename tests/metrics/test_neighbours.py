"""Nearest neighbours against sorting all 64-bit products, whatever the blocks and the device that multiplies."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from xquality.metrics._neighbours import scale_to_unit, search_both_ways, search_one_way
from xquality.metrics.retrieval import mine, nearest_neighbours

sizes = st.integers(1, 40)
seeds = st.integers(0, 2**32)
devices = pytest.mark.parametrize("device", [None, "cpu"])


def vectors(seed: int, rows: int, width: int, *, coarse: bool = False) -> NDArray[np.float32]:
    """Return random vectors; coarse ones have few values, so that many products are equal."""
    draw = np.random.default_rng(seed)
    if coarse:
        return draw.integers(-2, 3, (rows, width)).astype(np.float32)
    return draw.standard_normal((rows, width)).astype(np.float32)


def sort_products(products: NDArray[np.float64], k: int) -> NDArray[np.int64]:
    return np.argsort(-products, axis=1, kind="stable")[:, :k]


@given(seeds, sizes, sizes, st.integers(1, 6), st.booleans())
def test_neighbours_are_those_of_sorting_all_products(seed: int, rows: int, columns: int, k: int, offset: bool) -> None:
    x, y = vectors(seed, rows, 5), vectors(seed + 1, columns, 5)
    draw = np.random.default_rng(seed)
    offsets = (draw.standard_normal(rows), draw.standard_normal(columns)) if offset else (None, None)
    forward, backward = search_both_ways(x, y, k, x_offset=offsets[0], y_offset=offsets[1])
    products = x.astype(np.float64) @ y.astype(np.float64).T
    ahead, back = (products + offsets[1], products.T + offsets[0]) if offset else (products, products.T)
    assert (forward.indices == sort_products(ahead, k)).all()
    assert (backward.indices == sort_products(back, k)).all()
    assert forward.products == pytest.approx(np.take_along_axis(products, forward.indices, 1))


@given(seeds, sizes, sizes, st.integers(1, 6), st.tuples(st.integers(1, 50), st.integers(1, 50)))
def test_the_block_size_changes_nothing(seed: int, rows: int, columns: int, k: int, block: tuple[int, int]) -> None:
    x, y = vectors(seed, rows, 17), vectors(seed + 1, columns, 17)
    for whole, parts in zip(search_both_ways(x, y, k), search_both_ways(x, y, k, block=block), strict=True):
        assert (whole.indices == parts.indices).all()
        assert (whole.products == parts.products).all()


@given(seeds, st.integers(1, 12), sizes, st.integers(1, 4))
def test_of_equal_neighbours_the_first_come_first(seed: int, rows: int, columns: int, k: int) -> None:
    # Small whole numbers: products are exact in 32 bits, and many are equal.
    x, y = vectors(seed, rows, 3, coarse=True), vectors(seed + 1, columns, 3, coarse=True)
    for block in ((1024, 8192), (3, 4)):
        forward, backward = search_both_ways(x, y, k, block=block)
        assert (forward.indices == sort_products(x.astype(np.float64) @ y.T, k)).all()
        assert (backward.indices == sort_products(y.astype(np.float64) @ x.T, k)).all()


def test_many_rows_and_columns_go_through_several_blocks_and_bounds() -> None:
    x, y = vectors(1, 1100, 8), vectors(2, 8500, 8)
    forward, backward = search_both_ways(x, y, 4)
    products = x.astype(np.float64) @ y.astype(np.float64).T
    assert (forward.indices == sort_products(products, 4)).all()
    assert (backward.indices == sort_products(products.T, 4)).all()


def test_rows_in_the_worst_order_are_found_too() -> None:
    # Each column beats all before it, so that every entry passes the bound.
    y = np.linspace(1, 2, 3000, dtype=np.float32)[:, None]
    forward, _ = search_both_ways(np.ones((3, 1), np.float32), y, 2, block=(2, 500))
    assert forward.indices.tolist() == [[2999, 2998]] * 3


@devices
def test_one_direction_alone_is_the_same(device: str | None) -> None:
    x, y = vectors(3, 30, 4), vectors(4, 20, 4)
    alone = search_one_way(x, y, 3, device=device)
    assert (alone.indices == search_both_ways(x, y, 3)[0].indices).all()


def test_pairs_score_in_64_bits() -> None:
    x = np.array([[1e4, 1.0, 1e-4]], np.float32)
    y = np.array([[-1e4, 1.0, 1.0], [-1e4, 1.0, 1.5]], np.float32)
    # The products are 5e-5 apart at 1e8, which 32 bits cannot distinguish.
    assert search_one_way(x, y, 1).indices.tolist() == [[1]]


@devices
@pytest.mark.parametrize(("copies", "rows", "width"), [(4, 250, 768), (50, 60, 64)])
def test_of_many_copies_the_first_is_nearest(copies: int, rows: int, width: int, device: str | None) -> None:
    originals = vectors(0, rows, width)
    found = nearest_neighbours(originals, np.concatenate([originals] * copies), device=device)
    assert found.tolist() == list(range(rows))


def test_the_block_size_changes_nothing_among_copies() -> None:
    originals = scale_to_unit(vectors(1, 60, 64))
    copies = np.concatenate([originals] * 9)
    forward, backward = search_both_ways(originals, copies, 4)
    for block in ((64, 64), (7, 13)):
        ahead, back = search_both_ways(originals, copies, 4, block=block)
        assert (ahead.indices == forward.indices).all()
        assert (back.indices == backward.indices).all()


@devices
@pytest.mark.parametrize("offset", [100, 1000])
def test_vectors_in_a_narrow_cone_have_their_64_bit_neighbours(offset: int, device: str | None) -> None:
    draw = np.random.default_rng(2)
    queries, corpus = ((draw.normal(size=(rows, 64)) + offset).astype(np.float32) for rows in (200, 1000))
    exact = scale_to_unit(queries).astype(np.float64) @ scale_to_unit(corpus).astype(np.float64).T
    assert (nearest_neighbours(queries, corpus, device=device) == exact.argmax(axis=1)).all()
    lengths = ((queries[:, None].astype(np.float64) - corpus) ** 2).sum(-1)
    assert (nearest_neighbours(queries, corpus, distance="l2", device=device) == lengths.argmin(axis=1)).all()


def test_mining_on_a_device_finds_the_same_pairs_among_copies() -> None:
    originals = vectors(3, 60, 16)
    copies = np.concatenate([originals] * 8)
    pairs = [{pair[1:] for pair in mine(copies, originals, device=device)} for device in (None, "cpu")]
    assert pairs[0] == pairs[1]


SHAPES = [(50, 70, 8, 4), (3, 6, 5, 4), (1, 1, 3, 4), (400, 300, 33, 3), (7, 2, 4, 10)]


@pytest.mark.parametrize(("rows", "columns", "width", "k"), SHAPES)
@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("parts", [1, 4])
def test_a_device_finds_what_numpy_finds(rows: int, columns: int, width: int, k: int, offset: bool, parts: int) -> None:
    draw = np.random.default_rng(rows)
    x, y = (draw.standard_normal((size, width)).astype(np.float32) for size in (rows, columns))
    offsets: dict[str, Any] = {}
    if offset:
        offsets = {"x_offset": draw.standard_normal(rows), "y_offset": draw.standard_normal(columns)}
    block = rows // parts + 1, columns // parts + 1
    by_torch = search_both_ways(x, y, k, **offsets, device="cpu", block=block)
    for found, wanted in zip(by_torch, search_both_ways(x, y, k, **offsets), strict=True):
        assert (found.indices == wanted.indices).all()
        assert found.products == pytest.approx(wanted.products, abs=1e-12)


def test_the_programs_precision_is_restored() -> None:
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        nearest_neighbours(np.eye(2), np.eye(2), device="cpu")
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
