"""Machine translation: engines with one protocol, and a cache on disk.

An engine is a frozen value whose `translate` returns one text for each text, or raises. Give it to a transform, or call
it; wrap a slow one in `Cached`.
"""

from xquality.translators.apertium import Apertium
from xquality.translators.base import MarkedText, MarkedTranslation, Translator, from_dict
from xquality.translators.cached import Cached
from xquality.translators.ctranslate2 import CTranslate2
from xquality.translators.function import FunctionTranslator
from xquality.translators.lexicon import Lexicon
from xquality.translators.transformers import Transformers

__all__ = [
    "Apertium",
    "CTranslate2",
    "Cached",
    "FunctionTranslator",
    "Lexicon",
    "MarkedText",
    "MarkedTranslation",
    "Transformers",
    "Translator",
    "from_dict",
]
