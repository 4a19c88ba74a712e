"""A translator is a frozen value that turns texts of one language into as many texts of another.

`Translator` is what every engine, the library's or a user's, derives from. Its public methods check what goes in and
what comes out, so that an engine that loses, adds or empties a text is an error and no translation.
"""

import dataclasses
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from xquality import _settings
from xquality.errors import DataKindError, LanguagePairError, SerialisationError, SettingError, TranslationError
from xquality.languages import identity, members

Pair = tuple[str, str]
"""A source and a target language, as `xquality.languages.identity` writes them."""

Span = tuple[int, int]
"""The first character of a part of a text, and the character after its last."""

_MOST_PAIRS = 12  # listed in a message


@final
@dataclass(frozen=True)
class MarkedText:
    """A text with marked parts that are to be found again in its translation.

    Attributes:
        text: the text.
        spans: the marked parts, in characters; they must not overlap. An empty one marks nothing.

    Raises:
        SettingError: where a span lies outside the text, or two overlap.
    """

    text: str
    spans: tuple[Span, ...]

    def __post_init__(self) -> None:
        last = 0
        for start, end in sorted(span for span in self.spans if span[0] < span[1]):
            if start < last:
                raise SettingError(f"MarkedText(spans={self.spans!r:.80}) must not overlap; mark each part once.")
            last = end
        if any(not 0 <= start <= end <= len(self.text) for start, end in self.spans):
            raise SettingError(
                f"MarkedText(spans={self.spans!r:.80}) must lie in the text, which has {len(self.text)} characters."
            )


@final
@dataclass(frozen=True)
class MarkedTranslation:
    """A translation, and where the marked parts of the source text are in it.

    Attributes:
        text: the translation.
        pieces: for each marked part, in the order of the source's spans, the parts of the translation that came of it,
            in the order of the translation. A part may come back in several pieces, or in none.
    """

    text: str
    pieces: tuple[tuple[Span, ...], ...]


