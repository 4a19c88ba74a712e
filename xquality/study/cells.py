"""The layout of a study folder, written by studies and read by reports.

study.json              the study's settings: axes, the names of quantity, quality and seed, and what its trial reaches
cells/<name>.json       one complete file for each finished cell: its values, the digest of the trial, the result and
                        the statistics of its examples
rows/<digest>.json      the uids of the rows that scores are of, once for all cells
failed/<name>.json      one for each cell whose trial raised an error, with the traceback
report.html             written from the above

A cell is believed if its file has the content that was written, holds the values that its name was made from, and was
computed by the trial of the study. Everything else is left out, with a sentence that says why.
"""

import contextlib
import hashlib
import itertools
import json
import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from numbers import Real
from pathlib import Path
from typing import Any, final

from xquality._files import flush, remove
from xquality._settings import path
from xquality._stored import read_json, write_json
from xquality.errors import DamagedError, SerialisationError, StudyError, first_line, warn
from xquality.records import History, Point, Result, Score
from xquality.study.columns import from_columns, to_columns
from xquality.study.example_statistics import fault_of_statistics, pack, unpack, write_uids
from xquality.study.trial_identity import TrialIdentity

_STUDY = "study.json"
_CELLS = "cells"
_FAILED = "failed"
_LARGEST = 2**63  # integers below it are floats for sure
_UNCHECKED = ("run",)  # times and host, so that two runs of equal results write equal checksums

Cell = Mapping[str, Any]  # axis name to a plain JSON value


@final
@dataclass(frozen=True)
class Finished:
    """A finished cell.

    Attributes:
        cell: the values of the axes.
        result: what the trial returned.
        versions: of the packages that decide it.
        run: when, where and how long it ran, which may differ between two runs of equal results.
        trial: the digest of the trial, as `TrialIdentity.digest` returns it.
        changing: what the trial changes itself while it runs, which the digest leaves out.
    """

    cell: Cell
    result: Result
    versions: Mapping[str, str] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)
    trial: str = ""
    changing: tuple[str, ...] = ()


@final
@dataclass(frozen=True)
class Failed:
    """A cell whose trial raised an error, or returned what is no result.

    Attributes:
        cell: the values of the axes.
        error: the error's class and the first line of its message.
        traceback: as Python prints it.
        run: when, where and how long it ran.
    """

    cell: Cell
    error: str
    traceback: str
    run: Mapping[str, Any] = field(default_factory=dict)


@final
@dataclass(frozen=True)
class Contents:
    """What a study folder holds.

    Attributes:
        study: the settings in `study.json`.
        finished: the cells that are believed, ordered by the names of their files.
        failed: the cells that failed when they were last run, and are not finished.
        missing: the cells of the study's axes that are neither.
        left_out: a sentence for each file that is not believed, which says why.
    """

    study: Mapping[str, Any]
    finished: tuple[Finished, ...]
    failed: tuple[Failed, ...] = ()
    missing: tuple[Cell, ...] = ()
    left_out: tuple[str, ...] = ()


