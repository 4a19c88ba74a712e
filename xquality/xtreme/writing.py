"""Writers of predictions and labels in the official layout: all files or none, each read back before it counts."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xquality._files import atomic_folder, write_text
from xquality._settings import path as path_setting
from xquality.errors import MetricError, SettingError
from xquality.languages import describe_known
from xquality.xtreme.layout import QUESTION_TASKS, TAGGING_TASKS, file_name, find_benchmark
from xquality.xtreme.reading import read_answers, read_questions, read_values

_CODE = re.compile(r"[A-Za-z]{2,8}([._-][A-Za-z0-9]{1,8})*")  # a part of a file's name

ByTask = Mapping[str, Mapping[str, Any]]
"""Predictions or references by task and language."""


def write_submission(
    folder: str | Path, predictions: ByTask, *, version: str = "xtreme", partial: bool = False
) -> Path:
    """Write the predictions of some tasks below `folder`, as `{task}/test-{language}.{tsv|json|jsonl}`.

    Args:
        folder: a new or empty folder.
        predictions: by task and language, under their official names: for accuracy tasks the labels (strings or whole
            numbers; in Tatoeba row numbers), for tagging the tags of each sentence, for questions the answer by id,
            for BUCC (source id, target id) pairs, for XCOPA of XTREME-R the labels, for Mewsli-X the entities by
            mention.
        version: "xtreme" or "xtreme-r".
        partial: True accepts a task without all of its languages, and languages that the benchmark does not have, such
            as "ro" for XNLI; the official code scores neither.

    Returns:
        The folder.

    Raises:
        SettingError: where the folder exists and is not empty.
        MetricError: for a task or language that the version does not have, a missing language, and values that the
            official code would read as different ones, such as a tag with a blank around it.
    """
    path = _check_free(folder, "The submission's")
    _check_layout(predictions, version, partial=partial)
    with atomic_folder(path) as unfinished:
        _write_predictions(unfinished, predictions)
    return path


def write_labels(folder: str | Path, references: ByTask, *, version: str = "xtreme", partial: bool = False) -> Path:
    """Write the references of some tasks below `folder`, in the layout that `score_folder` and `score_file` read.

    Args:
        folder: a new or empty folder.
        references: by task and language, in the forms of `write_submission`, except that the id of a question has a
            list of right answers.
        version: "xtreme" or "xtreme-r".
        partial: True accepts a task without all of its languages, and languages that the benchmark does not have.

    Returns:
        The folder.

    Raises:
        SettingError: where the folder exists and is not empty.
        MetricError: as `write_submission`, and for questions whose answers are not lists of texts.

    Example:
        >>> import tempfile
        >>> from xquality.xtreme import score_file, write_submission
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     labels = write_labels(f"{folder}/labels", {"xquad": {"de": {"q1": ["Rom", "in Rom"]}}}, partial=True)
        ...     ours = write_submission(f"{folder}/ours", {"xquad": {"de": {"q1": "Rom"}}}, partial=True)
        ...     score_file(ours / "xquad/test-de.json", labels / "xquad/test-de.json", "xquad", "de")
        {'exact_match': 100.0, 'f1': 100.0}
    """
    questions = {task: languages for task, languages in references.items() if task in QUESTION_TASKS}
    others = {task: languages for task, languages in references.items() if task not in QUESTION_TASKS}
    for task, languages in questions.items():
        for language, answers in languages.items():
            _check_right_answers(task, language, answers)
    path = _check_free(folder, "The labels'")
    _check_layout(references, version, partial=partial)
    with atomic_folder(path) as unfinished:
        _write_predictions(unfinished, others)
        for task, languages in questions.items():
            (unfinished / task).mkdir()
            for language, answers in languages.items():
                _write_questions(unfinished / task / file_name(task, language), answers)
    return path


def _check_free(folder: str | Path, whose: str) -> Path:
    """Return a folder's absolute path, or raise `SettingError` where it exists and is not empty."""
    path = path_setting("xquality.xtreme", "folder", folder).resolve()
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise SettingError(f"{whose} folder {path} exists and is not empty; name a new one.")
    return path


def _check_layout(values: ByTask, version: str, *, partial: bool) -> None:
    """Raise `MetricError` for an unknown task or language, and without `partial` for a missing language."""
    known = find_benchmark(version).languages
    for task, languages in values.items():
        if not known.get(task):
            raise MetricError(
                f"There is no task {task!r} in {version}; there are {', '.join(filter(known.get, known))}."
            )
        unknown = [language for language in languages if language not in known[task]]
        if unknown and not partial:
            raise MetricError(
                f"{task} has no language {unknown[0]!r} in {version}{describe_known(unknown[0], known[task])}; set "
                "partial=True to write others too, which the official code does not score."
            )
        wrong = [language for language in unknown if not _CODE.fullmatch(str(language))]
        if wrong:
            raise MetricError(f"{task} has no language {wrong[0]!r}, which is no code; give one such as 'ro'.")
        missing = [language for language in known[task] if language not in languages]
        if missing and not partial:
            raise MetricError(
                f"{task} is scored in all its languages, but {', '.join(missing)} are missing; add them, or set "
                "partial=True."
            )


