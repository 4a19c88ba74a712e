"""Lexicon: translation word by word with a bilingual dictionary, in the order of the source."""

import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Self, final

import regex

from xquality import _settings
from xquality._settings import Name, check_settings, choice, integer
from xquality.errors import SettingError, SourceError, first_line
from xquality.randomness import key
from xquality.text.words import UNSPACED
from xquality.translators.base import MarkedText, MarkedTranslation, Pair, Span, Translator, as_pair

Entries = tuple[tuple[str, tuple[str, ...]], ...]

# A written character of a script without spaces, or a run of letters and digits that apostrophes may join.
_LETTER: Final = rf"[\p{{L}}\p{{M}}\p{{N}}--[{UNSPACED}]]"
_WORD: Final = regex.compile(rf"(?V1)[{UNSPACED}]\p{{M}}*+|{_LETTER}++(?:['\u2019]{_LETTER}++)*+")


def _check_entries(owner: str, name: str, value: Any) -> Entries:
    """Return a dictionary as sorted pairs of a word and its translations; a check of a setting."""
    example = f"{owner}({name}=...) must map words to translations or lists of them, such as {{'dog': ['perro']}}"
    listed = value.items() if isinstance(value, Mapping) else value
    try:
        pairs = {word: (found,) if isinstance(found, str) else tuple(found) for word, found in listed}
    except (TypeError, ValueError) as error:
        raise SettingError(f"{example}.") from error
    for word, translations in pairs.items():
        texts = (word, *translations)
        if not translations or not all(isinstance(text, str) and text.strip() for text in texts):
            raise SettingError(f"{example}, but {word!r:.40} has {translations!r:.40}.")
        _settings.any_text(owner, name, "".join(texts))
    if not pairs:
        raise SettingError(f"{example}, but it is empty.")
    return tuple(sorted(pairs.items()))


