"""Words: spaces, scripts without them, marks that stay with their letter."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from xquality.text.words import word_spans, words


def test_scripts_are_cut_where_their_readers_would() -> None:
    assert words("El gato, ¡sí!") == ["El", "gato,", "¡sí!"]
    assert words("東京は大きい。") == ["東", "京", "は", "大", "き", "い", "。"]
    assert words("नमस्ते दुनिया") == ["नमस्ते", "दुनिया"]
    assert words("ที่นี่") == ["ที่", "นี่"]  # vowels and tone marks stay with their consonant
    assert words("مرحبا بالعالم") == ["مرحبا", "بالعالم"]


@given(st.text())
def test_nothing_but_white_space_lies_between_words(text: str) -> None:
    spans = word_spans(text)
    assert all(start < end for start, end in spans)
    assert all(one[1] <= other[0] for one, other in itertools.pairwise(spans))
    covered = {place for start, end in spans for place in range(start, end)}
    assert all(text[place].isspace() for place in range(len(text)) if place not in covered)


@given(st.text() | st.text(st.characters(max_codepoint=127)))
def test_words_are_what_stands_in_their_spans(text: str) -> None:
    assert words(text) == [text[start:end] for start, end in word_spans(text)]
