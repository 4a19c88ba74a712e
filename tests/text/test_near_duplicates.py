"""Near-duplicates: compared with datasketch's own objects, with Python's sets and with a comparison of all pairs."""

import itertools

import numpy as np
import pytest
from datasketch import MinHash, MinHashLSH
from hypothesis import given
from hypothesis import strategies as st

from xquality.text.near_duplicates import (
    UNITS,
    band_width,
    group_near_duplicates,
    hash_shingles,
    jaccard_similarity,
    minhash_signatures,
    premix,
)
from xquality.text.words import split_words

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz "))


def texts_of(count: int, length: int, seed: int) -> list[str]:
    return ["".join(letters) for letters in np.random.default_rng(seed).choice(LETTERS, (count, length))]


def edited(text: str, edits: int, seed: int) -> str:
    generator = np.random.default_rng(seed)
    letters = np.array(list(text))
    letters[generator.choice(len(letters), edits, replace=False)] = "#"
    return "".join(letters)


def peer(signature: np.ndarray, seed: int) -> MinHash:
    permutations = MinHash(num_perm=len(signature), seed=seed, scheme="affine32").permutations
    return MinHash(hashvalues=signature, permutations=permutations, seed=seed, scheme="affine32")


def test_hashes_are_mixed_as_datasketch_mixes_them() -> None:
    values = np.random.default_rng(0).integers(0, 2**32, 1000, dtype=np.uint32)
    for chunk in values.reshape(10, 100):
        wanted = MinHash(num_perm=64, seed=3, hashfunc=int)
        wanted.update_batch(chunk.tolist())
        factors, terms = wanted.permutations
        smallest = (premix(chunk)[:, None] * factors + terms).min(axis=0)
        assert (smallest == wanted.hashvalues).all()


