"""Score a folder of predictions as XTREME's evaluation script does, to the last digit.

A folder holds one folder a task, `{task}/test-{language}.{tsv|json|jsonl}`. A task counts where both the predictions
and the labels have its folder; then every language must be there. Other folders and files are passed over. Every mean
is a sum from left to right in the official order; nothing is rounded. English is part of the means.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from xquality.errors import MetricError, SourceError
from xquality.metrics._sums import plain_sum
from xquality.metrics.classification import accuracy
from xquality.metrics.question_answering import mlqa, squad
from xquality.metrics.retrieval import bitext_f1, mean_reciprocal_rank
from xquality.metrics.tagging import chunk_f1
from xquality.xtreme.layout import ACCURACY, ANSWERS, TAGGING, XTREME, XTREME_R, benchmark, file_name
from xquality.xtreme.reading import (
    read_answers,
    read_choices,
    read_entities,
    read_labels,
    read_questions,
    read_tags,
)

Scores = dict[str, Any]


def score_folder(
    predictions: str | Path, labels: str | Path, *, version: str = "xtreme", seqeval: str = "0.0.12"
) -> Scores:
    """Return the scores of a submission under the keys of the official JSON.

    Args:
        predictions: the folder of the predictions.
        labels: the folder of the gold labels, in the same layout.
        version: "xtreme" or "xtreme-r".
        seqeval: whose chunk F1 scores tagging, "0.0.12" (the one that XTREME's own figures came from) or "1.2.2".

    Returns:
        `all_task` where all nine tasks are there, then each group all of whose tasks are there, then for each task
        its metrics by language, their means `avg_<metric>` and the task's `avg_metric`; from 0 to 100. Where no task
        is there on both sides: an empty dict. XTREME-R has no `all_task`, as the official code prints none.

    Raises:
        SourceError: where a folder or the file of a language is not there.
        MetricError: where a file has the wrong form, or examples and predictions differ in number.
    """
    parts = benchmark(version)
    folders = _folder("predictions", predictions), _folder("labels", labels)
    tasks = [task for task in parts.languages if all((folder / task).is_dir() for folder in folders)]
    names = [Path(task) / file_name(task, language) for task in tasks for language in parts.languages[task]]
    missing = [str(folder / name) for folder in folders for name in names if not (folder / name).is_file()]
    if missing:
        raise SourceError(
            f"A task is scored in all its languages, but {missing[0]} is not there, and {len(missing) - 1} more are "
            "missing; add them, or take the task's folder away."
        )
    details = {task: _task(*folders, task, parts.languages[task], seqeval) for task in tasks}
    scores: Scores = {}
    if parts.overall and len(details) == len(parts.languages):
        scores["all_task"] = _mean(one["avg_metric"] for one in details.values())
    for group, members in parts.groups.items():
        if all(task in details for task in members):
            scores[group] = _mean(details[task]["avg_metric"] for task in members)
    return {**scores, **details}


def score_file(
    predictions: str | Path, labels: str | Path, task: str, language: str, *, seqeval: str = "0.0.12"
) -> dict[str, float]:
    """Return the metrics of one task in one language, from two files.

    Args:
        predictions: the file of the predictions.
        labels: the file of the gold labels.
        task: the task's name in the official layout, such as "bucc2018".
        language: the language of the files; it decides MLQA's rules.
        seqeval: as in `score_folder`.

    Raises:
        SourceError: where a file is not there.
        MetricError: where a file has the wrong form, examples and predictions differ in number, or the task is none.
    """
    found, gold = Path(predictions), Path(labels)
    try:
        return _scored(found, gold, task, language, seqeval)
    except MetricError as fault:
        raise MetricError(f"{task} in {language!r}, {found} against {gold}: {fault}") from fault


def _scored(found: Path, gold: Path, task: str, language: str, seqeval: str) -> dict[str, float]:
    """Return the metrics of two files of one task."""
    if task in ACCURACY:
        read = read_choices if task == "xcopa" else read_labels
        return accuracy(read(found), read(gold))
    if task in TAGGING:
        tags, right = read_tags(found), read_tags(gold)
        if len(tags) != len(right):
            raise MetricError(f"there are {len(tags)} sentences for {len(right)}; a blank line ends each sentence.")
        return chunk_f1(tags, right, seqeval)
    if task in ANSWERS:
        questions = read_questions(gold)
        answers = read_answers(found, questions)
        return mlqa(answers, questions, language) if task == "mlqa" else squad(answers, questions)
    if task == "bucc2018":
        return bitext_f1(read_labels(found), read_labels(gold))
    if task == "mewslix":
        return mean_reciprocal_rank(read_entities(found), read_entities(gold))
    known = dict.fromkeys((*XTREME.languages, *XTREME_R.languages))
    raise MetricError(f"there is no scored task of this name; there are {', '.join(one for one in known)}.")


def _task(predictions: Path, labels: Path, task: str, languages: tuple[str, ...], seqeval: str) -> Scores:
    """Return the metrics of one task in all its languages, and their means."""
    scores: Scores = {}
    for language in languages:
        name = Path(task) / file_name(task, language)
        for metric, value in score_file(predictions / name, labels / name, task, language, seqeval=seqeval).items():
            scores.setdefault(metric, {})[language] = value
    means = {f"avg_{metric}": _mean(values.values()) for metric, values in scores.items()}
    if task in ANSWERS:
        means["avg_metric"] = (means["avg_exact_match"] + means["avg_f1"]) / 2
    else:
        main = [mean for mean in ("avg_f1", "avg_accuracy", "avg_map@20") if mean in means]
        if main:  # none for a task without languages
            means["avg_metric"] = means[main[0]]
    return {**scores, **means}


def _mean(values: Iterable[float]) -> float:
    """Return the mean of some values, added from left to right."""
    listed = list(values)
    return plain_sum(listed) / len(listed)


def _folder(name: str, folder: str | Path) -> Path:
    """Return a folder that is there."""
    place = Path(folder)
    if not place.is_dir():
        raise SourceError(f"The folder of the {name}, {place}, is not there, or is no folder.")
    return place