class Translator(ABC):
    """Base of all engines. Derive a final frozen dataclass with the properties and methods that are abstract here.

    An engine keeps no state from one call to the next: `run` starts afresh each time. Languages are given in the
    spelling of the data ("en", "eng", "eng_Latn"); the engine maps them to its own.

    Example:
        >>> from xquality.translators import FunctionTranslator
        >>> def shout(texts, source, target):
        ...     return [text.upper() for text in texts]
        >>> shouting = FunctionTranslator(shout, name="shout", version="1", language_pairs=[("en", "es")])
        >>> shouting.translate(["hello", ""], "eng_Latn", "spa_Latn")
        ['HELLO', '']
    """

    @property
    @abstractmethod
    def name(self) -> str:
        """The name of the engine."""

    @property
    @abstractmethod
    def version(self) -> str:
        """All that decides a translation besides the text and the languages.

        That is the engine with its version, packages, model revision, compute type and decoding settings; it enters the
        record of the data, and so their digest. Settings that change no translation, such as a number of processes,
        have no part in it.

        Raises:
            NotInstalledError: where the engine is missing.
        """

    @property
    @abstractmethod
    def context_free(self) -> bool:
        """Whether a translation depends on its text alone, and not on the other texts of the call or their order."""

    @property
    def marks(self) -> bool:
        """Whether the engine finds marked parts of a text again in the translation, so `translate_marked` works."""
        return False

    @abstractmethod
    def pairs(self) -> tuple[Pair, ...]:
        """Return the pairs of languages that can be translated now; none where there is no list, as of a function.

        Raises:
            NotInstalledError: where the engine is missing.
        """

    @abstractmethod
    def supports(self, source: str, target: str) -> bool:
        """Return whether a pair of languages, in any spelling, can be translated now."""

    @abstractmethod
    def run(self, texts: Sequence[str], source: str, target: str) -> Sequence[str]:
        """Return one translation for each text, in the same order; `translate` calls it after its checks.

        Args:
            texts: none of them is empty or has only spaces.
            source: the language of the texts, as the caller spelt it; the pair is supported.
            target: the language of the translations, likewise.

        Raises:
            TranslationError: where the engine fails.
        """

    def run_marked(self, texts: Sequence[MarkedText], source: str, target: str) -> Sequence[MarkedTranslation]:
        """Return one translation for each marked text; `translate_marked` calls it where `marks` is True."""
        raise NotImplementedError

    def version_of(self, source: str, target: str) -> str:
        """Return `version` with what is specific to a pair of languages, such as the packages of the pair."""
        del source, target
        return self.version

    def how_to_add(self, source: str, target: str) -> str:
        """Return a sentence about what to install for a pair of languages that is missing; empty where unknown."""
        del source, target
        return ""

    @final
    def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Return the translations, as many as there are texts and in the same order.

        A text that is empty or has only spaces is its own translation.

        Args:
            texts: texts of the source language.
            source: the language of the texts, in any spelling: "en", "eng", "eng_Latn".
            target: the language of the translations.

        Raises:
            DataKindError: where `texts` is no sequence of strings.
            NotInstalledError: where the engine, or what it needs for the pair, is missing.
            LanguagePairError: where the engine does not translate the pair.
            TranslationError: where the engine fails, or returns another number of texts or an empty one.
        """
        listed = _check_texts(texts)
        self.check_pair(source, target)
        numbers = [number for number, text in enumerate(listed) if text.strip()]
        translated = list(self.run([listed[number] for number in numbers], source, target)) if numbers else []
        self._check_count(len(numbers), len(translated))
        for number, translation in zip(numbers, translated, strict=True):
            self._check_translation(number, listed[number], translation)
            listed[number] = translation
        return listed

    @final
    def translate_marked(self, texts: Sequence[MarkedText], source: str, target: str) -> list[MarkedTranslation]:
        """Return the translations with what became of the marked parts, one for each text and in the same order.

        Args:
            texts: texts with marked parts. An empty text is its own translation, and has no pieces.
            source: the language of the texts.
            target: the language of the translations.

        Raises:
            SettingError: where the engine has no marks; see `marks`.
            DataKindError, NotInstalledError, LanguagePairError, TranslationError: as `translate`.
        """
        if not self.marks:
            raise SettingError(f"{self.name} cannot mark parts of a text; ask `marks` first, and align the texts.")
        listed = list(texts)
        if not all(isinstance(text, MarkedText) for text in listed):
            raise DataKindError("translate_marked takes a sequence of MarkedText.")
        _check_texts([marked.text for marked in listed])
        self.check_pair(source, target)
        numbers = [number for number, marked in enumerate(listed) if marked.text.strip()]
        translated = list(self.run_marked([listed[number] for number in numbers], source, target)) if numbers else []
        self._check_count(len(numbers), len(translated))
        results = [MarkedTranslation(marked.text, tuple(() for _ in marked.spans)) for marked in listed]
        for number, translation in zip(numbers, translated, strict=True):
            self._check_translation(number, listed[number].text, translation.text)
            results[number] = translation
        return results

    @final
    def check_pair(self, source: str, target: str) -> None:
        """Raise `LanguagePairError` where a pair of languages cannot be translated, with those that can be."""
        for setting, language in (("source", source), ("target", target)):
            _settings.text(f"{self.name}.translate", setting, language)
            if len(members(language)) > 1:
                raise LanguagePairError(f"{self.name} takes one language as {setting}, but got {language!r}.")
        if not self.supports(source, target):
            listed, advice = _describe_pairs(self.pairs(), source), self.how_to_add(source, target)
            raise LanguagePairError(
                f"{self.name} does not translate {source!r} to {target!r}{listed}. {advice}".rstrip()
            )

    @final
    def to_dict(self) -> dict[str, Any]:
        """Return the translator as plain JSON values, for `translators.from_dict`.

        Raises:
            SerialisationError: where a setting is not plain data, or a function has no name.
        """
        fields = dataclasses.fields(self)  # type: ignore[arg-type]  # subclasses are dataclasses
        settings = {field.name: _to_json(self, field.name, getattr(self, field.name)) for field in fields}
        return {"translator": type(self).__name__, "settings": settings}

    @final
    def summary(self) -> dict[str, Any]:
        """Return what a record keeps: the name and the version."""
        return {"translator": self.name, "version": self.version}

    def _check_count(self, asked: int, returned: int) -> None:
        """Raise `TranslationError` where an engine returned too few or too many texts."""
        if asked != returned:
            raise TranslationError(
                f"{self.name} returned {returned} translations for {asked} texts, so none can be believed; translate "
                "fewer texts at a time, or give one without line breaks."
            )

    def _check_translation(self, number: int, text: str, translation: object) -> None:
        """Raise `TranslationError` where an engine returned no text, or an empty one."""
        if not isinstance(translation, str):
            kind = type(translation).__name__
            raise TranslationError(f"{self.name} returned {kind} for text {number}, which is no text: {text!r:.80}.")
        if not translation.strip():
            raise TranslationError(
                f"{self.name} returned nothing for text {number}, {text!r:.80}; check the engine with this text alone, "
                "or remove the row."
            )
        try:
            translation.encode()
        except UnicodeEncodeError as error:
            raise TranslationError(
                f"{self.name} returned half a surrogate for text {number}, {text!r:.80}; check the engine."
            ) from error


def as_pair(source: str, target: str) -> Pair:
    """Return a pair of languages as `xquality.languages.identity` writes them."""
    return identity(source), identity(target)


def from_dict(data: Any, *, known: Sequence[type | Callable[..., Any]] = ()) -> Translator:
    """Return the translator that `to_dict` described.

    Args:
        data: what `to_dict` returned, also after it was written as JSON and read back.
        known: translator classes of your own, and the functions of a `FunctionTranslator`, that may be named in `data`.

    Raises:
        SerialisationError: where `data` describe no known translator.
        SettingError: where a setting is out of range.

    Example:
        >>> from xquality.translators import FunctionTranslator
        >>> def shout(texts, source, target):
        ...     return [text.upper() for text in texts]
        >>> shouting = FunctionTranslator(shout, "shout", "1")
        >>> from_dict(shouting.to_dict(), known=[shout]) == shouting
        True
    """
    if not is_description(data):
        raise SerialisationError(
            f"A translator is written as a dict with 'translator' and 'settings', but got {data!r:.100}."
        )
    own = [kind for kind in _engines(Translator) if kind.__module__.startswith(f"{__package__}.")]
    mine = [kind for kind in known if isinstance(kind, type) and issubclass(kind, Translator)]
    classes = {kind.__name__: kind for kind in (*own, *mine)}
    name = data["translator"]
    if name not in classes:
        raise SerialisationError(
            f"No translator is named {name!r}; there are {sorted(classes)}; give others in known=."
        )
    functions = {function.__qualname__: function for function in known if not isinstance(function, type)}
    settings = {setting: _read_setting(value, known, functions) for setting, value in data["settings"].items()}
    try:
        return classes[name](**settings)
    except TypeError as fault:
        raise SerialisationError(f"{name} cannot be rebuilt from {data['settings']!r:.200}: {fault}.") from fault


def _engines(base: type[Any]) -> list[type[Translator]]:
    """Return the classes below `base` that are no bases themselves."""
    below = [engine for kind in base.__subclasses__() for engine in (kind, *_engines(kind))]
    return [kind for kind in below if not inspect.isabstract(kind)]


def is_description(data: Any) -> bool:
    """Return whether JSON values have the form in which translators are written."""
    return (
        isinstance(data, Mapping) and set(data) == {"translator", "settings"} and isinstance(data["settings"], Mapping)
    )


def _read_setting(value: Any, known: Sequence[Any], functions: Mapping[str, Callable[..., Any]]) -> Any:
    """Return a setting with the translator or the function that it describes."""
    if is_description(value):
        return from_dict(value, known=known)
    if isinstance(value, Mapping) and set(value) == {"function"}:
        if value["function"] not in functions:
            raise SerialisationError(
                f"JSON names the function {value['function']!r} but does not hold its code; give it in known=."
            )
        return functions[value["function"]]
    return value


def _to_json(owner: object, name: str, value: object) -> Any:
    """Return a setting as plain JSON values, or raise `SerialisationError`."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Translator):
        return value.to_dict()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple | list):
        return [_to_json(owner, name, item) for item in value]
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return {key: _to_json(owner, name, item) for key, item in value.items()}
    function = str(getattr(value, "__qualname__", "<lambda>"))
    if callable(value) and "<lambda>" not in function:
        return {"function": function}
    raise SerialisationError(
        f"{type(owner).__name__} holds {name} of type {type(value).__name__}, which JSON cannot; rebuild it in Python, "
        "and define functions with def."
    )


