"""CCG supertagging: the lexical category of every word of the Wall Street Journal, from CCGbank, in English.

The corpus is licensed by the Linguistic Data Consortium (LDC2005T13) and is not on the Hub. Put its sentences below the
root as `ccg/train.txt` (sections 02 to 21), `ccg/validation.txt` (section 00) and `ccg/test.txt` (section 23), in a
form that `tasks.supertags` describes. Rows have `tokens` and `tags`. The categories are not fixed by the task: they are
all those that the files hold, in alphabetical order: `with_categories(root)` gives the task a head for them.

Licence: LDC User Agreement.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import final

from datasets import ClassLabel, Dataset, Features, List, Value

from xquality.data.local_files import check_below, folder_below, local_root
from xquality.errors import SourceError
from xquality.heads import TokenHead
from xquality.tasks.base import Task
from xquality.tasks.supertags import Supertagged, read_supertags


def categories(root: str | Path | None = None) -> tuple[str, ...]:
    """Return every category of the local files, in alphabetical order: the labels for a head.

    Raises:
        SourceError: where there are no files.
        DamagedError: for a line of another form, naming it.
    """
    return _names(_files(root))


@final
@dataclass(frozen=True)
class SupertagSource:
    """CCG supertagging from text files in a local folder, which there is no copy of elsewhere."""

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:  # noqa: ARG002 (English alone)
        """Return `tokens` and `tags` of one split.

        Raises:
            SourceError: where the files are not there, with where to get them.
            DamagedError: for a line of another form, naming it.
        """
        files = _files(root)
        if split not in files:
            raise SourceError(f"CCG has no split {split!r} here; there are {', '.join(files)}.")
        names = _names(files)
        places = {name: place for place, name in enumerate(names)}
        tags = [[places[one] for one in several] for _, several in files[split]]
        features = Features({"tokens": List(Value("string")), "tags": List(ClassLabel(names=list(names)))})
        return Dataset.from_dict({"tokens": [words for words, _ in files[split]], "tags": tags}, features=features)


def _files(root: str | Path | None) -> dict[str, list[Supertagged]]:
    """Return the sentences of every split that is there."""
    base = local_root(root)
    place = folder_below(base, "ccg") if base else None
    found = sorted(place.glob("*.txt")) if place is not None and place.is_dir() else []
    if not found:
        raise SourceError(
            "CCG supertagging is read from local files alone: order CCGbank from the Linguistic Data Consortium "
            "(LDC2005T13), write its sentences to ccg/train.txt, ccg/validation.txt and ccg/test.txt as "
            "word|POS|category tokens, and name the folder above them by root= or XQUALITY_DATA."
        )
    assert base is not None
    check_below(base, found)
    return {one.stem: read_supertags(one) for one in found}


def _names(files: dict[str, list[Supertagged]]) -> tuple[str, ...]:
    """Return the categories that any sentence holds."""
    return tuple(sorted({one for sentences in files.values() for _, several in sentences for one in several}))


ccg = Task(
    name="ccg",
    languages=("en",),
    source_language="en",
    source=SupertagSource(),
    evaluation_split="validation",
    citation="Hockenmaier and Steedman 2007, CCGbank: A Corpus of CCG Derivations (Computational Linguistics)",
)


def with_categories(root: str | Path | None = None) -> Task:
    """Return the task with a head for the categories that the local files hold, which can be trained.

    Raises:
        SourceError: where there are no files.
        DamagedError: for a line of another form, naming it.
    """
    return dataclasses.replace(ccg, head=TokenHead(categories(root), tags="tags", metrics=("accuracy",)))
