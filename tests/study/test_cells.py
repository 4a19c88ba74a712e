"""The layout of a study folder: what is written is read back, half a cell is never read, damage is named."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import DamagedError, StudyError
from xquality.records import History, Point, Result, Score
from xquality.study import cells

RESULT = Result(
    (Score("toy", "de", "accuracy", 61.25, 40, {"split": "test"}),),
    History(({"steps": 10},), (Point(0, 0, "toy", "de", "accuracy", 1 / 3, 40),)),
    {"zero_shot": 0.1 + 0.2},
    {"note": "gr\u00fc\u00df \u4f60", "records": [{"rate": 0.2}]},
)
CELL = {"rate": 0.2, "seed": 1, "language": "es", "filtered": False, "limit": None}

values = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
)
some_cells = st.dictionaries(st.sampled_from(["rate", "seed", "language", "n"]), values, min_size=1)


def finished(**cell: Any) -> cells.Finished:
    return cells.Finished(cell or CELL, RESULT, {"numpy": "2.1"}, {"seconds": 1.5})


@given(some_cells)
def test_a_name_is_a_plain_file_name(cell: dict[str, Any]) -> None:
    name = cells.cell_name(cell)
    assert name.isascii()
    assert not set(name) & set('/\\:*?"<>| \n')
    assert len(name) <= 100
    assert name.split("-")[0]


def test_a_name_shows_the_values_and_never_changes_silently() -> None:
    assert cells.cell_name({"rate": 0.2, "seed": 1}) == "rate=0.2,seed=1-8ae7a1b8"


@given(some_cells, some_cells)
def test_cells_with_other_values_have_other_names(cell: dict[str, Any], other: dict[str, Any]) -> None:
    if json.dumps(cell, sort_keys=True) != json.dumps(other, sort_keys=True):
        assert cells.cell_name(cell) != cells.cell_name(other)
    else:
        assert cells.cell_name(cell) == cells.cell_name(dict(cell))


def test_values_that_read_alike_have_names_of_their_own() -> None:
    alike = [{"a": 1}, {"a": "1"}, {"a": True}, {"a": "True"}, {"a": None}, {"a": "None"}, {"a": "x/y"}, {"a": "x y"}]
    long = [{"a": "x" * 200}, {"a": "x" * 201}]
    assert len({cells.cell_name(cell) for cell in [*alike, *long]}) == len(alike) + len(long)


def test_a_finished_cell_is_read_back_equal(tmp_path: Path) -> None:
    assert not cells.is_finished(tmp_path, CELL)
    cells.write_cell(tmp_path, finished())
    assert cells.is_finished(tmp_path, CELL)
    assert cells.read_cell(tmp_path, CELL) == finished()
    assert "gr\u00fc\u00df" in (tmp_path / "cells" / f"{cells.cell_name(CELL)}.json").read_text(encoding="utf-8")


def test_a_score_that_was_read_back_prints_as_it_did(tmp_path: Path) -> None:
    score = Score("toy", "de", "accuracy", 61.25, 40, {"split": "test", "head": "sequence", "data": "a1b2"})
    cells.write_cell(tmp_path, cells.Finished(CELL, Result((score,))))
    (again,) = cells.read_cell(tmp_path, CELL).result.scores
    assert str(again) == str(score)


def test_all_cells_of_a_study_are_read_in_a_fixed_order(tmp_path: Path) -> None:
    cells.write_study(tmp_path, {"trial": "t"})
    assert cells.read_cells(tmp_path) == []
    for seed in (2, 0, 1):
        cells.write_cell(tmp_path, finished(seed=seed))
    assert [finished.cell["seed"] for finished in cells.read_cells(tmp_path)] == [0, 1, 2]


def test_what_a_killed_process_left_is_no_cell(tmp_path: Path) -> None:
    cells.write_study(tmp_path, {})
    cells.write_cell(tmp_path, finished(seed=0))
    (tmp_path / "cells" / ".unfinished-0123").write_text("{")
    assert len(cells.read_cells(tmp_path)) == 1


@pytest.mark.parametrize(
    "result",
    [
        Result(measures={"score": math.nan}),
        Result(measures={"score": math.inf}),
        Result((Score("t", "de", "accuracy", math.nan, 1),)),
        Result(notes={"kept": {1, 2}}),
        Result(notes={"kept": object()}),
    ],
)
def test_what_json_cannot_write_is_refused_and_leaves_no_file(result: Result, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="cannot be written"):
        cells.write_cell(tmp_path, cells.Finished(CELL, result))
    assert not cells.is_finished(tmp_path, CELL)


@pytest.mark.parametrize("damaged", ["", "{", "{}", '{"cell": {}}', "\udcff"])
def test_a_damaged_cell_is_named(damaged: str, tmp_path: Path) -> None:
    cells.write_study(tmp_path, {})
    cells.write_cell(tmp_path, finished(seed=3))
    (tmp_path / "cells" / f"{cells.cell_name({'seed': 3})}.json").write_bytes(
        damaged.encode("utf-8", "surrogateescape")
    )
    for read in (lambda: cells.read_cells(tmp_path), lambda: cells.read_cell(tmp_path, {"seed": 3})):
        with pytest.raises(DamagedError, match=r"seed=3.*delete it and run the study again"):
            read()


def test_a_cell_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DamagedError, match="seed=9"):
        cells.read_cell(tmp_path, {"seed": 9})


def test_what_a_study_is_is_read_back(tmp_path: Path) -> None:
    assert not cells.has_study(tmp_path)
    described = {"trial": "t", "axes": [{"rate": [0.0, 0.2]}], "quality": None}
    cells.write_study(tmp_path / "new", described)
    assert cells.has_study(tmp_path / "new")
    assert cells.read_study(tmp_path / "new") == described


@pytest.mark.parametrize("content", [None, "", "{"])
def test_a_folder_without_a_study_is_refused(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "study.json").write_text(content)
    for read in (cells.read_study, cells.read_cells):
        with pytest.raises(StudyError, match="holds no study"):
            read(tmp_path)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(np.int64(3), 3), (np.float64(0.5), 0.5), (np.bool_(True), True), (np.array(2), 2), ("x", "x"), (None, None)],
)
def test_axis_values_of_numpy_become_plain(value: Any, expected: Any) -> None:
    assert (cells.plain_value(value), type(cells.plain_value(value))) == (expected, type(expected))


@pytest.mark.parametrize(
    "value", [math.nan, -math.inf, np.float64("nan"), [1], {"a": 1}, (), np.arange(2), object, b"a"]
)
def test_other_axis_values_are_refused(value: Any) -> None:
    with pytest.raises(StudyError, match="An axis holds plain values"):
        cells.plain_value(value)
