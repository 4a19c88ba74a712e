"""The nearest-neighbour search of `_neighbours` on a torch device: the same blocks, offsets and 64-bit scores.

A module of its own, since torch is imported only where a device is given.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from xquality.metrics._neighbours import SPARE, Neighbours, Offset, Ranking, Vectors, search_uncertain_rows

Selected = tuple[Tensor, Tensor]
"""The largest products plus offset of each row, in descending order, and their indices."""

_BLOCK = (8192, 32768)  # one block of products: 1 GiB
_PAIRS = 1 << 16  # pairs scored in 64 bits at a time


def search(
    x: Vectors,
    y: Vectors,
    k: int,
    x_offset: Offset,
    y_offset: Offset,
    device: str,
    block: tuple[int, int] | None,
    *,
    backward: bool,
) -> tuple[Neighbours, Neighbours | None]:
    """Return for each row of `x` its neighbours in `y`, and with `backward` those in `x` of each row of `y`.

    The arguments are those of `search_both_ways`. The device must hold one block of products beside the vectors.
    """
    rows, columns = block or _BLOCK
    with torch.inference_mode(), _full_precision():
        left, right = (torch.as_tensor(np.ascontiguousarray(vectors), device=device) for vectors in (x, y))
        x_added, y_added = (
            None if offset is None else torch.as_tensor(offset, device=device) for offset in (x_offset, y_offset)
        )
        near_y: list[Selected] = []
        near_x: list[Selected | None] = [None] * -(-len(y) // columns)
        for top in range(0, len(x), rows):
            selected: Selected | None = None
            for place, start in enumerate(range(0, len(y), columns)):
                products = left[top : top + rows] @ right[start : start + columns].T
                scores = products if y_added is None else products + y_added[start : start + columns].float()
                selected = _merge(selected, scores, start, min(k + SPARE, len(y)))
                if backward:
                    scores = products if x_added is None else products + x_added[top : top + rows, None].float()
                    near_x[place] = _merge(near_x[place], scores.T, top, min(k + SPARE, len(x)))
            if selected is not None:
                near_y.append(selected)
        forward = _rank(left, right, near_y, k, y_added)
        back = _rank(right, left, [part for part in near_x if part is not None], k, x_added) if backward else None
    return _refine(x, y, *forward, y_offset), None if back is None else _refine(y, x, *back, x_offset)


def _merge(selected: Selected | None, scores: Tensor, start: int, width: int) -> Selected:
    """Return the largest entries of each row among the earlier ones and a new block of scores."""
    values, indices = torch.topk(scores, min(width, scores.shape[1]), dim=1)
    indices = indices + start
    if selected is not None:
        values, indices = torch.cat([selected[0], values], 1), torch.cat([selected[1], indices], 1)
        values, order = torch.topk(values, min(width, values.shape[1]), dim=1)
        indices = torch.gather(indices, 1, order)
    return values, indices


def _rank(
    x: Tensor, y: Tensor, parts: Sequence[Selected], k: int, offset: Tensor | None
) -> tuple[Ranking, NDArray[np.float32] | None]:
    """Return the best `k` of the selected neighbours with their products in 64 bits, equal ones by index.

    The second value is the 32-bit score of the last selected neighbour of each row, None where all were selected.
    """
    values, selected = (torch.cat([part[place] for part in parts]) for place in (0, 1))
    last = None if selected.shape[1] == len(y) else values[:, -1].cpu().numpy()
    selected = torch.sort(selected, dim=1).values
    step = max(1, _PAIRS // selected.shape[1])
    sums = []
    for start in range(0, len(selected), step):
        near = y[selected[start : start + step]].double()
        sums.append((x[start : start + step].double()[:, None] * near).sum(-1))
    products = torch.cat(sums)
    scores = products if offset is None else products + offset[selected]
    order = torch.sort(scores, dim=1, descending=True, stable=True).indices[:, :k]
    indices, products = torch.gather(selected, 1, order), torch.gather(products, 1, order)
    return (indices.cpu().numpy(), products.cpu().numpy()), last


def _refine(x: Vectors, y: Vectors, ranking: Ranking, last: NDArray[np.float32] | None, offset: Offset) -> Neighbours:
    """Return the neighbours, with rows that 32-bit rounding could have changed searched again by NumPy."""
    return Neighbours(*(ranking if last is None else search_uncertain_rows(x, y, ranking, last, offset)))


@contextmanager
def _full_precision() -> Iterator[None]:
    """Multiply in full 32 bits, whatever precision the program has set for its training."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
