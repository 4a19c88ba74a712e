"""Nearest neighbours on a torch device are those found with NumPy."""

import numpy as np
import pytest
import torch

from xquality.metrics import neighbours, neighbours_torch

SHAPES = [(50, 70, 8, 4), (3, 6, 5, 4), (1, 1, 3, 4), (400, 300, 33, 3), (7, 2, 4, 10)]


@pytest.mark.parametrize(("rows", "columns", "width", "k"), SHAPES)
@pytest.mark.parametrize("offset", [False, True])
@pytest.mark.parametrize("block", [(8192, 32768), (17, 5)])
def test_neighbours_are_those_of_numpy(rows: int, columns: int, width: int, k: int, offset: bool, block) -> None:
    draw = np.random.default_rng(rows)
    x, y = (draw.standard_normal((size, width)).astype(np.float32) for size in (rows, columns))
    offsets = {"x_offset": draw.standard_normal(rows), "y_offset": draw.standard_normal(columns)} if offset else {}
    wanted = neighbours.both_ways(x, y, k, **offsets)
    found = neighbours_torch.both_ways(x, y, k, **offsets, device="cpu", block=block)
    for one, other in zip(found, wanted, strict=True):
        assert one is not None
        assert other is not None
        assert (one.indices == other.indices).all()
        assert one.products == pytest.approx(other.products, abs=1e-12)


def test_one_direction_alone_is_the_same() -> None:
    x = np.eye(4, dtype=np.float32)
    found, nothing = neighbours_torch.both_ways(x, x, 1, backward=False, device="cpu")
    assert nothing is None
    assert found.indices.ravel().tolist() == [0, 1, 2, 3]


def test_the_programs_precision_is_left_as_it_was() -> None:
    before = torch.get_float32_matmul_precision()
    try:
        torch.set_float32_matmul_precision("medium")
        neighbours_torch.both_ways(np.eye(2, dtype=np.float32), np.eye(2, dtype=np.float32), 1, device="cpu")
        assert torch.get_float32_matmul_precision() == "medium"
    finally:
        torch.set_float32_matmul_precision(before)
