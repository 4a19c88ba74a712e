"""Bitext mining as XTREME's BUCC task does it: from embeddings to scored pairs, their threshold and their F1.

The pipeline: of a repeated sentence only the last copy's vector is kept; the cosines of each sentence to its k nearest
neighbours on the other side are averaged; a candidate's score compares its cosine with the mean of both sentences'
averages; each sentence's best candidate is taken, and pairs are chosen greedily, one to one. A mined sentence is mapped
to its row by its stripped text; a text that occurs on several rows is not mapped, so its pairs are mined, but not
returned. Scores are computed in 64 bits from 32-bit vectors, where the official code's precision depends on NumPy's
version.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from xquality.errors import MetricError
from xquality.metrics._neighbours import (
    Vectors,
    check_lengths,
    check_widths,
    scale_to_unit,
    search_both_ways,
    squared_lengths,
    to_vectors,
)

ScoredPair = tuple[float, int, int]
"""A mined pair: score, source row, target row."""

_CHOICES = {
    "margin": ("ratio", "distance", "absolute"),
    "retrieval": ("max", "intersect", "fwd", "bwd"),
    "distance": ("cosine", "l2"),
}


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
) -> list[ScoredPair]:
    """Return the pairs of rows that translate each other, as (score, source row, target row), best first.

    Args:
        source: embeddings, shape (rows, width); they are used in 32 bits.
        target: embeddings, shape (rows, width).
        source_sentences: the sentences of the rows of `source`; without them no two rows count as repeated. They may
            be the lines of a file with their line ends: then, as in the official code, a last line without one loses
            its last character.
        target_sentences: the sentences of the rows of `target`.
        k: how many neighbours are averaged; fewer where a side is smaller.
        margin: "ratio" (cosine over the mean), "distance" (cosine less the mean) or "absolute" (the cosine).
        retrieval: "max" takes the best candidates of both sides, greedily and one to one; "fwd" and "bwd" take those
            of the source or of the target sentences, "intersect" those in which both sides agree. As in the official
            code these three ignore the threshold, keep the order of the rows, and are not one to one.
        threshold: pairs must score above it. A pair below it still uses up its sentences.
        distance: "cosine", or "l2", in which as in the official code the neighbours are Euclidean and averaged as
            1 / (1 + squared distance), while the candidates score their plain dot products.
        shift: subtract the difference of both sides' means from the source vectors, as the official option does.
        device: a torch device such as "cuda" for the products; None computes them with NumPy.

    Raises:
        MetricError: for embeddings that are not finite or differ in width, a side without rows, sentences that do not
            match the rows, an unknown option, and a mined sentence that contains a tab or a line break, which the
            official pipeline cannot read back.

    Example:
        >>> source, target = np.eye(4), np.eye(4)[[2, 0, 1, 3]]
        >>> [(float(score), row, target_row) for score, row, target_row in mine(source, target, k=2)]
        [(2.0, 0, 1), (2.0, 1, 2), (2.0, 2, 0), (2.0, 3, 3)]
    """
    _check_options(k, margin=margin, retrieval=retrieval, distance=distance)
    x, y = to_vectors("source embeddings", source), to_vectors("target embeddings", target)
    check_widths(x, y)
    if distance == "l2":
        check_lengths(x, y)
    sources = _Sentences.from_rows("source", x, source_sentences)
    targets = _Sentences.from_rows("target", y, target_sentences)
    x, y = sources.select(x), targets.select(y)
    if distance == "cosine":
        x, y = scale_to_unit(x), scale_to_unit(y)
    candidates = _find_candidates(x, y, k, margin, l2=distance == "l2", shift=shift, device=device)
    scores: dict[tuple[int, int], float] = {}
    for score, source_place, target_place in _choose_pairs(candidates, retrieval, threshold):
        source_row, target_row = sources.find_row(source_place), targets.find_row(target_place)
        if source_row is not None and target_row is not None:
            pair = source_row, target_row
            scores[pair] = max(score, scores.get(pair, score))
    return [(score, source_row, target_row) for (source_row, target_row), score in scores.items()]


def best_threshold(
    candidates: Iterable[Sequence[Any]], gold: Iterable[Any], *, at_end: str = "refuse"
) -> dict[str, float]:
    """Return the threshold that separates right from wrong candidates best, and the scores of all pairs above it.

    Candidates are taken from the best score down, equal scores in their order; the first cut with the largest F1
    decides, and the threshold lies halfway to the next score. The scores are those of all candidates that score at
    least the threshold, so where equal scores lie around the cut, F1 is lower than at the cut. Without any right
    candidate the threshold is 0. A repeated pair keeps its larger score and its first place.

    Args:
        candidates: (score, source, target), for example from `mine`.
        gold: the right (source, target) pairs.
        at_end: where taking all candidates is best there is no next score: the official code fails then, and "refuse"
            raises; "keep" takes the last score itself.

    Returns:
        `{"threshold": ..., "f1": ..., "precision": ..., "recall": ...}`, all but the threshold times 100.

    Raises:
        MetricError: for candidates that are not scored pairs, and where the best cut is after the last.

    Example:
        >>> best_threshold([(1.4, "a", "x"), (1.2, "b", "y"), (0.9, "c", "z")], [("a", "x"), ("b", "y")])
        {'threshold': 1.05, 'f1': 100.0, 'precision': 100.0, 'recall': 100.0}
    """
    if at_end not in ("refuse", "keep"):
        raise MetricError(f"best_threshold(at_end={at_end!r}) must be one of 'refuse', 'keep'.")
    scores, right = _score_by_pair(candidates), set(map(_to_pair, gold))
    ranked = sorted(scores.items(), key=lambda item: -item[1])
    correct, best, threshold = 0, 0.0, 0.0
    for place, (pair, score) in enumerate(ranked):
        correct += pair in right
        if correct:
            precision, recall = correct / (place + 1), correct / len(right)
            f1 = 2 * precision * recall / (precision + recall)
            if f1 > best:
                best = f1
                if place + 1 == len(ranked) and at_end == "refuse":
                    raise MetricError(
                        f"Taking all {len(ranked)} candidates scores best, so no next score bounds the threshold; mine "
                        "more candidates, or set at_end='keep' to take the last score (the official code fails here)."
                    )
                threshold = (score + ranked[min(place + 1, len(ranked) - 1)][1]) / 2
    return {"threshold": threshold, **bitext_f1(_pairs_above(scores, threshold), right)}


def extract(candidates: Iterable[Sequence[Any]], threshold: float) -> list[tuple[Any, Any]]:
    """Return the pairs that score at least the threshold, each once, in their order.

    Example:
        >>> extract([(1.4, "a", "x"), (1.2, "b", "y"), (0.9, "c", "z")], 1.2)
        [('a', 'x'), ('b', 'y')]
    """
    return _pairs_above(_score_by_pair(candidates), threshold)


def bitext_f1(predicted: Iterable[Any], gold: Iterable[Any]) -> dict[str, float]:
    """Return `{"f1": ..., "precision": ..., "recall": ...}` of two sets of pairs, times 100; 0 where none is right.

    Args:
        predicted: (source, target) pairs, or lines of the official files, which are split at tabs. Repeated pairs
            count once, and the columns are compared without normalisation.
        gold: the right pairs.

    Example:
        >>> bitext_f1([("a", "x"), ("b", "z")], [("a", "x"), ("b", "y"), ("c", "z")])
        {'f1': 40.0, 'precision': 50.0, 'recall': 33.33333333333333}
    """
    found, right = set(map(_to_pair, predicted)), set(map(_to_pair, gold))
    correct = len(found & right)
    if not correct:
        return {"f1": 0.0, "precision": 0.0, "recall": 0.0}
    precision, recall = correct / len(found), correct / len(right)
    return {
        "f1": 2 * precision * recall / (precision + recall) * 100,
        "precision": precision * 100,
        "recall": recall * 100,
    }


@final
@dataclass(frozen=True)
class _Sentences:
    """The distinct sentences of one side, each at the place of its first copy.

    Attributes:
        rows: for each sentence the row of its last copy, whose vector it has.
        texts: the text of each sentence; None where none were given.
        unique_rows: the row of each stripped text that occurs on one row only.
    """

    rows: list[int]
    texts: list[str] | None
    unique_rows: Mapping[str, int]

    @classmethod
    def from_rows(cls, side: str, vectors: Vectors, sentences: Sequence[str] | None) -> "_Sentences":
        """Return the distinct sentences of a side, or raise `MetricError` where they do not match the vectors."""
        if not len(vectors):
            raise MetricError(f"Mining needs at least one {side} row, but there is none.")
        if sentences is None:
            return cls(list(range(len(vectors))), None, {})
        lines = _to_lines(side, sentences, len(vectors))
        last = {line: row for row, line in enumerate(lines)}
        counts = Counter(line.strip() for line in lines)
        unique_rows = {line.strip(): row for line, row in last.items() if counts[line.strip()] == 1}
        return cls(list(last.values()), [line[:-1] for line in last], unique_rows)

    def select(self, vectors: Vectors) -> Vectors:
        """Return the vectors of the distinct sentences."""
        return vectors if len(self.rows) == len(vectors) else vectors[self.rows]

    def find_row(self, place: int) -> int | None:
        """Return the only row with the text of a distinct sentence; None where there are several or none."""
        if self.texts is None:
            return self.rows[place]
        text = self.texts[place]
        if any(character in text for character in "\t\n\r"):  # it cannot be written to a line of columns and read back
            raise MetricError(
                f"Row {self.rows[place]} was mined, but its sentence {text!r} contains a tab or a line break."
            )
        return self.unique_rows.get(text.strip())


def _to_lines(side: str, sentences: Sequence[str], rows: int) -> list[str]:
    """Return the sentences as lines of a file with their line ends, or raise `MetricError`."""
    lines = list(sentences)
    if len(lines) != rows:
        raise MetricError(f"There are {len(lines)} {side} sentences for {rows} {side} rows.")
    not_strings = [line for line in lines if not isinstance(line, str)]
    if not_strings:
        raise MetricError(f"The {side} sentences must be strings, but {not_strings[0]!r} was found.")
    ended = [line.endswith("\n") for line in lines]
    if any(ended) and not all(ended[:-1]):
        raise MetricError(
            f"Of the {side} sentences row {ended.index(True)} ends with a line break and row "
            f"{ended.index(False)} does not; strip them, or give the lines of a file unchanged."
        )
    return lines if any(ended) else [f"{line}\n" for line in lines]


@final
@dataclass(frozen=True)
class _Candidates:
    """The best candidate of each source sentence (forward) and of each target sentence (backward), and its score."""

    forward: NDArray[np.int64]
    backward: NDArray[np.int64]
    forward_scores: NDArray[np.float64]
    backward_scores: NDArray[np.float64]


def _find_candidates(
    x: Vectors, y: Vectors, k: int, margin: str, *, l2: bool, shift: bool, device: str | None
) -> _Candidates:
    """Return each sentence's best candidate among its neighbours, the nearer one where two score the same."""
    move, moved_x, moved_y = np.zeros(x.shape[1]), np.zeros(len(x)), np.zeros(len(y))
    x_offset: NDArray[np.float64] | None = None
    y_offset: NDArray[np.float64] | None = None
    if shift:  # the products are (x - move) y in one direction and (y + move) x in the other
        move = x.mean(axis=0, dtype=np.float64) - y.mean(axis=0, dtype=np.float64)
        moved_x, moved_y = x @ move, -(y @ move)
        x_offset, y_offset = moved_x, moved_y
    if l2:
        x_offset, y_offset = moved_x - squared_lengths(x) / 2, moved_y - squared_lengths(y) / 2
    forward, backward = search_both_ways(x, y, k, x_offset=x_offset, y_offset=y_offset, device=device)
    cosines = forward.products + moved_y[forward.indices], backward.products + moved_x[backward.indices]
    near: tuple[NDArray[np.float64], ...] = cosines
    if l2:
        lengths = squared_lengths((x - move).astype(np.float32)), squared_lengths((y + move).astype(np.float32))
        near_lengths = squared_lengths(y)[forward.indices], squared_lengths(x)[backward.indices]
        near = tuple(
            1 / (1 + np.maximum(length[:, None] + near_length - 2 * products, 0))
            for length, near_length, products in zip(lengths, near_lengths, cosines, strict=True)
        )
    means = near[0].mean(axis=1), near[1].mean(axis=1)
    scores = (
        _margin_scores(cosines[0], (means[0][:, None] + means[1][forward.indices]) / 2, margin),
        _margin_scores(cosines[1], (means[1][:, None] + means[0][backward.indices]) / 2, margin),
    )
    best = [side_scores.argmax(axis=1)[:, None] for side_scores in scores]
    return _Candidates(
        np.take_along_axis(forward.indices, best[0], 1)[:, 0],
        np.take_along_axis(backward.indices, best[1], 1)[:, 0],
        scores[0].max(axis=1),
        scores[1].max(axis=1),
    )


