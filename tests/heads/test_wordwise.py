"""Words to pieces: every word has one at least, and long sentences are cut between words."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.heads import tokens
from xquality.heads.wordwise import cut, pieces_of_words
from xquality.models import load_encoder

SENTENCES = [["Anna", "", "\u200b", "tenis"], [], ["viento"], ["a"] * 5]


@given(lengths=st.lists(st.integers(1, 9), max_size=30), room=st.integers(1, 12))
def test_every_word_is_in_one_part_and_parts_fit(lengths: list[int], room: int) -> None:
    parts = cut(lengths, room)
    assert [place for start, end in parts for place in range(start, end)] == list(range(len(lengths)))
    assert all(sum(lengths[start:end]) <= room or end - start == 1 for start, end in parts)
    # No part could take the next word.
    assert all(sum(lengths[start : end + 1]) > room for start, end in parts[:-1])


def test_a_word_of_nothing_is_one_unknown_piece(encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, tokenizer = load_encoder(encoder)
    monkeypatch.setattr(tokens, "SLICE", 2)
    found = list(pieces_of_words(tokenizer, SENTENCES))
    assert list(map(len, found)) == [4, 0, 1, 5]
    assert [found[0][place].tolist() for place in (1, 2)] == [[tokenizer.unk_token_id]] * 2
    assert found[0][3].tolist() == tokenizer("tenis", add_special_tokens=False)["input_ids"]
