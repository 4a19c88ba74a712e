"""Cells on disk: the layout of a study folder, written by studies and read by reports.

study.json              the study's settings: trial, source digest, axes, the names of quantity, quality and seed
cells/<name>.json       one complete file for each finished cell
report.html             written from the above
"""

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from xquality._files import write_text
from xquality.errors import DamagedError, StudyError
from xquality.records import Result

_STUDY = "study.json"
_CELLS = "cells"

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
    """

    cell: Cell
    result: Result
    versions: Mapping[str, str] = field(default_factory=dict)
    run: Mapping[str, Any] = field(default_factory=dict)


def cell_name(cell: Cell) -> str:
    """Return a file name for a cell: readable, and unique by a digest of its values.

    Example:
        >>> cell_name({"rate": 0.2, "seed": 1})
        'rate=0.2,seed=1-8ae7a1b8'
    """
    written = json.dumps(dict(cell), sort_keys=True, ensure_ascii=True)
    readable = ",".join(f"{name}={value}" for name, value in sorted(cell.items()))
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "=,.-_") else "_" for sign in readable)
    return f"{plain[:80]}-{hashlib.blake2b(written.encode(), digest_size=4).hexdigest()}"


def write_cell(folder: Path, finished: Finished) -> None:
    """Write a finished cell; its file is complete or does not exist.

    Raises:
        StudyError: where a number of the result is not finite, since JSON has no way to write it.
    """
    written = {
        "cell": dict(finished.cell),
        "result": finished.result.to_dict(),
        "versions": dict(finished.versions),
        "run": dict(finished.run),
    }
    try:
        text = json.dumps(written, ensure_ascii=False, indent=1, allow_nan=False)  # in the order the trial gave
    except (TypeError, ValueError) as fault:
        raise StudyError(
            f"The result of {dict(finished.cell)} cannot be written ({fault}); return plain finite numbers."
        ) from fault
    write_text(folder / _CELLS / f"{cell_name(finished.cell)}.json", text)


def is_finished(folder: Path, cell: Cell) -> bool:
    """Return whether the cell's file exists."""
    return (folder / _CELLS / f"{cell_name(cell)}.json").is_file()


def read_cells(folder: Path) -> list[Finished]:
    """Return all finished cells of a study folder, ordered by their file names.

    Raises:
        StudyError: where the folder holds no study.
        DamagedError: where a cell's file cannot be read.
    """
    read_study(folder)
    return [_read_cell_file(file) for file in sorted((folder / _CELLS).glob("*.json"))]


def read_cell(folder: Path, cell: Cell) -> Finished:
    """Return one finished cell."""
    return _read_cell_file(folder / _CELLS / f"{cell_name(cell)}.json")


def _read_cell_file(file: Path) -> Finished:
    """Return the cell in a file."""
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
        return Finished(read["cell"], Result.from_dict(read["result"]), read["versions"], read["run"])
    except (OSError, KeyError, TypeError, ValueError) as fault:
        raise DamagedError(
            f"The finished cell {file} cannot be read ({fault}); delete it and run the study again."
        ) from fault


def write_study(folder: Path, settings: Mapping[str, Any]) -> None:
    """Write the study's settings."""
    write_text(folder / _STUDY, json.dumps(dict(settings), ensure_ascii=False, indent=1))


def read_study(folder: Path) -> dict[str, Any]:
    """Return the settings of the study in a folder.

    Raises:
        StudyError: where there is none.
    """
    try:
        read: dict[str, Any] = json.loads((folder / _STUDY).read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise StudyError(f"{folder} holds no study; give the folder that Study.run wrote.") from fault
    if not isinstance(read, dict):
        raise StudyError(f"{folder / _STUDY} does not hold the settings of a study; restore it, or name a new folder.")
    return read


def has_study(folder: Path) -> bool:
    """Return whether the folder holds a study."""
    return (folder / _STUDY).is_file()


def plain_value(value: Any) -> Any:
    """Return an axis value as plain JSON (numbers of numpy become Python's), or raise `StudyError`."""
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    finite = not isinstance(value, float) or math.isfinite(value)
    if value is None or (isinstance(value, bool | int | float | str) and finite):
        return value
    raise StudyError(
        f"An axis holds plain values (numbers, names, None), but got {value!r}; pass a name and look it up."
    )
