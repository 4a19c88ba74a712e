"""Out-of-sample class probabilities from TF-IDF features and a linear model: cheap, offline, in any language.

May import: randomness | numpy, scikit-learn (sklearn), scipy.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xquality.randomness import Bits, Draw, derive_seed

Floats = NDArray[np.float64]


def out_of_sample(
    columns: Sequence[Sequence[str]],
    labels: NDArray[np.int64],
    classes: int,
    groups: Bits,
    draw: Draw,
    folds: int,
) -> Floats:
    """Return the probability of each class for each row, from a model that did not see the row.

    Character n-grams (2 to 5, within word borders) weighted by TF-IDF, a linear model with log loss trained by
    stochastic gradient descent. Rows are brought into an order keyed by their uid first, so that their order in
    the data changes nothing.

    Args:
        columns: text columns, each with one string a row; they are vectorised apart.
        labels: given labels, shape (rows,).
        classes: the number of classes.
        groups: rows of one group share a fold, shape (rows,); for example a hash of the text.
        draw: the keyed randomness of the call.
        folds: the number of folds, at least 2.

    Returns:
        Probabilities, shape (rows, classes); each row sums to 1.
    """
    from scipy.sparse import hstack
    from sklearn.feature_extraction.text import TfidfVectorizer

    order = np.lexsort((draw.order("rows"), draw.bits("rows")))
    vectoriser = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, dtype=np.float32)
    features = hstack([vectoriser.fit_transform([texts[row] for row in order]) for texts in columns], format="csr")
    fold = assign_folds(labels[order], groups[order], draw, folds)
    predicted = np.empty((len(labels), classes))
    for one in range(folds):
        held = np.flatnonzero(fold == one)
        if len(held):
            seed = derive_seed(draw.seed, draw.scope, draw.stream, "fold", one)
            rest = np.flatnonzero(fold != one)
            predicted[held] = _predict(features[rest], labels[order][rest], features[held], classes, seed)
    result = np.empty_like(predicted)
    result[order] = predicted
    return result


def assign_folds(labels: NDArray[np.int64], groups: Bits, draw: Draw, folds: int) -> NDArray[np.int64]:
    """Return each row's fold, shape (rows,): groups stay together and classes are spread over the folds."""
    _, first, member = np.unique(groups, return_index=True, return_inverse=True)
    keyed = draw.of(groups[first]).bits("fold")
    lowest = np.full(len(first), np.iinfo(np.int64).max)
    np.minimum.at(lowest, member, labels)  # the label of a group, whatever the order of its rows
    place = np.empty(len(first), np.int64)
    place[np.lexsort((keyed, lowest))] = np.arange(len(first))
    return place[member] % folds


def _predict(features: Any, labels: NDArray[np.int64], held: Any, classes: int, seed: int) -> Floats:
    """Train on `features` and return probabilities for `held`, shape (rows, classes)."""
    from sklearn.linear_model import SGDClassifier

    present = np.unique(labels)
    predicted = np.zeros((held.shape[0], classes))
    if len(present) < 2:  # nothing to tell apart: the smoothed shares of the classes
        counts = np.bincount(labels, minlength=classes) + 1.0
        return np.tile(counts / counts.sum(), (held.shape[0], 1))
    model = SGDClassifier(loss="log_loss", alpha=1e-5, max_iter=20, tol=None, random_state=seed)
    model.fit(features, labels)
    predicted[:, model.classes_] = model.predict_proba(held)
    return predicted
