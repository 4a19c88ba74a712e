"""Heads: how rows become tensors, and a model's output becomes predictions and scores.

May import: heads, errors.
"""

from xquality.heads.head import Batch, Encoded, Head
from xquality.heads.sequence import SequenceHead

__all__ = ["Batch", "Encoded", "Head", "SequenceHead"]
