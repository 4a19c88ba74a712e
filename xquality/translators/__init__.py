"""Machine translation: engines with one protocol, and a cache on disk.

An engine is a frozen value whose `translate` returns one text for each text, or raises. Give it to a transform, or call
it; wrap a slow one in `Cached`.
"""

from xquality.translators.apertium import Apertium
from xquality.translators.base import MarkedText, MarkedTranslation, Translator, from_dict
from xquality.translators.cached import Cached
from xquality.translators.function import FunctionTranslator
from xquality.translators.lexicon import Lexicon

__all__ = [
    "Apertium",
    "Cached",
    "FunctionTranslator",
    "Lexicon",
    "MarkedText",
    "MarkedTranslation",
    "Translator",
    "from_dict",
]
