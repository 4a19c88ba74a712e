"""evaluate: all languages of a task in one pass, sorted by length, each example scored once.

`outputs` gives the predictions behind the scores as well, from the same pass, and `predictions` and `references` the
forms that `xquality.xtreme` writes.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, final

from xquality.errors import ModelError, SettingError
from xquality.evaluation.averages import average, table, transfer_gap, zero_shot_mean
from xquality.evaluation.evaluation_set import (
    EvaluationSet,
    gather,
    make_evaluation_set,
    predict,
    score_set,
    scores_of,
    task_languages,
)
from xquality.heads import Head, TrainableHead
from xquality.models.isolation import isolate
from xquality.models.model import Model, is_model_folder, load_encoder, load_model, on_best_device
from xquality.records import Score
from xquality.tasks.base import Task

__all__ = [
    "HasModel",
    "Output",
    "average",
    "evaluate",
    "outputs",
    "predictions",
    "references",
    "table",
    "transfer_gap",
    "zero_shot_mean",
]


class HasModel(Protocol):
    """Anything that carries a model, such as what `fit` returns."""

    @property
    def model(self) -> Model:
        """The trained model."""
        ...


@final
@dataclass(frozen=True)
class Output:
    """What a model gave for one task in one language.

    Attributes:
        language: the language, as the dataset spells it.
        scores: its scores, the main metric first.
        predictions: what was predicted: class names, lists of tag names, answers by id, the number of the right option
            or, for retrieval, the row that was found for each target sentence, or mined (source id, target id) pairs.
        references: what is right, in the same form; for questions all right answers by id.
    """

    language: str
    scores: tuple[Score, ...]
    predictions: Any
    references: Any


def evaluate(
    model: Model | HasModel | str | Path,
    task: Task,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    root: str | Path | None = None,
    *,
    head: Head | None = None,
    skip_missing: bool = False,
    threads: int | None = None,
    progress: bool | None = None,
) -> list[Score]:
    """Return the scores of a model, one for each language and metric.

    Args:
        model: what `fit` returned, or the folder it was saved in. For retrieval and mining, which read the encoder
            alone, any model will do, also a folder or a Hub id (`id@revision`) of an encoder that nothing trained.
        task: a task whose labels are those the model was trained on.
        languages: as the dataset spells them; None for all of the task.
        split: None for the task's evaluation split.
        root: a folder of local data; None for the one named by XQUALITY_DATA, and the Hub without it.
        head: another way to score the task's rows, such as `RetrievalHead(layers=range(1, 13))`; None for the task's.
        skip_missing: leave out languages that the data do not have, instead of raising.
        threads: how many threads torch computes with; None leaves their number as it is.
        progress: whether to show a bar; None where standard error is a terminal.

    Raises:
        SettingError: for a language that the task does not have, or none at all.
        SourceError: where the data of a language are missing.
        ModelError: where the model's labels are not the task's, or it does not have the layer that is asked for.
    """
    scored = task if head is None else dataclasses.replace(task, head=head)
    with _ready(model, scored, languages, split, root, skip_missing=skip_missing, threads=threads) as ready:
        return score_set(*ready, progress=progress)


def outputs(
    model: Model | HasModel | str | Path,
    task: Task,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    root: str | Path | None = None,
    *,
    head: Head | None = None,
    skip_missing: bool = False,
    threads: int | None = None,
    progress: bool | None = None,
) -> list[Output]:
    """Return what a model gives for each language: scores, predictions and what is right, from one pass.

    The arguments are those of `evaluate`.

    Raises:
        SettingError: as `evaluate`, for a task of which nothing can be submitted (masked language modelling), and
            where a head reads several layers.
        ColumnError: for questions without ids.
        SourceError, ModelError: as `evaluate`.

    Example:
        >>> import tempfile
        >>> from xquality import toy
        >>> from xquality.models.tiny_encoder import tiny_encoder
        >>> texts = toy.sentences.load("es", "test")["target_sentence"][:]
        >>> with tempfile.TemporaryDirectory() as place:
        ...     encoder = tiny_encoder(texts, folder=f"{place}/tiny", pieces=300, width=16, steps=1)
        ...     (spanish,) = outputs(encoder, toy.sentences, ["es"], threads=1, progress=False)
        >>> spanish.references[:3], len(spanish.predictions)
        ([0, 1, 2], 300)
    """
    scored = task if head is None else dataclasses.replace(task, head=head)
    with _ready(model, scored, languages, split, root, skip_missing=skip_missing, threads=threads) as ready:
        trained, pool, signature = ready
        found = predict(trained, pool, progress=progress)
        parts = zip(pool.languages, scores_of(pool, found, signature), found, pool.encoded, pool.data, strict=True)
        return [
            Output(language, tuple(scores), pool.head.submitted(one, rows.gold, data), pool.head.gold(data))
            for language, scores, one, rows, data in parts
        ]


def predictions(
    model: Model | HasModel | str | Path,
    task: Task,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    root: str | Path | None = None,
    **settings: Any,
) -> dict[str, Any]:
    """Return the predictions for each language, in the forms that `xquality.xtreme.write_submission` takes.

    Args:
        model: as for `evaluate`, like the other arguments.
        task: the task.
        languages: None for all of the task.
        split: None for the task's evaluation split.
        root: a folder of local data.
        settings: `head`, `skip_missing`, `threads` and `progress`, as for `evaluate`.

    Raises:
        SettingError, ColumnError, SourceError, ModelError: as `outputs`.
    """
    return {one.language: one.predictions for one in outputs(model, task, languages, split, root, **settings)}


def references(
    task: Task,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    root: str | Path | None = None,
    *,
    skip_missing: bool = False,
) -> dict[str, Any]:
    """Return what is right for each language, in the forms that `xquality.xtreme.write_labels` takes.

    Args:
        task: a task with a head.
        languages: None for all of the task.
        split: None for the task's evaluation split.
        root: a folder of local data; None for the one named by XQUALITY_DATA, and the Hub without it.
        skip_missing: leave out languages that the data do not have, instead of raising.

    Raises:
        SettingError: for a language that the task does not have, or a task of which nothing can be submitted.
        SourceError: where the data of a language are missing.
        ColumnError, LabelError: for rows that the head cannot read.

    Example:
        >>> from xquality import toy
        >>> references(toy.topics, ["es"])["es"][:2]
        ['music', 'sports']
    """
    if task.head is None:
        raise SettingError(f"{task.name} has data but no head that says what is right in them; choose another task.")
    wanted = task_languages(task, languages)
    found = gather(task, wanted, split or task.evaluation_split, root, skip_missing=skip_missing)
    return {language: task.head.gold(data) for language, data in found.items()}


@contextmanager
def _ready(
    model: Model | HasModel | str | Path,
    task: Task,
    languages: Sequence[str] | None,
    split: str | None,
    root: str | Path | None,
    *,
    skip_missing: bool,
    threads: int | None,
) -> Iterator[tuple[Model, EvaluationSet, Mapping[str, Any]]]:
    """Yield the model on its device, the rows to read, and what scores say of how they were made."""
    wanted = task_languages(task, languages)
    chosen = split or task.evaluation_split
    with isolate(threads):
        trained = _model(model, task)
        pool = make_evaluation_set(trained, task, wanted, chosen, root, skip_missing=skip_missing)
        signature = {
            "split": chosen,
            "max_length": pool.head.length(trained.max_length, trained.tokenizer),
            "model": trained.digest[:12],
            "xquality": version("xquality"),
            "transformers": version("transformers"),
            "torch": version("torch"),
        }
        with on_best_device(trained.network):
            yield trained, pool, signature


def _model(model: Model | HasModel | str | Path, task: Task) -> Model:
    """Return the model to score, after checking that the task's head can read it."""
    if isinstance(model, str | Path):
        alone = not isinstance(task.head, TrainableHead) and not is_model_folder(Path(model))
        trained = Model(*load_encoder(model), 0, {}) if alone else load_model(Path(model))
    else:
        trained = model if isinstance(model, Model) else model.model
    if task.head is None or not task.head.fits(trained.signature):
        raise ModelError(
            f"{task.name} needs a model trained for {task.head and dict(task.head.signature())}, but this one gives "
            f"{dict(trained.signature)}; train a stage on {task.name} first."
        )
    task.head.check_network(trained.network)
    return trained
