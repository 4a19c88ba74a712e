"""Words and spellings: scripts with and without spaces, combining marks, texts that differ in writing only."""

import itertools
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.text.words import SPELLING_STEPS, respell, split_words, word_spans


def test_each_script_is_split_as_its_readers_would() -> None:
    assert split_words("El gato, ¡sí!") == ["El", "gato,", "¡sí!"]
    assert split_words("東京は大きい。") == ["東", "京", "は", "大", "き", "い", "。"]
    assert split_words("नमस्ते दुनिया") == ["नमस्ते", "दुनिया"]
    assert split_words("ที่นี่") == ["ที่", "นี่"]  # vowels and tone marks stay with their consonant
    assert split_words("مرحبا بالعالم") == ["مرحبا", "بالعالم"]
    assert split_words("ក្រុមប្រឹក្សា") == ["ក្រុ", "ម", "ប្រឹ", "ក្សា"]  # consonants below others
    assert split_words("မြန်မာဘာသာ") == ["မြ", "န်", "မာ", "ဘာ", "သာ"]


@given(st.text())
def test_only_white_space_is_between_words(text: str) -> None:
    spans = word_spans(text)
    assert all(start < end for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
    covered = {position for start, end in spans for position in range(start, end)}
    assert all(text[position].isspace() for position in range(len(text)) if position not in covered)


@given(st.text() | st.text(st.characters(max_codepoint=127)))
def test_words_are_the_text_of_their_spans(text: str) -> None:
    assert split_words(text) == [text[start:end] for start, end in word_spans(text)]


@pytest.mark.parametrize(
    ("text", "variant", "step"),
    [
        ("\ufb01nal \uff21", "final A", "nfkc"),  # a ligature, a full-width letter
        ("cafe\u0301", "caf\u00e9", "nfkc"),
        ("\uff76\uff9e", "\u30ac", "nfkc"),  # half-width katakana
        ("Stra\u00dfe", "STRASSE", "casefold"),
        ("\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2", "\u03c3\u03af\u03c3\u03c5\u03c6\u03bf\u03c3", "casefold"),
        (" a\tb\n c\u3000", "a b c", "spaces"),
    ],
)
def test_texts_that_differ_in_writing_become_equal_by_one_step(text: str, variant: str, step: str) -> None:
    assert respell([text], [step]) == respell([variant], [step])
    assert respell([text], SPELLING_STEPS) == respell([variant], SPELLING_STEPS)
    rest = [name for name in SPELLING_STEPS if name != step]
    assert respell([text], rest) != respell([variant], rest) or step == "spaces"
    assert respell([text], ()) == [text]


@given(st.lists(st.text()))
def test_respelling_twice_changes_nothing_more_unless_case_folding_leaves_nfkc(texts: list[str]) -> None:
    once = respell(texts, SPELLING_STEPS)
    twice = respell(once, SPELLING_STEPS)
    assert all(
        first == second
        for first, second in zip(once, twice, strict=True)
        if unicodedata.normalize("NFKC", first) == first
    )
