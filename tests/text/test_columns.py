"""Text columns: the default ones, those with text, columns of tokens, and nulls."""

from typing import Any

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from xquality.data._datasets import table_of
from xquality.errors import ColumnError
from xquality.text.columns import filled_text_columns, join_tokens, read_text, text_columns, token_columns
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
        "text": ["first", None, ""],
        "long": ["x", "y", None],
        "tokens": [["Thanks", "."], None, ["no", None]],
        "label": [0, 1, 1],
        "text_before": [None, None, None],
    }
    return rows(Dataset.from_dict(columns, features=FEATURES))


def test_all_string_columns_but_uids_and_first_values_are_read_or_those_named() -> None:
    assert text_columns(example(), None) == ("text", "long")
    assert text_columns(example(), ("tokens",)) == ("tokens",)
    with pytest.raises(ColumnError, match="no string column among"):
        text_columns(rows(Dataset.from_dict({"uid": ["a"], "number": [1]})), None)


def test_nulls_are_empty_texts_and_tokens_are_joined_by_spaces() -> None:
    data = example()
    assert read_text(data, "text").to_pylist() == ["first", "", ""]
    assert read_text(data, "long").to_pylist() == ["x", "y", ""]
    assert read_text(data, "tokens").to_pylist() == ["Thanks .", "", "no "]
    for name in ("label", "nothing"):
        with pytest.raises(ColumnError):
            read_text(data, name)


def texts(second: str = "") -> Rows:
    return rows(Dataset.from_dict({"a": ["x", "y"], "b": [second] * 2, "label": [0, 1]}))


def test_columns_without_any_text_are_left_out() -> None:
    assert filled_text_columns(texts(), None) == ("a",)
    assert filled_text_columns(texts("so"), None) == ("a", "b")
    assert filled_text_columns(texts("so"), ["b"]) == ("b",)
    with pytest.raises(ColumnError, match="hold none"):
        filled_text_columns(texts(), ["b"])
    with pytest.raises(ColumnError, match="reads text"):
        filled_text_columns(texts(), ["label"])


def test_all_columns_with_a_string_for_each_tag_are_read_or_those_named() -> None:
    words = [["w1", "und"], ["w2", "und"]]
    columns: dict[str, list[Any]] = {"tokens": words, "langs": [["de", "de"]] * 2, "parts": [["w"]] * 2}
    others = {"tokens_before": words, "tags": [[0, 1]] * 2, "text": ["w und"] * 2}
    data, counts = rows(Dataset.from_dict({**columns, **others})), np.array([2, 2])
    assert list(token_columns(data, None, counts)) == ["tokens", "langs"]
    assert token_columns(data, ["langs"], counts) == {"langs": ["de"] * 4}
    for wrong in (["parts"], ["text"], ["tags"], ["tokens", "parts"]):
        with pytest.raises(ColumnError, match="one string for each tag"):
            token_columns(data, wrong, counts)
    with pytest.raises(ColumnError, match="'nothing'"):
        token_columns(data, ["nothing"], counts)


def test_joined_tokens_are_equal_only_if_the_tokens_are() -> None:
    joined = join_tokens(["a", "b", "ab", "a", "b"], np.array([2, 1, 2]))
    assert joined[0] == joined[2] != joined[1]
