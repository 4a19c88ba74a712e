r"""Apertium: rule-based translation by the packages of Debian, without a network or a model.

The stages of a pair are read from its mode file and run with every text framed by NUL. Some pairs carry state from one
text to the next: in `eng-spa` a transfer rule sets a variable that nothing resets, and past tenses come out otherwise
from then on. So each text gets fresh processes, except in pairs that were found to be free of this.
"""

import functools
import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, TypeVar, final

from xquality import _settings
from xquality._settings import Positive, at_least, check_settings, choice, optional
from xquality.errors import NotInstalledError, TranslationError
from xquality.languages import identity
from xquality.translators.base import MarkedText, MarkedTranslation, Pair, Span, Translator, as_pair
from xquality.translators.pipeline import run_pipeline

T = TypeVar("T")

_PROTOCOL: Final = 1  # of framing and escaping; raise it where a change here changes translations
_PROGRAMS: Final = ("apertium", "apertium-wblank-mode", "lt-proc")
_PACKAGES: Final = ("apertium", "lttoolbox", "apertium-lex-tools")
_MODE: Final = re.compile(r"([a-z]{2,3}(?:_[A-Z]{2})?)-([a-z]{2,3}(?:_[A-Z]{2})?)")
_OWN_CODES: Final = {  # that modes and packages use, and the languages that each stands for
    "hbs": ("hr", "bs", "sr"),
    "hbs_HR": ("hr",),
    "hbs_BS": ("bs",),
    "hbs_SR": ("sr",),
    "nor": ("no", "nn"),
    "zlm": ("ms",),
}

# Modes that kept no state in the version of their package that is named: the translations of 400 or 1,004 sentences
# were the same in every order and one by one. Of other versions nothing is known, so they get fresh processes.
_CONTEXT_FREE: Final = {
    "eng-cat": "apertium-eng-cat 1.0.1-5",
    "en-gl": "apertium-en-gl 0.5.4-1",
    "en-eo": "apertium-eo-en 1.0.2-1",
    "spa-eng": "apertium-eng-spa 0.8.1-2",
    "ind-zlm": "apertium-ind-zlm 0.1.2-3",
    "hin-urd": "apertium-urd-hin 0.1.0~r64379-4",
}

# The packages of Debian 12, each of one pair in one direction or both.
_DEBIAN: Final = (
    "afr-nld arg-cat bel-rus br-fr cat-ita cat-srd dan-nor en-gl eng-cat eng-spa eo-ca eo-en eo-es eo-fr es-gl es-pt "
    "es-ro eu-en eu-es fr-es fra-cat hbs-eng hbs-mkd hbs-slv ind-zlm isl-eng isl-swe mkd-bul mkd-eng nno-nob oc-ca "
    "oc-es oci-fra pol-szl por-cat pt-gl rus-ukr spa-arg spa-ast spa-cat spa-ita srd-ita swe-dan swe-nor urd-hin"
).split()

_ESCAPED: Final = re.compile(r"[\[\]{}^$/\\@<>]")
_BLANKS: Final = re.compile(r"[^\S ]\s*| \s+|~+")  # all white space but a single space; ~, which the last stage removes
_OUTPUT: Final = re.compile(
    r"\\(?P<escaped>.)|\[\[(?P<mark>.*?)\]\]|\[(?P<blank>[^\]]*)\]|(?P<plain>[^\\\[]+)", re.DOTALL
)


