"""Lists: columns of lists taken apart into their values and put together again."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from xquality.transforms.translation_noise.segmentation import Indices, lengths

Mask = NDArray[np.bool_]


def lists_like(old: pa.Array, values: pa.Array, counts: Indices) -> pa.Array:
    """Return values as lists of the type of others, null where those are.

    Args:
        old: the other lists, shape (rows,).
        values: what the new ones hold, one after the other.
        counts: how many values each has, 0 for a null, shape (rows,).
    """
    kind = pa.LargeListArray if pa.types.is_large_list(old.type) else pa.ListArray
    offsets = pa.array(
        np.concatenate([[0], np.cumsum(counts)]), pa.int64() if kind is pa.LargeListArray else pa.int32()
    )
    return kind.from_arrays(offsets, values, type=old.type, mask=old.is_null() if old.null_count else None)


def differing(old: pa.Array, new: pa.Array) -> Mask:
    """Return which rows hold another value than before, shape (rows,), of strings or of lists; nulls are equal.

    Example:
        >>> differing(pa.array([["a"], None, ["b"]]), pa.array([["a"], None, ["c"]])).tolist()
        [False, False, True]
    """
    if not pa.types.is_nested(old.type):
        return _other_values(old, new)
    counts, others = lengths(old), lengths(new)
    found = np.not_equal(counts, others)
    rows = np.repeat(np.arange(len(old)), np.where(found, 0, counts))
    one = old.flatten().filter(pa.array(np.repeat(~found, counts)))
    other = new.flatten().filter(pa.array(np.repeat(~found, others)))
    found[rows[_other_values(one, other)]] = True
    return found


def _other_values(old: pa.Array, new: pa.Array) -> Mask:
    """Return where two arrays hold different values; a null differs from everything but a null."""
    differs = pc.not_equal(old, new)
    if old.null_count or new.null_count:
        differs = pc.or_(pc.fill_null(differs, False), pc.xor(old.is_null(), new.is_null()))
    return np.asarray(differs.to_numpy(zero_copy_only=False), np.bool_)
