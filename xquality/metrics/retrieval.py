"""Retrieval: nearest neighbours (Tatoeba), bitext mining (BUCC), reciprocal rank (Mewsli-X of XTREME-R)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xquality.errors import MetricError
from xquality.metrics._bitext import best_threshold, bitext_f1, extract, mine
from xquality.metrics._neighbours import (
    check_lengths,
    check_widths,
    scale_to_unit,
    search_one_way,
    squared_lengths,
    to_vectors,
)
from xquality.metrics._sums import plain_sum

__all__ = [
    "best_threshold",
    "bitext_f1",
    "extract",
    "mean_reciprocal_rank",
    "mine",
    "nearest_each",
    "nearest_neighbour_accuracy",
    "nearest_neighbours",
]


def nearest_neighbours(
    queries: Any, corpus: Any, *, distance: str = "cosine", device: str | None = None
) -> NDArray[np.int64]:
    """Return for each query the nearest row of the corpus; of equally near rows the first.

    In the Tatoeba task the English sentences are the queries and the other language's are the corpus. As in the
    official code neighbours are Euclidean, for "cosine" between vectors of length 1: the order of the cosines, except
    that a corpus row of zeros is nearer than one at more than 60 degrees.

    Args:
        queries: embeddings, shape (queries, width).
        corpus: embeddings, shape (rows, width).
        distance: "cosine", or "l2" for vectors that are not scaled.
        device: a torch device such as "cuda" for the products; None computes them with NumPy.

    Returns:
        Row numbers, shape (queries,).

    Raises:
        MetricError: for embeddings that are not finite or differ in width, or a corpus without rows.

    Example:
        >>> nearest_neighbours([[1.0, 0.1], [0.0, 2.0]], [[0.0, 1.0], [5.0, 0.0]]).tolist()
        [1, 0]
    """
    if distance not in ("cosine", "l2"):
        raise MetricError(f"nearest_neighbours(distance={distance!r}) must be one of 'cosine', 'l2'.")
    x, y = to_vectors("queries", queries), to_vectors("corpus", corpus)
    check_widths(x, y)
    if not len(y):
        raise MetricError("A nearest neighbour needs a corpus of at least one row, but there is none.")
    if not len(x):
        return np.empty(0, np.int64)
    if distance == "l2":
        check_lengths(x, y)
    offset = -squared_lengths(y) / 2
    if distance == "cosine":
        offset = np.where(offset < 0, -0.5, 0.0)  # lengths are 1 or 0 exactly, without rounding
        x, y = scale_to_unit(x), scale_to_unit(y)
    return search_one_way(x, y, 1, y_offset=offset, device=device).indices[:, 0]


def nearest_each(
    queries: Any, corpus: Any, gold: Sequence[int] | None = None, *, distance: str = "cosine", device: str | None = None
) -> NDArray[np.bool_]:
    """Return for each query whether its nearest neighbour is the right one: the statistics of the accuracy.

    Args:
        queries: embeddings, shape (queries, width).
        corpus: embeddings, shape (rows, width).
        gold: the right row of the corpus for each query; None where row i belongs to query i.
        distance: as in `nearest_neighbours`.
        device: as in `nearest_neighbours`.

    Raises:
        MetricError: as `nearest_neighbours` does, and where `gold` does not name a row for each query.
    """
    nearest = nearest_neighbours(queries, corpus, distance=distance, device=device)
    if gold is None:
        if len(corpus) < len(nearest):
            raise MetricError(f"{len(nearest)} queries have no row each among {len(corpus)}; give gold=.")
        gold = range(len(nearest))
    right = np.asarray(gold, np.int64) if isinstance(gold, range) else np.asarray(gold)
    if right.shape != nearest.shape or right.dtype.kind not in "iu":
        raise MetricError(f"gold must name one row for each of {len(nearest)} queries, but has shape {right.shape}.")
    correct: NDArray[np.bool_] = nearest == right
    return correct


def nearest_neighbour_accuracy(
    queries: Any, corpus: Any, gold: Sequence[int] | None = None, *, distance: str = "cosine", device: str | None = None
) -> dict[str, float]:
    """Return `{"accuracy": share of queries whose nearest neighbour is the right one x 100}`.

    The arguments are those of `nearest_each`.

    Raises:
        MetricError: as `nearest_each` does, and where there is no query.

    Example:
        >>> nearest_neighbour_accuracy([[1.0, 0.1], [0.0, 2.0]], [[0.0, 1.0], [5.0, 0.0]], gold=[1, 1])
        {'accuracy': 50.0}
    """
    correct = nearest_each(queries, corpus, gold, distance=distance, device=device)
    if not len(correct):
        raise MetricError("A score needs at least one query, but there is none; check the split that was scored.")
    return {"accuracy": int(correct.sum()) / len(correct) * 100}


def mean_reciprocal_rank(
    predictions: Mapping[str, Sequence[str]], references: Mapping[str, Sequence[str]], cut: int = 20
) -> dict[str, float]:
    """Return `{"map@20": mean of 1 / rank of the right entity x 100}`: what XTREME-R calls mean average precision.

    Only the first right entity of a mention counts, and it is stripped of blanks, while predictions are not. A mention
    without prediction, or whose right entity is ranked below the cut, scores 0; no mentions at all score 0 as well.

    Args:
        predictions: for each mention the predicted entities, best first.
        references: for each mention the right entities.
        cut: how many predicted entities are considered.

    Raises:
        MetricError: for a mention without right entity.

    Example:
        >>> mean_reciprocal_rank({"m1": ["Q7", "Q1"], "m2": ["Q2"]}, {"m1": ["Q1"], "m2": ["Q2"]})
        {'map@20': 75.0}
    """
    for values in (predictions, references):
        if not isinstance(values, Mapping):
            raise MetricError(f"A reciprocal rank needs entities by mention, but got {type(values).__name__}.")
    reciprocal_ranks = []
    for mention, entities in references.items():
        if not entities or not isinstance(entities[0], str):
            raise MetricError(f"Mention {mention!r} needs a right entity, but has {entities!r}.")
        right = entities[0].strip()
        predicted = list(predictions.get(mention, ()))[:cut]
        reciprocal_ranks.append(1 / (predicted.index(right) + 1) if right in predicted else 0.0)
    return {f"map@{cut}": plain_sum(reciprocal_ranks) / len(reciprocal_ranks) * 100 if reciprocal_ranks else 0.0}
