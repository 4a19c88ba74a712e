"""Heads: how rows become tensors, and a model's output becomes predictions and scores."""

from xquality.heads.answers import Answer
from xquality.heads.batching import Batch
from xquality.heads.encoded import Encoded
from xquality.heads.head import EpochContext, Head, Load, TrainableHead
from xquality.heads.masked_lm import MaskedLMHead
from xquality.heads.mining import MiningHead
from xquality.heads.multiple_choice import ChoiceHead
from xquality.heads.retrieval import RetrievalHead
from xquality.heads.sequence import SequenceHead
from xquality.heads.span import SpanHead
from xquality.heads.token import TokenHead

__all__ = [
    "Answer",
    "Batch",
    "ChoiceHead",
    "Encoded",
    "EpochContext",
    "Head",
    "Load",
    "MaskedLMHead",
    "MiningHead",
    "RetrievalHead",
    "SequenceHead",
    "SpanHead",
    "TokenHead",
    "TrainableHead",
]
