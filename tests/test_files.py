"""Files and folders are written atomically, also if the process is killed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from xquality import _files
from xquality._files import atomic_folder, checksum, remove_unfinished, write_text

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
    with pytest.raises(OSError, match="made"):
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
