"""Stage: the settings of one fine-tuning run in a chain."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Annotated, Any, final

from datasets import Dataset, DatasetDict

from xquality._settings import ADDED, Flag, Rate, at_least, check_settings, choice, list_settings, optional, positive
from xquality.data.provenance import origins, translated_languages
from xquality.errors import DataKindError, SettingError, warn
from xquality.heads import TrainableHead
from xquality.languages import describe_known
from xquality.models.precision import BFLOAT16, FLOAT32, Precision
from xquality.tasks.base import Task
from xquality.tasks.shapes import with_head_labels
from xquality.train.mixture import Mixture
from xquality.train.selection import Selection

DEFAULT_EPOCHS = 3.0  # the budget of a stage that names none
REPORTING = frozenset(
    "report_to run_name logging_dir logging_strategy logging_steps logging_first_step logging_nan_inf_filter "
    "log_level log_level_replica log_on_each_node disable_tqdm project trackio_space_id".split()
)
"""The arguments that say where and how often a stage reports; they decide no weights and are no part of its digest."""

_OPTIONAL = ("frozen_embeddings", "frozen_layers", "head_learning_rate")  # in the history only where they are set
_BUDGETS = ("epochs", "steps", "examples", "tokens")


def _selection(owner: str, name: str, value: object) -> Selection:
    """Return `value` where it is a Selection."""
    if not isinstance(value, Selection):
        raise SettingError(f"{owner}({name}) must be a Selection, not {type(value).__name__}.")
    return value


def _arguments(owner: str, name: str, value: object) -> Mapping[str, Any]:
    """Return `value` where it is a mapping."""
    if not isinstance(value, Mapping):
        raise SettingError(f"{owner}({name}) must be a dict of TrainingArguments, not {value!r:.60}.")
    return value


def _callbacks(owner: str, name: str, value: object) -> tuple[Any, ...]:
    """Return a sequence as a tuple."""
    if not isinstance(value, Sequence):
        raise SettingError(f"{owner}({name}) must be a list of callbacks, not {value!r:.60}.")
    return tuple(value)


_Count = Annotated[int | None, optional(at_least(1))]


@final
@dataclass(frozen=True, repr=False)
class Stage:
    """Fine-tuning on one task, or on a mixture of several.

    The budget is one of `epochs`, `steps`, `examples` or `tokens`; without any it is 3 epochs. Batches are always
    full: a batch may reach over the end of an epoch, so that arms with equal steps see equally many examples. Where a
    head cuts an example into several rows (windows of a long text), rows are counted.

    Attributes:
        task: the task to train on, or a `Mixture`.
        data: the training rows, with labels as class names, class numbers or ClassLabel; None for the task's training
            split in `language`. For a mixture a dict from task names to rows, for the tasks whose training split is
            not to be loaded.
        language: of the rows, as the dataset spells it; None for the languages in which the task loaded `data`, and
            for the task's source language where these are unknown. It decides which scores are zero-shot. Where
            `data` were loaded in other languages, these count as trained in too, with a warning.
        epochs: how often each row is seen.
        steps: the number of optimiser steps.
        examples: how many rows are seen, repeats included.
        tokens: how many tokens are seen, padding left out.
        learning_rate: None for the model's recommendation: 2e-3 for the tiny encoder, 2e-5 for others.
        schedule: of the learning rate after the warm-up: "constant", "linear" or "cosine". With a decaying schedule
            the number of steps to a threshold depends on the budget, so the default is constant.
        group_by_length: put rows of similar length into a batch, which needs less padding; the batches come in random
            order.
        selection: which weights the stage ends with, and whether it stops early; the last ones by default.
        warmup: the share of the steps in which the learning rate rises from 0.
        batch_size: rows a step.
        max_length: in tokens; longer rows are cut.
        head: "fresh" starts with a new head, with a new pooler where it has one, as BERT's has; "carry" keeps the head
            of the stage before, which needs equal labels and the same pooling.
        root: a folder of local data; None for the folder in XQUALITY_DATA, or the Hub without it.
        arguments: further settings of transformers' TrainingArguments, by name: those that change how a step is
            computed, and those of reporting, such as `report_to`, `logging_steps` and `run_name`. Reporting decides no
            weights: a stage that was stored is looked up whatever it would report.
        callbacks: transformers' TrainerCallback objects; a stage with callbacks is always trained, never looked up.
        precision: the numbers that the network computes in: "float32", or "bfloat16" (mixed precision, the argument
            `bf16` of transformers), which takes less time and memory. The weights are float32 in either.
        frozen_embeddings: leave the word embeddings as they are, by far the most weights of a multilingual encoder:
            no gradient is computed of them, and the optimiser has no state of them. Where a head's output layer is the
            same table, as in masked language modelling, it stays too.
        frozen_layers: how many of the lowest layers to leave as they are, with all that lies below them.
        head_learning_rate: of the weights that are not the encoder's, with the same schedule; None for the same rate.

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
    epochs: Annotated[float | None, optional(positive)] = None
    steps: _Count = None
    examples: _Count = None
    tokens: _Count = None
    learning_rate: Annotated[float | None, optional(positive)] = None
    schedule: Annotated[str, choice("constant", "linear", "cosine")] = "constant"
    warmup: Rate = 0.1
    batch_size: Annotated[int, at_least(1)] = 32
    max_length: Annotated[int, at_least(4)] = 128
    head: Annotated[str, choice("fresh", "carry")] = "fresh"
    group_by_length: Flag = False
    selection: Annotated[Selection, _selection] = field(default_factory=Selection)
    root: str | Path | None = None
    arguments: Annotated[Mapping[str, Any], _arguments] = field(default_factory=dict)
    callbacks: Annotated[tuple[Any, ...], _callbacks] = ()
    precision: Precision = field(default="float32", repr=False, metadata=ADDED)
    frozen_embeddings: Flag = field(default=False, repr=False, metadata=ADDED)
    frozen_layers: Annotated[int, at_least(0)] = field(default=0, repr=False, metadata=ADDED)
    head_learning_rate: Annotated[float | None, optional(positive)] = field(default=None, repr=False, metadata=ADDED)

    __repr__ = list_settings

    def __post_init__(self) -> None:
        check_settings(self)
        self._check_tasks()
        self._check_data()
        budgets = list(self.budget)
        if len(budgets) > 1:
            raise SettingError(f"Stage takes one budget, but got {' and '.join(budgets)}; keep one of them.")
        other = next((name for name in ("bf16", "fp16") if name in self.arguments), None)
        if self.precision != FLOAT32 and other is not None:
            raise SettingError(
                f"Stage(precision={self.precision!r}) and its argument {other!r} both set the precision; keep one of "
                "them."
            )

    def _check_tasks(self) -> None:
        """Raise `SettingError` where a task cannot be trained or does not have the language."""
        if not isinstance(self.task, Task | Mixture):
            raise SettingError(
                f"Stage(task) must be a Task such as xquality.tasks.xnli, not {type(self.task).__name__}."
            )
        for task in self.tasks:
            if not isinstance(task.head, TrainableHead):
                found = "no head" if task.head is None else f"a {type(task.head).__name__}, which is not trained"
                raise SettingError(
                    f"Stage({task.name}) cannot be trained: this task has data but {found}; choose another task."
                )
            languages = task.languages + (task.train_languages or ())
            if self.language is not None and self.language not in languages:
                raise SettingError(
                    f"{task.name} has no language {self.language!r}{describe_known(self.language, languages)}."
                )

    def _check_data(self) -> None:
        """Raise where the data are not one Dataset for a task, or a dict of them for a mixture."""
        names = [task.name for task in self.tasks]
        parts: list[object] = [] if self.data is None else [self.data]
        if self.data is not None and isinstance(self.task, Mixture):
            if not isinstance(self.data, Mapping) or isinstance(self.data, DatasetDict):
                raise DataKindError(f"Stage(data) of a mixture must be a dict from {names} to Datasets.")
            unknown = [name for name in self.data if name not in names]
            if unknown:
                raise SettingError(f"Stage(data) names {unknown}, which are not among the tasks {names}.")
            parts = list(self.data.values())
        for part in parts:
            if not isinstance(part, Dataset):
                raise DataKindError(f"Stage(data) must be a Dataset, but got {type(part).__name__}; give one split.")
        for source in self.sources:
            others = [language for language in source.loaded_languages if language != self.language]
            if self.language is not None and others:
                warn(
                    f"Stage(language={self.language!r}) has rows of {source.task.name} that were loaded in "
                    f"{', '.join(others)}, which count as trained in too. Leave language out or load the rows in it; "
                    "translate rows with TranslateTrain, which changes their language."
                )

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The tasks to train on; the model after the stage has the head of the first."""
        return self.task.tasks if isinstance(self.task, Mixture) else (self.task,)

    @property
    def sources(self) -> "tuple[TrainingSource, ...]":
        """Where the rows of each task come from."""
        given = self.data if isinstance(self.data, Mapping) else {self.tasks[0].name: self.data}
        return tuple(TrainingSource(task, given.get(task.name), self.language, self.root) for task in self.tasks)

    @property
    def heads(self) -> tuple[TrainableHead, ...]:
        """The head of each task."""
        return tuple(source.head for source in self.sources)

    @property
    def budget(self) -> dict[str, float]:
        """The budgets that are set, by name; empty for the default."""
        return {name: getattr(self, name) for name in _BUDGETS if getattr(self, name) is not None}

    @property
    def training_arguments(self) -> dict[str, Any]:
        """The further arguments of transformers, that of the precision among them."""
        return {**self.arguments, **({"bf16": True} if self.precision == BFLOAT16 else {})}

    @property
    def computing_precision(self) -> str:
        """The precision, whether it is set by the field or by the argument `bf16`."""
        return BFLOAT16 if self.training_arguments.get("bf16") else FLOAT32

    @property
    def accumulation_steps(self) -> int:
        """Over how many forward passes the gradients of a step are accumulated."""
        return int(self.arguments.get("gradient_accumulation_steps", 1))

    @property
    def has_reports(self) -> bool:
        """Whether somebody reads what the Trainer logs."""
        return bool(self.callbacks) or not REPORTING.isdisjoint(self.arguments)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the training rows."""
        return tuple(dict.fromkeys(language for source in self.sources for language in source.languages))

    @property
    def trained_language(self) -> str:
        """The languages of the training rows as one name, joined by + where there are several."""
        return "+".join(self.languages)

    def settings(self) -> dict[str, Any]:
        """Return the settings that the history keeps, without the data, as plain JSON values."""
        names = ("schedule", "warmup", "batch_size", "max_length", "head", "group_by_length")
        return {
            "budget": self.budget or {"epochs": DEFAULT_EPOCHS},
            "task": self.task.name,
            "language": self.trained_language,
            "languages": list(self.languages),
            **{name: getattr(self, name) for name in names},
            **{name: getattr(self, name) for name in _OPTIONAL if getattr(self, name)},
            "selection": self.selection.settings(),
            "arguments": {name: value for name, value in self.training_arguments.items() if name not in REPORTING},
        }


