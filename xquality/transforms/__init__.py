"""The transforms: one file, one test and one reference page each.

May import: transforms, transform, errors.
"""

from xquality.transforms.cleanlab_filter import CleanlabFilter
from xquality.transforms.label_noise import LabelNoise
from xquality.transforms.subsample import Subsample

__all__ = ["CleanlabFilter", "LabelNoise", "Subsample"]
