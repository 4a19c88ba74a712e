"""The transforms: one file, one test and one reference page each.

May import: transforms, transform, errors.
"""

from xquality.transforms.choice_noise import ChoiceNoise
from xquality.transforms.cleanlab_filter import CleanlabFilter
from xquality.transforms.deduplicate import Deduplicate
from xquality.transforms.instance_noise import InstanceNoise
from xquality.transforms.label_noise import LabelNoise
from xquality.transforms.language_filter import LanguageFilter
from xquality.transforms.length_ratio_filter import LengthRatioFilter
from xquality.transforms.matrix_noise import MatrixNoise
from xquality.transforms.mix import Mix
from xquality.transforms.pair_noise import PairNoise
from xquality.transforms.span_noise import SpanNoise
from xquality.transforms.subsample import Subsample
from xquality.transforms.tag_noise import TagNoise
from xquality.transforms.translation_noise import TranslationNoise

__all__ = [
    "ChoiceNoise",
    "CleanlabFilter",
    "Deduplicate",
    "InstanceNoise",
    "LabelNoise",
    "LanguageFilter",
    "LengthRatioFilter",
    "MatrixNoise",
    "Mix",
    "PairNoise",
    "SpanNoise",
    "Subsample",
    "TagNoise",
    "TranslationNoise",
]