@final
@dataclass(frozen=True)
class TrainingSource:
    """Where the training rows of one task of a stage come from.

    Attributes:
        task: the task.
        data: the rows that the stage was given; None to load the task's training split.
        language: the language that the stage names; None where the rows' origin decides.
        root: a folder of local data.
    """

    task: Task
    data: Dataset | None
    language: str | None
    root: str | Path | None

    @property
    def head(self) -> TrainableHead:
        """The task's head."""
        assert isinstance(self.task.head, TrainableHead)  # Stage and Mixture refuse other tasks
        return self.task.head

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages of the rows: as named, those they were loaded in, or the task's source language."""
        named = () if self.language is None else (self.language,)
        return tuple(dict.fromkeys([*named, *self.loaded_languages])) or (self.task.source_language,)

    @property
    def loaded_languages(self) -> tuple[str, ...]:
        """The languages in which the task loaded the rows that the stage was given, or to which they were translated.

        None where that is unknown.
        """
        if self.data is None:
            return ()
        loaded = origins(self.data)
        languages = (origin["language"] for origin in loaded if origin["task"] == self.task.name)
        return tuple(dict.fromkeys(languages)) or (() if loaded else translated_languages(self.data))

    def load(self) -> Dataset:
        """Return the rows, loading them where the stage was given none; labels as the classes of the task's head."""
        if self.data is None:
            return self.task.load(self.languages[0], "train", self.root)
        complete = set(self.head.reads) <= set(self.data.column_names)  # else the head says what is missing
        return with_head_labels(self.data, self.head) if complete else self.data
