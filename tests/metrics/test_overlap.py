"""The overlap of tokens, against multisets."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from xquality.metrics.overlap import overlap_f1

tokens = st.lists(st.sampled_from("abcde"), max_size=40)


@given(tokens, tokens)
def test_the_overlap_is_that_of_multisets(one: list[str], other: list[str]) -> None:
    shared = (Counter(one) & Counter(other)).total()
    if not shared:
        assert overlap_f1(one, other) == 0.0
        return
    precision, recall = shared / len(one), shared / len(other)
    assert overlap_f1(one, other) == 2 * precision * recall / (precision + recall)


@given(tokens)
def test_equal_answers_overlap_wholly(one: list[str]) -> None:
    assert overlap_f1(one, one) == overlap_f1(one, sorted(one)) == (1.0 if one else 0.0)
