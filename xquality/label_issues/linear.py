"""Linear classifiers with log loss, for probabilities of rows that were held out."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xquality.data.arrow import Floats

_PENALTY = 100.0  # on standardised features; a weaker one learns a few hundred wrong labels by heart


def stochastic(
    features: Any, labels: NDArray[np.int64], held: Any, classes: int, *, seed: int, alpha: float, epochs: int
) -> Floats:
    """Train by stochastic gradient descent, one class against the rest, and return probabilities for `held`.

    For many sparse features.

    Args:
        features: a sparse matrix, shape (rows, features).
        labels: class numbers, shape (rows,).
        held: the rows to predict_probabilities, shape (held rows, features).
        classes: the number of classes; those without rows get the probability 0.
        seed: of the order of the rows.
        alpha: the strength of the penalty on the weights.
        epochs: how often each row is seen.

    Returns:
        Probabilities, shape (held rows, classes); each row sums to 1.
    """
    from sklearn.linear_model import SGDClassifier

    if (labels == labels[0]).all():
        return _shares(labels, classes, held.shape[0])
    predicted = np.zeros((held.shape[0], classes))
    model = SGDClassifier(loss="log_loss", alpha=alpha, max_iter=epochs, tol=None, random_state=seed)
    model.fit(features, labels)
    predicted[:, model.classes_] = model.predict_proba(held)
    return predicted


def logistic(features: Floats, labels: NDArray[np.int64], held: Floats, classes: int) -> Floats:
    """Train multinomial logistic regression on standardised features and return probabilities for `held`.

    For some hundred dense features.

    Args:
        features: shape (rows, features).
        labels: class numbers, shape (rows,).
        held: the rows to predict_probabilities, shape (held rows, features).
        classes: the number of classes; those without rows get the probability 0.

    Returns:
        Probabilities, shape (held rows, classes); each row sums to 1.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    if (labels == labels[0]).all():
        return _shares(labels, classes, len(held))
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread[spread == 0] = 1.0
    predicted = np.zeros((len(held), classes))
    model = LogisticRegression(C=1 / _PENALTY, max_iter=200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last digits decide no probability
        model.fit((features - mean) / spread, labels)
    predicted[:, model.classes_] = model.predict_proba((held - mean) / spread)
    return predicted


def _shares(labels: NDArray[np.int64], classes: int, rows: int) -> Floats:
    """Return the smoothed shares of the classes for every row: where there is one class, nothing can be told apart."""
    counts = np.bincount(labels, minlength=classes) + 1.0
    return np.tile(counts / counts.sum(), (rows, 1))
