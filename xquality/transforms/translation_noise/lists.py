"""Which rows of a column differ from before."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xquality.data.arrow import Mask, list_lengths


def differing(old: pa.Array, new: pa.Array) -> Mask:
    """Return which rows hold another value than before, shape (rows,), of strings or of lists; nulls are equal.

    Example:
        >>> differing(pa.array([["a"], None, ["b"]]), pa.array([["a"], None, ["c"]])).tolist()
        [False, False, True]
    """
    if not pa.types.is_nested(old.type):
        return _other_values(old, new)
    counts, others = list_lengths(old), list_lengths(new)
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
