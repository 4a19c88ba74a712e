"""Embeddings as the retrieval metrics take them: finite 32-bit rows, normalised as the official code does."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from xquality.errors import MetricError

Vectors = NDArray[np.float32]

_LONGEST = 1e37  # a product of two such vectors, and what is added to it, stay finite in 32 bits


def rows_of(name: str, embeddings: Any) -> Vectors:
    """Return embeddings (an array, a tensor or lists) as 32-bit rows, without copying where they are that already.

    Raises:
        MetricError: where they are no table of finite numbers.

    Example:
        >>> rows_of("queries", [[1, 2], [3, 4]]).shape
        (2, 2)
    """
    if hasattr(embeddings, "detach"):  # a tensor, perhaps on a device
        embeddings = embeddings.detach().cpu().float().numpy()
    try:
        rows = np.ascontiguousarray(embeddings, np.float32)
    except (TypeError, ValueError) as fault:
        raise MetricError(f"The {name} must be a table of numbers, shape (rows, width), not {embeddings!r}.") from fault
    if rows.ndim != 2 or not rows.shape[1]:
        raise MetricError(f"The {name} must have the shape (rows, width), but have {np.shape(embeddings)}.")
    odd = np.flatnonzero(~np.isfinite(squared_lengths(rows)))
    if len(odd):
        raise MetricError(f"The {name} must be finite, but {len(odd)} of {len(rows)} rows are not, first row {odd[0]}.")
    return rows


def check_lengths(*sides: Vectors) -> None:
    """Raise where squared lengths are beyond what 32 bits hold, as the products of a Euclidean search must."""
    longest = max(float(squared_lengths(one).max(initial=0.0)) for one in sides)
    if longest > _LONGEST:
        raise MetricError(
            f"Euclidean neighbours need squared lengths of at most {_LONGEST:.0e}, but {longest:.0e} was found; divide "
            "all vectors by one number."
        )


def same_width(one: Vectors, other: Vectors) -> None:
    """Raise where two sets of vectors cannot be compared."""
    if one.shape[1] != other.shape[1]:
        raise MetricError(f"Vectors of width {one.shape[1]} cannot be compared with vectors of width {other.shape[1]}.")


def normalised(rows: Vectors) -> Vectors:
    """Return the rows with length 1; rows of zeros stay as they are.

    Example:
        >>> normalised(np.array([[3, 4], [0, 0]], np.float32)).tolist()
        [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
    """
    lengths = np.sqrt(squared_lengths(rows))
    return rows / np.where(lengths > 0, lengths, 1).astype(np.float32)[:, None]


def squared_lengths(rows: Vectors) -> NDArray[np.float64]:
    """Return the squared length of each row, in 64 bits, shape (rows,)."""
    result = np.empty(len(rows))
    for start in range(0, len(rows), 4096):  # a copy in 64 bits of some rows at a time
        part = rows[start : start + 4096].astype(np.float64)
        np.einsum("ij,ij->i", part, part, out=result[start : start + 4096])
    return result