@final
@dataclass(frozen=True)
class Apertium(Translator):
    """Rule-based translation by Debian's Apertium: `apt-get install apertium apertium-eng-spa`.

    Good word choice, broken agreement and order: what machine-translated training data were like before neural models.
    A fresh process for each text takes 0.1 to 0.2 seconds of a core, so wrap it in `Cached`. Marked parts of a text are
    followed through the translation by the engine itself.

    Attributes:
        unknown: "keep" leaves words that the engine does not know as they are, "mark" puts * before them.
        folder: the folder that holds the folder `modes`; None for the environment variable APERTIUM_DATADIR, or
            /usr/share/apertium.
        processes: how many texts are translated at a time; it changes no translation.
        timeout: how many seconds an engine may print nothing before it is stopped.

    Raises:
        SettingError: for a setting that is out of range.

    Example:
        >>> Apertium(processes=4) == Apertium()  # what changes no translation is not compared
        True
    """

    unknown: Annotated[str, choice("keep", "mark")] = "keep"
    folder: Annotated[Path | None, optional(_settings.path)] = None
    processes: Annotated[int, at_least(1)] = field(default=1, repr=False, compare=False)
    timeout: Positive = field(default=300.0, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def name(self) -> str:
        """Apertium."""
        return "Apertium"

    @property
    def version(self) -> str:
        """The packages of the engine, and the settings."""
        self._check_installed()
        return f"{_package_versions(_PACKAGES)}; protocol {_PROTOCOL}, unknown words: {self.unknown}"

    @property
    def context_free(self) -> bool:
        """True: pairs that carry state from text to text get fresh processes for each."""
        return True

    @property
    def marks(self) -> bool:
        """True: the engine follows marked words through the translation."""
        return True

    def pairs(self) -> tuple[Pair, ...]:
        """Return the pairs that are installed."""
        self._check_installed()
        return tuple(sorted(self._modes()))

    def supports(self, source: str, target: str) -> bool:
        """Return whether a pair is installed."""
        self._check_installed()
        return as_pair(source, target) in self._modes()

    def version_of(self, source: str, target: str) -> str:
        """Return `version`, and the package and a digest of the data of a pair."""
        mode = self._mode(source, target)
        return f"{self.version}; {mode.stem} from {_package_of(mode)}, data {_digest_data(mode, _stamp(mode))}"

    def how_to_add(self, source: str, target: str) -> str:
        """Return the command that installs a pair, where Debian has it."""
        wanted = {as_pair(source, target), as_pair(target, source)}
        found = [name for name in _DEBIAN if wanted.intersection(_pairs_of(*name.split("-")))]
        return f"Install the pair with: apt-get install apertium-{found[0]}" if found else ""

    def run(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Return the translations."""
        mode = self._mode(source, target)
        encoded = [_encode(text, ()) for text in texts]
        if not self._is_context_free(mode):
            return self._in_parallel(lambda text: self._run_mode(mode, [text])[0].text, encoded)
        share = -(-len(encoded) // self.processes)
        shares = [encoded[start : start + share] for start in range(0, len(encoded), share)]
        parts = self._in_parallel(lambda part: self._run_mode(mode, part), shares)
        return [translation.text for part in parts for translation in part]

    def run_marked(self, texts: Sequence[MarkedText], source: str, target: str) -> list[MarkedTranslation]:
        """Return the translations of marked texts, each from fresh processes: marks are not proved free of state."""
        mode = self._mode(source, target)

        def translate(marked: MarkedText) -> MarkedTranslation:
            (found,) = self._run_mode(mode, [_encode(marked.text, marked.spans)])
            return found.with_pieces_of(len(marked.spans))

        return self._in_parallel(translate, texts)

    def _in_parallel(self, work: Callable[..., T], items: Sequence[object]) -> list[T]:
        """Return the result of `work` for each item, in order; after an error no further item is begun."""
        with ThreadPoolExecutor(self.processes) as pool:
            try:
                return list(pool.map(work, items))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _run_mode(self, mode: Path, encoded: "Sequence[_Encoded]") -> "list[_Decoded]":
        """Return the translations of some texts by one run of a mode's stages."""
        frames = b"".join(text.frame(number) for number, text in enumerate(encoded))
        option = "-n" if self.unknown == "keep" else "-g"
        owner = f"Apertium's mode {mode.stem}"
        printed = run_pipeline(_read_stages(mode, _stamp(mode)), [option, ""], frames, self.timeout, owner)
        try:
            outputs = printed.decode().split("\0")
        except UnicodeDecodeError as error:
            raise TranslationError(f"{owner} printed bytes that are no UTF-8; check the engine.") from error
        # At the end of the input some stages print further NULs, with nothing between them.
        if len(outputs) <= len(encoded) or any(outputs[len(encoded) :]):
            found = sum(map(bool, outputs))
            raise TranslationError(
                f"{owner} printed {found} translations for {len(encoded)} texts, so none can be believed; check that "
                "all its packages are installed, and call it again."
            )
        return [text.decode(number, outputs[number], owner) for number, text in enumerate(encoded)]

    def _mode(self, source: str, target: str) -> Path:
        """Return the mode file of a pair."""
        self.check_pair(source, target)
        return self._modes()[as_pair(source, target)]

    def _modes(self) -> dict[Pair, Path]:
        """Return the mode files of the pairs that are installed; variants of a language are left out."""
        folder = (self.folder or Path(os.environ.get("APERTIUM_DATADIR", "/usr/share/apertium"))) / "modes"
        matches = [(path, match) for path in folder.glob("*.mode") if (match := _MODE.fullmatch(path.stem))]
        plain = [(path, match) for path, match in matches if not any(_is_variant(code) for code in match.groups())]
        return {
            pair: path
            for path, match in sorted(plain, key=lambda found: found[0])
            for pair in _pairs_of(*match.groups())
        }

    def _is_context_free(self, mode: Path) -> bool:
        """Return whether a mode of the installed package is known to keep no state."""
        return _CONTEXT_FREE.get(mode.stem) == _package_of(mode)

    def _check_installed(self) -> None:
        """Raise `NotInstalledError` where a program of the engine is missing."""
        missing = next((program for program in _PROGRAMS if shutil.which(program) is None), None)
        if missing is not None:
            raise NotInstalledError(
                f"Apertium needs the program {missing}, which is not installed; install the engine and a pair with: "
                "apt-get install apertium apertium-eng-spa"
            )


def _pairs_of(source: str, target: str) -> list[Pair]:
    """Return the pairs that a mode or a package serves, whose codes may stand for several languages."""
    sources, targets = (_OWN_CODES.get(code, (identity(code),)) for code in (source, target))
    return [(first, second) for first in sources for second in targets]


def _is_variant(code: str) -> bool:
    """Return whether a code names a regional variant beside the language itself, as eng_US does."""
    return "_" in code and code not in _OWN_CODES


@final
@dataclass(frozen=True)
class _Encoded:
    """A text as the engine reads it, and the white space around it, which the engine is not given."""

    before: str
    body: str
    after: str

    def frame(self, number: int) -> bytes:
        """Return the frame of the text: its end holds its number, so that no frame is taken for another."""
        return f"{self.body}[~{number}~]\0".encode()

    def decode(self, number: int, output: str, owner: str) -> "_Decoded":
        """Return the translation in what the engine printed for the frame."""
        end = f"[~{number}~]"
        if output.count(end) != 1:
            raise TranslationError(
                f"{owner} printed {output!r:.80} for text {number}, without the end that was put to it; the output was "
                "cut short or shifted, so none of it is believed."
            )
        text, marks = _decode(output.replace(end, ""))
        kept = text.strip()
        shift = len(self.before) - (len(text) - len(text.lstrip()))
        shifted = tuple((mark, start + shift, stop + shift) for mark, start, stop in marks if text[start:stop].strip())
        return _Decoded(f"{self.before}{kept}{self.after}" if kept else "", shifted)


@final
@dataclass(frozen=True)
class _Decoded:
    """A translation, and the marked words in it, each with the number of its mark, its start and its end."""

    text: str
    words: tuple[tuple[int, int, int], ...]

    def with_pieces_of(self, spans: int) -> MarkedTranslation:
        """Return the translation with the pieces of each marked part: words with only white space between are one."""
        pieces: list[list[Span]] = [[] for _ in range(spans)]
        for mark, start, end in self.words:
            found = pieces[mark]
            if found and not self.text[found[-1][1] : start].strip():
                found[-1] = (found[-1][0], end)
            else:
                found.append((start, end))
        return MarkedTranslation(self.text, tuple(map(tuple, pieces)))


def _encode(text: str, spans: Sequence[Span]) -> _Encoded:
    """Return a text as the engine reads it, with marks around parts of it."""
    text = text.replace("\0", " ")  # which is the end of a frame
    start, end = len(text) - len(text.lstrip()), len(text.rstrip())
    cuts = {}
    for number, span in enumerate(spans):
        inner = text[slice(*span)]
        if inner.strip():  # the mark stands right before a word
            first = span[0] + len(inner) - len(inner.lstrip())
            cuts[first] = (first + len(inner.strip()), number)
    body, place = [], start
    for first in sorted(cuts):
        last, number = cuts[first]
        body += [_escape(text[place:first]), f"[[t:x:{number}]]", _escape(text[first:last]), "[[/]]"]
        place = last
    return _Encoded(text[:start], "".join([*body, _escape(text[place:end])]), text[end:])


def _escape(text: str) -> str:
    r"""Return plain text as the engine's stream of words.

    Example:
        >>> print(_escape("a [b]  c"))
        a \[b\][  ]c
    """
    parts, place = [], 0
    for match in _BLANKS.finditer(text):
        parts += [_ESCAPED.sub(r"\\\g<0>", text[place : match.start()]), f"[{match[0]}]"]
        place = match.end()
    return "".join([*parts, _ESCAPED.sub(r"\\\g<0>", text[place:])])


def _decode(output: str) -> tuple[str, list[tuple[int, int, int]]]:
    """Return the plain text of the engine's stream, and its marked words as (number, start, end)."""
    parts, length, words = [], 0, []
    open_marks: list[int] = []
    opened = 0
    for match in _OUTPUT.finditer(output):
        mark = match["mark"]
        if mark is None:
            found = next(part for part in match.group("escaped", "blank", "plain") if part is not None)
            parts.append(found)
            length += len(found)
        elif mark == "/":
            words += [(number, opened, length) for number in open_marks if opened < length]
            open_marks = []
        else:
            open_marks = [int(number) for number in dict.fromkeys(re.findall(r"t:x:(\d+)", mark))]
            opened = length
    return "".join(parts), words


def _stamp(mode: Path) -> tuple[int, int]:
    """Return the time and the size of a mode file, which change when its package is replaced."""
    found = mode.stat()
    return found.st_mtime_ns, found.st_size


@functools.lru_cache(maxsize=64)
def _read_stages(mode: Path, stamp: tuple[int, int]) -> str:
    """Return the pipeline of a mode, with stages that flush at NUL and carry marks from word to word."""
    del stamp
    return _output_of("apertium-wblank-mode", "-z", str(mode)).strip()


@functools.lru_cache(maxsize=64)
def _digest_data(mode: Path, stamp: tuple[int, int]) -> str:
    """Return a digest of a mode file and of the data files that it names, 16 hex digits."""
    del stamp
    text = mode.read_text(encoding="utf-8")
    digest = hashlib.blake2b(text.encode(), digest_size=8)
    for name in re.findall(r"'(/[^']*)'", text):
        if Path(name).is_file():
            with Path(name).open("rb") as handle:
                digest.update(hashlib.file_digest(handle, "blake2b").digest())
    return digest.hexdigest()


@functools.cache
def _package_versions(names: Sequence[str]) -> str:
    """Return the installed versions of some packages; the engine's own where the system is not Debian."""
    written = "${Package} ${Version}, "
    return _output_of("dpkg-query", "-W", "-f", written, *names).strip(", ") or _output_of("apertium", "-V").strip()


@functools.cache
def _package_of(path: Path) -> str:
    """Return the name and the version of the package that a file is from; the path where it is from none."""
    owner = _output_of("dpkg-query", "-S", str(path)).partition(":")[0]
    return _package_versions((owner,)) if owner else str(path.name)


def _output_of(*command: str) -> str:
    """Return what a program prints; nothing where it is missing."""
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603 (the engine's own programs)
