"""Local data: where a split's files lie below a root folder, and their rows and lines.

A path names one file and nothing else: no part of it is a pattern or an address. Rows are those of the bytes that are
in the file now; nothing is cached by name or time.
"""

import contextlib
import csv
import glob
import hashlib
import io
import itertools
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from datasets import Dataset, Features
from datasets.table import table_cast

from xquality import _settings
from xquality.data.hub import ROOT_VARIABLE
from xquality.data.spill import IN_MEMORY, write_mapped
from xquality.errors import DamagedError, SourceError, XqualityError, first_line

FORMATS = (".parquet", ".jsonl", ".csv")

_BATCH = 65_536  # rows of a parquet file that are read at a time

_NUMBERED = re.compile(r"-\d{5}-of-\d{5}$")
_INTEGER = re.compile(r"-?(0|[1-9]\d{0,17})")
_DECIMAL = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")


def local_root(root: str | Path | None) -> Path | None:
    """Return the folder of local data: `root`, or the one named by XQUALITY_DATA; None where neither is given.

    Raises:
        SettingError: where it is no path that can be looked up.
    """
    named = root or os.environ.get(ROOT_VARIABLE)
    return _settings.path("load", "root", named) if named else None


@contextlib.contextmanager
def _name_bad_paths(path: str) -> Iterator[None]:
    """Raise `SourceError` in place of the errors for a path that holds NUL, is too long or leads through a loop."""
    try:
        yield
    except XqualityError:
        raise
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        shown = repr(path if len(path) < 200 else f"{path[:200]}...")
        raise SourceError(f"The path {shown} cannot be looked up ({reason}); name a folder of the data.") from error


def folder_below(root: Path, folder: str) -> Path:
    """Return `root/folder`, which need not exist.

    Raises:
        SourceError: where the root does not exist, or the path would leave it.
    """
    with _name_bad_paths(f"{root}/{folder}"):
        base = root.expanduser().resolve()
        place = (base / folder).resolve()
        place.is_dir()  # also a name that is too long
    if not place.is_relative_to(base):
        raise SourceError(f"The path {folder!r} leads out of {root}; name a language and a split of the task.")
    if not base.is_dir():
        raise SourceError(f"The data folder {root} is not there; give root= or {ROOT_VARIABLE} a folder that is.")
    return place


def check_below(base: Path, files: Iterable[Path]) -> None:
    """Raise `SourceError` where a file does not lie in `base` when links are followed."""
    for file in files:
        with _name_bad_paths(str(file)):
            is_inside = file.resolve().is_relative_to(base.expanduser().resolve())
        if not is_inside:
            raise SourceError(f"{file} is a link that leads out of {base}; copy the file there instead.")


def find_files(root: str | Path | None, folder: str, pattern: str, name: str = "") -> list[Path] | None:
    """Return the files that match `pattern` in a folder below the local root, sorted by their names.

    None where no root is named (`root`, or XQUALITY_DATA) or the root has no such folder.

    Args:
        root: the local root.
        folder: the folder below it.
        pattern: as of `Path.glob`, with `{name}` in the place of a name.
        name: a name that is no pattern, such as a language.

    Raises:
        SourceError: where the root does not exist, or a path or a link would leave it.
    """
    base = local_root(root)
    place = folder_below(base, folder) if base is not None else None
    if base is None or place is None or not place.is_dir():
        return None
    with _name_bad_paths(f"{folder}/{name}"):
        matches = place.glob(pattern.replace("{name}", glob.escape(name)))
        files = sorted((file for file in matches if file.is_file()), key=lambda file: file.name)
    check_below(base, files)
    return files


def read_lines(file: Path) -> list[str]:
    """Return a file's lines without their ends: line feeds, or those of other systems; other separators are text.

    Raises:
        DamagedError: for a file that cannot be read, or for bytes that are not UTF-8, naming the line.
    """
    try:
        text = file.read_text(encoding="utf-8", errors="strict")
    except OSError as fault:
        raise DamagedError(f"{file} cannot be read ({first_line(fault)}); restore the file.") from fault
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
            with _name_bad_paths(f"{inside}/{split}"):
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
    """Return the rows of parquet files, with the features that the first one declares; large ones memory-mapped."""
    content = hashlib.blake2b(digest_size=8)
    try:
        with contextlib.ExitStack() as stack:
            opened = [stack.enter_context(file.open("rb")) for file in files]
            for file in opened:
                content.update(hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16)).digest())
            # A file object: pyarrow and datasets read some paths as patterns or as addresses.
            readers = [pq.ParquetFile(file, page_checksum_verification=True) for file in opened]
            features = Features.from_arrow_schema(readers[0].schema_arrow)
            schema = features.arrow_schema
            parts = (
                part for path, reader in zip(files, readers, strict=True) for part in _batches(path, reader, schema)
            )
            table = _keep(schema, parts)
    except XqualityError:
        raise
    except Exception as fault:  # pyarrow and datasets raise many kinds
        raise DamagedError(
            f"{files[0]} cannot be read as parquet ({first_line(fault.__cause__ or fault)}); restore the file."
        ) from fault
    return Dataset(table, fingerprint=content.hexdigest())


def _batches(path: Path, reader: pq.ParquetFile, schema: pa.Schema) -> Iterator[pa.Table]:
    """Yield the rows of a parquet file, some at a time, in the columns and types of a schema.

    Raises:
        DamagedError: where strings are not UTF-8, naming column and rows.
    """
    start = 0
    for batch in reader.iter_batches(_BATCH):
        for name, values in zip(batch.schema.names, batch.columns, strict=True):
            try:
                values.validate(full=True)
            except pa.ArrowInvalid as fault:
                raise DamagedError(
                    f"{path}, column {name!r}, among rows {start} to {start + len(batch) - 1}: the values are not "
                    f"valid ({first_line(fault)}); write the file again, text as UTF-8."
                ) from fault
        start += len(batch)
        yield table_cast(pa.Table.from_batches([batch]), schema)


def _keep(schema: pa.Schema, parts: Iterator[pa.Table]) -> pa.Table:
    """Return all parts as one table, memory-mapped where they are large."""
    first, size = [schema.empty_table()], 0
    for part in parts:
        first.append(part)
        size += part.nbytes
        if size > IN_MEMORY:
            return write_mapped(schema, itertools.chain(first, parts))
    return pa.concat_tables(first).combine_chunks()


def _read_json_lines(files: Sequence[Path]) -> Dataset:
    """Return the rows of files that hold one JSON object a line; a key that a row lacks is null there."""
    rows: list[dict[str, Any]] = []
    for file in files:
        for number, line in enumerate(read_lines(file), start=1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as fault:
                raise line_error(file, number, f"it is not JSON ({first_line(fault)})") from fault
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