def _margin_scores(cosines: NDArray[np.float64], means: NDArray[np.float64], margin: str) -> NDArray[np.float64]:
    """Return the candidates' scores; a mean of 0 gives infinities or NaN, as in the official code."""
    if margin == "absolute":
        return cosines
    if margin == "distance":
        return cosines - means
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios: NDArray[np.float64] = cosines / means
    return ratios


def _choose_pairs(candidates: _Candidates, retrieval: str, threshold: float) -> list[ScoredPair]:
    """Return the pairs that a retrieval method takes, by the places of the distinct sentences."""
    best_targets, best_sources = candidates.forward.tolist(), candidates.backward.tolist()
    forward = list(zip(candidates.forward_scores.tolist(), range(len(best_targets)), best_targets, strict=True))
    backward = list(zip(candidates.backward_scores.tolist(), best_sources, range(len(best_sources)), strict=True))
    if retrieval == "fwd":
        return forward
    if retrieval == "bwd":
        return backward
    if retrieval == "intersect":
        return [(score, source, target) for score, source, target in forward if best_sources[target] == source]
    scores = np.concatenate([candidates.forward_scores, candidates.backward_scores])
    both, pairs = forward + backward, []
    free_sources, free_targets = [True] * len(best_targets), [True] * len(best_sources)
    for place in np.argsort(-scores, kind="stable").tolist():
        score, source, target = both[place]
        if free_sources[source] and free_targets[target]:
            free_sources[source] = free_targets[target] = False
            if score > threshold:
                pairs.append((score, source, target))
    return pairs


