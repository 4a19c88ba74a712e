"""Bitext mining as XTREME's BUCC task does it, from embeddings to scored pairs.

The pipeline: of a repeated sentence only the last copy's vector is kept; cosines to the k nearest neighbours of each
side are averaged; a candidate scores its cosine against the mean of both averages; the best candidate of every
sentence on either side is taken, and pairs are chosen greedily, one to one. A mined sentence finds its row by its
text, blanks around it aside; a text that stands on several rows has none, so its pairs are mined, but not returned.
Scores are computed in 64 bits from 32-bit vectors, where the official code's precision depends on NumPy's version.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from xquality.errors import MetricError
from xquality.metrics import neighbours
from xquality.metrics.neighbours import Neighbours
from xquality.metrics.vectors import Vectors, check_lengths, normalised, rows_of, same_width, squared_lengths

Pair = tuple[float, int, int]

_MARGINS = ("ratio", "distance", "absolute")
_RETRIEVALS = ("max", "intersect", "fwd", "bwd")
_DISTANCES = ("cosine", "l2")


def mine(
    source: Any,
    target: Any,
    *,
    source_sentences: Sequence[str] | None = None,
    target_sentences: Sequence[str] | None = None,
    k: int = 4,
    margin: str = "ratio",
    retrieval: str = "max",
    threshold: float = 0.0,
    distance: str = "cosine",
    shift: bool = False,
    device: str | None = None,
) -> list[Pair]:
    """Return the pairs of rows that translate each other, as (score, source row, target row), best first.

    Args:
        source: embeddings, shape (rows, width); 32 bits are used of them.
        target: embeddings, shape (rows, width).
        source_sentences: the sentences of the rows of `source`; without them no two rows count as repeated. They may
            be the lines of a file with their line ends: then, as in the official code, a last line without one loses
            its last character.
        target_sentences: the sentences of the rows of `target`.
        k: how many neighbours are averaged; fewer where a side is smaller.
        margin: "ratio" (cosine over the mean), "distance" (cosine less the mean) or "absolute" (the cosine).
        retrieval: "max" takes the best candidates of both sides, greedily and one to one; "fwd" and "bwd" those of
            one side alone, "intersect" those in which both sides agree. These three come in row order, and neither
            one to one nor above the threshold, as in the official code.
        threshold: pairs must score above it. A pair below it still uses up its sentences.
        distance: "cosine", or "l2", in which as in the official code the neighbours are Euclidean and averaged as
            1 / (1 + squared distance), while the candidates score their plain dot products.
        shift: move the source vectors by the difference of both means before comparing, as the official option does.
        device: a torch device such as "cuda" for the products; None computes them with NumPy.

    Raises:
        MetricError: for embeddings that are not finite or differ in width, a side without rows, sentences that do not
            fit the rows, an unknown option, and a mined sentence that holds a tab or a line break, which the official
            pipeline cannot read back.

    Example:
        >>> source, target = np.eye(4), np.eye(4)[[2, 0, 1, 3]]
        >>> [(float(score), one, other) for score, one, other in mine(source, target, k=2)]
        [(2.0, 0, 1), (2.0, 1, 2), (2.0, 2, 0), (2.0, 3, 3)]
    """
    _check_options(k, margin, retrieval, distance)
    x, y = rows_of("source embeddings", source), rows_of("target embeddings", target)
    same_width(x, y)
    if distance == "l2":
        check_lengths(x, y)
    sides = _Side.of("source", x, source_sentences), _Side.of("target", y, target_sentences)
    x, y = sides[0].vectors(x), sides[1].vectors(y)
    if distance == "cosine":
        x, y = normalised(x), normalised(y)
    candidates = _candidates(x, y, k, margin, l2=distance == "l2", shift=shift, device=device)
    pairs = _chosen(candidates, retrieval, threshold)
    found: dict[tuple[int, int], float] = {}
    for score, one, other in pairs:
        rows = sides[0].row_of(one), sides[1].row_of(other)
        if rows[0] is not None and rows[1] is not None:
            found[rows[0], rows[1]] = max(score, found.get((rows[0], rows[1]), score))
    return [(score, one, other) for (one, other), score in found.items()]


@final
@dataclass(frozen=True)
class _Side:
    """The different sentences of one side, each at the place of its first copy.

    Attributes:
        rows: the row whose vector each has, that of its last copy.
        texts: what each is written as; None where there are no sentences.
        alone: the row of each text that stands on one row only.
    """

    rows: list[int]
    texts: list[str] | None
    alone: Mapping[str, int]

    @classmethod
    def of(cls, name: str, vectors: Vectors, sentences: Sequence[str] | None) -> "_Side":
        """Return the side of these vectors, or raise where the sentences do not fit them."""
        if not len(vectors):
            raise MetricError(f"Mining needs at least one {name} row, but there is none.")
        if sentences is None:
            return cls(list(range(len(vectors))), None, {})
        lines = list(sentences)
        if len(lines) != len(vectors):
            raise MetricError(f"There are {len(lines)} {name} sentences for {len(vectors)} {name} rows.")
        odd = [one for one in lines if not isinstance(one, str)]
        if odd:
            raise MetricError(f"The {name} sentences must be strings, but {odd[0]!r} was found.")
        ended = [one.endswith("\n") for one in lines]
        if any(ended) and not all(ended[:-1]):
            raise MetricError(
                f"Of the {name} sentences row {ended.index(True)} ends with a line break and row "
                f"{ended.index(False)} does not; strip them, or give the lines of a file as they are."
            )
        if not any(ended):
            lines = [f"{one}\n" for one in lines]
        last = {line: row for row, line in enumerate(lines)}
        times = Counter(line.strip() for line in lines)
        alone = {line.strip(): row for line, row in last.items() if times[line.strip()] == 1}
        return cls(list(last.values()), [line[:-1] for line in last], alone)

    def vectors(self, all_rows: Vectors) -> Vectors:
        """Return the vectors of the different sentences."""
        return all_rows if len(self.rows) == len(all_rows) else all_rows[self.rows]

    def row_of(self, place: int) -> int | None:
        """Return the row that a mined sentence's text leads to, None where it leads to several or none."""
        if self.texts is None:
            return self.rows[place]
        text = self.texts[place]
        if any(one in text for one in "\t\n\r"):  # it cannot be written to a line of columns and read back
            raise MetricError(f"Row {self.rows[place]} was mined, but its sentence {text!r} is no single column.")
        return self.alone.get(text.strip())


