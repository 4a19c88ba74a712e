"""Answers: windows hold every span, offsets are those of the text, the best spans are found, answers are ranked."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xquality import toy
from xquality.heads import PredictedAnswer
from xquality.heads.answers import Window, best_spans, rank_answers, tokens_with_offsets, window_starts
from xquality.models import load_encoder

SPANS = {(0, 2): 1.0, (3, 7): 3.0, (0, 7): 3.0}


def test_answers_come_best_first_and_equal_ones_by_their_place() -> None:
    found = rank_answers("in Lima", SPANS, 9.0, 2, None)
    assert found == [PredictedAnswer("in Lima", 0, 3.0), PredictedAnswer("Lima", 3, 3.0)]
    assert rank_answers("in Lima", {}, 9.0, 2, None) == [PredictedAnswer("", -1, 9.0)]


@pytest.mark.parametrize(("null", "threshold", "first"), [(4.0, 0.0, ""), (4.0, 2.0, "in Lima"), (3.0, 0.0, "in Lima")])
def test_no_answer_is_first_only_where_it_is_far_enough_ahead(null: float, threshold: float, first: str) -> None:
    found = rank_answers("in Lima", SPANS, null, 20, threshold)
    assert found[0].text == first
    assert PredictedAnswer("", -1, null) in found
    assert len(found) == 4


@given(tokens=st.integers(0, 300), room=st.integers(2, 90), stride=st.integers(1, 200))
def test_windows_cover_the_text_and_every_span_of_half_a_window(tokens: int, room: int, stride: int) -> None:
    found = window_starts(tokens, room, stride)
    covered = {place for start in found for place in range(start, min(start + room, tokens))}
    assert covered == set(range(tokens))
    step = max(1, min(stride, room // 2))
    assert all(later - earlier == step for earlier, later in itertools.pairwise(found))
    for first in range(tokens):
        last = min(first + room - step, tokens) - 1
        assert any(start <= first and last < start + room for start in found)
    assert len(found) == 1 or found[-2] + room < tokens  # no window that adds nothing


@pytest.mark.parametrize("language", ["de", "ar", "zh"])
def test_the_answer_is_found_by_its_offsets_in_every_script(encoder: Path, by_character, language: str) -> None:
    data = toy.questions.load(language, "test").select(range(50))
    tokenizer = by_character if language == "zh" else load_encoder(encoder)[1]
    for row, (_, offsets) in zip(data, tokens_with_offsets(tokenizer, data["context"][:]), strict=True):
        window = Window(row["context"], 7, offsets)
        start, text = row["answers"]["answer_start"][0], row["answers"]["text"][0]
        first, last = window.span(*window.find((start, start + len(text))))
        assert text in row["context"][first:last]
        assert len(row["context"][first:last]) <= len(text) + 3  # a piece may hold a mark or an article with the word


def test_offsets_have_no_white_space_at_their_ends(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    texts = ["  zwei   Wörter ", "", "北京\u3000是 x", "ﬁn (x)"]
    for text, (ids, offsets) in zip(texts, tokens_with_offsets(tokenizer, texts), strict=True):
        assert len(ids) == len(offsets)
        assert all(text[start:end] == text[start:end].strip() for start, end in offsets)


def test_a_span_that_a_window_cuts_is_not_in_it() -> None:
    window = Window("abcdef", 3, np.array([[1, 2], [2, 4]]))
    assert window.find((1, 4)) == (3, 4)
    assert window.find((2, 3)) == (4, 4)
    assert window.find((0, 2)) is None
    assert window.find((2, 5)) is None
    assert Window("", 3, np.zeros((0, 2), np.int64)).find((0, 0)) is None


@given(seed=st.integers(0, 1000), tokens=st.integers(1, 12), longest=st.integers(1, 15), count=st.integers(1, 30))
def test_the_best_spans_are_those_of_trying_all(seed: int, tokens: int, longest: int, count: int) -> None:
    draw = np.random.default_rng(seed)
    begin, end = (torch.tensor(draw.normal(size=(2, tokens)), dtype=torch.float32) for _ in range(2))
    allowed = torch.zeros(2, tokens, dtype=torch.bool)
    allowed[0] = True
    allowed[1, tokens // 3 : tokens - tokens // 4] = True
    for row, found in enumerate(best_spans(begin, end, allowed, longest, count)):
        places = torch.nonzero(allowed[row]).flatten().tolist()
        every = [
            (float(begin[row, first] + end[row, last]), first, last)
            for first in places
            for last in places
            if first <= last < first + longest
        ]
        expected = sorted(every, reverse=True)[:count]
        assert [span[1:] for span in found] == [span[1:] for span in expected]
