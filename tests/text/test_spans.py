"""Spans and edit_windows: every edit of every span stays valid BIO and never meets its neighbour."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import LabelError
from xquality.text.spans import edit_windows, encode

NAMES = ["O", "B-A", "I-A", "B-C", "I-C"]
TYPES = ["A", "C"]


@st.composite
def taggings(draw: st.DrawFn) -> list[int]:
    tags: list[int] = []
    for kind, length, gap in draw(
        st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3), st.integers(0, 5)), max_size=6)
    ):
        tags += [1 + 2 * kind] + [2 + 2 * kind] * (length - 1) + [0] * gap
    return [0] * draw(st.integers(0, 3)) + tags


@given(taggings())
def test_territories_are_apart_and_hold_their_spans(tags: list[int]) -> None:
    found = edit_windows(tags, NAMES)
    again = [0] * len(tags)
    for one in found:
        assert 0 <= one.low <= one.start < one.end <= one.high <= len(tags)
        again[one.low : one.high] = encode([(one.start, one.end, one.kind)], one, NAMES)
    assert again == tags
    assert all(one.high <= other.low for one, other in itertools.pairwise(found))


@given(taggings(), st.data())
def test_every_edit_leaves_valid_bio_and_changes_something(tags: list[int], data: st.DataObject) -> None:
    edited = list(tags)
    for one in edit_windows(tags, NAMES):
        how = data.draw(st.sampled_from(["type", "boundary", "missed", "spurious"]))
        spans = one.edited(how, data.draw(st.floats(0, 0.999)), TYPES)
        if spans is not None:
            part = encode(spans, one, NAMES)
            assert part != tags[one.low : one.high]
            edited[one.low : one.high] = part
    edit_windows(edited, NAMES)  # raises where an I has no B


def test_what_is_no_bio_is_refused() -> None:
    for tags in ([2], [0, 2], [1, 4], [3, 2]):
        with pytest.raises(LabelError):
            edit_windows(tags, NAMES)
    with pytest.raises(LabelError):
        edit_windows([0, 1], ["B-A", "PER"])
