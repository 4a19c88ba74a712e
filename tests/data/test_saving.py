"""A dataset is loaded with the rows, history and description that it was saved with, or a typed error."""

import copy
import json
import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Split, Value, load_from_disk
from hypothesis import given, settings
from hypothesis import strategies as st
from recorded_rows import OWN, RECORDS, data

import xquality as xq
from xquality import toy
from xquality._files import checksum
from xquality._stored import read_json, write_json
from xquality.data.provenance import history, with_history
from xquality.data.saving import load, save
from xquality.errors import DamagedError, DataKindError, SettingError, SourceError, WriteError
from xquality.records import Record


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
    for name, found in (("other", "is none"), ("missing", "is no folder")):
        with pytest.raises(SourceError, match=found):
            load(tmp_path / name)


def test_rows_that_were_exchanged_are_refused(tmp_path: Path) -> None:
    save(data(), tmp_path / "kept")
    save(data().select([0, 1, 2, 3, 5, 4]), tmp_path / "other")
    shutil.copy(arrow_file(tmp_path / "other"), arrow_file(tmp_path / "kept"))
    with pytest.raises(DamagedError, match="digest"):
        load(tmp_path / "kept")
    shutil.rmtree(tmp_path / "kept" / "data")
    shutil.copytree(tmp_path / "other" / "data", tmp_path / "kept" / "data")
    with pytest.raises(DamagedError, match="other bytes"):
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


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


EDITS = {
    "a rate in the records": ("xquality.json", '"rate": 0.2', '"rate": 0.1'),
    "a seed in the records": ("xquality.json", '"seed": 1', '"seed": 2'),
    "the rows' digest": ("xquality.json", '"digest": "', '"digest": "0'),
    "a checksum": ("xquality.json", '"state.json": "', '"state.json": "0'),
    "a rate in the description": ("data/dataset_info.json", '\\"rate\\": 0.2', '\\"rate\\": 0.1'),
    "the language of the origin": ("data/dataset_info.json", '\\"language\\": \\"es\\"', '\\"language\\": \\"de\\"'),
    "a class name": ("data/dataset_info.json", "sports", "sport"),
    "the split": ("data/state.json", '"_split": null', '"_split": "test"'),
    "the file of the rows": ("data/state.json", "00000-of", "00001-of"),
}


@pytest.fixture(scope="module")
def noisy() -> Dataset:
    return xq.LabelNoise(0.2)(toy.topics.load("es", "train").select(range(50)), seed=1)


