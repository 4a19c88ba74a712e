"""Probe: on which rows and at which steps scores are measured during training."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, final

import numpy as np

from xquality._settings import ADDED, Flag, at_least, check_settings, integer, list_settings, optional, texts
from xquality.errors import SettingError
from xquality.evaluation.evaluation_set import EvaluationSet, score_set
from xquality.models.precision import Precision
from xquality.records import Point
from xquality.tasks.base import Task

if TYPE_CHECKING:
    from xquality.models import Model


def _task(owner: str, name: str, value: object) -> Task:
    """Return `value` where it is a task."""
    if not isinstance(value, Task):
        raise SettingError(f"{owner}({name}={value!r:.60}) must be a Task, such as xquality.tasks.xnli.")
    return value


@final
@dataclass(frozen=True, repr=False)
class Probe:
    """Scores on fixed rows in several languages, at log-spaced steps during the last stage.

    The rows are chosen by their uid, so parallel languages are measured on the same sentences, and every run on the
    same rows. All languages are scored in one pass, sorted by length. Measuring does not change the training: its
    random state is preserved.

    Attributes:
        languages: the languages to measure in; None for all of the task.
        task: None for the task of the last stage; another task with equal labels, or one that needs no trained head,
            such as retrieval.
        rows: how many rows of each language; None for all. Bitext mining always uses all, since every sentence may
            be the translation of another.
        points: about how many steps to measure at, from step 0 (before training) to the last.
        split: None for the task's validation split.
        every_stage: also measure during the stages before the last, where they train a head of the same labels.
        root: a folder of local data; None for the folder in XQUALITY_DATA, or the Hub without it.
        layer: for a task of retrieval or mining, the layer whose vectors are read: 0 for the embeddings, 1 for the
            first layer, -1 for the last; None for that of the task's head.
        precision: the numbers that the network computes in: "float32", or "bfloat16", which takes less time.

    Raises:
        SettingError: for a number out of range, or languages that are not a list of names.

    Example:
        >>> Probe(languages=("de", "sw"), points=6).steps(60)
        (0, 1, 3, 8, 22, 60)
    """

    languages: Annotated[tuple[str, ...] | None, optional(texts)] = None
    task: Annotated[Task | None, optional(_task)] = None
    rows: Annotated[int | None, optional(at_least(1))] = 100
    points: Annotated[int, at_least(2)] = 10
    split: str | None = None
    every_stage: Flag = False
    root: str | Path | None = None
    layer: Annotated[int | None, optional(integer)] = field(default=None, repr=False, metadata=ADDED)
    precision: Precision = field(default="float32", repr=False, metadata=ADDED)

    __repr__ = list_settings

    def __post_init__(self) -> None:
        check_settings(self)

    def steps(self, total: int) -> tuple[int, ...]:
        """Return the steps of a stage of `total` steps to measure at: 0, log-spaced steps from 1, and the last."""
        spaced = np.geomspace(1, total, max(2, self.points - 1)).round().astype(int)
        return (0, *sorted({int(step) for step in spaced}))


def as_probe(evaluate_on: "Probe | Task | Sequence[str] | None") -> Probe | None:
    """Return the probe that `fit(evaluate_on=...)` names: itself, a task in all its languages, or languages."""
    if evaluate_on is None or isinstance(evaluate_on, Probe):
        return evaluate_on
    if isinstance(evaluate_on, Task):
        return Probe(task=evaluate_on)
    if isinstance(evaluate_on, Sequence) and not isinstance(evaluate_on, str):
        return Probe(languages=tuple(evaluate_on))
    raise SettingError(
        f"fit(evaluate_on={evaluate_on!r}) must be a Probe, a Task or a list of languages such as ['de', 'sw']."
    )


def measure_points(model: "Model", rows: EvaluationSet, stage: int, step: int, precision: str) -> list[Point]:
    """Return one point for each language and metric."""
    return [
        Point(stage, step, score.task, score.language, score.metric, score.value, score.rows)
        for score in score_set(model, rows, {}, precision=precision)
    ]