def _check_options(k: object, **options: str) -> None:
    """Raise `MetricError` for a number of neighbours or a named option that `mine` does not have."""
    if isinstance(k, bool) or not isinstance(k, int | np.integer) or k < 1:
        raise MetricError(f"mine(k={k!r}) must be a whole number of neighbours, at least 1.")
    for name, value in options.items():
        if value not in _CHOICES[name]:
            raise MetricError(f"mine({name}={value!r}) must be one of {', '.join(map(repr, _CHOICES[name]))}.")


def _score_by_pair(candidates: Iterable[Sequence[Any]]) -> dict[tuple[Any, ...], float]:
    """Return the score of each pair: the larger one where it is repeated, at its first place."""
    scores: dict[tuple[Any, ...], float] = {}
    for candidate in candidates:
        try:
            score, source, target = candidate
            score, pair = float(score), (source, target)
        except (TypeError, ValueError) as fault:
            raise MetricError(f"A candidate is (score, source, target), but {candidate!r} was found.") from fault
        if math.isnan(score):
            raise MetricError(f"The candidate {candidate!r} has no number as its score; leave such candidates out.")
        scores[pair] = max(score, scores.get(pair, score))
    return scores


def _pairs_above(scores: Mapping[tuple[Any, ...], float], threshold: float) -> list[Any]:
    """Return the pairs that score at least the threshold."""
    return [pair for pair, score in scores.items() if score >= threshold]


def _to_pair(pair: Any) -> tuple[Any, ...]:
    """Return a pair as a tuple; a line is split at its tabs."""
    try:
        return tuple(pair.split("\t")) if isinstance(pair, str) else tuple(pair)
    except TypeError as fault:
        raise MetricError(f"A pair is (source, target) or a line of both, but {pair!r} was found.") from fault
