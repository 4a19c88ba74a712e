"""Atomic writing of files and folders: a temporary name in the same folder, fsync, then rename.

A folder that is being written is locked by its process (`flock`), so that what a killed process left can be told from
what a running one is writing, and is deleted when the next folder is written beside it.
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import platform
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from xquality.errors import SettingError, WriteError, first_line

_PREFIX = ".unfinished-"
_NAMED = re.compile(rf"{re.escape(_PREFIX)}(?:(?P<name>.*)-)?(?P<host>[0-9a-f]{{8}})[0-9a-f]{{24}}", re.DOTALL)
_DAY = 86_400.0  # seconds
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}


def write_text(path: Path, text: str, *, flush_folder: bool = True) -> None:
    """Write `text` as UTF-8 to `path` atomically: an older file is replaced when every byte is on disk.

    Args:
        path: the file.
        text: its content.
        flush_folder: whether the new name must be on disk too; where many files are written, `flush` does it for all.

    Raises:
        WriteError: if it cannot be written; an older file stays as it was.
    """
    path = path.absolute()
    unfinished = path.parent / f"{_PREFIX}{_unique()}"
    with name_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with unfinished.open("w", encoding="utf-8", newline="\n") as handle:
                handle.write(text)
                handle.flush()
                os.fsync(handle.fileno())
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        if flush_folder:
            flush(path.parent)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yield an empty folder to fill; it is renamed to `path` when the block ends without an error, else deleted.

    The files get the permissions that the umask grants, whatever wrote them. What killed processes left beside it is
    deleted first. The working directory may change in the block.

    Raises:
        SettingError: if `path` exists when the block ends; nothing is overwritten.
        WriteError: if the disk is full, or the folder cannot be written.
    """
    path = path.absolute()
    with name_write_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path.parent)
        unfinished, lock = _make_locked(path)
    try:
        with name_full_disk(path):
            yield unfinished
        with name_write_errors(path):
            _open_to_umask(unfinished)
            for file in unfinished.rglob("*"):
                flush(file)
            flush(unfinished)
            _rename_new(unfinished, path)
            flush(path.parent)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
        os.close(lock)


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Hold a folder's lock inside the block: other processes that ask for it wait. It leaves no file behind.

    Where the file system has no locks, nobody waits: then two processes may do the same work, and `atomic_folder`
    lets one of them win.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def remove_unfinished(folder: Path) -> None:
    """Delete the unfinished files and folders that a killed process left; call it only with the folder locked."""
    for path, _ in list_unfinished(folder):
        remove(path)


def list_unfinished(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield the unfinished files and folders in `folder`, each with its intended name; "" for a file."""
    for path in folder.glob(f"{_PREFIX}*"):
        yield path, path.name.removeprefix(_PREFIX).rpartition("-")[0]


def _make_locked(path: Path) -> tuple[Path, int]:
    """Make the folder that becomes `path`, and lock it; return it and the descriptor that holds the lock."""
    name = path.name.encode(errors="surrogateescape")[:100].decode(errors="ignore")  # names have at most 255 bytes
    while True:
        unfinished = path.parent / f"{_PREFIX}{name}-{_unique()}"
        unfinished.mkdir()
        descriptor = os.open(unfinished, os.O_RDONLY)
        if _lock(descriptor) is not False and _is_same(unfinished, descriptor):
            return unfinished, descriptor
        os.close(descriptor)  # another process took it for abandoned, between its making and its locking


def _remove_abandoned(folder: Path) -> None:
    """Delete what killed processes left unfinished in `folder`; what cannot be locked here, after a day."""
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        found = [(Path(entry), match) for entry in entries if (match := _NAMED.fullmatch(entry.name))]
        for path, match in found:
            with contextlib.suppress(OSError):
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
                try:
                    is_free = _lock(descriptor)
                    is_known = match["name"] is not None and match["host"] == _host()
                    if is_free is not False and ((is_known and is_free) or time.time() - last_write_time(path) > _DAY):
                        remove(path)
                finally:
                    os.close(descriptor)


def _lock(descriptor: int) -> bool | None:
    """Lock an open folder until it is closed or the process ends; return False if another process has locked it.

    None where the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
    return True


def _is_same(path: Path, descriptor: int) -> bool:
    """Return whether the folder that is open still has its name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _unique() -> str:
    """Return 32 hex digits that no other name has; the first 8 are of this machine."""
    return _host() + uuid.uuid4().hex[8:]


def _host() -> str:
    """Return 8 hex digits of this machine's name: a lock says nothing about processes on another."""
    return hashlib.blake2b(platform.node().encode(), digest_size=4).hexdigest()


def _rename_new(unfinished: Path, path: Path) -> None:
    """Rename a folder, or raise `SettingError` if another process has made one of that name."""
    try:
        unfinished.replace(path)
    except OSError as error:
        if not os.path.lexists(path):
            raise
        raise SettingError(
            f"{path} exists: it was made while this one was being written; nothing was overwritten, name another."
        ) from error


def _open_to_umask(folder: Path) -> None:
    """Give all files the permissions that the umask grants: some libraries write theirs for the owner alone."""
    mode = folder.stat().st_mode & 0o777
    for path in folder.rglob("*"):
        wanted = mode if path.is_dir() else mode & 0o666
        if not path.is_symlink() and path.stat().st_mode & 0o777 != wanted:
            with contextlib.suppress(OSError):  # file systems without permissions
                path.chmod(wanted)


@contextmanager
def name_write_errors(path: Path) -> Iterator[None]:
    """Raise `WriteError` in place of an error of the operating system."""
    try:
        yield
    except WriteError:
        raise
    except OSError as error:
        raise _write_error(path, error) from error


@contextmanager
def name_full_disk(path: Path) -> Iterator[None]:
    """Raise `WriteError` in place of any error of a full or read-only disk, which libraries raise in many kinds."""
    try:
        yield
    except WriteError:
        raise
    except Exception as error:
        if getattr(error, "errno", None) in _FULL or os.strerror(errno.ENOSPC) in str(error):
            raise _write_error(path, error) from error
        raise


def _write_error(path: Path, error: Exception) -> WriteError:
    """Return the error for a path that cannot be written."""
    reason = getattr(error, "strerror", None) or first_line(error)
    named = WriteError(f"{path} cannot be written ({reason}); free space or name a folder that you may write to.")
    named.errno = getattr(error, "errno", None)
    return named


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


def flush(path: Path) -> None:
    """Flush a file or a folder to disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
