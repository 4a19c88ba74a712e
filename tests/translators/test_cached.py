"""The cache: by content, through kills, damage, full disks and several processes, with the bytes of the engine."""

import multiprocessing
import os
import resource
import sqlite3
import time
from pathlib import Path

import pytest

from xquality.errors import DataKindError, SettingError, WriteError
from xquality.translators import Cached, FunctionTranslator

CALLS: list[list[str]] = []


def shout(texts, source, target):
    CALLS.append(list(texts))
    return [f"{text.upper()} {target}" for text in texts]


def remember_neighbours(texts, source, target):
    CALLS.append(list(texts))
    return [f"{text}{len(texts)}" for text in texts]


@pytest.fixture(autouse=True)
def _no_calls():
    CALLS.clear()


def make(folder: Path, version: str = "1", function=shout, **settings) -> Cached:
    return Cached(FunctionTranslator(function, "engine", version, **settings), folder)


def the_file(folder: Path) -> Path:
    (found,) = folder.glob("*.sqlite")
    return found


def test_each_text_is_translated_once_for_each_engine_version_and_pair(tmp_path) -> None:
    texts = ["b", "a", "b", "", "c"]
    expected = ["B es", "A es", "B es", "", "C es"]
    assert make(tmp_path).translate(texts, "en", "es") == expected
    assert sorted(CALLS[0]) == ["a", "b", "c"]
    assert make(tmp_path).translate(texts[::-1], "eng_Latn", "es") == expected[::-1]
    assert len(CALLS) == 1
    make(tmp_path).translate(["a", "d"], "en", "es")
    assert CALLS[1:] == [["d"]]
    make(tmp_path).translate(["a"], "en", "de")
    make(tmp_path, "2").translate(["a"], "en", "es")
    make(tmp_path).translate(["a"], "zho_Hans", "es")
    make(tmp_path).translate(["a"], "zho_Hant", "es")
    assert CALLS[2:] == [["a"]] * 4


def test_an_engine_that_minds_its_neighbours_is_given_text_by_text(tmp_path) -> None:
    cached = make(tmp_path, function=remember_neighbours, context_free=False)
    assert cached.context_free
    texts = [f"t{number} " for number in range(30)]
    assert cached.translate(texts, "en", "es") == [f"{text}1" for text in texts]
    assert {len(call) for call in CALLS} == {1}


def test_the_cache_of_a_cache_or_of_nothing_is_refused(tmp_path) -> None:
    with pytest.raises(DataKindError):
        Cached(make(tmp_path), tmp_path)
    with pytest.raises(DataKindError):
        Cached(shout, tmp_path)
    with pytest.raises(SettingError):
        make("")


def test_an_entry_that_was_edited_is_translated_again(tmp_path) -> None:
    make(tmp_path).translate(["a", "b"], "en", "es")
    with sqlite3.connect(the_file(tmp_path)) as connection:
        connection.execute("UPDATE entries SET entry = 'forged' WHERE entry = 'A es'")
    connection.close()
    for calls in (2, 2):
        assert make(tmp_path).translate(["a", "b"], "en", "es") == ["A es", "B es"]
        assert len(CALLS) == calls
    with sqlite3.connect(the_file(tmp_path)) as connection:  # two entries that changed places
        first, second = (connection.execute("SELECT entry, checksum, key FROM entries")).fetchall()
        connection.execute("UPDATE entries SET entry = ?, checksum = ? WHERE key = ?", (*first[:2], second[2]))
    connection.close()
    assert make(tmp_path).translate(["a", "b"], "en", "es") == ["A es", "B es"]


