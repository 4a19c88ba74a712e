"""Predictions: labels of every shape beside their probabilities, the issues among them, and what is refused."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from cleanlab.filter import find_label_issues
from cleanlab.token_classification.filter import find_label_issues as find_token_issues
from cleanlab.token_classification.rank import get_label_quality_scores
from datasets import ClassLabel, Dataset, Features, List, Value
from hypothesis import given
from hypothesis import strategies as st

from xquality.data._datasets import table_of
from xquality.data.arrow import Matrix
from xquality.errors import ColumnError, LabelError, SettingError
from xquality.label_issues.predictions import (
    ClassPredictions,
    ConfidencePredictions,
    LabelPredictions,
    Tagging,
    TagPredictions,
    read_choice_predictions,
    read_class_predictions,
    read_confidence_predictions,
    read_tag_predictions,
    read_tagging,
)
from xquality.label_issues.search import IssueSearch
from xquality.transforms import Rows

UIDS = np.arange(4, dtype=np.uint64)
NAMES = ("O", "B-X", "I-X")


def rows_of(features: dict[str, Any], **columns: list[Any]) -> Rows:
    data = Dataset.from_dict(columns, features=Features(features))
    return Rows(table_of(data), data.features, "Test")


def choices(labels: list[Any], probabilities: list[Any]) -> Rows:
    return rows_of({"label": Value("int32"), "p": List(Value("float64"))}, label=labels, p=probabilities)


def tags_of(
    tags: list[Any], probabilities: list[Any], uids: list[int] | None = None, *, valid: bool = False
) -> TagPredictions:
    features = {"tags": List(ClassLabel(names=list(NAMES))), "p": List(List(Value("float64")))}
    rows = rows_of(features, tags=tags, p=probabilities)
    tagging = read_tagging(rows, "tags", NAMES, valid=valid)
    keys = np.array(list(range(len(tags))) if uids is None else uids, np.uint64)
    return read_tag_predictions(rows, tagging, "p", keys)


def drawn_tags(seed: int, rows: int = 40) -> tuple[list[list[int]], list[list[list[float]]]]:
    """Return tags, a third of them not the most probable ones, and probabilities; some rows have no tokens."""
    random = np.random.default_rng(seed)
    counts = random.integers(0, 6, rows)
    probabilities = [random.dirichlet(np.full(3, 0.4), count).tolist() for count in counts]
    best = [[int(np.argmax(token)) for token in row] for row in probabilities]
    wrong = [[int(random.integers(0, 3)) if random.random() < 0.3 else tag for tag in row] for row in best]
    return wrong, probabilities


SURE = Matrix((np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3]]),))
SHAPES: list[LabelPredictions] = [
    ClassPredictions(np.array([0, 1, 1]), SURE, None),
    ConfidencePredictions(np.array([0.9, 0.8, 0.3]), UIDS[:3]),
    TagPredictions(Tagging(np.array([0, 1, 1]), np.array([2, 0, 1]), ("A", "B")), SURE, np.ones(3, np.bool_), None),
]


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: type(shape).__name__)
def test_rows_flags_and_weights_agree(shape: LabelPredictions) -> None:
    none, last = np.zeros(3, np.bool_), np.array([False, False, True])
    assert not shape.rows_with(none).any()
    assert shape.rows_with(last).tolist() == [False, False, True]
    assert (shape.weights(none) == 1).all()
    assert shape.weights(last) == pytest.approx([1, 1, 0.3])
    flags = shape.flags(last)
    assert len(flags) == 3
    values = flags.flatten() if pa.types.is_nested(flags.type) else flags
    assert values.to_pylist() == last.tolist()


def test_classes_need_their_probabilities() -> None:
    features = {"label": ClassLabel(names=["a", "b", "c"]), "p": List(Value("float64"))}
    rows = rows_of(features, label=[0, 1, 2, 0], p=[[0.2, 0.3, 0.5]] * 4)
    assert read_class_predictions(rows, "label", "p", UIDS).labels.tolist() == [0, 1, 2, 0]
    with pytest.raises(ColumnError, match="3 probabilities"):
        read_class_predictions(rows_of(features, label=[0, 1, 2, 0], p=[[0.2, 0.8]] * 4), "label", "p", UIDS)
    with pytest.raises(LabelError, match="all 4 are 2"):
        read_class_predictions(rows_of(features, label=[2] * 4, p=[[0.2, 0.3, 0.5]] * 4), "label", "p", UIDS)


def test_a_missing_option_has_no_probability() -> None:
    rows = choices([0, 2, 1, 1], [[0.9, 0.1], [0.2, 0.2, 0.6], [0.5, 0.5], [0.3, 0.7]])
    predictions = read_choice_predictions(rows, "label", "p", UIDS)
    assert predictions.probabilities.array()[:, 2].tolist() == [0, 0.6, 0, 0]
    assert predictions.relabel(np.array([False, True, True, False]))[0].to_pylist() == [0, 2, 0, 1]


def test_options_of_equal_number_are_searched_as_cleanlab_searches_classes() -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.full(4, 0.3), 400)
    labels = np.where(random.random(400) < 0.3, random.integers(0, 4, 400), probabilities.argmax(axis=1))
    rows = choices(labels.tolist(), probabilities.tolist())
    predictions = read_choice_predictions(rows, "label", "p", np.arange(400, dtype=np.uint64))
    for rule in ("prune_by_noise_rate", "confident_learning", "low_self_confidence"):
        wanted = find_label_issues(labels, probabilities, filter_by=rule, n_jobs=1)
        assert wanted.any()
        assert (predictions.find_issues(IssueSearch(rule)) == wanted).all()


@pytest.mark.parametrize(
    ("labels", "probabilities", "error"),
    [
        ([0, 1, 2, 0], [[0.5, 0.5]] * 4, LabelError),  # the row has no third option
        ([0, 1, -1, 0], [[0.5, 0.5]] * 4, LabelError),
        ([0, 1, None, 0], [[0.5, 0.5]] * 4, LabelError),
        ([1, 1, 1, 1], [[0.5, 0.5]] * 4, LabelError),
        ([0, 1, 0, 0], [[0.5, 0.5]] * 3 + [[1.0]], ColumnError),  # one option is no choice
        ([0, 1, 0, 0], [[0.5, 0.5]] * 3 + [[0.5, 0.6]], ColumnError),
        ([0, 1, 0, 0], [[0.5, 0.5]] * 3 + [None], ColumnError),
        ([0, 1, 0, 0], [[0.5, 0.5]] * 3 + [[]], ColumnError),
    ],
)
def test_invalid_choices_are_refused(labels: list[Any], probabilities: list[Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^Test needs"):
        read_choice_predictions(choices(labels, probabilities), "label", "p", UIDS)


@given(st.lists(st.sampled_from([0.1, 0.2, 0.3]), max_size=30), st.floats(0, 1), st.randoms())
def test_the_lowest_confidences_are_issues_whatever_the_order_of_rows(
    values: list[float], share: float, random: Any
) -> None:
    uids = np.arange(len(values), dtype=np.uint64)
    search = IssueSearch("any", max_fraction=share)
    issues = ConfidencePredictions(np.array(values), uids).find_issues(search)
    assert issues.sum() == round(share * len(values))
    assert max(np.array(values)[issues], default=0) <= min(np.array(values)[~issues], default=1)
    order = list(range(len(values)))
    random.shuffle(order)
    shuffled = ConfidencePredictions(np.array(values)[order], uids[order]).find_issues(search)
    assert (shuffled == issues[order]).all()


def test_a_confidence_gives_no_better_label() -> None:
    with pytest.raises(SettingError, match="another action"):
        ConfidencePredictions(np.array([0.5]), np.zeros(1, np.uint64)).relabel(np.array([True]))


@pytest.mark.parametrize("values", [[0.5, None], [0.5, 1.1], [0.5, -0.1], [0.5, float("nan")], ["a", "b"]])
def test_invalid_confidences_are_refused(values: list[Any]) -> None:
    rows = Rows(pa.table({"p": values}), Features(), "Test")
    with pytest.raises(ColumnError, match=r"a number in \[0, 1\]"):
        read_confidence_predictions(rows, "p", UIDS[:2])


@given(st.integers(0, 10_000))
def test_the_issues_among_tags_are_those_of_cleanlab(seed: int) -> None:
    tags, probabilities = drawn_tags(seed)
    issues = tags_of(tags, probabilities).find_issues(IssueSearch("prune_by_noise_rate"))
    wanted = find_token_issues(tags, [np.array(row).reshape(-1, 3) for row in probabilities], n_jobs=1)
    positions = [(row, token) for row, sentence in enumerate(tags) for token in range(len(sentence))]
    assert {position for position, issue in zip(positions, issues, strict=True) if issue} == set(map(tuple, wanted))


def test_weights_of_tags_are_the_means_of_cleanlabs_qualities() -> None:
    tags, probabilities = drawn_tags(3)
    filled = [row for row, sentence in enumerate(tags) if sentence]
    tags, probabilities = [tags[row] for row in filled], [probabilities[row] for row in filled]
    predictions = tags_of(tags, probabilities)
    _, qualities = get_label_quality_scores(tags, [np.array(row) for row in probabilities])
    weights = predictions.weights(np.ones(len(predictions.tagging.labels), np.bool_))
    assert weights == pytest.approx([scores.mean() for scores in qualities])


@given(st.integers(0, 10_000), st.sampled_from(["prune_by_noise_rate", "low_self_confidence", "both"]))
def test_the_order_of_the_rows_changes_no_issue(seed: int, rule: str) -> None:
    tags, probabilities = drawn_tags(seed)
    order = np.random.default_rng(seed).permutation(len(tags))
    straight = tags_of(tags, probabilities)
    mixed = tags_of([tags[row] for row in order], [probabilities[row] for row in order], order.tolist())
    flags, others = (
        predictions.flags(predictions.find_issues(IssueSearch(rule))).to_pylist() for predictions in (straight, mixed)
    )
    assert [flags[row] for row in order] == others


def test_tokens_without_probabilities_are_no_issues_and_change_no_others() -> None:
    tags, probabilities = drawn_tags(5)
    gaps: list[list[Any]] = [[*row[:-1], None] if row else row for row in probabilities]
    search = IssueSearch("prune_by_noise_rate")
    predictions = tags_of(tags, gaps)
    issues = predictions.find_issues(search)
    short = tags_of([sentence[:-1] for sentence in tags], [row[:-1] for row in probabilities])
    flags = predictions.flags(issues).to_pylist()
    assert [row[:-1] for row in flags] == short.flags(short.find_issues(search)).to_pylist()
    assert not any(row[-1] for row in flags if row)
    assert issues.any()


@given(st.integers(0, 10_000))
def test_relabelling_changes_issues_only_and_stays_valid(seed: int) -> None:
    tags, probabilities = drawn_tags(seed)
    valid = [
        [1 if tag == 2 and (not token or row[token - 1] == 0) else tag for token, tag in enumerate(row)] for row in tags
    ]
    predictions = tags_of(valid, probabilities, valid=True)
    issues = predictions.find_issues(IssueSearch("predicted_neq_given"))
    best, moved = predictions.relabel(issues)
    flags = predictions.flags(issues).to_pylist()
    for before, after, flag, changed in zip(valid, best.to_pylist(), flags, moved, strict=True):
        assert all(old == new or issue for old, new, issue in zip(before, after, flag, strict=True))
        assert (before != after) == changed
        assert all(tag != 2 or (token and after[token - 1] in (1, 2)) for token, tag in enumerate(after))


@pytest.mark.parametrize(
    ("tags", "probabilities", "error"),
    [
        ([[0, 1], [0]], [[[1, 0, 0]], [[1, 0, 0]]], ColumnError),  # one token has no list
        ([[0, 1], [0]], [[[1, 0], [1, 0]], [[1, 0]]], ColumnError),  # of two tags only
        ([[0, 1], [0]], [[[1, 0, 0], [1, 0, 1]], [[1, 0, 0]]], ColumnError),
        ([[0, 1], [0]], [None, [[1, 0, 0]]], ColumnError),
        ([[0, None], [0]], [[[1, 0, 0]] * 2, [[1, 0, 0]]], LabelError),
        ([[0, -1], [0]], [[[1, 0, 0]] * 2, [[1, 0, 0]]], LabelError),
        ([[0, 0], [0]], [[[1, 0, 0]] * 2, [[1, 0, 0]]], LabelError),  # of one tag only
        ([[0, 1], None], [[[1, 0, 0]] * 2, [[1, 0, 0]]], LabelError),
        ([[0, 1], [0]], [[None, None], [[1, 0, 0]]], LabelError),  # only one tag has probabilities
        ([[0, 2], [0]], [[[1, 0, 0]] * 2, [[1, 0, 0]]], LabelError),  # an I without its B
    ],
)
def test_invalid_tags_are_refused(tags: list[Any], probabilities: list[Any], error: type[Exception]) -> None:
    with pytest.raises(error, match=r"^Test (needs|keeps)"):
        tags_of(tags, probabilities, valid=True)
