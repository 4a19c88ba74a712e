"""Linear classifiers: probabilities of every class, also of classes without rows and where there is only one."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from xquality.data.arrow import Floats
from xquality.label_issues.linear import predict_by_regression, predict_by_sgd

RANDOM = np.random.default_rng(0)
LABELS = np.arange(90) % 3
FEATURES = RANDOM.normal(size=(90, 5)) + 3 * np.eye(5)[LABELS]


def train_by_sgd(features: Floats, labels: np.ndarray, held_out: Floats, classes: int) -> Floats:
    return predict_by_sgd(csr_matrix(features), labels, csr_matrix(held_out), classes, seed=1, alpha=1e-3, epochs=20)


@pytest.mark.parametrize("train", [predict_by_regression, train_by_sgd])
def test_a_class_that_the_features_decide_is_learnt(train: Callable[..., Floats]) -> None:
    predicted = train(FEATURES[:60], LABELS[:60], FEATURES[60:], 4)
    assert predicted.shape == (30, 4)
    assert predicted.sum(axis=1) == pytest.approx(1)
    assert (predicted[:, 3] == 0).all()
    assert (predicted.argmax(axis=1) == LABELS[60:]).mean() > 0.8


@pytest.mark.parametrize("train", [predict_by_regression, train_by_sgd])
def test_rows_of_one_class_get_its_smoothed_share(train: Callable[..., Floats]) -> None:
    predicted = train(FEATURES[:8], np.full(8, 2), FEATURES[8:11], 3)
    assert predicted == pytest.approx(np.tile([1 / 11, 1 / 11, 9 / 11], (3, 1)))


def test_the_scale_of_a_feature_and_a_constant_one_change_nothing() -> None:
    plain = predict_by_regression(FEATURES, LABELS, FEATURES, 3)
    scaled = np.concatenate([FEATURES * np.array([1e-3, 1, 1, 1, 1e4]), np.full((90, 1), 7.0)], axis=1)
    assert predict_by_regression(scaled, LABELS, scaled, 3) == pytest.approx(plain, abs=1e-3)


def test_label_noise_is_not_memorised() -> None:
    features, labels = RANDOM.normal(size=(200, 150)), RANDOM.integers(0, 2, 200)
    predicted = predict_by_regression(features, labels, features, 2)
    assert predicted[np.arange(200), labels].mean() < 0.8  # a regression without a penalty is sure of every row
