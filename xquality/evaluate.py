"""evaluate: all languages of a task in one pass, sorted by length, each example scored once.

May import: errors, averages, heads, model, isolation, pool, records, tasks.base | numpy.
"""

import dataclasses
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Protocol

from xquality.averages import average, table, transfer_gap, zero_shot_mean
from xquality.errors import ModelError
from xquality.heads import Head, TrainableHead
from xquality.isolation import isolated
from xquality.model import Model, is_fitted, load, load_encoder, on_best_device
from xquality.pool import make_pool, score_pool, task_languages
from xquality.records import Score
from xquality.tasks.base import Task

__all__ = ["HasModel", "average", "evaluate", "table", "transfer_gap", "zero_shot_mean"]


class HasModel(Protocol):
    """Anything that carries a model, such as what `fit` returns."""

    @property
    def model(self) -> Model:
        """The trained model."""
        ...


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
    wanted = task_languages(scored, languages)
    chosen = split or scored.evaluation_split
    with isolated(threads):
        trained = _model(model, scored)
        pool = make_pool(trained, scored, wanted, chosen, root, skip_missing=skip_missing)
        signature = {
            "split": chosen,
            "max_length": pool.head.length(trained.max_length, trained.tokenizer),
            "model": trained.digest[:12],
            "xquality": version("xquality"),
            "transformers": version("transformers"),
            "torch": version("torch"),
        }
        with on_best_device(trained.network):
            return score_pool(trained, pool, signature, progress=progress)


def _model(model: Model | HasModel | str | Path, task: Task) -> Model:
    """Return the model to score, after checking that the task's head can read it."""
    if isinstance(model, str | Path):
        alone = not isinstance(task.head, TrainableHead) and not is_fitted(Path(model))
        trained = Model(*load_encoder(model), 0, {}) if alone else load(Path(model))
    else:
        trained = model if isinstance(model, Model) else model.model
    if task.head is None or not task.head.fits(trained.signature):
        raise ModelError(
            f"{task.name} needs a model trained for {task.head and dict(task.head.signature())}, but this one gives "
            f"{dict(trained.signature)}; train a stage on {task.name} first."
        )
    task.head.check_network(trained.network)
    return trained
