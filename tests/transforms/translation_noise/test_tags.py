import numpy as np
import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset, DatasetInfo, Features, List, Value
from hypothesis import given
from hypothesis import strategies as st

import xquality as xq
from xquality.errors import ColumnError, LabelError
from xquality.transforms import Draw
from xquality.transforms.translation_noise.plan import plan
from xquality.transforms.translation_noise.replacement import Replacement
from xquality.transforms.translation_noise.segmentation import segment_lists
from xquality.transforms.translation_noise.strikes import strike
from xquality.transforms.translation_noise.tags import check_tags, written_tags
from xquality.transforms.translation_noise.tokens import written_tokens

NAMES = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
FREE = ("omission", "repetition", "reordering", "truncation", "hallucination")
FEATURES = Features({"tokens": List(Value("string")), "tags": List(ClassLabel(names=NAMES))})
NOISE = xq.TranslationNoise(1.0, columns=("tokens",), errors=("repetition",))


def tagging(tokens, tags, names=NAMES):
    """Rows as they may be stored: a ClassLabel column takes any number, and a null."""
    features = Features({"tokens": List(Value("string")), "tags": List(ClassLabel(names=names))})
    table = pa.table(
        {"tokens": tokens, "tags": pa.array(tags, pa.list_(pa.int64())) if isinstance(tags, list) else tags}
    )
    return Dataset(table.cast(features.arrow_schema), info=DatasetInfo(features=features), fingerprint="tags")


@st.composite
def tagged(draw):
    """Rows of tokens with valid BIO tags; a row may be null in both, or in its tags alone."""
    tokens, tags = [], []
    for row in range(draw(st.integers(1, 5))):
        own = []
        for _ in range(draw(st.integers(0, 9))):
            last = own[-1] if own else 0
            goes_on = {1: [2], 2: [2], 3: [4], 4: [4]}.get(last, [])
            own.append(draw(st.sampled_from([0, 1, 3, -100, *goes_on])))
        missing = draw(st.sampled_from(["nothing", "nothing", "nothing", "tags", "both"]))
        tokens.append(None if missing == "both" else [f"r{row}t{place}" for place in range(len(own))])
        tags.append(None if missing != "nothing" else own)
    return pa.array(tokens, pa.list_(pa.string())), pa.array(tags, pa.list_(pa.int64()))


def changed(tokens, severity, kinds, seed):
    units = segment_lists(tokens)
    draw = Draw(seed, "tokens", 0, np.arange(len(tokens), dtype=np.uint64))
    return units, plan(units, strike(units, draw, severity, kinds, Replacement(), "tokens"))


def kind(tag):
    return "ignored" if tag == -100 else NAMES[tag][2:]


def check_bio(tags):
    last = ""
    for tag in tags:
        name = "O" if tag == -100 else NAMES[tag]
        assert not name.startswith("I-") or last[2:] == name[2:], "an I without its B"
        last = name


@given(tagged(), st.sampled_from([0.2, 0.6, 1.0]), st.integers(0, 30))
def test_each_token_keeps_its_type_and_bio_stays_valid(given_rows, severity, seed):
    tokens, tags = given_rows
    units, made = changed(tokens, severity, FREE, seed)
    check_tags("T", "tags", tags, units, NAMES, pa.array(range(len(tokens))))
    new, follow = written_tokens(tokens, made), written_tags(tags, units, made, NAMES)
    types = {
        token: kind(tag)
        for own, of in zip(tokens.to_pylist(), tags.to_pylist(), strict=True)
        for token, tag in zip(own or [], of or [], strict=of is not None)
    }
    assert follow.type == tags.type
    follow.validate(full=True)
    for own, of, before in zip(new.to_pylist(), follow.to_pylist(), tags.to_pylist(), strict=True):
        assert (of is None) == (before is None)
        if of is not None:
            assert [types[token] for token in own] == [kind(tag) for tag in of]
            check_bio(of)


@given(tagged(), st.integers(0, 30))
def test_no_error_is_no_change(given_rows, seed):
    tokens, tags = given_rows
    units, made = changed(tokens, 0.0, FREE, seed)
    assert written_tags(tags, units, made, NAMES).equals(tags)


