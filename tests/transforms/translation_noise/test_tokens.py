import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from xquality.transforms import Draw
from xquality.transforms.translation_noise.plan import plan
from xquality.transforms.translation_noise.replacement import Replacement
from xquality.transforms.translation_noise.segmentation import segment_lists
from xquality.transforms.translation_noise.strikes import strike
from xquality.transforms.translation_noise.tokens import written_tokens
from xquality.transforms.translation_noise.vocabulary import Vocabulary

FREE = ("omission", "repetition", "reordering", "truncation", "hallucination")
TOKENS = st.one_of(st.none(), st.lists(st.one_of(st.none(), st.sampled_from(["", "a", "b", "c"])), max_size=6))
rows = st.lists(TOKENS, min_size=1, max_size=5).map(lambda one: pa.array(one, pa.list_(pa.string())))


def changed(tokens, severity, kinds, seed, vocabulary=None):
    units = segment_lists(tokens)
    draw = Draw(seed, "tokens", 0, np.arange(len(tokens), dtype=np.uint64))
    return plan(units, strike(units, draw, severity, kinds, Replacement(vocabulary), "tokens"))


@given(rows, st.integers(0, 30))
def test_no_error_is_no_change(tokens, seed):
    assert written_tokens(tokens, changed(tokens, 0.0, FREE, seed)).equals(tokens)


@given(rows, st.integers(0, 30))
def test_every_token_that_comes_out_was_there(tokens, seed):
    new = written_tokens(tokens, changed(tokens, 0.5, FREE, seed))
    assert new.type == tokens.type
    for one, other in zip(tokens.to_pylist(), new.to_pylist(), strict=True):
        assert (one is None) == (other is None)
        assert bool(one) == bool(other)
        assert set(other or []) <= set(one or [])


def test_new_words_take_the_place_of_old_ones_and_lists_stay_as_wide_as_they_were():
    tokens = pa.array([["a", "b"], None, [], ["c"]], pa.large_list(pa.large_string()))
    made = changed(tokens, 1.0, ("wrong_word",), 0, Vocabulary(("x",)))
    assert written_tokens(tokens, made).equals(pa.array([["x", "x"], None, [], ["x"]], tokens.type))
