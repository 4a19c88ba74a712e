"""Search: cleanlab's rules for which labels are issues, on all labels at once or in batches."""

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from xquality.data.arrow import Floats, Indices, Mask, Matrix
from xquality.randomness import smallest

RULES = (
    "prune_by_noise_rate",
    "prune_by_class",
    "both",
    "confident_learning",
    "predicted_neq_given",
    "low_normalized_margin",
    "low_self_confidence",
)
BATCHED = {"low_self_confidence": "self_confidence", "low_normalized_margin": "normalized_margin"}
_CLOSE = 1e-6  # cleanlab's margin: a label whose probability is within it of the highest is no issue


@final
@dataclass(frozen=True)
class Search:
    """How issues are searched for.

    Attributes:
        rule: one of `RULES`, as `cleanlab.filter.find_label_issues` calls them; one of `BATCHED` in batches.
        batch_size: how many labels are looked at together; None for all.
        max_fraction: the largest share of the labels that may be issues; those of the lowest quality are kept.
    """

    rule: str
    batch_size: int | None = None
    max_fraction: float = 1.0

    def find(self, labels: NDArray[np.int64], probabilities: Matrix, order: Indices | None) -> Mask:
        """Return which labels are issues, shape (labels,).

        Args:
            labels: class numbers of two classes or more, shape (labels,).
            probabilities: out of sample, shape (labels, classes).
            order: the labels in an order that nothing changes: cleanlab breaks ties by it, and sums along it.
                None where they stand in it.
        """
        issues = np.zeros(len(labels), np.bool_)
        if not len(labels):
            return issues
        given = labels if order is None else labels[order]
        if self.batch_size is None:
            found = _at_once(given, probabilities.array() if order is None else probabilities.array()[order], self.rule)
        else:
            found = _in_batches(given, probabilities, order, self.batch_size, BATCHED[self.rule])
        allowed = round(self.max_fraction * len(labels))
        places = np.flatnonzero(found)
        if len(places) > allowed:
            rows = places if order is None else order[places]
            places = places[np.argsort(quality(labels, probabilities, rows), kind="stable")[:allowed]]
        issues[places if order is None else order[places]] = True
        return issues


def quality(labels: NDArray[np.int64], probabilities: Matrix, where: Indices) -> Floats:
    """Return cleanlab's label quality of some labels, shape (labels asked for,): the label's own probability."""
    from cleanlab.rank import get_label_quality_scores

    if not len(where):
        return np.empty(0)
    return np.asarray(get_label_quality_scores(labels[where], probabilities.take(where)), np.float64)


def _at_once(labels: NDArray[np.int64], probabilities: Floats, rule: str) -> Mask:
    """Return cleanlab's issues among labels in their fixed order."""
    from cleanlab.filter import find_label_issues

    with warnings.catch_warnings():
        # In a class of a single row nothing is ever flagged; `CleanlabFilter` documents it, once.
        warnings.filterwarnings("ignore", message="May not flag all label issues", category=UserWarning)
        return np.asarray(find_label_issues(labels, probabilities, filter_by=rule, n_jobs=1), np.bool_)


def _in_batches(labels: NDArray[np.int64], probabilities: Matrix, order: Indices | None, size: int, score: str) -> Mask:
    """Return the issues that cleanlab's `find_label_issues_batched` finds, with a few bytes a label in memory.

    These are the two passes that it makes, by the class it makes them with. It keeps the scores in a Python list and
    copies all probabilities at the end; here both are done batch by batch.
    """
    from cleanlab.experimental.label_issues_batched import LabelInspector

    def batches() -> Iterator[tuple[slice, Floats]]:
        for start in range(0, len(labels), size):
            place = slice(start, start + size)
            yield place, probabilities.take(place if order is None else order[place])

    classes = probabilities.parts[0].shape[1]
    kept = {"method": score}
    inspector = LabelInspector(num_class=classes, store_results=False, verbose=False, quality_score_kwargs=kept)
    for place, predicted in batches():
        inspector.update_confident_thresholds(labels[place], predicted)
    scores, agree = np.empty(len(labels)), np.empty(len(labels), np.bool_)
    for place, predicted in batches():
        scores[place] = inspector.score_label_quality(labels[place], predicted)
        own = predicted[np.arange(len(predicted)), labels[place]]
        agree[place] = own + _CLOSE > predicted.max(axis=1)
    issues = np.zeros(len(labels), np.bool_)
    count = int(inspector.get_num_issues(silent=True))
    issues[smallest(scores, np.arange(len(labels), dtype=np.uint64), count)] = True  # ties go by the fixed order
    return issues & ~agree
