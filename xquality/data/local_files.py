"""Local data: where a split's files lie below a root folder, and their rows and lines."""

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset

from xquality.data.hub import ROOT_VARIABLE
from xquality.errors import DamagedError, SourceError, first_line

FORMATS = (".parquet", ".jsonl", ".csv")

_NUMBERED = re.compile(r"-\d{5}-of-\d{5}$")
_INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")


def local_root(root: str | Path | None) -> Path | None:
    """Return the folder of local data: `root`, or the one named by XQUALITY_DATA; None where neither is given."""
    named = root or os.environ.get(ROOT_VARIABLE)
    return Path(named) if named else None


def folder_below(root: Path, folder: str) -> Path:
    """Return `root/folder`, which need not exist.

    Raises:
        SourceError: where the root does not exist, or the path would leave it.
    """
    base = root.expanduser().resolve()
    place = (base / folder).resolve()
    if not place.is_relative_to(base):
        raise SourceError(f"The path {folder!r} leads out of {root}; name a language and a split of the task.")
    if not base.is_dir():
        raise SourceError(f"The data folder {root} is not there; give root= or {ROOT_VARIABLE} a folder that is.")
    return place


def check_below(base: Path, files: Iterable[Path]) -> None:
    """Raise `SourceError` where a file does not lie in `base` when links are followed."""
    inside = base.expanduser().resolve()
    for file in files:
        if not file.resolve().is_relative_to(inside):
            raise SourceError(f"{file} is a link that leads out of {base}; copy the file there instead.")


def find_files(root: str | Path | None, folder: str, pattern: str) -> list[Path] | None:
    """Return the files that match `pattern` in a folder below the local root, sorted by their names.

    None where no root is named (`root`, or XQUALITY_DATA) or the root has no such folder.

    Raises:
        SourceError: where the root does not exist, or a path or a link would leave it.
    """
    base = local_root(root)
    place = folder_below(base, folder) if base is not None else None
    if base is None or place is None or not place.is_dir():
        return None
    files = sorted((file for file in place.glob(pattern) if file.is_file()), key=lambda file: file.name)
    check_below(base, files)
    return files


def read_lines(file: Path) -> list[str]:
    """Return a file's lines without their ends: line feeds, or those of other systems; other separators are text.

    Raises:
        DamagedError: for bytes that are not UTF-8, naming the line.
    """
    try:
        text = file.read_text(encoding="utf-8", errors="strict")
    except UnicodeDecodeError as fault:
        number = file.read_bytes()[: fault.start].count(b"\n") + 1
        raise line_error(file, number, "the bytes are not UTF-8") from fault
    lines = text.removeprefix("\ufeff").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def line_error(file: Path, number: int, what: str) -> DamagedError:
    """Return the error for one line of a file."""
    return DamagedError(f"{file}, line {number}: {what}; restore or repair the file.")


def read_local(root: Path, folder: str, split: str) -> Dataset:
    """Return a split's rows from its file or files in `root/folder`, or in the `data` folder there.

    A split is one file, `split.parquet`, or numbered ones, `split-00000-of-00002.parquet` and so on. Parquet is looked
    for first, then JSON lines (`.jsonl`), then CSV (`.csv`, with a header). In CSV a column whose cells are all numbers
    becomes numbers, where an empty cell is null; every other column is text.

    Raises:
        SourceError: where it does not exist, or the path would leave the root.
        DamagedError: where a file cannot be read, or one of several is missing.
    """
    place = folder_below(root, folder)
    if Path(split).name != split:
        raise SourceError(f"The split {split!r} is a path; name a split of the task.")
    for inside in (place, place / "data"):
        for ending in FORMATS:
            files = _split_files(inside, split, ending)
            if files:
                check_below(root, files)
                return _READERS[ending](files)
    if not place.is_dir():
        raise SourceError(f"{root} has no folder {folder!r}; there are {_folder_names(place.parent)}.")
    found = sorted({_NUMBERED.sub("", file.stem) for file in place.rglob("*") if file.suffix in FORMATS})
    raise SourceError(f"{place} has no split {split!r}; there are {found}.")


