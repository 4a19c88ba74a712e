"""Keyed randomness: every draw is a hash of (seed, stream, purpose, uid), for whole columns at once.

No generator object holds a state, so the order of rows, the size of batches and the number of processes
change nothing. The mixer is the finaliser of SplitMix64 (Steele, Lea and Flood 2014, constants of Stafford's
variant 13), applied twice around the key. Strings are folded eight bytes at a time by the same mixer.
"""

import functools
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from xquality.errors import UidError

Bits = NDArray[np.uint64]

_BLOCK = 1 << 15  # rows mixed at a time: the block stays in the cache, which doubles the speed
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_STRING = np.uint64(0x2545F4914F6CDD1D)  # keeps the string "7" apart from the integer 7


def mix(values: Bits) -> Bits:
    """Mix 64-bit values in place, one to one, so that close values come out unrelated; return them."""
    scratch = np.empty_like(values)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        np.right_shift(values, np.uint64(shift), out=scratch)
        np.bitwise_xor(values, scratch, out=values)
        np.multiply(values, np.uint64(factor), out=values)
    np.right_shift(values, np.uint64(31), out=scratch)
    np.bitwise_xor(values, scratch, out=values)
    return values


def key(*parts: object) -> int:
    """Return a 64-bit key for a tuple of strings and integers, the same in every process and version."""
    written = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.blake2b(written.encode(), digest_size=8).digest(), "little")


def derive_seed(*parts: object) -> int:
    """Return a seed in [0, 2**31) derived from `parts`, for libraries that take a 32-bit seed."""
    return key(*parts) >> 33


def hash_uids(uids: pa.ChunkedArray | pa.Array) -> Bits:
    """Return one 64-bit hash for each row identity (integers or strings, no nulls).

    Raises:
        UidError: where a uid is null or neither an integer nor a string.
    """
    array = uids.combine_chunks() if isinstance(uids, pa.ChunkedArray) else uids
    if array.null_count:
        raise UidError(
            f"Every row needs a uid, but {array.null_count} of {len(array)} are null; give these rows one, or remove "
            "the column 'uid': then rows are numbered."
        )
    if pa.types.is_integer(array.type):
        return np.asarray(array.cast(pa.int64(), safe=False).to_numpy()).astype(np.uint64)
    if pa.types.is_string(array.type) or pa.types.is_large_string(array.type) or pa.types.is_string_view(array.type):
        return _hash_strings(array.cast(pa.large_string()))
    raise UidError(
        f"A uid must be an integer or a string, but the column 'uid' holds {array.type}; convert it, or remove it: "
        "then rows are numbered."
    )


def _hash_strings(array: pa.Array) -> Bits:
    """Hash each UTF-8 string: its length, then its bytes in little-endian words of eight."""
    lengths = pc.binary_length(array).to_numpy(zero_copy_only=False).astype(np.int64)
    hashes = mix(lengths.astype(np.uint64) + _STRING)
    if not lengths.any():
        return hashes
    offsets = np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array)]
    padded = np.concatenate([np.frombuffer(array.buffers()[2], np.uint8), np.zeros(8, np.uint8)])
    words = np.lib.stride_tricks.sliding_window_view(padded, 8)
    for start in range(0, int(lengths.max()), 8):
        rows = np.flatnonzero(lengths > start)
        taken = np.ascontiguousarray(words[offsets[rows] + start])
        spare = np.maximum(0, start + 8 - lengths[rows])  # bytes of the last word that lie beyond the string
        word = taken.view("<u8").ravel() & (np.uint64(0xFFFFFFFFFFFFFFFF) >> (8 * spare).astype(np.uint64))
        hashes[rows] = mix((hashes[rows] ^ word) * _GOLDEN)
    return hashes


