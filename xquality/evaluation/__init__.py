"""Evaluation: score a model on a task in many languages, average the scores and compare them."""

from xquality.evaluation.averages import average, table, transfer_gap, zero_shot_mean
from xquality.evaluation.baselines import Constant, constant_answers
from xquality.evaluation.evaluate import Output, evaluate, outputs, predictions, references
from xquality.evaluation.intervals import difference, interval

__all__ = [
    "Constant",
    "Output",
    "average",
    "constant_answers",
    "difference",
    "evaluate",
    "interval",
    "outputs",
    "predictions",
    "references",
    "table",
    "transfer_gap",
    "zero_shot_mean",
]
