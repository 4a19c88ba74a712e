"""BIO: what may follow what, and the best valid tagging, compared with trying every one."""

import itertools

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from xquality.text.bio import Grammar

NAMES = ("O", "B-X", "I-X", "B-Y", "I-Y")
GRAMMAR = Grammar.of(NAMES)


def valid(tags: list[str]) -> bool:
    """Say whether tags are valid BIO, by the definition."""
    before = ["", *tags[:-1]]
    return all(
        not now.startswith("I-") or then in (now, f"B-{now[2:]}") for then, now in zip(before, tags, strict=True)
    )


def starts_of(lengths: list[int]) -> np.ndarray:
    starts = np.zeros(sum(lengths), np.bool_)
    starts[np.cumsum([0, *lengths[:-1]])] = True
    return starts


@given(st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=5), min_size=1, max_size=4))
def test_the_first_fault_is_found(sentences: list[list[int]]) -> None:
    tags = np.array([tag for one in sentences for tag in one])
    fault = GRAMMAR.fault(tags, starts_of([len(one) for one in sentences]))
    assert (fault is None) == all(valid([NAMES[tag] for tag in one]) for one in sentences)
    if fault is not None:
        assert NAMES[tags[fault]].startswith("I-")


def test_tags_without_bio_follow_each_other_in_any_way() -> None:
    grammar = Grammar.of(["NOUN", "VERB", "I-am-a-tag"])
    assert grammar.follows.all()
    assert grammar.fault(np.array([2, 2]), np.array([True, False])) is None


@given(st.data())
def test_the_best_valid_tagging_is_found(data: st.DataObject) -> None:
    sentence = data.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5))
    assume(valid(sentence))
    tags = np.array([NAMES.index(one) for one in sentence])
    free = np.array(data.draw(st.lists(st.integers(0, len(tags) - 1), unique=True).map(sorted)), np.int64)
    random = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    probabilities = random.dirichlet(np.ones(5), len(free))
    found = GRAMMAR.most_probable(tags, starts_of([len(tags)]), free, probabilities)
    best, value = tags, -1.0
    for ways in itertools.product(range(5), repeat=len(free)):
        tried = tags.copy()
        tried[free] = ways
        chance = float(np.prod(probabilities[np.arange(len(free)), list(ways)]))
        if valid([NAMES[tag] for tag in tried]) and chance > value:
            best, value = tried, chance
    assert found.tolist() == best.tolist()


def test_sentences_are_tagged_apart() -> None:
    # The last token of the first sentence and the first of the second may both change, but do not see each other.
    tags, starts = np.array([1, 0, 0, 0]), np.array([True, False, True, False])
    probabilities = np.array([[0.1, 0.1, 0.8, 0.0, 0.0], [0.2, 0.0, 0.8, 0.0, 0.0]])
    found = GRAMMAR.most_probable(tags, starts, np.array([1, 2]), probabilities)
    assert found.tolist() == [1, 2, 0, 0]


def test_a_token_between_two_that_stay_keeps_its_tag_where_nothing_else_fits() -> None:
    tags = np.array([1, 2, 2])  # B-X I-X I-X
    sure_of_o = np.array([[1.0, 0.0, 0.0, 0.0, 0.0]])
    found = GRAMMAR.most_probable(tags, starts_of([3]), np.array([1]), sure_of_o)
    assert found.tolist()[1] in (1, 2)
    assert valid([NAMES[tag] for tag in found])


def test_without_bio_every_token_gets_its_best_tag() -> None:
    grammar = Grammar.of(["A", "B"])
    found = grammar.most_probable(np.array([0, 0]), starts_of([2]), np.array([1]), np.array([[0.2, 0.8]]))
    assert found.tolist() == [0, 1]


def test_nothing_free_changes_nothing() -> None:
    tags = np.array([1, 2])
    assert GRAMMAR.most_probable(tags, starts_of([2]), np.empty(0, np.int64), np.empty((0, 5))).tolist() == [1, 2]


@pytest.mark.parametrize("names", [[], ["O"]])
def test_a_grammar_of_little(names: list[str]) -> None:
    assert Grammar.of(names).follows.shape == (len(names) + 1, len(names))
