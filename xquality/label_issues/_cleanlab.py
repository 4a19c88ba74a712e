"""Adapter for cleanlab: the one module that calls it and knows how it behaves.

Of what is used, `cleanlab.experimental` is unstable by its name, and a warning and a tolerance are internal;
`tests/label_issues/test_cleanlab_adapter.py` fails by name if one of them changes. Where cleanlab speaks of a
`noise_matrix`, it holds P(label=k_s | true=k_y) at [k_s, k_y]: the transpose of a transition matrix T[true, noisy] as
`MatrixNoise` takes it. No other module may read or return one.
"""

import warnings
from collections.abc import Callable, Iterator

import numpy as np

from xquality.data.arrow import Floats, Indices, Mask
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
"""The values of `filter_by` of `cleanlab.filter.find_label_issues`."""

BATCHED_RULES = {"low_self_confidence": "self_confidence", "low_normalized_margin": "normalized_margin"}
"""The rules that work in batches, with the name of the label quality score that each ranks by."""

TOLERANCE = 1e-6  # a label whose probability is within it of the highest is no issue in a search in batches


def find_issues(labels: Indices, probabilities: Floats, rule: str) -> Mask:
    """Return which labels are issues, shape (labels,).

    Args:
        labels: class numbers, shape (labels,); cleanlab breaks ties by their order, and sums in it.
        probabilities: of every class, shape (labels, classes).
        rule: one of `RULES`.
    """
    from cleanlab.filter import find_label_issues

    with warnings.catch_warnings():
        # Nothing is flagged in a class with a single label, which `CleanlabFilter` documents.
        warnings.filterwarnings("ignore", message="May not flag all label issues", category=UserWarning)
        return np.asarray(find_label_issues(labels, probabilities, filter_by=rule, n_jobs=1), np.bool_)


def find_issues_in_batches(
    labels: Indices, take: Callable[[slice], Floats], classes: int, batch_size: int, rule: str
) -> Mask:
    """Return the issues that cleanlab's `find_label_issues_batched` finds, with a few bytes a label in memory.

    It makes the same two passes with the same class; cleanlab's own function keeps the scores in a Python list and
    copies all probabilities at the end.

    Args:
        labels: class numbers, shape (labels,).
        take: returns the probabilities of a slice of the labels, shape (labels in the slice, classes).
        classes: the number of classes.
        batch_size: the number of labels in a batch.
        rule: one of `BATCHED_RULES`.
    """
    from cleanlab.experimental.label_issues_batched import LabelInspector

    def batches() -> Iterator[tuple[slice, Floats]]:
        for start in range(0, len(labels), batch_size):
            batch = slice(start, start + batch_size)
            yield batch, take(batch)

    method = {"method": BATCHED_RULES[rule]}
    inspector = LabelInspector(num_class=classes, store_results=False, verbose=False, quality_score_kwargs=method)
    for batch, probabilities in batches():
        inspector.update_confident_thresholds(labels[batch], probabilities)
    scores, agree = np.empty(len(labels)), np.empty(len(labels), np.bool_)
    for batch, probabilities in batches():
        scores[batch] = inspector.score_label_quality(labels[batch], probabilities)
        own = probabilities[np.arange(len(probabilities)), labels[batch]]
        agree[batch] = own + TOLERANCE > probabilities.max(axis=1)
    issues = np.zeros(len(labels), np.bool_)
    count = int(inspector.get_num_issues(silent=True))
    issues[smallest(scores, np.arange(len(labels), dtype=np.uint64), count)] = True  # ties are broken by position
    return issues & ~agree


def label_quality(labels: Indices, probabilities: Floats) -> Floats:
    """Return the label quality score of each label, shape (labels,): its own probability.

    Args:
        labels: class numbers, shape (labels,).
        probabilities: of every class, shape (labels, classes).
    """
    from cleanlab.rank import get_label_quality_scores

    if not len(labels):
        return np.empty(0)
    return np.asarray(get_label_quality_scores(labels, probabilities), np.float64)
