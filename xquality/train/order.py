"""Order: which rows stand in which batch, keyed by seed and uid, so that neither storage nor processes decide it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from xquality.data.arrow import Indices
from xquality.randomness import Bits, Draw, derive_seed

_GROUPED = 50  # batches whose rows are sorted by length together at most: a quarter of an epoch, as in transformers


@final
@dataclass(frozen=True)
class Order:
    """The rows of a training run, one after the other; a step takes the next `batch_size` of them.

    Attributes:
        rows: the row at each place, shape (places,).
        passes: how often that row stood at an earlier place, shape (places,).
        parts: the part of a mixture that the row belongs to, shape (places,); all 0 without a mixture.
    """

    rows: Indices
    passes: Indices
    parts: Indices

    def __len__(self) -> int:
        return len(self.rows)


def single_order(keys: Bits, seed: int, places: int, *, batch_size: int = 1, lengths: Indices | None = None) -> Order:
    """Return epoch after epoch of all rows, each epoch in an order of its own.

    Args:
        keys: the hashed identity of each row, shape (rows,).
        seed: the stage's own.
        places: how many rows are taken in all.
        batch_size: rows a step.
        lengths: the length of each row in tokens, shape (rows,), to put rows of about one length into a batch; None
            leaves lengths to luck.
    """
    draw = Draw(seed, "fit", 0, keys)
    epochs = -(-places // len(keys))
    found = []
    for epoch in range(epochs):
        start = epoch * len(keys)
        rows = draw.order(f"epoch {epoch}")[: places - start]
        if lengths is not None:
            rows = rows[_grouped(lengths[rows], batch_size, derive_seed("groups", seed, epoch), start)]
        found.append(rows)
    passes = np.repeat(np.arange(epochs), len(keys))[:places]
    return Order(np.concatenate(found), passes, np.zeros(places, np.int64))


def mixed_order(orders: Sequence[Order], part_of_step: Indices, batch_size: int) -> Order:
    """Return an order in which each step takes its batch from one part.

    Args:
        orders: each part's own, as long as its steps need.
        part_of_step: the part of each step, shape (steps,).
        batch_size: rows a step.
    """
    rows = np.empty(len(part_of_step) * batch_size, np.int64)
    passes, parts = np.empty_like(rows), np.repeat(part_of_step, batch_size)
    for part, order in enumerate(orders):
        mine = parts == part
        rows[mine], passes[mine] = order.rows[: mine.sum()], order.passes[: mine.sum()]
    return Order(rows, passes, parts)


def spread(counts: Sequence[int], seed: int) -> Indices:
    """Return which part each step belongs to, in an order drawn by the seed, each part as often as counted.

    Example:
        >>> sorted(spread([3, 1], seed=0).tolist())
        [0, 0, 0, 1]
    """
    parts = np.repeat(np.arange(len(counts)), counts)
    return parts[Draw(seed, "mixture", 0, np.arange(len(parts), dtype=np.uint64)).order("steps")]


def _grouped(lengths: Indices, batch_size: int, seed: int, start: int) -> Indices:
    """Return the places of one epoch in a new order: sorted by length within stretches, their batches drawn anew.

    A stretch is a quarter of the epoch at most, so that few rows do not come from the longest to the shortest.

    Args:
        lengths: of the epoch's rows, in drawn order.
        batch_size: rows a step.
        seed: the epoch's own.
        start: how many rows came before; where they left a batch open, the first rows fill it.
    """
    rest = min(-start % batch_size, len(lengths))
    found = [np.arange(rest)]
    size = batch_size * max(1, min(_GROUPED, len(lengths) // (4 * batch_size)))
    for number, low in enumerate(range(rest, len(lengths), size)):
        places = low + np.argsort(-lengths[low : low + size], kind="stable")
        full = len(places) // batch_size
        draw = Draw(seed, "fit", number, np.arange(full, dtype=np.uint64))
        batches = places[: full * batch_size].reshape(full, batch_size)
        found += [batches[draw.order("batches")].ravel(), places[full * batch_size :]]
    return np.concatenate(found)
