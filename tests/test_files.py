"""Files and folders are written atomically, also if the process is killed."""

import errno
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from xquality import _files
from xquality._files import atomic_folder, checksum, remove_unfinished, write_text
from xquality.errors import SettingError, WriteError

KILLED_WHILE = """
import os
from pathlib import Path
from xquality import _files
_files.os.fsync = lambda descriptor: os._exit(9)  # killed before the first byte is on disk
try:
    {call}
finally:
    pass
"""


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_text_is_written_as_utf_8_with_its_own_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "deep" / "down" / "note.txt", "na\u00efve \u4f60\u597d\nsecond\r\n")
    assert (tmp_path / "deep/down/note.txt").read_bytes() == "na\u00efve \u4f60\u597d\nsecond\r\n".encode()
    assert names(tmp_path / "deep/down") == {"note.txt"}


def test_a_failed_write_keeps_the_old_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    note = tmp_path / "note.txt"
    write_text(note, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(note, "new, but \ud800 is half a letter")
    assert note.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == {"note.txt"}


def test_a_full_disk_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = tmp_path / "note.txt"
    write_text(note, "old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_files.os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_text(note, "new")
    assert note.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == {"note.txt"}


def test_a_killed_write_keeps_the_old_file_and_its_remains_can_be_removed(
    tmp_path: Path, run_python: Callable[..., str]
) -> None:
    import subprocess

    write_text(tmp_path / "note.txt", "old")
    for call in (
        "_files.write_text(Path('note.txt'), 'new')",
        "with _files.atomic_folder(Path('made')) as folder: (folder / 'a').write_text('b')",
    ):
        with pytest.raises(subprocess.CalledProcessError) as killed:
            run_python(KILLED_WHILE.format(call=call))
        assert killed.value.returncode == 9
    assert (tmp_path / "note.txt").read_text(encoding="utf-8") == "old"
    left = names(tmp_path) - {"note.txt"}
    assert len(left) == 2
    assert "made" not in left
    remove_unfinished(tmp_path)
    assert names(tmp_path) == {"note.txt"}


def test_a_folder_is_renamed_when_it_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "made"
    with atomic_folder(target) as unfinished:
        assert not target.exists()
        assert not names(unfinished)
        (unfinished / "inner").mkdir()
        (unfinished / "inner" / "file").write_text("1")
    assert (target / "inner" / "file").read_text() == "1"
    assert names(target.parent) == {"made"}


def test_an_unfinished_folder_has_its_name_in_its_own(tmp_path: Path) -> None:
    with atomic_folder(tmp_path / ("\u5bb6" * 70)) as unfinished:
        assert unfinished.name.startswith(".unfinished-" + "\u5bb6" * 33 + "-")
    assert (tmp_path / ("\u5bb6" * 70)).is_dir()


def test_an_error_inside_leaves_no_folder(tmp_path: Path) -> None:
    def fill() -> None:
        with atomic_folder(tmp_path / "made") as unfinished:
            (unfinished / "file").write_text("1")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill()
    assert not names(tmp_path)


def test_an_existing_folder_is_never_overwritten(tmp_path: Path) -> None:
    def fill() -> None:
        with atomic_folder(tmp_path / "made") as unfinished:
            (unfinished / "new").write_text("2")

    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "old").write_text("1")
    with pytest.raises(SettingError, match="made exists"):
        fill()
    assert names(tmp_path) == {"made"}
    assert names(tmp_path / "made") == {"old"}


def test_only_unfinished_files_are_removed(tmp_path: Path) -> None:
    write_text(tmp_path / ".hidden", "1")
    write_text(tmp_path / "unfinished-business.txt", "2")
    remove_unfinished(tmp_path)
    assert names(tmp_path) == {".hidden", "unfinished-business.txt"}


def test_a_checksum_is_of_the_bytes_alone(tmp_path: Path) -> None:
    for name, content in (("a", "same"), ("b", "same"), ("c", "sane"), ("empty", "")):
        write_text(tmp_path / name, content)
    assert checksum(tmp_path / "a") == checksum(tmp_path / "b") == "3899cbf2bbe606b305a65b559330d720"
    assert len({checksum(tmp_path / name) for name in "ac"} | {checksum(tmp_path / "empty")}) == 3


KILLED = """
import os, signal, sys, types
from pathlib import Path
package = sys.modules["xquality"] = types.ModuleType("xquality")  # its imports take seconds
package.__path__ = [sys.argv[3]]
from xquality._files import atomic_folder
with atomic_folder(Path(sys.argv[1])) as unfinished:
    (unfinished / "part").write_text("x" * 1000)
    print("writing", flush=True)
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdin.read()
"""


def start(target: Path, fate: str) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    started = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(target), fate, str(Path(_files.__file__).parent)], stdin=pipe, stdout=pipe
    )
    assert started.stdout is not None
    assert started.stdout.readline() == b"writing\n"
    return started


