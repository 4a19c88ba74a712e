"""Linear classifiers with log loss, for probabilities of rows that were held out."""

import warnings
from typing import Any

import numpy as np

from xquality.data.arrow import Floats, Indices

_PENALTY = 100.0  # on standardised features; with a weaker penalty the model memorises the label noise of a few hundred


def predict_by_sgd(
    features: Any, labels: Indices, held_out: Any, classes: int, *, seed: int, alpha: float, epochs: int
) -> Floats:
    """Train one class against the rest by stochastic gradient descent and return the probabilities of other rows.

    For many sparse features.

    Args:
        features: a sparse matrix, shape (rows, features).
        labels: class numbers, shape (rows,).
        held_out: the features of the rows to predict, shape (held-out rows, features).
        classes: the number of classes; those without rows get the probability 0.
        seed: of the order of the rows.
        alpha: the strength of the penalty on the weights.
        epochs: the number of passes over the rows.

    Returns:
        Probabilities, shape (held-out rows, classes); each row sums to 1.
    """
    from sklearn.linear_model import SGDClassifier

    if (labels == labels[0]).all():
        return _class_shares(labels, classes, held_out.shape[0])
    predicted = np.zeros((held_out.shape[0], classes))
    model = SGDClassifier(loss="log_loss", alpha=alpha, max_iter=epochs, tol=None, random_state=seed)
    model.fit(features, labels)
    predicted[:, model.classes_] = model.predict_proba(held_out)
    return predicted


def predict_by_regression(features: Floats, labels: Indices, held_out: Floats, classes: int) -> Floats:
    """Train multinomial logistic regression on standardised features and return the probabilities of other rows.

    For some hundred dense features.

    Args:
        features: shape (rows, features).
        labels: class numbers, shape (rows,).
        held_out: the features of the rows to predict, shape (held-out rows, features).
        classes: the number of classes; those without rows get the probability 0.

    Returns:
        Probabilities, shape (held-out rows, classes); each row sums to 1.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    if (labels == labels[0]).all():
        return _class_shares(labels, classes, len(held_out))
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread[spread == 0] = 1.0
    predicted = np.zeros((len(held_out), classes))
    model = LogisticRegression(C=1 / _PENALTY, max_iter=200)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # further steps change only the last digits
        model.fit((features - mean) / spread, labels)
    predicted[:, model.classes_] = model.predict_proba((held_out - mean) / spread)
    return predicted


def _class_shares(labels: Indices, classes: int, rows: int) -> Floats:
    """Return the smoothed shares of the classes for every row: the prediction where only one class has rows."""
    counts = np.bincount(labels, minlength=classes) + 1.0
    return np.tile(counts / counts.sum(), (rows, 1))
