"""Files of every format are read whole, or refused with the line that is wrong; no path leaves the root."""

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value
from hypothesis import given
from hypothesis import strategies as st

import xquality as xq
from xquality.data import local_files
from xquality.data.local_files import find_files, folder_below, line_error, read_lines, read_local
from xquality.data.source import LocalSource
from xquality.errors import DamagedError, SettingError, SourceError, WriteError

LINE = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=8)


@given(lines=st.lists(LINE, max_size=5), end=st.sampled_from(["\n", "\r\n"]), last=st.booleans())
def test_other_separators_are_text(
    tmp_path_factory: pytest.TempPathFactory, lines: list[str], end: str, last: bool
) -> None:
    file = tmp_path_factory.mktemp("lines") / "file.txt"
    whole = last or not lines or not lines[-1]
    file.write_bytes((end.join(lines) + (end if whole and lines else "")).encode())
    first = [lines[0].removeprefix("\ufeff"), *lines[1:]] if lines else []
    assert read_lines(file) == first


def test_bytes_that_are_no_text_are_refused_with_their_line(tmp_path: Path) -> None:
    file = tmp_path / "file.txt"
    file.write_bytes(b"one\ntwo\nthr\xffee\n")
    with pytest.raises(DamagedError, match=r"file\.txt, line 3: the bytes are not UTF-8"):
        read_lines(file)


def test_a_fault_names_file_and_line() -> None:
    assert str(line_error(Path("a.txt"), 7, "it is empty")) == "a.txt, line 7: it is empty; restore or repair the file."


def write(folder: Path, name: str, content: str) -> Path:
    (folder / "nli" / "de").mkdir(parents=True, exist_ok=True)
    (folder / "nli" / "de" / name).write_text(content, encoding="utf-8")
    return folder


ROWS = [{"text": 'a, "b"\nc', "label": 1, "score": 0.5}, {"text": "NA", "label": 0, "score": 2.0}]


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "csv"])
@pytest.mark.parametrize("name", ["test", "test-00000-of-00001"])
def test_every_format_gives_the_same_rows(tmp_path: Path, ending: str, name: str) -> None:
    write(tmp_path, "README.md", "rows")
    file = tmp_path / "nli" / "de" / f"{name}.{ending}"
    data = Dataset.from_list(ROWS)
    {"parquet": data.to_parquet, "jsonl": data.to_json, "csv": data.to_csv}[ending](str(file))
    found = read_local(tmp_path, "nli/de", "test")
    assert found.to_list() == ROWS
    assert found.features == data.features
    with pytest.raises(SourceError, match=r"no split 'train'; there are \['test'\]"):
        read_local(tmp_path, "nli/de", "train")


def test_parquet_is_read_before_json_lines_and_those_before_csv(tmp_path: Path) -> None:
    write(tmp_path, "test.csv", "text\nthird\n")
    assert read_local(tmp_path, "nli/de", "test")["text"][:] == ["third"]
    write(tmp_path, "test.jsonl", '{"text": "second"}\n')
    assert read_local(tmp_path, "nli/de", "test")["text"][:] == ["second"]
    Dataset.from_dict({"text": ["first"]}).to_parquet(str(tmp_path / "nli/de/test.parquet"))
    assert read_local(tmp_path, "nli/de", "test")["text"][:] == ["first"]


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1", "-20", "0"], [1, -20, 0]),
        (["1", "", "3"], [1, None, 3]),
        (["1", "2.5", "1e3"], [1.0, 2.5, 1000.0]),
        (["1", "x", ""], ["1", "x", ""]),
        (["007", "8", "9"], [7.0, 8.0, 9.0]),
        (["NA", "null", "true"], ["NA", "null", "true"]),
        (["2020-01-01", "2020-01-02", "2020-01-03"], ["2020-01-01", "2020-01-02", "2020-01-03"]),
        (["nan", "inf", "1"], ["nan", "inf", "1"]),
        (["9" * 19, "1", "2"], [1e19, 1.0, 2.0]),
    ],
)
def test_only_columns_of_numbers_become_numbers_in_csv(tmp_path: Path, cells: list[str], values: list[Any]) -> None:
    write(tmp_path, "test.csv", "text,value\n" + "".join(f"a,{cell}\n" for cell in cells))
    assert read_local(tmp_path, "nli/de", "test")["value"][:] == values


