"""Store: finished stages in a folder, looked up by the digest of everything that decides them.

An entry is a folder named by its digest. It is written completely under another name first, and its file of checksums
says which entry it is and lists what must be in it; an entry that does not agree with it is renamed with a warning and
made again. Unfinished folders of killed processes are deleted after a day, when an entry is made.
"""

import contextlib
import errno
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, final

from filelock import FileLock, Timeout

from xquality import _settings
from xquality._files import atomic_folder, last_write_time, list_unfinished, remove
from xquality._settings import check_settings
from xquality._stored import CHECKSUMS, check_folder, set_aside, write_checksums
from xquality.errors import DamagedError, SettingError, WriteError, first_line

_NAME = re.compile("[0-9A-Za-z_-]{1,200}")
_OTHERS = ("locks", "under-way")  # folders beside the entries
_DAY = 86_400.0  # seconds


def _folder(owner: str, name: str, value: object) -> Path:
    """Return a path or its text as a path."""
    if not isinstance(value, str | Path) or not str(value):
        raise SettingError(f"{owner}({name}={value!r}) must be the path of a folder.")
    return Path(value)


@final
@dataclass(frozen=True)
class Store:
    """A folder of finished stages, each under the digest of everything that decides it.

    `fit(store=folder)` creates and uses it; several processes may share a store. With an object of this class the
    folder can be kept from growing without bound.

    Attributes:
        folder: the folder, created when the first entry is made.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     store = Store(Path(folder))
        ...     entry = store.get_or_make("0123", lambda empty: (empty / "answer").touch())
        ...     (entry / "answer").exists(), "0123" in store, store.prune(days=30), store.prune(gigabytes=0)
        (True, True, [], ['0123'])
    """

    folder: Annotated[Path, _folder]

    def __post_init__(self) -> None:
        check_settings(self)

    def get_or_make(
        self, digest: str, make: Callable[[Path], None], check: Callable[[Path], None] = lambda _: None
    ) -> Path:
        """Return the entry's folder, calling `make` with an empty folder to fill if there is no entry yet.

        Where several processes need one entry, one of them makes it and the others wait. A store that may only be read
        gives the entries that it has.

        Args:
            digest: the name of the entry: letters, digits, - and _.
            make: fills the folder.
            check: raises `DamagedError` where an entry that was found, and has the files that were written, is not
                what it should be.

        Raises:
            SettingError: for another name.
            WriteError: where the entry is missing and cannot be written.
            DamagedError: where the entry is damaged, and cannot be set aside.
        """
        entry = self._entry(digest)
        if self._is_read_only(digest):
            found = self._find(digest, check)
            if found is None:
                raise WriteError(
                    f"The store {self.folder} has no entry {digest} and may not be written to; name another store."
                )
            return found
        with self._lock(digest):
            found = self._find(digest, check)
            if found is not None:
                return found
            self._remove_unfinished(digest)
            with atomic_folder(entry) as unfinished:
                make(unfinished)
                write_checksums(unfinished, {"entry": digest})
            return entry

    def unfinished(self, digest: str) -> Path:
        """Return the folder for the checkpoints of an entry that is being made."""
        return self.folder / "under-way" / self._entry(digest).name

    def prune(self, *, days: float | None = None, gigabytes: float | None = None) -> list[str]:
        """Delete entries by age or total size; return the names of the deleted ones, which begin with their digests.

        Entries that another process is using are left alone. Damaged entries that were renamed and the checkpoints of
        killed stages count as entries.

        Args:
            days: delete what was last used, or written, longer ago than this.
            gigabytes: delete what was used longest ago until the rest takes at most this many times 10^9 bytes.

        Raises:
            SettingError: for neither, or a negative number.
        """
        if days is None and gigabytes is None:
            raise SettingError("Store.prune needs days= or gigabytes=; it deletes nothing without a bound.")
        age = None if days is None else _settings.real("Store.prune", "days", days) * _DAY
        room = None if gigabytes is None else _settings.real("Store.prune", "gigabytes", gigabytes) * 1e9
        if (age is not None and age < 0) or (room is not None and room < 0):
            raise SettingError(f"Store.prune(days={days}, gigabytes={gigabytes}) takes no negative number.")
        entries = sorted((_last_used(entry), entry) for entry in self._list_entries())
        sizes = {entry: _size(entry) for _, entry in entries}
        total, deleted = sum(sizes.values()), []
        for used, entry in entries:
            is_old = age is not None and time.time() - used > age
            if not is_old and (room is None or total <= room):
                continue
            digest = entry.name.partition(".")[0]
            with contextlib.suppress(Timeout), self._lock(digest, timeout=0):
                remove(entry)
                total -= sizes[entry]
                deleted.append(entry.name)
        return deleted

    def _list_entries(self) -> list[Path]:
        """Return the entries, damaged ones that were renamed, and the checkpoints of unfinished ones."""
        parents = [self.folder, self.folder / "under-way"]
        folders = [path for parent in parents if parent.is_dir() for path in parent.iterdir() if path.is_dir()]
        return [path for path in folders if path.name not in _OTHERS and not path.name.startswith(".")]

    def __contains__(self, digest: str) -> bool:
        return (self._entry(digest) / CHECKSUMS).is_file()

    def _entry(self, digest: str) -> Path:
        """Return the folder of an entry, or raise `SettingError` for a name that is not one of an entry."""
        if not isinstance(digest, str) or not _NAME.fullmatch(digest) or digest in _OTHERS:
            raise SettingError(
                f"Store has entries named by letters, digits, - and _, but got {digest!r:.80}; give a digest."
            )
        return self.folder / digest

    def _is_read_only(self, digest: str) -> bool:
        """Return whether no lock can be taken, because the store belongs to another user or a read-only disk."""
        try:
            with self._lock(digest, timeout=0):
                return False
        except Timeout:
            return False
        except OSError as fault:
            if not self.folder.is_dir() or fault.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise WriteError(
                    f"The store {self.folder} cannot be written ({first_line(fault)}); free space or name another."
                ) from fault
            return True

    def _find(self, digest: str, check: Callable[[Path], None]) -> Path | None:
        """Return the entry if it is as it was written; set aside another one and return None."""
        entry = self.folder / digest
        if not os.path.lexists(entry):
            return None
        try:
            check_folder(entry, {"entry": digest})
            check(entry)
        except DamagedError as fault:
            set_aside(entry, fault, "it is made again")
            return None
        with contextlib.suppress(OSError):  # a read-only store is not pruned
            os.utime(entry / CHECKSUMS)
        return entry

    def _remove_unfinished(self, digest: str) -> None:
        """Delete unfinished folders of killed processes: those a day old, and those of the entry that is locked."""
        for left, name in list_unfinished(self.folder):
            is_old = time.time() - last_write_time(left) > _DAY
            if name == digest or (is_old and not name):
                remove(left)
            elif is_old:
                with contextlib.suppress(Timeout), self._lock(name, timeout=0):  # a running process holds its lock
                    remove(left)

    @contextmanager
    def _lock(self, digest: str, timeout: float = -1) -> Iterator[None]:
        """Hold the entry's lock inside the block; the operating system releases that of a killed process."""
        locks = self.folder / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with FileLock(locks / f"{digest}.lock", timeout=timeout):
            yield


def _last_used(entry: Path) -> float:
    """Return when an entry was last read or written, in seconds since 1970."""
    return max((file.stat().st_mtime for file in entry.rglob("*") if file.is_file()), default=entry.stat().st_mtime)


def _size(entry: Path) -> int:
    """Return the total size of an entry's files in bytes."""
    return sum(file.stat().st_size for file in entry.rglob("*") if file.is_file())
