"""From encoded rows to padded tensors, in one place for every head."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from xquality.heads.encoded import Encoded

if TYPE_CHECKING:
    import torch

Batch = dict[str, "torch.Tensor"]

INPUTS = ("input_ids", "attention_mask", "token_type_ids")  # what a network reads; the rest of a batch is the head's


def rectangle(rows: Sequence[Any], fill: int) -> NDArray[np.int64]:
    """Return rows of numbers as one array, shape (rows, longest), filled up on the right.

    Example:
        >>> rectangle([[1, 2, 3], [4]], fill=-100).tolist()
        [[1, 2, 3], [4, -100, -100]]
    """
    lengths = np.fromiter((len(one) for one in rows), np.int64, len(rows))
    inside = np.arange(lengths.max(initial=0)) < lengths[:, None]
    filled = np.full(inside.shape, fill, np.int64)
    if inside.any():
        filled[inside] = np.concatenate([np.asarray(one, np.int64) for one in rows])
    return filled


def padded(encoded: Encoded, rows: Sequence[int], padding: int) -> Batch:
    """Return what a network reads of some rows, and `weights` of shape (rows,) where there are any.

    Returns:
        `input_ids` and `attention_mask` of shape (sequences, longest), and `token_type_ids` where there are segments.
    """
    import torch

    places = encoded.sequences(rows)
    ids = rectangle([encoded.input_ids[one] for one in places], padding)
    lengths = np.fromiter((len(encoded.input_ids[one]) for one in places), np.int64, len(places))
    made = {
        "input_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy((np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int64)),
    }
    if encoded.segments:
        made["token_type_ids"] = torch.from_numpy(rectangle([encoded.segments[one] for one in places], 0))
    if encoded.weights is not None:
        made["weights"] = torch.tensor(encoded.weights[list(rows)], dtype=torch.float32)
    return made


def inputs(batch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a batch that a network reads."""
    return {name: batch[name] for name in INPUTS if name in batch}


def mean_loss(each: "torch.Tensor", batch: Mapping[str, Any]) -> "torch.Tensor":
    """Return the mean over rows of their losses, shape (rows,), each times its row's weight where there are weights.

    The mean is not over the batch's own weights: a row's pull must not depend on what it is drawn with.
    """
    return (each * batch["weights"]).mean() if "weights" in batch else each.mean()


def mean_token_loss(each: "torch.Tensor", counted: "torch.Tensor", batch: Mapping[str, Any]) -> "torch.Tensor":
    """Return the mean over tokens of their losses, each times its row's weight where there are weights.

    Where the batch is a part of a step's, its share of the step's tokens counts: `batch["share"]` times it, which is 1
    for a part that has as many of them as the others.

    Args:
        each: the loss of each token, 0 where it does not count, shape (rows, longest).
        counted: which tokens count, shape (rows, longest).
        batch: the batch.
    """
    weighted = each * batch["weights"][:, None] if "weights" in batch else each
    mean = weighted.sum() / counted.sum().clamp(min=1)
    return mean * batch["share"] if "share" in batch else mean