def test_a_key_that_a_row_lacks_is_null_and_lists_stay_lists(tmp_path: Path) -> None:
    rows = [{"tokens": ["a", "b"]}, {"tokens": [], "tags": [1]}]
    write(tmp_path, "test.jsonl", "\n\n".join(map(json.dumps, rows)))
    assert read_local(tmp_path, "nli/de", "test").to_list() == [{"tokens": ["a", "b"], "tags": None}, rows[1]]


def test_files_of_one_split_are_joined_in_their_order(tmp_path: Path) -> None:
    write(tmp_path, "test-00001-of-00002.csv", "text,label\nb,x\n")
    with pytest.raises(DamagedError, match="copy the other files too"):
        read_local(tmp_path, "nli/de", "test")
    write(tmp_path, "test-00000-of-00002.csv", "text,label\na,1\n")
    assert read_local(tmp_path, "nli/de", "test").to_list() == [
        {"text": "a", "label": "1"},
        {"text": "b", "label": "x"},
    ]
    write(tmp_path, "test-00001-of-00002.csv", "label,text\nx,b\n")
    with pytest.raises(DamagedError, match=r"00001-of-00002\.csv, line 1: different names, the same in all files"):
        read_local(tmp_path, "nli/de", "test")


@pytest.mark.parametrize(
    ("name", "content", "what"),
    [
        ("test.csv", "text,label\na,1\nb\n", "line 3: 2 cells were expected, not 1"),
        ("test.csv", 'text,label\n"a\nb",1\nc,2,3\n', "line 4: 2 cells were expected, not 3"),
        ("test.csv", "text,text\n", "line 1: different names"),
        ("test.csv", 'text\n"a"b\n', "line 2: it is not CSV"),
        ("test.jsonl", '{"a": 1}\n{"a": 2\n', "line 2: it is not JSON"),
        ("test.jsonl", '{"a": 1}\n\n[1]\n', "line 3: a JSON object was expected, but it is list"),
        ("test.jsonl", '{"a": 1}\n{"a": "x"}\n', "values of several types in one column"),
        ("test.parquet", "not parquet", "cannot be read as parquet"),
    ],
)
def test_a_damaged_file_is_refused_with_its_line(tmp_path: Path, name: str, content: str, what: str) -> None:
    with pytest.raises(DamagedError) as caught:
        read_local(write(tmp_path, name, content), "nli/de", "test")
    assert what in str(caught.value)
    assert name in str(caught.value)


def test_files_of_a_release_are_found_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("b.txt", "a.txt", "c.csv"):
        write(tmp_path, name, "x")
    assert [file.name for file in find_files(tmp_path, "nli", "*/*.txt")] == ["a.txt", "b.txt"]
    assert find_files(tmp_path, "nli/de", "*.tsv") == []
    assert find_files(tmp_path, "other", "*") is None
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "nli/de/d.txt").symlink_to(Path(__file__))
    with pytest.raises(SourceError, match="leads out"):
        find_files(tmp_path, "nli", "*/*.txt")


def test_a_folder_below_the_root_may_be_missing_but_not_outside(tmp_path: Path) -> None:
    assert folder_below(tmp_path, "a/b") == tmp_path.resolve() / "a/b"
    with pytest.raises(SourceError, match="leads out of"):
        folder_below(tmp_path, "../a")


def parquet(file: Path, *texts: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Dataset.from_dict({"text": list(texts)}).to_parquet(str(file))
    return file


NAMES = [
    "run[1]",
    "s*",
    "s?",
    "[a-z]",
    "{de}",
    "x::y",
    "zip:",
    "**",
    "%41",
    "a#b",
    "~",
    "-n",
    "caf\u00e9 \u5bb6",
    "file:",
    "$HOME",
]


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "csv"])
@pytest.mark.parametrize("name", NAMES)
def test_a_path_names_one_file_and_is_no_pattern_or_address(tmp_path: Path, name: str, ending: str) -> None:
    for other in ("run1", "sX", "s", "q", "de", "x", "y", "A", "home"):
        write_rows(tmp_path / other / other / f"{other}.{ending}", other)
    write_rows(tmp_path / name / name / f"{name}.{ending}", "mine")
    assert read_local(tmp_path / name, name, name)["text"][:] == ["mine"]
    with pytest.raises(SourceError, match="has no split 'test'"):
        read_local(tmp_path / name, name, "test")
    source = LocalSource(f"{tmp_path}/{{language}}/{{language}}", splits={"test": name})
    assert source.load(name, "test", None)["text"][:] == ["mine"]


