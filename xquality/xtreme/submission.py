"""Write predictions as a submission in the official layout: whole or not at all, and read back before it counts."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from xquality._files import atomic_folder
from xquality.errors import MetricError, SettingError
from xquality.xtreme.layout import ANSWERS, TAGGING, benchmark, file_name
from xquality.xtreme.reading import read_answers, read_choices, read_entities, read_labels, read_tags

Predictions = Mapping[str, Mapping[str, Any]]


def write_submission(
    folder: str | Path, predictions: Predictions, *, version: str = "xtreme", partial: bool = False
) -> Path:
    """Write the predictions of some tasks below `folder`, as `{task}/test-{language}.{tsv|json|jsonl}`.

    Args:
        folder: a folder that is not there yet, or is empty.
        predictions: for each task and language what was predicted: for accuracy tasks the labels (strings or whole
            numbers; in Tatoeba row numbers), for tagging the tags of each sentence, for questions the answer for each
            id, for BUCC (source id, target id) pairs, for XCOPA of XTREME-R the labels, for Mewsli-X the entities for
            each mention.
        version: "xtreme" or "xtreme-r".
        partial: True takes a task without all of its languages, which the official code does not score.

    Returns:
        The folder.

    Raises:
        SettingError: where the folder is there and not empty.
        MetricError: for a task or language that the version does not have, a language that is missing, and values
            that do not come back from the file as they are, such as a tag with a blank around it.
    """
    place = free_folder(folder, "The submission's")
    _check(predictions, version, partial=partial)
    with atomic_folder(place) as unfinished:
        for task, languages in predictions.items():
            (unfinished / task).mkdir()
            for language, values in languages.items():
                _write(unfinished / task / file_name(task, language), task, language, values)
    return place


def free_folder(folder: str | Path, whose: str) -> Path:
    """Return a folder's absolute path, or raise `SettingError` where it is there and not empty."""
    place = Path(folder).resolve()
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise SettingError(f"{whose} folder {place} is there already and not empty; name a new one.")
    return place


def _check(predictions: Predictions, version: str, *, partial: bool) -> None:
    """Raise for tasks and languages that are not there, or not all there."""
    known = benchmark(version).languages
    for task, languages in predictions.items():
        if not known.get(task):
            raise MetricError(
                f"There is no task {task!r} in {version}; there are {', '.join(filter(known.get, known))}."
            )
        strange = [one for one in languages if one not in known[task]]
        if strange:
            raise MetricError(f"{task} has no language {strange[0]!r}; it has {', '.join(known[task])}.")
        missing = [one for one in known[task] if one not in languages]
        if missing and not partial:
            raise MetricError(
                f"{task} is scored in all its languages, but {', '.join(missing)} are missing; add them, or set "
                "partial=True."
            )


def _write(file: Path, task: str, language: str, values: Any) -> None:
    """Write what was predicted for one language, and raise where it does not come back as it is."""
    try:
        meant = _meant(task, values)
        text = _text(task, meant)
        file.write_bytes(text.encode())
    except (TypeError, ValueError, AttributeError) as fault:
        raise MetricError(f"The predictions of {task} in {language!r} cannot be written: {fault}.") from fault
    found = _back(task, file)
    if found == meant:
        return
    odd = meant
    if isinstance(meant, list):
        odd = next((one for one, other in zip(meant, found, strict=False) if one != other), meant[-1])
    raise MetricError(
        f"The predictions of {task} in {language!r} hold {odd!r}, which the official code reads as something else."
    )


def _meant(task: str, values: Any) -> Any:
    """Return the values as the official code holds them after reading."""
    if task in ANSWERS or task == "mewslix":
        kind = str if task in ANSWERS else list
        odd = [one for one, value in values.items() if not isinstance(one, str) or not isinstance(value, kind)]
        if odd:
            raise TypeError(f"{odd[0]!r} has {values[odd[0]]!r}, not a {kind.__name__}")
        return dict(values)
    if isinstance(values, str | Mapping):
        raise TypeError(f"they are a {type(values).__name__}, not a list")
    if task in TAGGING:
        if any(isinstance(sentence, str) for sentence in values):
            raise TypeError("a sentence is a string, not a list of tags")
        return [[_label(tag) for tag in sentence] for sentence in values]
    if task == "bucc2018":
        return [_pair(one) for one in values]
    return (
        [value.item() if hasattr(value, "item") else value for value in values]
        if task == "xcopa"
        else [*map(_label, values)]
    )


def _label(value: Any) -> str:
    """Return a label as text: a string, or a whole number's digits."""
    if hasattr(value, "item"):  # of an array
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"{value!r} is neither a string nor a whole number")
    return str(value)


def _pair(values: Any) -> tuple[str, ...]:
    """Return a pair of sentence ids, from a pair or a line."""
    source, target = values.split("\t") if isinstance(values, str) else values
    if not isinstance(source, str) or not isinstance(target, str):
        raise TypeError(f"{values!r} is no pair of ids")
    return source, target


def _text(task: str, values: Any) -> str:
    """Return what is written."""
    if task in ANSWERS:  # a question with the id `data` would be taken for the whole
        return json.dumps({"data": values} if "data" in values else values, ensure_ascii=False, indent=1)
    if task == "mewslix":
        return json.dumps(values, ensure_ascii=False)
    if task == "xcopa":
        return "".join(json.dumps({"label": value}) + "\n" for value in values)
    if task in TAGGING:
        return "".join("".join(f"{tag}\n" for tag in sentence) + "\n" for sentence in values)
    return "".join(("\t".join(value) if isinstance(value, tuple) else value) + "\n" for value in values)


def _back(task: str, file: Path) -> Any:
    """Return what the official code would read."""
    if task in ANSWERS:
        return read_answers(file, [])
    if task == "mewslix":
        return read_entities(file)
    if task == "xcopa":
        return read_choices(file)
    if task in TAGGING:
        return read_tags(file)
    return [tuple(line.split("\t")) for line in read_labels(file)] if task == "bucc2018" else read_labels(file)
