"""Classes: one label a row, from classes of all rows or from a row's own options."""

from typing import Any

import numpy as np
import pytest
from cleanlab.filter import find_label_issues
from datasets import ClassLabel, Dataset, Features, List, Value

from xquality.data._datasets import table_of
from xquality.errors import ColumnError, LabelError
from xquality.label_issues import Search
from xquality.label_issues.classes import by_uid, check_variety, given_choices, given_classes
from xquality.transforms import Rows

UIDS = np.arange(4, dtype=np.uint64)


def rows_of(feature: Any, **columns: list[Any]) -> Rows:
    features = Features({name: feature if name == "label" else List(Value("float64")) for name in columns})
    data = Dataset.from_dict(columns, features=features)
    return Rows(table_of(data), data.features, "Test")


def choices(labels: list[Any], probabilities: list[Any]) -> Rows:
    return rows_of(Value("int32"), label=labels, p=probabilities)


def test_a_row_with_fewer_options_has_no_chance_of_the_missing_ones() -> None:
    rows = choices([0, 2, 1, 1], [[0.9, 0.1], [0.2, 0.2, 0.6], [0.5, 0.5], [0.3, 0.7]])
    found = given_choices(rows, "label", "p", UIDS, "Test")
    assert found.probabilities.array()[:, 2].tolist() == [0, 0.6, 0, 0]
    assert found.relabelled(np.array([False, True, True, False]))[0].to_pylist() == [0, 2, 0, 1]


def test_options_of_equal_number_are_searched_as_cleanlab_searches_classes() -> None:
    random = np.random.default_rng(0)
    probabilities = random.dirichlet(np.full(4, 0.3), 400)
    labels = np.where(random.random(400) < 0.3, random.integers(0, 4, 400), probabilities.argmax(axis=1))
    rows = choices(labels.tolist(), probabilities.tolist())
    judged = given_choices(rows, "label", "p", np.arange(400, dtype=np.uint64), "Test")
    for rule in ("prune_by_noise_rate", "confident_learning", "low_self_confidence"):
        wanted = find_label_issues(labels, probabilities, filter_by=rule, n_jobs=1)
        assert wanted.any()
        assert (judged.find(Search(rule)) == wanted).all()


@pytest.mark.parametrize(
    ("labels", "probabilities", "fault"),
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
def test_what_is_no_choice_is_refused(labels: list[Any], probabilities: list[Any], fault: type[Exception]) -> None:
    with pytest.raises(fault, match=r"^Test needs"):
        given_choices(choices(labels, probabilities), "label", "p", UIDS, "Test")


def test_classes_need_their_probabilities() -> None:
    label = ClassLabel(names=["a", "b", "c"])
    rows = rows_of(label, label=[0, 1, 2, 0], p=[[0.2, 0.3, 0.5]] * 4)
    assert given_classes(rows, "label", "p", UIDS, "Test").labels.tolist() == [0, 1, 2, 0]
    short = rows_of(label, label=[0, 1, 2, 0], p=[[0.2, 0.8]] * 4)
    with pytest.raises(ColumnError, match="3 probabilities"):
        given_classes(short, "label", "p", UIDS, "Test")


def test_labels_of_one_class_tell_nothing() -> None:
    check_variety(np.array([0, 0, 1]), "Test")
    check_variety(np.empty(0, np.int64), "Test")
    with pytest.raises(LabelError, match="all 2 are 3"):
        check_variety(np.array([3, 3]), "Test")


def test_the_order_of_uids_is_given_where_the_rows_are_not_in_it() -> None:
    assert by_uid(np.array([1, 5, 9], np.uint64)) is None
    assert by_uid(np.empty(0, np.uint64)) is None
    order = by_uid(np.array([5, 9, 1], np.uint64))
    assert order is not None
    assert order.tolist() == [2, 0, 1]
