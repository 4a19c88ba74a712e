"""Where a task's rows come from: a local folder of parquet files, or a Hub repository at a pinned revision.

May import: errors | datasets, huggingface_hub.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, final

from datasets import Dataset, load_dataset
from datasets.exceptions import DatasetNotFoundError

from xquality.errors import DamagedError, SourceError

ROOT_VARIABLE = "XQUALITY_DATA"


class Source(Protocol):
    """What a task asks for its rows. A user's own source needs this one method."""

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return the rows of one split in one language, in their fixed order."""
        ...


@final
@dataclass(frozen=True)
class HubSource:
    """A dataset on the Hub, and the same dataset in a local folder.

    Attributes:
        repository: the Hub id.
        revision: the commit that is read; never a branch, so that a row's number keeps its meaning.
        folder: where a local copy lies below the root, with `{language}` in its place.
        configuration: the configuration's name on the Hub, with `{language}` in its place.
        splits: names of splits that differ from the task's, by language or for all under "".
    """

    repository: str
    revision: str
    folder: str
    configuration: str = "{language}"
    splits: Mapping[str, str] = field(default_factory=dict)

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return the rows from `root` (or the folder named by XQUALITY_DATA) where given, else from the Hub.

        Raises:
            SourceError: where the folder, the language, the split or the repository is not there.
        """
        base = root or os.environ.get(ROOT_VARIABLE)
        name = self.splits.get(split, split)
        if base:
            return read_local(Path(base), self.folder.format(language=language), name)
        return self._from_hub(self.configuration.format(language=language), name)

    def _from_hub(self, configuration: str, split: str) -> Dataset:
        """Return one split from the Hub at the pinned revision."""
        asked = f"{self.repository} ({configuration}, {split}) at revision {self.revision[:12]}"
        try:
            return load_dataset(self.repository, configuration, split=split, revision=self.revision)
        except (DatasetNotFoundError, FileNotFoundError, ValueError, OSError) as fault:
            raise SourceError(
                f"{asked} could not be loaded from the Hub ({_first_line(fault)}); check the connection, or give root= "
                f"or {ROOT_VARIABLE} to read a local folder."
            ) from fault


@final
@dataclass(frozen=True)
class MemorySource:
    """Rows that are in memory already: the quickest way to a task over data of your own.

    Attributes:
        rows: for each language and split, for example `{("es", "train"): data}`.
    """

    rows: Mapping[tuple[str, str], Dataset] = field(compare=False)

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:  # noqa: ARG002 (there is no root)
        """Return the rows that were given.

        Raises:
            SourceError: where there are none for this language and split.
        """
        if (language, split) not in self.rows:
            raise SourceError(
                f"No rows were given for language {language!r} and split {split!r}; there are {sorted(self.rows)}."
            )
        return self.rows[language, split]


def read_local(root: Path, folder: str, split: str) -> Dataset:
    """Return `root/folder/split.parquet`, or the split's file in the folder's `data` folder.

    Raises:
        SourceError: where it is not there, or the path would leave the root.
    """
    base = root.expanduser().resolve()
    place = (base / folder).resolve()
    if not place.is_relative_to(base) or Path(split).name != split:
        raise SourceError(
            f"The path {folder!r} with split {split!r} leads out of {root}; name a language and a split of the task."
        )
    if not base.is_dir():
        raise SourceError(f"The data folder {root} is not there; give root= or {ROOT_VARIABLE} a folder that is.")
    for file in (place / f"{split}.parquet", place / "data" / f"{split}.parquet"):
        if file.is_file():
            return _read(file, base)
    if not place.is_dir():
        raise SourceError(f"{root} has no folder {folder!r}; there are {_names(place.parent)}.")
    raise SourceError(
        f"{place} has no split {split!r}; there are {sorted(one.stem for one in place.rglob('*.parquet'))}."
    )


def _read(file: Path, base: Path) -> Dataset:
    """Return the rows of a parquet file that lies in `base`, also when links are followed."""
    if not file.resolve().is_relative_to(base):
        raise SourceError(f"{file} is a link that leads out of {base}; copy the file there instead.")
    try:
        return Dataset.from_parquet(str(file))
    except Exception as fault:  # pyarrow and datasets raise many kinds
        raise DamagedError(f"{file} cannot be read as parquet ({_first_line(fault)}); restore the file.") from fault


def _names(folder: Path) -> list[str]:
    """Return the names of the folders in `folder`, none where it is not there."""
    return sorted(one.name for one in folder.iterdir() if one.is_dir()) if folder.is_dir() else []


def _first_line(fault: Exception) -> str:
    """Return the first line of an error's text, which is the part a reader needs."""
    return (str(fault).splitlines() or [type(fault).__name__])[0]
