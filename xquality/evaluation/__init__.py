"""Evaluation: score a model on a task in many languages, average the scores and compare them."""

from xquality.evaluation.averages import average, table, transfer_gap, zero_shot_mean
from xquality.evaluation.baselines import ConstantBaseline, constant_baselines
from xquality.evaluation.evaluate import Output, evaluate, outputs, predictions, references
from xquality.evaluation.intervals import difference, interval
from xquality.evaluation.scores import Scores

__all__ = [
    "ConstantBaseline",
    "Output",
    "Scores",
    "average",
    "constant_baselines",
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
