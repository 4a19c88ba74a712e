"""Task: what is known about a task before any model sees it.

May import: errors, checks, arrow, identity, provenance, randomness, source, heads | datasets, pyarrow.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel, Dataset, Features

from xquality import checks
from xquality.arrow import column, dataset_of, replace, table_of
from xquality.errors import LabelError, SourceError
from xquality.heads import Head, SequenceHead
from xquality.identity import UID, with_uid
from xquality.provenance import with_origin
from xquality.randomness import key
from xquality.source import Source


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
        evaluation_split: the split that `evaluate` scores.
        validation_split: the split that curves are measured on during training.
        train_languages: the languages that have a training split; None for all.
        citation: the paper to cite, in one line.

    Example, a task over data of your own in three lines:
        >>> from datasets import ClassLabel, Dataset, Features, Value
        >>> from xquality.heads import SequenceHead
        >>> from xquality.source import MemorySource
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
            LabelError: where a label is not one of the task's.
        """
        known = tuple(dict.fromkeys((*self.languages, *(self.train_languages or ()))))
        if language not in known:
            raise SourceError(f"{self.name} has no language {language!r}; there are {', '.join(known)}.")
        data = self.source.load(language, checks.text(self.name, "split", split), root)
        present = {
            old: new for old, new in self.rename.items() if old in data.column_names and new not in data.column_names
        }
        data = data.rename_columns(present) if present else data
        stamped = data if UID in data.column_names else with_uid(data)
        ready = _labelled(stamped, self.head.labels) if isinstance(self.head, SequenceHead) else stamped
        return with_origin(ready, self.name, language, split)


def _labelled(data: Dataset, labels: tuple[str, ...]) -> Dataset:
    """Return the data with `label` as a ClassLabel of the given names, whatever names or order it came with."""
    wanted = ClassLabel(names=list(labels))
    feature = data.features.get("label")
    if isinstance(feature, ClassLabel) and tuple(feature.names) == labels:
        return data
    values = column(table_of(data), "label", "Task.load")
    if isinstance(feature, ClassLabel):  # the same classes in another order: by name, so that none is mistaken
        names = pa.array([*feature.names, None])
        places = pc.if_else(pc.less(values, 0), len(feature.names), pc.coalesce(values, len(feature.names)))
        values = names.take(places.combine_chunks())
    present = [one for one in values.unique().to_pylist() if one is not None]
    numbers = all(isinstance(one, int) and -1 <= one < len(labels) for one in present)
    if not numbers and any(one not in labels for one in present):
        strange = sorted(str(one) for one in present if one not in labels)
        raise LabelError(f"The labels {list(labels)} were expected, but the data have {strange}; check the revision.")
    codes = values.cast(pa.int64()) if numbers else pc.index_in(values, pa.array(labels)).cast(pa.int64())
    features = Features({**data.features, "label": wanted})
    table = replace(table_of(data), "label", codes)
    fingerprint = f"{key(data._fingerprint, 'labels', *labels):016x}"  # noqa: SLF001 (our own fingerprint)
    return dataset_of(table, features, like=data, fingerprint=fingerprint)
