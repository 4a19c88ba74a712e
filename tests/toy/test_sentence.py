"""A sentence is a meaning: its text, tokens and spans agree in every language; its words are drawn for each row."""

from collections import Counter

import numpy as np
import pytest

from xquality.randomness import Draw
from xquality.toy.lexicon import LANGUAGES, SLOT, TOPICS, lexicon
from xquality.toy.sentence import Sentence, Word, draw_permutations, draw_words, fill_template

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
EVERY = [fill_template(kind, name, WORDS) for kind, names in lexicon().templates.items() for name in names]


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
    likes = fill_template("context", "likes", WORDS)
    start, words = likes.span("en", "person")
    names = [lexicon().words["person"][place]["en"] for place in (0, 3)]
    assert (start, words) == (0, " ".join(names))
    assert [token for token, slot in likes.tokens("en") if slot == "person"] == names


def test_chinese_text_has_no_blanks_but_its_tokens_are_kept() -> None:
    likes = fill_template("context", "likes", WORDS)
    assert " " not in likes.text("zh")
    assert len(likes.tokens("zh")) > 3


def test_hindi_words_keep_their_vowel_signs() -> None:
    tokens = {token for sentence in EVERY for token, slot in sentence.tokens("hi") if slot == "0"}
    assert tokens == {lexicon().words["food"][0]["hi"]}


def test_what_a_template_does_not_name_makes_no_other_sentence() -> None:
    likes = fill_template("context", "likes", WORDS)
    assert fill_template("context", "likes", {**WORDS, "company": (("company", 5),)}) == likes
    assert hash(fill_template("context", "likes", dict(reversed(WORDS.items())))) == hash(likes)
    assert fill_template("context", "likes", {**WORDS, "0": (("food", 9),)}) != likes


def test_a_template_whose_words_are_missing_is_refused() -> None:
    with pytest.raises(KeyError):
        fill_template("context", "likes", {"person": (("person", 0),)})


def test_sentences_with_other_meanings_read_differently_in_every_language() -> None:
    for language in LANGUAGES:
        assert len({sentence.text(language) for sentence in EVERY}) == len(EVERY)
        assert Sentence("context", "likes", EVERY[0].fill) != EVERY[0]


def draw(start: int, stop: int, seed: int = 0) -> Draw:
    return Draw(seed=seed, scope="test", stream=0, uids=np.arange(start, stop, dtype=np.uint64))


def test_every_row_has_its_own_permutation() -> None:
    orders = draw_permutations(draw(0, 600), "order", 3)
    assert (np.sort(orders, axis=1) == [0, 1, 2]).all()
    counts = Counter(map(tuple, orders.tolist()))
    assert len(counts) == 6
    assert max(counts.values()) < 1.5 * min(counts.values())


def test_a_permutation_is_fixed_by_the_rows_uid_the_seed_and_the_purpose() -> None:
    assert (draw_permutations(draw(0, 20), "order", 5)[7:9] == draw_permutations(draw(7, 9), "order", 5)).all()
    assert (draw_permutations(draw(0, 20), "order", 5) != draw_permutations(draw(0, 20), "other", 5)).any()
    assert (draw_permutations(draw(0, 20), "order", 5) != draw_permutations(draw(0, 20, seed=1), "order", 5)).any()


@pytest.mark.parametrize("rows", [0, 1])
def test_few_rows_have_few_draw_words(rows: int) -> None:
    assert len(draw_words(draw(0, rows))) == rows


def test_a_cast_is_fixed_by_the_rows_uid() -> None:
    assert draw_words(draw(0, 30))[10:12] == draw_words(draw(10, 12))


def test_no_word_stands_in_two_slots_of_a_row() -> None:
    for cast in draw_words(draw(0, 300)):
        words = [word for slot in cast for word in cast[slot]]
        assert len(set(words)) == len(words)


def test_slots_hold_words_of_their_group_that_the_lexicon_has() -> None:
    for cast in draw_words(draw(0, 300)):
        for slot, words in cast.items():
            for group, place in words:
                assert group in (TOPICS if slot.isdigit() else (slot.removesuffix("2"),))
                assert 0 <= place < len(lexicon().words[group])


def test_some_first_persons_have_two_given_names_and_no_other_slot_has_two_words() -> None:
    rows = draw_words(draw(0, 1000))
    assert 0.3 < sum(len(cast["person"]) == 2 for cast in rows) / len(rows) < 0.5
    assert {len(cast[slot]) for cast in rows for slot in cast if slot != "person"} == {1}


def test_every_word_is_used_by_some_row() -> None:
    used = {word for cast in draw_words(draw(0, 1000)) for words in cast.values() for word in words}
    assert used == {(group, place) for group, words in lexicon().words.items() for place in range(len(words))}
