"""Store: made once, by one of several processes, verified on reading, made again where damaged."""

import multiprocessing
import time
from pathlib import Path

import pytest

from xquality.files import write_text
from xquality.store import Store

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
        raise RuntimeError("out of luck")

    with pytest.raises(RuntimeError):
        Store(tmp_path).get_or_make(KEY, fail)
    assert [one.name for one in tmp_path.iterdir()] == ["locks"]


@pytest.mark.parametrize("damage", ["other bytes", "missing file", "missing sums"])
def test_a_damaged_entry_is_set_aside_and_made_again(tmp_path: Path, damage: str) -> None:
    store = Store(tmp_path)
    entry = store.get_or_make(KEY, make)
    if damage == "other bytes":
        (entry / "answer").write_text("43")
    else:
        (entry / ("answer" if damage == "missing file" else "checksums.json")).unlink()
    with pytest.warns(UserWarning, match="set aside"):
        again = store.get_or_make(KEY, make)
    assert (again / "answer").read_text() == "42"
    assert (tmp_path / f"{KEY}.damaged-0").is_dir()


def slow(folder: Path) -> None:
    with (folder.parent / "log").open("a") as log:
        log.write("made\n")
    time.sleep(0.5)
    make(folder)


def ask(folder: str) -> None:
    Store(Path(folder)).get_or_make(KEY, slow)


def test_of_two_processes_one_makes_and_the_other_waits(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=ask, args=(str(tmp_path),)) for _ in range(2)]
    for one in workers:
        one.start()
    for one in workers:
        one.join(60)
    assert [one.exitcode for one in workers] == [0, 0]
    assert (tmp_path / "log").read_text() == "made\n"