def write_rows(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    data = Dataset.from_dict({"text": [text]})
    with file.open("wb") as opened:  # to_parquet would read the path as an address
        {"parquet": data.to_parquet, "jsonl": data.to_json, "csv": data.to_csv}[file.suffix[1:]](opened)


def test_a_name_in_a_pattern_is_no_pattern(tmp_path: Path) -> None:
    for name in ("de_x.txt", "[a-z]_y.txt", "*_z.txt"):
        write(tmp_path, name, "")
    found = [find_files(tmp_path, "nli/de", "{name}_*.txt", name) for name in ("de", "[a-z]", "*", "?e", "**")]
    assert [[file.name for file in files or ()] for files in found] == [
        ["de_x.txt"],
        ["[a-z]_y.txt"],
        ["*_z.txt"],
        [],
        [],
    ]


@pytest.mark.parametrize("ending", ["parquet", "jsonl", "csv"])
def test_the_bytes_that_are_in_a_file_now_decide(tmp_path: Path, ending: str) -> None:
    file = tmp_path / "de" / f"test.{ending}"
    write_rows(file, "old")
    first, times = read_local(tmp_path, "de", "test"), (file.stat().st_atime_ns, file.stat().st_mtime_ns)
    write_rows(file, "new")
    os.utime(file, ns=times)  # as cp -p, rsync and tar do
    second = read_local(tmp_path, "de", "test")
    assert (first["text"][:], second["text"][:]) == (["old"], ["new"])
    assert first._fingerprint != second._fingerprint
    write_rows(file, "old")
    if ending == "parquet":
        assert read_local(tmp_path, "de", "test")._fingerprint == first._fingerprint


def test_no_cache_is_written_or_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", str(cache))
    file = parquet(tmp_path / "root" / "de" / "test.parquet", "a", "b")
    whole = file.read_bytes()
    file.write_bytes(whole[:-8])
    with pytest.raises(DamagedError, match="cannot be read as parquet"):
        read_local(tmp_path / "root", "de", "test")
    file.write_bytes(whole)
    assert read_local(tmp_path / "root", "de", "test")["text"][:] == ["a", "b"]
    assert not cache.exists()


def test_large_files_are_mapped_and_have_the_same_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    features = Features(
        {"label": ClassLabel(names=["no", "yes"]), "tokens": List(Value("string")), "text": Value("large_string")}
    )
    rows = [{"label": number % 2, "tokens": ["a"] * (number % 3), "text": f"\u5bb6 {number}"} for number in range(500)]
    (tmp_path / "de").mkdir()
    for part in range(2):
        half = Dataset.from_list(rows[250 * part : 250 * (part + 1)], features=features)
        half.to_parquet(str(tmp_path / "de" / f"test-{part:05d}-of-00002.parquet"), batch_size=100)
    small = read_local(tmp_path, "de", "test")
    monkeypatch.setattr(local_files, "IN_MEMORY", 1_000)
    monkeypatch.setattr(local_files, "_BATCH", 70)
    large = read_local(tmp_path, "de", "test")
    assert large.to_list() == small.to_list() == rows
    assert large.features == small.features == features
    assert xq.digest(large) == xq.digest(small)
    assert large._fingerprint == small._fingerprint


def test_a_full_disk_is_not_called_a_damaged_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    parquet(tmp_path / "de" / "test.parquet", "a")
    monkeypatch.setattr(local_files, "IN_MEMORY", 0)
    monkeypatch.setattr(pa.ipc, "new_stream", full)
    with pytest.raises(WriteError, match="free space"):
        read_local(tmp_path, "de", "test")


@pytest.mark.parametrize(
    ("make", "features"),
    [
        (lambda: pa.array(["a", "b"]).dictionary_encode(), Value("string")),
        (lambda: pa.array(["a", "b"], pa.large_string()), Value("large_string")),
        (lambda: pa.array(["a", None], pa.string_view()), None),
        (lambda: pa.array([["a"], None]), List(Value("string"))),
        (lambda: pa.array([1, None], pa.uint8()), Value("uint8")),
        (lambda: pa.array([True, None]), Value("bool")),
        (lambda: pa.nulls(2), Value("null")),
        (lambda: pa.array([{"a": 1, "b": "x"}, None]), {"a": Value("int64"), "b": Value("string")}),
    ],
)
def test_files_that_others_wrote_are_read_with_their_types(
    tmp_path: Path, make: Callable[[], pa.Array], features: Any
) -> None:
    (tmp_path / "de").mkdir()
    pq.write_table(pa.table({"x": make()}), tmp_path / "de" / "test.parquet")
    found = read_local(tmp_path, "de", "test")
    assert found["x"][:] == make().to_pylist()
    assert features is None or found.features == Features({"x": features})


def test_an_empty_file_of_parquet_keeps_its_columns(tmp_path: Path) -> None:
    parquet(tmp_path / "de" / "test.parquet")
    found = read_local(tmp_path, "de", "test")
    assert (len(found), found.column_names) == (0, ["text"])


NOT_UTF8 = pa.array([b"a", b"caf\xe9"]).view(pa.string())


@pytest.mark.parametrize(
    "values",
    [NOT_UTF8, pa.ListArray.from_arrays([0, 1, 2], NOT_UTF8), pa.StructArray.from_arrays([NOT_UTF8], ["inner"])],
    ids=["text", "lists", "structs"],
)
def test_text_that_is_not_utf8_is_refused_where_it_is_read(tmp_path: Path, values: pa.Array) -> None:
    (tmp_path / "de").mkdir()
    pq.write_table(pa.table({"good": ["a", "b"], "bad": values}), tmp_path / "de" / "test.parquet")
    with pytest.raises(DamagedError, match=r"test\.parquet, column 'bad', among rows 0 to 1: .*UTF-?8"):
        read_local(tmp_path, "de", "test")


def test_a_file_that_differs_in_its_columns_is_refused(tmp_path: Path) -> None:
    parquet(tmp_path / "de" / "test-00000-of-00002.parquet", "a")
    pq.write_table(pa.table({"other": ["b"]}), tmp_path / "de" / "test-00001-of-00002.parquet")
    with pytest.raises(DamagedError):
        read_local(tmp_path, "de", "test")


def loop(root: Path) -> str:
    (root / "loop").symlink_to("loop")
    return "loop"


BAD = {
    "NUL": lambda root: "a\0b",
    "too long": lambda root: "x" * 300,
    "no UTF-8": lambda root: "caf\udce9",
    "a loop": loop,
}


@pytest.mark.parametrize("bad", BAD)
def test_a_path_that_cannot_be_looked_up_is_a_typed_error(tmp_path: Path, bad: str) -> None:
    parquet(tmp_path / "de" / "test.parquet", "a")
    name = BAD[bad](tmp_path)
    source = LocalSource("{language}")
    for root, language, split in ((tmp_path, name, "test"), (tmp_path, "de", name), (tmp_path / name, "de", "test")):
        with pytest.raises((SourceError, SettingError)) as caught:
            source.load(language, split, root)
        assert len(str(caught.value)) < 700


@pytest.mark.parametrize(
    "row",
    [
        '{"a": "\\ud800"}',
        '{"a": 123456789012345678901234567890}',
        '{"a": ' + "[" * 100_000,
        '{"a": ' + "9" * 5_000 + "}",
        "\x00",
    ],
)
def test_json_that_no_column_can_hold_is_a_typed_error(tmp_path: Path, row: str) -> None:
    with pytest.raises(DamagedError, match=r"test\.jsonl"):
        read_local(write(tmp_path, "test.jsonl", row), "nli/de", "test")
