"""Heads: how rows become tensors, and a model's output becomes predictions and scores.

May import: heads, errors.
"""

from xquality.heads.batching import Batch
from xquality.heads.encoded import Encoded
from xquality.heads.head import Head, Load, TrainableHead, Value, Visit
from xquality.heads.sequence import SequenceHead

__all__ = ["Batch", "Encoded", "Head", "Load", "SequenceHead", "TrainableHead", "Value", "Visit"]
