"""The history of a dataset: the records of the transforms that made it, and where its rows were loaded from.

Both are stored as lines of JSON in the dataset's description, the only place that survives selecting, mapping,
concatenating and saving in the datasets library.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence

from datasets import Dataset, IterableDataset

from xquality.data._datasets import dataset_of, fingerprint_of, table_of, with_description
from xquality.data.digest import digest
from xquality.errors import DamagedError, DataKindError, first_line
from xquality.languages import identity
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
    origin = _write_origin({"task": task, "language": language, "split": split})
    other = [line for line in _lines(data.info.description) if _read_origin(line) is None]
    return with_description(data, "\n".join([*other, origin]).strip("\n"))


def origins(data: Dataset | IterableDataset) -> list[dict[str, str]]:
    """Return the tasks, languages and splits that rows were loaded as, several if rows were concatenated or mixed.

    Rows that were translated have the language that they were translated to.
    """
    loaded = [origin for line in _lines(data.info.description) if (origin := _read_origin(line)) is not None]
    return _distinct([*loaded, *_mixed_origins(history(data))])


def translated_languages(data: Dataset | IterableDataset) -> tuple[str, ...]:
    """Return the languages that rows were translated to, also where it is unknown what they were loaded as."""
    return _languages_after(history(data))


def add_record(description: str | None, records: Sequence[Record], record: Record) -> str:
    """Return the description of data after one more transform: with its record, and the languages of the rows."""
    translation = _read_translation(record)
    if translation is not None:
        lines: list[str] = []
        for line in _lines(description):
            origin = _read_origin(line)
            lines += [line] if origin is None else map(_write_origin, _translate_origins([origin], translation))
        description = "\n".join(lines)
    return make_description(description, [*records, record])


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


def _write_origin(origin: Mapping[str, str]) -> str:
    """Return the line of a description that stores an origin."""
    return _ORIGIN + json.dumps(origin, ensure_ascii=False)


def _distinct(found: Iterable[dict[str, str]]) -> list[dict[str, str]]:
    """Return the distinct origins in the order in which they first occur."""
    distinct: list[dict[str, str]] = []
    for origin in found:
        if origin not in distinct:
            distinct.append(origin)
    return distinct


def _mixed_origins(records: Iterable[Record]) -> list[dict[str, str]]:
    """Return the origins of the rows that `Mix` put among others, in the languages that they have since."""
    found: list[dict[str, str]] = []
    for record in records:
        found += [origin for part in parts_of(record) for origin in _mixed_origins(part)]
        found += _read_mixed(record)
        translation = _read_translation(record)
        if translation is not None:
            found = _translate_origins(found, translation)
    return found


def _languages_after(records: Iterable[Record]) -> tuple[str, ...]:
    """Return the languages of rows after the last of their translations; none where there is none."""
    found: tuple[str, ...] = ()
    for record in records:
        translation = _read_translation(record)
        parts = [language for part in parts_of(record) for language in _languages_after(part)]
        found = tuple(dict.fromkeys(parts)) or (found if translation is None else translation[1])
    return found


def _read_translation(record: Record) -> tuple[str, tuple[str, ...]] | None:
    """Return the language that rows were translated from and those that they are in since; None for another record."""
    if record.transform != "TranslateTrain":
        return None
    source, target = str(record.settings.get("source")), str(record.settings.get("target"))
    languages = record.details.get("languages")
    if not isinstance(languages, list):  # on a stream, which shows no counts
        languages = [target, source] if record.settings.get("lost") == "keep_original" else [target]
    return source, tuple(map(str, languages))


def _translate_origins(
    found: Iterable[dict[str, str]], translation: tuple[str, tuple[str, ...]]
) -> list[dict[str, str]]:
    """Return origins with the languages that rows of theirs are in after a translation."""
    source, languages = translation
    translated = []
    for origin in found:
        same = identity(origin["language"]) == identity(source)
        translated += [{**origin, "language": language} for language in (languages if same else [origin["language"]])]
    return _distinct(translated)


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
