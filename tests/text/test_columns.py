"""Text columns: the default ones, token lists, and spellings that a reader holds for equal."""

import unicodedata

import pytest
from datasets import ClassLabel, Dataset, Features, List, Value
from hypothesis import given
from hypothesis import strategies as st

from xquality.data._datasets import table_of
from xquality.errors import ColumnError
from xquality.text.columns import SPELLINGS, read_text, respelled, text_columns
from xquality.transforms import Rows

FEATURES = Features(
    {
        "uid": Value("string"),
        "text": Value("string"),
        "long": Value("large_string"),
        "tokens": List(Value("string")),
        "label": ClassLabel(names=["a", "b"]),
        "text_before": Value("string"),
    }
)


def rows(data: Dataset) -> Rows:
    return Rows(table_of(data), data.features, "Test")


def example() -> Rows:
    columns = {
        "uid": ["a", "b", "c"],
        "text": ["one", None, ""],
        "long": ["x", "y", None],
        "tokens": [["Thanks", "."], None, ["no", None]],
        "label": [0, 1, 1],
        "text_before": [None, None, None],
    }
    return rows(Dataset.from_dict(columns, features=FEATURES))


def test_the_default_columns_are_the_strings_that_say_something() -> None:
    assert text_columns(example(), None) == ("text", "long")
    assert text_columns(example(), ("tokens",)) == ("tokens",)
    with pytest.raises(ColumnError, match="no string column among"):
        text_columns(rows(Dataset.from_dict({"uid": ["a"], "number": [1]})), None)


def test_nulls_read_as_nothing_and_tokens_as_words() -> None:
    found = example()
    assert read_text(found, "text").to_pylist() == ["one", "", ""]
    assert read_text(found, "long").to_pylist() == ["x", "y", ""]
    assert read_text(found, "tokens").to_pylist() == ["Thanks .", "", "no "]
    for name in ("label", "nothing"):
        with pytest.raises(ColumnError):
            read_text(found, name)


@pytest.mark.parametrize(
    ("one", "other", "step"),
    [
        ("\ufb01nal \uff21", "final A", "nfkc"),  # a ligature, a full-width letter
        ("cafe\u0301", "caf\u00e9", "nfkc"),
        ("\uff76\uff9e", "\u30ac", "nfkc"),  # half-width katakana
        ("Stra\u00dfe", "STRASSE", "casefold"),
        ("\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2", "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3", "casefold"),
        (" a\tb\n c\u3000", "a b c", "spaces"),
    ],
)
def test_what_differs_in_writing_only_is_spelled_alike_by_its_step_alone(one: str, other: str, step: str) -> None:
    assert respelled([one], [step]) == respelled([other], [step])
    assert respelled([one], SPELLINGS) == respelled([other], SPELLINGS)
    rest = [name for name in SPELLINGS if name != step]
    assert respelled([one], rest) != respelled([other], rest) or step == "spaces"
    assert respelled([one], ()) == [one]


@given(st.lists(st.text()))
def test_spelling_twice_changes_nothing_more_but_for_unstable_characters(texts: list[str]) -> None:
    once = respelled(texts, SPELLINGS)
    stable = [unicodedata.normalize("NFKC", one) == one for one in once]
    assert [one for one, kept in zip(respelled(once, SPELLINGS), stable, strict=True) if kept] == [
        one for one, kept in zip(once, stable, strict=True) if kept
    ]