@final
@dataclass(frozen=True)
class _Candidates:
    """The best candidate of each sentence of either side, and its score."""

    forward: NDArray[np.int64]
    backward: NDArray[np.int64]
    forward_scores: NDArray[np.float64]
    backward_scores: NDArray[np.float64]


def _candidates(
    x: Vectors, y: Vectors, k: int, margin: str, *, l2: bool, shift: bool, device: str | None
) -> _Candidates:
    """Return each sentence's best candidate among its neighbours, the nearer one where two score the same."""
    move, moved_x, moved_y = np.zeros(x.shape[1]), np.zeros(len(x)), np.zeros(len(y))
    offsets: list[NDArray[np.float64] | None] = [None, None]
    if shift:  # the products are (x - move) y for one direction and (y + move) x for the other
        move = x.mean(axis=0, dtype=np.float64) - y.mean(axis=0, dtype=np.float64)
        moved_x, moved_y = x @ move, -(y @ move)
        offsets = [moved_x, moved_y]
    if l2:
        offsets = [moved_x - squared_lengths(x) / 2, moved_y - squared_lengths(y) / 2]
    search: Any = neighbours.both_ways
    if device is not None:
        from xquality.metrics import neighbours_torch

        def search(*vectors: Any, **options: Any) -> tuple[Neighbours, Neighbours | None]:
            return neighbours_torch.both_ways(*vectors, **options, device=device)

    forward, backward = search(x, y, k, x_offset=offsets[0], y_offset=offsets[1])
    cosines = forward.products + moved_y[forward.indices], backward.products + moved_x[backward.indices]
    near = cosines
    if l2:
        lengths = squared_lengths((x - move).astype(np.float32)), squared_lengths((y + move).astype(np.float32))
        others = squared_lengths(y)[forward.indices], squared_lengths(x)[backward.indices]
        near = tuple(
            1 / (1 + np.maximum(one[:, None] + other - 2 * products, 0))
            for one, other, products in zip(lengths, others, cosines, strict=True)
        )
    means = near[0].mean(axis=1), near[1].mean(axis=1)
    scores = (
        _margin(cosines[0], (means[0][:, None] + means[1][forward.indices]) / 2, margin),
        _margin(cosines[1], (means[1][:, None] + means[0][backward.indices]) / 2, margin),
    )
    best = [(one.argmax(axis=1)[:, None], one.max(axis=1)) for one in scores]
    return _Candidates(
        np.take_along_axis(forward.indices, best[0][0], 1)[:, 0],
        np.take_along_axis(backward.indices, best[1][0], 1)[:, 0],
        best[0][1],
        best[1][1],
    )


def _margin(cosines: NDArray[np.float64], means: NDArray[np.float64], margin: str) -> NDArray[np.float64]:
    """Return the candidates' scores; a mean of 0 gives infinities or NaN, as in the official code."""
    if margin == "absolute":
        return cosines
    if margin == "distance":
        return cosines - means
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: NDArray[np.float64] = cosines / means
    return ratios


def _chosen(found: _Candidates, retrieval: str, threshold: float) -> list[Pair]:
    """Return the pairs that a way of retrieval takes, by the numbers of the different sentences."""
    forward, backward = found.forward.tolist(), found.backward.tolist()
    ahead = list(zip(found.forward_scores.tolist(), range(len(forward)), forward, strict=True))
    back = list(zip(found.backward_scores.tolist(), backward, range(len(backward)), strict=True))
    if retrieval == "fwd":
        return ahead
    if retrieval == "bwd":
        return back
    if retrieval == "intersect":
        return [(score, one, other) for score, one, other in ahead if backward[other] == one]
    scores = np.concatenate([found.forward_scores, found.backward_scores])
    both, pairs = ahead + back, []
    free_sources, free_targets = [True] * len(forward), [True] * len(backward)
    for place in np.argsort(-scores, kind="stable").tolist():
        score, one, other = both[place]
        if free_sources[one] and free_targets[other]:
            free_sources[one] = free_targets[other] = False
            if score > threshold:
                pairs.append((score, one, other))
    return pairs


def _check_options(k: object, margin: str, retrieval: str, distance: str) -> None:
    """Raise for an option that is none."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise MetricError(f"mine(k={k!r}) must be a whole number of neighbours, at least 1.")
    for name, value, allowed in (
        ("margin", margin, _MARGINS),
        ("retrieval", retrieval, _RETRIEVALS),
        ("distance", distance, _DISTANCES),
    ):
        if value not in allowed:
            raise MetricError(f"mine({name}={value!r}) must be one of {', '.join(map(repr, allowed))}.")
