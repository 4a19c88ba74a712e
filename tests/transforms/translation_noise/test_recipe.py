import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

import xquality as xq
from xquality.errors import ColumnError, SettingError

FEATURES = Features(
    {
        "tokens": List(Value("string")),
        "other": List(Value("string")),
        "tags": List(ClassLabel(names=["A", "B"])),
        "langs": List(Value("string")),
    }
)
DATA = Dataset.from_dict(
    {"tokens": [["a", "b", "c"]], "other": [["x", "y", "z"]], "tags": [[0, 1, 0]], "langs": [["en", "es", "de"]]},
    features=FEATURES,
)


def test_class_labels_follow_by_themselves_and_others_by_name():
    after = xq.TranslationNoise(1.0, columns=("tokens",), errors=("repetition",))(DATA, seed=1)[0]
    assert after["tags"] == [0, 0, 1, 1, 0, 0]
    assert after["langs"] == ["en", "es", "de"]
    named = xq.TranslationNoise(1.0, columns=("tokens",), errors=("repetition",), tags=("tags", "langs"))(DATA, seed=1)[
        0
    ]
    assert named["langs"] == ["en", "en", "es", "es", "de", "de"]


def test_first_values_of_tags_do_not_follow():
    noise = xq.TranslationNoise(0.5, columns=("tokens",), errors=("repetition",))
    twice = (noise >> noise)(DATA, seed=1)[0]
    assert twice["tags_before"] in (None, [0, 1, 0])


def test_tags_that_could_follow_two_columns_are_refused():
    with pytest.raises(SettingError, match="cannot tell which"):
        xq.TranslationNoise(0.5, columns=("tokens", "other"))(DATA, seed=1)


def test_tags_that_are_no_lists_or_of_another_length_are_refused():
    data = DATA.add_column("number", [1])
    with pytest.raises(ColumnError, match="'number' holds int64"):
        xq.TranslationNoise(0.5, columns=("tokens",), tags=("number",))(data, seed=1)
    short = Dataset.from_dict(
        {"tokens": [["a", "b"]], "tags": [[0]]},
        features=Features({"tokens": List(Value("string")), "tags": List(ClassLabel(names=["A", "B"]))}),
    )
    with pytest.raises(ColumnError, match="lengths differ"):
        xq.TranslationNoise(0.5, columns=("tokens",))(short, seed=1)