@pytest.mark.parametrize("damage", ["garbage", "truncated", "schema", "holes"])
def test_a_damaged_file_is_set_aside_and_filled_again(tmp_path, damage: str) -> None:
    texts = [f"text {number}" for number in range(800)]
    before = make(tmp_path).translate(texts, "en", "es")
    path = the_file(tmp_path)
    content = bytearray(path.read_bytes())
    if damage == "garbage":
        content = b"no database" * 1000
    elif damage == "truncated":
        content = content[: len(content) // 2]
    elif damage == "holes":
        content[len(content) // 3 : len(content) // 2] = bytes(len(content) // 2 - len(content) // 3)
    path.write_bytes(content)
    if damage == "schema":
        path.unlink()
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE entries (other TEXT)")
        connection.close()
    with pytest.warns(UserWarning, match="set aside"):
        assert make(tmp_path).translate(texts, "en", "es") == before
    calls = len(CALLS)
    assert make(tmp_path).translate(texts, "en", "es") == before
    assert len(CALLS) == calls


def start(folder: Path, log: Path, seconds: float, count: int):
    """Translate in a process that writes down what its engine was given, and ends with 0 if all came out right."""

    def slow(texts, source, target):
        with log.open("a") as handle:
            handle.write("".join(f"{text}\n" for text in texts))
        time.sleep(seconds * len(texts))
        return [text.upper() for text in texts]

    def translate() -> None:
        texts = [f"text {number}" for number in range(count)]
        cached = Cached(FunctionTranslator(slow, "slow", "1", context_free=False), folder)
        assert cached.translate(texts, "en", "es") == [text.upper() for text in texts]

    process = multiprocessing.get_context("fork").Process(target=translate)
    process.start()
    return process


def end(process) -> int | None:
    process.join()
    return process.exitcode


def entries(folder: Path) -> int:
    if not list(folder.glob("*.sqlite")):
        return 0
    with sqlite3.connect(the_file(folder)) as connection:
        tables = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'entries'").fetchall()
        count = connection.execute("SELECT COUNT(*) FROM entries").fetchone()[0] if tables else 0
    connection.close()
    return int(count)


def test_a_killed_run_goes_on_where_it_was(tmp_path) -> None:
    folder, log = tmp_path / "cache", tmp_path / "log"
    first = start(folder, log, 0.01, 200)
    while entries(folder) < 10:
        assert first.is_alive()
        time.sleep(0.01)
    first.kill()
    assert end(first) == -9
    kept = entries(folder)
    assert 10 <= kept < 200
    translated = log.read_text().splitlines()
    assert end(start(folder, log, 0.0, 200)) == 0
    again = log.read_text().splitlines()[len(translated) :]
    assert len(again) == len(set(again)) == 200 - kept
    assert entries(folder) == 200


def test_two_processes_share_one_cache(tmp_path) -> None:
    folder, log = tmp_path / "cache", tmp_path / "log"
    running = [start(folder, log, 0.002, 150) for _ in range(2)]
    assert [end(process) for process in running] == [0, 0]
    assert entries(folder) == 150
    assert set(log.read_text().splitlines()) == {f"text {number}" for number in range(150)}


def lengthen(texts, source, target):
    return [text * 1000 for text in texts]


def test_a_full_disk_is_an_error_and_what_was_written_is_kept(tmp_path) -> None:
    cached = make(tmp_path, function=lengthen)
    cached.translate(["a", "b"], "en", "es")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(WriteError, match="What was written before is kept"):
            cached.translate([f"text {number}" for number in range(1000)], "en", "es")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    kept = entries(tmp_path)
    assert 2 <= kept < 1000
    assert cached.translate(["a", "b"], "en", "es") == ["a" * 1000, "b" * 1000]
    assert cached.translate([f"text {number}" for number in range(1000)], "en", "es")[7] == "text 7" * 1000
    assert entries(tmp_path) == 1002


def test_a_cache_that_may_only_be_read_gives_what_it_has(tmp_path) -> None:
    folder = tmp_path / "cache"
    before = make(folder).translate(["a"], "en", "es")
    the_file(folder).chmod(0o400)
    folder.chmod(0o500)
    try:
        assert make(folder).translate(["a"], "en", "es") == before
        if os.geteuid():  # nothing is read-only to root
            with pytest.raises(WriteError):
                make(folder).translate(["b"], "en", "es")
    finally:
        folder.chmod(0o700)
    with pytest.raises(WriteError):
        make(the_file(folder)).translate(["a"], "en", "es")


def test_many_texts_are_looked_up_fast(tmp_path) -> None:
    texts = [f"text {number} of many" for number in range(20_000)]
    make(tmp_path).translate(texts, "en", "es")
    begun = time.process_time()
    make(tmp_path).translate(texts, "en", "es")
    assert time.process_time() - begun < 2  # 0.3 on an idle core
