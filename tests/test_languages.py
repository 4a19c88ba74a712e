"""Every spelling of a language has the same code, script and family."""

import pytest

from xquality import toy
from xquality.languages import identity
from xquality.tasks import pawsx, sib200, xnli


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


def test_the_languages_of_a_task_have_different_codes() -> None:
    for task in (sib200, xnli, pawsx, toy.topics):
        assert len({identity(language) for language in task.languages}) == len(task.languages)


def test_tasks_that_spell_languages_differently_can_be_matched() -> None:
    known = {identity(language) for language in sib200.languages}
    assert all(len(code) == 2 for code in known)
    assert {identity(language) for language in xnli.languages} - known == {"bg", "el", "ur"}
    assert {identity(language) for language in pawsx.languages} - known == {"ko"}
    assert {identity(language) for language in toy.topics.languages} <= known
