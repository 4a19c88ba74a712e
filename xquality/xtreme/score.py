"""Scores of a folder of predictions, equal to those of XTREME's evaluation script to the last digit.

There is a folder for each task, with files `{task}/test-{language}.{tsv|json|jsonl}`. A task is scored where both the
predictions and the labels have its folder; then no language may be missing. Other folders and files are ignored.
Every mean is a sum from left to right in the official order; nothing is rounded. English is part of the means.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from xquality._settings import path as path_setting
from xquality.errors import MetricError, SourceError
from xquality.metrics._sums import plain_sum
from xquality.metrics.classification import accuracy
from xquality.metrics.question_answering import mlqa, squad
from xquality.metrics.retrieval import bitext_f1, mean_reciprocal_rank
from xquality.metrics.tagging import chunk_f1
from xquality.xtreme.layout import (
    ACCURACY_TASKS,
    QUESTION_TASKS,
    XTREME,
    XTREME_R,
    file_name,
    find_benchmark,
)
from xquality.xtreme.reading import read_answers, read_questions, read_values

Scores = dict[str, Any]
"""Scores under the keys of the official JSON."""

_LANGUAGES = {**XTREME.languages, **XTREME_R.languages}
_SCORED_TASKS = tuple(task for task, languages in _LANGUAGES.items() if languages)


def score_folder(
    predictions: str | Path, labels: str | Path, *, version: str = "xtreme", seqeval: str = "0.0.12"
) -> Scores:
    """Return the scores of a submission under the keys of the official JSON.

    Args:
        predictions: the folder of the predictions.
        labels: the folder of the references, in the same layout.
        version: "xtreme" or "xtreme-r".
        seqeval: the version of seqeval to follow in chunk F1, "0.0.12" (which XTREME's published numbers were computed
            with) or "1.2.2".

    Returns:
        `all_task` where all nine tasks are there, then each group all of whose tasks are there, then for each task
        its metrics by language, their means `avg_<metric>` and the task's `avg_metric`; from 0 to 100. An empty dict
        where no task is in both folders. XTREME-R has no `all_task`, as in the official code.

    Raises:
        SourceError: where a folder or the file of a language is missing, or a file of the predictions is one of the
            labels, as itself or by a link.
        MetricError: where a file has the wrong form, or examples and predictions differ in number.
    """
    benchmark = find_benchmark(version)
    folders = _check_folder("predictions", predictions), _check_folder("labels", labels)
    tasks = [task for task in benchmark.languages if all((folder / task).is_dir() for folder in folders)]
    names = [Path(task) / file_name(task, language) for task in tasks for language in benchmark.languages[task]]
    missing = [str(folder / name) for folder in folders for name in names if not (folder / name).is_file()]
    if missing:
        raise SourceError(
            f"A task is scored in all its languages, but {missing[0]} is missing, and {len(missing) - 1} more; add "
            "them, or remove the task's folder."
        )
    right = [*folders[1].rglob("*"), *(folders[1] / name for name in names)]  # rglob passes over linked folders
    _check_separate([folders[0] / name for name in names], [file for file in right if file.is_file()])
    by_task = {task: _score_task(*folders, task, benchmark.languages[task], seqeval) for task in tasks}
    means: Scores = {}
    if benchmark.overall and len(by_task) == len(benchmark.languages):
        means["all_task"] = _mean(scores["avg_metric"] for scores in by_task.values())
    for group, members in benchmark.groups.items():
        if all(task in by_task for task in members):
            means[group] = _mean(by_task[task]["avg_metric"] for task in members)
    return {**means, **by_task}


def score_file(
    predictions: str | Path, labels: str | Path, task: str, language: str, *, seqeval: str = "0.0.12"
) -> dict[str, float]:
    """Return the metrics of one task in one language, from two files.

    Args:
        predictions: the file of the predictions.
        labels: the file of the references.
        task: the task's name in the official layout, such as "bucc2018".
        language: the language of the files; MLQA's rules depend on it.
        seqeval: as in `score_folder`.

    Raises:
        SourceError: where a file is missing, or both are one file, as itself or by a link.
        MetricError: where a file has the wrong form, examples and predictions differ in number, or the task is unknown.
    """
    files = Path(predictions), Path(labels)
    if files[1].is_file():
        _check_separate([files[0]], [files[1]])
    try:
        return _score_files(*files, task, language, seqeval)
    except MetricError as fault:
        raise MetricError(f"{task} in {language!r}, {files[0]} against {files[1]}: {fault}") from fault


def _score_files(predictions: Path, labels: Path, task: str, language: str, seqeval: str) -> dict[str, float]:
    """Return the metrics of two files of one task."""
    if task not in _SCORED_TASKS:
        raise MetricError(f"there is no scored task of this name; there are {', '.join(_SCORED_TASKS)}.")
    if task in QUESTION_TASKS:
        questions = read_questions(labels)
        answers = read_answers(predictions, questions)
        return mlqa(answers, questions, language) if task == "mlqa" else squad(answers, questions)
    predicted, right = read_values(task, predictions), read_values(task, labels)
    if task in ACCURACY_TASKS:
        return accuracy(predicted, right)
    if task == "bucc2018":
        return bitext_f1(predicted, right)
    if task == "mewslix":
        return mean_reciprocal_rank(predicted, right)
    if len(predicted) != len(right):
        raise MetricError(f"there are {len(predicted)} sentences for {len(right)}; a blank line ends each sentence.")
    return chunk_f1(predicted, right, seqeval)


def _score_task(predictions: Path, labels: Path, task: str, languages: tuple[str, ...], seqeval: str) -> Scores:
    """Return the metrics of one task in all its languages, and their means."""
    scores: Scores = {}
    for language in languages:
        name = Path(task) / file_name(task, language)
        values = score_file(predictions / name, labels / name, task, language, seqeval=seqeval)
        for metric, value in values.items():
            scores.setdefault(metric, {})[language] = value
    means = {f"avg_{metric}": _mean(values.values()) for metric, values in scores.items()}
    if task in QUESTION_TASKS:
        means["avg_metric"] = (means["avg_exact_match"] + means["avg_f1"]) / 2
    else:
        main = next((name for name in ("avg_f1", "avg_accuracy", "avg_map@20") if name in means), None)
        if main is not None:  # a task without languages has no means
            means["avg_metric"] = means[main]
    return {**scores, **means}


def _mean(values: Iterable[float]) -> float:
    """Return the mean of values, summed from left to right."""
    listed = list(values)
    return plain_sum(listed) / len(listed)


def _check_separate(predictions: Iterable[Path], labels: Iterable[Path]) -> None:
    """Raise `SourceError` where a file of the predictions is one of the labels, of whichever task and language.

    The device and the number of a file are the same for all its names: its own, symbolic links and hard links.
    """
    known = {(found.st_dev, found.st_ino): file for file in labels for found in (file.stat(),)}
    for file in predictions:
        if not file.is_file():
            continue
        found = file.stat()
        same = known.get((found.st_dev, found.st_ino))
        if same is not None:
            raise SourceError(
                f"The predictions {file} are the labels {same}, since both names lead to one file; give the file "
                "that the model's predictions were written to."
            )


def _check_folder(content: str, folder: str | Path) -> Path:
    """Return the path of an existing folder, or raise `SourceError`."""
    path = path_setting("xquality.xtreme", content, folder)
    if not path.is_dir():
        raise SourceError(f"The folder of the {content}, {path}, is missing, or is no folder.")
    return path
