"""Cached: a translator whose translations are kept on disk, under the content of what was translated.

Each engine, version and pair of languages has one SQLite file. Its rows are keyed by the digest of the text and hold
the translation with a checksum, without which it is not believed. SQLite's rollback journal makes each commit whole or
nothing, also where the process is killed or the disk is full, and lets several processes share the file. The first
translation that is written of a text is the one that every process returns.
"""

import contextlib
import hashlib
import json
import os
import re
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, final

from xquality import _settings
from xquality._files import name_write_errors, remove
from xquality._settings import check_settings
from xquality._stored import set_aside
from xquality.errors import DamagedError, DataKindError, WriteError, first_line
from xquality.languages import identity, script
from xquality.translators.base import MarkedText, MarkedTranslation, Pair, Translator, from_dict, is_description

_FORMAT: Final = 1  # of the file; another one gets another name
_AT_ONCE: Final = 500  # keys in one query; SQLite's own limit was 999 for long
_PORTION_SECONDS: Final = 5.0  # about how much work is lost at a kill
_FIRST_PORTION: Final = 16  # texts
_GROWTH: Final = 4  # of the next portion at most
_LARGEST_PORTION: Final = 8192
_WAIT_SECONDS: Final = 600.0  # for the lock of another process, which holds it for a commit
_DAMAGED: Final = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)  # other columns; other bytes


def _check_translator(owner: str, name: str, value: object) -> Translator:
    """Return a translator that is no cache itself; what `to_dict` wrote of one is read."""
    translator = from_dict(value) if is_description(value) else value
    if not isinstance(translator, Translator) or isinstance(translator, Cached):
        raise DataKindError(f"{owner}({name}=...) must be a translator without a cache, not {type(value).__name__}.")
    return translator


