"""A sentence is a meaning: its text, tokens and spans agree in every language."""

import pytest

from xquality.toy.lexicon import LANGUAGES, SLOT, lexicon
from xquality.toy.sentence import Sentence, Word, say

WORDS: dict[str, tuple[Word, ...]] = {
    **{str(slot): (("food", slot),) for slot in range(4)},
    "person": (("person", 0), ("person", 3)),
    "person2": (("person", 1),),
    "city": (("city", 0),),
    "city2": (("city", 1),),
    "company": (("company", 0),),
    "company2": (("company", 1),),
    "filler": (("filler", 0),),
}
EVERY = [say(kind, name, WORDS) for kind, names in lexicon().templates.items() for name in names]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_template_can_be_said_and_leaves_no_slot_open(language: str) -> None:
    for sentence in EVERY:
        text = sentence.text(language)
        assert text
        assert not SLOT.search(text)
        assert "  " not in text
        assert text == text.strip()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_tokens_of_a_sentence_are_its_text_without_blanks(language: str) -> None:
    for sentence in EVERY:
        tokens = [token for token, _ in sentence.tokens(language)]
        assert "".join(tokens) == sentence.text(language).replace(" ", "")
        assert all(token and token == token.strip() for token in tokens)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_span_is_where_its_words_stand_and_its_tokens_are_marked(language: str) -> None:
    for sentence in EVERY:
        for slot, _ in sentence.fill:
            start, words = sentence.span(language, slot)
            assert sentence.text(language)[start : start + len(words)] == words
            marked = [token for token, place in sentence.tokens(language) if place == slot]
            assert "".join(marked) == words.replace(" ", "")


def test_a_person_with_two_names_is_one_span() -> None:
    likes = say("context", "likes", WORDS)
    start, words = likes.span("en", "person")
    names = [lexicon().words["person"][place]["en"] for place in (0, 3)]
    assert (start, words) == (0, " ".join(names))
    assert [token for token, slot in likes.tokens("en") if slot == "person"] == names


def test_chinese_text_has_no_blanks_but_its_tokens_are_kept() -> None:
    likes = say("context", "likes", WORDS)
    assert " " not in likes.text("zh")
    assert len(likes.tokens("zh")) > 3


def test_hindi_words_keep_their_vowel_signs() -> None:
    tokens = {token for sentence in EVERY for token, slot in sentence.tokens("hi") if slot == "0"}
    assert tokens == {lexicon().words["food"][0]["hi"]}


def test_what_a_template_does_not_name_makes_no_other_sentence() -> None:
    likes = say("context", "likes", WORDS)
    assert say("context", "likes", {**WORDS, "company": (("company", 5),)}) == likes
    assert hash(say("context", "likes", dict(reversed(WORDS.items())))) == hash(likes)
    assert say("context", "likes", {**WORDS, "0": (("food", 9),)}) != likes


def test_a_template_whose_words_are_missing_is_refused() -> None:
    with pytest.raises(KeyError):
        say("context", "likes", {"person": (("person", 0),)})


def test_sentences_with_other_meanings_read_differently_in_every_language() -> None:
    for language in LANGUAGES:
        assert len({sentence.text(language) for sentence in EVERY}) == len(EVERY)
        assert Sentence("context", "likes", EVERY[0].fill) != EVERY[0]
