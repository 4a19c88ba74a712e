"""The layout of a study folder: what is written is read back, half a cell is never read, damage is named."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from xquality._stored import write_json
from xquality.errors import DamagedError, StudyError
from xquality.records import History, Point, Result, Score
from xquality.study import cells
from xquality.study.columns import from_columns
from xquality.study.trial_identity import TrialIdentity

RESULT = Result(
    (Score("toy", "de", "accuracy", 61.25, 40, {"split": "test"}),),
    History(({"steps": 10},), (Point(0, 0, "toy", "de", "accuracy", 1 / 3, 40),)),
    {"zero_shot": 0.1 + 0.2},
    {"note": "gr\u00fc\u00df \u4f60", "records": [{"rate": 0.2}]},
)
CYCLE: dict[str, Any] = {}
CYCLE["again"] = [CYCLE]
CELL = {"rate": 0.2, "seed": 1, "language": "es", "filtered": False, "limit": None}

values = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9)
)
some_cells = st.dictionaries(st.sampled_from(["rate", "seed", "language", "n"]), values, min_size=1)


TRIAL = TrialIdentity({"trial": "0a", "RATE": "1b"})
STUDY = {
    "trial": "t",
    "source": TRIAL.digest(),
    "parts": dict(TRIAL.parts),
    "paths": {},
    "changing": {},
    "axes": [{"seed": [0, 1, 2, 3]}],
    "quantity": None,
    "quality": None,
    "seed": "seed",
}


def finished(**cell: Any) -> cells.Finished:
    return cells.Finished(cell or CELL, RESULT, {"numpy": "2.1"}, {"seconds": 1.5}, TRIAL.digest())


def is_finished(folder: Path, cell: dict[str, Any]) -> bool:
    return cells.read_cell(folder, cell, TRIAL) is not None


@given(some_cells)
def test_a_name_is_a_plain_file_name(cell: dict[str, Any]) -> None:
    name = cells.cell_name(cell)
    assert name.isascii()
    assert not set(name) & set('/\\:*?"<>| \n')
    assert len(name) <= 100
    assert name.split("-")[0]


def test_a_name_shows_the_values_and_never_changes_silently() -> None:
    assert cells.cell_name({"rate": 0.2, "seed": 1}) == "rate=0.2,seed=1-654d60e0c85e3836b270fc1f948dd3aa"


@given(some_cells, some_cells)
def test_cells_have_one_name_if_their_values_are_equal(cell: dict[str, Any], other: dict[str, Any]) -> None:
    same = cell == other and all(isinstance(cell[name], bool) == isinstance(other[name], bool) for name in cell)
    assert (cells.cell_name(cell) == cells.cell_name(other)) == same
    assert cells.cell_name(dict(reversed(cell.items()))) == cells.cell_name(cell)


@pytest.mark.parametrize(
    ("value", "same"),
    [(0, 0.0), (0.0, -0.0), (-3, -3.0), (2**60, float(2**60)), (1e300, int(1e300))],
)
def test_a_value_has_one_name_however_it_is_spelled(value: Any, same: Any) -> None:
    assert cells.cell_name({"rate": value}) == cells.cell_name({"rate": same})


def test_values_that_read_alike_have_names_of_their_own() -> None:
    alike = [{"a": 1}, {"a": "1"}, {"a": True}, {"a": "True"}, {"a": None}, {"a": "None"}, {"a": "x/y"}, {"a": "x y"}]
    long = [{"a": "x" * 200}, {"a": "x" * 201}]
    assert len({cells.cell_name(cell) for cell in [*alike, *long]}) == len(alike) + len(long)


def test_a_finished_cell_is_read_back_equal(tmp_path: Path) -> None:
    assert not is_finished(tmp_path, CELL)
    cells.write_cell(tmp_path, finished())
    assert is_finished(tmp_path, CELL)
    assert cells.read_cell(tmp_path, CELL, TRIAL) == finished()
    assert "gr\u00fc\u00df" in (tmp_path / "cells" / f"{cells.cell_name(CELL)}.json").read_text(encoding="utf-8")


def test_a_score_that_was_read_back_prints_as_it_did(tmp_path: Path) -> None:
    score = Score("toy", "de", "accuracy", 61.25, 40, {"split": "test", "head": "sequence", "data": "a1b2"})
    cells.write_cell(tmp_path, cells.Finished(CELL, Result((score,)), trial=TRIAL.digest()))
    (again,) = cells.read_cell(tmp_path, CELL, TRIAL).result.scores
    assert str(again) == str(score)


def test_all_cells_of_a_study_are_read_in_a_fixed_order(tmp_path: Path) -> None:
    cells.write_study(tmp_path, STUDY)
    assert cells.read_cells(tmp_path) == []
    for seed in (2, 0, 1):
        cells.write_cell(tmp_path, finished(seed=seed))
    assert [finished.cell["seed"] for finished in cells.read_cells(tmp_path)] == [0, 1, 2]


def test_what_a_killed_process_left_is_no_cell(tmp_path: Path) -> None:
    cells.write_study(tmp_path, STUDY)
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
        Result(notes={1: "a", "1": "b"}),
        Result(notes={"deep": [{"inner": {2: 0}}]}),
        Result(notes=CYCLE),
        Result(notes=["kept"]),
        Result(measures={1: 2.0}),
        Result(measures={"score": complex(1, 2)}),
        Result(measures={"score": "high"}),
        Result(measures=[1.0]),
        Result([0.5]),
        Result(RESULT.scores[0]),
        Result((Score("t", None, "accuracy", 1.0, 1),)),
        Result(history={"points": []}),
        Result(history=History((), (3,))),
    ],
)
def test_what_json_cannot_write_is_refused_and_leaves_no_file(result: Result, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="cannot be written"):
        cells.write_cell(tmp_path, cells.Finished(CELL, result))
    assert not is_finished(tmp_path, CELL)


def edit(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a stored file, with its columns as objects, and give it the checksum of the changed content."""
    content = json.loads(file.read_text(encoding="utf-8"))
    content.pop("checksum")
    if "result" in content:
        for part, name in ((content["result"], "scores"), (content["result"]["history"], "points")):
            part[name] = from_columns(part[name])
    change(content)
    write_json(file, content, ("run",))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "emptied": lambda file: file.write_bytes(b""),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-9]),
    "no UTF-8": lambda file: file.write_bytes(b"\xff"),
    "no object": lambda file: file.write_text("[]"),
    "no checksum": lambda file: file.write_text('{"cell": {}}'),
    "a number edited": lambda file: file.write_text(file.read_text("utf-8").replace("61.25", "71.25"), "utf-8"),
    "NaN": lambda file: edit(file, lambda content: content["result"]["measures"].update(zero_shot=math.nan)),
    "a measure that is text": lambda file: edit(
        file, lambda content: content["result"]["measures"].update(zero_shot="9")
    ),
    "a score that is none": lambda file: edit(file, lambda content: content["result"].update(scores=[0.5])),
    "a score of text": lambda file: edit(file, lambda content: content["result"]["scores"][0].update(value="high")),
    "a score without language": lambda file: edit(
        file, lambda content: content["result"]["scores"][0].update(language=None)
    ),
    "a point without step": lambda file: edit(
        file, lambda content: content["result"]["history"]["points"][0].update(step=None)
    ),
    "no result": lambda file: edit(file, lambda content: content.pop("result")),
    "another cell": lambda file: edit(file, lambda content: content.update(cell={"seed": 2})),
    "a cell that is a list": lambda file: edit(file, lambda content: content.update(cell=[1])),
    "a value that is a list": lambda file: edit(file, lambda content: content["cell"].update(seed=[3])),
    "another trial": lambda file: edit(file, lambda content: content["trial"].update(digest="0")),
    "a trial that is null": lambda file: edit(file, lambda content: content.update(trial=None)),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "a link to itself": lambda file: (file.unlink(), file.symlink_to(file.name)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_cell_that_is_not_what_was_written_is_left_out_and_named(damage: str, tmp_path: Path) -> None:
    cells.write_study(tmp_path, STUDY)
    cells.write_cell(tmp_path, finished(seed=1))
    cells.write_cell(tmp_path, finished(seed=3))
    DAMAGE[damage](cells.cell_file(tmp_path, {"seed": 3}))
    with pytest.raises(DamagedError, match="seed=3"):
        cells.read_cell(tmp_path, {"seed": 3}, TRIAL)
    contents = cells.read_contents(tmp_path)
    assert contents.finished == (finished(seed=1),)
    assert len(contents.left_out) == 1
    assert contents.missing == ({"seed": 0}, {"seed": 2}, {"seed": 3})
    with pytest.warns(UserWarning, match=r"seed=3.*left out; run the study again"):
        assert len(cells.read_cells(tmp_path)) == 1


def test_no_changed_byte_of_a_cell_is_believed(tmp_path: Path) -> None:
    cells.write_study(tmp_path, STUDY)
    cells.write_cell(tmp_path, finished(seed=1))
    file = cells.cell_file(tmp_path, {"seed": 1})
    written = file.read_bytes()
    for place in range(len(written)):
        changed = bytearray(written)
        changed[place] ^= 1 << place % 8
        file.write_bytes(changed)
        try:
            found = cells.read_cell(tmp_path, {"seed": 1}, TRIAL)
        except DamagedError:
            continue
        assert found is not None
        assert (found.cell, found.result, found.trial) == ({"seed": 1}, RESULT, TRIAL.digest())


def test_a_cell_without_columns_and_statistics_is_read(tmp_path: Path) -> None:
    cells.write_cell(tmp_path, finished(seed=1))
    edit(cells.cell_file(tmp_path, {"seed": 1}), dict)  # the change is that columns are lists of objects
    read = cells.read_cell(tmp_path, {"seed": 1}, TRIAL)
    assert read == finished(seed=1)
    assert read.result.scores[0].each is None


def test_swapped_files_are_left_out(tmp_path: Path) -> None:
    cells.write_study(tmp_path, STUDY)
    files = [cells.cell_file(tmp_path, {"seed": seed}) for seed in (0, 1)]
    for seed in (0, 1):
        cells.write_cell(tmp_path, finished(seed=seed))
    files[0].rename(tmp_path / "kept")
    files[1].rename(files[0])
    (tmp_path / "kept").rename(files[1])
    contents = cells.read_contents(tmp_path)
    assert contents.finished == ()
    assert all("another cell" in sentence for sentence in contents.left_out)


def test_hidden_files_are_no_cells(tmp_path: Path) -> None:
    cells.write_study(tmp_path, STUDY)
    cells.write_cell(tmp_path, finished(seed=1))
    (tmp_path / "cells" / f"._{cells.cell_name({'seed': 1})}.json").write_bytes(b"\x00\x05Mac OS X")
    assert cells.read_contents(tmp_path).left_out == ()
    assert cells.read_cells(tmp_path) == [finished(seed=1)]


def test_a_cell_that_is_not_there_is_none(tmp_path: Path) -> None:
    assert cells.read_cell(tmp_path, {"seed": 9}, TRIAL) is None


def test_failures_are_kept_with_their_traceback(tmp_path: Path) -> None:
    cells.write_study(tmp_path, STUDY)
    failed = cells.Failed({"seed": 2}, "ValueError: no", "Traceback\n  line\nValueError: no", {"seconds": 1.0})
    cells.write_failure(tmp_path, failed)
    cells.write_cell(tmp_path, finished(seed=1))
    contents = cells.read_contents(tmp_path)
    assert contents.failed == (failed,)
    assert contents.missing == ({"seed": 0}, {"seed": 3})
    (tmp_path / "failed" / "broken.json").write_text("{")
    assert cells.read_failures(tmp_path) == [failed]
    cells.remove_failure(tmp_path, {"seed": 2.0})
    assert cells.read_contents(tmp_path).failed == ()


def test_what_a_study_is_is_read_back(tmp_path: Path) -> None:
    assert not cells.has_study(tmp_path)
    cells.write_study(tmp_path / "new", STUDY)
    assert cells.has_study(tmp_path / "new")
    assert cells.read_study(tmp_path / "new") == STUDY


@pytest.mark.parametrize("content", [None, "", "{", "[]", "null", '{"trial": "t"}'])
def test_a_folder_without_a_study_is_refused(content: str | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "study.json").write_text(content)
    for read in (cells.read_study, cells.read_cells):
        with pytest.raises(StudyError, match="holds no study"):
            read(tmp_path)


@pytest.mark.parametrize("key", STUDY)
@pytest.mark.parametrize("value", ["missing", 3, [3], {"a": 3}])
def test_settings_of_another_type_are_refused(key: str, value: Any, tmp_path: Path) -> None:
    cells.write_study(tmp_path, STUDY)
    edit(
        tmp_path / "study.json",
        lambda content: content.pop(key) if value == "missing" else content.update({key: value}),
    )
    with pytest.raises(StudyError, match="holds no study that can be read"):
        cells.read_contents(tmp_path)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(np.int64(3), 3), (np.float64(0.5), 0.5), (np.bool_(True), True), (np.array(2), 2), ("x", "x"), (None, None)],
)
def test_axis_values_of_numpy_become_plain(value: Any, expected: Any) -> None:
    assert (cells.plain_value(value), type(cells.plain_value(value))) == (expected, type(expected))


@pytest.mark.parametrize(
    "value",
    [math.nan, -math.inf, np.float64("nan"), [1], {"a": 1}, (), np.arange(2), object, b"a", "half \ud800"],
)
def test_other_axis_values_are_refused(value: Any) -> None:
    with pytest.raises(StudyError, match="An axis holds plain values"):
        cells.plain_value(value)


def test_a_number_of_thousands_of_digits_is_refused() -> None:
    with pytest.raises(StudyError, match=r"An axis holds plain values.*a number of thousands of digits"):
        cells.plain_value(10**5000)
    with pytest.raises(StudyError, match="cannot be written"):
        cells.serialise_result(Result(measures={"score": 10**5000}), {"seed": 1})
