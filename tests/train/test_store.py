"""Store: made once, by one of several processes, verified on reading, made again where damaged."""

import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from xquality._files import write_text
from xquality.errors import DamagedError, SettingError, WriteError
from xquality.train import Store

KEY = "ab" * 16


def make(folder: Path) -> None:
    write_text(folder / "answer", "42")


def test_an_entry_is_made_once(tmp_path: Path) -> None:
    store, made = Store(tmp_path), []
    for _ in range(2):
        entry = store.get_or_make(KEY, lambda folder: (made.append(1), make(folder))[1])
        assert (entry / "answer").read_text() == "42"
    assert len(made) == 1
    assert KEY in store


def test_a_failed_making_leaves_nothing(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        make(folder)
        raise RuntimeError("failed")

    with pytest.raises(RuntimeError):
        Store(tmp_path).get_or_make(KEY, fail)
    assert [path.name for path in tmp_path.iterdir()] == ["locks"]


DAMAGES: dict[str, Callable[[Path], object]] = {
    "other bytes": lambda entry: (entry / "answer").write_text("43"),
    "missing file": lambda entry: (entry / "answer").unlink(),
    "one file too many": lambda entry: (entry / "other").touch(),
    "a file in its place": lambda entry: (shutil.rmtree(entry), entry.write_text("43")),
    "no checksums": lambda entry: (entry / "checksums.json").unlink(),
    **{
        f"checksums {content}": lambda entry, content=content: (entry / "checksums.json").write_text(content)
        for content in ("", "{}", "[]", "null", "7", '"x"', "[" * 100_000, '{"answer": null}')
    },
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=[name[:30] for name in DAMAGES])
def test_a_damaged_entry_is_renamed_and_made_again(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    store = Store(tmp_path)
    entry = store.get_or_make(KEY, make)
    damage(entry)
    with pytest.warns(UserWarning, match="set aside"):
        again = store.get_or_make(KEY, make)
    assert (again / "answer").read_text() == "42"
    assert (tmp_path / f"{KEY}.damaged-0").exists()
    with warnings.catch_warnings(action="error"):
        store.get_or_make(KEY, make)


def test_swapped_entries_are_made_again(tmp_path: Path) -> None:
    store, digests = Store(tmp_path), ("aa", "bb")
    for digest in digests:
        store.get_or_make(digest, lambda folder, digest=digest: write_text(folder / "answer", digest))
    for source, target in (("aa", "x"), ("bb", "aa"), ("x", "bb")):
        (tmp_path / source).rename(tmp_path / target)
    for digest in digests:
        with pytest.warns(UserWarning, match="holds entry .* was expected"):
            entry = store.get_or_make(digest, lambda folder, digest=digest: write_text(folder / "answer", digest))
        assert (entry / "answer").read_text() == digest


@pytest.mark.parametrize("name", ["../out", "a/b", "/x", "..", ".", "", "locks", "under-way", ".hidden", "a\0", 7, "é"])
def test_names_that_leave_the_folder_are_refused(tmp_path: Path, name: object) -> None:
    store = Store(tmp_path / "store")
    for use in (lambda: store.get_or_make(name, make), lambda: store.unfinished(name), lambda: name in store):
        with pytest.raises(SettingError, match="digest"):
            use()
    assert not list(tmp_path.iterdir())


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Take the permission to write into a folder, also from the superuser, by working as somebody else."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    user = os.geteuid()
    if not user:
        os.seteuid(65534)
    try:
        yield
    finally:
        if not user:
            os.seteuid(user)
        for path in (folder, *folder.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "store"


@pytest.mark.parametrize("with_locks", [True, False])
def test_a_store_that_may_only_be_read_gives_what_it_has(open_folder: Path, with_locks: bool) -> None:
    store = Store(open_folder)
    store.get_or_make(KEY, make)
    if not with_locks:
        shutil.rmtree(open_folder / "locks")
    with read_only(open_folder):
        assert (store.get_or_make(KEY, make) / "answer").read_text() == "42"
        with pytest.raises(WriteError, match="has no entry"):
            store.get_or_make("cd" * 16, make)


def test_a_damaged_entry_of_a_store_that_may_only_be_read_is_named(open_folder: Path) -> None:
    entry = Store(open_folder).get_or_make(KEY, make)
    (entry / "answer").write_text("43")
    with read_only(open_folder), pytest.raises(DamagedError, match="cannot be set aside"):
        Store(open_folder).get_or_make(KEY, make)


def test_a_store_that_cannot_be_made_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WriteError, match="cannot be written"):
        Store(tmp_path / "file" / "store").get_or_make(KEY, make)


def slow(folder: Path) -> None:
    with (folder.parent / "log").open("a") as log:
        log.write("made\n")
    time.sleep(0.5)
    make(folder)


def make_slowly(folder: str) -> None:
    Store(Path(folder)).get_or_make(KEY, slow)


def test_of_two_processes_one_makes_and_the_other_waits(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=make_slowly, args=(str(tmp_path),)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert (tmp_path / "log").read_text() == "made\n"


DAYS = 86_400


def leave(folder: Path, name: str, *, days: float) -> Path:
    """Make the unfinished folder of a process that wrote it so many days ago."""
    left = folder / f".unfinished-{name}"
    (left / "deep").mkdir(parents=True)
    (left / "deep" / "part").write_text("1")
    for path in (left / "deep" / "part", left / "deep", left):
        os.utime(path, (time.time() - days * DAYS,) * 2)
    return left


def test_unfinished_folders_are_deleted_after_a_day(tmp_path: Path) -> None:
    gone = [leave(tmp_path, f"{'cd' * 16}-{'0' * 32}", days=2), leave(tmp_path, "0" * 32, days=1.1)]
    kept = [leave(tmp_path, f"{'cd' * 16}-{'1' * 32}", days=0.9), leave(tmp_path, "1" * 32, days=0)]
    still = leave(tmp_path, f"{'ef' * 16}-{'0' * 32}", days=9)
    (still / "deep" / "new").write_text("2")  # something in it was written just now
    (tmp_path / ".unfinished-file").write_text("3")
    os.utime(tmp_path / ".unfinished-file", (0, 0))
    Store(tmp_path).get_or_make(KEY, make)
    assert not any(path.exists() for path in (*gone, tmp_path / ".unfinished-file"))
    assert all((path / "deep" / "part").is_file() for path in (*kept, still))


def test_unfinished_folders_of_the_entry_itself_are_deleted_at_once(tmp_path: Path) -> None:
    left = leave(tmp_path, f"{KEY}-{'0' * 32}", days=0)
    Store(tmp_path).get_or_make(KEY, make)
    assert not left.exists()


def test_reading_an_entry_deletes_nothing(tmp_path: Path) -> None:
    Store(tmp_path).get_or_make(KEY, make)
    left = leave(tmp_path, "0" * 32, days=9)
    Store(tmp_path).get_or_make(KEY, make)
    assert left.exists()


HOLDING = """
import os, sys, time
from pathlib import Path
from xquality.train import Store

def make(folder):
    os.utime(folder, (0, 0))
    print(folder, flush=True)
    sys.stdin.read()  # until the test has checked, or for ever

Store(Path(sys.argv[1])).get_or_make(sys.argv[2], make)
"""


def test_the_folder_of_a_running_process_is_kept_however_old_and_that_of_a_killed_one_is_not(tmp_path: Path) -> None:
    other = "12" * 16
    command = [sys.executable, "-c", HOLDING, str(tmp_path), other]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        unfinished = Path(process.stdout.readline().strip())
        Store(tmp_path).get_or_make(KEY, make)
        assert unfinished.is_dir()
        process.kill()
        process.wait()
    assert unfinished.is_dir()
    Store(tmp_path).get_or_make("34" * 16, make)
    assert not unfinished.exists()


def filled(place: Path, *digests: str) -> Store:
    store = Store(place)
    for age, digest in enumerate(reversed(digests)):
        entry = store.get_or_make(digest, lambda folder: (folder / "w").write_bytes(b"x" * 1000) and None)
        for file in entry.iterdir():
            os.utime(file, (time.time() - age * 86_400,) * 2)
    return store


def test_old_entries_are_pruned_and_using_one_renews_it(tmp_path: Path) -> None:
    store = filled(tmp_path, "aa", "bb", "cc", "dd")  # 3, 2, 1 and 0 days old
    store.get_or_make("aa", lambda _: pytest.fail("made anew"))
    assert store.prune(days=1.5) == ["bb"]
    assert [digest in store for digest in ("aa", "bb", "cc", "dd")] == [True, False, True, True]


def test_the_longest_unused_are_pruned_until_the_rest_fits(tmp_path: Path) -> None:
    store = filled(tmp_path, "aa", "bb", "cc")
    assert store.prune(gigabytes=1) == []
    assert store.prune(gigabytes=2.5e-6) == ["aa"]
    assert store.prune(gigabytes=0) == ["bb", "cc"]


def test_an_entry_that_is_being_made_is_not_pruned(tmp_path: Path) -> None:
    store = filled(tmp_path, "bb")
    checkpoint = store.unfinished("aa") / "step-1"
    checkpoint.mkdir(parents=True)

    def prune_and_make(folder: Path) -> None:
        assert store.prune(days=0) == ["bb"]
        make(folder)

    store.get_or_make("aa", prune_and_make)
    assert checkpoint.is_dir()
    assert "aa" in store


def test_checkpoints_of_killed_stages_are_pruned_by_age_too(tmp_path: Path) -> None:
    store = Store(tmp_path)
    left = store.unfinished("aa") / "step-1"
    left.mkdir(parents=True)
    (left / "state.json").write_text("{}")
    assert store.prune(days=1) == []
    assert store.prune(days=0) == ["aa"]
    assert not store.unfinished("aa").exists()


@pytest.mark.parametrize("bounds", [{}, {"days": -1}, {"gigabytes": -0.1}, {"days": "old"}])
def test_pruning_needs_a_bound(tmp_path: Path, bounds: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        Store(tmp_path).prune(**bounds)
