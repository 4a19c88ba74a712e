"""Write gold labels as XTREME's scorer reads them, so that local data can be scored as a submission."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xquality._files import atomic_folder, write_text
from xquality.errors import MetricError
from xquality.xtreme.layout import ANSWERS, file_name
from xquality.xtreme.reading import read_questions
from xquality.xtreme.submission import Predictions, free_folder, write_submission


def write_labels(
    folder: str | Path, references: Predictions, *, version: str = "xtreme", partial: bool = False
) -> Path:
    """Write what is right in some tasks below `folder`, in the layout that `score_folder` and `score_file` read.

    Args:
        folder: a folder that is not there yet, or is empty.
        references: for each task and language what is right, in the forms of `write_submission`, except that a
            question's id has a list of right answers.
        version: "xtreme" or "xtreme-r".
        partial: True takes a task without all of its languages.

    Returns:
        The folder.

    Raises:
        SettingError: where the folder is there and not empty.
        MetricError: as `write_submission`, and for questions whose answers are no lists of texts.

    Example:
        >>> import tempfile
        >>> from xquality.xtreme import score_file, write_submission
        >>> with tempfile.TemporaryDirectory() as place:
        ...     gold = write_labels(f"{place}/gold", {"xquad": {"de": {"q1": ["Rom", "in Rom"]}}}, partial=True)
        ...     ours = write_submission(f"{place}/ours", {"xquad": {"de": {"q1": "Rom"}}}, partial=True)
        ...     score_file(ours / "xquad/test-de.json", gold / "xquad/test-de.json", "xquad", "de")
        {'exact_match': 100.0, 'f1': 100.0}
    """
    for task, languages in references.items():
        for language, values in languages.items() if task in ANSWERS else ():
            _check(task, language, values)
    # Questions are written as if each had been answered with nothing, and then given the form that gold answers have.
    plain = {
        task: {one: dict.fromkeys(values, "") if task in ANSWERS else values for one, values in languages.items()}
        for task, languages in references.items()
    }
    place = free_folder(folder, "The labels'")
    with atomic_folder(place) as unfinished:
        write_submission(unfinished, plain, version=version, partial=partial)
        for task, languages in references.items():
            for language, values in languages.items() if task in ANSWERS else ():
                _write(unfinished / task / file_name(task, language), values)
    return place


def _check(task: str, language: str, values: object) -> None:
    """Raise where answers are no lists of texts by id."""
    lists: list[Any] = list(values.values()) if isinstance(values, Mapping) else [None]
    if not all(isinstance(one, list) and all(isinstance(text, str) for text in one) for one in lists):
        raise MetricError(f"The right answers of {task} in {language!r} must be a list of texts for each id.")
    try:
        "".join(text for one in lists for text in one).encode()
    except UnicodeEncodeError as fault:
        raise MetricError(f"The right answers of {task} in {language!r} hold half a character ({fault}).") from fault


def _write(file: Path, answers: Mapping[str, Sequence[str]]) -> None:
    """Write questions in SQuAD's nested form, and raise where they do not come back as they are."""
    asked = [{"id": name, "answers": [{"text": text} for text in texts]} for name, texts in answers.items()]
    write_text(file, json.dumps({"data": [{"paragraphs": [{"qas": asked}]}]}, ensure_ascii=False))
    if read_questions(file) != [(name, list(texts)) for name, texts in answers.items()]:
        raise MetricError(f"The labels in {file} do not come back as they are.")
