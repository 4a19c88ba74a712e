"""Heads: how rows become tensors, and a model's output becomes predictions and scores.

A task has a head; a user chooses its columns, labels and metrics. `Head` and `TrainableHead` are the bases of a head of
one's own, and the protocols are what some heads can do besides: give probabilities of labels, write submissions, count
the tokens of a loss, gather rows of several splits.
"""

from xquality.heads.answers import PredictedAnswer
from xquality.heads.encoded import Encoded, TensorBatch
from xquality.heads.head import (
    BatchRows,
    CountsTokens,
    EpochContext,
    GathersRows,
    GivesProbabilities,
    Head,
    Load,
    TrainableHead,
    WritesSubmissions,
)
from xquality.heads.masked_lm import MaskedLMHead
from xquality.heads.mining import MiningHead
from xquality.heads.multiple_choice import ChoiceHead
from xquality.heads.retrieval import RetrievalHead
from xquality.heads.sequence import SequenceHead
from xquality.heads.span import SpanHead
from xquality.heads.token import TokenHead

__all__ = [
    "BatchRows",
    "ChoiceHead",
    "CountsTokens",
    "Encoded",
    "EpochContext",
    "GathersRows",
    "GivesProbabilities",
    "Head",
    "Load",
    "MaskedLMHead",
    "MiningHead",
    "PredictedAnswer",
    "RetrievalHead",
    "SequenceHead",
    "SpanHead",
    "TensorBatch",
    "TokenHead",
    "TrainableHead",
    "WritesSubmissions",
]
