"""Rows from the Hub at a pinned revision; a cached copy is used only if it is complete and of that revision."""

import contextlib
from pathlib import Path
from typing import Final

import pyarrow as pa
from datasets import Dataset, DownloadMode, load_dataset_builder
from datasets.exceptions import DatasetGenerationError, DatasetNotFoundError

from xquality._files import checksum
from xquality._stored import read_json, write_json
from xquality.data._datasets import DAMAGE_ERRORS, quiet_datasets
from xquality.errors import DamagedError, SourceError, UnreachableError, XqualityError, first_line

_CHECKSUMS: Final = "xquality-checksums.json"  # beside the prepared rows in the datasets library's cache

ROOT_VARIABLE = "XQUALITY_DATA"


def fetch(repository: str, configuration: str, split: str, revision: str) -> Dataset:
    """Return one split of a Hub dataset, from the cache if it is there.

    Damaged files are downloaded once more. Errors of the network (a busy server, a closed connection) are retried by
    the Hub's client.

    Args:
        repository: the Hub id.
        configuration: the configuration's name there.
        split: the split's name there.
        revision: the commit, 40 hex digits.

    Raises:
        SourceError: if the Hub has no such repository, revision, configuration or split.
        UnreachableError: if the Hub cannot be reached and the cache does not hold this revision.
        DamagedError: if the files cannot be read, also after a second download.
    """
    split_name = f"{repository} ({configuration}, {split}) at revision {revision[:12]}"
    instead = f"or read a local folder (root= or {ROOT_VARIABLE})"
    try:
        return _download(repository, configuration, split, revision)
    except XqualityError:
        raise
    except Exception as error:  # the Hub's client also raises the many kinds of the network library
        if _is_damage(error):
            reason = first_line(error.__cause__ or error)
            raise DamagedError(
                f"{split_name} cannot be read, also when downloaded again ({reason}); free the disk if it is full, "
                f"tell the repository's owner if its files are damaged, {instead}."
            ) from error
        # The library raises these if there is no such repository, revision, configuration or split.
        missing = isinstance(error, ValueError | LookupError | RuntimeError | DatasetNotFoundError)
        kind = SourceError if missing else UnreachableError
        raise kind(
            f"{split_name} could not be loaded from the Hub ({first_line(error)}); check the connection and the names, "
            f"{instead}."
        ) from error


def _download(repository: str, configuration: str, split: str, revision: str) -> Dataset:
    """Return the split; download everything once more if the downloaded or cached files are damaged."""
    try:
        return _prepare(repository, configuration, split, revision, DownloadMode.REUSE_DATASET_IF_EXISTS)
    except Exception as error:
        if not _is_damage(error):
            raise
    return _prepare(repository, configuration, split, revision, DownloadMode.FORCE_REDOWNLOAD)


def _prepare(repository: str, configuration: str, split: str, revision: str, mode: DownloadMode) -> Dataset:
    """Return the split from files of exactly this revision, with as many rows as its preparation counted."""
    builder = load_dataset_builder(repository, configuration, revision=revision, download_mode=mode)
    # Without a connection the library uses the newest revision in its cache, and it reads a folder with the name of the
    # repository instead of the Hub. Both would return other rows than those of the pinned revision.
    if builder.hash != revision:
        raise UnreachableError(
            f"{repository} is needed at revision {revision}, but only {builder.hash} is available; check the "
            "connection, name a commit by its 40 hex digits, or leave a working directory that has a folder "
            f"{repository!r}."
        )
    prepared = Path(builder.cache_dir)
    with quiet_datasets():
        builder.download_and_prepare(download_mode=mode)
    _check_prepared(prepared, revision)  # rows prepared anew have no checksums yet
    data: Dataset = builder.as_dataset(split=split)
    counted = builder.info.splits[split].num_examples
    if len(data) != counted:
        raise DatasetGenerationError(f"{len(data)} of {counted} rows were read")
    if not (prepared / _CHECKSUMS).exists():
        with contextlib.suppress(OSError):  # a cache that may only be read
            files = {file.name: checksum(file) for file in _list_prepared(prepared)}
            write_json(prepared / _CHECKSUMS, {"revision": revision, "files": files})
    return data


def _check_prepared(folder: Path, revision: str) -> None:
    """Raise `DamagedError` where rows in the cache are not those whose checksums were written when they were prepared.

    Rows that were prepared by another program have no checksums yet; they are believed when they are first read.
    """
    if not (folder / _CHECKSUMS).exists():
        return
    written = read_json(folder / _CHECKSUMS, {"revision": revision})["files"]
    try:
        found = {file.name: checksum(file) for file in _list_prepared(folder)}
    except OSError as error:
        raise DamagedError(f"{folder} cannot be read ({first_line(error)}).") from error
    if found != written:
        raise DamagedError(
            f"{folder} has other bytes than were written when its rows were prepared; delete it, and connect to the "
            "Hub to fetch them again."
        )


def _list_prepared(folder: Path) -> list[Path]:
    """Return the files of the prepared rows; files that later calls of `map` keep beside them are none of them."""
    return sorted(file for file in folder.glob("*.arrow") if not file.name.startswith("cache-"))


def _is_damage(error: Exception) -> bool:
    """Return whether an error means that files are damaged, on the way or on disk; False if they did not arrive."""
    return (
        isinstance(error, (*DAMAGE_ERRORS, DamagedError, pa.ArrowException)) or type(error) is OSError
    )  # plain OSError: a file of the wrong size
