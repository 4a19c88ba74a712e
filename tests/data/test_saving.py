"""A dataset is loaded with the rows, history and description that it was saved with, or a typed error."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict
from recorded_rows import OWN, RECORDS, data

import xquality as xq
from xquality.data.provenance import history
from xquality.data.saving import load, save
from xquality.errors import DamagedError, DataKindError, SettingError, SourceError


def test_what_is_saved_is_loaded_with_rows_history_and_description(tmp_path: Path) -> None:
    before = data(OWN).select([4, 2, 0])
    assert save(before, tmp_path / "deep" / "kept") == tmp_path / "deep" / "kept"
    after = load(tmp_path / "deep" / "kept")
    assert after.to_list() == before.to_list()
    assert history(after) == history(before) == RECORDS
    assert history(after)[-1].digest == xq.digest(before)
    assert after.info.description == before.info.description


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    save(data(), tmp_path / "kept")
    with pytest.raises(SettingError, match="exists already"):
        save(data().select([0]), tmp_path / "kept")
    assert len(load(tmp_path / "kept")) == 6
    (tmp_path / "note").write_text("mine")
    (tmp_path / "empty").mkdir()
    for name in ("note", "empty"):
        with pytest.raises(SettingError, match="exists already"):
            save(data(), tmp_path / name)


def test_only_one_split_is_saved(tmp_path: Path) -> None:
    with pytest.raises(DataKindError, match="one split"):
        save(DatasetDict({"train": data()}), tmp_path / "kept")
    assert not (tmp_path / "kept").exists()


def test_a_folder_of_another_kind_is_not_loaded(tmp_path: Path) -> None:
    data().save_to_disk(str(tmp_path / "other"))
    for name in ("other", "missing"):
        with pytest.raises(SourceError, match="is none"):
            load(tmp_path / name)


def test_rows_that_were_exchanged_are_refused(tmp_path: Path) -> None:
    import shutil

    save(data(), tmp_path / "kept")
    shutil.rmtree(tmp_path / "kept" / "data")
    data().select([0, 1, 2, 3, 5, 4]).save_to_disk(str(tmp_path / "kept" / "data"))
    with pytest.raises(DamagedError, match="digest"):
        load(tmp_path / "kept")


def arrow_file(folder: Path) -> Path:
    (file,) = (folder / "data").glob("*.arrow")
    return file


DAMAGE: dict[str, Callable[[Path], object]] = {
    "a byte of text": lambda kept: arrow_file(kept).write_bytes(
        arrow_file(kept).read_bytes().replace(b"abcdef", b"abcdeg")
    ),
    "half the rows": lambda kept: arrow_file(kept).write_bytes(arrow_file(kept).read_bytes()[:100]),
    "no bytes": lambda kept: arrow_file(kept).write_bytes(b""),
    "a missing file": lambda kept: arrow_file(kept).unlink(),
    "a missing state": lambda kept: (kept / "data" / "state.json").unlink(),
    "a broken state": lambda kept: (kept / "data" / "state.json").write_text("{"),
    "another digest": lambda kept: (kept / "xquality.json").write_text(json.dumps({"digest": "0", "history": []})),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_save_is_refused(damage: str, tmp_path: Path) -> None:
    save(data(), tmp_path / "kept")
    DAMAGE[damage](tmp_path / "kept")
    with pytest.raises(DamagedError, match="kept"):
        load(tmp_path / "kept")


@pytest.mark.parametrize("stored", ["{", "{}", "[]", '{"digest": "x", "history": [{}]}'])
def test_a_damaged_history_is_a_typed_error(tmp_path: Path, stored: str) -> None:
    folder = xq.save(Dataset.from_dict({"text": ["a"]}), tmp_path / "saved")
    (folder / "xquality.json").write_text(stored, encoding="utf-8")
    with pytest.raises(DamagedError):
        xq.load(folder)


def test_the_card_is_written_and_not_read(tmp_path: Path) -> None:
    folder = save(data(OWN), tmp_path / "kept")
    assert (folder / "README.md").read_text(encoding="utf-8") == xq.card(data(OWN))
    (folder / "README.md").write_text("anything", encoding="utf-8")
    assert xq.digest(load(folder)) == xq.digest(data())
    (folder / "README.md").unlink()  # as in folders of versions without cards
    assert history(load(folder)) == RECORDS


def test_the_code_in_a_saved_card_loads_the_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(data(), tmp_path / "FOLDER")
    program = (tmp_path / "FOLDER" / "README.md").read_text(encoding="utf-8").split("```python")[1].split("```")[0]
    monkeypatch.chdir(tmp_path)
    found: dict[str, Dataset] = {}
    exec(program, found)  # noqa: S102 (the card is our own)
    assert found["data"].to_list() == data().to_list()
