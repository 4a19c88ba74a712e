"""Who runs what in a study folder: the lock of the folder, and one claim for each cell that is being run.

Both are locks of the operating system (`flock`), which it frees when their process ends, however it ends: nothing has
to be cleaned up after a kill, and no clock is compared. A claim is a file `.running/<name>.json` that is locked by the
driver of its cell; a file that nobody has locked is what a killed driver left, and counts for nothing.

A folder is locked alone, or together with other drivers that share its cells.
"""

import contextlib
import errno
import fcntl
import json
import os
import platform
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, final

from xquality._files import name_write_errors
from xquality.errors import StudyError, WriteError, first_line
from xquality.study.cells import Cell, cell_name, plain_value

_LOCK = ".lock"
_CLAIMS = ".running"
_NO_LOCKS = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


@final
@dataclass(frozen=True)
class Running:
    """A cell that is being run.

    Attributes:
        cell: the values of the axes.
        host: the machine of the driver that runs it.
        process: the driver's process there.
        since: when it was claimed, as ISO 8601 in UTC.
    """

    cell: Cell
    host: str
    process: int
    since: str


@final
class FolderLock:
    """The lock of a study folder, held until the block ends.

    Attributes:
        is_alone: whether no other driver had the folder when it was locked.
    """

    def __init__(self, descriptor: int, shown: Path, *, is_alone: bool) -> None:
        self._descriptor, self._shown, self.is_alone = descriptor, shown, is_alone

    def share(self) -> None:
        """Let other drivers in, after what must be done alone.

        Raises:
            StudyError: if one that does not share has locked the folder in this instant.
        """
        if self.is_alone and not _try_lock(self._descriptor, fcntl.LOCK_SH, self._shown):
            raise StudyError(_refusal(self._descriptor, self._shown, share=True))


@contextmanager
def lock_study(folder: Path, shown: Path, *, share: bool) -> Iterator[FolderLock]:
    """Make a study folder and lock it inside the block.

    Where others share the folder, this waits until the first of them has prepared it.

    Args:
        folder: the folder.
        shown: its name in messages.
        share: whether other drivers may lock it too.

    Raises:
        StudyError: if another driver has locked it, and one of the two does not share.
        WriteError: if it cannot be written, or its file system has no locks.
    """
    descriptor = _open_lock(folder, shown)
    try:
        while not (is_alone := _try_lock(descriptor, fcntl.LOCK_EX, shown)):
            if not share or not _is_shared(descriptor):
                raise StudyError(_refusal(descriptor, shown, share=share))
            if _try_lock(descriptor, fcntl.LOCK_SH, shown):
                break
            time.sleep(0.05)
        if is_alone:
            _describe_holder(descriptor, folder / _LOCK, share=share)
        yield FolderLock(descriptor, shown, is_alone=is_alone)
    finally:
        os.close(descriptor)


def _open_lock(folder: Path, shown: Path) -> int:
    """Make the folder and open the file of its lock."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise WriteError(
            f"The folder {shown} of the study cannot be written ({error.strerror or first_line(error)}); "
            "name another one."
        ) from error


def _try_lock(descriptor: int, kind: int, shown: Path) -> bool:
    """Return whether an open file could be locked.

    Raises:
        WriteError: where the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno in _NO_LOCKS:
            raise WriteError(
                f"The file system of {shown} has no locks ({error.strerror}), which keep two programs from running one "
                "cell; name a folder on another one."
            ) from error
        raise
    return True


def _describe_holder(descriptor: int, file: Path, *, share: bool) -> None:
    """Write into the lock who holds it, for the sentence of a driver that is refused."""
    with name_write_errors(file):
        _overwrite(descriptor, {**_who_runs(), "share": share})


def _overwrite(descriptor: int, content: Mapping[str, Any]) -> None:
    """Write JSON into an open file."""
    if os.fstat(descriptor).st_size:  # an empty file that is truncated is flushed when it is closed, which takes long
        os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(content).encode(), 0)


