"""Near-duplicates: which texts share enough shingles, found by MinHash and banding without comparing all pairs.

The permutations are those of datasketch's `MinHash`, and the signatures equal its own; the work is done for blocks of
texts at once, which is more than ten times as fast as an object for each text.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xquality.data.arrow import Indices, index_ranges
from xquality.randomness import key, mix
from xquality.text.shingles import jaccard, shingles

Signatures = NDArray[np.uint32]

_RECALL = 0.99  # of the pairs whose similarity is the threshold itself, the share that is to be compared
_BLOCK = 1 << 15  # characters whose shingles are permuted at a time: they stay in the cache
_MARGIN = 4.0  # standard errors below the threshold at which a pair's estimate by its signatures rules it out
_PAIRS = 1 << 13  # pairs whose shingles are held at a time


def near_groups(
    columns: Sequence[Sequence[str]],
    units: Sequence[str],
    size: int,
    *,
    threshold: float,
    permutations: int,
    seed: int,
) -> Indices:
    """Return each row's group as a number, shape (rows,): rows joined by near-equal pairs, directly or by others.

    A pair is near-equal where in every column the Jaccard similarity of the shingles is `threshold` or more. A pair is
    compared where its signatures agree in a whole band; of the pairs right at the threshold at least 99 in 100 are, of
    the more similar ones nearly all (Leskovec, Rajaraman and Ullman, Mining of Massive Datasets, chapter 3).

    Args:
        columns: for each column its texts, one a row.
        units: for each column what its shingles hold, "words" or "characters".
        size: how many of them.
        threshold: in (0, 1].
        permutations: how many numbers a signature holds.
        seed: of the permutations, below 2**32.
    """
    found = signatures(columns, units, size, permutations, seed)
    width = band_width(threshold, permutations)
    doubtful = threshold - _MARGIN * (threshold * (1 - threshold) / permutations) ** 0.5
    group = np.arange(len(found))
    for start in range(0, permutations - width + 1, width):
        for left, right in _candidates(found[:, start : start + width], group):
            near = np.mean(found[left] == found[right], axis=1) >= doubtful
            for texts, unit in zip(columns, units, strict=True):
                pairs = np.flatnonzero(near)
                near[pairs] = jaccard(texts, left[pairs], right[pairs], unit, size) >= threshold
            _join(group, left[near], right[near])
    return group


def signatures(
    columns: Sequence[Sequence[str]], units: Sequence[str], size: int, permutations: int, seed: int
) -> Signatures:
    """Return the MinHash signatures of the rows, shape (rows, permutations); columns never share a shingle."""
    from datasketch import MinHash

    factors, terms = MinHash(num_perm=permutations, seed=seed, scheme="affine32").permutations
    rows = len(columns[0])
    found = np.full((rows, permutations), np.iinfo(np.uint32).max, np.uint32)
    for place, (texts, unit) in enumerate(zip(columns, units, strict=True)):
        apart = np.uint64(key("column", place))
        for block in _blocks(texts):
            hashes, bounds = shingles(texts[block], unit, size)
            values = premixed((mix(hashes ^ apart) >> np.uint64(32)).astype(np.uint32))
            for number, (factor, term) in enumerate(zip(factors, terms, strict=True)):
                least = np.minimum.reduceat(values * factor + term, bounds[:-1])
                np.minimum(found[block, number], least, out=found[block, number])
    return found


def premixed(values: Signatures) -> Signatures:
    """Return 32-bit hashes after the finaliser of MurmurHash3, which datasketch applies before its permutations."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        values = (values ^ (values >> np.uint32(shift))) * np.uint32(factor)
    return values ^ (values >> np.uint32(16))


def band_width(threshold: float, permutations: int) -> int:
    """Return how many numbers of a signature must agree for a pair to be compared.

    It is the largest width at which a pair of similarity `threshold` agrees in some band with probability 0.99.

    Example:
        >>> band_width(0.8, 128), band_width(0.5, 128)
        (6, 3)
    """
    widths = range(2, permutations + 1)
    enough = (one for one in widths if 1 - (1 - threshold**one) ** (permutations // one) >= _RECALL)
    return max(enough, default=1)


def _blocks(texts: Sequence[str]) -> Iterator[slice]:
    """Yield slices of some texts each, with about as many characters in each."""
    ends = np.cumsum([len(one) + 1 for one in texts])
    start = 0
    while start < len(texts):
        reached = ends[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(ends, reached + _BLOCK)))
        yield slice(start, stop)
        start = stop


def _candidates(band: Signatures, group: Indices) -> Iterator[tuple[Indices, Indices]]:
    """Yield the pairs of rows that agree in a band and are not in one group yet; `group` may change in between."""
    keys = np.zeros(len(band), np.uint64)
    for values in band.T:
        keys = mix((keys ^ values) * np.uint64(0x9E3779B97F4A7C15))
    order = np.argsort(keys, kind="stable")
    begins = np.flatnonzero(np.concatenate([[True], keys[order][1:] != keys[order][:-1]])) if len(order) else order
    sizes = np.diff(np.append(begins, len(order)))
    distance = 1
    while True:  # first neighbours in a bucket, then those two apart: a bucket of equals is joined at once
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


def _join(group: Indices, left: Indices, right: Indices) -> None:
    """Give both rows of every pair one group number, in place."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if not len(left):
        return
    ends = np.concatenate([group[left], group[right]])
    nodes, places = np.unique(ends, return_inverse=True)
    ones: Any = np.ones(len(left), np.int8)
    edges = coo_array((ones, (places[: len(left)], places[len(left) :])), shape=(len(nodes), len(nodes)))
    _, part = connected_components(edges, directed=False)
    least = np.full(len(nodes), len(group))
    np.minimum.at(least, part, nodes)
    table = np.arange(len(group))
    table[nodes] = least[part]
    group[:] = table[group]
