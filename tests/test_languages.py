"""Every spelling of a language has the same code, script and family."""

from collections.abc import Callable

import pytest

import xquality as xq
from xquality import toy
from xquality.errors import XqualityError
from xquality.evaluation import references
from xquality.languages import UNKNOWN, describe_known, family, identity, script, similar
from xquality.tasks import INTERMEDIATE, XTREME, pawsx, sib200, xcopa, xnli
from xquality.train import Stage
from xquality.xtreme import write_submission
from xquality.xtreme.layout import XTREME_R


@pytest.mark.parametrize(
    ("spellings", "code"),
    [
        (("es", "spa", "spa_Latn", "es-MX", "ES", "es_ES"), "es"),
        (("zh", "zho_Hans", "zho_Hant", "cmn", "zh-CN", "cmn_Hans"), "zh"),
        (("ar", "arb_Arab", "ara"), "ar"),
        (("fa", "pes_Arab", "fas"), "fa"),
        (("sw", "swh", "swh_Latn", "swa"), "sw"),
        (("en", "eng_Latn", "eng"), "en"),
        (("quy_Latn", "qu"), "qu"),
        (("est", "et"), "et"),
        (("ukr_Cyrl", "uk"), "uk"),
        (("cat_Latn", "ca"), "ca"),
        (("nb", "nob_Latn", "nor", "no"), "no"),
        (("lvs_Latn", "lav", "lv"), "lv"),
    ],
)
def test_every_spelling_of_a_language_has_one_code(spellings: tuple[str, ...], code: str) -> None:
    assert {identity(spelling) for spelling in spellings} == {code}


@pytest.mark.parametrize("unknown", ["xx", "tlh", "de1"])
def test_an_unknown_spelling_stays_as_it_is(unknown: str) -> None:
    assert identity(unknown) == unknown


def test_the_languages_of_a_task_have_different_codes_or_scripts() -> None:
    for task in (sib200, xnli, pawsx, toy.topics):
        named = {(identity(language), script(language)) for language in task.languages}
        assert len(named) == len(task.languages)


def test_every_language_of_the_tasks_and_benchmarks_has_a_script_and_a_family() -> None:
    languages = {
        language for task in (*XTREME, *INTERMEDIATE, sib200, xcopa, toy.topics) for language in task.languages
    }
    languages |= {language for several in XTREME_R.languages.values() for language in several}
    assert len(languages) > 250
    assert not [language for language in languages if UNKNOWN in {script(language), family(language)}]


def test_sib200_names_its_scripts() -> None:
    different = [language for language in sib200.languages if script(language) != language.partition("_")[2]]
    assert different == ["kor_Hang"]  # Korean is written in Hangul and Han, whose code is Kore


@pytest.mark.parametrize(
    ("spellings", "name"),
    [
        (("ko", "kor_Hang", "kor", "ko_Kore", "kor_Hani"), "Kore"),
        (("ja", "jpn_Jpan", "ja_Hira", "jpn_Kana"), "Jpan"),
        (("zh", "zho_Hans", "zh-CN", "cmn_Hani"), "Hans"),
        (("zho_Hant", "zh-TW", "zh_Hant_HK", "yue"), "Hant"),
        (("de", "deu_Latn", "de-Latf"), "Latn"),
        (("ur", "urd_Aran", "urd_Arab"), "Arab"),
        (("mn", "khk_Cyrl", "mon"), "Cyrl"),
        (("uzb_Cyrl", "sr"), "Cyrl"),
    ],
)
def test_every_spelling_of_a_language_has_one_script(spellings: tuple[str, ...], name: str) -> None:
    assert {script(spelling) for spelling in spellings} == {name}


@pytest.mark.parametrize(
    ("spellings", "name"),
    [
        (("zul_Latn", "zu", "wol", "wo", "swh", "yo"), "Atlantic-Congo"),
        (("grn_Latn", "gn", "gug"), "Tupian"),
        (("khm_Khmr", "km", "vi", "sat_Olck"), "Austroasiatic"),
        (("bam_Latn", "nqo_Nkoo"), "Mande"),
        (("luo", "nus_Latn"), "Nilotic"),
        (("ko", "kor_Hang"), "Koreanic"),
        (("hat", "tpi_Latn", "pap", "es"), "Indo-European"),
        (("epo", "eo"), "Artificial Language"),
    ],
)
def test_families_are_the_top_level_of_glottolog(spellings: tuple[str, ...], name: str) -> None:
    assert {family(spelling) for spelling in spellings} == {name}


@pytest.mark.parametrize(
    ("language", "known", "near"),
    [
        ("spanish", ("de", "es"), ("es",)),
        ("Spanisch", ("de", "es"), ("es",)),
        ("ES", ("de", "es"), ("es",)),
        ("spa_Latn", ("de", "es"), ("es",)),
        ("es", ("deu_Latn", "spa_Latn"), ("spa_Latn",)),
        ("eng_latn", ("eng_Latn", "deu_Latn"), ("eng_Latn",)),
        ("chinese", ("zho_Hans", "zho_Hant", "deu_Latn"), ("zho_Hans", "zho_Hant")),
        ("khmer", ("khm_Khmr",), ("khm_Khmr",)),
        ("fr", ("de", "es"), ()),
        ("xx", ("de", "es"), ()),
        ("", ("de",), ()),
        (None, ("de",), ()),
    ],
)
def test_what_may_be_meant_is_named(language: object, known: tuple[str, ...], near: tuple[str, ...]) -> None:
    assert similar(language, known) == near
    assert ("did you mean" in describe_known(language, known)) is bool(near)


def test_a_message_lists_no_more_codes_than_can_be_read() -> None:
    assert describe_known("xx", sib200.languages).endswith("and 165 more")
    assert describe_known("xx", ["es", "de", "es"]) == "; there are es, de"


@pytest.mark.parametrize(
    "refused",
    [
        lambda: xnli.load("spanish", "test"),
        lambda: Stage(xnli, language="spanish"),
        lambda: references(xnli, ["spanish"]),
        lambda: xq.LanguageFilter("spanish"),
        lambda: write_submission("new", {"xnli": {"spanish": ["neutral"]}}),
    ],
)
def test_every_message_about_a_language_names_what_may_be_meant(refused: Callable[[], object]) -> None:
    with pytest.raises(XqualityError, match="did you mean 'es'") as caught:
        refused()
    assert len(str(caught.value)) < 400


def test_tasks_that_spell_languages_differently_can_be_matched() -> None:
    known = {identity(language) for language in sib200.languages}
    assert {identity(language) for task in (xnli, pawsx) for language in task.languages} <= known
    assert {identity(language) for language in toy.topics.languages} <= known
