"""Pieces: byte ranges of a source, put together to new strings."""

import numpy as np
import pyarrow as pa

from xquality.data.arrow import Indices
from xquality.transforms.translation_noise.segmentation import Bytes


def gather(data: Bytes, start: Indices, end: Indices) -> Bytes:
    """Return the bytes of some ranges, one after the other."""
    length = end - start
    filled = length > 0
    start, length = start[filled], length[filled]
    if not len(start):
        return np.empty(0, np.uint8)
    shift = np.ones(int(length.sum()), np.int64)  # the step from each byte taken to the next
    heads = np.cumsum(length) - length
    shift[0] = start[0]
    shift[heads[1:]] = start[1:] - (start[:-1] + length[:-1]) + 1
    return data.take(np.cumsum(shift, out=shift))


def cells(data: Bytes, start: Indices, end: Indices) -> pa.Array:
    """Return some ranges as strings, one a range."""
    offsets = np.concatenate([[0], np.cumsum(end - start)])
    return strings(gather(data, start, end), offsets)


def strings(data: Bytes, offsets: Indices) -> pa.Array:
    """Return bytes as a string array with the given offsets."""
    return pa.LargeStringArray.from_buffers(
        len(offsets) - 1, pa.py_buffer(np.ascontiguousarray(offsets, np.int64)), pa.py_buffer(data)
    )
