"""Stage: one fine-tuning run in a chain."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any, final

from datasets import Dataset, DatasetDict

from xquality import _settings
from xquality.errors import DataKindError, SettingError
from xquality.heads import TrainableHead
from xquality.tasks.base import Task
from xquality.train.mixture import Mixture
from xquality.train.part import Part
from xquality.train.selection import Selection

SCHEDULES = ("constant", "linear", "cosine")
DEFAULT_EPOCHS = 3.0  # the budget where none is named
_BUDGETS = ("epochs", "steps", "examples", "tokens")


@final
@dataclass(frozen=True)
class Stage:
    """Fine-tuning on one task, or on a mixture of several.

    The budget is one of `epochs`, `steps`, `examples` or `tokens`; none of them means 3 epochs. Batches are always
    full: they run on over the end of an epoch, so that arms with equal steps see equally many examples. Where a head
    cuts an example into several rows (windows of a long text), rows are what is counted.

    Attributes:
        task: what is learnt, a task or a `Mixture`.
        data: the training rows; None for the task's training split in `language`. For a mixture, the rows of the tasks
            that are not to be loaded, by the task's name.
        language: of the rows, as the dataset spells it; None for those that `data` were loaded in by the task,
            and the task's source language where that is not known. It decides what counts as zero-shot.
        epochs: how often each row is seen.
        steps: how many optimiser steps are made.
        examples: how many rows are seen, counting repeats.
        tokens: how many tokens are seen, padding left out.
        learning_rate: None for what the model recommends: 2e-3 for the tiny encoder, 2e-5 otherwise.
        schedule: "constant", "linear" or "cosine" after the warm-up. A decaying schedule makes the number of steps
            to a threshold depend on the budget, so the default is constant.
        group_by_length: put rows of about one length into a batch, which pads less; the batches come in drawn order.
        selection: which weights the stage ends with, and whether it stops early; the last ones, by default.
        warmup: the share of the steps in which the learning rate rises from 0.
        batch_size: rows a step.
        max_length: in tokens; longer rows are cut.
        head: "fresh" starts a new head; "carry" takes over the head of the stage before, whose labels must be equal.
        root: a folder of local data; None for the one named by XQUALITY_DATA, and the Hub without it.
        arguments: further settings of transformers' TrainingArguments, by name.
        callbacks: transformers' TrainerCallback objects; a stage with any is always trained, never looked up.

    Raises:
        SettingError: for two budgets, a number out of range or an unknown choice.

    Example:
        >>> from xquality import toy
        >>> Stage(toy.topics, steps=100, batch_size=16).steps
        100
    """

    task: Task | Mixture
    data: Dataset | Mapping[str, Dataset] | None = None
    language: str | None = None
    _: KW_ONLY
    epochs: float | None = None
    steps: int | None = None
    examples: int | None = None
    tokens: int | None = None
    learning_rate: float | None = None
    schedule: str = "constant"
    warmup: float = 0.1
    batch_size: int = 32
    max_length: int = 128
    head: str = "fresh"
    group_by_length: bool = False
    selection: Selection = field(default_factory=Selection)
    root: str | Path | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    callbacks: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        owner = "Stage"
        self._check_data()
        budgets = [name for name in _BUDGETS if getattr(self, name) is not None]
        if len(budgets) > 1:
            raise SettingError(f"Stage takes one budget, but got {' and '.join(budgets)}; keep one of them.")
        plain: dict[str, Any] = {
            name: _settings.integer(owner, name, getattr(self, name), least=1) for name in budgets if name != "epochs"
        }
        for name in ("epochs", "learning_rate"):
            if getattr(self, name) is not None:
                plain[name] = _settings.positive(owner, name, getattr(self, name))
        _settings.one_of(owner, "schedule", self.schedule, SCHEDULES)
        _settings.one_of(owner, "head", self.head, ("fresh", "carry"))
        plain["warmup"] = _settings.rate(owner, "warmup", self.warmup)
        plain["batch_size"] = _settings.integer(owner, "batch_size", self.batch_size, least=1)
        plain["max_length"] = _settings.integer(owner, "max_length", self.max_length, least=4)
        plain["group_by_length"] = _settings.boolean(owner, "group_by_length", self.group_by_length)
        if not isinstance(self.arguments, Mapping):
            raise SettingError(f"Stage(arguments) must be a dict of TrainingArguments, not {self.arguments!r:.60}.")
        if not isinstance(self.callbacks, Sequence):
            raise SettingError(f"Stage(callbacks) must be a list of callbacks, not {self.callbacks!r:.60}.")
        plain["callbacks"] = tuple(self.callbacks)
        for name, value in plain.items():  # numbers of numpy become Python's, which digests and files know
            object.__setattr__(self, name, value)
        if not isinstance(self.selection, Selection):
            raise SettingError(f"Stage(selection) must be a Selection, not {type(self.selection).__name__}.")

    def _check_data(self) -> None:
        """Raise where the tasks, their data and their language do not fit together."""
        if not isinstance(self.task, Task | Mixture):
            raise SettingError(
                f"Stage(task) must be a Task such as xquality.tasks.xnli, not {type(self.task).__name__}."
            )
        names = [one.name for one in self.tasks]
        for one in self.tasks:
            if not isinstance(one.head, TrainableHead):
                found = "no head" if one.head is None else f"a {type(one.head).__name__}, which learns nothing"
                raise SettingError(
                    f"Stage({one.name}) cannot be trained: this task has data but {found}; choose another task."
                )
            known = one.languages + (one.train_languages or ())
            if self.language is not None and self.language not in known:
                raise SettingError(f"{one.name} has no language {self.language!r}; there are {', '.join(known)}.")
        given = self.data
        if isinstance(self.task, Mixture) and isinstance(given, Mapping) and not isinstance(given, DatasetDict):
            strange = [one for one in given if one not in names]
            if strange:
                raise SettingError(f"Stage(data) names {strange}, which are not among the tasks {names}.")
            values = list(given.values())
        else:
            values = [] if given is None else [given]
            if values and isinstance(self.task, Mixture):
                raise DataKindError(f"Stage(data) of a mixture must be a dict from {names} to Datasets.")
        for one in values:
            if not isinstance(one, Dataset):
                raise DataKindError(f"Stage(data) must be a Dataset, but got {type(one).__name__}; give one split.")

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks that are learnt; the head of the first is the one that stays."""
        return self.task.tasks if isinstance(self.task, Mixture) else (self.task,)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The rows of each task."""
        given = self.data if isinstance(self.data, Mapping) else {self.tasks[0].name: self.data}
        return tuple(Part(one, given.get(one.name), self.language, self.root) for one in self.tasks)

    @property
    def trained_head(self) -> TrainableHead:
        """The head that stays."""
        return self.head_of(self.tasks[0])

    @staticmethod
    def head_of(task: Task) -> TrainableHead:
        """Return a task's head, which `__post_init__` saw to be one that is trained."""
        assert isinstance(task.head, TrainableHead)
        return task.head

    @property
    def accumulation(self) -> int:
        """In how many parts a batch is computed."""
        return int(self.arguments.get("gradient_accumulation_steps", 1))

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the training rows."""
        return tuple(dict.fromkeys(language for part in self.parts for language in part.languages))

    @property
    def trained_language(self) -> str:
        """The languages of the training rows as one name, joined by + where there are several."""
        return "+".join(self.languages)

    def settings(self) -> dict[str, Any]:
        """Return what is recorded of the stage, without its data, as plain JSON values."""
        names = ("schedule", "warmup", "batch_size", "max_length", "head", "group_by_length")
        budget = {name: getattr(self, name) for name in _BUDGETS if getattr(self, name) is not None}
        chosen = {name: getattr(self, name) for name in names}
        return {
            "budget": budget or {"epochs": DEFAULT_EPOCHS},
            "task": self.task.name,
            "language": self.trained_language,
            "languages": list(self.languages),
            **chosen,
            "selection": self.selection.settings(),
            "arguments": dict(self.arguments),
        }
