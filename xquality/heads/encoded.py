"""Encoded: rows as token ids, with which example each belongs to and what its prediction is scored against.

One example may become several rows (pieces of a long sentence, windows of a long text), and one row may hold several
sequences (the options of a question). Training draws rows; evaluation scores examples.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from xquality.data.arrow import Indices
from xquality.randomness import Bits, mix

Tokens = Sequence[int] | NDArray[np.int32]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@final
@dataclass(frozen=True)
class Encoded:
    """Rows as token ids.

    Attributes:
        input_ids: the token ids of each sequence, not padded.
        targets: what the head is trained on, one entry a row.
        weights: the rows' weights in the loss, shape (rows,); None where all are 1.
        segments: for models that tell the texts of a pair apart, the segment of each token; empty for others.
        keys: the hashed identity of each row, shape (rows,), which draws are keyed by; None where nothing is drawn.
        owners: the example that each row belongs to, ascending, shape (rows,); None where each row is an example.
        references: what a prediction is scored against, one plain JSON value an example; None for the targets.
        counts: the number of sequences of each row, shape (rows,); None where each has one.
        places: what the head needs to put rows together again, one entry a row; empty where nothing is needed.

    Example:
        >>> two_pieces = Encoded([[0, 5, 2], [0, 7, 2]], [1, 1], owners=np.array([0, 0]), references=["x"])
        >>> len(two_pieces), two_pieces.examples
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
    def gold(self) -> Sequence[Any]:
        """What predictions are scored against, one entry an example."""
        return self.targets if self.references is None else self.references

    @property
    def examples(self) -> int:
        """The number of examples."""
        return len(self.gold)

    def sequences(self, rows: Sequence[int]) -> list[int]:
        """Return the places of some rows' sequences, in order."""
        if self.counts is None:
            return list(rows)
        starts = self._starts
        return [place for row in rows for place in range(int(starts[row]), int(starts[row + 1]))]

    @cached_property
    def _starts(self) -> Indices:
        """Where each row's sequences begin, and where the last row's end, shape (rows + 1,)."""
        return np.concatenate([[0], np.cumsum(_counts(self))])

    def lengths(self) -> Indices:
        """Return the number of tokens of each row, padding left out, shape (rows,)."""
        lengths = np.fromiter((len(one) for one in self.input_ids), np.int64, len(self.input_ids))
        if self.counts is None:
            return lengths
        total = np.concatenate([[0], np.cumsum(lengths)])
        return np.asarray(np.diff(total[self._starts]), np.int64)

    def digest(self) -> str:
        """Return the digest of what is read and what it is scored against, 32 hex digits."""
        whole = hashlib.blake2b(digest_size=16)
        for one in self.input_ids:
            whole.update(np.asarray(one, np.int32).tobytes() + b"\xff\xff\xff\xff")
        owned = [] if self.owners is None else self.owners.tolist()
        counted = [] if self.counts is None else self.counts.tolist()
        whole.update(json.dumps([owned, counted, list(self.gold)], ensure_ascii=False, sort_keys=True).encode())
        return whole.hexdigest()


def joined(parts: Sequence[Encoded]) -> Encoded:
    """Return the rows of all parts, one after the other, to be read in one pass; weights and keys are left out."""
    first = parts[0]
    starts = np.cumsum([0, *(one.examples for one in parts)])
    owners = None
    if any(one.owners is not None for one in parts):
        owners = np.concatenate([_owners(one) + start for one, start in zip(parts, starts, strict=False)])
    return Encoded(
        [one for part in parts for one in part.input_ids],
        [one for part in parts for one in part.targets],
        segments=[one for part in parts for one in part.segments],
        keys=None if first.keys is None else np.concatenate([_keys(one) for one in parts]),
        owners=owners,
        references=None if first.references is None else [one for part in parts for one in part.gold],
        counts=None if first.counts is None else np.concatenate([_counts(one) for one in parts]),
        places=[one for part in parts for one in part.places],
    )


def _owners(part: Encoded) -> Indices:
    return np.arange(len(part)) if part.owners is None else part.owners


def _keys(part: Encoded) -> Bits:
    return np.zeros(len(part), np.uint64) if part.keys is None else part.keys


def _counts(part: Encoded) -> Indices:
    return np.ones(len(part), np.int64) if part.counts is None else part.counts


def row_keys(keys: Bits, owners: Indices) -> Bits:
    """Return a key for each row: its example's own for the first, and others of it for the rows after.

    Args:
        keys: the hashed identity of each example, shape (examples,).
        owners: the example of each row, ascending, shape (rows,).

    Example:
        >>> keys = row_keys(np.array([7, 9], np.uint64), np.array([0, 0, 1]))
        >>> keys[0] == 7, keys[1] == 7, keys[2] == 9
        (np.True_, np.False_, np.True_)
    """
    firsts = np.searchsorted(owners, owners)  # where each row's example begins
    number = (np.arange(len(owners)) - firsts).astype(np.uint64)
    return np.where(number == 0, keys[owners], mix(keys[owners] + number * _GOLDEN))
