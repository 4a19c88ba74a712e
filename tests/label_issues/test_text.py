"""Text: which columns are read, and what is too little."""

from typing import Any

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

from xquality.data._datasets import table_of
from xquality.errors import ColumnError, LabelError
from xquality.label_issues.tags import Tagging, read_tagging
from xquality.label_issues.text import (
    check_enough,
    classes_from_text,
    groups_of,
    sentences_of,
    tags_from_tokens,
    text_columns_of,
    token_columns_of,
)
from xquality.transforms import Draw, Rows

TEXTS = Features({"a": Value("string"), "b": Value("string"), "label": ClassLabel(names=["x", "y"])})
TOKENS = Features(
    {
        "tokens": List(Value("string")),
        "langs": List(Value("string")),
        "parts": List(Value("string")),
        "tokens_before": List(Value("string")),
        "tags": List(ClassLabel(names=["A", "B"])),
        "text": Value("string"),
    }
)


def texts(count: int = 10, empty: str = "") -> Rows:
    columns: dict[str, list[Any]] = {"a": [f"text {one}" for one in range(count)], "b": [empty] * count}
    data = Dataset.from_dict({**columns, "label": [one % 2 for one in range(count)]}, features=TEXTS)
    return Rows(table_of(data), data.features, "Test")


def tokens(count: int = 10) -> tuple[Rows, Tagging]:
    words = [[f"w{one}", "und"] for one in range(count)]
    columns = {"tokens": words, "langs": [["de", "de"]] * count, "parts": [["w"]] * count, "tokens_before": words}
    rest = {"tags": [[0, 1]] * count, "text": ["w und"] * count}
    data = Dataset.from_dict({**columns, **rest}, features=TOKENS)
    rows = Rows(table_of(data), data.features, "Test")
    return rows, read_tagging(rows, "tags", ("A", "B"), "Test", valid=False)


def draw(count: int = 10) -> Draw:
    return Draw(1, "Test", 0, np.arange(count, dtype=np.uint64))


def test_every_column_with_text_is_read_or_those_that_are_named() -> None:
    assert text_columns_of(texts(), None, "Test") == ("a",)
    assert text_columns_of(texts(empty="so"), None, "Test") == ("a", "b")
    assert text_columns_of(texts(empty="so"), ["b"], "Test") == ("b",)
    with pytest.raises(ColumnError, match="hold none"):
        text_columns_of(texts(), ["b"], "Test")
    with pytest.raises(ColumnError, match="reads text"):
        text_columns_of(texts(), ["label"], "Test")


def test_every_column_with_a_string_for_each_tag_is_read_or_those_that_are_named() -> None:
    rows, tagging = tokens()
    assert list(token_columns_of(rows, tagging, None, "Test")) == ["tokens", "langs"]
    assert token_columns_of(rows, tagging, ["langs"], "Test") == {"langs": ["de"] * 20}
    for wrong in (["parts"], ["text"], ["tags"], ["tokens", "parts"]):
        with pytest.raises(ColumnError, match="one string for each tag"):
            token_columns_of(rows, tagging, wrong, "Test")
    with pytest.raises(ColumnError, match="'nothing'"):
        token_columns_of(rows, tagging, ["nothing"], "Test")


def test_probabilities_come_with_the_columns_that_were_read() -> None:
    found, names = classes_from_text(texts(), "label", None, draw(), 2, "Test")
    assert names == ("a",)
    assert found.probabilities.array().shape == (10, 2)
    assert found.probabilities.has_distributions()
    rows, tagging = tokens()
    tags, names = tags_from_tokens(rows, tagging, None, draw(), 2, "Test")
    assert names == ("tokens", "langs")
    assert tags.probabilities.array().shape == (20, 2)
    assert tags.judged.all()


def test_no_rows_have_no_probabilities() -> None:
    found, _ = classes_from_text(texts(0), "label", None, draw(0), 2, "Test")
    assert len(found.probabilities) == 0
    rows, tagging = tokens(0)
    assert len(tags_from_tokens(rows, tagging, None, draw(0), 2, "Test")[0].probabilities) == 0


def test_too_little_is_told() -> None:
    check_enough(np.array([1, 2, 3], np.uint64), np.array([0, 1, 0]), 3, "Test")
    with pytest.raises(LabelError, match="4 different texts and 2 classes or more, but the data have 3 and 2"):
        check_enough(np.array([1, 2, 3], np.uint64), np.array([0, 1, 0]), 4, "Test")
    with pytest.raises(LabelError, match="have 3 and 1"):
        check_enough(np.array([1, 2, 3], np.uint64), np.array([0, 0, 0]), 3, "Test")


def test_rows_with_one_text_are_one_group() -> None:
    groups = groups_of([["a", "a", "b", "ab"], ["c", "c", "c", ""]])
    assert groups[0] == groups[1]
    assert len(set(groups.tolist())) == 3
    split = sentences_of(["a", "b", "ab", "a", "b"], np.array([2, 1, 2]))
    assert split[0] == split[2] != split[1]
