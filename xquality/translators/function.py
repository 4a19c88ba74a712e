"""FunctionTranslator: an engine made of a plain function."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, final

from xquality import _settings
from xquality._settings import Flag, Name, check_settings, show
from xquality.errors import SettingError, TranslationError
from xquality.translators.base import Pair, Translator, as_pair


def check_pairs(owner: str, name: str, value: Any) -> tuple[Pair, ...]:
    """Return pairs of languages, in any spelling, as a tuple of pairs of codes; a check of a setting."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise SettingError(f"{owner}({name}={show(value)}) must be a list of pairs such as ('en', 'es').")
    pairs = [_settings.texts(owner, name, pair) for pair in value]
    wrong = next((pair for pair in pairs if len(pair) != 2), None)
    if wrong is not None:
        raise SettingError(f"{owner}({name}=...) must hold pairs such as ('en', 'es'), but {wrong!r} is none.")
    return tuple(dict.fromkeys(as_pair(*pair) for pair in pairs))


def _check_function(owner: str, name: str, value: object) -> Callable[..., Any]:
    """Return a function that has a name."""
    if not callable(value) or not hasattr(value, "__qualname__"):
        raise SettingError(f"{owner}({name}={show(value)}) must be a function that was defined with def.")
    return value


@final
@dataclass(frozen=True, repr=False)
class FunctionTranslator(Translator):
    """An engine made of a plain function.

    The function takes a list of texts, the source and the target language as the caller spelt them, and returns a list
    of translations. It must keep no state from one call to the next. Its code is not part of the value: give it another
    `version` when it starts to return other translations. JSON holds the function's name; `from_dict(data,
    known=[function])` puts the function back.

    Attributes:
        function: defined with `def`, in a module where it is to run in other processes.
        name: what records and caches call it; to be given.
        version: model, revision and settings: all that decides a translation; to be given.
        language_pairs: the pairs of languages that it translates, in any spelling; None for any.
        context_free: False where the texts of one call influence each other's translations, as where rounding depends
            on the batch. `Cached` then gives it text by text.

    Raises:
        SettingError: for a function without a name, or a setting of another type.

    Example:
        >>> def shout(texts, source, target):
        ...     return [text.upper() for text in texts]
        >>> FunctionTranslator(shout, "shout", "1").translate(["hello"], "en", "es")
        ['HELLO']
    """

    function: Annotated[Callable[..., Any], _check_function]
    name: Name = ""  # the default stands in for the abstract property of the base, and is refused
    version: Name = ""
    language_pairs: Annotated[tuple[Pair, ...] | None, _settings.optional(check_pairs)] = None
    context_free: Flag = True

    def __post_init__(self) -> None:
        check_settings(self)

    def __repr__(self) -> str:
        settings = [f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self)[1:]]
        return f"FunctionTranslator({', '.join([self.function.__qualname__, *settings])})"

    def pairs(self) -> tuple[Pair, ...]:
        """Return the pairs that were given."""
        return self.language_pairs or ()

    def supports(self, source: str, target: str) -> bool:
        """Return whether the pair was given, or any pair is translated."""
        return self.language_pairs is None or as_pair(source, target) in self.language_pairs

    def run(self, texts: Sequence[str], source: str, target: str) -> Sequence[str]:
        """Call the function."""
        translations = self.function(list(texts), source, target)
        if isinstance(translations, str) or not isinstance(translations, Sequence):
            kind = type(translations).__name__
            raise TranslationError(f"{self.name} returned {kind} for {len(texts)} texts; return a list of strings.")
        return translations