@final
@dataclass(frozen=True)
class Cached(Translator):
    """A translator whose translations are kept in a folder.

    A text is translated once for each engine, version and pair of languages, whatever the order of the texts and the
    number of processes. What was translated before a kill is kept, at the latest some seconds later. Several processes
    may use one folder at once. An engine that is not context-free is given text by text.

    Attributes:
        translator: the engine.
        folder: where the translations are kept; made when the first is written. It may be deleted at any time that no
            process uses it.

    Raises:
        DataKindError: where `translator` is none.
        SettingError: where `folder` is no path.

    Example:
        >>> import tempfile
        >>> from xquality.translators import FunctionTranslator
        >>> def shout(texts, source, target):
        ...     print("translating", texts)
        ...     return [text.upper() for text in texts]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cached = Cached(FunctionTranslator(shout, "shout", "1"), folder)
        ...     cached.translate(["hello", "hello"], "en", "es"), cached.translate(["hello"], "eng_Latn", "spa_Latn")
        translating ['hello']
        (['HELLO', 'HELLO'], ['HELLO'])
    """

    translator: Annotated[Translator, _check_translator]
    folder: Annotated[Path, _settings.path]

    def __post_init__(self) -> None:
        check_settings(self)

    @property
    def name(self) -> str:
        """The name of the engine."""
        return self.translator.name

    @property
    def version(self) -> str:
        """The version of the engine; the cache changes no translation."""
        return self.translator.version

    @property
    def context_free(self) -> bool:
        """True: each translation is made or found for its text alone."""
        return True

    @property
    def marks(self) -> bool:
        """Whether the engine finds marked parts again."""
        return self.translator.marks

    def pairs(self) -> tuple[Pair, ...]:
        """Return the pairs of the engine."""
        return self.translator.pairs()

    def supports(self, source: str, target: str) -> bool:
        """Return whether the engine translates a pair."""
        return self.translator.supports(source, target)

    def version_of(self, source: str, target: str) -> str:
        """Return the version of the engine for a pair."""
        return self.translator.version_of(source, target)

    def how_to_add(self, source: str, target: str) -> str:
        """Return what the engine says about a missing pair."""
        return self.translator.how_to_add(source, target)

    def run(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Return the translations that are in the cache, after translating what is missing.

        Raises:
            WriteError: where the cache cannot be written; what was written before is kept.
            DamagedError: where a damaged cache cannot be set aside.
        """
        translate = self.translator.translate
        return self._look_up(texts, source, target, lambda missing: translate(missing, source, target))

    def run_marked(self, texts: Sequence[MarkedText], source: str, target: str) -> list[MarkedTranslation]:
        """Return the translations of marked texts that are in the cache, after translating what is missing."""
        by_key = {_write_marked(marked.text, marked.spans): marked for marked in texts}

        def translate(missing: list[str]) -> list[str]:
            translated = self.translator.translate_marked([by_key[key] for key in missing], source, target)
            return [_write_marked(translation.text, translation.pieces) for translation in translated]

        keys = [_write_marked(marked.text, marked.spans) for marked in texts]
        return [_read_marked(found) for found in self._look_up(keys, source, target, translate, "marked")]

    def _look_up(
        self,
        texts: Sequence[str],
        source: str,
        target: str,
        translate: Callable[[list[str]], list[str]],
        kind: str = "plain",
    ) -> list[str]:
        """Return one entry for each text, after making those that are missing, in portions."""
        described = {
            "name": self.name,
            "version": self.version_of(source, target),
            "source": f"{identity(source)}_{script(source)}",
            "target": f"{identity(target)}_{script(target)}",
            "kind": kind,
        }
        file = _CacheFile(self.folder, described)
        distinct = list(dict.fromkeys(texts))
        found = file.read(distinct)
        missing = [text for text in distinct if text not in found]
        if missing:
            # Each process begins elsewhere, so that several that are given the same texts share the work.
            first = os.getpid() * 7919 % len(missing)
            found |= self._fill(file, [*missing[first:], *missing[:first]], translate)
        return [found[text] for text in texts]

    def _fill(
        self, file: "_CacheFile", missing: Sequence[str], translate: Callable[[list[str]], list[str]]
    ) -> dict[str, str]:
        """Return the entries of texts that are missing in a file, after making and writing them in portions.

        Portions grow while they take little time: a kill loses one, and a large one is quicker than many small ones.
        """
        found: dict[str, str] = {}
        together = self.translator.context_free
        start, size = 0, _FIRST_PORTION if together else 1
        while start < len(missing):
            portion = missing[start : start + size]
            found |= file.read(portion) if start else {}  # what other processes have written meanwhile
            own = [text for text in portion if text not in found]
            begun = time.monotonic()
            made = translate(own) if together else [translate([text])[0] for text in own]
            seconds = time.monotonic() - begun
            found |= file.write(dict(zip(own, made, strict=True)))
            start += len(portion)
            if own:
                rate = _PORTION_SECONDS / max(seconds, 1e-3)
                size = max(1, min(int(len(own) * rate), _GROWTH * size, _LARGEST_PORTION))
        return found


@final
class _CacheFile:
    """The SQLite file of one engine, version, pair of languages and kind of text.

    No connection outlives a call: it must not be carried into a forked process.
    """

    def __init__(self, folder: Path, described: Mapping[str, str]) -> None:
        self._folder = folder
        self._identity = json.dumps({**described, "format": _FORMAT}, sort_keys=True)
        self._secret = hashlib.blake2b(self._identity.encode(), digest_size=16).digest()
        name = re.sub(r"[^0-9A-Za-z]+", "-", f"{described['name']}-{described['source']}-{described['target']}")
        self._path = folder / f"{name[:100]}-{self._secret.hex()}.sqlite"

    def read(self, texts: Sequence[str]) -> dict[str, str]:
        """Return the entries of the texts that have one; one that differs from its checksum is left out."""
        if not texts or not self._path.exists():
            return {}
        return self._connect(lambda connection: self._select(connection, texts))

    def write(self, entries: Mapping[str, str]) -> dict[str, str]:
        """Add entries in one transaction and return those that are then there: an older one stays, if it is intact."""
        if not entries:
            return {}
        with name_write_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
        return self._connect(lambda connection: self._insert(connection, entries))

    def _connect(self, work: Callable[[sqlite3.Connection], dict[str, str]]) -> dict[str, str]:
        """Return what `work` returns; a damaged file is set aside, and the work done again without it."""
        while True:
            try:
                with contextlib.closing(sqlite3.connect(self._path, _WAIT_SECONDS, isolation_level=None)) as connection:
                    return work(connection)
            except sqlite3.DatabaseError as error:
                if error.sqlite_errorcode & 0xFF not in _DAMAGED:
                    raise WriteError(
                        f"The cache {self._path} cannot be used ({first_line(error)}); free space, or name a folder "
                        "that you may write to. What was written before is kept."
                    ) from error
                fault = DamagedError(f"{self._path} cannot be read ({first_line(error)}).")
                remove(self._path.with_name(f"{self._path.name}-journal"))
                set_aside(self._path, fault, "the texts are translated again")

    def _insert(self, connection: sqlite3.Connection, entries: Mapping[str, str]) -> dict[str, str]:
        """Do the work of `write`."""
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE IF NOT EXISTS engine (described TEXT PRIMARY KEY)")  # for human readers
        connection.execute("INSERT OR IGNORE INTO engine VALUES (?)", (self._identity,))
        connection.execute(
            "CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, entry TEXT, checksum BLOB) WITHOUT ROWID"
        )
        there = self._select(connection, list(entries))
        keyed = [(self._key(text), entry) for text, entry in entries.items() if text not in there]
        rows = [(key, entry, _checksum(key, entry)) for key, entry in sorted(keyed)]
        connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", rows)
        connection.execute("COMMIT")
        return {**entries, **there}

    def _select(self, connection: sqlite3.Connection, texts: Sequence[str]) -> dict[str, str]:
        """Return the intact entries of some texts; none where nothing was ever written to the file."""
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'entries'").fetchall():
            return {}
        by_key = {self._key(text): text for text in texts}
        keys, found = list(by_key), dict[str, str]()
        for start in range(0, len(keys), _AT_ONCE):
            wanted = keys[start : start + _AT_ONCE]
            holes = ", ".join("?" * len(wanted))
            query = f"SELECT key, entry, checksum FROM entries WHERE key IN ({holes})"  # noqa: S608 (holes alone)
            for key, entry, checksum in connection.execute(query, wanted):
                if isinstance(entry, str) and checksum == _checksum(key, entry):
                    found[by_key[key]] = entry
        return found

    def _key(self, text: str) -> bytes:
        """Return the key of a text, which no other text of any engine has."""
        return hashlib.blake2b(text.encode(), key=self._secret, digest_size=16).digest()


def _checksum(key: bytes, entry: str) -> bytes:
    """Return the checksum of an entry, which holds for its key alone."""
    return hashlib.blake2b(entry.encode(), key=key, digest_size=16).digest()


def _write_marked(text: str, spans: Sequence[Any]) -> str:
    """Return a text and its spans, or the pieces of its spans, as one string."""
    return json.dumps([text, spans], ensure_ascii=False)


def _read_marked(entry: str) -> MarkedTranslation:
    """Return the translation that `_write_marked` wrote."""
    text, pieces = json.loads(entry)
    return MarkedTranslation(text, tuple(tuple((start, end) for start, end in spans) for spans in pieces))