def name_columns(axes: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """Return the column of each axis in a table: its name, or `axis_` before it if the table has such a column.

    Example:
        >>> name_columns(["rate", "language"], taken=["language", "value"])
        {'rate': 'rate', 'language': 'axis_language'}
    """
    names = list(dict.fromkeys(axes))
    columns = {}
    for name in names:
        column = f"axis_{name}" if name in taken else name
        while column != name and (column in names or column in taken):
            column = f"axis_{column}"
        columns[name] = column
    return columns


def list_cells(grids: Iterable[Mapping[str, Sequence[Any]]], seed: str) -> list[dict[str, Any]]:
    """Return all cells of a union of grids, those of the first seed first.

    Args:
        grids: the values of each axis.
        seed: the axis of seeds.
    """
    cells = [
        dict(zip(grid, map(plain_value, values), strict=True))
        for grid in grids
        for values in itertools.product(*grid.values())
    ]
    seeds = list(dict.fromkeys(cell.get(seed) for cell in cells))
    return sorted(cells, key=lambda cell: seeds.index(cell.get(seed)))


def cell_name(cell: Cell) -> str:
    """Return a file name for a cell: readable, and unique by a digest of its values.

    Equal numbers have one name, however they are spelled, such as 0 and 0.0; True and 1 are two values.

    Example:
        >>> cell_name({"rate": 0.2, "seed": 1})
        'rate=0.2,seed=1-654d60e0c85e3836b270fc1f948dd3aa'
    """
    values = {name: _canonical(value) for name, value in sorted(cell.items())}
    written = json.dumps(values, sort_keys=True, ensure_ascii=True)
    readable = ",".join(f"{name}={value}" for name, value in values.items())
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "=,.-_") else "_" for sign in readable)
    return f"{plain[:60]}-{hashlib.blake2b(written.encode(), digest_size=16).hexdigest()}"


def _canonical(value: Any) -> Any:
    """Return one spelling of all numbers that are equal."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and value == int(value) else value


def show_cell(cell: Cell) -> str:
    """Return a cell as messages name it.

    Example:
        >>> show_cell({"rate": 0.2, "arm": "none"})
        "{'rate': 0.2, 'arm': 'none'}"
    """
    shown = repr(dict(cell))
    return shown if len(shown) <= 300 else f"{shown[:300]}..."


def cell_file(folder: Path, cell: Cell) -> Path:
    """Return the file of a finished cell."""
    return folder / _CELLS / f"{cell_name(cell)}.json"


def list_cell_files(folder: Path) -> list[Path]:
    """Return the files of finished cells in a study folder; hidden files, such as a file manager's, are none."""
    return _list_files(folder / _CELLS)


def _list_files(folder: Path) -> list[Path]:
    """Return the JSON files in a folder, sorted by name."""
    try:
        return sorted(file for file in folder.iterdir() if file.suffix == ".json" and not file.name.startswith("."))
    except OSError:
        return []


def write_cell(folder: Path, finished: Finished) -> None:
    """Write a finished cell; its file is complete or does not exist.

    Raises:
        StudyError: if the result cannot be written, such as one with a number that is not finite.
        WriteError: if the disk is full, or the folder cannot be written.
    """
    result = serialise_result(finished.result, finished.cell)
    examples = pack(finished.result.scores)
    write_uids(folder, finished.result.scores)
    content = {
        "cell": dict(finished.cell),
        "trial": {"digest": finished.trial, "without": list(finished.changing)},
        "result": _to_compact(result),
        **({} if examples is None else {"examples": examples}),
        "versions": dict(finished.versions),
        "run": dict(finished.run),
    }
    write_json(cell_file(folder, finished.cell), content, _UNCHECKED, flush_folder=False, compact=True)


def sync_cells(folder: Path) -> None:
    """Flush the names of the cells' files to disk: after a power failure, cells that were not flushed are run again."""
    with contextlib.suppress(OSError):  # the folder may be gone
        flush(folder / _CELLS)


def serialise_result(result: Result, cell: Cell) -> dict[str, Any]:
    """Return a result as plain JSON values.

    Args:
        result: what the trial returned.
        cell: for the message.

    Raises:
        StudyError: if it is no result, or cannot be written.
    """
    fault = _fault_of(result) or fault_of_statistics(result.scores)
    if fault is None:
        try:
            plain = result.to_dict()
            text = json.dumps(plain, allow_nan=False)
            if json.dumps(json.loads(text)) == text and _has_string_keys(plain):
                return plain
            fault = "a key is no string"
        except (TypeError, ValueError, RecursionError, AttributeError) as error:
            fault = first_line(error)
    raise StudyError(
        f"The result at {show_cell(cell)} cannot be written ({fault}); return plain JSON values and finite numbers."
    )


