"""Shingles: the same sets and similarities as Python's own sets."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from xquality.text.shingles import UNITS, jaccard, shingles
from xquality.text.words import words

# Few letters, so that texts share runs; a letter beyond 16 bits, spaces, and scripts without them.
TEXTS = st.text(st.sampled_from("ab \u4e00\u0e01\U0001f600"), max_size=12)


def runs(text: str, unit: str, size: int) -> list[tuple[str, ...]]:
    parts = words(text) if unit == "words" else list(text)
    return [tuple(parts[start : start + size]) for start in range(max(len(parts) - size + 1, 1))]


@given(st.lists(TEXTS, max_size=8), st.sampled_from(UNITS), st.integers(1, 4))
def test_hashes_are_equal_where_the_runs_are(texts: list[str], unit: str, size: int) -> None:
    hashes, bounds = shingles(texts, unit, size)
    wanted = [run for text in texts for run in runs(text, unit, size)]
    assert np.diff(bounds).tolist() == [len(runs(text, unit, size)) for text in texts]
    assert len(set(zip(hashes.tolist(), wanted, strict=True))) == len(set(hashes.tolist())) == len(set(wanted))


@given(st.lists(TEXTS, min_size=1, max_size=8), st.sampled_from(UNITS), st.integers(1, 4))
def test_the_similarity_is_that_of_the_sets(texts: list[str], unit: str, size: int) -> None:
    left, right = (places.ravel() for places in np.indices((len(texts), len(texts))))
    sets = [set(runs(text, unit, size)) for text in texts]
    wanted = [len(sets[a] & sets[b]) / len(sets[a] | sets[b]) for a, b in zip(left, right, strict=True)]
    assert jaccard(texts, left, right, unit, size).tolist() == wanted


def test_a_text_is_cut_the_same_alone_and_among_others() -> None:
    texts = ["", "a", "the cat sat", "\u6771\u4eac\u306f"]
    hashes, bounds = shingles(texts, "characters", 3)
    for place, text in enumerate(texts):
        alone, _ = shingles([text], "characters", 3)
        assert hashes[bounds[place] : bounds[place + 1]].tolist() == alone.tolist()
