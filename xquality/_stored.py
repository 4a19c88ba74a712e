"""Stored content is compared with the checksum and the identity it was written with; what disagrees is not believed.

One idea for everything that the package loads back: a cell of a study, an entry of a store, a fitted model, a
checkpoint, a saved dataset.

* **Write** JSON by `write_json`, which adds the checksum of its content, and complete a folder by `write_checksums`,
  which lists the checksum of every file. The content says what it is of: the values of its cell, the digest of its
  entry, the step of its checkpoint.
* **Read** by `read_json` and `check_folder` before anything else reads the file or the folder. `expected` is what the
  content must be of, so an intact file in another's place is refused too. Each disagreement (bytes, identity, a missing
  file, one too many, JSON of another form) is a `DamagedError` of one sentence.
* **Go on**: code that can make the content again catches `DamagedError` and calls `set_aside`, which renames the path
  and warns: nothing is deleted, nothing is damaged for ever. Code that cannot lets the error pass.

A checksum finds accidents and edits. Somebody who writes a new checksum to fit an edit is found only where the same
thing is known twice, such as weights of which a history holds the digest: compare these as well, after `check_folder`.
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

from xquality._files import checksum, write_text
from xquality.errors import DamagedError, SerialisationError, first_line, warn

CHECKSUMS: Final = "checksums.json"
"""The file that lists the checksums of a folder's files."""

_CHECKSUM: Final = "checksum"  # the key that write_json adds


def write_json(
    path: Path,
    content: Mapping[str, Any],
    unchecked: Collection[str] = (),
    *,
    flush_folder: bool = True,
    compact: bool = False,
) -> None:
    """Write a JSON object and the checksum of its content, as the key "checksum", atomically.

    Args:
        path: the file; an older one is replaced.
        content: plain JSON values; NaN and infinite numbers, lone surrogates and the order of keys are kept.
        unchecked: the keys that the checksum does not cover, such as that of times, so that equal results have equal
            checksums.
        flush_folder: whether the new name must be on disk too, as in `write_text`.
        compact: write one line without spaces.

    Raises:
        SerialisationError: if a value is no plain JSON value or contains itself, or a key is no string or "checksum".
    """
    if _CHECKSUM in content:
        raise SerialisationError(f"The key {_CHECKSUM!r} is taken by the checksum of the content; use another.")
    checked = {key: value for key, value in content.items() if key not in unchecked}
    stored = {**_as_read(dict(content)), _CHECKSUM: digest_json(checked)}
    text = _to_text(stored, compact=True) if compact else _to_text(stored, indent=1)
    write_text(path, text, flush_folder=flush_folder)


def read_json(path: Path, expected: Mapping[str, Any] | None = None, unchecked: Collection[str] = ()) -> dict[str, Any]:
    """Return the content that `write_json` wrote.

    Args:
        path: the file.
        expected: keys and the values that they must have: what the content must be of.
        unchecked: the keys that the checksum does not cover, as in `write_json`.

    Raises:
        DamagedError: if the file is missing or cannot be read, or its content differs from its checksum or from
            `expected`.
    """
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedError(f"{path} cannot be read ({first_line(error)}).") from error
    if not isinstance(stored, dict) or not isinstance(stored.get(_CHECKSUM), str):
        raise DamagedError(f"{path} holds no JSON object with its checksum.")
    written = stored.pop(_CHECKSUM)
    if _digest_plain({key: value for key, value in stored.items() if key not in unchecked}) != written:
        raise DamagedError(f"{path} has other content than was written: its checksum differs.")
    for key, value in (expected or {}).items():
        if key not in stored or stored[key] != _as_read(value):
            raise DamagedError(f"{path} holds {key} {stored.get(key)!r}, where {value!r} was expected.")
    return stored


def write_checksums(folder: Path, identity: Mapping[str, Any]) -> None:
    """Complete a folder: write the checksum of each file in it, hidden files apart, and what the folder is of.

    Args:
        folder: the folder, with all its files.
        identity: what it is of, as plain JSON values, such as `{"entry": digest}`.
    """
    files = {name: checksum(folder / name) for name in _list_files(folder)}
    write_json(folder / CHECKSUMS, {**identity, "files": files})


