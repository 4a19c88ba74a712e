"""xq.save and xq.load: a dataset on disk with its history, its rows checked by their digest on loading."""

import json
from pathlib import Path

from datasets import Dataset, load_from_disk

from xquality._files import atomic_folder, write_text
from xquality.data.card import card
from xquality.data.digest import digest
from xquality.data.provenance import history, with_history
from xquality.errors import DamagedError, DataKindError, SettingError, SourceError
from xquality.records import Record

_FILE = "xquality.json"


def save(data: Dataset, folder: str | Path) -> Path:
    """Write a dataset with its history, digest and card to a new folder, atomically; return the folder.

    The folder holds the rows in `data`, the records and the digest in `xquality.json`, and the card (`xq.card(data)`)
    in README.md, which is only for readers.

    Args:
        data: one split.
        folder: a folder that does not exist yet.

    Raises:
        DataKindError: if `data` is not a `Dataset`.
        SettingError: if the folder exists already; nothing is overwritten.
    """
    target = Path(folder)
    if not isinstance(data, Dataset):
        raise DataKindError(f"xq.save writes a Dataset, but got {type(data).__name__}; save one split at a time.")
    if target.exists():
        raise SettingError(f"xq.save writes a new folder, but {target} exists already; name another.")
    stored = {"digest": digest(data), "history": [record.to_dict() for record in history(data)]}
    with atomic_folder(target) as unfinished:
        data.save_to_disk(str(unfinished / "data"))
        write_text(unfinished / "README.md", card(data))
        write_text(unfinished / _FILE, json.dumps(stored, ensure_ascii=False, indent=1, sort_keys=True))
    return target


def load(folder: str | Path) -> Dataset:
    """Return the dataset that `xq.save` wrote, with its history, after checking the digest of its rows.

    Raises:
        SourceError: if the folder was not written by `xq.save`.
        DamagedError: if the rows cannot be read, or their digest is not the one that was saved.
    """
    source = Path(folder)
    if not (source / _FILE).is_file():
        raise SourceError(
            f"xq.load reads a folder that xq.save wrote, but {source} is none; use load_from_disk for other datasets."
        )
    try:
        stored = json.loads((source / _FILE).read_text(encoding="utf-8"))
        saved, records = stored["digest"], [Record.from_dict(record) for record in stored["history"]]
        data = load_from_disk(str(source / "data"))
    except Exception as error:
        raise DamagedError(f"The rows saved in {source} cannot be read ({error}); restore or rebuild them.") from error
    found = digest(data)
    if found != saved:
        raise DamagedError(f"The rows saved in {source} have the digest {found}, not {saved}; rebuild them.")
    return with_history(data, records)
