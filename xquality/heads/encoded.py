"""Encoded: rows as token ids, and batches of them as padded tensors.

One example may become several rows (parts of a long sentence, windows of a long text), and one row may hold several
sequences (the options of a question). Training draws rows; evaluation scores examples.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from xquality.data.arrow import Indices
from xquality.randomness import Bits, mix

if TYPE_CHECKING:
    import torch

Tokens = Sequence[int] | NDArray[np.int32]
TensorBatch = dict[str, "torch.Tensor"]

IGNORED = -100
"""The label of a token that no loss and no metric counts."""

INPUTS = ("input_ids", "attention_mask", "token_type_ids")
"""The tensors of a batch that a network reads; the others are for the head."""

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@final
@dataclass(frozen=True)
class Encoded:
    """Rows as token ids.

    Attributes:
        input_ids: the token ids of each sequence, not padded.
        targets: what the head is trained on, one entry a row.
        weights: the rows' weights in the loss, shape (rows,); None if all are 1.
        segments: the segment of each token, for models that mark the two texts of a pair; empty for other models.
        keys: the hashed identity of each row, shape (rows,), by which draws are keyed; None if nothing is drawn.
        owners: the example that each row belongs to, ascending, shape (rows,); None if each row is an example.
        references: what predictions are scored against, one plain JSON value an example; None for the targets.
        counts: the number of sequences of each row, shape (rows,); None if each has one.
        places: what the head needs to join the rows of an example, one entry a row; empty if nothing is needed.

    Example:
        >>> two_parts = Encoded([[0, 5, 2], [0, 7, 2]], [1, 1], owners=np.array([0, 0]), references=["x"])
        >>> len(two_parts), two_parts.examples
        (2, 1)
    """

    input_ids: Sequence[Tokens]
    targets: Sequence[Any]
    weights: NDArray[np.float64] | None = None
    segments: Sequence[Tokens] = ()
    keys: Bits | None = None
    owners: Indices | None = None
    references: Sequence[Any] | None = None
    counts: Indices | None = None
    places: Sequence[Any] = ()

    def __len__(self) -> int:
        return len(self.targets)

    @property
    def references_or_targets(self) -> Sequence[Any]:
        """What predictions are scored against, one entry an example."""
        return self.targets if self.references is None else self.references

    @property
    def examples(self) -> int:
        """The number of examples."""
        return len(self.references_or_targets)

    def sequences(self, rows: Sequence[int]) -> list[int]:
        """Return the numbers of some rows' sequences, in order."""
        if self.counts is None:
            return list(rows)
        starts = self._starts
        return [sequence for row in rows for sequence in range(int(starts[row]), int(starts[row + 1]))]

    @cached_property
    def _starts(self) -> Indices:
        """The first sequence of each row, and the number of all sequences, shape (rows + 1,)."""
        return np.concatenate([[0], np.cumsum(_counts(self))])

    def lengths(self) -> Indices:
        """Return the number of tokens of each row without padding, shape (rows,)."""
        lengths = np.fromiter(map(len, self.input_ids), np.int64, len(self.input_ids))
        if self.counts is None:
            return lengths
        total = np.concatenate([[0], np.cumsum(lengths)])
        return np.asarray(np.diff(total[self._starts]), np.int64)

    def digest(self) -> str:
        """Return the digest of the token ids and of what predictions are scored against, 32 hex digits."""
        whole = hashlib.blake2b(digest_size=16)
        for ids in self.input_ids:
            whole.update(np.asarray(ids, np.int32).tobytes() + b"\xff\xff\xff\xff")
        owners = [] if self.owners is None else self.owners.tolist()
        counts = [] if self.counts is None else self.counts.tolist()
        scored = json.dumps([owners, counts, list(self.references_or_targets)], ensure_ascii=False, sort_keys=True)
        whole.update(scored.encode())
        return whole.hexdigest()


def join_encoded(parts: Sequence[Encoded]) -> Encoded:
    """Return the rows of all parts, one part after the other, to be read in one pass; weights are left out."""
    first = parts[0]
    starts = np.cumsum([0, *(part.examples for part in parts)])
    owners = references = None
    if first.references is not None:
        references = [reference for part in parts for reference in part.references_or_targets]
    if any(part.owners is not None for part in parts):
        owners = np.concatenate([_owners(part) + start for part, start in zip(parts, starts, strict=False)])
    return Encoded(
        [ids for part in parts for ids in part.input_ids],
        [target for part in parts for target in part.targets],
        segments=[segments for part in parts for segments in part.segments],
        keys=None if first.keys is None else np.concatenate([_keys(part) for part in parts]),
        owners=owners,
        references=references,
        counts=None if first.counts is None else np.concatenate([_counts(part) for part in parts]),
        places=[place for part in parts for place in part.places],
    )