@pytest.fixture(scope="module")
def saved(noisy: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save(noisy, tmp_path_factory.mktemp("saved") / "kept")


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_record_origin_or_feature_is_refused(name: str, noisy: Dataset, tmp_path: Path) -> None:
    file, old, new = EDITS[name]
    folder = save(noisy, tmp_path / "kept")
    edit(folder / file, old, new)
    with pytest.raises(DamagedError, match="kept"):
        load(folder)


def test_a_record_that_is_edited_with_its_checksum_still_disagrees_with_the_rows(
    noisy: Dataset, tmp_path: Path
) -> None:
    folder = save(noisy, tmp_path / "kept")
    stored = read_json(folder / "xquality.json")
    stored["history"][0]["settings"]["rate"] = 0.1
    write_json(folder / "xquality.json", stored)
    with pytest.raises(DamagedError, match="another history"):
        load(folder)


FORGED: dict[str, tuple[str, Any]] = {
    "a list as description": ("description", ["xquality-history: []"]),
    "half a history": ("description", 'xquality-history: [{"transform": "LabelNoise", "settings"'),
    "a history of another class": ("description", 'xquality-history: [{"rate": 0.2}]'),
    "no features": ("features", 3),
    "no history": ("history", None),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_description_is_refused_even_where_its_checksum_fits(
    name: str, noisy: Dataset, tmp_path: Path
) -> None:
    folder = save(noisy, tmp_path / "kept")
    key, value = FORGED[name]
    info, stored = folder / "data" / "dataset_info.json", read_json(folder / "xquality.json")
    info.write_text(json.dumps({**json.loads(info.read_text(encoding="utf-8")), key: value}), encoding="utf-8")
    stored["settings"]["dataset_info.json"] = checksum(info)
    if key == "history":
        del stored["history"]
    write_json(folder / "xquality.json", stored)
    with pytest.raises(DamagedError, match="kept"):
        load(folder)


@given(st.data())
@settings(max_examples=60)
def test_a_flipped_bit_anywhere_is_refused_or_changes_nothing(
    noisy: Dataset, saved: Path, tmp_path_factory: pytest.TempPathFactory, draw: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("flips") / "kept"
    shutil.copytree(saved, folder)
    file = draw.draw(st.sampled_from([folder / "xquality.json", *(folder / "data").iterdir()]))
    content = bytearray(file.read_bytes())
    content[draw.draw(st.integers(0, len(content) - 1))] ^= 1 << draw.draw(st.integers(0, 7))
    file.write_bytes(content)
    try:
        found = load(folder)
    except DamagedError:
        return
    assert xq.digest(found) == xq.digest(noisy)
    assert history(found) == history(noisy)
    assert found.info.description == noisy.info.description


KINDS: dict[str, Callable[[], Dataset]] = {
    "a class name that UTF-8 cannot encode": lambda: Dataset.from_dict(
        {"uid": [0], "label": [0]},
        features=Features({"uid": Value("int64"), "label": ClassLabel(names=["\ud800", "b"])}),
    ),
    "no rows": lambda: xq.Subsample(n=0)(data(), seed=1),
    "no rows and no chunk": lambda: Dataset(data().data.table.schema.empty_table()),
    "no columns": lambda: Dataset.from_dict({}),
    "an indices mapping": lambda: data(OWN).select([4, 4, 0]),
    "another format": lambda: data().with_format("numpy", columns=["text"], output_all_columns=True),
    "a split": lambda: Dataset(data().data.table, split=Split.TEST),
    "views of strings": lambda: Dataset(
        pa.table({"text": pa.array(["a", None, "longer than twelve bytes"], pa.string_view())})
    ),
    "lists, structs and bytes": lambda: Dataset.from_list(
        [{"a": [1, None], "b": {"c": [b"\x00"], "d": None}}, {"a": None, "b": None}]
    ),
    "many chunks": lambda: Dataset(pa.concat_tables([data().data.table] * 50)),
    "a record with a number that is not finite": lambda: with_history(
        data(), [Record("Own", {"loss": math.nan, "most": math.inf})]
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_dataset_comes_back_as_it_was(kind: str, tmp_path: Path) -> None:
    before = KINDS[kind]()
    after = load(save(before, tmp_path / "kept"))
    assert xq.digest(after) == xq.digest(before)
    assert (after.features, after.split, after.format) == (before.features, before.split, before.format)
    assert after.info.description == before.info.description
    assert str(history(after)) == str(history(before))
    other = load_from_disk(str(tmp_path / "kept" / "data"))  # as the datasets library reads it
    assert (xq.digest(other), other.features, other.format) == (xq.digest(before), before.features, before.format)
    assert xq.digest(xq.load(save(after, tmp_path / "again"))) == xq.digest(before)


@pytest.mark.parametrize(
    "name",
    [
        "x::y",
        "zip::a",
        "s3:__b",
        "hf:/c",
        "run[1]",
        "*",
        "?",
        "~",
        "%41",
        "a#b",
        "a b",
        "{language}",
        "-n",
        "caf\u00e9",
        "\u5bb6" * 80,
    ],
)
def test_a_folder_is_named_and_no_pattern_or_address(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(load(save(data(), name))) == 6
    assert [path.name for path in tmp_path.iterdir()] == [Path(name).parts[0]]
    found = load(tmp_path / name)
    assert found.to_list() == data().to_list()
    assert found.map(lambda row: {"n": len(row["text"])}).num_rows == 6


@pytest.mark.parametrize("name", ["", "a\0b", "x" * 300, "caf\udce9", b"bytes", None, 3])
def test_a_folder_that_cannot_be_named_is_a_typed_error(name: Any) -> None:
    for call in (lambda: save(data(), name), lambda: load(name)):
        with pytest.raises(SettingError, match=r"^xq\.(save|load)\(folder="):
            call()


def test_the_working_directory_may_change_after_loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "elsewhere").mkdir()
    found = load(save(data(), "kept"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert copy.deepcopy(found).to_list() == data().to_list()  # as worker processes read it, by the path of its file


def test_a_place_that_cannot_be_written_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(WriteError, match="cannot be written"):
        save(data(), tmp_path / "file" / "kept")
    with pytest.raises(SettingError, match="exists already"):
        save(data(), tmp_path / "link")


def test_a_saved_folder_can_be_read_by_others_and_when_it_is_read_only(tmp_path: Path) -> None:
    folder = save(data(), tmp_path / "kept")
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o044 == 0o044 & ~umask()
        path.chmod(0o555 if path.is_dir() else 0o444)
    assert len(load(folder)) == 6


def umask() -> int:
    now = os.umask(0o022)
    os.umask(now)
    return now


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
