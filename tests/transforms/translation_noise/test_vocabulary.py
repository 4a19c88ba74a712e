import copy
import json

import numpy as np
import pyarrow as pa
import pytest
from datasets import Dataset
from datasets.fingerprint import Hasher

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


def wrong(vocabulary, word, luck, spaced=True):
    return vocabulary.wrong(pa.array([word], pa.large_string()), np.array([spaced]), np.array([luck]))[0].as_py()


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
    for rank in (0, 3, 40, 400, 999):
        reach = max(5, rank // 4)
        drawn = {wrong(vocabulary, words[rank], luck) for luck in np.linspace(0, 0.999999, 2000)}
        expected = set(words[max(0, rank - reach) : rank + reach + 1]) - {words[rank]}
        assert drawn == expected
    assert {wrong(vocabulary, "unknown", luck) for luck in np.linspace(0, 0.999999, 2000)} == set(words[750:])


def test_where_there_is_no_other_word_there_is_no_wrong_one():
    vocabulary = xq.Vocabulary(("one",))
    assert wrong(vocabulary, "one", 0.5) is None
    assert wrong(vocabulary, "two", 0.5) == "one"
    assert wrong(vocabulary, "東", 0.5, spaced=False) is None


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
    ("call", "kind", "said"),
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
        (lambda: xq.Vocabulary(("a", "\ud800")), SettingError, "half a character"),
    ],
)
def test_what_cannot_be_fitted_is_refused(call, kind, said):
    with pytest.raises(kind, match=said):
        call()


def test_dataset_map_knows_a_function_with_a_vocabulary_again_after_it_was_used():
    made = xq.Vocabulary(("y", "de", "la"), ("東",))
    before = Hasher.hash(made)
    made.wrong(pa.array(["de"]), np.ones(1, np.bool_), np.zeros(1))
    assert Hasher.hash(made) == before != Hasher.hash(xq.Vocabulary(("y", "de")))
    assert copy.deepcopy(made) == made
