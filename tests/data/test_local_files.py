"""Files of every format are read whole, or refused with the line that is wrong; no path leaves the root."""

import json
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st

from xquality.data.local_files import find_files, folder_below, line_error, read_lines, read_local
from xquality.errors import DamagedError, SourceError

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
