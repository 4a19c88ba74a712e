"""Nearest neighbours in both directions on a torch device: the same blocks, offsets and exact scores as on the CPU."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from xquality.metrics.neighbours import SPARE, Neighbours
from xquality.metrics.neighbours_settled import settled
from xquality.metrics.vectors import Vectors

if TYPE_CHECKING:
    from torch import Tensor

_BLOCK = (8192, 32768)  # one block of products: 1 GiB
_PAIRS = 1 << 16  # pairs scored at a time in 64 bits


def both_ways(
    x: Vectors,
    y: Vectors,
    k: int,
    *,
    x_offset: NDArray[np.float64] | None = None,
    y_offset: NDArray[np.float64] | None = None,
    backward: bool = True,
    device: str = "cuda",
    block: tuple[int, int] = _BLOCK,
) -> tuple[Neighbours, Neighbours | None]:
    """Return what `neighbours.both_ways` returns, computed on a torch device such as "cuda".

    Args:
        x: finite vectors, shape (rows, width).
        y: finite vectors, shape (columns, width).
        k: how many neighbours; fewer where the other side is smaller.
        x_offset: added to the products where rows of `x` are ranked, shape (rows,).
        y_offset: added where rows of `y` are ranked, shape (columns,).
        backward: False leaves out the second direction.
        device: as torch names it.
        block: rows and columns of one block of products, which the device must hold beside the vectors.

    Example:
        >>> x, y = np.eye(3, dtype=np.float32), np.eye(3, dtype=np.float32)[[2, 0]]
        >>> forward, backward = both_ways(x, y, 1, device="cpu")
        >>> forward.indices.ravel().tolist(), backward.indices.ravel().tolist()
        ([1, 0, 0], [2, 0])
    """
    import torch

    rows, columns = block
    with torch.inference_mode(), _full_precision():
        left, right = (torch.as_tensor(np.ascontiguousarray(one), device=device) for one in (x, y))
        offsets = [None if one is None else torch.as_tensor(one, device=device) for one in (x_offset, y_offset)]
        near_y: list[tuple[Tensor, Tensor]] = []
        near_x: list[tuple[Tensor, Tensor] | None] = [None] * -(-len(y) // columns)
        for top in range(0, len(x), rows):
            best: tuple[Tensor, Tensor] | None = None
            for place, start in enumerate(range(0, len(y), columns)):
                products = left[top : top + rows] @ right[start : start + columns].T
                ranked = products if offsets[1] is None else products + offsets[1][start : start + columns].float()
                best = _merged(best, ranked, start, min(k + SPARE, len(y)))
                if backward:
                    ranked = products if offsets[0] is None else products + offsets[0][top : top + rows, None].float()
                    near_x[place] = _merged(near_x[place], ranked.T, top, min(k + SPARE, len(x)))
            if best is not None:
                near_y.append(best)
        forward = _exact(left, right, near_y, k, offsets[1])
        back = _exact(right, left, [one for one in near_x if one is not None], k, offsets[0]) if backward else None
    return _certain(x, y, *forward, y_offset), None if back is None else _certain(y, x, *back, x_offset)


def _merged(best: Any, ranked: Any, start: int, width: int) -> tuple["Tensor", "Tensor"]:
    """Return the best entries of each row of a block and of what was kept before."""
    import torch

    values, indices = torch.topk(ranked, min(width, ranked.shape[1]), dim=1)
    indices = indices + start
    if best is not None:
        values, indices = torch.cat([best[0], values], 1), torch.cat([best[1], indices], 1)
        values, order = torch.topk(values, min(width, values.shape[1]), dim=1)
        indices = torch.gather(indices, 1, order)
    return values, indices


def _certain(
    x: Vectors, y: Vectors, found: Any, last: NDArray[np.float32] | None, offset: NDArray[np.float64] | None
) -> Neighbours:
    """Return neighbours of which those that rounding leaves open are found again, by NumPy."""
    return Neighbours(*(found if last is None else settled(x, y, found, last, offset)))


def _exact(x: Any, y: Any, best: Any, k: int, offset: Any) -> tuple[Any, NDArray[np.float32] | None]:
    """Return the best `k` of the selected neighbours with their products in 64 bits, equal ones by index.

    With them comes what the last selected one was ranked by; None where all were selected.
    """
    import torch

    values, selected = (torch.cat([one[side] for one in best]) for side in (0, 1))
    last = None if selected.shape[1] == len(y) else values[:, -1].cpu().numpy()
    selected = torch.sort(selected, dim=1).values
    step = max(1, _PAIRS // selected.shape[1])
    parts = []
    for start in range(0, len(selected), step):
        chosen = y[selected[start : start + step]].double()
        parts.append((x[start : start + step].double()[:, None] * chosen).sum(-1))
    products = torch.cat(parts)
    ranked = products if offset is None else products + offset[selected]
    order = torch.sort(ranked, dim=1, descending=True, stable=True).indices[:, :k]
    chosen, products = torch.gather(selected, 1, order), torch.gather(products, 1, order)
    return (chosen.cpu().numpy(), products.cpu().numpy()), last


@contextmanager
def _full_precision() -> Iterator[None]:
    """Multiply in 32 bits, whatever the program has set for its training."""
    import torch

    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)
