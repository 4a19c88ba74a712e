"""Shingles: the runs of words or characters of a text, their hashes, and how much two texts share of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from xquality.randomness import Bits, hash_uids, mix
from xquality.text.words import words

UNITS = ("words", "characters")

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_BEYOND = np.uint64(0x110000)  # stands after the end of a text: no character has this number


def shingles(texts: Sequence[str], unit: str, size: int) -> tuple[Bits, NDArray[np.int64]]:
    """Return a hash for every run of `size` units of every text.

    A text of fewer units is one shingle, all of it, and so is an empty one. In scripts without spaces between words
    a written character counts as a word.

    Args:
        texts: the texts.
        unit: one of `UNITS`.
        size: how many units a shingle holds.

    Returns:
        The hashes, shape (shingles,), text after text; and where each text's begin, shape (texts + 1,).

    Example:
        >>> hashes, bounds = shingles(["a b c d", "b c d"], "words", 2)
        >>> bounds.tolist(), bool((hashes[1:3] == hashes[3:5]).all())
        ([0, 3, 5], True)
    """
    if unit == "words":
        lists = [words(one) for one in texts]
        lengths = np.array([len(one) for one in lists], np.int64)
        flat = pa.array([word for one in lists for word in one], pa.large_string()).dictionary_encode()
        codes = hash_uids(flat.dictionary)[flat.indices.to_numpy()] if len(flat) else np.empty(0, np.uint64)
    else:
        lengths = np.array([len(one) for one in texts], np.int64)
        codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    return _runs(codes, lengths, size)


def _runs(codes: Bits, lengths: NDArray[np.int64], size: int) -> tuple[Bits, NDArray[np.int64]]:
    """Return a hash for every run of `size` codes that does not cross from one text into the next."""
    counts = np.maximum(lengths - size + 1, 1)
    bounds = np.concatenate([[0], np.cumsum(counts)])
    begins = np.cumsum(lengths) - lengths
    places = np.arange(bounds[-1]) + np.repeat(begins - bounds[:-1], counts)
    ends = np.repeat(begins + lengths, counts)
    padded = np.concatenate([codes, [_BEYOND]])
    hashes = np.zeros(bounds[-1], np.uint64)
    for step in range(size):
        present = padded[np.where(places + step < ends, places + step, len(codes))]
        hashes = mix((hashes ^ present) * _GOLDEN)
    return hashes, bounds


def jaccard(
    texts: Sequence[str], left: NDArray[np.int64], right: NDArray[np.int64], unit: str, size: int
) -> NDArray[np.float64]:
    """Return the Jaccard similarity of the shingles of pairs of texts, in [0, 1], shape (pairs,).

    It is the number of different shingles that both have, over the number that either has (Broder 1997).

    Args:
        texts: the texts.
        left: for each pair the place of its one text, shape (pairs,).
        right: and of its other, shape (pairs,).
        unit: one of `UNITS`.
        size: how many units a shingle holds.

    Example:
        >>> jaccard(["a b c d", "b c d e"], np.array([0]), np.array([1]), "words", 1).tolist()
        [0.6]
    """
    from scipy.sparse import csr_array

    named, places = np.unique(np.concatenate([left, right]), return_inverse=True)
    hashes, bounds = shingles([texts[one] for one in named.tolist()], unit, size)
    columns = (hashes >> np.uint64(2)).astype(np.int64)  # the sets are rows of ones, a column for every hash
    ones: Any = np.ones(len(columns), np.int8)
    sets: Any = csr_array((ones, columns, bounds), shape=(len(named), 1 << 62))
    sets.sum_duplicates()
    sets.data[:] = 1
    sizes, first, second = np.diff(sets.indptr), places[: len(left)], places[len(left) :]
    both = np.diff(sets[first].multiply(sets[second]).indptr)
    found: NDArray[np.float64] = both / (sizes[first] + sizes[second] - both)
    return found
