import copy
import json

import numpy as np
import pyarrow as pa
import pytest
from datasets import Dataset
from datasets.fingerprint import Hasher
from hypothesis import given
from hypothesis import strategies as st

import xquality as xq
from xquality import toy
from xquality.errors import ColumnError, DataKindError, SettingError

ROWS = Dataset.from_dict(
    {
        "text": ["la la la casa", "la casa 東京", "東 sol", None],
        "tokens": [["a"], ["b", "b"], [], None],
        "number": [1, 2, 3, 4],
    }
)


def wrong(vocabulary, words, uniform, spaced=True):
    """The wrong words for some right ones."""
    mask = np.full(len(words), spaced)
    return vocabulary.wrong_words(pa.array(words, pa.large_string()), mask, np.array(uniform)).to_pylist()


def test_words_come_by_frequency_and_then_by_spelling():
    vocabulary = xq.Vocabulary.fit(ROWS, ["text"])
    assert vocabulary.words == ("la", "casa", "sol")
    assert vocabulary.characters == ("東", "京")
    assert xq.Vocabulary.fit(ROWS, ["text"], size=2).words == ("la", "casa")
    assert xq.Vocabulary.fit(ROWS, ["tokens"]).words == ("b", "a")


def test_the_order_of_rows_decides_nothing():
    data = toy.topics.load("es", "train")
    assert xq.Vocabulary.fit(data, ["text"]) == xq.Vocabulary.fit(data.shuffle(3), ["text"])


def test_a_wrong_word_is_another_of_about_the_same_rank():
    words = tuple(f"w{number:04}" for number in range(1000))
    vocabulary = xq.Vocabulary(words)
    uniform = np.linspace(0, 0.999999, 2000)
    for rank in (0, 3, 40, 400, 999):
        reach = max(5, rank // 4)
        expected = set(words[max(0, rank - reach) : rank + reach + 1]) - {words[rank]}
        assert set(wrong(vocabulary, [words[rank]] * 2000, uniform)) == expected
    assert set(wrong(vocabulary, ["unknown"] * 2000, uniform)) == set(words[750:])


@given(
    st.lists(st.text(st.characters(codec="utf-8"), min_size=1, max_size=12), max_size=60, unique=True),
    st.lists(st.text(st.characters(codec="utf-8"), max_size=12), max_size=30),
    st.floats(0, 1, exclude_max=True),
)
def test_a_word_is_found_at_its_rank_in_the_vocabulary(known, others, uniform):
    vocabulary, words = xq.Vocabulary(known), [*others, *known[::2]]
    for word, found in zip(words, wrong(vocabulary, words, [uniform] * len(words)), strict=True):
        rank = known.index(word) if word in known else len(known)
        reach = max(5, rank // 4)
        near = known[max(0, rank - reach) : rank + reach + 1]
        choices = [other for other in near if other != word]
        assert found == (choices[int(uniform * len(choices))] if choices else None)


def test_each_word_of_a_large_vocabulary_is_found():
    vocabulary = xq.Vocabulary([f"word {number}" for number in range(20_000)])
    found = wrong(vocabulary, vocabulary.words, np.zeros(20_000))
    first = [max(0, rank - max(5, rank // 4)) for rank in range(20_000)]
    assert found == [vocabulary.words[1 if rank == 0 else place] for rank, place in enumerate(first)]


def test_where_there_is_no_other_word_there_is_no_wrong_one():
    vocabulary = xq.Vocabulary(("one",))
    assert wrong(vocabulary, ["one", "two"], [0.5, 0.5]) == [None, "one"]
    assert wrong(vocabulary, ["東"], [0.5], spaced=False) == [None]


def test_it_goes_through_json_and_a_record_keeps_only_its_digest():
    vocabulary = xq.Vocabulary.fit(ROWS, ["text"])
    noise = xq.TranslationNoise(0.5, errors=("wrong_word",), vocabulary=vocabulary)
    assert xq.from_dict(json.loads(json.dumps(noise.to_dict()))) == noise
    settings = xq.history(noise(ROWS.select_columns(["text"]), seed=1))[-1].settings
    assert settings["vocabulary"] == {"vocabulary": vocabulary.digest, "words": 3, "characters": 2}
    assert len(repr(noise)) < 500


def test_other_words_have_another_digest():
    assert xq.Vocabulary(("a", "b")).digest != xq.Vocabulary(("b", "a")).digest
    assert xq.Vocabulary(("a",), ("b",)).digest != xq.Vocabulary(("a", "b")).digest
    assert xq.Vocabulary(("a\x1fstr:b",)).digest != xq.Vocabulary(("a", "b")).digest
    assert xq.Vocabulary(("a\x1fstr:b", "c")).digest != xq.Vocabulary(("a", "b\x1fstr:c")).digest


def test_tokens_that_are_empty_are_no_words():
    data = Dataset.from_dict({"tokens": [["", "a", None], [""]]})
    assert xq.Vocabulary.fit(data, ["tokens"]).words == ("a",)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: xq.Vocabulary.fit(ROWS, ["number"]), ColumnError, "'number' holds int64"),
        (lambda: xq.Vocabulary.fit(ROWS, ["absent"]), ColumnError, "'absent'"),
        (lambda: xq.Vocabulary.fit(ROWS, "text"), SettingError, "list of names"),
        (lambda: xq.Vocabulary.fit(ROWS, ["text"], size=1), SettingError, "at least 2"),
        (lambda: xq.Vocabulary.fit([{"text": "a"}], ["text"]), DataKindError, "list"),
        (lambda: xq.Vocabulary.fit(ROWS.select([3]), ["text"]), ColumnError, "needs words"),
        (lambda: xq.Vocabulary("abc"), SettingError, "list of words"),
        (lambda: xq.Vocabulary(("a", "a")), SettingError, "once"),
        (lambda: xq.Vocabulary(("a", "")), SettingError, "none that is empty"),
        (lambda: xq.Vocabulary(("a",), ("",)), SettingError, "none that is empty"),
        (lambda: xq.Vocabulary(("a", "\ud800")), SettingError, "half a surrogate"),
    ],
)
def test_what_cannot_be_fitted_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_dataset_map_knows_a_function_with_a_vocabulary_again_after_it_was_used():
    vocabulary = xq.Vocabulary(("y", "de", "la"), ("東",))
    before = Hasher.hash(vocabulary)
    assert wrong(vocabulary, ["de"], [0.0]) == ["y"]
    assert Hasher.hash(vocabulary) == before != Hasher.hash(xq.Vocabulary(("y", "de")))
    assert copy.deepcopy(vocabulary) == vocabulary
