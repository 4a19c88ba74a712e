"""Transforms: frozen values that return a changed dataset, and what a transform of your own needs."""

from xquality._settings import (
    Flag,
    Name,
    Names,
    Positive,
    Rate,
    Stream,
    at_least,
    check_settings,
    choice,
    choices,
    optional,
)
from xquality.data.rows import Change, Count, Distinct, Rows
from xquality.randomness import Draw, RowDraw
from xquality.transforms.base import Compose, Transform
from xquality.transforms.call import BatchFunction
from xquality.transforms.choice_noise import ChoiceNoise
from xquality.transforms.cleanlab_filter import CleanlabFilter
from xquality.transforms.deduplicate import Deduplicate
from xquality.transforms.function_transform import FunctionTransform
from xquality.transforms.label_noise import InstanceNoise, LabelNoise, MatrixNoise, PairNoise
from xquality.transforms.language_filter import LanguageFilter
from xquality.transforms.length_ratio_filter import LengthRatioFilter
from xquality.transforms.mix import Mix
from xquality.transforms.quality import TranslationQuality, translation_quality
from xquality.transforms.serialisation import from_dict
from xquality.transforms.span_noise import SpanNoise
from xquality.transforms.subsample import Subsample
from xquality.transforms.tag_noise import TagNoise
from xquality.transforms.translation import RoundTripTranslation, TranslateTrain, WordAligner
from xquality.transforms.translation_filters import SimilarityFilter, UntranslatedFilter
from xquality.transforms.translation_noise import Calibration, TranslationNoise, Vocabulary

__all__ = [  # also at the root of the package
    "ChoiceNoise",
    "CleanlabFilter",
    "Compose",
    "Deduplicate",
    "InstanceNoise",
    "LabelNoise",
    "LanguageFilter",
    "LengthRatioFilter",
    "MatrixNoise",
    "Mix",
    "PairNoise",
    "RoundTripTranslation",
    "SpanNoise",
    "Subsample",
    "TagNoise",
    "Transform",
    "TranslateTrain",
    "TranslationNoise",
    "Vocabulary",
    "from_dict",
]
AT_ROOT = tuple(__all__)
__all__ += [  # what a transform of your own needs, filters of translations, and what a TranslationNoise holds
    "BatchFunction",
    "Calibration",
    "Change",
    "Count",
    "Distinct",
    "Draw",
    "Flag",
    "FunctionTransform",
    "Name",
    "Names",
    "Positive",
    "Rate",
    "RowDraw",
    "Rows",
    "SimilarityFilter",
    "Stream",
    "TranslationQuality",
    "UntranslatedFilter",
    "WordAligner",
    "at_least",
    "check_settings",
    "choice",
    "choices",
    "optional",
    "translation_quality",
]
