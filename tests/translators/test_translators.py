"""What every engine promises: as many texts as it was given, in their order, or a typed error."""

import json
from collections.abc import Sequence

import pytest

from xquality.errors import DataKindError, LanguagePairError, SerialisationError, SettingError, TranslationError
from xquality.translators import Cached, FunctionTranslator, MarkedText, from_dict


def shout(texts: Sequence[str], source: str, target: str) -> list[str]:
    return [text.upper() for text in texts]


def name_languages(texts, source, target):
    return [f"{source} {target}"] * len(texts)


def swallow_one(texts, source, target):
    return list(texts)[1:]


def add_one(texts, source, target):
    return [*texts, "one more"]


def say_nothing(texts, source, target):
    return ["" if text == "b" else text for text in texts]


def return_none(texts, source, target):
    return [None for _ in texts]


def return_half_a_surrogate(texts, source, target):
    return ["\ud800" for _ in texts]


def return_one_text(texts, source, target):
    return texts[0]


SHOUT = FunctionTranslator(shout, "shout", "1", [("eng_Latn", "spa_Latn"), ("en", "de")])


def test_texts_come_back_in_order_and_empty_ones_are_not_translated() -> None:
    assert SHOUT.translate(["a", "", "  ", "b\nc", "a"], "en", "es") == ["A", "", "  ", "B\nC", "A"]
    assert SHOUT.translate((), "en", "es") == []


@pytest.mark.parametrize("source", ["en", "eng", "eng_Latn", "EN"])
@pytest.mark.parametrize("target", ["es", "spa", "spa_Latn"])
def test_languages_may_be_spelt_as_in_the_data(source: str, target: str) -> None:
    assert SHOUT.supports(source, target)
    assert SHOUT.translate(["a"], source, target) == ["A"]
    assert FunctionTranslator(name_languages, "n", "1").translate(["a"], source, target) == [f"{source} {target}"]


def test_a_pair_that_is_missing_is_named_with_those_that_are_there() -> None:
    with pytest.raises(LanguagePairError, match=r"shout does not translate 'en' to 'fr'; there are en-de, en-es\."):
        SHOUT.translate(["a"], "en", "fr")
    with pytest.raises(LanguagePairError, match="one language as target"):
        SHOUT.translate([], "en", "de.es")
    with pytest.raises(SettingError, match="source"):
        SHOUT.translate(["a"], "", "es")


@pytest.mark.parametrize(
    ("function", "match"),
    [
        (swallow_one, "returned 1 translations for 2 texts"),
        (add_one, "returned 3 translations for 2 texts"),
        (say_nothing, "returned nothing for text 2, 'b'"),
        (return_none, "returned NoneType for text 0"),
        (return_half_a_surrogate, "half a surrogate"),
        (return_one_text, "returned str for 2 texts"),
    ],
)
def test_lost_added_and_empty_translations_are_errors(function, match: str, tmp_path) -> None:
    engine = FunctionTranslator(function, "engine", "1")
    for translator in (engine, Cached(engine, tmp_path / "cache")):
        with pytest.raises(TranslationError, match=match.replace("text 2", "text .")):
            translator.translate(["a", "", "b"], "en", "es")
    assert not list(tmp_path.rglob("*.sqlite"))


@pytest.mark.parametrize("texts", ["abc", [None], ["a", 3], None, ["\ud800"], [b"a"]])
def test_what_is_no_text_is_refused(texts: object) -> None:
    with pytest.raises(DataKindError, match="translate takes"):
        SHOUT.translate(texts, "en", "es")


def test_settings_of_a_function_are_checked() -> None:
    for settings in ({}, {"name": "n"}, {"name": "n", "version": 1}, {"name": "n", "version": ""}):
        with pytest.raises(SettingError):
            FunctionTranslator(shout, **settings)
    for pairs in ("en", [("en",)], ["en-es"], [("en", "es", "de")]):
        with pytest.raises(SettingError):
            FunctionTranslator(shout, "n", "1", pairs)
    with pytest.raises(SettingError):
        FunctionTranslator(3, "n", "1")


def test_a_function_without_marks_says_so() -> None:
    assert not SHOUT.marks
    with pytest.raises(SettingError, match="shout cannot mark"):
        SHOUT.translate_marked([MarkedText("a b", ((0, 1),))], "en", "es")


def test_marked_parts_must_lie_in_the_text_and_not_overlap() -> None:
    MarkedText("abc", ((1, 3), (0, 1), (2, 2)))
    for spans in (((0, 4),), ((-1, 2),), ((2, 1),), ((0, 2), (1, 3))):
        with pytest.raises(SettingError):
            MarkedText("abc", spans)


def test_a_translator_survives_json_and_repr(tmp_path) -> None:
    cached = Cached(SHOUT, tmp_path)
    for translator in (SHOUT, cached):
        written = json.loads(json.dumps(translator.to_dict()))
        assert from_dict(written, known=[shout]) == translator
        with pytest.raises(SerialisationError, match="shout"):
            from_dict(written)
        assert len(json.dumps(translator.summary())) < 200
    assert cached.summary() == SHOUT.summary() == {"translator": "shout", "version": "1"}
    assert eval(repr(SHOUT)) == SHOUT  # noqa: S307 (our own text)
    with pytest.raises(SerialisationError, match="def"):
        FunctionTranslator(lambda texts, source, target: texts, "n", "1").to_dict()
    for data in (None, {}, {"translator": "Nobody", "settings": {}}, {"translator": "Cached", "settings": {"x": 1}}):
        with pytest.raises(SerialisationError):
            from_dict(data)
