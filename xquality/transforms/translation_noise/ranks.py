"""Ranks: where strings stand in a list of words, looked up for whole columns at once."""

from dataclasses import dataclass, field
from typing import Self, final

import numpy as np
import pyarrow as pa

from xquality.data.arrow import Indices
from xquality.randomness import Bits, hash_uids


@final
@dataclass(frozen=True)
class Ranks:
    """A list of words, prepared once: Arrow's own `index_in` prepares it again at every call.

    Two words of the same 64-bit hash are taken for one.

    Attributes:
        hashes: the words' hashes in their order, and the highest number at the end, shape (words + 1,).
        rank: where each of these words stands in the list, and the length of the list at the end, shape (words + 1,).
        first: for each value of the leading bits, the first hash that is not below it, shape (buckets,).
        shift: by how much a hash is shifted to leave its leading bits.
        steps: how many hashes share their leading bits at most.
    """

    hashes: Bits = field(repr=False)
    rank: Indices = field(repr=False)
    first: Indices = field(repr=False)
    shift: np.uint64
    steps: int

    @classmethod
    def of(cls, words: pa.Array) -> Self:
        """Prepare words, each there once.

        Example:
            >>> Ranks.of(pa.array(["y", "de", "la"])).find(pa.array(["la", "el", "y"])).tolist()
            [2, 3, 0]
        """
        found = hash_uids(words)
        order = np.argsort(found)
        width = max(1, len(words)).bit_length() + 2  # a few buckets a word, so that few words share one
        shift = np.uint64(64 - width)
        buckets = (found >> shift).astype(np.int64)
        sizes = np.bincount(buckets, minlength=1 << width)
        return cls(
            hashes=np.append(found[order], np.uint64(2**64 - 1)),
            rank=np.append(order, len(words)),
            first=np.cumsum(sizes) - sizes,
            shift=shift,
            steps=int(sizes.max()),
        )

    def find(self, words: pa.Array) -> Indices:
        """Return the rank of each string, shape (words,); the length of the list for one that is not in it."""
        wanted = hash_uids(words)
        place = self.first[(wanted >> self.shift).astype(np.int64)]
        for _ in range(self.steps):
            place += self.hashes[place] < wanted
        return np.where(self.hashes[place] == wanted, self.rank[place], self.rank[-1])
