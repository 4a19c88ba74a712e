"""Store: finished stages in a folder, found again by the digest of everything that decides them.

An entry is a folder named by its digest. It is written whole under another name first, and its file of checksums
says what must be in it; a damaged entry is set aside with a sentence and made again.

May import: errors, files | filelock.
"""

import json
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import final

from filelock import FileLock

from xquality.errors import DamagedError
from xquality.files import checksum, whole_folder, write_text

_SUMS = "checksums.json"


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

    def get_or_make(self, digest: str, make: Callable[[Path], None]) -> Path:
        """Return the entry's folder, calling `make` with an empty folder to fill where there is none yet.

        Several processes may ask for one entry: one makes it, the others wait.
        """
        with self._locked(digest):
            found = self._verified(digest)
            if found is not None:
                return found
            with whole_folder(self.folder / digest) as unfinished:
                make(unfinished)
                files = sorted(one for one in unfinished.rglob("*") if one.is_file())
                sums = {str(one.relative_to(unfinished)): checksum(one) for one in files}
                write_text(unfinished / _SUMS, json.dumps(sums, indent=1))
            return self.folder / digest

    def unfinished(self, digest: str) -> Path:
        """Return the folder where an entry that is being made may keep what it has so far."""
        return self.folder / "under-way" / digest

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
            warnings.warn(f"{fault} It was set aside as {aside.name} and is made again.", stacklevel=4)
            return None
        return entry

    @contextmanager
    def _locked(self, digest: str) -> Iterator[None]:
        """Hold the entry's lock, which a killed process gives up by itself."""
        locks = self.folder / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        with FileLock(locks / f"{digest}.lock"):
            yield


def verify(entry: Path) -> None:
    """Raise `DamagedError` where a file of an entry is missing or has other bytes than were written."""
    try:
        sums = json.loads((entry / _SUMS).read_text(encoding="utf-8"))
        wrong = [name for name, value in sums.items() if checksum(entry / name) != value]
    except (OSError, ValueError) as fault:
        raise DamagedError(f"The stored stage {entry.name} cannot be read ({fault}).") from fault
    if wrong:
        raise DamagedError(f"The stored stage {entry.name} has other bytes than were written in {', '.join(wrong)}.")
