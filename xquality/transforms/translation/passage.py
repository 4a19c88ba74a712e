"""Passages: the ways of a text through one engine or two, with the marked parts that are found again at its end."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar, final

from xquality.errors import DataKindError
from xquality.translators import MarkedText, MarkedTranslation, Translator, from_dict
from xquality.translators.base import is_description

Item = TypeVar("Item", bound=Hashable)
Result = TypeVar("Result")


def check_translator(owner: str, name: str, value: object) -> Translator:
    """Return a translator; what `to_dict` wrote of one is read. A check of a setting."""
    translator = from_dict(value) if is_description(value) else value
    if not isinstance(translator, Translator):
        raise DataKindError(
            f"{owner}({name}=...) must be a translator, such as a FunctionTranslator, not {type(value).__name__}."
        )
    return translator


class Passage(ABC):
    """A way of texts through one engine or two."""

    @abstractmethod
    def check(self) -> None:
        """Raise where it cannot be gone.

        Raises:
            LanguagePairError: where an engine does not translate its pair of languages.
            NotInstalledError: where an engine is missing.
        """

    @abstractmethod
    def translate(self, texts: Sequence[str]) -> list[str]:
        """Return the translation of each text."""

    @abstractmethod
    def translate_marked(self, texts: Sequence[MarkedText]) -> list[MarkedTranslation]:
        """Return the translation of each text, and the pieces of it that each of its spans became."""


@final
@dataclass(frozen=True)
class OneEngine(Passage):
    """The way through one engine.

    Attributes:
        translator: the engine.
        source: the language of the texts.
        target: the language of the translations.
    """

    translator: Translator
    source: str
    target: str

    def check(self) -> None:
        """Raise where the engine does not translate the pair."""
        self.translator.check_pair(self.source, self.target)

    def translate(self, texts: Sequence[str]) -> list[str]:
        """Return the translation of each text."""
        return _call_once(texts, lambda distinct: self.translator.translate(distinct, self.source, self.target))

    def translate_marked(self, texts: Sequence[MarkedText]) -> list[MarkedTranslation]:
        """Return the translation of each text, and the pieces of it that each of its spans became."""
        plain = self.translate([marked.text for marked in texts])
        return [
            MarkedTranslation(text, tuple(() for _ in marked.spans)) for text, marked in zip(plain, texts, strict=True)
        ]


def _call_once(items: Sequence[Item], call: Callable[[list[Item]], Sequence[Result]]) -> list[Result]:
    """Return the result for each item, each distinct one given once, all in one call.

    They are given in a sorted order, so that the order of the rows changes nothing where an engine is not context-free.
    """
    distinct = sorted(set(items), key=repr)
    found = dict(zip(distinct, call(distinct), strict=True)) if distinct else {}
    return [found[item] for item in items]