def _to_compact(result: dict[str, Any]) -> dict[str, Any]:
    """Return the plain JSON values of a result, with scores and points as columns."""
    history = result["history"]
    if history is not None:
        history = {**history, "points": to_columns(history["points"])}
    return {**result, "scores": to_columns(result["scores"]), "history": history}


def _read_result(read: Mapping[str, Any], file: Path) -> Result:
    """Return the result in the content of a cell's file, with the statistics of its scores, which older files lack."""
    written = read["result"]
    history = written["history"]
    if history is not None:
        history = {**history, "points": from_columns(history["points"])}
    result = Result.from_dict({**written, "scores": from_columns(written["scores"]), "history": history})
    if "examples" not in read:
        return result
    return replace(result, scores=unpack(read["examples"], result.scores, file))


def _has_string_keys(value: Any) -> bool:
    """Return whether all keys are strings: JSON would make others strings, perhaps ones that are there already."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _has_string_keys(inner) for key, inner in value.items())
    return all(map(_has_string_keys, value)) if isinstance(value, list | tuple) else True


def _fault_of(result: Any) -> str | None:
    """Return what is wrong with a result's parts; None if nothing is."""
    if not isinstance(result, Result):
        return f"a trial returns an xquality.Result, not {type(result).__name__}"
    faults = (_fault_of_scores(result.scores), _fault_of_history(result.history), _fault_of_measures(result.measures))
    found = next((fault for fault in faults if fault is not None), None)
    return "notes must be a dict" if found is None and not isinstance(result.notes, Mapping) else found


def _fault_of_scores(scores: Any) -> str | None:
    """Return what is wrong with scores; None if nothing is."""
    if not isinstance(scores, tuple | list):
        return f"scores must be a list of Score, not {type(scores).__name__}"
    for score in scores:
        if not isinstance(score, Score):
            return f"scores must be a list of Score, but hold {score!r:.60}"
        named = all(isinstance(name, str) for name in (score.task, score.language, score.metric))
        numbers = _is_finite(score.value) and _is_finite(score.rows)
        if not named or not numbers or not isinstance(score.signature, Mapping):
            return f"a score must have names, a finite value and a number of rows, not {score!r:.100}"
    return None


def _fault_of_history(history: Any) -> str | None:
    """Return what is wrong with a training history; None if nothing is."""
    if history is None:
        return None
    if not isinstance(history, History):
        return f"history must be a History or None, not {type(history).__name__}"
    if not all(map(_is_point, history.points)) or not all(isinstance(stage, Mapping) for stage in history.stages):
        return "a history must have dicts as stages, and points with names and finite numbers"
    return None


def _fault_of_measures(measures: Any) -> str | None:
    """Return what is wrong with measures; None if nothing is."""
    if not isinstance(measures, Mapping):
        return f"measures must map names to numbers, not be {type(measures).__name__}"
    wrong = [(name, value) for name, value in measures.items() if not isinstance(name, str) or not _is_finite(value)]
    return f"measures must map names to finite numbers, but hold {_show(wrong[0])}" if wrong else None


def _is_point(point: Any) -> bool:
    """Return whether a value is a measurement with names and finite numbers."""
    return (
        isinstance(point, Point)
        and isinstance(point.task, str)
        and isinstance(point.language, str)
        and isinstance(point.metric, str)
        and _is_finite(point.value)
        and _is_finite(point.step)
        and _is_finite(point.stage)
        and _is_finite(point.rows)
    )


def _is_finite(value: Any) -> bool:
    """Return whether a value is a finite number, of Python or of numpy."""
    if type(value) is float or (type(value) is int and abs(value) < _LARGEST):
        return math.isfinite(value)
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    try:
        return isinstance(value, Real) and math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        return False


def read_cell(folder: Path, cell: Cell, trial: TrialIdentity) -> Finished | None:
    """Return a finished cell; None if it has no file.

    Args:
        folder: the study folder.
        cell: the values of the axes.
        trial: the trial that must have computed it.

    Raises:
        DamagedError: if the file does not hold what was written, or holds another cell's or another trial's result.
    """
    file = cell_file(folder, cell)
    if not file.is_symlink() and not file.exists():
        return None
    return _read_cell_file(file, trial)


