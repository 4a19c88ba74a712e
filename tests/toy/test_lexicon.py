"""The two tables of the toy data: complete, parallel, in the right script and without ambiguous words."""

import re
import unicodedata

import pytest

from xquality.toy.lexicon import LANGUAGES, SLOT, TOPICS, lexicon
from xquality.toy.sentence import Sentence

SCRIPT = {"ru": "CYRILLIC", "ar": "ARABIC", "hi": "DEVANAGARI", "zh": "CJK"}


def cells(language: str) -> list[str]:
    words = [word[language] for group in lexicon().words.values() for word in group]
    templates = [text[language] for kind in lexicon().templates.values() for text in kind.values()]
    return [*words, *(SLOT.sub("", template) for template in templates)]


def test_the_groups_have_their_sizes() -> None:
    sizes = {group: len(words) for group, words in lexicon().words.items()}
    assert sizes == {**dict.fromkeys(TOPICS, 14), "person": 12, "city": 12, "company": 8, "filler": 12}
    assert all(tuple(word) == LANGUAGES for words in lexicon().words.values() for word in words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_is_of_the_languages_script(language: str) -> None:
    letters = {letter for cell in cells(language) for letter in cell if letter.isalpha()}
    names = {letter: unicodedata.name(letter) for letter in letters}
    assert not {letter: name for letter, name in names.items() if not name.startswith(SCRIPT.get(language, "LATIN"))}


@pytest.mark.parametrize("language", LANGUAGES)
def test_cells_are_tidy_composed_text(language: str) -> None:
    for cell in cells(language):
        assert cell == unicodedata.normalize("NFC", cell)
        assert not re.search(r"[^\S ]", cell)
    templates = [text[language] for kind in lexicon().templates.values() for text in kind.values()]
    assert all(text == text.strip() and "  " not in text for text in templates)
    words = [word[language] for group in lexicon().words.values() for word in group]
    assert all(word == word.strip() and word for word in words)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_stands_for_two_concepts(language: str) -> None:
    words = [word[language].lower() for group in lexicon().words.values() for word in group]
    assert len(set(words)) == len(words)


def test_spanish_nouns_go_with_the_y_before_them() -> None:
    nouns = [word["es"] for topic in TOPICS for word in lexicon().words[topic]]
    assert not [noun for noun in nouns if re.match(r"h?[i\u00ed](?!e)", noun)]  # these would want "e"


def test_a_company_has_two_tokens_in_every_language() -> None:
    assert {len(name.split()) for word in lexicon().words["company"] for name in word.values()} == {2}


def test_templates_have_the_same_slots_in_every_language_and_no_two_are_equal() -> None:
    templates = [text for kind in lexicon().templates.values() for text in kind.values()]
    for text in templates:
        assert len({tuple(sorted(SLOT.findall(said))) for said in text.values()}) == 1
        assert tuple(text) == LANGUAGES
    for language in LANGUAGES:
        assert len({text[language] for text in templates}) == len(templates)


def test_every_cause_has_its_effect() -> None:
    assert list(lexicon().templates["cause"]) == list(lexicon().templates["effect"])


def test_a_sentence_starts_with_a_capital_by_the_rules_of_turkish_too() -> None:
    medicine = Sentence("hypothesis", "is_word", (("0", (("health", 2),)), ("city", (("city", 0),))))
    assert medicine.text("tr").startswith("\u0130la\u00e7 ")
    assert medicine.text("de").startswith("Das Wort Medikament ")


def test_a_span_asked_for_a_slot_that_is_not_there_is_refused() -> None:
    sentence = Sentence("context", "likes", (("person", (("person", 0),)), ("0", (("food", 0),))))
    assert sentence.span("en", "0") == (21, "bread")
    with pytest.raises(KeyError):
        sentence.span("en", "city")