def _owners(part: Encoded) -> Indices:
    return np.arange(len(part)) if part.owners is None else part.owners


def _keys(part: Encoded) -> Bits:
    return np.zeros(len(part), np.uint64) if part.keys is None else part.keys


def _counts(part: Encoded) -> Indices:
    return np.ones(len(part), np.int64) if part.counts is None else part.counts


def row_keys(keys: Bits, owners: Indices) -> Bits:
    """Return a key for each row: its example's own key for the first row, and others derived from it for later rows.

    Args:
        keys: the hashed identity of each example, shape (examples,).
        owners: the example of each row, ascending, shape (rows,).

    Example:
        >>> keys = row_keys(np.array([7, 9], np.uint64), np.array([0, 0, 1]))
        >>> keys[0] == 7, keys[1] == 7, keys[2] == 9
        (np.True_, np.False_, np.True_)
    """
    firsts = np.searchsorted(owners, owners)  # the first row of each row's example
    number = (np.arange(len(owners)) - firsts).astype(np.uint64)
    return np.where(number == 0, keys[owners], mix(keys[owners] + number * _GOLDEN))


def fill_rectangle(rows: Sequence[Any], fill: int) -> NDArray[np.int64]:
    """Return rows of numbers as one array, shape (rows, longest), filled up on the right.

    Example:
        >>> fill_rectangle([[1, 2, 3], [4]], fill=-100).tolist()
        [[1, 2, 3], [4, -100, -100]]
    """
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    inside = np.arange(lengths.max(initial=0)) < lengths[:, None]
    filled = np.full(inside.shape, fill, np.int64)
    if inside.any():
        filled[inside] = np.concatenate([np.asarray(row, np.int64) for row in rows])
    return filled


def pad(encoded: Encoded, rows: Sequence[int], padding: int) -> TensorBatch:
    """Return what a network reads of some rows, and their `weights` of shape (rows,) if there are any.

    Returns:
        `input_ids` and `attention_mask` of shape (sequences, longest), and `token_type_ids` if there are segments.
    """
    import torch

    sequences = encoded.sequences(rows)
    ids = fill_rectangle([encoded.input_ids[sequence] for sequence in sequences], padding)
    lengths = np.fromiter((len(encoded.input_ids[sequence]) for sequence in sequences), np.int64, len(sequences))
    batch = {
        "input_ids": torch.from_numpy(ids),
        "attention_mask": torch.from_numpy((np.arange(ids.shape[1]) < lengths[:, None]).astype(np.int64)),
    }
    if encoded.segments:
        segments = fill_rectangle([encoded.segments[sequence] for sequence in sequences], 0)
        batch["token_type_ids"] = torch.from_numpy(segments)
    if encoded.weights is not None:
        batch["weights"] = torch.tensor(encoded.weights[list(rows)], dtype=torch.float32)
    return batch


def network_inputs(batch: Mapping[str, Any]) -> dict[str, Any]:
    """Return the tensors of a batch that a network reads."""
    return {name: batch[name] for name in INPUTS if name in batch}


def mean_loss(losses: "torch.Tensor", batch: Mapping[str, Any]) -> "torch.Tensor":
    """Return the mean of the rows' losses, shape (rows,), each times its row's weight if there are weights.

    The sum is divided by the number of rows, not by the sum of the weights: the effect of a row must not depend on the
    rows it is drawn with.
    """
    return (losses * batch["weights"]).mean() if "weights" in batch else losses.mean()


def mean_token_loss(losses: "torch.Tensor", counted: "torch.Tensor", batch: Mapping[str, Any]) -> "torch.Tensor":
    """Return the mean of the tokens' losses, each times its row's weight if there are weights.

    If the batch is a part of a step, `batch["share"]` is multiplied: how many tokens it has relative to the mean of
    the step's parts.

    Args:
        losses: the loss of each token, 0 for a token that does not count, shape (rows, longest).
        counted: which tokens count, shape (rows, longest).
        batch: the batch.
    """
    weighted = losses * batch["weights"][:, None] if "weights" in batch else losses
    mean = weighted.sum() / counted.sum().clamp(min=1)
    return mean * batch["share"] if "share" in batch else mean