def test_similarity_estimated_from_signatures_is_near_the_true_one() -> None:
    texts = texts_of(60, 80, 1)
    pairs = [edited(text, number % 20, number) for number, text in enumerate(texts)]
    both = [*texts, *pairs]
    signatures = minhash_signatures([both], ["characters"], 3, 256, 7)
    left, right = np.arange(60), np.arange(60) + 60
    true = jaccard_similarity(both, left, right, "characters", 3)
    estimated = [
        peer(signatures[first], 7).jaccard(peer(signatures[second], 7))
        for first, second in zip(left, right, strict=True)
    ]
    assert np.abs(true - estimated).max() < 5 * np.sqrt(0.25 / 256)
    assert abs((true - estimated).mean()) < 5 * np.sqrt(0.25 / 256 / 60)


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.9])
def test_pairs_are_joined_exactly_where_datasketch_proposes_them_and_they_are_near(threshold: float) -> None:
    texts = texts_of(150, 60, 2)
    both = [*texts, *(edited(text, 1 + number % 12, number) for number, text in enumerate(texts))]
    group = group_near_duplicates([both], ["characters"], 3, threshold=threshold, permutations=64, seed=5)
    signatures = minhash_signatures([both], ["characters"], 3, 64, 5)
    width = band_width(threshold, 64)
    index = MinHashLSH(num_perm=64, params=(64 // width, width))
    for number, signature in enumerate(signatures):
        index.insert(number, peer(signature, 5))
    near = jaccard_similarity(both, np.arange(150), np.arange(150) + 150, "characters", 3) >= threshold
    joined = group[:150] == group[150:]
    proposed = np.array([number + 150 in index.query(peer(signatures[number], 5)) for number in range(150)])
    assert (joined == (proposed & near)).all()
    assert 10 < joined.sum() < 150
    assert len(np.unique(group)) == 300 - joined.sum()  # and no others


def test_of_the_pairs_at_the_threshold_few_are_missed() -> None:
    texts = texts_of(400, 100, 3)
    both = [*texts, *(edited(text, 4, number) for number, text in enumerate(texts))]
    similar = jaccard_similarity(both, np.arange(400), np.arange(400) + 400, "characters", 3)
    threshold = float(similar.min())
    assert 0.6 < threshold < 0.8
    group = group_near_duplicates([both], ["characters"], 3, threshold=threshold, permutations=128, seed=1)
    assert (group[:400] == group[400:]).mean() >= 0.98


@given(
    st.lists(st.text(st.sampled_from("abc"), max_size=9), min_size=1, max_size=25),
    st.sampled_from([0.2, 0.5, 0.8, 1.0]),
    st.integers(0, 2**32 - 1),
)
def test_groups_consist_of_near_pairs_and_hold_all_equal_texts(texts: list[str], threshold: float, seed: int) -> None:
    group = group_near_duplicates([texts], ["characters"], 2, threshold=threshold, permutations=32, seed=seed)
    left, right = (np.array(numbers) for numbers in zip(*itertools.product(range(len(texts)), repeat=2), strict=True))
    near = jaccard_similarity(texts, left, right, "characters", 2) >= threshold
    reached = np.eye(len(texts), dtype=bool)
    reached[left[near], right[near]] = True
    for _ in texts:
        reached = (reached.astype(int) @ reached.astype(int)) > 0
    assert reached[left, right][group[left] == group[right]].all()
    equal = np.array([texts[first] == texts[second] for first, second in zip(left, right, strict=True)])
    assert (group[left] == group[right])[equal].all()


def test_every_column_must_be_near() -> None:
    long = texts_of(1, 300, 4)[0]
    columns = [[long, long, long], ["it rains", "it rains.", "nobody came"]]
    units = ["characters", "characters"]
    group = group_near_duplicates(columns, units, 3, threshold=0.7, permutations=128, seed=1)
    assert group[0] == group[1] != group[2]
    joined = [" ".join(texts) for texts in zip(*columns, strict=True)]
    assert (
        len(set(group_near_duplicates([joined], ["characters"], 3, threshold=0.7, permutations=128, seed=1).tolist()))
        == 1
    )


def test_many_texts_that_are_all_alike_form_one_group() -> None:
    texts = [f"{texts_of(1, 200, 5)[0]} number {number}" for number in range(3000)]
    assert (
        len(set(group_near_duplicates([texts], ["characters"], 3, threshold=0.8, permutations=128, seed=1).tolist()))
        == 1
    )


def test_the_band_is_the_widest_that_misses_at_most_one_pair_in_a_hundred() -> None:
    for threshold, permutations in itertools.product((0.3, 0.5, 0.8, 0.95), (32, 128, 256)):
        width = band_width(threshold, permutations)
        missed = [(1 - threshold**tried) ** (permutations // tried) for tried in (width, width + 1)]
        assert missed[0] <= 0.01 < missed[1] or width == 1
    assert band_width(1.0, 64) == 64


# Few letters, so that texts share runs; a letter beyond 16 bits, spaces, and scripts without them.
TEXTS = st.text(st.sampled_from("ab \u4e00\u0e01\U0001f600"), max_size=12)


def runs(text: str, unit: str, size: int) -> list[tuple[str, ...]]:
    parts = split_words(text) if unit == "words" else list(text)
    return [tuple(parts[start : start + size]) for start in range(max(len(parts) - size + 1, 1))]


@given(st.lists(TEXTS, max_size=8), st.sampled_from(UNITS), st.integers(1, 4))
def test_hashes_are_equal_where_the_runs_are(texts: list[str], unit: str, size: int) -> None:
    hashes, bounds = hash_shingles(texts, unit, size)
    wanted = [run for text in texts for run in runs(text, unit, size)]
    assert np.diff(bounds).tolist() == [len(runs(text, unit, size)) for text in texts]
    assert len(set(zip(hashes.tolist(), wanted, strict=True))) == len(set(hashes.tolist())) == len(set(wanted))


@given(st.lists(TEXTS, min_size=1, max_size=8), st.sampled_from(UNITS), st.integers(1, 4))
def test_the_similarity_is_that_of_the_sets(texts: list[str], unit: str, size: int) -> None:
    left, right = (numbers.ravel() for numbers in np.indices((len(texts), len(texts))))
    sets = [set(runs(text, unit, size)) for text in texts]
    wanted = [
        len(sets[first] & sets[second]) / len(sets[first] | sets[second])
        for first, second in zip(left, right, strict=True)
    ]
    assert jaccard_similarity(texts, left, right, unit, size).tolist() == wanted


def test_the_shingles_of_a_text_are_the_same_alone_and_among_others() -> None:
    texts = ["", "a", "the cat sat", "\u6771\u4eac\u306f"]
    hashes, bounds = hash_shingles(texts, "characters", 3)
    for number, text in enumerate(texts):
        alone, _ = hash_shingles([text], "characters", 3)
        assert hashes[bounds[number] : bounds[number + 1]].tolist() == alone.tolist()
