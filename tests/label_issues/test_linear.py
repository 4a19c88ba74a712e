"""Linear classifiers: probabilities of every class, also of classes without rows and where there is only one."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from xquality.label_issues.linear import Floats, logistic, stochastic

RANDOM = np.random.default_rng(0)
LABELS = np.arange(90) % 3
FEATURES = RANDOM.normal(size=(90, 5)) + 3 * np.eye(5)[LABELS]


def by_gradient(features: Floats, labels: np.ndarray, held: Floats, classes: int) -> Floats:
    return stochastic(csr_matrix(features), labels, csr_matrix(held), classes, seed=1, alpha=1e-3, epochs=20)


@pytest.mark.parametrize("train", [logistic, by_gradient])
def test_features_that_tell_the_class_give_the_class(train: Callable[..., Floats]) -> None:
    found = train(FEATURES[:60], LABELS[:60], FEATURES[60:], 4)
    assert found.shape == (30, 4)
    assert found.sum(axis=1) == pytest.approx(1)
    assert (found[:, 3] == 0).all()
    assert (found.argmax(axis=1) == LABELS[60:]).mean() > 0.8


@pytest.mark.parametrize("train", [logistic, by_gradient])
def test_rows_of_one_class_get_its_smoothed_share(train: Callable[..., Floats]) -> None:
    found = train(FEATURES[:8], np.full(8, 2), FEATURES[8:11], 3)
    assert found == pytest.approx(np.tile([1 / 11, 1 / 11, 9 / 11], (3, 1)))


def test_the_scale_of_a_feature_and_a_constant_one_change_nothing() -> None:
    plain = logistic(FEATURES, LABELS, FEATURES, 3)
    scaled = np.concatenate([FEATURES * np.array([1e-3, 1, 1, 1, 1e4]), np.full((90, 1), 7.0)], axis=1)
    assert logistic(scaled, LABELS, scaled, 3) == pytest.approx(plain, abs=1e-3)


def test_labels_that_the_features_do_not_tell_are_not_learned_by_heart() -> None:
    features, labels = RANDOM.normal(size=(200, 150)), RANDOM.integers(0, 2, 200)
    found = logistic(features, labels, features, 2)
    assert found[np.arange(200), labels].mean() < 0.8  # a regression without a penalty is sure of every row
