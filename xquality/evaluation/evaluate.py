"""Scores, predictions and references of all languages of a task, from one pass sorted by length.

`outputs` returns scores with their predictions and references; `predictions` and `references` return them alone, in the
forms that `xquality.xtreme` writes.
"""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, TypedDict, Unpack, final

from xquality import _settings
from xquality.errors import ModelError, SettingError
from xquality.evaluation.baselines import warn_of_constant_answers
from xquality.evaluation.evaluation_set import (
    EvaluationSet,
    gather,
    make_evaluation_set,
    name_language,
    predict,
    scores_of,
    task_languages,
    with_layer,
)
from xquality.evaluation.scores import Scores
from xquality.heads import GathersRows, Head, TrainableHead, WritesSubmissions
from xquality.heads.embedding import EmbeddingHead
from xquality.models.isolation import isolate
from xquality.models.model import Model, is_model_folder, load_encoder, load_model, on_best_device
from xquality.models.precision import BFLOAT16, FLOAT32
from xquality.records import Score
from xquality.tasks.base import Task


class HasModel(Protocol):
    """Anything with a model, such as what `fit` returns."""

    @property
    def model(self) -> Model:
        """The trained model."""
        ...


class _Options(TypedDict):
    """What `evaluate` and `outputs` hand on by name."""

    rows: int | None
    skip_missing: bool
    threads: int | None
    precision: str


class Options(TypedDict, total=False):
    """The options of `evaluate` by name."""

    head: Head | None
    layer: int | None
    rows: int | None
    skip_missing: bool
    threads: int | None
    precision: str
    progress: bool | None


@final
@dataclass(frozen=True)
class Output:
    """The scores, predictions and references of a model in one language of a task.

    Attributes:
        language: the language, as the dataset spells it.
        scores: its scores, the main metric first.
        predictions: class names, lists of tag names, answers by id, the numbers of options or, for retrieval, the row
            that was found for each target sentence, for mining (source id, target id) pairs.
        references: what is right, in the same form; for questions all right answers by id.
    """

    language: str
    scores: tuple[Score, ...]
    predictions: Any = field(repr=False)
    references: Any = field(repr=False)


def evaluate(
    model: Model | HasModel | str | Path,
    task: Task,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    root: str | Path | None = None,
    *,
    head: Head | None = None,
    layer: int | None = None,
    rows: int | None = None,
    skip_missing: bool = False,
    threads: int | None = None,
    precision: str = "float32",
    progress: bool | None = None,
) -> Scores:
    """Return the scores of a model, one for each language and metric, as a list that prints itself as a table.

    A warning names the languages in which a model gives the same answer on every row.

    Args:
        model: what `fit` returned, or the folder it was saved in. For retrieval and mining, which read the encoder
            alone, also any other model, and the folder or the Hub id (`id@revision`) of a pretrained encoder.
        task: a task with the labels that the model was trained on.
        languages: as the dataset spells them; None for all of the task.
        split: None for the task's evaluation split.
        root: a folder of local data; None for the one named by XQUALITY_DATA, and the Hub without it.
        head: another way to score the task's rows, such as `RetrievalHead(layers=range(1, 13))`; None for the task's.
        layer: for retrieval and mining, the layer whose vectors are read: 0 for the embeddings, 1 for the first layer,
            -1 for the last; None for the head's. It is part of the signature.
        rows: the most rows of each language, for a quick look; None for all. They are the first in an order that is
            drawn from the uids: the same rows in every run, in parallel languages and in `Probe(rows=...)`, and a
            larger number contains the smaller. It is part of the signature, as `at_most`.
        skip_missing: leave out languages that the data do not have or have no rows of, instead of raising.
        threads: how many threads torch computes with; None leaves their number unchanged.
        precision: the numbers that the network computes in: "float32", or "bfloat16", which takes less time and memory
            and may change single predictions. It is part of the signature where it is not "float32".
        progress: whether to show a bar; None for only in terminals and notebooks.

    Raises:
        SettingError: for a language that the task does not have, no language at all, an unknown precision, a layer of
            a task that reads none, or `rows` of mining, where every sentence may be the translation of another.
        SourceError: where the data of a language are missing or have no rows.
        ColumnError, LabelError: for rows that the head cannot read, naming the task and the language.
        ModelError: where the model's labels are not the task's, or it does not have the head's layer.
    """
    scored_task = with_layer(_with_head(task, head), layer, "evaluate")
    options: _Options = {"rows": rows, "skip_missing": skip_missing, "threads": threads, "precision": precision}
    with _prepare(model, scored_task, languages, split, root, **options) as (trained, evaluation_set, signature):
        predicted = predict(trained, evaluation_set, precision=precision, progress=progress)
        warn_of_constant_answers(evaluation_set, predicted)
        by_language = scores_of(evaluation_set, predicted, signature)
        return Scores(score for scores in by_language for score in scores)


