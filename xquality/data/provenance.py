"""How a dataset came to be: the records it carries.

Records are kept as one line of JSON in the dataset's description, because that is the one place that survives
selecting, mapping, concatenating and saving in the datasets library.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence

from datasets import Dataset, IterableDataset

from xquality.data._datasets import dataset_of, fingerprint_of, table_of, with_description
from xquality.data.digest import digest
from xquality.errors import DataKindError
from xquality.records import Record

_MARK = "xquality-history: "
_ORIGIN = "xquality-origin: "


def history(data: Dataset | IterableDataset) -> tuple[Record, ...]:
    """Return the records of what was done to `data`, the oldest first.

    The last record's `digest` is computed when it is asked for.

    Example:
        >>> from datasets import Dataset
        >>> history(Dataset.from_dict({"text": ["a"]}))
        ()
    """
    if not isinstance(data, Dataset | IterableDataset):
        raise DataKindError(f"A history belongs to a Dataset, but got {type(data).__name__}; ask for one split's.")
    lines = [line for line in (data.info.description or "").split("\n") if line.startswith(_MARK)]
    records = [Record.from_dict(one) for line in lines for one in json.loads(line.removeprefix(_MARK))]
    if records and isinstance(data, Dataset):
        records[-1] = dataclasses.replace(records[-1], digest_source=lambda: digest(data))
    return tuple(records)


def with_origin(data: Dataset, task: str, language: str, split: str) -> Dataset:
    """Return the same rows, remembering what they were loaded as; a training stage reads the language from it."""
    written = json.dumps({"task": task, "language": language, "split": split}, ensure_ascii=False)
    own = [line for line in (data.info.description or "").split("\n") if not line.startswith(_ORIGIN)]
    return with_description(data, "\n".join([*own, _ORIGIN + written]).strip("\n"))


def origins(data: Dataset) -> list[dict[str, str]]:
    """Return the tasks, languages and splits that rows were loaded as, several for rows that were joined or mixed."""
    lines = [line for line in (data.info.description or "").split("\n") if line.startswith(_ORIGIN)]
    loaded = [json.loads(line.removeprefix(_ORIGIN)) for line in lines]
    brought = (one for record in with_parts(history(data)) for one in record.details.get("origins", ()))
    found: list[dict[str, str]] = []
    for one in [*loaded, *brought]:
        if one not in found:
            found.append(one)
    return found


def with_parts(records: Iterable[Record]) -> Iterator[Record]:
    """Yield records, and after one of rows that were joined, those of the parts."""
    for record in records:
        yield record
        for part in record.settings.get("parts", ()):
            yield from with_parts(map(Record.from_dict, part))


def own_description(data: Dataset | IterableDataset) -> str:
    """Return the text that the user gave the rows as a description, without the lines kept here."""
    lines = (data.info.description or "").split("\n")
    return "\n".join(line for line in lines if not line.startswith((_MARK, _ORIGIN))).strip()


def describe(description: str | None, records: Sequence[Record]) -> str:
    """Return a dataset description that carries `records`, and the user's own text before them."""
    own = [line for line in (description or "").split("\n") if not line.startswith(_MARK)]
    text = "\n".join(own).strip("\n")
    line = _MARK + json.dumps([one.to_dict() for one in records], ensure_ascii=False, sort_keys=True)
    return f"{text}\n\n{line}" if text else line


def with_history(data: Dataset, records: Sequence[Record]) -> Dataset:
    """Return the same rows carrying `records` instead of their present ones."""
    description = describe(data.info.description, records)
    return dataset_of(
        table_of(data),
        data.features,
        like=data,
        fingerprint=fingerprint_of(data),  # the rows are the same
        description=description,
    )