def _read_holder(descriptor: int) -> dict[str, Any]:
    """Return who holds the lock, as far as it can be read."""
    with contextlib.suppress(OSError, ValueError):
        read = json.loads(os.pread(descriptor, 4096, 0))
        return read if isinstance(read, dict) else {}
    return {}


def _is_shared(descriptor: int) -> bool:
    """Return whether the drivers that hold the lock share the folder."""
    return _read_holder(descriptor).get("share", True) is not False  # not written yet: it is asked again


def _refusal(descriptor: int, shown: Path, *, share: bool) -> str:
    """Return the sentence for a driver that is refused."""
    holder = _read_holder(descriptor)
    where = f" (process {holder['process']} on {holder['host']})" if {"process", "host"} <= set(holder) else ""
    others = "that one" if share else "this one" if holder.get("share") else "both"
    return (
        f"Another process is running the study in {shown}{where}; wait for it, name another folder, or start {others} "
        "with share=True."
    )


def _who_runs() -> dict[str, Any]:
    """Return this host and process, and the time."""
    return {
        "host": platform.node(),
        "process": os.getpid(),
        "since": datetime.now(UTC).isoformat(timespec="seconds"),
    }


@final
class Claims:
    """The cells that this driver runs, each locked against others until it is released or the driver ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _CLAIMS
        self._held: dict[str, int] = {}  # the descriptor of each claimed cell, by its name

    def take(self, cell: Cell) -> bool:
        """Claim a cell; return False if another driver has it.

        Raises:
            WriteError: if the claim cannot be written, for example because the disk is full.
        """
        name = cell_name(cell)
        file = self._folder / f"{name}.json"
        with name_write_errors(file):
            self._folder.mkdir(exist_ok=True)
            while True:
                descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if _has_name(file, descriptor):
                        _overwrite(descriptor, {"cell": dict(cell), **_who_runs()})
                        self._held[name] = descriptor
                        return True
                    os.close(descriptor)  # its holder has released it in the meantime
                except BlockingIOError:
                    os.close(descriptor)
                    return False
                except BaseException:
                    os.close(descriptor)
                    raise

    def release(self, cell: Cell) -> None:
        """Give a cell back; nothing happens if it is not claimed."""
        name = cell_name(cell)
        descriptor = self._held.pop(name, None)
        if descriptor is not None:
            with contextlib.suppress(OSError):  # the folder may be gone
                (self._folder / f"{name}.json").unlink()
            os.close(descriptor)

    def release_all(self) -> None:
        """Give all cells back, and remove the folder of claims where it is empty."""
        for name, descriptor in self._held.items():
            with contextlib.suppress(OSError):
                (self._folder / f"{name}.json").unlink()
            os.close(descriptor)
        self._held.clear()
        with contextlib.suppress(OSError):
            self._folder.rmdir()


def list_running(folder: Path) -> list[Running]:
    """Return the cells that are being run in a study folder, ordered by the names of their claims."""
    found = []
    with contextlib.suppress(OSError):
        for file in sorted((folder / _CLAIMS).glob("*.json")):
            read = _read_claim(file)
            with contextlib.suppress(KeyError, TypeError, AttributeError, ValueError, StudyError):
                if read is not None:
                    cell = {name: plain_value(value) for name, value in read["cell"].items()}
                    found.append(Running(cell, str(read["host"]), int(read["process"]), str(read["since"])))
    return found


def _read_claim(file: Path) -> Mapping[str, Any] | None:
    """Return what a claim says, if its driver still has it."""
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except OSError:
        return None
    try:
        # A shared lock, held for an instant: a driver that wants the cell just then asks again.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _read_holder(descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)
    return None


def _has_name(file: Path, descriptor: int) -> bool:
    """Return whether the file that is open still has its name."""
    try:
        return os.path.samestat(file.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
