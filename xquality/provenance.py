"""How a dataset came to be: the records it carries, and saving it with them.

Records are kept as one line of JSON in the dataset's description, because that is the one place that survives
selecting, mapping, concatenating and saving in the datasets library.

May import: errors, records, files, arrow, digest | datasets, pyarrow.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from datasets import Dataset, IterableDataset, load_from_disk

from xquality.arrow import dataset_of, table_of
from xquality.digest import digest
from xquality.errors import DamagedError, DataKindError, SettingError, SourceError
from xquality.files import whole_folder, write_text
from xquality.records import Record

_MARK = "xquality-history: "
_ORIGIN = "xquality-origin: "
_FILE = "xquality.json"


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
    info = data.info.copy()
    info.description = "\n".join([*own, _ORIGIN + written]).strip("\n")
    made = data.with_format(None)
    made._info = info  # noqa: SLF001 (a copy of ours: the library has no way to set a description)
    return made


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
        fingerprint=data._fingerprint,  # noqa: SLF001 (the rows are the same)
        description=description,
    )


def save(data: Dataset, folder: str | Path) -> Path:
    """Write `data` with its history and digest to a new folder, whole or not at all; return the folder.

    Raises:
        DataKindError: where `data` is not a `Dataset`.
        SettingError: where the folder is there already; nothing is overwritten.
    """
    target = Path(folder)
    if not isinstance(data, Dataset):
        raise DataKindError(f"xq.save writes a Dataset, but got {type(data).__name__}; save one split at a time.")
    if target.exists():
        raise SettingError(f"xq.save was asked to write {target}, which is there already; name a new folder.")
    kept = {"digest": digest(data), "history": [one.to_dict() for one in history(data)]}
    with whole_folder(target) as unfinished:
        data.save_to_disk(str(unfinished / "data"))
        write_text(unfinished / _FILE, json.dumps(kept, ensure_ascii=False, indent=1, sort_keys=True))
    return target


def load(folder: str | Path) -> Dataset:
    """Return what `save` wrote, after checking that the rows are the rows that were saved.

    Raises:
        SourceError: where the folder was not written by `save`.
        DamagedError: where the rows' digest is not the one that was saved.
    """
    source = Path(folder)
    if not (source / _FILE).is_file():
        raise SourceError(
            f"xq.load was asked for {source}, which xq.save did not write; use load_from_disk for others."
        )
    try:
        kept = json.loads((source / _FILE).read_text(encoding="utf-8"))
        wanted, records = kept["digest"], [Record.from_dict(one) for one in kept["history"]]
        data = load_from_disk(str(source / "data"))
    except Exception as fault:
        raise DamagedError(f"The rows saved in {source} cannot be read ({fault}); restore or rebuild them.") from fault
    found = digest(data)
    if found != wanted:
        raise DamagedError(f"The rows saved in {source} have the digest {found}, not {wanted}; rebuild them.")
    return with_history(data, records)