@final
@dataclass(frozen=True, repr=False)
class Lexicon(Translator):
    """Translation word by word with a dictionary: word choice without agreement and order, and fast.

    A word is looked up as it is written, then in lower case; a capital letter or capitals throughout are given to its
    translation. Punctuation and spaces stay. Marked parts of a text are followed word by word.

    Attributes:
        entries: the translations of each word, the best first; a mapping, or pairs.
        source: the language of the words.
        target: the language of the translations.
        unknown: "keep" leaves words that are not in the dictionary as they are; "drop" leaves them out, but a text of
            which nothing would be left stays as it is.
        choose: "first" takes the first translation of a word; "draw" draws one, by the text and the place in it, so
            that the order of the rows changes nothing.
        seed: of the drawing.

    Raises:
        SettingError: for entries that are no dictionary, or another setting that is out of range.

    Example:
        >>> lexicon = Lexicon({"the": "el", "dog": ["perro", "can"], "sleeps": "duerme"}, "en", "es")
        >>> lexicon.translate(["The dog sleeps here."], "en", "es")
        ['El perro duerme here.']
    """

    entries: Annotated[Entries, _check_entries]
    source: Name
    target: Name
    unknown: Annotated[str, choice("keep", "drop")] = "keep"
    choose: Annotated[str, choice("first", "draw")] = "first"
    seed: Annotated[int, integer] = 0

    def __post_init__(self) -> None:
        check_settings(self)

    def __repr__(self) -> str:
        return f"<Lexicon {self.source}-{self.target} {self.digest}: {len(self.entries)} words>"

    def __reduce__(self) -> tuple[Any, ...]:
        """Serialise the settings alone, and the entries as one string; what is cached on the value is left out."""
        return _from_json, (json.dumps(self.to_dict()["settings"]),)

    @classmethod
    def read(cls, path: str | Path, source: str, target: str, **settings: Any) -> Self:
        """Return the dictionary in a UTF-8 text file: a word, a tab, and a translation on each line.

        A word may have several lines, one for each translation; further columns are ignored.

        Args:
            path: the file.
            source: the language of the words.
            target: the language of the translations.
            settings: the other settings of the class.

        Raises:
            SourceError: where the file cannot be read, or a line has no tab.
        """
        file = _settings.path("Lexicon.read", "path", path)
        entries: dict[str, list[str]] = {}
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise SourceError(f"The dictionary {file} cannot be read ({first_line(error)}); name another.") from error
        for number, line in enumerate(lines, 1):
            if line.strip():
                word, tab, rest = line.partition("\t")
                translation = rest.partition("\t")[0].strip()
                if not tab or not word.strip() or not translation:
                    raise SourceError(
                        f"Line {number} of {file} is {line!r:.60}; write a word, a tab and a translation on each line."
                    )
                found = entries.setdefault(word.strip(), [])
                if translation not in found:
                    found.append(translation)
        return cls(entries, source, target, **settings)  # type: ignore[arg-type]  # the check makes pairs of it

    @property
    def name(self) -> str:
        """Lexicon."""
        return "Lexicon"

    @property
    def version(self) -> str:
        """The digest of the entries, and the settings."""
        drawn = f", drawn with seed {self.seed}" if self.choose == "draw" else ""
        return f"1; {len(self.entries)} words {self.digest}; unknown words: {self.unknown}{drawn}"

    @property
    def context_free(self) -> bool:
        """True."""
        return True

    @property
    def marks(self) -> bool:
        """True: each word is followed."""
        return True

    @functools.cached_property
    def digest(self) -> str:
        """A digest of all entries, 16 hexadecimal digits."""
        return hashlib.blake2b(json.dumps(self.entries).encode(), digest_size=8).hexdigest()

    def pairs(self) -> tuple[Pair, ...]:
        """Return the one pair."""
        return (as_pair(self.source, self.target),)

    def supports(self, source: str, target: str) -> bool:
        """Return whether a pair is the one of the dictionary."""
        return as_pair(source, target) == as_pair(self.source, self.target)

    def run(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Return the translations."""
        del source, target
        return [self._translate(text)[0] for text in texts]

    def run_marked(self, texts: Sequence[MarkedText], source: str, target: str) -> list[MarkedTranslation]:
        """Return the translations, and where the translations of marked words are in them."""
        del source, target
        results = []
        for marked in texts:
            text, words = self._translate(marked.text)
            pieces = [
                [new for old, new in words if old[0] < last and old[1] > first] if first < last else []
                for first, last in marked.spans
            ]
            whole = tuple(((found[0][0], found[-1][1]),) if found else () for found in pieces)
            results.append(MarkedTranslation(text, whole))
        return results

    def _translate(self, text: str) -> tuple[str, list[tuple[Span, Span]]]:
        """Return the translation, and the span of each word that is left, in the text and in the translation."""
        parts: list[str] = []
        words: list[tuple[Span, Span]] = []
        length = place = 0
        for number, match in enumerate(_WORD.finditer(text)):
            gap, place = text[place : match.start()], match.end()
            new = self._look_up(match[0], text, number)
            if new is None and self.unknown == "drop":
                gap, new = gap.rstrip() if parts else gap, ""
            parts += [gap, match[0] if new is None else new]
            length += len(gap)
            if parts[-1]:
                words.append((match.span(), (length, length + len(parts[-1]))))
            length += len(parts[-1])
        translation = "".join([*parts, text[place:]])
        if words or not text.strip() or translation.strip():
            return translation, words
        return text, []

    def _look_up(self, word: str, text: str, number: int) -> str | None:
        """Return the translation of the word with a number in a text; None where the dictionary lacks it."""
        found = self._table.get(word)
        if found is not None:
            return self._choose(found, text, number)
        found = self._table.get(word.lower())
        if found is None:
            return None
        new = self._choose(found, text, number)
        if word.isupper() and len(word) > 1:
            return new.upper()
        return new[:1].upper() + new[1:] if word[:1].isupper() else new

    def _choose(self, translations: tuple[str, ...], text: str, number: int) -> str:
        """Return one of several translations."""
        if self.choose == "first" or len(translations) == 1:
            return translations[0]
        return translations[key("Lexicon", self.seed, text, number) % len(translations)]

    @functools.cached_property
    def _table(self) -> dict[str, tuple[str, ...]]:
        """The entries by word."""
        return dict(self.entries)


def _from_json(settings: str) -> Lexicon:
    """Return the lexicon whose settings are written as JSON."""
    return Lexicon(**json.loads(settings))
