"""Writing that is whole or not at all: a temporary name in the same folder, fsync, then rename."""

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
    """Write `text` as UTF-8 to `path`, replacing what is there only when every byte is on disk."""
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
def whole_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder to fill; it takes the name `path` only when the block ends without an error."""
    path.parent.mkdir(parents=True, exist_ok=True)
    name = path.name.encode()[:100].decode(errors="ignore")  # a file's name has 255 bytes at most
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
    """Delete what a killed process left half written in `folder`; call it only while holding the folder's lock."""
    for left, _ in unfinished_in(folder):
        remove(left)


def unfinished_in(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield what lies half written in `folder`, with the name it was to take; for a file that name is empty."""
    for left in folder.glob(f"{_PREFIX}*"):
        yield left, left.name.removeprefix(_PREFIX).rpartition("-")[0]


def last_written(path: Path) -> float:
    """Return when a file, or anything in a folder, was last written, in seconds since the epoch; 0 for nothing."""
    written = [0.0]
    for one in (path, *path.rglob("*")):
        with contextlib.suppress(FileNotFoundError):  # a living process may finish meanwhile
            written.append(one.lstat().st_mtime)
    return max(written)


def remove(path: Path) -> None:
    """Delete a file or a folder with all that is in it; one that is gone already is no error."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def checksum(path: Path) -> str:
    """Return the hex BLAKE2b digest (16 bytes) of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _sync(path: Path) -> None:
    """Flush a file or a folder to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
