"""Near-duplicates: beside datasketch's own objects, and beside comparing all pairs."""

import itertools

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given
from hypothesis import strategies as st

from xquality.text.near_duplicates import band_width, near_groups, premixed, signatures
from xquality.text.shingles import jaccard

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz "))


def texts_of(count: int, length: int, seed: int) -> list[str]:
    return ["".join(one) for one in np.random.default_rng(seed).choice(LETTERS, (count, length))]


def edited(text: str, edits: int, seed: int) -> str:
    generator = np.random.default_rng(seed)
    letters = np.array(list(text))
    letters[generator.choice(len(letters), edits, replace=False)] = "#"
    return "".join(letters)


def peer(signature: np.ndarray, seed: int) -> MinHash:
    permutations = MinHash(num_perm=len(signature), seed=seed, scheme="affine32").permutations
    return MinHash(hashvalues=signature, permutations=permutations, seed=seed, scheme="affine32")


def test_the_hashes_are_mixed_as_datasketch_mixes_them() -> None:
    values = np.random.default_rng(0).integers(0, 2**32, 1000, dtype=np.uint32)
    for chunk in values.reshape(10, 100):
        wanted = MinHash(num_perm=64, seed=3, hashfunc=int)
        wanted.update_batch(chunk.tolist())
        factors, terms = wanted.permutations
        found = (premixed(chunk)[:, None] * factors + terms).min(axis=0)
        assert (found == wanted.hashvalues).all()


def test_similarity_estimated_from_signatures_is_near_the_true_one() -> None:
    texts = texts_of(60, 80, 1)
    pairs = [edited(one, place % 20, place) for place, one in enumerate(texts)]
    both = [*texts, *pairs]
    found = signatures([both], ["characters"], 3, 256, 7)
    left, right = np.arange(60), np.arange(60) + 60
    true = jaccard(both, left, right, "characters", 3)
    estimated = [peer(found[a], 7).jaccard(peer(found[b], 7)) for a, b in zip(left, right, strict=True)]
    assert np.abs(true - estimated).max() < 5 * np.sqrt(0.25 / 256)
    assert abs((true - estimated).mean()) < 5 * np.sqrt(0.25 / 256 / 60)


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9])
def test_pairs_are_joined_exactly_where_datasketch_proposes_them_and_they_are_near(threshold: float) -> None:
    texts = texts_of(150, 60, 2)
    both = [*texts, *(edited(one, 1 + place % 12, place) for place, one in enumerate(texts))]
    group = near_groups([both], ["characters"], 3, threshold=threshold, permutations=64, seed=5)
    found = signatures([both], ["characters"], 3, 64, 5)
    width = band_width(threshold, 64)
    index = MinHashLSH(num_perm=64, params=(64 // width, width))
    for place, one in enumerate(found):
        index.insert(place, peer(one, 5))
    near = jaccard(both, np.arange(150), np.arange(150) + 150, "characters", 3) >= threshold
    joined = group[:150] == group[150:]
    proposed = np.array([place + 150 in index.query(peer(found[place], 5)) for place in range(150)])
    assert (joined == (proposed & near)).all()
    assert 10 < joined.sum() < 150
    assert len(np.unique(group)) == 300 - joined.sum()  # and no others


def test_of_the_pairs_at_the_threshold_few_are_missed() -> None:
    texts = texts_of(400, 100, 3)
    both = [*texts, *(edited(one, 4, place) for place, one in enumerate(texts))]
    similar = jaccard(both, np.arange(400), np.arange(400) + 400, "characters", 3)
    threshold = float(similar.min())
    assert 0.6 < threshold < 0.8
    group = near_groups([both], ["characters"], 3, threshold=threshold, permutations=128, seed=1)
    assert (group[:400] == group[400:]).mean() >= 0.98


@given(
    st.lists(st.text(st.sampled_from("abc"), max_size=9), min_size=1, max_size=25),
    st.sampled_from([0.2, 0.5, 0.8, 1.0]),
    st.integers(0, 2**32 - 1),
)
def test_groups_are_made_of_near_pairs_and_hold_all_equal_texts(texts: list[str], threshold: float, seed: int) -> None:
    group = near_groups([texts], ["characters"], 2, threshold=threshold, permutations=32, seed=seed)
    left, right = (np.array(one) for one in zip(*itertools.product(range(len(texts)), repeat=2), strict=True))
    near = jaccard(texts, left, right, "characters", 2) >= threshold
    reached = np.eye(len(texts), dtype=bool)
    reached[left[near], right[near]] = True
    for _ in texts:
        reached = (reached.astype(int) @ reached.astype(int)) > 0
    assert reached[left, right][group[left] == group[right]].all()
    equal = np.array([texts[a] == texts[b] for a, b in zip(left, right, strict=True)])
    assert (group[left] == group[right])[equal].all()


def test_every_column_must_be_near() -> None:
    long = texts_of(1, 300, 4)[0]
    columns = [[long, long, long], ["it rains", "it rains.", "nobody came"]]
    units = ["characters", "characters"]
    group = near_groups(columns, units, 3, threshold=0.7, permutations=128, seed=1)
    assert group[0] == group[1] != group[2]
    joined = [" ".join(one) for one in zip(*columns, strict=True)]
    assert len(set(near_groups([joined], ["characters"], 3, threshold=0.7, permutations=128, seed=1).tolist())) == 1


def test_a_heap_of_texts_that_are_all_alike_is_one_group() -> None:
    texts = [f"{texts_of(1, 200, 5)[0]} number {number}" for number in range(3000)]
    assert len(set(near_groups([texts], ["characters"], 3, threshold=0.8, permutations=128, seed=1).tolist())) == 1


def test_a_wider_band_is_taken_where_it_misses_no_more_than_one_in_a_hundred() -> None:
    for threshold, permutations in itertools.product((0.3, 0.5, 0.8, 0.95), (32, 128, 256)):
        width = band_width(threshold, permutations)
        missed = [(1 - threshold**one) ** (permutations // one) for one in (width, width + 1)]
        assert missed[0] <= 0.01 < missed[1] or width == 1
    assert band_width(1.0, 64) == 64