def _split_files(folder: Path, split: str, ending: str) -> list[Path]:
    """Return the files of a split with one ending, in their order, none where there are none."""
    whole = folder / f"{split}{ending}"
    if whole.is_file():
        return [whole]
    pattern = re.compile(rf"{re.escape(split)}{_NUMBERED.pattern.removesuffix('$')}{re.escape(ending)}")
    names = sorted(file.name for file in folder.glob(f"*{ending}") if pattern.fullmatch(file.name))
    if names != [f"{split}-{part:05d}-of-{len(names):05d}{ending}" for part in range(len(names))]:
        raise DamagedError(f"{folder} holds only {names} of the split; copy the other files too.")
    return [folder / name for name in names]


def _folder_names(folder: Path) -> list[str]:
    """Return the names of the folders in `folder`, none where it does not exist."""
    return sorted(entry.name for entry in folder.iterdir() if entry.is_dir()) if folder.is_dir() else []


def _read_parquet(files: Sequence[Path]) -> Dataset:
    """Return the rows of parquet files."""
    try:
        return Dataset.from_parquet([str(file) for file in files])
    except Exception as fault:  # pyarrow and datasets raise many kinds
        raise DamagedError(
            f"{files[0]} cannot be read as parquet ({first_line(fault.__cause__ or fault)}); restore the file."
        ) from fault


def _read_json_lines(files: Sequence[Path]) -> Dataset:
    """Return the rows of files that hold one JSON object a line; a key that a row lacks is null there."""
    rows: list[dict[str, Any]] = []
    for file in files:
        for number, line in enumerate(read_lines(file), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as fault:
                raise line_error(file, number, f"it is not JSON ({fault})") from fault
            if not isinstance(row, dict):
                raise line_error(file, number, f"a JSON object was expected, but it is {type(row).__name__}")
            rows.append(row)
    names = dict.fromkeys(name for row in rows for name in row)
    return _from_columns({name: [row.get(name) for row in rows] for name in names}, files)


def _read_csv(files: Sequence[Path]) -> Dataset:
    """Return the rows of CSV files with one header."""
    header: list[str] = []
    rows: list[list[str]] = []
    for file in files:
        reader = csv.reader(io.StringIO("\n".join(read_lines(file)), newline=""), strict=True)
        try:
            names = next(reader, [])
            if len(set(names)) < len(names) or (rows and names != header):
                raise line_error(file, 1, f"different names, the same in all files, were expected, not {names}")
            header = names
            for cells in reader:
                if cells and len(cells) != len(header):
                    raise line_error(file, reader.line_num, f"{len(header)} cells were expected, not {len(cells)}")
                if cells:
                    rows.append(cells)
        except csv.Error as fault:
            raise line_error(file, reader.line_num, f"it is not CSV ({fault})") from fault
    columns = zip(*rows, strict=True) if rows else [()] * len(header)
    return _from_columns({name: _parse_cells(cells) for name, cells in zip(header, columns, strict=True)}, files)


def _parse_cells(cells: Sequence[str]) -> list[Any]:
    """Return the cells of a CSV column as integers or floats, null where empty, if all are numbers; else as text."""
    filled = [cell for cell in cells if cell]
    for pattern, number in ((_INTEGER, int), (_DECIMAL, float)):
        if filled and all(map(pattern.fullmatch, filled)):
            return [number(cell) if cell else None for cell in cells]
    return list(cells)


def _from_columns(columns: dict[str, list[Any]], files: Sequence[Path]) -> Dataset:
    """Return columns of plain values as a dataset."""
    try:
        return Dataset.from_dict(columns)
    except Exception as fault:  # pyarrow raises many kinds
        raise DamagedError(
            f"{files[0]} holds values of several types in one column ({first_line(fault)}); write them as one type."
        ) from fault


_READERS = {".parquet": _read_parquet, ".jsonl": _read_json_lines, ".csv": _read_csv}
