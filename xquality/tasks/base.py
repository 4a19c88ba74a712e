"""Task: what is known about a task before any model sees it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

from datasets import Dataset

from xquality import _settings
from xquality.data.provenance import with_origin
from xquality.data.source import Source
from xquality.data.uids import UID, with_uid
from xquality.errors import SourceError
from xquality.heads import Head, SequenceHead
from xquality.tasks.classes import with_classes


def as_they_are(data: Dataset) -> Dataset:
    """Return the rows as they are."""
    return data


@final
@dataclass(frozen=True)
class Task:
    """A task in several languages.

    Attributes:
        name: the task's name, as scores print it.
        languages: the languages to evaluate in, as the dataset spells them.
        source_language: the language of the training data where none is named.
        source: where rows come from.
        head: how rows become tensors, predictions and scores; None for data that no head reads yet.
        rename: columns of the data that get another name, old to new.
        normalise: brings the rows into the columns that the head reads, whatever the data call them (`tasks.shapes`).
        evaluation_split: the split that `evaluate` scores.
        validation_split: the split that curves are measured on during training.
        train_languages: the languages that have a training split; None for all.
        citation: the paper to cite, in one line.

    Example, a task over data of your own in three lines:
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

    name: str
    languages: tuple[str, ...]
    source_language: str
    source: Source
    head: Head | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    normalise: Callable[[Dataset], Dataset] = field(default=as_they_are, repr=False)  # its repr has an address
    evaluation_split: str = "test"
    validation_split: str = "validation"
    train_languages: tuple[str, ...] | None = None
    citation: str = ""

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
            raise SourceError(f"{self.name} has no language {language!r}; there are {', '.join(known)}.")
        data = self.source.load(language, _settings.text(self.name, "split", split), root)
        present = {
            old: new for old, new in self.rename.items() if old in data.column_names and new not in data.column_names
        }
        data = data.rename_columns(present) if present else data
        shaped = self.normalise(data if UID in data.column_names else with_uid(data))
        ready = with_classes(shaped, "label", self.head.labels) if isinstance(self.head, SequenceHead) else shaped
        return with_origin(ready, self.name, language, split)
