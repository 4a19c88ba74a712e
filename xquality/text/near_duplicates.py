"""Near-duplicates: which texts share enough shingles, found by MinHash and banding without comparing all pairs.

A shingle is a run of words or characters of a text. The permutations are those of datasketch's `MinHash`, and the
signatures equal its own; they are computed for blocks of texts at once, which is more than ten times as fast as an
object for each text.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from xquality.data.arrow import Floats, Indices, index_ranges
from xquality.randomness import Bits, hash_uids, key, mix
from xquality.text.words import split_words

Signatures = NDArray[np.uint32]

UNITS = ("words", "characters")

_RECALL = 0.99  # of the pairs whose similarity is exactly the threshold, the least share to compare
_BLOCK = 1 << 15  # characters whose shingles are permuted at a time: they fit in the processor's cache
_MARGIN = 4.0  # standard errors below the threshold at which a pair's estimate by its signatures rules it out
_PAIRS = 1 << 13  # pairs whose shingles are in memory at a time
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_BEYOND = np.uint64(0x110000)  # the code after the end of a text: no character has this number


def group_near_duplicates(
    columns: Sequence[Sequence[str]],
    units: Sequence[str],
    size: int,
    *,
    threshold: float,
    permutations: int,
    seed: int,
) -> Indices:
    """Return each row's group as a number, shape (rows,): rows connected by near-equal pairs, directly or by others.

    A pair is near-equal if in every column the Jaccard similarity of the shingles is `threshold` or more. A pair is
    compared if its signatures agree in a whole band: at least 99 in 100 of the pairs exactly at the threshold are, and
    nearly all of the more similar ones (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3).

    Args:
        columns: for each column its texts, one for each row.
        units: for each column what its shingles are made of, "words" or "characters".
        size: how many of them a shingle has.
        threshold: in (0, 1].
        permutations: how many numbers a signature has.
        seed: of the permutations, below 2**32.
    """
    signatures = minhash_signatures(columns, units, size, permutations, seed)
    width = band_width(threshold, permutations)
    doubtful = threshold - _MARGIN * (threshold * (1 - threshold) / permutations) ** 0.5
    group = np.arange(len(signatures))
    for start in range(0, permutations - width + 1, width):
        for left, right in _candidates(signatures[:, start : start + width], group):
            near = np.mean(signatures[left] == signatures[right], axis=1) >= doubtful
            for texts, unit in zip(columns, units, strict=True):
                pairs = np.flatnonzero(near)
                near[pairs] = jaccard_similarity(texts, left[pairs], right[pairs], unit, size) >= threshold
            _merge_groups(group, left[near], right[near])
    return group


def minhash_signatures(
    columns: Sequence[Sequence[str]], units: Sequence[str], size: int, permutations: int, seed: int
) -> Signatures:
    """Return the MinHash signatures of the rows, shape (rows, permutations); columns never share a shingle."""
    from datasketch import MinHash

    factors, terms = MinHash(num_perm=permutations, seed=seed, scheme="affine32").permutations
    signatures = np.full((len(columns[0]), permutations), np.iinfo(np.uint32).max, np.uint32)
    for number, (texts, unit) in enumerate(zip(columns, units, strict=True)):
        column_key = np.uint64(key("column", number))
        for block in _blocks(texts):
            hashes, bounds = hash_shingles(texts[block], unit, size)
            values = premix((mix(hashes ^ column_key) >> np.uint64(32)).astype(np.uint32))
            for permutation, (factor, term) in enumerate(zip(factors, terms, strict=True)):
                least = np.minimum.reduceat(values * factor + term, bounds[:-1])
                np.minimum(signatures[block, permutation], least, out=signatures[block, permutation])
    return signatures


def premix(values: Signatures) -> Signatures:
    """Return 32-bit hashes after the finaliser of MurmurHash3, which datasketch applies before its permutations."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        values = (values ^ (values >> np.uint32(shift))) * np.uint32(factor)
    return values ^ (values >> np.uint32(16))