def outputs(
    model: Model | HasModel | str | Path,
    task: Task,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    root: str | Path | None = None,
    *,
    head: Head | None = None,
    layer: int | None = None,
    rows: int | None = None,
    skip_missing: bool = False,
    threads: int | None = None,
    precision: str = "float32",
    progress: bool | None = None,
) -> list[Output]:
    """Return the scores, predictions and references of a model for each language, from one pass.

    The arguments are those of `evaluate`.

    Raises:
        SettingError: as `evaluate`, for a task whose predictions cannot be submitted (masked language modelling), and
            where a head reads several layers.
        ColumnError: for questions without ids.
        SourceError, ModelError: as `evaluate`.

    Example:
        >>> import tempfile
        >>> from xquality import toy
        >>> from xquality.models import tiny_encoder
        >>> texts = toy.sentences.load("es", "test")["target_sentence"][:]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     encoder = tiny_encoder(texts, folder=f"{folder}/tiny", pieces=300, width=16, steps=1)
        ...     (spanish,) = outputs(encoder, toy.sentences, ["es"], threads=1, progress=False)
        >>> spanish.references[:3], len(spanish.predictions)
        ([0, 1, 2], 300)
    """
    scored_task = with_layer(_with_head(task, head), layer, "evaluate")
    submitting = _submitting_head(scored_task)
    options: _Options = {"rows": rows, "skip_missing": skip_missing, "threads": threads, "precision": precision}
    with _prepare(model, scored_task, languages, split, root, **options) as (trained, evaluation_set, signature):
        if isinstance(evaluation_set.head, EmbeddingHead):
            evaluation_set.head.check_one_layer(trained.network)
        right = []
        for language, data in zip(evaluation_set.languages, evaluation_set.data, strict=True):
            with name_language(scored_task, language):
                right.append(submitting.references(data))  # before anything is read: questions may lack ids
        predicted = predict(trained, evaluation_set, precision=precision, progress=progress)
        warn_of_constant_answers(evaluation_set, predicted)
        scores = scores_of(evaluation_set, predicted, signature)
        by_language = zip(
            *(evaluation_set.languages, scores, predicted, evaluation_set.encoded, evaluation_set.data, right),
            strict=True,
        )
        return [
            Output(
                language,
                tuple(values),
                predictions=submitting.submission(answers, encoded.references_or_targets, data),
                references=references,
            )
            for language, values, answers, encoded, data, references in by_language
        ]


def predictions(
    model: Model | HasModel | str | Path,
    task: Task,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    root: str | Path | None = None,
    **options: Unpack[Options],
) -> dict[str, Any]:
    """Return the predictions for each language, in the forms that `xquality.xtreme.write_submission` takes.

    The arguments are those of `evaluate`; the options are its `head`, `layer`, `rows`, `skip_missing`,
    `threads`, `precision` and `progress`.

    Raises:
        SettingError, ColumnError, SourceError, ModelError: as `outputs`.
    """
    found = outputs(model, task, languages, split, root, **options)
    return {output.language: output.predictions for output in found}


