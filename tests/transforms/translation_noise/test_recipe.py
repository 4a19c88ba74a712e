import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

import xquality as xq
from xquality.data._datasets import table_of
from xquality.errors import ColumnError
from xquality.transforms import Rows
from xquality.transforms.translation_noise.recipe import Recipe

FEATURES = Features(
    {
        "tokens": List(Value("string")),
        "tags": List(ClassLabel(names=["A", "B"])),
        "text": Value("string"),
        "source": Value("string"),
        "uid": Value("string"),
    }
)
DATA = Dataset.from_dict(
    {"tokens": [["a", "b"]], "tags": [[0, 1]], "text": ["a b"], "source": ["x"], "uid": ["u"]}, features=FEATURES
)


def recipe(**settings):
    given = {
        "severity": 0.5,
        "errors": ("omission",),
        "columns": ("text",),
        "vocabulary": None,
        "parallel": None,
        "context": "context",
        "answers": "answers",
        "lost": "drop",
        "tags": None,
    }
    return Recipe.of(Rows(table_of(DATA), DATA.features, "TranslationNoise"), **{**given, **settings})


def test_what_is_written_is_the_columns_and_what_follows_them():
    assert recipe().written == ("text",)
    assert recipe(columns=("text", "tokens")).written == ("text", "tokens", "tags")


def test_a_source_text_is_read_only_where_a_kind_needs_it():
    assert recipe(parallel=("source",)).parallel == {}
    assert recipe(parallel=("source",), errors=("untranslated",)).parallel == {"text": "source"}


def test_what_says_who_the_rows_are_or_were_is_not_changed():
    noise = xq.TranslationNoise(1.0, columns=("text",), errors=("repetition",))
    after = noise(DATA, seed=1)
    with pytest.raises(ColumnError, match="may not change 'uid'"):
        xq.TranslationNoise(1.0, columns=("uid",))(DATA, seed=1)
    with pytest.raises(ColumnError, match="may not change 'text_before'"):
        xq.TranslationNoise(1.0, columns=("text", "text_before"), stream=1)(after, seed=1)


def test_a_column_of_first_values_that_holds_others_is_refused_before_any_work():
    data = DATA.add_column("text_before", [1])
    noise = xq.TranslationNoise(1.0, columns=("text",))
    with pytest.raises(ColumnError, match="'text_before', which holds others"):
        noise(data.select([]), seed=1)
    with pytest.raises(ColumnError, match="'text_before', which holds others"):
        noise(data.to_iterable_dataset(), seed=1)


def test_messages_begin_with_the_name_of_the_class():
    for settings in ({"columns": ("absent",)}, {"columns": ("tags",)}, {"columns": ("uid",)}):
        with pytest.raises(ColumnError, match=r"^TranslationNoise [a-z]"):
            xq.TranslationNoise(0.1, **settings)(DATA, seed=1)
