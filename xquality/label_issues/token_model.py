"""Out-of-sample tag probabilities from what tokens look like and a linear model: cheap, offline, in any language."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from xquality.data.arrow import Floats, Indices, value_indices
from xquality.label_issues.folds import assign_folds, out_of_fold
from xquality.label_issues.linear import stochastic
from xquality.randomness import Bits, Draw, derive_seed

_NEIGHBOUR = 0.5  # the weight of the words beside a token; at 1 they drown the token itself
_SHAPE = 0.5


def out_of_sample_tags(
    columns: Sequence[Sequence[str]],
    tags: NDArray[np.int64],
    counts: Indices,
    classes: int,
    groups: Bits,
    draw: Draw,
    folds: int,
) -> Floats:
    """Return the probability of each tag for each token, from a model that did not see the token's row.

    A token's features are its character n-grams (1 to 4, with its borders) weighted by TF-IDF over the vocabulary,
    itself, its shape (capitals, digits, signs, its length up to 3, the sentence's ends), and the tokens beside it.
    A linear model with log loss is trained on them by stochastic gradient descent. Rows are brought into an order
    keyed by their uid first, so that their order in the data changes nothing.

    Args:
        columns: columns of tokens, each with one string a token, all rows one after the other.
        tags: given tags, shape (tokens,).
        counts: the number of tokens of each row, shape (rows,).
        classes: the number of tags.
        groups: rows of one group share a fold, shape (rows,); for example a hash of the text.
        draw: the keyed randomness of the call, with one uid a row.
        folds: the number of folds, at least 2.

    Returns:
        Probabilities, shape (tokens, classes); each row sums to 1.
    """
    from scipy.sparse import hstack

    order = draw.order("rows")
    places = value_indices(counts, order)
    rows = np.repeat(np.arange(len(order)), counts[order])
    features = hstack([_features([tokens[one] for one in places], rows) for tokens in columns], format="csr")
    given = tags[places]

    def predict(rest: Indices, held: Indices, one: int) -> Floats:
        seed = derive_seed(draw.seed, draw.scope, draw.stream, "fold", one)
        return stochastic(features[rest], given[rest], features[held], classes, seed=seed, alpha=3e-5, epochs=10)

    predicted = np.empty((len(tags), classes))
    fold = assign_folds(np.zeros(len(order), np.int64), groups[order], draw, folds)[rows]
    predicted[places] = out_of_fold(fold, folds, classes, predict)
    return predicted


def _features(tokens: list[str], rows: Indices) -> Any:
    """Return a sparse matrix of features, shape (tokens, features).

    Args:
        tokens: all tokens, row after row.
        rows: the row of each, shape (tokens,).
    """
    from scipy.sparse import csr_matrix, hstack, identity
    from sklearn.feature_extraction.text import TfidfVectorizer

    encoded = pa.array(tokens, pa.large_string()).dictionary_encode()
    words, code = encoded.dictionary.to_pylist(), np.asarray(encoded.indices.to_numpy(), np.int64)
    vectoriser = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), sublinear_tf=True, dtype=np.float32)
    own = hstack([vectoriser.fit_transform(words), identity(len(words), np.float32), _shapes(words)], format="csr")
    first = np.concatenate([[True], rows[1:] != rows[:-1]])
    last = np.concatenate([first[1:], [True]])
    beside = identity(len(words) + 1, np.float32, format="csr")[:, :-1] * _NEIGHBOUR  # the last row is for no token
    left = np.where(first, len(words), np.roll(code, 1))
    right = np.where(last, len(words), np.roll(code, -1))
    ends = csr_matrix(np.stack([first, last], axis=1).astype(np.float32) * _SHAPE)
    return hstack([own[code], beside[left], beside[right], ends], format="csr")


def _shapes(words: Sequence[str]) -> Any:
    """Return what words look like from afar, shape (words, 7)."""
    from scipy.sparse import csr_matrix

    looks = [
        (
            one[:1].isupper(),
            one.isupper(),
            any(map(str.isdigit, one)),
            not any(map(str.isalnum, one)),
            len(one) == 1,
            len(one) == 2,
            len(one) == 3,
        )
        for one in words
    ]
    return csr_matrix(np.array(looks, np.float32) * _SHAPE)
