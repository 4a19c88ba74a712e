"""Stored content is believed only where it is what was written, for what it was written for."""

import copy
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality._stored import CHECKSUMS, check_folder, digest_json, read_json, set_aside, write_checksums, write_json
from xquality.errors import DamagedError, SerialisationError

KEYS = st.text(st.characters(exclude_categories=[]), max_size=3).filter(lambda key: key != "checksum")
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=[])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(content=st.dictionaries(KEYS, VALUES, max_size=4))
def test_every_json_value_is_read_back_equal(tmp_path_factory: pytest.TempPathFactory, content: dict[str, Any]) -> None:
    file = tmp_path_factory.mktemp("stored") / "file.json"
    write_json(file, content)
    found = read_json(file, content)
    assert json.dumps(found) == json.dumps(json.loads(json.dumps(content)))  # also the order of keys


def test_numbers_that_are_not_finite_are_kept(tmp_path: Path) -> None:
    write_json(tmp_path / "file.json", {"loss": math.nan, "bound": math.inf})
    found = read_json(tmp_path / "file.json")
    assert math.isnan(found["loss"])
    assert found["bound"] == math.inf


def circular() -> dict[str, Any]:
    made: dict[str, Any] = {}
    made["inner"] = [made]
    return made


def deep() -> dict[str, Any]:
    made: Any = 1
    for _ in range(100_000):
        made = [made]
    return {"deep": made}


@pytest.mark.parametrize(
    "content",
    [
        {"a": {1}},
        {"a": {1: 0, "1": 0}},
        {"a": [{None: 0}]},
        {"a": object()},
        {"a": b"x"},
        {"checksum": 1},
        circular(),
        deep(),
    ],
    ids=["set", "two equal keys", "no key", "object", "bytes", "taken", "circular", "deep"],
)
def test_what_json_would_lose_is_refused(tmp_path: Path, content: dict[str, Any]) -> None:
    with pytest.raises(SerialisationError):
        write_json(tmp_path / "file.json", content)
    assert not list(tmp_path.iterdir())


CONTENT = {"cell": {"rate": 0.2, "seed": 1}, "scores": [33.3, 50.0], "note": "\u4e2d"}


def edits() -> dict[str, Callable[[dict[str, Any]], None]]:
    return {
        "a number": lambda stored: stored["cell"].update(rate=0.4),
        "a number of another type": lambda stored: stored["cell"].update(seed=1.0),
        "an order": lambda stored: stored["scores"].reverse(),
        "a key less": lambda stored: stored.pop("note"),
        "a key more": lambda stored: stored.update(more=None),
        "no checksum": lambda stored: stored.pop("checksum"),
        "a checksum of another type": lambda stored: stored.update(checksum=1),
        "an empty checksum": lambda stored: stored.update(checksum=""),
    }


@pytest.mark.parametrize("edit", edits())
def test_edited_content_is_refused(tmp_path: Path, edit: str) -> None:
    file = tmp_path / "file.json"
    write_json(file, CONTENT)
    stored = json.loads(file.read_text(encoding="utf-8"))
    edits()[edit](stored)
    file.write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(DamagedError, match=r"file\.json"):
        read_json(file)


def test_another_spelling_of_the_same_content_is_read(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    write_json(file, CONTENT)
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")), sort_keys=True), encoding="utf-8")
    assert read_json(file) == CONTENT


@pytest.mark.parametrize(
    "stored", [b"", b"{", b"[]", b"null", b"{}", b"\xff", b"[" * 100_000, b'{"checksum": ' + b"9" * 5_000 + b"}"]
)
def test_bytes_that_are_no_such_file_are_a_typed_error(tmp_path: Path, stored: bytes) -> None:
    (tmp_path / "file.json").write_bytes(stored)
    for name in ("file.json", "missing.json", "."):
        with pytest.raises(DamagedError):
            read_json(tmp_path / name)


def test_intact_content_of_something_else_is_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "file.json", CONTENT)
    assert read_json(tmp_path / "file.json", {"cell": {"seed": 1, "rate": 0.2}}) == CONTENT
    with pytest.raises(DamagedError, match=r"where \{'seed': 2\} was expected"):
        read_json(tmp_path / "file.json", {"cell": {"seed": 2}})
    with pytest.raises(DamagedError, match="holds trial None"):
        read_json(tmp_path / "file.json", {"trial": "x"})


@given(content=VALUES, other=VALUES)
def test_equal_digests_are_of_equal_content(content: Any, other: Any) -> None:
    assert digest_json(content) == digest_json(copy.deepcopy(content))
    same = json.dumps(content, sort_keys=True) == json.dumps(other, sort_keys=True)
    assert (digest_json(content) == digest_json(other)) == same


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "entry"
    (made / "inner").mkdir(parents=True)
    (made / "weights").write_bytes(b"abc")
    (made / "inner" / "tokens").write_bytes(b"def")
    write_checksums(made, {"entry": "0123"})
    return made


def test_a_folder_is_as_it_was_written(folder: Path) -> None:
    (folder / ".DS_Store").write_bytes(b"a file manager")
    (folder / "inner" / "._tokens").write_bytes(b"a Mac")
    assert check_folder(folder) == check_folder(folder, {"entry": "0123"}) == {"entry": "0123"}
    with pytest.raises(DamagedError, match="holds entry '0123', where '4567' was expected"):
        check_folder(folder, {"entry": "4567"})


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a flipped bit": lambda made: (made / "weights").write_bytes(b"abb"),
    "a truncated file": lambda made: (made / "inner" / "tokens").write_bytes(b"de"),
    "a missing file": lambda made: (made / "inner" / "tokens").unlink(),
    "another file": lambda made: (made / "adapter_config.json").write_text("{}"),
    "two files swapped": lambda made: (
        (made / "weights").write_bytes(b"def") and (made / "inner" / "tokens").write_bytes(b"abc")
    ),
    "a folder in place of a file": lambda made: (made / "weights").unlink() or (made / "weights").mkdir(),
    "a dangling link": lambda made: (made / "weights").unlink() or (made / "weights").symlink_to("nowhere"),
    "no checksums": lambda made: (made / CHECKSUMS).unlink(),
    "empty checksums": lambda made: (made / CHECKSUMS).write_text("{}"),
    "checksums that list nothing": lambda made: write_json(made / CHECKSUMS, {"entry": "0123"}),
    "checksums of another kind": lambda made: write_json(made / CHECKSUMS, {"entry": "0123", "files": ["weights"]}),
    "no folder": shutil.rmtree,
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_folder_is_refused(folder: Path, damage: str) -> None:
    DAMAGE[damage](folder)
    with pytest.raises(DamagedError, match="entry"):
        check_folder(folder)


def test_what_is_damaged_is_set_aside_and_never_deleted(tmp_path: Path) -> None:
    fault = DamagedError("The entry has other bytes.")
    for number in range(2):
        (tmp_path / "entry").write_text(str(number))
        with pytest.warns(
            UserWarning, match=rf"other bytes\. It was set aside as entry\.damaged-{number}, and it is made again\."
        ):
            set_aside(tmp_path / "entry", fault, "it is made again")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "entry.damaged-0": "0",
        "entry.damaged-1": "1",
    }
    set_aside(tmp_path / "entry", fault, "it is made again")  # another process was faster: no warning


def test_what_cannot_be_set_aside_is_a_typed_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(DamagedError, match="other bytes; it cannot be set aside"):
        set_aside(tmp_path / "entry", DamagedError("It has other bytes."), "it is made again")
