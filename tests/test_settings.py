"""The checks of settings: plain values come out, everything else is refused in one sentence that names it."""

import dataclasses
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import xquality as xq
from xquality import _settings
from xquality.errors import SettingError

NOT_NUMBERS = [None, "0.5", True, np.True_, [0.5], 0.5j, float("nan"), float("inf"), -float("inf")]


def loop(folder: Path) -> Path:
    """A path that leads through two links to each other."""
    (folder / "first").symlink_to("second")
    (folder / "second").symlink_to("first")
    return folder / "first" / "file"


@given(st.floats(0, 1))
def test_a_rate_between_0_and_1_comes_out_as_it_went_in(value: float) -> None:
    assert _settings.rate("Noise", "rate", value) == value


@given(st.floats().filter(lambda value: not 0 <= value <= 1))
def test_a_rate_outside_0_and_1_is_refused(value: float) -> None:
    with pytest.raises(SettingError):
        _settings.rate("Noise", "rate", value)


@pytest.mark.parametrize("value", [np.float32(0.25), np.float64(0.25), Fraction(1, 4), np.int8(0), 1])
def test_numbers_of_other_libraries_become_plain_floats(value: object) -> None:
    assert type(_settings.rate("Noise", "rate", value)) is float


@pytest.mark.parametrize("value", NOT_NUMBERS)
@pytest.mark.parametrize("check", [_settings.rate, _settings.real, _settings.positive])
def test_what_is_no_finite_number_is_refused(check: Callable[..., float], value: object) -> None:
    with pytest.raises(SettingError, match=r"^Noise\(rate="):
        check("Noise", "rate", value)


@pytest.mark.parametrize("value", [0, -0.0, -1])
def test_a_positive_number_is_above_zero(value: float) -> None:
    assert _settings.positive("Stage", "learning_rate", 1e-5) == 1e-5
    with pytest.raises(SettingError, match="above 0"):
        _settings.positive("Stage", "learning_rate", value)


def test_integers_of_numpy_become_plain_ints() -> None:
    for value in (np.int32(7), np.uint8(7), 7):
        assert (_settings.integer("Draw", "n", value), type(_settings.integer("Draw", "n", value))) == (7, int)


@pytest.mark.parametrize("value", [True, np.False_, 1.0, "1", None, Fraction(3, 2)])
def test_a_flag_a_float_or_a_digit_is_no_integer(value: object) -> None:
    with pytest.raises(SettingError, match="must be an integer"):
        _settings.integer("Draw", "seed", value)


def test_an_integer_below_the_least_is_refused_and_the_least_is_named() -> None:
    assert _settings.integer("Filter", "folds", 2, least=2) == 2
    with pytest.raises(SettingError, match="at least 2"):
        _settings.integer("Filter", "folds", 1, least=2)


@pytest.mark.parametrize("value", [0, 1, "True", None])
def test_only_a_flag_is_a_flag(value: object) -> None:
    assert _settings.boolean("Noise", "exact", np.True_) is True
    with pytest.raises(SettingError, match="True or False"):
        _settings.boolean("Noise", "exact", value)


@pytest.mark.parametrize("value", ["", None, 3, b"label"])
def test_a_name_is_a_string_that_is_not_empty(value: object) -> None:
    assert _settings.text("Noise", "column", "label") == "label"
    with pytest.raises(SettingError, match=r"Noise\(column="):
        _settings.text("Noise", "column", value)


def test_a_list_of_names_becomes_a_tuple() -> None:
    assert _settings.texts("Filter", "columns", ["a", "b"]) == ("a", "b")


@pytest.mark.parametrize("value", ["premise", [], (), ["a", ""], ["a", 1], {"a"}, None, b"ab"])
def test_a_lone_string_is_no_list_of_names(value: Any) -> None:
    with pytest.raises(SettingError, match=r"Filter\(columns="):
        _settings.texts("Filter", "columns", value)


@pytest.mark.parametrize("value", ["erase", "", None, 0, ["drop"]])
def test_a_choice_that_is_not_offered_is_refused_with_those_that_are(value: object) -> None:
    assert _settings.one_of("Filter", "action", "drop", ("drop", "flag")) == "drop"
    with pytest.raises(SettingError, match="one of 'drop', 'flag'"):
        _settings.one_of("Filter", "action", value, ("drop", "flag"))


