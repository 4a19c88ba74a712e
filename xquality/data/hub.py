"""Rows from the Hub at a pinned revision; what is cached is believed only where it is whole and of that revision."""

import pyarrow as pa
from datasets import Dataset, DownloadMode, load_dataset_builder
from datasets.exceptions import DatasetGenerationError, DatasetNotFoundError
from datasets.utils.info_utils import NonMatchingSplitsSizesError

from xquality.errors import DamagedError, SourceError, UnreachableError, XqualityError, first_line

ROOT_VARIABLE = "XQUALITY_DATA"


def fetch(repository: str, configuration: str, split: str, revision: str) -> Dataset:
    """Return one split of a Hub dataset, from the cache where it is there.

    Files that prove damaged are fetched once more. The network's own faults (a busy server, a cut connection) are
    retried by the Hub's client.

    Args:
        repository: the Hub id.
        configuration: the configuration's name there.
        split: the split's name there.
        revision: the commit, 40 hex digits.

    Raises:
        SourceError: where the Hub has no such repository, revision, configuration or split.
        UnreachableError: where the Hub cannot be reached and the cache does not hold this revision.
        DamagedError: where the files cannot be read, also when fetched again.
    """
    asked = f"{repository} ({configuration}, {split}) at revision {revision[:12]}"
    instead = f"or read a local folder (root= or {ROOT_VARIABLE})"
    try:
        return _fetched(repository, configuration, split, revision)
    except XqualityError:
        raise
    except Exception as fault:  # the Hub's client lets through the network library's many kinds
        if _damaged(fault):
            raise DamagedError(
                f"{asked} cannot be read, also when fetched again ({first_line(fault.__cause__ or fault)}); free the "
                f"disk if it is full, tell the repository's owner if its files are damaged, {instead}."
            ) from fault
        # By these the library says that there is no such repository, revision, configuration or split.
        missing = isinstance(fault, ValueError | LookupError | RuntimeError | DatasetNotFoundError)
        kind = SourceError if missing else UnreachableError
        raise kind(
            f"{asked} could not be loaded from the Hub ({first_line(fault)}); check the connection and the names, "
            f"{instead}."
        ) from fault


def _fetched(repository: str, configuration: str, split: str, revision: str) -> Dataset:
    """Return the split; fetch everything once more where what came or what is cached is damaged."""
    try:
        return _prepared(repository, configuration, split, revision, DownloadMode.REUSE_DATASET_IF_EXISTS)
    except Exception as fault:
        if not _damaged(fault):
            raise
    return _prepared(repository, configuration, split, revision, DownloadMode.FORCE_REDOWNLOAD)


def _prepared(repository: str, configuration: str, split: str, revision: str, mode: DownloadMode) -> Dataset:
    """Return the split from files of exactly this revision, with as many rows as its preparation counted."""
    builder = load_dataset_builder(repository, configuration, revision=revision, download_mode=mode)
    # Without a connection the library takes the newest revision it has cached; a folder that is called like the
    # repository it takes instead of the Hub. Either would give other rows than those that were asked for.
    if builder.hash != revision:
        raise UnreachableError(
            f"{repository} was asked for at revision {revision}, but only {builder.hash} is within reach; check the "
            "connection, name a commit by its 40 hex digits, or leave a working directory that has a folder "
            f"{repository!r}."
        )
    builder.download_and_prepare(download_mode=mode)
    data: Dataset = builder.as_dataset(split=split)
    counted = builder.info.splits[split].num_examples
    if len(data) != counted:
        raise DatasetGenerationError(f"{len(data)} of {counted} rows are there")
    return data


def _damaged(fault: Exception) -> bool:
    """Say whether files are damaged, by what came through the network or on this disk; not whether none came."""
    kinds = (DatasetGenerationError, NonMatchingSplitsSizesError, pa.ArrowException)
    return isinstance(fault, kinds) or type(fault) is OSError  # the client's own check of sizes raises a plain OSError
