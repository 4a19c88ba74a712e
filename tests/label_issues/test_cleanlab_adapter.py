"""Canaries: what the adapter uses of cleanlab beyond its documented functions, each failing by its name."""

import inspect
import warnings
from typing import Any

import numpy as np
import pytest

from xquality.label_issues import RULES
from xquality.label_issues._cleanlab import BATCHED_RULES, TOLERANCE, find_issues

ADAPTER = "adapt xquality/label_issues/_cleanlab.py"


def inspector_arguments() -> dict[str, Any]:
    method = {"method": "self_confidence"}
    return {"num_class": 2, "store_results": False, "verbose": False, "quality_score_kwargs": method}


def test_cleanlab_experimental_still_has_the_inspector() -> None:
    from cleanlab.experimental import label_issues_batched

    found = getattr(label_issues_batched, "LabelInspector", None)
    assert found is not None, f"cleanlab.experimental.label_issues_batched.LabelInspector is gone; {ADAPTER}"
    missing = set(inspector_arguments()) - set(inspect.signature(found).parameters)
    assert not missing, f"LabelInspector no longer takes {sorted(missing)}; {ADAPTER}"


@pytest.mark.parametrize("name", ["update_confident_thresholds", "score_label_quality", "get_num_issues"])
def test_the_inspector_still_has_its_methods(name: str) -> None:
    from cleanlab.experimental.label_issues_batched import LabelInspector

    assert callable(getattr(LabelInspector, name, None)), f"LabelInspector.{name} is gone; {ADAPTER}"


def test_the_inspector_still_works_in_two_passes() -> None:
    from cleanlab.experimental.label_issues_batched import LabelInspector

    labels = np.array([0, 1, 0, 1])
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7]])
    inspector = LabelInspector(**inspector_arguments())
    inspector.update_confident_thresholds(labels, probabilities)
    scores = inspector.score_label_quality(labels, probabilities)
    assert np.asarray(scores) == pytest.approx([0.9, 0.8, 0.1, 0.7]), f"score_label_quality returns others; {ADAPTER}"
    assert inspector.get_num_issues(silent=True) == 1, f"get_num_issues counts differently; {ADAPTER}"


def test_the_tolerance_is_still_cleanlabs() -> None:
    from cleanlab.internal import constants

    assert constants.FLOATING_POINT_COMPARISON == TOLERANCE, f"cleanlab has another tolerance; {ADAPTER}"


def test_the_warning_about_small_classes_still_has_its_words() -> None:
    from cleanlab.filter import find_label_issues

    labels, probabilities = np.array([0, 0, 0, 1]), np.tile([0.4, 0.6], (4, 1))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        find_label_issues(labels, probabilities, filter_by="prune_by_class", n_jobs=1)
    said = [str(warning.message) for warning in caught]
    assert any(text.startswith("May not flag all label issues") for text in said), f"{said}; {ADAPTER}"
    find_issues(labels, probabilities, "prune_by_class")  # warnings are errors in tests


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_is_still_one_of_cleanlabs(rule: str) -> None:
    labels, probabilities = np.array([0, 1, 0, 1, 1]), np.tile([0.4, 0.6], (5, 1))
    assert find_issues(labels, probabilities, rule).shape == (5,)
    assert set(BATCHED_RULES) <= set(RULES)


def test_a_noise_matrix_of_cleanlab_is_still_the_transpose_of_a_transition_matrix() -> None:
    from cleanlab.count import estimate_latent

    joint, labels = np.array([[8, 0], [2, 10]]), np.array([0] * 8 + [1] * 12)
    _, noise_matrix, _ = estimate_latent(joint, labels)
    assert noise_matrix.sum(axis=0) == pytest.approx(1), f"the columns of a noise matrix no longer sum to 1; {ADAPTER}"
    transition = noise_matrix.T  # T[true, noisy]
    assert transition == pytest.approx(np.array([[0.8, 0.2], [0, 1]]))
