import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from xquality.randomness import Draw
from xquality.transforms.translation_noise.plan import plan
from xquality.transforms.translation_noise.replacement import Replacement
from xquality.transforms.translation_noise.segmentation import segment_lists
from xquality.transforms.translation_noise.strikes import strike
from xquality.transforms.translation_noise.tokens import written_tags, written_tokens

NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
FREE = ("omission", "repetition", "reordering", "truncation", "hallucination")


@st.composite
def tagged(draw):
    """Rows of tokens with valid BIO tags; a row may be null in both."""
    tokens, tags = [], []
    for row in range(draw(st.integers(1, 5))):
        if draw(st.booleans()) and draw(st.booleans()):
            tokens.append(None)
            tags.append(None)
            continue
        own = []
        for _ in range(draw(st.integers(0, 9))):
            last = own[-1] if own else 0
            goes_on = {1: [2], 2: [2], 3: [4], 4: [4]}.get(last, [])
            own.append(draw(st.sampled_from([0, 1, 3, *goes_on])))
        tokens.append([f"r{row}t{place}" for place in range(len(own))])
        tags.append(own)
    return pa.array(tokens, pa.list_(pa.string())), pa.array(tags, pa.list_(pa.int64()))


def changed(tokens, severity, kinds, seed):
    units = segment_lists(tokens)
    draw = Draw(seed, "tokens", 0, np.arange(len(tokens), dtype=np.uint64))
    return plan(units, strike(units, draw, severity, kinds, Replacement(), "tokens"))


def spans(tokens, tags):
    found = []
    for token, tag in zip(tokens, tags, strict=True):
        name = NAMES[tag]
        if name.startswith("B-"):
            found.append((name[2:], [token]))
        elif name.startswith("I-"):
            assert found[-1][0] == name[2:], "an I without its B"
            found[-1][1].append(token)
        else:
            found.append(("O", []))
    return [one for one in found if one[0] != "O"]


@given(tagged(), st.sampled_from([0.2, 0.6, 1.0]), st.integers(0, 30))
def test_each_token_keeps_its_type_and_bio_stays_valid(given_rows, severity, seed):
    tokens, tags = given_rows
    made = changed(tokens, severity, FREE, seed)
    new, follow = written_tokens(tokens, made), written_tags(tags, made, NAMES)
    types = {
        token: NAMES[tag][2:]
        for own, of in zip(tokens.to_pylist(), tags.to_pylist(), strict=True)
        for token, tag in zip(own or [], of or [], strict=True)
    }
    assert new.type == tokens.type
    assert follow.type == tags.type
    for own, of, before in zip(new.to_pylist(), follow.to_pylist(), tokens.to_pylist(), strict=True):
        if before is None:
            assert own is of is None
            continue
        assert [types[token] for token in own] == [NAMES[tag][2:] for tag in of]
        spans(own, of)


@given(tagged(), st.integers(0, 30))
def test_no_error_is_no_change(given_rows, seed):
    tokens, tags = given_rows
    made = changed(tokens, 0.0, FREE, seed)
    assert written_tokens(tokens, made).equals(tokens)
    assert written_tags(tags, made, NAMES).equals(tags)


def test_a_span_that_loses_its_first_token_stays_a_span_and_neighbours_stay_apart():
    tokens = pa.array([["New", "York", "Madrid", "is"]], pa.list_(pa.string()))
    tags = pa.array([[3, 4, 3, 0]], pa.list_(pa.int64()))
    made = changed(tokens, 0.0, FREE, 0)
    without = type(made)(
        made.unit[1:], made.slot[1:], np.array([0, 3]), made.cut, made.renewed, made.texts, np.array([True])
    )
    assert written_tags(tags, without, NAMES).to_pylist() == [[3, 3, 0]]


def test_tags_without_bio_are_carried_along():
    tokens = pa.array([["a", "b", "c"]], pa.list_(pa.string()))
    tags = pa.array([[7, 8, 9]], pa.list_(pa.int32()))
    made = changed(tokens, 1.0, ("omission",), 0)
    kept = [["a", "b", "c"].index(one) for one in written_tokens(tokens, made).to_pylist()[0]]
    assert written_tags(tags, made, ["A"] * 10).to_pylist() == [[[7, 8, 9][one] for one in kept]]
