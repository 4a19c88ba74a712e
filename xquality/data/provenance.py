"""The history of a dataset: the records of the transforms that made it, and where its rows were loaded from.

Both are stored as lines of JSON in the dataset's description, the only place that survives selecting, mapping,
concatenating and saving in the datasets library.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence

from datasets import Dataset, IterableDataset

from xquality.data._datasets import dataset_of, fingerprint_of, table_of, with_description
from xquality.data.digest import digest
from xquality.errors import DamagedError, DataKindError, first_line
from xquality.records import Record, Records

_HISTORY = "xquality-history: "
_ORIGIN = "xquality-origin: "
_KEYS = {"task", "language", "split"}


def history(data: Dataset | IterableDataset) -> Records:
    """Return the history of a dataset: the records of the transforms that were applied to it, the oldest first.

    It is a tuple that prints one line for each record; `to_pandas()` returns it as a table. The `digest` of the last
    record is computed on access. The training history of a model is something else: see `History`.

    Raises:
        DataKindError: if `data` is neither a `Dataset` nor an `IterableDataset`.

    Example:
        >>> from xquality import LabelNoise, toy
        >>> noisy = LabelNoise(rate=0.2)(toy.topics.load("es", "train"), seed=1)
        >>> [(record.transform, record.changed) for record in history(noisy)]
        [('LabelNoise', 200)]
    """
    if not isinstance(data, Dataset | IterableDataset):
        raise DataKindError(f"xq.history reads a Dataset, but got {type(data).__name__}; give one split.")
    records = [record for line in _lines(data.info.description) for record in _read_history(line) or ()]
    if records and isinstance(data, Dataset):
        records[-1] = dataclasses.replace(records[-1], digest_source=lambda: digest(data))
    return Records(records)


def with_origin(data: Dataset, task: str, language: str, split: str) -> Dataset:
    """Return the same rows with the task, language and split that they were loaded as; `Stage` reads the language."""
    origin = json.dumps({"task": task, "language": language, "split": split}, ensure_ascii=False)
    other = [line for line in _lines(data.info.description) if _read_origin(line) is None]
    return with_description(data, "\n".join([*other, _ORIGIN + origin]).strip("\n"))


def origins(data: Dataset) -> list[dict[str, str]]:
    """Return the tasks, languages and splits that rows were loaded as, several if rows were concatenated or mixed."""
    loaded = [origin for line in _lines(data.info.description) if (origin := _read_origin(line)) is not None]
    mixed = (origin for record in flatten_records(history(data)) for origin in _read_mixed(record))
    found: list[dict[str, str]] = []
    for origin in [*loaded, *mixed]:
        if origin not in found:
            found.append(origin)
    return found


def flatten_records(records: Iterable[Record]) -> Iterator[Record]:
    """Yield records, and after that of a concatenation the records of its parts."""
    for record in records:
        yield record
        for part in parts_of(record):
            yield from flatten_records(part)


def parts_of(record: Record) -> list[list[Record]]:
    """Return the records of each part of a concatenation; none for another record, whose settings are its own."""
    parts = record.settings.get("parts") if record.transform == "concatenate" else None
    if not isinstance(parts, list) or not all(isinstance(part, list) for part in parts):
        return []
    return [[Record.from_dict(inner) for inner in part] for part in parts]


def flagged_columns(records: Iterable[Record]) -> set[str]:
    """Return the label columns whose flags `label_issue` holds: the first one that a filter flagged.

    There are several only where parts with flags of different columns were concatenated.

    Example:
        >>> flagged_columns([Record("CleanlabFilter", {"action": "flag", "column": "topic"}, seed=1)])
        {'topic'}
    """
    columns: set[str] = set()
    for record in records:
        for part in parts_of(record):
            columns |= flagged_columns(part)
        flags = record.transform == "CleanlabFilter" and record.settings.get("action") != "drop"
        if flags and not columns:
            columns.add(str(record.settings.get("column")))
    return columns


def user_description(data: Dataset | IterableDataset) -> str:
    """Return the description that the user gave a dataset, without the history and the origin stored in it."""
    lines = _lines(data.info.description)
    return "\n".join(line for line in lines if _read_history(line) is None and _read_origin(line) is None).strip()


def make_description(description: str | None, records: Sequence[Record]) -> str:
    """Return a description that stores `records` after its other text, in place of the records it stored."""
    other = [line for line in _lines(description) if _read_history(line) is None]
    text = "\n".join(other).strip("\n")
    line = _HISTORY + json.dumps([record.to_dict() for record in records], ensure_ascii=False, sort_keys=True)
    return f"{text}\n\n{line}" if text else line


def with_history(data: Dataset, records: Sequence[Record]) -> Dataset:
    """Return the same rows with `records` as their history, in place of the present one."""
    return dataset_of(
        table_of(data),
        data.features,
        like=data,
        fingerprint=fingerprint_of(data),  # the rows are the same
        description=make_description(data.info.description, records),
    )


def _lines(description: str | None) -> list[str]:
    """Return the lines of a description."""
    return (description or "").split("\n")


def _read_history(line: str) -> list[Record] | None:
    """Return the records that a line of a description stores; None for any other line, which is the user's text.

    Raises:
        DamagedError: for a line that holds JSON records that cannot be read: they must not be lost unnoticed.
    """
    if not line.startswith(_HISTORY):
        return None
    text = line.removeprefix(_HISTORY)
    try:
        return [Record.from_dict(record) for record in json.loads(text)]
    except (ValueError, TypeError, RecursionError) as error:
        if not text.startswith("[{"):
            return None
        raise DamagedError(
            f"The history in the description of the data cannot be read ({first_line(error)}); restore the line "
            f"{_HISTORY!r} there, or remove it and with it the history."
        ) from error


def _read_origin(line: str) -> dict[str, str] | None:
    """Return the origin that a line of a description stores; None for any other line, which is the user's text."""
    if not line.startswith(_ORIGIN):
        return None
    try:
        found = json.loads(line.removeprefix(_ORIGIN))
    except (ValueError, RecursionError):
        return None
    return found if _is_origin(found) else None


def _read_mixed(record: Record) -> list[dict[str, str]]:
    """Return the origins of the rows that `Mix` put among others; none for another record."""
    found = record.details.get("origins")
    if record.transform == "Mix" and "origins" not in record.details:  # on a stream, which shows no counts
        other = record.settings.get("other")
        found = other.get("origins") if isinstance(other, dict) and record.settings.get("rate") else None
    return [origin for origin in found if _is_origin(origin)] if isinstance(found, list) else []


def _is_origin(value: object) -> bool:
    """Return whether a JSON value is what `with_origin` writes."""
    return isinstance(value, dict) and set(value) == _KEYS and all(isinstance(inner, str) for inner in value.values())
