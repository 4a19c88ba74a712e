"""Saving a dataset with its history, and loading it with a check of its rows."""

import json
from pathlib import Path

from datasets import Dataset, load_from_disk

from xquality._files import whole_folder, write_text
from xquality.data.card import card
from xquality.data.digest import digest
from xquality.data.provenance import history, with_history
from xquality.errors import DamagedError, DataKindError, SettingError, SourceError
from xquality.records import Record

_FILE = "xquality.json"


def save(data: Dataset, folder: str | Path) -> Path:
    """Write `data` with its history, digest and card to a new folder, whole or not at all; return the folder.

    The folder holds the rows in `data`, the records and the digest in `xquality.json`, and for people a README.md,
    which is `xq.card(data)`; nothing is read from it.

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
        write_text(unfinished / "README.md", card(data))
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
