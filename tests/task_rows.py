"""Loading every split of a task from the local data, for the tests of tasks."""

from pathlib import Path

from datasets import Dataset, Features

from xquality.errors import SourceError
from xquality.tasks import Task

Rows = dict[tuple[str, str], Dataset]


def load_splits(task: Task, root: Path, splits: tuple[str, ...] = ("train", "validation", "test")) -> Rows:
    """Return every language and split of a task that the folder has, after checking what holds for all of them."""
    found: Rows = {}
    for language in dict.fromkeys((*task.languages, *(task.train_languages or ()))):
        for split in splits:
            try:
                found[language, split] = task.load(language, split, root)
            except SourceError:
                continue
    assert found
    (features,) = {repr(data.features): data.features for data in found.values()}.values()  # one schema for all
    assert isinstance(features, Features)
    for data in found.values():
        assert data["uid"][:] == list(range(len(data)))
    return found


def row_counts(rows: Rows, *splits: str) -> dict[str, tuple[int, ...]]:
    """Return the number of rows of each language, for the splits that are named."""
    languages = dict.fromkeys(language for language, split in rows if split in splits)
    return {
        language: tuple(len(rows[language, split]) for split in splits if (language, split) in rows)
        for language in languages
    }
