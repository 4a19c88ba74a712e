"""LengthRatioFilter: bounds on both texts, units, and pairs that are not translations."""

from pathlib import Path

import pytest
from datasets import Dataset, Features, Value
from hypothesis import given
from hypothesis import strategies as st

import xquality as xq
from xquality.errors import ColumnError, SettingError
from xquality.text.words import split_words

COLUMNS = ("source_sentence", "target_sentence")


def rows(pairs: list[tuple[str | None, str | None]]) -> Dataset:
    columns = {"a": [first for first, _ in pairs], "b": [second for _, second in pairs]}
    return Dataset.from_dict(columns, features=Features({"a": Value("string"), "b": Value("string")}))


def kept(pairs: list[tuple[str | None, str | None]], **settings) -> list[int]:
    return xq.LengthRatioFilter(("a", "b"), **settings)(rows(pairs), seed=1)["uid"][:]


@given(
    st.lists(st.tuples(st.text(max_size=9) | st.none(), st.text(max_size=9) | st.none()), min_size=1, max_size=20),
    st.floats(1, 5) | st.none(),
    st.integers(0, 4),
    st.integers(4, 9) | st.none(),
    st.sampled_from(["characters", "words"]),
    st.sampled_from([0.5, 1.0, 2.0]),
)
def test_rows_are_kept_by_the_lengths_that_python_counts(
    pairs: list, maximum: float | None, least: int, most: int | None, unit: str, expected: float
) -> None:
    def right(pair: tuple[str | None, str | None]) -> bool:
        first, second = (len(split_words(text or "")) if unit == "words" else len(text or "") for text in pair)
        if not all(least <= length <= (most if most is not None else length) for length in (first, second)):
            return False
        scaled = first * expected
        if maximum is None or scaled == second:
            return True
        return min(scaled, second) > 0 and max(scaled, second) <= maximum * min(scaled, second)

    found = kept(pairs, maximum=maximum, minimum_length=least, maximum_length=most, unit=unit, expected=expected)
    assert found == [number for number, pair in enumerate(pairs) if right(pair)]


def test_lengths_at_the_bounds_are_kept() -> None:
    assert kept([("ab", "abcd"), ("ab", "abcde"), ("abcd", "ab")], maximum=2) == [0, 2]
    assert kept([("a", "ab"), ("abc", "abcd")], minimum_length=2, maximum_length=4) == [1]
    assert kept([("", ""), ("", "a"), (None, None)], minimum_length=0) == [0, 2]
    assert kept([("", ""), ("", "a"), (None, "a")]) == []


def test_a_higher_bound_keeps_all_that_a_lower_one_keeps() -> None:
    pairs = [("a" * (1 + row % 7), "b" * (1 + row % 11)) for row in range(77)]
    few, many = (set(kept(pairs, maximum=bound)) for bound in (1.5, 2.5))
    assert few < many


def test_characters_are_words_in_scripts_without_spaces() -> None:
    pair = [("\u6211\u4eec\u8bd5\u8bd5\u770b\uff01", "Let us all try it !")]
    assert kept(pair, maximum=1, unit="words") == [0]
    assert kept([("one two", "uno dos")], minimum_length=3, unit="words") == []


def test_the_record_counts_the_rows_beyond_each_bound() -> None:
    record = xq.history(
        xq.LengthRatioFilter(("a", "b"), maximum=2, maximum_length=8)(
            rows([("", "a"), ("abc", "abcdefghi"), ("ab", "abcdef"), ("ab", "ab")]), seed=1
        )
    )[-1]
    assert record.details == {"too_short": 1, "too_long": 1, "out_of_ratio": 3}
    assert (record.rows_after, record.realised_rate) == (1, 0.75)


def test_a_stream_is_filtered_row_by_row() -> None:
    data = rows([("a" * (row % 5), "b" * (row % 7)) for row in range(100)])
    found = list(xq.LengthRatioFilter(("a", "b"))(data.to_iterable_dataset(), seed=1))
    assert found == xq.LengthRatioFilter(("a", "b"))(data, seed=1).to_list()


@pytest.mark.parametrize(
    "settings",
    [
        {"columns": "ab"},
        {"columns": ("a",)},
        {"columns": ("a", "b", "c")},
        {"columns": ("a", "b"), "maximum": 0.9},
        {"columns": ("a", "b"), "maximum": float("inf")},
        {"columns": ("a", "b"), "expected": 0},
        {"columns": ("a", "b"), "minimum_length": -1},
        {"columns": ("a", "b"), "minimum_length": 5, "maximum_length": 4},
        {"columns": ("a", "b"), "unit": "bytes"},
    ],
)
def test_invalid_settings_are_refused(settings) -> None:
    with pytest.raises(SettingError):
        xq.LengthRatioFilter(**settings)


def test_columns_that_hold_no_text_are_refused() -> None:
    data = Dataset.from_dict({"a": ["x"], "b": [1]})
    for columns in (("a", "b"), ("a", "c")):
        for unit in ("characters", "words"):
            with pytest.raises(ColumnError):
                xq.LengthRatioFilter(columns, unit=unit)(data, seed=1)


@pytest.mark.parametrize(
    ("language", "maximum", "expected", "translations", "strangers"),
    # The least share of true pairs that is kept, and the largest share of pairs that are not translations.
    [
        ("deu", 2.0, 1.0, 0.98, 0.80),
        ("fra", 2.0, 1.0, 0.97, 0.80),
        ("kat", 2.0, 1.0, 0.96, 0.80),
        ("swh", 2.0, 1.0, 0.94, 0.80),
        ("tam", 2.0, 0.75, 0.96, 0.72),
        ("cmn", 2.0, 3.0, 0.96, 0.80),
        ("jpn", 2.0, 2.0, 0.93, 0.80),
    ],
)
def test_more_translations_are_kept_than_other_pairs(
    real_data: Path, language: str, maximum: float, expected: float, translations: float, strangers: float
) -> None:
    data = Dataset.from_parquet(str(real_data / "tatoeba" / language / "validation.parquet"))
    clean = xq.LengthRatioFilter(COLUMNS, maximum, expected)
    english = data["target_sentence"][:]
    shifted = data.remove_columns("target_sentence").add_column("target_sentence", english[1:] + english[:1])
    assert len(clean(data, seed=1)) > translations * len(data)
    assert len(clean(shifted, seed=1)) < strangers * len(data)
