"""xquality: what the quality and the quantity of intermediate-task data do to zero-shot cross-lingual transfer.

The light names: importing this package imports neither torch nor transformers. Training is in `xquality.train`,
evaluation in `xquality.evaluate`, tasks in `xquality.tasks`, studies in `xquality.study`.

May import: audit, card, digest, errors, identity, provenance, publishing, records, saving, serialisation, transform,
transforms.
"""

from importlib.metadata import version as _version

from xquality.audit import Audit, audit
from xquality.card import card
from xquality.digest import digest
from xquality.errors import XqualityError
from xquality.identity import concatenate, with_uid
from xquality.provenance import history
from xquality.publishing import push_to_hub
from xquality.records import History, Point, Record, Result, Score
from xquality.saving import load, save
from xquality.serialisation import from_dict
from xquality.transform import Compose, Transform
from xquality.transforms import (
    ChoiceNoise,
    CleanlabFilter,
    Deduplicate,
    InstanceNoise,
    LabelNoise,
    LanguageFilter,
    LengthRatioFilter,
    MatrixNoise,
    Mix,
    PairNoise,
    SpanNoise,
    Subsample,
    TagNoise,
    TranslationNoise,
)
from xquality.transforms.translation_noise import Vocabulary

__version__ = _version("xquality")

__all__ = [
    "Audit",
    "ChoiceNoise",
    "CleanlabFilter",
    "Compose",
    "Deduplicate",
    "History",
    "InstanceNoise",
    "LabelNoise",
    "LanguageFilter",
    "LengthRatioFilter",
    "MatrixNoise",
    "Mix",
    "PairNoise",
    "Point",
    "Record",
    "Result",
    "Score",
    "SpanNoise",
    "Subsample",
    "TagNoise",
    "Transform",
    "TranslationNoise",
    "Vocabulary",
    "XqualityError",
    "__version__",
    "audit",
    "card",
    "concatenate",
    "digest",
    "from_dict",
    "history",
    "load",
    "push_to_hub",
    "save",
    "with_uid",
]
