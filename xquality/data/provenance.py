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
from xquality.errors import DataKindError
from xquality.records import Record

_HISTORY = "xquality-history: "
_ORIGIN = "xquality-origin: "


def history(data: Dataset | IterableDataset) -> tuple[Record, ...]:
    """Return the history of a dataset: the records of the transforms that were applied to it, the oldest first.

    The `digest` of the last record is computed on access. The training history of a model is something else: see
    `History`.

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
    records = [Record.from_dict(record) for line in _read_lines(data, _HISTORY) for record in json.loads(line)]
    if records and isinstance(data, Dataset):
        records[-1] = dataclasses.replace(records[-1], digest_source=lambda: digest(data))
    return tuple(records)


def with_origin(data: Dataset, task: str, language: str, split: str) -> Dataset:
    """Return the same rows with the task, language and split that they were loaded as; `Stage` reads the language."""
    origin = json.dumps({"task": task, "language": language, "split": split}, ensure_ascii=False)
    other = [line for line in (data.info.description or "").split("\n") if not line.startswith(_ORIGIN)]
    return with_description(data, "\n".join([*other, _ORIGIN + origin]).strip("\n"))


def origins(data: Dataset) -> list[dict[str, str]]:
    """Return the tasks, languages and splits that rows were loaded as, several if rows were concatenated or mixed."""
    loaded = [json.loads(line) for line in _read_lines(data, _ORIGIN)]
    mixed = (origin for record in flatten_records(history(data)) for origin in record.details.get("origins", ()))
    found: list[dict[str, str]] = []
    for origin in [*loaded, *mixed]:
        if origin not in found:
            found.append(origin)
    return found


def flatten_records(records: Iterable[Record]) -> Iterator[Record]:
    """Yield records, and after that of a concatenation the records of its parts."""
    for record in records:
        yield record
        for part in record.settings.get("parts", ()):
            yield from flatten_records(map(Record.from_dict, part))


def user_description(data: Dataset | IterableDataset) -> str:
    """Return the description that the user gave a dataset, without the history and the origin stored in it."""
    lines = (data.info.description or "").split("\n")
    return "\n".join(line for line in lines if not line.startswith((_HISTORY, _ORIGIN))).strip()


def make_description(description: str | None, records: Sequence[Record]) -> str:
    """Return a description that stores `records` after its other text, in place of the records it stored."""
    other = [line for line in (description or "").split("\n") if not line.startswith(_HISTORY)]
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


def _read_lines(data: Dataset | IterableDataset, mark: str) -> list[str]:
    """Return the JSON in the lines of the description that begin with a mark."""
    lines = (data.info.description or "").split("\n")
    return [line.removeprefix(mark) for line in lines if line.startswith(mark)]