@final
@dataclass(frozen=True)
class Draw:
    """The draws of one call: one value a row, fixed by the seed, the scope, the stream, the purpose and the uid.

    Attributes:
        seed: the caller's seed.
        scope: what draws, usually the transform's class name; two scopes are independent.
        stream: separates the draws of several calls of one class with one seed.
        uids: hashed row identities, shape (rows,), from `hash_uids`.

    Example:
        >>> import numpy as np
        >>> draw = Draw(seed=1, scope="demo", stream=0, uids=np.arange(3, dtype=np.uint64))
        >>> bool((draw.uniform("keep") == draw.uniform("keep")).all())
        True
    """

    seed: int
    scope: str
    stream: int
    uids: Bits = field(repr=False, compare=False)

    def of(self, uids: Bits) -> "Draw":
        """Return the draws of the same call for other identities, such as some of its rows or what is in them."""
        return Draw(self.seed, self.scope, self.stream, uids)

    def bits(self, purpose: str) -> Bits:
        """Return 64 random bits a row, shape (rows,)."""
        secret = np.uint64(key(self.seed, self.scope, self.stream, purpose))

        def draw(uids: Bits) -> Bits:
            values = mix(uids + _GOLDEN)
            np.bitwise_xor(values, secret, out=values)
            mix(values)
            np.add(values, secret, out=values)
            return mix(values)

        return _blockwise(draw, self.uids)

    def uniform(self, purpose: str) -> NDArray[np.float64]:
        """Return uniform numbers in [0, 1) with 53 random bits each, shape (rows,)."""
        return (self.bits(purpose) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def integers(self, purpose: str, high: int) -> NDArray[np.int64]:
        """Return uniform integers in [0, high), shape (rows,); `high` is below 2**32, so the bias is below 2**-32."""
        return (((self.bits(purpose) >> np.uint64(32)) * np.uint64(high)) >> np.uint64(32)).astype(np.int64)

    def order(self, purpose: str) -> NDArray[np.int64]:
        """Return a random permutation of the rows; a row's place depends on its uid alone, ties go by uid hash."""
        return np.lexsort((self.uids, self.bits(purpose))).astype(np.int64)

    def smallest(self, purpose: str, count: int) -> NDArray[np.int64]:
        """Return the rows of the `count` smallest draws, in row order: nested in `count`, whatever the row order."""
        return smallest(self.bits(purpose), self.uids, count)


@final
@dataclass(frozen=True)
class RowDraw:
    """The draws of one row: what `Draw` returns for its column, at the row's number.

    Attributes:
        number: the row's number.
        columns: the draws of all rows, each column of which is drawn once.
    """

    number: int
    columns: "_DrawnColumns" = field(repr=False, compare=False)

    def uniform(self, purpose: str) -> float:
        """Return a uniform number in [0, 1)."""
        return float(self.columns.uniform(purpose)[self.number])

    def integers(self, purpose: str, high: int) -> int:
        """Return a uniform integer in [0, high)."""
        return int(self.columns.integers(purpose, high)[self.number])

    def generator(self, purpose: str) -> np.random.Generator:
        """Return a numpy generator, for rows that need many numbers; what it draws is up to numpy's version."""
        return np.random.Generator(np.random.Philox(key=int(self.columns.bits(purpose)[self.number])))


def row_draws(draw: Draw) -> Iterator[RowDraw]:
    """Yield the draws of each row in turn.

    Example:
        >>> import numpy as np
        >>> draw = Draw(seed=1, scope="demo", stream=0, uids=np.arange(3, dtype=np.uint64))
        >>> [row.uniform("keep") for row in row_draws(draw)] == draw.uniform("keep").tolist()
        True
    """
    columns = _DrawnColumns(draw)
    return (RowDraw(number, columns) for number in range(len(draw.uids)))


class _DrawnColumns:
    """The columns of one call's draws, each computed when it is first asked for."""

    def __init__(self, draw: Draw) -> None:
        self.bits = functools.cache(draw.bits)
        self.uniform = functools.cache(draw.uniform)
        self.integers = functools.cache(draw.integers)


def smallest(values: NDArray[Any], uids: Bits, count: int) -> NDArray[np.int64]:
    """Return the rows of the `count` smallest values, ties going by uid, in row order.

    Args:
        values: one value a row, shape (rows,), without NaN.
        uids: hashed row identities, shape (rows,).
        count: how many rows; no more than there are.
    """
    if count >= len(values):
        return np.arange(len(values))
    if count <= 0:
        return np.empty(0, np.int64)
    bound = np.partition(values, count - 1)[count - 1]
    chosen = values < bound
    tied = np.flatnonzero(values == bound)
    chosen[tied[np.argsort(uids[tied], kind="stable")][: count - int(chosen.sum())]] = True
    return np.flatnonzero(chosen)


def _blockwise(draw: Callable[[Bits], Bits], uids: Bits) -> Bits:
    """Apply `draw` to blocks of rows that fit into the processor's cache."""
    result = np.empty(len(uids), np.uint64)
    for start in range(0, len(uids), _BLOCK):
        result[start : start + _BLOCK] = draw(uids[start : start + _BLOCK])
    return result
