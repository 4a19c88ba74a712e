"""Probabilities by fine-tuning over folds: each row's come from an encoder trained on the rows of the other folds."""

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
from xquality.heads import GivesProbabilities, TrainableHead
from xquality.label_issues.folds import assign_folds, check_enough, hash_texts
from xquality.models.isolation import isolate
from xquality.models.model import on_best_device
from xquality.probabilities.column_request import ColumnRequest
from xquality.randomness import derive_seed
from xquality.tasks import Task
from xquality.text.columns import join_tokens
from xquality.train import Stage, Store, fit


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

    The probabilities of each fold come from a model that `fit` trained on all other folds. Rows with one text share a
    fold, folds are keyed by text and seed, and the order of rows changes nothing. A few epochs are enough: a model that
    memorises label noise also mislabels similar rows.

    Args:
        data: training rows of the task.
        task: a task whose head gives probabilities of labels.
        model: a local folder or a Hub id, as `fit` takes it.
        seed: an integer.
        folds: the number of folds, 2 or more; one model is trained for each.
        store: a folder of finished stages, as `fit` takes it: a run that was stopped resumes from it.
        threads: how many threads torch computes with; None leaves their number as it is. Another number
            changes the last bits.
        name: the column to add. It holds what `CleanlabFilter` reads: a list of one probability for each class or
            option, a list of such lists for tags, or one number for any other answer.
        stage: further settings of `Stage`, for example `steps=200`, `epochs=2`, `learning_rate=2e-3`, `batch_size=16`.

    Raises:
        DataKindError: if `data` is not a `Dataset`.
        SettingError: for a number out of range, or two budgets.
        ColumnError, LabelError: if the rows are not what the task's head reads, or a column has that name already.
        TrainingError: if the task's head gives no probabilities.
        ModelError: if the model cannot be loaded.

    Example:
        >>> import tempfile
        >>> from xquality import LabelNoise, history, toy
        >>> from xquality.models import tiny_encoder
        >>> noisy = LabelNoise(rate=0.2)(toy.topics.load("es", "validation"), seed=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     tiny = tiny_encoder(noisy["text"][:], folder=f"{folder}/tiny", pieces=300, width=16, steps=1)
        ...     predicted = from_fine_tuning(noisy, toy.topics, model=tiny, seed=1, folds=2, steps=2, threads=1)
        >>> history(predicted)[-1].transform
        'from_fine_tuning'
    """
    request = ColumnRequest.of("from_fine_tuning", data, seed, folds, name)
    planned = Stage(task, request.data, **stage)
    head = task.head
    if not isinstance(head, TrainableHead) or not isinstance(head, GivesProbabilities):
        raise TrainingError(f"The head of {task.name} gives no probabilities of labels; choose another source of them.")
    head.check(request.data)
    fold = _folds(request, head)
    probabilities: list[Any] = [None] * len(fold)
    stages = []
    for number in range(folds):
        training, held_out = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        part = dataclasses.replace(planned, data=request.select(training))
        fitted = fit([part], model=model, seed=derive_seed("fold", seed, number), store=store, threads=threads)
        with isolate(threads), on_best_device(fitted.model.network):
            rows = request.select(held_out)
            encoded = head.encode(rows, fitted.model.tokenizer, planned.max_length)
            predicted = predict_probabilities(fitted.model, EvaluationSet(task, ("",), (encoded,), (rows,)))[0]
        for row, value in zip(held_out, predicted, strict=True):
            probabilities[row] = value
        stages.append(fitted.history.stages[0])
    feature = _feature_of(probabilities)
    values = pa.array(probabilities, Features({name: feature}).arrow_schema.field(0).type)
    details = {
        "model": stages[0]["model_before"],
        "learning_rate": stages[0]["learning_rate"],
        "models": [{key: record[key] for key in ("rows", "steps", "weights_after")} for record in stages],
    }
    settings = {"threads": stages[0]["threads"], "stage": planned.settings()}
    return request.add_column(values, feature, settings, details, ("torch", "transformers"))


def _folds(request: ColumnRequest, head: TrainableHead) -> Indices:
    """Return each row's fold, shape (rows,): rows with one text share a fold, and classes are spread over the folds."""
    texts = [_texts(request.table.column(name)) for name in head.reads]
    groups = hash_texts([column for column in texts if column is not None])
    check_enough(groups, np.arange(len(groups)), request.folds, request.owner)
    classified = isinstance(request.data.features.get("label"), ClassLabel)
    labels = read_integers(request.table.column("label")) if classified else np.zeros(len(groups), np.int64)
    return assign_folds(labels, groups, request.draw, request.folds)


def _texts(values: pa.ChunkedArray) -> list[str] | None:
    """Return a column of text, or of lists of it, as one string for each row; None for any other column."""
    if is_text(values.type):
        return read_strings(values)
    lists = flatten_lists(values)
    if lists is None or not is_text(lists[0].type):
        return None
    return join_tokens(read_strings(lists[0]), lists[1])


def _feature_of(probabilities: Sequence[Any]) -> Any:
    """Return the feature of a column of numbers, of lists of numbers, or of lists of such lists."""
    first = next((value for value in probabilities if not isinstance(value, list) or value), 0.0)
    if not isinstance(first, list):
        return Value("float64")
    return List(List(Value("float64"))) if isinstance(first[0], list) else List(Value("float64"))
