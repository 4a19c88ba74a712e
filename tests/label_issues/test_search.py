"""Search: cleanlab's own outcome, at once and in batches, whatever the order of the labels."""

from typing import Any

import numpy as np
import pytest
from cleanlab.experimental.label_issues_batched import find_label_issues_batched
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from hypothesis import given
from hypothesis import strategies as st

from xquality.data.arrow import Matrix
from xquality.label_issues import RULES
from xquality.label_issues._cleanlab import BATCHED_RULES
from xquality.label_issues.search import IssueSearch, quality_of


def noisy(rows: int = 600, classes: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return labels, a fifth of them wrong, and probabilities that reveal some of these."""
    random = np.random.default_rng(seed)
    right = random.integers(0, classes, rows)
    scores = random.normal(size=(rows, classes))
    scores[np.arange(rows), right] += 2
    odds = np.exp(scores)
    wrong = (right + random.integers(1, classes, rows)) % classes
    return np.where(random.random(rows) < 0.2, wrong, right), odds / odds.sum(axis=1, keepdims=True)


def in_parts(probabilities: np.ndarray, *cuts: int) -> Matrix:
    return Matrix(tuple(np.split(probabilities, cuts)))


LABELS, PROBABILITIES = noisy()


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_finds_what_cleanlab_finds(rule: str) -> None:
    wanted = find_label_issues(LABELS, PROBABILITIES, filter_by=rule, n_jobs=1)
    assert wanted.any()
    assert (IssueSearch(rule).find(LABELS, in_parts(PROBABILITIES), None) == wanted).all()
    assert (IssueSearch(rule).find(LABELS, in_parts(PROBABILITIES, 7, 8, 300), None) == wanted).all()


@pytest.mark.parametrize("rule", BATCHED_RULES)
@pytest.mark.parametrize("size", [50, 600, 10_000])
def test_batches_find_what_cleanlab_finds_in_batches(rule: str, size: int) -> None:
    arguments: dict[str, Any] = {"quality_score_kwargs": {"method": BATCHED_RULES[rule]}, "verbose": False}
    wanted = find_label_issues_batched(LABELS, PROBABILITIES, batch_size=size, return_mask=True, **arguments)
    assert wanted.any()
    assert (IssueSearch(rule, size).find(LABELS, in_parts(PROBABILITIES, 7, 300), None) == wanted).all()


@pytest.mark.parametrize(
    "search", [*(IssueSearch(rule) for rule in RULES), *(IssueSearch(rule, 70) for rule in BATCHED_RULES)]
)
def test_the_order_of_the_labels_changes_nothing(search: IssueSearch) -> None:
    # Rounded probabilities tie often, and ties are what cleanlab breaks by the order of the rows.
    labels, probabilities = noisy(200, 3, seed=1)
    probabilities = np.round(probabilities, 1)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    wanted = search.find(labels, in_parts(probabilities), None)
    order = np.random.default_rng(2).permutation(200)
    back = np.argsort(order)
    found = search.find(labels[order], in_parts(probabilities[order], 90), back)
    assert (found == wanted[order]).all()


@given(st.floats(0, 1), st.sampled_from(RULES))
def test_a_cap_keeps_the_issues_of_the_lowest_quality(share: float, rule: str) -> None:
    every = IssueSearch(rule).find(LABELS, in_parts(PROBABILITIES), None)
    few = IssueSearch(rule, max_fraction=share).find(LABELS, in_parts(PROBABILITIES), None)
    assert few.sum() == min(every.sum(), round(share * len(LABELS)))
    assert not (few & ~every).any()
    own = get_label_quality_scores(LABELS, PROBABILITIES)
    assert own[few].max(initial=0) <= own[every & ~few].min(initial=1)


def test_quality_is_cleanlabs() -> None:
    wanted = get_label_quality_scores(LABELS, PROBABILITIES)
    where = np.array([3, 500, 41])
    assert (quality_of(LABELS, in_parts(PROBABILITIES, 100), where) == wanted[where]).all()
    assert quality_of(LABELS, in_parts(PROBABILITIES), np.empty(0, np.int64)).shape == (0,)


def test_no_labels_have_no_issues() -> None:
    empty = np.empty(0, np.int64)
    for search in (IssueSearch(RULES[0]), IssueSearch("low_self_confidence", 10)):
        assert search.find(empty, Matrix((np.empty((0, 3)),)), None).shape == (0,)


def test_a_class_of_a_single_row_is_never_flagged_and_there_is_no_warning() -> None:
    labels = np.array([0] * 30 + [1] * 30 + [2])
    probabilities = np.full((61, 3), 0.1)
    probabilities[np.arange(61), labels % 2] = 0.8  # the single row of class 2 looks like class 0
    probabilities[0] = [0.1, 0.8, 0.1]
    found = IssueSearch("prune_by_noise_rate").find(labels, in_parts(probabilities), None)
    assert not found[60]
