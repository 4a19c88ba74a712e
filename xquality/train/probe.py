"""Probe: what is measured during training, on which rows and at which steps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np

from xquality import _settings
from xquality.errors import SettingError, TrainingError
from xquality.evaluation.evaluation_set import EvaluationSet, loader, score_set, task_languages
from xquality.records import Point
from xquality.tasks.base import Task

if TYPE_CHECKING:
    from xquality.models.model import Model


@final
@dataclass(frozen=True)
class Probe:
    """A fixed set of rows in several languages, scored at log-spaced steps during the last stage.

    The rows are chosen by their uid, so parallel languages are measured on the same sentences, and every run on the
    same rows. All languages are scored in one pass, sorted by length, and training does not notice: its random
    state is kept.

    Attributes:
        languages: the languages to measure in; None for all of the task.
        task: None for the task of the stage; another with equal labels, or one that reads any encoder, as retrieval.
        rows: how many rows of each language; None for all. Mining always takes all: its pairs need both heaps.
        points: about how many steps to measure at, from step 0 (before training) to the last.
        split: None for the task's validation split.
        every_stage: also measure during the stages before the last, where they train the same head.
        root: a folder of local data; None for the one named by XQUALITY_DATA, and the Hub without it.
    """

    languages: tuple[str, ...] | None = None
    task: Task | None = None
    rows: int | None = 100
    points: int = 10
    split: str | None = None
    every_stage: bool = False
    root: str | Path | None = None

    def __post_init__(self) -> None:
        if self.languages is not None:
            object.__setattr__(self, "languages", _settings.texts("Probe", "languages", self.languages))
        if self.rows is not None:
            object.__setattr__(self, "rows", _settings.integer("Probe", "rows", self.rows, least=1))
        object.__setattr__(self, "points", _settings.integer("Probe", "points", self.points, least=2))

    def steps(self, total: int) -> tuple[int, ...]:
        """Return the steps to measure at: 0, log-spaced steps from 1, and the last.

        Example:
            >>> Probe(points=6).steps(60)
            (0, 1, 3, 8, 22, 60)
        """
        spaced = np.geomspace(1, total, max(2, self.points - 1)).round().astype(int)
        return (0, *sorted({int(one) for one in spaced}))


def as_probe(asked: "Probe | Task | Sequence[str] | None") -> Probe | None:
    """Return what `evaluate_on` means: a probe, a task in all its languages, or languages of the stage's task."""
    if asked is None or isinstance(asked, Probe):
        return asked
    if isinstance(asked, Task):
        return Probe(task=asked)
    if isinstance(asked, Sequence) and not isinstance(asked, str):
        return Probe(languages=tuple(asked))
    raise SettingError(
        f"fit(evaluate_on={asked!r}) must be a Probe, a Task or a list of languages such as ['de', 'sw']."
    )


def check_probe(probe: Probe, trained: Task, *, last: bool = True) -> None:
    """Raise where a probe could not be measured on a task's model, before anything is trained.

    After the last stage it must be; a stage before that may have other labels, and is not measured then.

    Raises:
        TrainingError: where the probe's task has other labels than the last stage's.
        SettingError: for a language that the task does not have.
        SourceError: where data are missing.
    """
    task = probe.task or trained
    if task.head is None or trained.head is None or not task.head.fits(trained.head.signature()):
        if not last:
            return
        raise TrainingError(
            f"The last stage trains {trained.name}, so fit cannot measure {task.name}, whose labels differ."
        )
    for language in task_languages(task, probe.languages):
        task.head.gather(loader(task, language, probe.root), probe.split or task.validation_split)


def measure(model: "Model", pool: EvaluationSet, stage: int, step: int) -> list[Point]:
    """Return one point for each language and metric."""
    return [
        Point(stage, step, one.task, one.language, one.metric, one.value, one.rows)
        for one in score_set(model, pool, {})
    ]
