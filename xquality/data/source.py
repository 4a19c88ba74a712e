"""Where a task's rows come from: a local folder of parquet files, a Hub repository at a pinned revision, or memory."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, final

from datasets import Dataset

from xquality.data.hub import ROOT_VARIABLE, fetch
from xquality.errors import DamagedError, SourceError, first_line


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
        splits: the splits that the dataset calls otherwise than the task, the task's name to the dataset's.
        spelling: the languages that the Hub spells otherwise than the task and the local copy.
    """

    repository: str
    revision: str
    folder: str
    configuration: str = "{language}"
    splits: Mapping[str, str] = field(default_factory=dict)
    spelling: Mapping[str, str] = field(default_factory=dict)

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return the rows from `root` (or the folder named by XQUALITY_DATA) where given, else from the Hub.

        Raises:
            SourceError: where the folder, the language, the split or the repository is not there.
            DamagedError: where its files cannot be read.
        """
        base, name = local_root(root), self.splits.get(split, split)
        if base is not None:
            return read_local(base, self.folder.format(language=language), name)
        spelled = self.spelling.get(language, language)
        return fetch(self.repository, self.configuration.format(language=spelled), name, self.revision)


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


@final
@dataclass(frozen=True)
class SupplementedSource:
    """A dataset, and another one for what it lacks: XQuAD, which is trained on SQuAD.

    Attributes:
        rows: where rows come from otherwise.
        extra: where the rows of `language` in `splits` come from.
        language: the language.
        splits: the splits; empty for all.
    """

    rows: Source
    extra: Source
    language: str = "en"
    splits: tuple[str, ...] = ("train",)

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return the rows from the one or the other.

        Raises:
            SourceError: as the source that is asked.
        """
        asked = self.extra if language == self.language and (not self.splits or split in self.splits) else self.rows
        return asked.load(language, split, root)


def local_root(root: str | Path | None) -> Path | None:
    """Return the folder of local data: `root`, or the one named by XQUALITY_DATA; None where neither is given."""
    named = root or os.environ.get(ROOT_VARIABLE)
    return Path(named) if named else None


def folder_below(root: Path, folder: str) -> Path:
    """Return `root/folder`, which need not be there.

    Raises:
        SourceError: where the root is not there, or the path would leave it.
    """
    base = root.expanduser().resolve()
    place = (base / folder).resolve()
    if not place.is_relative_to(base):
        raise SourceError(f"The path {folder!r} leads out of {root}; name a language and a split of the task.")
    if not base.is_dir():
        raise SourceError(f"The data folder {root} is not there; give root= or {ROOT_VARIABLE} a folder that is.")
    return place


def check_below(base: Path, files: Iterable[Path]) -> None:
    """Raise `SourceError` where a file does not lie in `base` when links are followed."""
    inside = base.expanduser().resolve()
    for file in files:
        if not file.resolve().is_relative_to(inside):
            raise SourceError(f"{file} is a link that leads out of {base}; copy the file there instead.")


def read_local(root: Path, folder: str, split: str) -> Dataset:
    """Return a split's parquet file or files in `root/folder`, or in the `data` folder there.

    A split is one file, `split.parquet`, or numbered ones, `split-00000-of-00002.parquet` and so on.

    Raises:
        SourceError: where it is not there, or the path would leave the root.
        DamagedError: where a file cannot be read, or one of several is missing.
    """
    place = folder_below(root, folder)
    if Path(split).name != split:
        raise SourceError(f"The split {split!r} is no name but a path; name a split of the task.")
    for inside in (place, place / "data"):
        files = _files(inside, split)
        if files:
            return _read(files, root.expanduser().resolve())
    if not place.is_dir():
        raise SourceError(f"{root} has no folder {folder!r}; there are {_names(place.parent)}.")
    there = sorted({re.sub(r"-\d{5}-of-\d{5}$", "", one.stem) for one in place.rglob("*.parquet")})
    raise SourceError(f"{place} has no split {split!r}; there are {there}.")


def _files(folder: Path, split: str) -> list[Path]:
    """Return the files of a split in their order, none where there are none."""
    whole = folder / f"{split}.parquet"
    if whole.is_file():
        return [whole]
    pattern = re.compile(re.escape(split) + r"-(\d{5})-of-(\d{5})\.parquet")
    found = sorted(one for one in folder.glob("*.parquet") if pattern.fullmatch(one.name))
    if found and [one.name for one in found] != [
        f"{split}-{part:05d}-of-{len(found):05d}.parquet" for part in range(len(found))
    ]:
        raise DamagedError(f"{folder} holds only {[one.name for one in found]} of the split; copy the other files too.")
    return found


def _read(files: list[Path], base: Path) -> Dataset:
    """Return the rows of parquet files that lie in `base`, also when links are followed."""
    check_below(base, files)
    try:
        return Dataset.from_parquet([str(one) for one in files])
    except Exception as fault:  # pyarrow and datasets raise many kinds
        raise DamagedError(
            f"{files[0]} cannot be read as parquet ({first_line(fault.__cause__ or fault)}); restore the file."
        ) from fault


def _names(folder: Path) -> list[str]:
    """Return the names of the folders in `folder`, none where it is not there."""
    return sorted(one.name for one in folder.iterdir() if one.is_dir()) if folder.is_dir() else []
