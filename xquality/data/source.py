"""Where a task's rows come from: the Hub at a pinned revision, a local folder, or memory."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Protocol, final

from datasets import Dataset, DatasetDict

from xquality._settings import AnyNames, Name, check_settings, mapping, text
from xquality.data.hub import fetch
from xquality.data.local_files import local_root, read_local
from xquality.errors import SettingError, SourceError


class Source(Protocol):
    """What a task reads its rows from. A source of your own needs this one method."""

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return the rows of one split in one language, in their fixed order."""
        ...


def check_source(owner: str, name: str, value: object) -> Any:
    """Return `value` where it is a source."""
    if not callable(getattr(value, "load", None)) or isinstance(value, type):
        raise SettingError(
            f"{owner}({name}=...) must be a source, with a method load(language, split, root), such as "
            f"xquality.tasks.MemorySource or LocalSource, not {type(value).__name__}."
        )
    return value


def check_template(owner: str, name: str, value: object) -> str:
    """Return `value` where it is a path with no placeholder but `{language}`."""
    template = text(owner, name, os.fspath(value) if isinstance(value, os.PathLike) else value)
    try:
        template.format(language="")
    except (KeyError, IndexError, ValueError) as fault:
        raise SettingError(f"{owner}({name}={value!r}) may hold no placeholder but {{language}}.") from fault
    return template


def check_rows(owner: str, name: str, value: object) -> dict[tuple[str, str], Dataset]:
    """Return `value` as a dict where it maps languages and splits to datasets."""
    if isinstance(value, DatasetDict):
        raise SettingError(
            f"{owner}({name}) must say which language the rows are in, which a DatasetDict does not; write "
            "{('es', split): data for split, data in splits.items()}, with your language."
        )
    if isinstance(value, Mapping) and all(
        isinstance(key, tuple) and [type(part) for part in key] == [str, str] and isinstance(data, Dataset)
        for key, data in value.items()
    ):
        return dict(value)
    raise SettingError(
        f"{owner}({name}) must map a language and a split to a dataset, such as {{('es', 'train'): data}}."
    )


@final
@dataclass(frozen=True)
class HubSource:
    """A dataset on the Hub, and the same dataset in a local folder.

    Attributes:
        repository: the Hub id.
        revision: the commit that is read; never a branch, so that a row's number keeps its meaning.
        folder: where a local copy lies below the root, with `{language}` in its place.
        configuration: the configuration's name on the Hub, with `{language}` in its place.
        splits: the splits that have another name in the dataset: the task's name to the dataset's.
        spelling: the languages that the Hub spells differently from the task and the local copy.
    """

    repository: Name
    revision: Name
    folder: Annotated[str, check_template]
    configuration: Annotated[str, check_template] = "{language}"
    splits: Annotated[Mapping[str, str], mapping] = field(default_factory=dict)
    spelling: Annotated[Mapping[str, str], mapping] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_settings(self)

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return the rows from `root` (or the folder named by XQUALITY_DATA) where given, else from the Hub.

        Raises:
            SourceError: where the folder, the language, the split or the repository does not exist.
            DamagedError: where its files cannot be read.
        """
        base, name = local_root(root), self.splits.get(split, split)
        if base is not None:
            return read_local(base, self.folder.format(language=language), name)
        spelled = self.spelling.get(language, language)
        return fetch(self.repository, self.configuration.format(language=spelled), name, self.revision)


@final
@dataclass(frozen=True)
class LocalSource:
    r"""Files of your own: a folder for each language with one file for each split, in parquet, JSON lines or CSV.

    A split is one file, such as `train.csv`, or numbered ones, such as `train-00000-of-00002.parquet`, also in a
    folder `data` in between. Files named `.parquet` are looked for first, then `.jsonl`, then `.csv`.

    Attributes:
        folder: the folder of a language, with `{language}` in its place, such as "reviews/{language}". Where it is
            relative, it lies below the local root (`root`, or XQUALITY_DATA), and without one below the working
            directory.
        splits: the splits whose files have another name: the task's name to the files'.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     (Path(folder) / "es").mkdir()
        ...     _ = (Path(folder) / "es" / "train.csv").write_text("text,label\nsi,1\nno,0\n", encoding="utf-8")
        ...     rows = LocalSource(f"{folder}/{{language}}").load("es", "train", None)
        >>> rows[0]
        {'text': 'si', 'label': 1}
    """

    folder: Annotated[str, check_template]
    splits: Annotated[Mapping[str, str], mapping] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_settings(self)

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return the rows of a split's file or files.

        Raises:
            SourceError: where the folder, the language or the split does not exist, or a path leaves the folder.
            DamagedError: where a file cannot be read, naming the line where it has lines.
        """
        # The folders above the first one with a placeholder are fixed: a language may not lead out of them.
        *above, last = Path(self.folder).expanduser().parts
        fixed = next((place for place, part in enumerate(above) if "{language}" in part), len(above))
        below = str(Path(*above[fixed:], last)).format(language=language)
        base = (local_root(root) or Path()).joinpath(*above[:fixed])
        return read_local(base, below, self.splits.get(split, split))


@final
@dataclass(frozen=True)
class MemorySource:
    """Rows that are in memory already: the quickest way to a task over data of your own.

    Attributes:
        rows: for each language and split, for example `{("es", "train"): data}`.
    """

    rows: Annotated[Mapping[tuple[str, str], Dataset], check_rows] = field(compare=False)

    def __post_init__(self) -> None:
        check_settings(self)

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
    """A dataset, and another one for what it lacks, such as XQuAD, which is trained on SQuAD.

    Attributes:
        rows: where rows come from otherwise.
        extra: where the rows of `language` in `splits` come from.
        language: the language.
        splits: the splits; empty for all.
    """

    rows: Annotated[Source, check_source]
    extra: Annotated[Source, check_source]
    language: Name = "en"
    splits: AnyNames = ("train",)

    def __post_init__(self) -> None:
        check_settings(self)

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return the rows from the one or the other.

        Raises:
            SourceError: as the source that is read.
        """
        supplemented = language == self.language and (not self.splits or split in self.splits)
        return (self.extra if supplemented else self.rows).load(language, split, root)
