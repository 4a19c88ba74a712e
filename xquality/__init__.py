"""xquality: what the quality and the quantity of intermediate-task data do to zero-shot cross-lingual transfer.

The light names: importing this package imports neither torch nor transformers. Training is in `xquality.train`,
evaluation in `xquality.evaluate`, tasks in `xquality.tasks`, studies in `xquality.study`.

May import: audit, card, digest, errors, hub, identity, provenance, records, saving, serialisation, transform,
transforms.
"""

from importlib.metadata import version as _version

from xquality.audit import Audit, audit
from xquality.card import card
from xquality.digest import digest
from xquality.errors import XqualityError
from xquality.hub import push_to_hub
from xquality.identity import concatenate, with_uid
from xquality.provenance import history
from xquality.records import History, Point, Record, Result, Score
from xquality.saving import load, save
from xquality.serialisation import from_dict
from xquality.transform import Compose, Transform
from xquality.transforms import (
    ChoiceNoise,
    CleanlabFilter,
    InstanceNoise,
    LabelNoise,
    MatrixNoise,
    PairNoise,
    SpanNoise,
    Subsample,
    TagNoise,
)

__version__ = _version("xquality")

__all__ = [
    "Audit",
    "ChoiceNoise",
    "CleanlabFilter",
    "Compose",
    "History",
    "InstanceNoise",
    "LabelNoise",
    "MatrixNoise",
    "PairNoise",
    "Point",
    "Record",
    "Result",
    "Score",
    "SpanNoise",
    "Subsample",
    "TagNoise",
    "Transform",
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
