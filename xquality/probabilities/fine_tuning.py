"""Probabilities by fine-tuning over folds: each row is judged by an encoder trained on the rows of other folds."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import ClassLabel, Dataset, Features, List, Value

from xquality.data.arrow import Indices, flatten_lists, is_text, read_integers, read_strings
from xquality.errors import TrainingError
from xquality.evaluation.evaluation_set import EvaluationSet, predict_probabilities
from xquality.heads import TrainableHead
from xquality.label_issues.folds import assign_folds
from xquality.label_issues.text import check_enough, groups_of, sentences_of
from xquality.models.isolation import isolate
from xquality.models.model import on_best_device
from xquality.probabilities.column_request import ColumnRequest
from xquality.randomness import derive_seed
from xquality.tasks.base import Task
from xquality.train import Stage, fit
from xquality.train.store import Store


def from_fine_tuning(
    data: Dataset,
    task: Task,
    *,
    model: str | Path,
    seed: int,
    folds: int = 3,
    store: str | Path | Store | None = None,
    threads: int | None = None,
    name: str = "probabilities",
    **stage: Any,
) -> Dataset:
    """Return the rows with probabilities from encoders that were fine-tuned on the other folds.

    Each fold's rows are judged by a model that `fit` trained on all other folds. Rows with one text share a fold, folds
    are keyed by text and seed, and the order of rows changes nothing. A few epochs are enough: a model that has learnt
    its own wrong labels by heart has learnt to mislabel its neighbours too.

    Args:
        data: training rows of the task.
        task: a task whose head gives probabilities of labels.
        model: a local folder or a Hub id, as `fit` takes it.
        seed: an integer.
        folds: how many folds, 2 or more; as many models are trained.
        store: a folder of finished stages, as `fit` takes it: a run that was stopped goes on where it stood.
        threads: how many threads torch computes with; None leaves their number as it is. It decides the last bits.
        name: the column to add. It holds what `CleanlabFilter` reads: a list of one probability for each class or
            option, a list of such lists for tags, or one number for an answer that is no class.
        stage: further settings of `Stage`, for example `steps=200`, `epochs=2`, `learning_rate=2e-3`, `batch_size=16`.

    Raises:
        DataKindError: where `data` is not a `Dataset`.
        SettingError: for a number out of range, or two budgets.
        ColumnError, LabelError: where the rows are not what the task's head reads, or a column has that name already.
        TrainingError: where the task's head gives no probabilities.
        ModelError: where the model cannot be loaded.

    Example:
        >>> import tempfile
        >>> from xquality import LabelNoise, history, toy
        >>> from xquality.models.tiny_encoder import tiny_encoder
        >>> noisy = LabelNoise(rate=0.2)(toy.topics.load("es", "validation"), seed=1)
        >>> with tempfile.TemporaryDirectory() as place:
        ...     tiny = tiny_encoder(noisy["text"][:], folder=f"{place}/tiny", pieces=300, width=16, steps=1)
        ...     judged = from_fine_tuning(noisy, toy.topics, model=tiny, seed=1, folds=2, steps=2, threads=1)
        >>> history(judged)[-1].transform
        'from_fine_tuning'
    """
    asked = ColumnRequest.of("from_fine_tuning", data, seed, folds, name)
    planned = Stage(task, asked.data, **stage)
    head = task.head
    if not isinstance(head, TrainableHead) or type(head).probabilities is TrainableHead.probabilities:
        raise TrainingError(f"The head of {task.name} gives no probabilities of labels; choose another source of them.")
    head.check(asked.data)
    fold = _folds(asked, head)
    found: list[Any] = [None] * len(fold)
    made = []
    for one in range(folds):
        rest, held = np.flatnonzero(fold != one), np.flatnonzero(fold == one)
        part = dataclasses.replace(planned, data=asked.rows(rest))
        fitted = fit([part], model=model, seed=derive_seed("fold", seed, one), store=store, threads=threads)
        with isolate(threads), on_best_device(fitted.model.network):
            rows = asked.rows(held)
            encoded = head.encode(rows, fitted.model.tokenizer, planned.max_length)
            judged = predict_probabilities(fitted.model, EvaluationSet(task, ("",), (encoded,), (rows,)))[0]
        for row, value in zip(held, judged, strict=True):
            found[row] = value
        made.append(fitted.history.stages[0])
    feature = _feature(found)
    values = pa.array(found, Features({name: feature}).arrow_schema.field(0).type)
    details = {
        "model": made[0]["model_before"],
        "learning_rate": made[0]["learning_rate"],
        "models": [{one: each[one] for one in ("rows", "steps", "weights_after")} for each in made],
    }
    settings = {"threads": made[0]["threads"], "stage": planned.settings()}
    return asked.answer(values, feature, settings, details, ("torch", "transformers"))


def _folds(asked: ColumnRequest, head: TrainableHead) -> Indices:
    """Return each row's fold, shape (rows,): rows with one text share a fold, and classes are spread over them."""
    texts = [_written(asked.table.column(one)) for one in head.reads]
    groups = groups_of([one for one in texts if one is not None])
    check_enough(groups, np.arange(len(groups)), asked.folds, asked.owner)
    known = isinstance(asked.data.features.get("label"), ClassLabel)
    labels = read_integers(asked.table.column("label")) if known else np.zeros(len(groups), np.int64)
    return assign_folds(labels, groups, asked.draw, asked.folds)


def _written(values: pa.ChunkedArray) -> list[str] | None:
    """Return a column of text, or of lists of it, as one string a row; None for other columns."""
    if is_text(values.type):
        return read_strings(values)
    read = flatten_lists(values)
    if read is None or not is_text(read[0].type):
        return None
    return sentences_of(read_strings(read[0]), read[1])


def _feature(values: Sequence[Any]) -> Any:
    """Return the feature of a column of numbers, of lists of them, or of lists of such lists."""
    first = next((one for one in values if not isinstance(one, list) or one), 0.0)
    if not isinstance(first, list):
        return Value("float64")
    return List(List(Value("float64"))) if isinstance(first[0], list) else List(Value("float64"))