def test_a_span_that_loses_its_first_token_stays_a_span_and_neighbours_stay_apart():
    tokens = pa.array([["New", "York", "Madrid", "is"]], pa.list_(pa.string()))
    tags = pa.array([[3, 4, 3, 0]], pa.list_(pa.int64()))
    units, made = changed(tokens, 0.0, FREE, 0)
    without = type(made)(made.unit[1:], made.slot[1:], np.array([0, 3]), made.cut, made.renewed, made.texts)
    assert written_tags(tags, units, without, NAMES).to_pylist() == [[3, 3, 0]]


def test_tags_without_bio_are_carried_along():
    tokens = pa.array([["a", "b", "c"]], pa.list_(pa.string()))
    tags = pa.array([[7, 8, 9]], pa.list_(pa.int32()))
    units, made = changed(tokens, 1.0, ("omission",), 0)
    kept = [["a", "b", "c"].index(one) for one in written_tokens(tokens, made).to_pylist()[0]]
    assert written_tags(tags, units, made, ["A"] * 10).to_pylist() == [[[7, 8, 9][one] for one in kept]]


@pytest.mark.parametrize("wrong", [-1, -3, 5, None])
def test_a_token_without_a_class_is_refused_with_the_uid_of_its_row(wrong):
    data = tagging([["a"], ["a", "b", "c"]], [[0], [0, wrong, 1]]).add_column("uid", ["first", "second"])
    with pytest.raises(LabelError, match=f"'second' has {wrong}"):
        NOISE(data, seed=1)


def test_a_token_that_is_ignored_stands_outside_every_span():
    data = tagging([["a", "b", "c"]], [[1, -100, 1]])
    assert NOISE(data, seed=1)["tags"][:] == [[1, 1, -100, -100, 1, 1]]


def test_a_row_without_tags_stays_without_and_moves_no_other_rows_tags():
    data = tagging([["a", "b"], ["c"], None, ["d", "e"]], [[1, 2], None, None, [3, 0]])
    after = NOISE(data, seed=1)
    assert after["tokens"][:] == [["a", "a", "b", "b"], ["c", "c"], None, ["d", "d", "e", "e"]]
    assert after["tags"][:] == [[1, 1, 2, 1], None, None, [3, 3, 0, 0]]
    assert after["tags_before"][:] == [[1, 2], None, None, [3, 0]]


def test_values_that_lie_hidden_under_a_null_list_move_nothing():
    hidden = [False, True, False]
    tokens = pa.ListArray.from_arrays(
        pa.array([0, 2, 3, 5], pa.int32()), pa.array(list("abcde")), mask=pa.array(hidden)
    )
    tags = pa.ListArray.from_arrays(
        pa.array([0, 2, 3, 5], pa.int32()), pa.array([1, 2, 1, 3, 4], pa.int64()), mask=pa.array(hidden)
    )
    after = NOISE(tagging(tokens, tags), seed=1)
    assert after["tokens"][:] == [["a", "a", "b", "b"], None, ["d", "d", "e", "e"]]
    assert after["tags"][:] == [[1, 1, 2, 1], None, [3, 3, 4, 3]]


def test_tags_are_repaired_only_where_tokens_moved():
    # The tagging begins a span with I, as real ones do: an error that moves no token leaves it so.
    data = tagging([["en", "Ana", "Maria", "1"]], [[0, 2, 2, 0]])
    spelling = xq.TranslationNoise(1.0, columns=("tokens",), errors=("entity",))(data, seed=1)
    assert spelling["tokens"][:] != data["tokens"][:]
    assert spelling["tags"][:] == data["tags"][:]
    assert spelling["tags_before"][:] == [None]


def test_other_schemes_than_bio_are_refused():
    names = ["O", "B-PER", "I-PER", "E-PER", "S-PER"]
    with pytest.raises(LabelError, match="'E-PER'"):
        NOISE(tagging([["Ana", "Maria"]], [[1, 3]], names), seed=1)


def test_tags_of_another_length_are_refused_with_the_uid_of_their_row():
    with pytest.raises(ColumnError, match="2 tokens have 1 tags in the row with the uid 1"):
        NOISE(tagging([["a"], ["b", "c"]], [[0], [0]]), seed=1)