def test_the_next_folder_clears_what_killed_processes_left_and_nothing_else(tmp_path: Path) -> None:
    running = start(tmp_path / "second", "running")
    start(tmp_path / "first", "killed").communicate()
    (tmp_path / ".unfinished-business").mkdir()
    assert sum(name.startswith(".unfinished-first-") for name in names(tmp_path)) == 1
    with atomic_folder(tmp_path / "third"):
        pass
    assert not [name for name in names(tmp_path) if name.startswith(".unfinished-first-")]
    running.communicate()
    assert names(tmp_path) == {"second", "third", ".unfinished-business"}


def test_what_was_left_on_another_machine_is_cleared_after_a_day(tmp_path: Path) -> None:
    for name in ("young", "old"):
        (tmp_path / f".unfinished-{name}-{'0' * 32}").mkdir()
    (tmp_path / f".unfinished-{'1' * 32}").write_text("a file")
    for left in (f".unfinished-old-{'0' * 32}", f".unfinished-{'1' * 32}"):
        os.utime(tmp_path / left, (0, 0))
    with atomic_folder(tmp_path / "made"):
        pass
    assert names(tmp_path) == {f".unfinished-young-{'0' * 32}", "made"}


def test_of_two_that_write_one_folder_the_second_is_told(tmp_path: Path) -> None:
    def fill(number: int) -> str:
        try:
            with atomic_folder(tmp_path / "made") as unfinished:
                (unfinished / "number").write_text(str(number))
                together.wait()
        except SettingError as error:
            return str(error)
        return str(number)

    together = threading.Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(fill, range(4)))
    (won,) = [text for text in told if text.isdigit()]
    assert (tmp_path / "made" / "number").read_text() == won
    assert sum("made exists: it was made while" in text for text in told) == 3
    assert names(tmp_path) == {"made"}


@pytest.mark.parametrize(
    ("umask", "file", "folder"), [(0o022, 0o644, 0o755), (0o077, 0o600, 0o700), (0o002, 0o664, 0o775)]
)
def test_files_have_the_permissions_of_the_umask_whatever_wrote_them(
    tmp_path: Path, umask: int, file: int, folder: int
) -> None:
    before = os.umask(umask)
    try:
        with atomic_folder(tmp_path / "made") as unfinished:
            inner = Path(tempfile.mkdtemp(dir=unfinished))
            for path in (unfinished / "private", inner / "private"):
                path.touch(mode=0o600)
        write_text(tmp_path / "note.txt", "x")
    finally:
        os.umask(before)
    modes = {path.is_dir(): path.stat().st_mode & 0o777 for path in tmp_path.rglob("*")}
    assert modes == {False: file, True: folder}
    assert len({path.stat().st_mode for path in tmp_path.rglob("*")}) == 2


def test_the_working_directory_may_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with atomic_folder(Path("made")) as unfinished:
        monkeypatch.chdir(tmp_path / "elsewhere")
        (unfinished / "file").write_text("x")
    assert names(tmp_path / "made") == {"file"}
    assert not names(tmp_path / "elsewhere")


class LibraryError(Exception):
    """As tokenizers and safetensors raise it."""


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        LibraryError("No space left on device (os error 28)"),
    ],
    ids=["full", "quota", "a library's"],
)
def test_a_full_disk_is_a_typed_error_and_leaves_nothing(tmp_path: Path, error: Exception) -> None:
    def fill() -> None:
        with atomic_folder(tmp_path / "made"):
            raise error

    with pytest.raises(WriteError, match=r"made cannot be written \(.*; free space"):
        fill()
    assert not names(tmp_path)


def test_other_errors_inside_stay_as_they_are(tmp_path: Path) -> None:
    def fill() -> None:
        with atomic_folder(tmp_path / "made"):
            (tmp_path / "missing").read_text()

    with pytest.raises(FileNotFoundError):
        fill()


def test_a_place_that_cannot_be_written_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path / "file" / "made", tmp_path / ("x" * 300)):
        with pytest.raises(WriteError, match="cannot be written"):
            write_text(path, "x")
        with pytest.raises(WriteError, match="cannot be written"), atomic_folder(path):
            pass
    assert names(tmp_path) == {"file"}