def references(
    task: Task,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    root: str | Path | None = None,
    *,
    skip_missing: bool = False,
) -> dict[str, Any]:
    """Return the references for each language, in the forms that `xquality.xtreme.write_labels` takes.

    Args:
        task: a task with a head.
        languages: None for all of the task.
        split: None for the task's evaluation split.
        root: a folder of local data; None for the one named by XQUALITY_DATA, and the Hub without it.
        skip_missing: leave out languages that the data do not have, instead of raising.

    Raises:
        SettingError: for a language that the task does not have, or a task whose predictions cannot be submitted.
        SourceError: where the data of a language are missing.
        ColumnError, LabelError: for rows that the head cannot read.

    Example:
        >>> from xquality import toy
        >>> references(toy.topics, ["es"])["es"][:2]
        ['music', 'sports']
    """
    head = _submitting_head(task)
    chosen = task_languages(task, languages)
    by_language = gather(task, chosen, split or task.evaluation_split, root, skip_missing=skip_missing)
    return {language: head.references(data) for language, data in by_language.items()}


def _submitting_head(task: Task) -> WritesSubmissions:
    """Return the task's head, or raise `SettingError` if its predictions cannot be submitted."""
    if task.head is None:
        raise SettingError(f"{task.name} has data but no head that reads references from them; choose another task.")
    if not isinstance(task.head, WritesSubmissions):
        name = type(task.head).__name__
        raise SettingError(f"{name} predicts nothing that could be submitted; call evaluate instead.")
    return task.head


def _with_head(task: Task, head: Head | None) -> Task:
    """Return a task with another head; None leaves it unchanged.

    Raises:
        SettingError: for a value that is no task, or a head that is none.
    """
    if not isinstance(task, Task):
        raise SettingError(f"evaluate(task={task!r:.60}) must be a Task, such as xquality.tasks.xnli.")
    return task if head is None else dataclasses.replace(task, head=head)


@contextmanager
def _prepare(
    model: Model | HasModel | str | Path,
    task: Task,
    languages: Sequence[str] | None,
    split: str | None,
    root: str | Path | None,
    **options: Unpack[_Options],
) -> Iterator[tuple[Model, EvaluationSet, Mapping[str, Any]]]:
    """Yield the model on its device, the encoded rows of the languages, and the signature of their scores."""
    chosen = task_languages(task, languages)
    chosen_split = split or task.evaluation_split
    rows, skip_missing = options["rows"], options["skip_missing"]
    precision = _settings.one_of("evaluate", "precision", options["precision"], (FLOAT32, BFLOAT16))
    if rows is not None:
        rows = _settings.integer("evaluate", "rows", rows, least=1)
        if isinstance(task.head, GathersRows):
            raise SettingError(
                f"evaluate(rows={rows}) has no meaning for {task.name}, which scores all sentences of a split "
                "together; leave rows out."
            )
    with isolate(options["threads"]):
        trained = _load_model(model, task)
        evaluation_set = make_evaluation_set(
            trained, task, chosen, chosen_split, root, rows=rows, skip_missing=skip_missing
        )
        signature = {
            "split": chosen_split,
            **({} if rows is None else {"at_most": rows}),
            "max_length": evaluation_set.head.read_length(trained.max_length, trained.tokenizer),
            **({} if precision == FLOAT32 else {"precision": precision}),
            "model": trained.digest[:12],
            "xquality": version("xquality"),
            "transformers": version("transformers"),
            "torch": version("torch"),
        }
        with on_best_device(trained.network):
            yield trained, evaluation_set, signature


def _load_model(model: Model | HasModel | str | Path, task: Task) -> Model:
    """Return the model to score, or raise `ModelError` where the task's head cannot read it."""
    if isinstance(model, str | Path):
        pretrained = not isinstance(task.head, TrainableHead) and not is_model_folder(Path(model))
        loaded = Model(*load_encoder(model), 0, {}) if pretrained else load_model(Path(model))
    else:
        own = model if isinstance(model, Model) else getattr(model, "model", None)
        if not isinstance(own, Model):
            raise ModelError(
                "evaluate(model=...) must be what fit returned, the folder it was saved in or a Hub id, not "
                f"{type(model).__name__}."
            )
        loaded = own
    if task.head is None or not task.head.fits(loaded.signature):
        raise ModelError(
            f"{task.name} needs a model trained for {task.head and dict(task.head.signature())}, but this one gives "
            f"{dict(loaded.signature)}; train a stage on {task.name} first."
        )
    task.head.check_network(loaded.network)
    return loaded