def test_names_are_different_and_offered() -> None:
    assert _settings.different("Noise", "kinds", ["b", "a"], ("a", "b", "c")) == ("b", "a")
    with pytest.raises(SettingError, match="one of 'a', 'b'"):
        _settings.different("Noise", "kinds", ["c"], ("a", "b"))
    with pytest.raises(SettingError, match="each of them once"):
        _settings.different("Noise", "kinds", ["a", "a"], ("a", "b"))
    with pytest.raises(SettingError, match="list of names"):
        _settings.different("Noise", "kinds", "a", ("a", "b"))


@pytest.mark.parametrize("noise", [xq.LabelNoise, xq.PairNoise, xq.ChoiceNoise, xq.TagNoise, xq.SpanNoise])
def test_the_settings_that_noises_share_become_plain_values_or_are_refused(noise: Any) -> None:
    made = noise(np.float32(0.5), exact=np.False_, stream=np.int64(2), column="x")
    plain = [(type(value), value) for value in (made.rate, made.exact, made.stream, made.column)]
    assert plain == [(float, 0.5), (bool, False), (int, 2), (str, "x")]
    for name, value in {"rate": 1.5, "exact": 1, "stream": -1, "column": ""}.items():
        with pytest.raises(SettingError, match=rf"{noise.__name__}\({name}="):
            noise(**{"rate": 0.5, name: value})


def test_only_the_fields_that_are_there_are_checked() -> None:
    assert xq.MatrixNoise(((1, 0), (0, 1)), stream=np.int8(1)).stream == 1
    with pytest.raises(SettingError, match=r"InstanceNoise\(stream="):
        xq.InstanceNoise(0.5, stream=0.5)


def test_a_path_comes_out_as_a_path(tmp_path: Path) -> None:
    for text in (tmp_path / "x::y", "a/b", "run[1]*", "C:\\data", ".", tmp_path / "file" / "below"):
        assert _settings.path("xq.save", "folder", text) == Path(text)


@pytest.mark.parametrize(
    "make",
    [
        lambda tmp: "a\0b",
        lambda tmp: "x" * 300,
        lambda tmp: "x/" * 3_000,
        lambda tmp: "caf\udce9",
        lambda tmp: b"bytes",
        lambda tmp: "",
        lambda tmp: 3,
        lambda tmp: None,
        loop,
    ],
    ids=["NUL", "a name too long", "a path too long", "no UTF-8", "bytes", "empty", "a number", "none", "a loop"],
)
def test_a_path_that_cannot_be_looked_up_is_refused(tmp_path: Path, make: Callable[[Path], object]) -> None:
    with pytest.raises(SettingError, match=r"^xq\.save\(folder=.*must be a path") as caught:
        _settings.path("xq.save", "folder", make(tmp_path))
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    "make",
    [
        lambda name: xq.LabelNoise(0.1, name),
        lambda name: xq.heads.SequenceHead(("text",), (name, "other")),
        lambda name: xq.toy.topics.__class__(name, ("es",), "es", xq.toy.topics.source),
    ],
)
def test_a_name_with_half_a_surrogate_is_refused(make: Callable[[str], object]) -> None:
    with pytest.raises(SettingError, match="half a surrogate"):
        make("a\ud800")


@pytest.mark.parametrize("value", [[0.5] * 1000, np.zeros((9, 9)), "x" * 500, {"a": ["b"] * 99}])
def test_a_long_value_is_shown_in_one_short_line(value: object) -> None:
    for check in (_settings.rate, _settings.integer, _settings.boolean, _settings.positive):
        with pytest.raises(SettingError) as caught:
            check("Noise", "rate", value)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 200


def test_a_setting_that_was_added_later_is_listed_only_where_it_is_used() -> None:
    @dataclasses.dataclass(frozen=True, repr=False)
    class Noise:
        rate: float = 0.1
        kind: str = dataclasses.field(default="plain", repr=False, metadata=_settings.ADDED)

        __repr__ = _settings.list_settings

    kind = dataclasses.fields(Noise)[1]
    assert (repr(Noise()), repr(Noise(kind="pair"))) == ("Noise(rate=0.1)", "Noise(rate=0.1, kind='pair')")
    assert (_settings.is_unused(kind, "plain"), _settings.is_unused(kind, "pair")) == (True, False)
