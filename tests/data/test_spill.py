"""Large tables are memory-mapped: the same rows, no memory of their own, nothing left on disk."""

import gc
import sys
from pathlib import Path

import datasets
import numpy as np
import pyarrow as pa
import pytest
from conftest import EXAMPLES, toy_rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import xquality as xq
from xquality import toy
from xquality.data import spill
from xquality.data._datasets import fingerprint_of
from xquality.data.spill import block_ranges, is_large, map_new_columns, take_rows, write_mapped
from xquality.testing import check_transform
from xquality.transforms import Transform


@pytest.fixture
def all_tables_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "IN_MEMORY", 100)
    monkeypatch.setattr(spill, "BLOCK", 400)


def table(count: int, chunk: int = 7) -> pa.Table:
    whole = pa.table(
        {
            "text": [None if row % 11 == 3 else f"sentence {row} naïve 你好" * (row % 4) for row in range(count)],
            "tags": pa.array([[row, None] * (row % 3) for row in range(count)], pa.list_(pa.int64())),
            "answer": pa.array([{"text": [str(row)], "at": row} for row in range(count)])
            if count
            else pa.array([], pa.struct({"text": pa.list_(pa.string()), "at": pa.int64()})),
            "good": pa.array([row % 2 == 0 for row in range(count)], pa.bool_()),
        },
        metadata={"kept": "yes"},
    )
    parts = [whole.slice(start, chunk) for start in range(0, count, chunk)]
    return pa.concat_tables([whole.slice(0, 0), *parts])


# Every example uses the limits that the fixture sets.
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.data(), st.integers(1, 60), st.integers(1, 9))
def test_taken_rows_are_those_that_arrow_takes(
    all_tables_are_large: None, data: st.DataObject, count: int, chunk: int
) -> None:
    given_rows = data.draw(st.lists(st.integers(0, count - 1), max_size=80))
    for rows in (given_rows, sorted(set(given_rows)), list(range(count))):
        numbers = np.array(rows, np.int64)
        whole = table(count, chunk)
        assert take_rows(whole, numbers).equals(whole.take(pa.array(numbers)), check_metadata=True)


@given(st.integers(0, 100), st.integers(1, 4000))
def test_blocks_are_all_rows_in_turn(count: int, size: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(spill, "BLOCK", size)
        found = list(block_ranges(table(count)))
    assert [row for start, end in found for row in range(start, end)] == list(range(count))
    assert all(start < end for start, end in found)


def test_written_rows_cost_no_memory_while_they_are_read() -> None:
    before = pa.total_allocated_bytes()
    rows = pa.table({"text": ["some words"] * 1_000_000})
    made = write_mapped(rows.schema, [rows.slice(0, 400_000), rows.slice(400_000)])
    del rows
    assert pa.total_allocated_bytes() - before < 1_000_000
    assert (len(made), made["text"][999_999].as_py()) == (1_000_000, "some words")


def test_files_are_unnamed_and_their_space_is_freed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    made = write_mapped(table(50).schema, [table(50)])
    assert list((tmp_path / "cache").iterdir()) == []
    if sys.platform == "linux":
        assert mappings(tmp_path) == 1
        part = made.slice(3, 4)
        del made
        gc.collect()
        assert (mappings(tmp_path), part["good"].to_pylist()) == (1, [False, True, False, True])
        del part
        gc.collect()
        assert mappings(tmp_path) == 0


def mappings(folder: Path) -> int:
    return sum(str(folder) in line for line in Path("/proc/self/maps").read_text().splitlines())


def test_a_cache_folder_that_is_not_writable_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "file" / "cache")
    assert write_mapped(table(50).schema, [table(50)]).equals(table(50))


def addresses(column: pa.ChunkedArray) -> list[int | None]:
    return [buffer and buffer.address for chunk in column.chunks for buffer in chunk.buffers()]


def test_only_columns_that_are_new_and_large_are_written(monkeypatch: pytest.MonkeyPatch) -> None:
    before = table(200)
    after = before.set_column(0, "text", pa.array(["x" * 20] * 200)).append_column("more", pa.array(range(200)))
    assert map_new_columns(after, before) is after
    monkeypatch.setattr(spill, "IN_MEMORY", 5000)
    assert is_large(after)
    moved = map_new_columns(after, before)
    assert moved.equals(after, check_metadata=True)
    shared = [name for name in before.column_names if addresses(moved[name]) == addresses(before[name])]
    assert shared == ["tags", "answer", "good"]
    assert addresses(moved["more"]) != addresses(after["more"])
    monkeypatch.setattr(spill, "IN_MEMORY", 8000)
    assert map_new_columns(after, before) is after


@pytest.mark.parametrize("transform", EXAMPLES, ids=repr)
def test_a_large_table_gets_the_same_rows_and_record(
    transform: Transform, all_tables_are_large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = toy_rows()
    large = transform(data, seed=3)
    shuffled = transform(data.shuffle(seed=1), seed=3)
    monkeypatch.undo()
    small = transform(data, seed=3)
    assert xq.digest(large) == xq.digest(small)
    assert xq.history(large) == xq.history(small)
    assert sorted(shuffled["uid"]) == sorted(small["uid"])
    assert fingerprint_of(large) == fingerprint_of(small)


@pytest.mark.parametrize(
    ("transform", "data"),
    [
        *((example, toy_rows()) for example in EXAMPLES if not isinstance(example, xq.CleanlabFilter)),
        (xq.TagNoise(0.4), toy.entities.load("ar", "test")),
        (xq.TagNoise(0.4, exact=False), toy.entities.load("es", "test")),
        (xq.SpanNoise(0.4, exact=False), toy.questions.load("zh", "test")),
    ],
    ids=lambda value: repr(value) if isinstance(value, Transform) else "",
)
def test_the_laws_hold_on_large_tables(
    transform: Transform, data: datasets.Dataset, all_tables_are_large: None
) -> None:
    check_transform(transform, data.select(range(60)))


def test_mapped_rows_are_readable_in_other_processes(all_tables_are_large: None) -> None:
    noisy = xq.LabelNoise(0.2)(toy.topics.load("es", "train"), seed=1)
    lengths = noisy.map(lambda row: {"length": len(row["text"])}, num_proc=2)
    assert lengths["length"][:] == [len(text) for text in noisy["text"]]


def test_counts_of_blocks_are_added_up_in_the_record(
    all_tables_are_large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, noise = toy.entities.load("es", "test"), xq.TagNoise(0.4, exact=False)
    large = xq.history(noise(data, seed=1))[-1]
    monkeypatch.undo()
    small = xq.history(noise(data, seed=1))[-1]
    assert large == small
    assert sum(large.details["kinds"].values()) == large.details["spans_changed"]


def test_a_message_names_the_row_of_all_rows(all_tables_are_large: None) -> None:
    features = datasets.Features({"label": datasets.ClassLabel(names=["a", "b"])})
    data = datasets.Dataset.from_dict({"label": [0] * 500 + [-1]}, features=features)
    with pytest.raises(xq.XqualityError, match="row 500 has -1"):
        xq.LabelNoise(0.5, exact=False)(data, seed=1)
