"""JoinedSource: the rows of several tasks, one task after the other, so that each counts in proportion to its size."""

from dataclasses import dataclass
from pathlib import Path
from typing import final

from datasets import Dataset

from xquality.data.uids import concatenate
from xquality.tasks.base import Task


@final
@dataclass(frozen=True)
class JoinedSource:
    """Several tasks of one shape and one label space as one.

    A row's uid is the name of its task and its number there, such as "snli/17".

    Attributes:
        parts: the tasks, each with a name of its own.
    """

    parts: tuple[Task, ...]

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return the rows of all parts; none is left out silently.

        Raises:
            SourceError: where one part has no such split.
        """
        rows = [part.load(language, split, root) for part in self.parts]
        return concatenate(rows, names=[part.name for part in self.parts])
