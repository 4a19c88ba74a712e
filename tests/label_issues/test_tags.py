"""Tags: the issues, qualities and sentence scores of cleanlab.token_classification, on flat arrays."""

from typing import Any

import numpy as np
import pytest
from cleanlab.token_classification.filter import find_label_issues
from cleanlab.token_classification.rank import get_label_quality_scores
from datasets import ClassLabel, Dataset, Features, List, Value
from hypothesis import given
from hypothesis import strategies as st

from xquality.data._datasets import table_of
from xquality.errors import ColumnError, LabelError
from xquality.label_issues import Search
from xquality.label_issues.search import quality
from xquality.label_issues.tags import Tags, given_tags, read_tagging
from xquality.transforms import Rows

NAMES = ("O", "B-X", "I-X")
FEATURES = Features({"tags": List(ClassLabel(names=list(NAMES))), "p": List(List(Value("float64")))})


def rows_of(tags: list[Any], probabilities: list[Any]) -> Rows:
    data = Dataset.from_dict({"tags": tags, "p": probabilities}, features=FEATURES)
    return Rows(table_of(data), data.features, "Test")


def judged(tags: list[Any], probabilities: list[Any], uids: list[int] | None = None, *, valid: bool = False) -> Tags:
    rows = rows_of(tags, probabilities)
    tagging = read_tagging(rows, "tags", NAMES, "Test", valid=valid)
    keys = np.array(list(range(len(tags))) if uids is None else uids, np.uint64)
    return given_tags(rows, tagging, "p", keys, "Test")


def drawn(seed: int, rows: int = 40) -> tuple[list[list[int]], list[list[list[float]]]]:
    """Return tags, a third of them at odds with their probabilities; some rows have no tokens."""
    random = np.random.default_rng(seed)
    counts = random.integers(0, 6, rows)
    probabilities = [random.dirichlet(np.full(3, 0.4), one).tolist() for one in counts]
    best = [[int(np.argmax(token)) for token in row] for row in probabilities]
    wrong = [[int(random.integers(0, 3)) if random.random() < 0.3 else tag for tag in row] for row in best]
    return wrong, probabilities


@given(st.integers(0, 10_000))
def test_the_issues_are_those_of_cleanlab(seed: int) -> None:
    tags, probabilities = drawn(seed)
    found = judged(tags, probabilities)
    issues = found.find(Search("prune_by_noise_rate"))
    wanted = find_label_issues(tags, [np.array(one).reshape(-1, 3) for one in probabilities], n_jobs=1)
    places = [(row, place) for row, one in enumerate(tags) for place in range(len(one))]
    assert {one for one, issue in zip(places, issues, strict=True) if issue} == set(map(tuple, wanted))


def test_the_qualities_are_those_of_cleanlab() -> None:
    tags, probabilities = drawn(3)
    full = [place for place, one in enumerate(tags) if one]
    tags, probabilities = [tags[one] for one in full], [probabilities[one] for one in full]
    found = judged(tags, probabilities)
    _, tokens = get_label_quality_scores(tags, [np.array(one) for one in probabilities])
    every = np.arange(len(found.tagging.labels))
    assert quality(found.tagging.labels, found.probabilities, every) == pytest.approx(np.concatenate(tokens))
    weights = found.weights(np.ones(len(every), np.bool_))
    assert weights == pytest.approx([one.mean() for one in tokens])


@given(st.integers(0, 10_000), st.sampled_from(["prune_by_noise_rate", "low_self_confidence", "both"]))
def test_the_order_of_the_rows_decides_nothing(seed: int, rule: str) -> None:
    tags, probabilities = drawn(seed)
    order = np.random.default_rng(seed).permutation(len(tags))
    straight = judged(tags, probabilities)
    mixed = judged([tags[one] for one in order], [probabilities[one] for one in order], order.tolist())
    flags, others = (one.flags(one.find(Search(rule))).to_pylist() for one in (straight, mixed))
    assert [flags[one] for one in order] == others


def test_tokens_that_were_not_judged_are_left_out() -> None:
    tags, probabilities = drawn(5)
    gaps: list[list[Any]] = [[*one[:-1], None] if one else one for one in probabilities]
    found = judged(tags, gaps)
    issues = found.find(Search("prune_by_noise_rate"))
    short = judged([one[:-1] for one in tags], [one[:-1] for one in probabilities])
    flags = found.flags(issues).to_pylist()
    wanted = short.flags(short.find(Search("prune_by_noise_rate"))).to_pylist()
    assert [one[:-1] for one in flags] == wanted
    assert not any(one[-1] for one in flags if one)
    assert issues.any()


@given(st.integers(0, 10_000))
def test_relabelling_changes_issues_only_and_stays_valid(seed: int) -> None:
    tags, probabilities = drawn(seed)
    valid = [
        [1 if tag == 2 and (not place or row[place - 1] == 0) else tag for place, tag in enumerate(row)] for row in tags
    ]
    found = judged(valid, probabilities, valid=True)
    issues = found.find(Search("predicted_neq_given"))
    best, moved = found.relabelled(issues)
    flags = found.flags(issues).to_pylist()
    for given_tags_, new, flag, changed in zip(valid, best.to_pylist(), flags, moved, strict=True):
        assert all(a == b or issue for a, b, issue in zip(given_tags_, new, flag, strict=True))
        assert (given_tags_ != new) == changed
        assert all(tag != 2 or (place and new[place - 1] in (1, 2)) for place, tag in enumerate(new))


@pytest.mark.parametrize(
    ("tags", "probabilities", "fault"),
    [
        ([[0, 1], [0]], [[[1, 0, 0]], [[1, 0, 0]]], ColumnError),  # one token without probabilities
        ([[0, 1], [0]], [[[1, 0], [1, 0]], [[1, 0]]], ColumnError),  # of two tags only
        ([[0, 1], [0]], [[[1, 0, 0], [1, 0, 1]], [[1, 0, 0]]], ColumnError),
        ([[0, 1], [0]], [None, [[1, 0, 0]]], ColumnError),
        ([[0, None], [0]], [[[1, 0, 0]] * 2, [[1, 0, 0]]], LabelError),
        ([[0, -1], [0]], [[[1, 0, 0]] * 2, [[1, 0, 0]]], LabelError),
        ([[0, 0], [0]], [[[1, 0, 0]] * 2, [[1, 0, 0]]], LabelError),  # of one tag only
        ([[0, 1], None], [[[1, 0, 0]] * 2, [[1, 0, 0]]], LabelError),
        ([[0, 1], [0]], [[None, None], [[1, 0, 0]]], LabelError),  # what was judged has one tag only
        ([[0, 2], [0]], [[[1, 0, 0]] * 2, [[1, 0, 0]]], LabelError),  # an I without its B
    ],
)
def test_what_cannot_be_judged_is_refused(tags: list[Any], probabilities: list[Any], fault: type[Exception]) -> None:
    with pytest.raises(fault, match=r"^Test (needs|keeps)"):
        judged(tags, probabilities, valid=True)
