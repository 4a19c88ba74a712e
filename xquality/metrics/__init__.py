"""Metrics as functions of predictions and references, on XTREME's scale from 0 to 100, and metrics as values.

    classification      accuracy, macro, weighted and micro F1
    tagging             chunk F1 in both versions of seqeval, token accuracy
    question_answering  SQuAD v1.1 and v2, MLQA, and a metric for scripts without blanks
    retrieval           nearest neighbours, bitext mining with its threshold and F1, mean reciprocal rank

A function such as `chunk_f1` returns scores by name; beside it a function such as `chunk_counts` returns the statistics
of each example, and `chunk_f1_from` the scores of those statistics or of sums of them, for a bootstrap over examples.

A `Metric` is a function with its statistics, whether higher is better and its range: what a head is given to score by.
"""

from xquality.metrics import classification, question_answering, retrieval, tagging
from xquality.metrics._stock import (
    ACCURACY,
    CHUNK_F1,
    CHUNK_PRECISION,
    CHUNK_RECALL,
    MACRO_F1,
    MASKED_ACCURACY,
    PERPLEXITY,
    WORD_ACCURACY,
)
from xquality.metrics.metric import Examples, Metric, MetricValue, ratios

__all__ = [
    "ACCURACY",
    "CHUNK_F1",
    "CHUNK_PRECISION",
    "CHUNK_RECALL",
    "MACRO_F1",
    "MASKED_ACCURACY",
    "PERPLEXITY",
    "WORD_ACCURACY",
    "Examples",
    "Metric",
    "MetricValue",
    "classification",
    "question_answering",
    "ratios",
    "retrieval",
    "tagging",
]
