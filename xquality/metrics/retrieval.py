"""Retrieval: nearest neighbours (Tatoeba), mined bitext (BUCC), reciprocal rank (Mewsli-X of XTREME-R)."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xquality.errors import MetricError
from xquality.metrics import neighbours
from xquality.metrics.bitext import best_threshold, bitext_f1, extract
from xquality.metrics.mining import mine
from xquality.metrics.sums import plain_sum
from xquality.metrics.vectors import check_lengths, normalised, rows_of, same_width, squared_lengths

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
    """Return for each query the row of the corpus that lies nearest; of equally near rows the first.

    In the Tatoeba task the English sentences are the queries and the other language's are the corpus. Neighbours are
    Euclidean as in the official code, for "cosine" between vectors of length 1: the order of the cosines, except that
    a corpus row of zeros lies nearer than one at more than 60 degrees.

    Args:
        queries: embeddings, shape (queries, width).
        corpus: embeddings, shape (rows, width).
        distance: "cosine", or "l2" for vectors as they are.
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
    x, y = rows_of("queries", queries), rows_of("corpus", corpus)
    same_width(x, y)
    if not len(y):
        raise MetricError("A nearest neighbour needs a corpus of at least one row, but there is none.")
    if not len(x):
        return np.empty(0, np.int64)
    if distance == "l2":
        check_lengths(x, y)
    offset = -squared_lengths(y) / 2
    if distance == "cosine":
        offset = np.where(offset < 0, -0.5, 0.0)  # lengths are 1 or 0, whatever the rounding says
        x, y = normalised(x), normalised(y)
    if device is None:
        found, _ = neighbours.both_ways(x, y, 1, y_offset=offset, backward=False)
    else:
        from xquality.metrics import neighbours_torch

        found, _ = neighbours_torch.both_ways(x, y, 1, y_offset=offset, backward=False, device=device)
    return found.indices[:, 0]


def nearest_each(
    queries: Any, corpus: Any, gold: Sequence[int] | None = None, *, distance: str = "cosine", device: str | None = None
) -> NDArray[np.bool_]:
    """Return for each query whether its nearest neighbour is the right one: the statistics behind the accuracy.

    Args:
        queries: embeddings, shape (queries, width).
        corpus: embeddings, shape (rows, width).
        gold: the right row of the corpus for each query; None where row i belongs to query i.
        distance: as in `nearest_neighbours`.
        device: as in `nearest_neighbours`.

    Raises:
        MetricError: as `nearest_neighbours` does, and where the gold rows do not fit the queries.
    """
    found = nearest_neighbours(queries, corpus, distance=distance, device=device)
    if gold is None:
        if len(corpus) < len(found):
            raise MetricError(f"{len(found)} queries have no row each among {len(corpus)}; give gold=.")
        gold = range(len(found))
    right = np.asarray(gold, np.int64) if isinstance(gold, range) else np.asarray(gold)
    if right.shape != found.shape or right.dtype.kind not in "iu":
        raise MetricError(f"gold must name one row for each of {len(found)} queries, but has shape {right.shape}.")
    equal: NDArray[np.bool_] = found == right
    return equal


def nearest_neighbour_accuracy(
    queries: Any, corpus: Any, gold: Sequence[int] | None = None, *, distance: str = "cosine", device: str | None = None
) -> dict[str, float]:
    """Return `{"accuracy": share of queries whose nearest neighbour is the right one x 100}`.

    Args:
        queries: embeddings, shape (queries, width).
        corpus: embeddings, shape (rows, width).
        gold: the right row of the corpus for each query; None where row i belongs to query i.
        distance: as in `nearest_neighbours`.
        device: as in `nearest_neighbours`.

    Raises:
        MetricError: as `nearest_neighbours` does, where the gold rows do not fit, and where there is no query.

    Example:
        >>> nearest_neighbour_accuracy([[1.0, 0.1], [0.0, 2.0]], [[0.0, 1.0], [5.0, 0.0]], gold=[1, 1])
        {'accuracy': 50.0}
    """
    right = nearest_each(queries, corpus, gold, distance=distance, device=device)
    if not len(right):
        raise MetricError("A score needs at least one query, but there is none; check the split that was scored.")
    return {"accuracy": int(right.sum()) / len(right) * 100}


def mean_reciprocal_rank(
    predictions: Mapping[str, Sequence[str]], references: Mapping[str, Sequence[str]], cut: int = 20
) -> dict[str, float]:
    """Return `{"map@20": mean of 1 / rank of the right entity x 100}`: what XTREME-R calls mean average precision.

    Only the first right entity of a mention counts, and it is stripped of blanks, while predictions are not; a
    mention without prediction, or whose entity stands beyond the cut, scores 0, and so do references without mention.

    Args:
        predictions: for each mention the entities found, best first.
        references: for each mention the right entities.
        cut: how many entities are looked at.

    Raises:
        MetricError: for a mention without right entity.

    Example:
        >>> mean_reciprocal_rank({"m1": ["Q7", "Q1"], "m2": ["Q2"]}, {"m1": ["Q1"], "m2": ["Q2"]})
        {'map@20': 75.0}
    """
    ranks = []
    for mention, entities in references.items():
        if not entities or not isinstance(entities[0], str):
            raise MetricError(f"Mention {mention!r} needs a right entity, but has {entities!r}.")
        right = entities[0].strip()
        found = list(predictions.get(mention, ()))[:cut]
        ranks.append(1 / (found.index(right) + 1) if right in found else 0.0)
    return {f"map@{cut}": plain_sum(ranks) / len(ranks) * 100 if ranks else 0.0}