def check_folder(folder: Path, identity: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the identity that a folder was completed with, after comparing every file with its checksum.

    Args:
        folder: the folder.
        identity: keys and values that its identity must have.

    Raises:
        DamagedError: if a file is missing, unlisted or has other bytes than were written, or the folder is of
            something else. Hidden files, such as a file manager's, are ignored.
    """
    stored = read_json(folder / CHECKSUMS, identity)
    files = stored.pop("files", None)
    if not isinstance(files, dict):
        raise DamagedError(f"{folder / CHECKSUMS} lists no files.")
    try:
        found = _list_files(folder)
        different = [name for name in found if name in files and checksum(folder / name) != files[name]]
    except OSError as error:
        raise DamagedError(f"{folder} cannot be read ({first_line(error)}).") from error
    for fault, names in (
        ("lacks files that were written", set(files).difference(found)),
        ("holds files that were not written with it", set(found).difference(files)),
        ("has other bytes than were written in", different),
    ):
        if names:
            raise DamagedError(f"{folder} {fault}: {', '.join(sorted(names))}.")
    return stored


def set_aside(path: Path, fault: DamagedError, then: str) -> None:
    """Rename a damaged file or folder to `<name>.damaged-<number>`, and warn.

    Args:
        path: the file or folder; nothing happens if another process has renamed it already.
        fault: what is wrong with it.
        then: the end of the warning's second sentence, such as "the stage is trained again".

    Raises:
        DamagedError: if it cannot be renamed, for example in a folder that is read-only.
    """
    for number in range(10_000):
        renamed = path.with_name(f"{path.name}.damaged-{number}")
        if renamed.exists():
            continue
        try:
            path.rename(renamed)
        except FileNotFoundError:
            return
        except OSError as error:
            if renamed.exists():  # another process took this name
                continue
            raise DamagedError(
                f"{first_line(fault)}; it cannot be set aside ({first_line(error)}), so move or delete {path}."
            ) from error
        warn(f"{fault} It was set aside as {renamed.name}, and {then}.")
        return
    raise DamagedError(f"{first_line(fault)}; delete {path} and what was set aside of it.")


def digest_json(content: Any) -> str:
    """Return the digest of plain JSON values, 32 hex digits; the order of keys does not count.

    Raises:
        SerialisationError: as `write_json`.

    Example:
        >>> digest_json({"rate": 0.2, "seed": 1}) == digest_json({"seed": 1, "rate": 0.2})
        True
    """
    return _digest_plain(_as_read(content))


def _digest_plain(content: Any) -> str:
    """Return the digest of JSON values that were read, which need no check."""
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(canonical.encode(), digest_size=16).hexdigest()


def _as_read(content: Any) -> Any:
    """Return plain JSON values as they are read back: tuples as lists; raise `SerialisationError` for others."""
    try:
        plain = json.loads(_to_text(content))
    except (TypeError, ValueError, RecursionError) as error:
        raise SerialisationError(
            f"A value cannot be written as JSON ({first_line(error)}); use numbers, strings, lists and dicts."
        ) from error
    _check_keys(content)
    return plain


def _to_text(content: Any, indent: int | None = None, *, compact: bool = False) -> str:
    """Return JSON in which lone surrogates, which UTF-8 cannot encode, are escaped."""
    text = json.dumps(content, ensure_ascii=False, indent=indent, separators=(",", ":") if compact else None)
    return re.sub("[\ud800-\udfff]", lambda sign: f"\\u{ord(sign[0]):04x}", text)


def _check_keys(content: Any) -> None:
    """Raise `SerialisationError` where a key is no string: JSON would make it one, perhaps one there is already."""
    if isinstance(content, dict):
        for key in content:
            if not isinstance(key, str):
                raise SerialisationError(f"JSON has only strings as keys, but {key!r} was found; write it as a string.")
    if isinstance(content, dict | list | tuple):
        for inner in content.values() if isinstance(content, dict) else content:
            _check_keys(inner)


def _list_files(folder: Path) -> list[str]:
    """Return the paths of the files in a folder, relative to it and sorted; neither hidden ones nor the checksums."""
    found = (file.relative_to(folder) for file in folder.rglob("*") if file.is_file() or file.is_symlink())
    names = (file.as_posix() for file in found if not any(part.startswith(".") for part in file.parts))
    return sorted(name for name in names if name != CHECKSUMS)
