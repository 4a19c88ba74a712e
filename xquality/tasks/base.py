"""Task: what is known about a task before any model sees it."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, Any, final

from datasets import Dataset

from xquality._settings import Name, Names, check_settings, mapping, optional, text, texts
from xquality.data._datasets import table_of
from xquality.data.arrow import get_column
from xquality.data.provenance import with_origin
from xquality.data.source import HubSource, Source, check_source
from xquality.data.uids import UID, with_uid
from xquality.errors import SettingError, SourceError
from xquality.heads import Head, SequenceHead
from xquality.languages import describe_known
from xquality.tasks.shapes import with_head_labels


def xtreme_bundle(folder: str, configuration: str, spelling: Mapping[str, str] | None = None) -> HubSource:
    """Return a part of the XTREME bundle on the Hub, at the one commit that all tasks read.

    The bundle holds parquet files made from the official ones. The arguments are those of `HubSource`.
    """
    revision = "ec5f1f46e9af79639a90684a7a70a956c4998f04"
    return HubSource("google/xtreme", revision, folder, configuration=configuration, spelling=spelling or {})


def keep_rows(data: Dataset) -> Dataset:
    """Return the rows as they are."""
    return data


def _check_head(owner: str, name: str, value: object) -> Head | None:
    """Return `value` where it is a head or None."""
    if value is not None and not isinstance(value, Head):
        raise SettingError(
            f"{owner}({name}=...) must be a head, such as xquality.heads.SequenceHead(...), or None, not "
            f"{type(value).__name__}."
        )
    return value


def _check_function(owner: str, name: str, value: object) -> Any:
    """Return `value` where it can be called."""
    if not callable(value):
        raise SettingError(
            f"{owner}({name}=...) must be a function of a dataset that returns a dataset, not {type(value).__name__}."
        )
    return value


@final
@dataclass(frozen=True)
class Task:
    """A task in several languages.

    Attributes:
        name: the task's name, as scores print it.
        languages: the languages to evaluate in, as the dataset spells them.
        source_language: the language of the training data where none is named.
        source: where rows come from: a `HubSource`, `LocalSource` or `MemorySource`, or an object of your own with
            the method `load(language, split, root)`.
        head: how rows become tensors, predictions and scores; None for data that no head reads yet.
        rename: columns of the data that get another name, old to new.
        normalise: a function that brings the rows into the columns that the head reads, whatever the data call them.
        evaluation_split: the split that `evaluate` scores.
        validation_split: the split that curves are measured on during training.
        train_languages: the languages that have a training split; None for all.
        citation: the paper to cite, in one line.

    Raises:
        SettingError: for a setting of another kind.

    Example:
        A task over data of your own, in three lines:

        >>> from datasets import ClassLabel, Dataset, Features, Value
        >>> from xquality.heads import SequenceHead
        >>> from xquality.tasks import MemorySource
        >>> features = Features({"text": Value("string"), "label": ClassLabel(names=["no", "yes"])})
        >>> rows = Dataset.from_dict({"text": ["si", "no"], "label": [1, 0]}, features=features)
        >>> head = SequenceHead(columns=("text",), labels=("no", "yes"))
        >>> mine = Task("mine", ("es",), "es", MemorySource({("es", "train"): rows}), head)
        >>> mine.load("es", "train")["uid"][:]
        [0, 1]
    """

    name: Name
    languages: Names
    source_language: Name
    source: Annotated[Source, check_source]
    head: Annotated[Head | None, _check_head] = None
    rename: Annotated[Mapping[str, str], mapping] = field(default_factory=dict)
    # Its repr holds an address, which would change the digest of a study in every process.
    normalise: Annotated[Callable[[Dataset], Dataset], _check_function] = field(default=keep_rows, repr=False)
    evaluation_split: Name = "test"
    validation_split: Name = "validation"
    train_languages: Annotated[tuple[str, ...] | None, optional(partial(texts, least=0))] = None
    citation: str = ""

    def __post_init__(self) -> None:
        check_settings(self)

    def with_languages(self, *languages: str) -> "Task":
        """Return the same task with further languages to evaluate in, after those that it has.

        Their rows are read as those of the others: from the folder or the configuration of this name, or where the
        source has them.

        Raises:
            SettingError: where a language is no name.

        Example:
            >>> from xquality.tasks import xnli
            >>> xnli.with_languages("ro", "uk").languages[-3:]
            ('zh', 'ro', 'uk')
        """
        added = texts(self.name, "languages", languages)
        return dataclasses.replace(self, languages=tuple(dict.fromkeys((*self.languages, *added))))

    def load(self, language: str, split: str, root: str | Path | None = None) -> Dataset:
        """Return one split in one language, with `uid` the row's number in the pinned split.

        Rows of parallel languages therefore pair by uid. Classification labels come as ClassLabel in `label`.

        Args:
            language: one of `languages` (or of the training languages), as the dataset spells it.
            split: for example "train", "validation" or "test".
            root: a folder of local data; None for the one named by XQUALITY_DATA, and the Hub without it.

        Raises:
            SourceError: where the task has no such language, or the data have no such split.
            ColumnError: where the data lack a column.
            LabelError: where a label is not one of the task's.
            DamagedError: where a file cannot be read.
        """
        known = tuple(dict.fromkeys((*self.languages, *(self.train_languages or ()))))
        if language not in known:
            raise SourceError(f"{self.name} has no language {language!r}{describe_known(language, known)}.")
        data = self.source.load(language, text(self.name, "split", split), root)
        names = data.column_names
        present = {old: new for old, new in self.rename.items() if old in names and new not in names}
        data = data.rename_columns(present) if present else data
        data = self.normalise(data if UID in data.column_names else with_uid(data))
        if isinstance(self.head, SequenceHead):
            get_column(table_of(data), "label", "Task.load")
        return with_origin(with_head_labels(data, self.head), self.name, language, split)