def _read_cell_file(file: Path, trial: TrialIdentity) -> Finished:
    """Return the cell in a file, where it is believed."""
    read = read_json(file, unchecked=_UNCHECKED)
    try:
        cell, mark = {name: plain_value(value) for name, value in read["cell"].items()}, read["trial"]
        finished = Finished(
            cell,
            _read_result(read, file),
            dict(read["versions"]),
            dict(read["run"]),
            str(mark["digest"]),
            tuple(map(str, mark["without"])),
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, StudyError) as error:
        raise DamagedError(f"{file} does not hold a finished cell ({first_line(error)}).") from error
    fault = _fault_of(finished.result)
    if fault is not None:
        raise DamagedError(f"{file} does not hold a result: {fault}.")
    if f"{cell_name(cell)}.json" != file.name:
        raise DamagedError(f"{file} holds the result of another cell, {show_cell(cell)}.")
    if trial.digest(finished.changing) != finished.trial:
        raise DamagedError(f"{file} holds the result of another trial.")
    return finished


def read_cell_files(folder: Path, trial: TrialIdentity) -> tuple[list[Finished], list[str]]:
    """Return the finished cells of a folder that are believed, and for each other file why it is not."""
    finished, left_out = [], []
    for file in list_cell_files(folder):
        try:
            finished.append(_read_cell_file(file, trial))
        except DamagedError as error:
            left_out.append(str(error))
    return finished, left_out


def write_failure(folder: Path, failed: Failed) -> None:
    """Write a cell that failed, with its traceback."""
    content = {
        "cell": dict(failed.cell),
        "error": failed.error,
        "traceback": failed.traceback.splitlines(),
        "run": dict(failed.run),
    }
    write_json(folder / _FAILED / f"{cell_name(failed.cell)}.json", content)


def remove_failure(folder: Path, cell: Cell) -> None:
    """Delete what was written about a cell that failed before."""
    remove(folder / _FAILED / f"{cell_name(cell)}.json")


def failure_time(folder: Path, cell: Cell) -> int:
    """Return when a cell's failure was written, in nanoseconds; 0 if it has not failed."""
    try:
        return (folder / _FAILED / f"{cell_name(cell)}.json").stat().st_mtime_ns
    except OSError:
        return 0


def read_failure(folder: Path, cell: Cell) -> Failed | None:
    """Return how a cell failed when it was last run; None if it did not, or the file cannot be read."""
    return _read_failure_file(folder / _FAILED / f"{cell_name(cell)}.json")


def read_failures(folder: Path) -> list[Failed]:
    """Return the cells that failed when they were last run, ordered by the names of their files."""
    found = map(_read_failure_file, _list_files(folder / _FAILED))
    return [failed for failed in found if failed is not None]


def _read_failure_file(file: Path) -> Failed | None:
    """Return the failed cell in a file; None if it cannot be read: the cell is run again in any case."""
    try:
        read = read_json(file)
        cell = {name: plain_value(value) for name, value in read["cell"].items()}
        return Failed(cell, str(read["error"]), "\n".join(read["traceback"]), dict(read["run"]))
    except (DamagedError, StudyError, KeyError, TypeError, ValueError, AttributeError):
        return None


def read_contents(folder: Path) -> Contents:
    """Return what a study folder holds.

    Raises:
        StudyError: if the folder holds no study.
    """
    study = read_study(folder)
    finished, left_out = read_cell_files(folder, TrialIdentity(study["parts"]))
    done = {cell_name(cell.cell) for cell in finished}
    failed = tuple(cell for cell in read_failures(folder) if cell_name(cell.cell) not in done)
    done |= {cell_name(cell.cell) for cell in failed}
    planned = list_cells(study["axes"], study["seed"])
    missing = tuple(cell for cell in planned if cell_name(cell) not in done)
    return Contents(study, tuple(finished), failed, missing, tuple(left_out))


