"""Tag schemes: valid taggings, their spans and edits of these, compared with the definition of BIO."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xquality.errors import LabelError
from xquality.metrics import tagging
from xquality.text.tag_schemes import TagScheme, editable_spans, sentence_starts

NAMES = ("O", "B-X", "I-X", "B-Y", "I-Y")
TYPES = ["X", "Y"]
SCHEME = TagScheme.of(NAMES)


def valid(tags: list[str]) -> bool:
    """Return whether tags are valid BIO, by the definition."""
    before = ["", *tags][: len(tags)]
    return all(
        not now.startswith("I-") or then in (now, f"B-{now[2:]}") for then, now in zip(before, tags, strict=True)
    )


def starts_of(lengths: list[int]) -> np.ndarray:
    return sentence_starts(np.array(lengths, np.int64))


@st.composite
def valid_tags(draw: st.DrawFn) -> list[int]:
    """Draw the tags of one sentence: valid BIO with spans of one to three tokens and gaps between them."""
    tags: list[int] = []
    for kind, length, gap in draw(
        st.lists(st.tuples(st.integers(0, 1), st.integers(1, 3), st.integers(0, 5)), max_size=6)
    ):
        tags += [1 + 2 * kind] + [2 + 2 * kind] * (length - 1) + [0] * gap
    return [0] * draw(st.integers(0, 3)) + tags


@given(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=5), min_size=1, max_size=4))
def test_the_first_invalid_tag_is_found(sentences: list[list[int]]) -> None:
    tags = np.array([tag for sentence in sentences for tag in sentence])
    invalid = SCHEME.first_invalid(tags, starts_of([len(sentence) for sentence in sentences]))
    assert (invalid is None) == all(valid([NAMES[tag] for tag in sentence]) for sentence in sentences)
    if invalid is not None:
        assert NAMES[tags[invalid]].startswith("I-")


def test_tags_without_bio_follow_each_other_in_any_way() -> None:
    scheme = TagScheme.of(["NOUN", "VERB", "I-am-a-tag"])
    assert scheme.follows.all()
    assert scheme.first_invalid(np.array([2, 2]), np.array([True, False])) is None


@given(st.data())
def test_the_best_valid_tagging_is_found(data: st.DataObject) -> None:
    sentence = data.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5))
    assume(valid(sentence))
    tags = np.array([NAMES.index(name) for name in sentence])
    free = np.array(data.draw(st.lists(st.integers(0, len(tags) - 1), unique=True).map(sorted)), np.int64)
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    probabilities = random.dirichlet(np.ones(5), len(free))
    found = SCHEME.most_probable(tags, starts_of([len(tags)]), free, probabilities)
    best, value = tags, -1.0
    for choice in itertools.product(range(5), repeat=len(free)):
        tried = tags.copy()
        tried[free] = choice
        probability = float(np.prod(probabilities[np.arange(len(free)), list(choice)]))
        if valid([NAMES[tag] for tag in tried]) and probability > value:
            best, value = tried, probability
    assert found.tolist() == best.tolist()


def test_sentences_are_tagged_independently() -> None:
    # The last token of the first sentence and the first of the second may both change, independently of each other.
    tags, starts = np.array([1, 0, 0, 0]), np.array([True, False, True, False])
    probabilities = np.array([[0.1, 0.1, 0.8, 0.0, 0.0], [0.2, 0.0, 0.8, 0.0, 0.0]])
    found = SCHEME.most_probable(tags, starts, np.array([1, 2]), probabilities)
    assert found.tolist() == [1, 2, 0, 0]


def test_a_token_between_two_fixed_ones_keeps_its_tag_if_no_other_is_valid() -> None:
    tags = np.array([1, 2, 2])  # B-X I-X I-X
    sure_of_o = np.array([[1.0, 0.0, 0.0, 0.0, 0.0]])
    found = SCHEME.most_probable(tags, starts_of([3]), np.array([1]), sure_of_o)
    assert found.tolist()[1] in (1, 2)
    assert valid([NAMES[tag] for tag in found])


def test_without_bio_every_token_gets_its_best_tag() -> None:
    scheme = TagScheme.of(["A", "B"])
    found = scheme.most_probable(np.array([0, 0]), starts_of([2]), np.array([1]), np.array([[0.2, 0.8]]))
    assert found.tolist() == [0, 1]


def test_without_free_tokens_nothing_changes() -> None:
    tags = np.array([1, 2])
    assert SCHEME.most_probable(tags, starts_of([2]), np.empty(0, np.int64), np.empty((0, 5))).tolist() == [1, 2]


@pytest.mark.parametrize("names", [[], ["O"]])
def test_a_scheme_of_no_tag_or_one(names: list[str]) -> None:
    assert TagScheme.of(names).follows.shape == (len(names) + 1, len(names))


@given(st.lists(valid_tags(), max_size=4))
def test_spans_are_numbered_over_sentences_as_they_are_listed_in_each(sentences: list[list[int]]) -> None:
    tags = np.array([tag for sentence in sentences for tag in sentence], np.int64)
    numbers = SCHEME.number_spans(tags, starts_of([len(sentence) for sentence in sentences]))
    lengths = [end - start for sentence in sentences for start, end, _ in SCHEME.spans(sentence)]
    inside = numbers[tags > 0]
    assert np.unique(inside, return_counts=True)[1].tolist() == lengths
    assert len(np.unique(numbers)) == len(lengths) + (tags == 0).sum()


@given(valid_tags())
def test_marking_the_spans_of_valid_tags_gives_them_back(sentence: list[int]) -> None:
    tags = np.array(sentence, np.int64)
    starts = starts_of([len(sentence)])
    assert SCHEME.mark_spans(tags, SCHEME.number_spans(tags, starts), starts).tolist() == sentence


@given(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=6), min_size=1, max_size=4))
def test_spans_of_any_bio_tags_are_those_of_the_official_scorer(sentences: list[list[int]]) -> None:
    names = [[NAMES[tag] for tag in sentence] for sentence in sentences]
    numbers = [SCHEME.number_spans(np.array(tags), starts_of([len(tags)])) for tags in sentences]
    inside = [len(np.unique(spans[np.array(tags) > 0])) for spans, tags in zip(numbers, sentences, strict=True)]
    assert tagging.chunk_counts(names, names)[:, 2].tolist() == inside


def test_a_span_that_was_split_is_marked_as_two() -> None:
    tags = np.array([1, 2, 2, 0])
    assert SCHEME.mark_spans(tags, np.array([1, 1, 1, 2]), np.array([True, False, True, False])).tolist() == [
        1,
        2,
        1,
        0,
    ]


@given(valid_tags())
def test_rooms_do_not_overlap_and_hold_their_spans(tags: list[int]) -> None:
    spans = editable_spans(tags, NAMES)
    again = [0] * len(tags)
    for span in spans:
        assert 0 <= span.room_start <= span.start < span.end <= span.room_end <= len(tags)
        again[span.room_start : span.room_end] = span.tags_of([(span.start, span.end, span.kind)])
    assert again == tags
    assert all(span.room_end <= following.room_start for span, following in itertools.pairwise(spans))


@given(valid_tags(), st.data())
def test_every_edit_leaves_valid_bio_and_changes_something(tags: list[int], data: st.DataObject) -> None:
    edited = list(tags)
    for span in editable_spans(tags, NAMES):
        how = data.draw(st.sampled_from(["type", "boundary", "missed", "spurious"]))
        spans = span.edit(how, data.draw(st.floats(0, 0.999)), TYPES)
        if spans is not None:
            part = span.tags_of(spans)
            assert part != tags[span.room_start : span.room_end]
            edited[span.room_start : span.room_end] = part
    assert valid([NAMES[tag] for tag in edited])


@pytest.mark.parametrize("tags", [[2], [0, 2], [1, 4], [3, 2]])
def test_spans_of_invalid_bio_are_refused(tags: list[int]) -> None:
    with pytest.raises(LabelError, match="follows no B-"):
        editable_spans(tags, NAMES)


@pytest.mark.parametrize("name", ["PER", "I", "B"])
def test_a_tag_of_another_scheme_among_bio_is_refused(name: str) -> None:
    with pytest.raises(LabelError, match="are of no scheme that is known"):
        editable_spans([0, 1], ["B-A", name])