def band_width(threshold: float, permutations: int) -> int:
    """Return how many adjacent numbers of two signatures must agree for the pair to be compared.

    It is the largest width at which a pair of similarity `threshold` agrees in some band with probability 0.99.

    Example:
        >>> band_width(0.8, 128), band_width(0.5, 128)
        (6, 3)
    """
    widths = range(2, permutations + 1)
    enough = (width for width in widths if 1 - (1 - threshold**width) ** (permutations // width) >= _RECALL)
    return max(enough, default=1)


def hash_shingles(texts: Sequence[str], unit: str, size: int) -> tuple[Bits, Indices]:
    """Return a hash of every run of `size` units of every text.

    A text with fewer units is a single shingle, and so is an empty one. In scripts without spaces between words a
    written character counts as a word.

    Args:
        texts: the texts.
        unit: one of `UNITS`.
        size: how many units a shingle has.

    Returns:
        The hashes, shape (shingles,), text after text; and the first shingle of each text, shape (texts + 1,).

    Example:
        >>> hashes, bounds = hash_shingles(["a b c d", "b c d"], "words", 2)
        >>> bounds.tolist(), bool((hashes[1:3] == hashes[3:5]).all())
        ([0, 3, 5], True)
    """
    if unit == "words":
        lists = [split_words(text) for text in texts]
        lengths = np.array([len(words) for words in lists], np.int64)
        encoded = pa.array([word for words in lists for word in words], pa.large_string()).dictionary_encode()
        codes = hash_uids(encoded.dictionary)[encoded.indices.to_numpy()] if len(encoded) else np.empty(0, np.uint64)
    else:
        lengths = np.array([len(text) for text in texts], np.int64)
        codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint64)
    return _hash_runs(codes, lengths, size)


def jaccard_similarity(texts: Sequence[str], left: Indices, right: Indices, unit: str, size: int) -> Floats:
    """Return the Jaccard similarity of the shingles of pairs of texts, in [0, 1], shape (pairs,).

    It is the number of different shingles that both texts have over the number that either has (Broder 1997).

    Args:
        texts: the texts.
        left: the number of the first text of each pair, shape (pairs,).
        right: the number of its second text, shape (pairs,).
        unit: one of `UNITS`.
        size: how many units a shingle has.

    Example:
        >>> jaccard_similarity(["a b c d", "b c d e"], np.array([0]), np.array([1]), "words", 1).tolist()
        [0.6]
    """
    from scipy.sparse import csr_array

    compared, members = np.unique(np.concatenate([left, right]), return_inverse=True)
    hashes, bounds = hash_shingles([texts[number] for number in compared.tolist()], unit, size)
    columns = (hashes >> np.uint64(2)).astype(np.int64)  # a set is a row of ones, with a column for every hash
    ones: Any = np.ones(len(columns), np.int8)
    sets: Any = csr_array((ones, columns, bounds), shape=(len(compared), 1 << 62))
    sets.sum_duplicates()
    sets.data[:] = 1
    sizes, first, second = np.diff(sets.indptr), members[: len(left)], members[len(left) :]
    both = np.diff(sets[first].multiply(sets[second]).indptr)
    similarity: Floats = both / (sizes[first] + sizes[second] - both)
    return similarity


def _hash_runs(codes: Bits, lengths: Indices, size: int) -> tuple[Bits, Indices]:
    """Return a hash of every run of `size` codes that does not cross from one text into the next."""
    counts = np.maximum(lengths - size + 1, 1)
    bounds = np.concatenate([[0], np.cumsum(counts)])
    begins = np.cumsum(lengths) - lengths
    starts = np.arange(bounds[-1]) + np.repeat(begins - bounds[:-1], counts)
    ends = np.repeat(begins + lengths, counts)
    padded = np.concatenate([codes, [_BEYOND]])
    hashes = np.zeros(bounds[-1], np.uint64)
    for step in range(size):
        code = padded[np.where(starts + step < ends, starts + step, len(codes))]
        hashes = mix((hashes ^ code) * _GOLDEN)
    return hashes, bounds


def _blocks(texts: Sequence[str]) -> Iterator[slice]:
    """Yield slices of the texts with about `_BLOCK` characters each."""
    ends = np.cumsum([len(text) + 1 for text in texts])
    start = 0
    while start < len(texts):
        before = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, before + _BLOCK)))
        yield slice(start, stop)
        start = stop


def _candidates(band: Signatures, group: Indices) -> Iterator[tuple[Indices, Indices]]:
    """Yield the pairs of rows that agree in a band and are in different groups; `group` may change between pairs."""
    keys = np.zeros(len(band), np.uint64)
    for values in band.T:
        keys = mix((keys ^ values) * _GOLDEN)
    order = np.argsort(keys, kind="stable")
    begins = np.flatnonzero(np.concatenate([[True], keys[order][1:] != keys[order][:-1]])) if len(order) else order
    sizes = np.diff(np.append(begins, len(order)))
    distance = 1
    while True:  # adjacent rows of a bucket first, then those two apart: equal rows become one group at once
        several = sizes > distance
        begins, sizes = begins[several], sizes[several]
        if not len(begins):
            return
        members = order[index_ranges(begins, sizes)]
        starts = np.cumsum(sizes) - sizes
        split = np.minimum.reduceat(group[members], starts) != np.maximum.reduceat(group[members], starts)
        begins, sizes = begins[split], sizes[split]
        firsts = index_ranges(begins, sizes - distance)
        for start in range(0, len(firsts), _PAIRS):
            left, right = order[firsts[start : start + _PAIRS]], order[firsts[start : start + _PAIRS] + distance]
            apart = group[left] != group[right]
            if apart.any():
                yield left[apart], right[apart]
        distance += 1


def _merge_groups(group: Indices, left: Indices, right: Indices) -> None:
    """Give both rows of every pair the same group number, in place."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(left):
        return
    ends = np.concatenate([group[left], group[right]])
    nodes, positions = np.unique(ends, return_inverse=True)
    ones: Any = np.ones(len(left), np.int8)
    edges = coo_array((ones, (positions[: len(left)], positions[len(left) :])), shape=(len(nodes), len(nodes)))
    _, part = connected_components(edges, directed=False)
    least = np.full(len(nodes), len(group))
    np.minimum.at(least, part, nodes)
    table = np.arange(len(group))
    table[nodes] = least[part]
    group[:] = table[group]