def read_cells(folder: str | Path) -> list[Finished]:
    """Return the finished cells of a study folder that are believed, ordered by the names of their files.

    Raises:
        SettingError: if the folder is no path.
        StudyError: if the folder holds no study.

    Warns:
        UserWarning: if a file is not believed.
    """
    contents = read_contents(path("read_cells", "folder", folder))
    warn_left_out(contents.left_out)
    return list(contents.finished)


def warn_left_out(sentences: Sequence[str]) -> None:
    """Warn of files that are not believed, if there are any."""
    if sentences:
        more = f" So were {len(sentences) - 1} more." if len(sentences) > 1 else ""
        warn(f"{sentences[0]} It was left out; run the study again.{more}")


def write_study(folder: Path, settings: Mapping[str, Any]) -> None:
    """Write the study's settings."""
    write_json(folder / _STUDY, settings)


def read_study(folder: Path) -> dict[str, Any]:
    """Return the settings of the study in a folder.

    Returns:
        `trial`, the trial's name; `source`, its digest; `parts`, `paths` and `changing`, what it reaches, as in
        `TrialIdentity`; `axes`, a list of grids; `quantity`, `quality` and `seed`, names of axes; `made`, the command
        of the last run and the trial's text, which older folders lack.

    Raises:
        StudyError: if there is none, or it cannot be read.
    """
    if not has_study(folder):
        raise StudyError(f"{folder} holds no study; give the folder that Study.run wrote.")
    try:
        read = read_json(folder / _STUDY)
        _check_study(read)
    except (DamagedError, SerialisationError, KeyError, TypeError, ValueError, AttributeError, StudyError) as error:
        raise StudyError(
            f"{folder} holds no study that can be read ({first_line(error)}); run the study again, which writes "
            f"{_STUDY} anew and keeps the finished cells."
        ) from error
    return read


def _check_study(settings: Mapping[str, Any]) -> None:
    """Raise an error where settings of a study are missing or of another type."""
    name, grids, needed = settings["seed"], settings["axes"], ("parts", "paths", "changing")
    wrong = [
        *(
            key
            for key, texts in (*((key, settings[key]) for key in needed), ("made", settings.get("made", {})))
            if not all(isinstance(text, str) for pair in texts.items() for text in pair)
        ),
        *(key for key in ("trial", "source", "seed") if not isinstance(settings[key], str)),
        *(key for key in ("quantity", "quality") if not isinstance(settings[key], str | None)),
    ]
    if wrong or not all(isinstance(values, list) for grid in grids for values in grid.values()):
        raise ValueError(f"{', '.join(wrong) or 'axes'} is of another type")
    list_cells(grids, name)


def has_study(folder: Path) -> bool:
    """Return whether the folder holds a study, readable or not."""
    return (folder / _STUDY).exists()


def study_file(folder: Path) -> Path:
    """Return the file of the study's settings."""
    return folder / _STUDY


def plain_value(value: Any) -> Any:
    """Return an axis value as plain JSON (numbers of numpy become Python's), or raise `StudyError`."""
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    for kind in (str, int, float):
        if isinstance(value, kind) and type(value) not in {kind, bool}:  # such as a member of an enum
            value = kind.__str__(value) if kind is str else kind(value)
    if value is None or isinstance(value, bool | int | float | str):
        try:
            json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
        except ValueError:  # not finite, thousands of digits, or half a surrogate
            pass
        else:
            return value
    raise StudyError(
        f"An axis holds plain values (finite numbers, valid text, None), but got {_show(value)}; pass a name and look "
        "it up."
    )


def _show(value: Any) -> str:
    """Return the start of a value's repr."""
    try:
        return f"{value!r:.100}"
    except ValueError:
        return "a number of thousands of digits"
