"""xq.save and xq.load: a dataset on disk with its history; rows and records are checked on loading."""

import os
from pathlib import Path

from datasets import Dataset

from xquality import _settings
from xquality._files import atomic_folder, checksum, write_text
from xquality._stored import digest_json, read_json, write_json
from xquality.data._datasets import SAVED_SETTINGS, read_dataset, write_dataset
from xquality.data.card import card
from xquality.data.digest import digest
from xquality.data.provenance import history
from xquality.errors import DamagedError, DataKindError, SettingError, SourceError, first_line
from xquality.randomness import key

_DATA, _FILE = "data", "xquality.json"


def save(data: Dataset, folder: str | Path) -> Path:
    """Write a dataset with its history, digest and card to a new folder, atomically; return the folder.

    The folder holds the rows in `data`, the records and the digest in `xquality.json`, and the card (`xq.card(data)`)
    in README.md, which is only for readers.

    Args:
        data: one split.
        folder: a folder that does not exist yet.

    Raises:
        DataKindError: if `data` is not a `Dataset`.
        SettingError: if the folder exists already, or its name cannot be used; nothing is overwritten.
        WriteError: if the disk is full, or the folder cannot be written.
    """
    target = _settings.path("xq.save", "folder", folder)
    if not isinstance(data, Dataset):
        raise DataKindError(f"xq.save writes a Dataset, but got {type(data).__name__}; save one split at a time.")
    if os.path.lexists(target):
        raise SettingError(f"xq.save writes a new folder, but {target} exists already; name another.")
    with atomic_folder(target) as unfinished:
        (unfinished / _DATA).mkdir()
        write_dataset(data, unfinished / _DATA)
        write_text(unfinished / "README.md", card(data))
        stored = {
            "digest": digest(data),
            "history": [record.to_dict() for record in history(data)],
            "settings": {name: checksum(unfinished / _DATA / name) for name in SAVED_SETTINGS},
        }
        write_json(unfinished / _FILE, stored)
    return target


def load(folder: str | Path) -> Dataset:
    """Return the dataset that `xq.save` wrote, after checking its rows, history and origin against their checksums.

    Raises:
        SourceError: if the folder was not written by `xq.save`.
        DamagedError: if the rows cannot be read, or rows, history, features or origin are not those that were saved.
    """
    source = _settings.path("xq.load", "folder", folder)
    if not (source / _FILE).is_file():
        raise SourceError(
            f"xq.load reads a folder that xq.save wrote, but {str(source)!r} "
            f"{'is none; use load_from_disk for other datasets' if source.is_dir() else 'is no folder; name another'}."
        )
    advice = f"restore {source} from a copy, or make the rows again"
    try:
        stored = read_json(source / _FILE)
        saved, checksums = stored["digest"], stored["settings"]
        changed = [name for name in SAVED_SETTINGS if checksum(source / _DATA / name) != checksums[name]]
        data = None if changed else read_dataset(source / _DATA, f"{key('xq.load', saved):016x}")
        found = None if data is None else digest(data)
        kept = digest_json(stored["history"])
        carried = None if data is None else digest_json([record.to_dict() for record in history(data)])
    except Exception as error:  # pyarrow and datasets raise many kinds
        raise DamagedError(f"The rows saved in {source} cannot be read ({first_line(error)}); {advice}.") from error
    if data is None:
        raise DamagedError(f"{source / _DATA} has other bytes than were saved in {' and '.join(changed)}; {advice}.")
    if found != saved:
        raise DamagedError(f"The rows saved in {source} have the digest {found}, not {saved}; {advice}.")
    if carried != kept:
        raise DamagedError(f"The rows saved in {source} carry another history than {_FILE}; {advice}.")
    return data
