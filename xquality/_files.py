"""Atomic writing of files and folders: a temporary name in the same folder, fsync, then rename."""

import contextlib
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PREFIX = ".unfinished-"


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path` atomically: an older file is replaced when every byte is on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.parent / f"{_PREFIX}{uuid.uuid4().hex}"
    try:
        with unfinished.open("w", encoding="utf-8", newline="\n") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    _sync(path.parent)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder to fill; it is renamed to `path` when the block ends without an error, else deleted."""
    path.parent.mkdir(parents=True, exist_ok=True)
    name = path.name.encode()[:100].decode(errors="ignore")  # file names are limited to 255 bytes
    unfinished = path.parent / f"{_PREFIX}{name}-{uuid.uuid4().hex}"
    unfinished.mkdir()
    try:
        yield unfinished
        for file in unfinished.rglob("*"):
            _sync(file)
        _sync(unfinished)
        unfinished.replace(path)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    _sync(path.parent)


def remove_unfinished(folder: Path) -> None:
    """Delete the unfinished files and folders that a killed process left; call it only with the folder locked."""
    for path, _ in list_unfinished(folder):
        remove(path)


def list_unfinished(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the unfinished files and folders in `folder`, each with its intended name; "" for a file."""
    for path in folder.glob(f"{_PREFIX}*"):
        yield path, path.name.removeprefix(_PREFIX).rpartition("-")[0]


def last_write_time(path: Path) -> float:
    """Return when a file, or anything in a folder, was last written, in seconds since the epoch; 0 for no file."""
    times = [0.0]
    for entry in (path, *path.rglob("*")):
        with contextlib.suppress(FileNotFoundError):  # another process may finish it in the meantime
            times.append(entry.lstat().st_mtime)
    return max(times)


def remove(path: Path) -> None:
    """Delete a file or a folder with its content; a missing one is no error."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def checksum(path: Path) -> str:
    """Return the BLAKE2b digest of a file's bytes, 32 hex digits."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _sync(path: Path) -> None:
    """Flush a file or a folder to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
