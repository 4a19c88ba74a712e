"""xquality: what the quality and the quantity of intermediate-task data do to zero-shot cross-lingual transfer.

The names that need neither torch nor transformers are here; the rest is in the public submodules, which are imported
when they are first used: `xq.train` trains, `xq.evaluation` scores, `xq.tasks` and `xq.toy` hold data, `xq.study` runs
a grid, `xq.analysis` and `xq.report` read its results.
"""

import typing as _typing  # whole: type checkers do not know TYPE_CHECKING under another name
from importlib import import_module as _import_module
from importlib.metadata import version as _version
from types import ModuleType as _ModuleType

from xquality.data.audit import Audit as Audit
from xquality.data.audit import audit as audit
from xquality.data.card import card as card
from xquality.data.digest import digest as digest
from xquality.data.provenance import history as history
from xquality.data.publishing import push_to_hub as push_to_hub
from xquality.data.saving import load as load
from xquality.data.saving import save as save
from xquality.data.uids import concatenate as concatenate
from xquality.data.uids import with_uid as with_uid
from xquality.errors import XqualityError as XqualityError
from xquality.records import History as History
from xquality.records import Point as Point
from xquality.records import Record as Record
from xquality.records import Result as Result
from xquality.records import Score as Score
from xquality.transforms import *  # noqa: F403 (a new transform is exported in one place)
from xquality.transforms import AT_ROOT as _TRANSFORMS

if _typing.TYPE_CHECKING:
    from xquality import analysis as analysis
    from xquality import errors as errors
    from xquality import evaluation as evaluation
    from xquality import heads as heads
    from xquality import label_issues as label_issues
    from xquality import languages as languages
    from xquality import metrics as metrics
    from xquality import models as models
    from xquality import probabilities as probabilities
    from xquality import report as report
    from xquality import study as study
    from xquality import tasks as tasks
    from xquality import testing as testing
    from xquality import toy as toy
    from xquality import train as train
    from xquality import transforms as transforms
    from xquality import translators as translators
    from xquality import xtreme as xtreme

__version__ = _version("xquality")

_SUBMODULES = (
    *("analysis", "errors", "evaluation", "heads", "label_issues", "languages", "metrics", "models", "probabilities"),
    *("report", "study", "tasks", "testing", "toy", "train", "transforms", "translators", "xtreme"),
)

if not _typing.TYPE_CHECKING:  # a type checker reads the imports above, and must not accept any other name
    __all__ = [  # noqa: PLE0604 (strings all)
        *("Audit", "History", "Point", "Record", "Result", "Score", "XqualityError", "__version__", "audit", "card"),
        *("concatenate", "digest", "history", "load", "push_to_hub", "save", "with_uid"),
        *_TRANSFORMS,
    ]

    def __getattr__(name: str) -> _ModuleType:
        """Import a public submodule when it is first used."""
        if name in _SUBMODULES:
            return _import_module(f"xquality.{name}")
        raise AttributeError(f"module 'xquality' has no attribute {name!r}")

    def __dir__() -> list[str]:
        """List the public names and the public submodules."""
        return sorted((*__all__, *_SUBMODULES))
