"""Stage: one fine-tuning run in a chain.

May import: errors, checks, heads, provenance, tasks.base | datasets, numpy.
"""

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from xquality import checks
from xquality.errors import DataKindError, SettingError
from xquality.heads import TrainableHead
from xquality.provenance import origins
from xquality.tasks.base import Task

SCHEDULES = ("constant", "linear", "cosine")
_EPOCHS = 3.0  # the budget where none is named


@final
@dataclass(frozen=True)
class Stage:
    """Fine-tuning on one task.

    The budget is one of `epochs`, `steps`, `examples` or `tokens`; none of them means 3 epochs. Batches are always
    full: they run on over the end of an epoch, so that arms with equal steps see equally many examples. Where a head
    cuts an example into several rows (windows of a long text), rows are what is counted.

    Attributes:
        task: what is learnt.
        data: the training rows; None for the task's training split in `language`.
        language: of the rows, as the dataset spells it; None for those that `data` were loaded in by the task,
            and the task's source language where that is not known. It decides what counts as zero-shot.
        epochs: how often each row is seen.
        steps: how many optimiser steps are made.
        examples: how many rows are seen, counting repeats.
        tokens: how many tokens are seen, padding left out.
        learning_rate: None for what the model recommends: 2e-3 for the tiny encoder, 2e-5 otherwise.
        schedule: "constant", "linear" or "cosine" after the warm-up. A decaying schedule makes the number of steps
            to a threshold depend on the budget, so the default is constant.
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

    task: Task
    data: Dataset | None = None
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
    root: str | Path | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    callbacks: tuple[Any, ...] = ()

    def __post_init__(self) -> None:
        owner = "Stage"
        if not isinstance(self.task, Task):
            raise SettingError(
                f"Stage(task) must be a Task such as xquality.tasks.xnli, not {type(self.task).__name__}."
            )
        if not isinstance(self.task.head, TrainableHead):
            found = "no head" if self.task.head is None else f"a {type(self.task.head).__name__}, which learns nothing"
            raise SettingError(
                f"Stage({self.task.name}) cannot be trained: this task has data but {found}; choose another task."
            )
        if self.data is not None and not isinstance(self.data, Dataset):
            raise DataKindError(f"Stage(data) must be a Dataset, but got {type(self.data).__name__}; give one split.")
        budgets = [name for name in ("epochs", "steps", "examples", "tokens") if getattr(self, name) is not None]
        if len(budgets) > 1:
            raise SettingError(f"Stage takes one budget, but got {' and '.join(budgets)}; keep one of them.")
        for name in budgets:
            checks.positive(owner, name, self.epochs) if name == "epochs" else checks.integer(
                owner, name, getattr(self, name), least=1
            )
        if self.learning_rate is not None:
            checks.positive(owner, "learning_rate", self.learning_rate)
        checks.one_of(owner, "schedule", self.schedule, SCHEDULES)
        checks.one_of(owner, "head", self.head, ("fresh", "carry"))
        checks.rate(owner, "warmup", self.warmup)
        checks.integer(owner, "batch_size", self.batch_size, least=1)
        checks.integer(owner, "max_length", self.max_length, least=4)
        known = self.task.languages + (self.task.train_languages or ())
        if self.language is not None and self.language not in known:
            raise SettingError(
                f"{self.task.name} has no language {self.language!r}; there are {', '.join(self.task.languages)}."
            )

    @property
    def trained_head(self) -> TrainableHead:
        """The head that is trained."""
        assert isinstance(self.task.head, TrainableHead)
        return self.task.head

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the training rows: as named, as they were loaded, or the task's source language."""
        if self.language is not None:
            return (self.language,)
        loaded = origins(self.data) if self.data is not None else []
        known = dict.fromkeys(one["language"] for one in loaded if one["task"] == self.task.name)
        return tuple(known) or (self.task.source_language,)

    @property
    def trained_language(self) -> str:
        """The languages of the training rows as one name, joined by + where there are several."""
        return "+".join(self.languages)

    def rows(self) -> Dataset:
        """Return the training rows, loading them where none were given."""
        return self.data if self.data is not None else self.task.load(self.languages[0], "train", self.root)

    def step_count(self, order_lengths: NDArray[np.int64]) -> int:
        """Return how many steps the budget allows.

        Args:
            order_lengths: the number of tokens of each row of the first epoch, in training order, shape (rows,).
        """
        if self.steps is not None:
            return self.steps
        if self.examples is not None:
            return math.ceil(self.examples / self.batch_size)
        if self.tokens is not None:
            epochs, rest = divmod(self.tokens, int(order_lengths.sum()))
            rows = epochs * len(order_lengths) + int(np.searchsorted(np.cumsum(order_lengths), rest))
            return max(1, math.ceil(rows / self.batch_size))
        return max(1, math.ceil((self.epochs or _EPOCHS) * len(order_lengths) / self.batch_size))

    def settings(self) -> dict[str, Any]:
        """Return what is recorded of the stage, without its data, as plain JSON values."""
        names = (
            "epochs",
            "steps",
            "examples",
            "tokens",
            "schedule",
            "warmup",
            "batch_size",
            "max_length",
            "head",
        )
        chosen = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        return {
            "task": self.task.name,
            "language": self.trained_language,
            "languages": list(self.languages),
            **chosen,
            "arguments": dict(self.arguments),
        }
