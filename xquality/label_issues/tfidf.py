"""Out-of-sample class probabilities from TF-IDF features and a linear model: cheap, offline, in any language."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from xquality.data.arrow import Floats
from xquality.label_issues.folds import assign_folds, out_of_fold
from xquality.label_issues.linear import stochastic
from xquality.randomness import Bits, Draw, derive_seed


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
    given = labels[order]

    def predict(rest: NDArray[np.int64], held: NDArray[np.int64], one: int) -> Floats:
        seed = derive_seed(draw.seed, draw.scope, draw.stream, "fold", one)
        return stochastic(features[rest], given[rest], features[held], classes, seed=seed, alpha=1e-5, epochs=20)

    result = np.empty((len(labels), classes))
    result[order] = out_of_fold(assign_folds(given, groups[order], draw, folds), folds, classes, predict)
    return result