def _check_right_answers(task: str, language: str, answers: object) -> None:
    """Raise `MetricError` where right answers are not lists of texts by id that can be written."""
    by_id: Mapping[Any, Any] = answers if isinstance(answers, Mapping) else {None: None}
    are_lists = all(isinstance(name, str) and isinstance(texts, list) for name, texts in by_id.items())
    if not are_lists or not all(isinstance(text, str) for texts in by_id.values() for text in texts):
        raise MetricError(f"The right answers of {task} in {language!r} must be a list of texts for each id.")
    try:
        "".join("".join((name, *texts)) for name, texts in by_id.items()).encode()
    except UnicodeEncodeError as fault:
        raise MetricError(f"The right answers of {task} in {language!r} contain half a character ({fault}).") from fault


def _write_questions(file: Path, answers: Mapping[str, Sequence[str]]) -> None:
    """Write questions in SQuAD's nested form, or raise `MetricError` where they are not read back unchanged."""
    questions = [{"id": name, "answers": [{"text": text} for text in texts]} for name, texts in answers.items()]
    write_text(file, json.dumps({"data": [{"paragraphs": [{"qas": questions}]}]}, ensure_ascii=False))
    if read_questions(file) != [(name, list(texts)) for name, texts in answers.items()]:
        raise MetricError(f"The labels in {file} are not read back unchanged.")


def _write_predictions(folder: Path, predictions: ByTask) -> None:
    """Write the predictions of each task and language."""
    for task, languages in predictions.items():
        (folder / task).mkdir()
        for language, values in languages.items():
            _write_file(folder / task / file_name(task, language), task, language, values)


def _write_file(file: Path, task: str, language: str, values: Any) -> None:
    """Write the predictions of one language, or raise `MetricError` where they are not read back unchanged."""
    try:
        intended = _to_official(task, values)
        file.write_bytes(_to_text(task, intended).encode())
    except (TypeError, ValueError, AttributeError) as fault:
        raise MetricError(f"The predictions of {task} in {language!r} cannot be written: {fault}.") from fault
    found = read_answers(file, []) if task in QUESTION_TASKS else read_values(task, file)
    if found == intended:
        return
    changed = intended
    if isinstance(intended, list):
        pairs = zip(intended, found, strict=False)
        changed = next((value for value, read in pairs if value != read), intended[-1])
    raise MetricError(
        f"The predictions of {task} in {language!r} hold {changed!r}, which the official code reads as something else."
    )


def _to_official(task: str, values: Any) -> Any:
    """Return predictions in the form that the official code reads from a file, or raise `TypeError`."""
    if task in QUESTION_TASKS or task == "mewslix":
        kind = str if task in QUESTION_TASKS else list
        wrong = [name for name, value in values.items() if not isinstance(name, str) or not isinstance(value, kind)]
        if wrong:
            raise TypeError(f"{wrong[0]!r} has {values[wrong[0]]!r}, not a {kind.__name__}")
        return dict(values)
    if isinstance(values, str | Mapping):
        raise TypeError(f"they are a {type(values).__name__}, not a list")
    if task in TAGGING_TASKS:
        if any(isinstance(sentence, str) for sentence in values):
            raise TypeError("a sentence is a string, not a list of tags")
        return [[_to_label(tag) for tag in sentence] for sentence in values]
    if task == "bucc2018":
        return [_to_pair(pair) for pair in values]
    if task == "xcopa":
        return [value.item() if hasattr(value, "item") else value for value in values]
    return [_to_label(value) for value in values]


def _to_label(value: Any) -> str:
    """Return a label as text: a string, or a whole number's digits."""
    if hasattr(value, "item"):  # of an array
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"{value!r} is neither a string nor a whole number")
    return str(value)


def _to_pair(pair: Any) -> tuple[str, ...]:
    """Return a pair of sentence ids, from a pair or a line."""
    source, target = pair.split("\t") if isinstance(pair, str) else pair
    if not isinstance(source, str) or not isinstance(target, str):
        raise TypeError(f"{pair!r} is no pair of ids")
    return source, target


def _to_text(task: str, values: Any) -> str:
    """Return the text of the file with predictions in the official form."""
    if task in QUESTION_TASKS:  # the official code would read the value of a question with the id `data` as the whole
        return json.dumps({"data": values} if "data" in values else values, ensure_ascii=False, indent=1)
    if task == "mewslix":
        return json.dumps(values, ensure_ascii=False)
    if task == "xcopa":
        return "".join(json.dumps({"label": value}) + "\n" for value in values)
    if task in TAGGING_TASKS:
        return "".join("".join(f"{tag}\n" for tag in sentence) + "\n" for sentence in values)
    return "".join(("\t".join(value) if isinstance(value, tuple) else value) + "\n" for value in values)