def _check_texts(texts: object) -> list[str]:
    """Return texts as a list, or raise `DataKindError`."""
    if isinstance(texts, str) or not isinstance(texts, Sequence):
        raise DataKindError(f"translate takes a sequence of strings, but got {type(texts).__name__}; put it in a list.")
    wrong = next((text for text in texts if not isinstance(text, str)), None)
    if wrong is not None or any(text is None for text in texts):
        raise DataKindError(
            f"translate takes strings, but one of the texts is {type(wrong).__name__}; remove it first."
        )
    listed: list[str] = list(texts)
    try:
        "".join(listed).encode()
    except UnicodeEncodeError as error:
        raise DataKindError("translate takes valid text, but a text has half a surrogate; repair it first.") from error
    return listed


def _describe_pairs(pairs: Sequence[Pair], source: str) -> str:
    """Return the end of a message about a pair that is missing: the pairs there are, first those of the same source."""
    if not pairs:
        return ""
    ordered = sorted(pairs, key=lambda pair: (pair[0] != identity(source), pair))
    shown = ", ".join(f"{first}-{second}" for first, second in ordered[:_MOST_PAIRS])
    more = f" and {len(ordered) - _MOST_PAIRS} more" if len(ordered) > _MOST_PAIRS else ""
    return f"; there are {shown}{more}"
