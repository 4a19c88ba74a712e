"""Store: finished stages in a folder, found again by the digest of everything that decides them.

An entry is a folder named by its digest. It is written whole under another name first, and its file of checksums
says what must be in it; a damaged entry is set aside with a sentence and made again. What killed processes left
half written is removed after a day, when an entry is made.
"""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import final

from filelock import FileLock, Timeout

from xquality import _settings
from xquality._files import atomic_folder, checksum, last_write_time, list_unfinished, remove, write_text
from xquality._warn import warn
from xquality.errors import DamagedError, SettingError

_SUMS = "checksums.json"
_DAY = 86_400.0  # seconds


@final
@dataclass(frozen=True)
class Store:
    """A folder of finished things, each under the digest of what decides it.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as place:
        ...     store = Store(Path(place))
        ...     made = store.get_or_make("0123", lambda folder: write_text(folder / "answer", "42"))
        ...     (made / "answer").read_text()
        '42'
    """

    folder: Path

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", Path(self.folder))

    def get_or_make(self, digest: str, make: Callable[[Path], None]) -> Path:
        """Return the entry's folder, calling `make` with an empty folder to fill where there is none yet.

        Several processes may ask for one entry: one makes it, the others wait.
        """
        with self._locked(digest):
            found = self._verified(digest)
            if found is not None:
                return found
            self._tidy(digest)
            with atomic_folder(self.folder / digest) as unfinished:
                make(unfinished)
                files = sorted(one for one in unfinished.rglob("*") if one.is_file())
                sums = {str(one.relative_to(unfinished)): checksum(one) for one in files}
                write_text(unfinished / _SUMS, json.dumps(sums, indent=1))
            return self.folder / digest

    def unfinished(self, digest: str) -> Path:
        """Return the folder where an entry that is being made may keep what it has so far."""
        return self.folder / "under-way" / digest

    def prune(self, *, days: float | None = None, gigabytes: float | None = None) -> list[str]:
        """Delete what was not used for long, or what is too much; return the digests of the deleted entries.

        Entries that another process holds just now are left alone. Damaged entries that were set aside and stages
        that were killed under way go with the rest, by their age.

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
        found = sorted((_last_used(one), one) for one in self._things())
        sizes = {one: _size(one) for _, one in found}
        total, deleted = sum(sizes.values()), []
        for used, one in found:
            old = age is not None and time.time() - used > age
            if not old and (room is None or total <= room):
                continue
            digest = one.name.partition(".")[0]
            with contextlib.suppress(Timeout), self._locked(digest, timeout=0):
                remove(one)
                total -= sizes[one]
                deleted.append(one.name)
        return deleted

    def _things(self) -> list[Path]:
        """Return the entries, those that were set aside, and those under way."""
        places = [self.folder, self.folder / "under-way"]
        inside = [one for place in places if place.is_dir() for one in place.iterdir() if one.is_dir()]
        return [one for one in inside if one.name not in ("locks", "under-way") and not one.name.startswith(".")]

    def __contains__(self, digest: str) -> bool:
        return (self.folder / digest / _SUMS).is_file()

    def _verified(self, digest: str) -> Path | None:
        """Return the entry where its bytes are those that were written; set it aside where they are not."""
        entry = self.folder / digest
        if not entry.exists():
            return None
        try:
            verify(entry)
        except DamagedError as fault:
            aside = next(
                one for number in range(10_000) if not (one := self.folder / f"{digest}.damaged-{number}").exists()
            )
            entry.rename(aside)
            warn(f"{fault} It was set aside as {aside.name} and is made again.")
            return None
        with contextlib.suppress(OSError):  # a store that may only be read is not pruned
            os.utime(entry / _SUMS)
        return entry

    def _tidy(self, digest: str) -> None:
        """Remove what killed processes left half written: a day old, or of the entry whose lock is held here."""
        for left, name in list_unfinished(self.folder):
            old = time.time() - last_write_time(left) > _DAY
            if name == digest or (old and not name):
                remove(left)
            elif old:
                with contextlib.suppress(Timeout), self._locked(name, timeout=0):  # a living process holds its lock
                    remove(left)

    @contextmanager
    def _locked(self, digest: str, timeout: float = -1) -> Iterator[None]:
        """Hold the entry's lock, which a killed process gives up by itself."""
        locks = self.folder / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with FileLock(locks / f"{digest}.lock", timeout=timeout):
            yield


def _last_used(entry: Path) -> float:
    """Return when an entry was last read or written, in seconds since 1970."""
    return max((one.stat().st_mtime for one in entry.rglob("*") if one.is_file()), default=entry.stat().st_mtime)


def _size(entry: Path) -> int:
    """Return how many bytes an entry's files take."""
    return sum(one.stat().st_size for one in entry.rglob("*") if one.is_file())


def verify(entry: Path) -> None:
    """Raise `DamagedError` where a file of an entry is missing or has other bytes than were written."""
    try:
        sums = json.loads((entry / _SUMS).read_text(encoding="utf-8"))
        wrong = [name for name, value in sums.items() if checksum(entry / name) != value]
    except (OSError, ValueError) as fault:
        raise DamagedError(f"The stored stage {entry.name} cannot be read ({fault}).") from fault
    if wrong:
        raise DamagedError(f"The stored stage {entry.name} has other bytes than were written in {', '.join(wrong)}.")
