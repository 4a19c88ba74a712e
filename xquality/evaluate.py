"""evaluate: all languages of a task in one pass, sorted by length, each example scored once.

May import: errors, checks, arrow, heads, identity, languages, model, isolation, records, randomness, tasks.base |
numpy, datasets, torch, tqdm.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol, final

import numpy as np

from xquality import checks
from xquality.arrow import table_of
from xquality.errors import ModelError, SettingError, SourceError
from xquality.heads import Batch, Encoded
from xquality.identity import UID, checked
from xquality.isolation import isolated
from xquality.languages import identity
from xquality.model import Model, load, on_best_device
from xquality.randomness import Draw
from xquality.records import Score
from xquality.tasks.base import Task

_BATCH = 128  # rows scored at a time


class HasModel(Protocol):
    """Anything that carries a model, such as what `fit` returns."""

    @property
    def model(self) -> Model:
        """The trained model."""
        ...


@final
@dataclass(frozen=True)
class Pool:
    """Encoded rows of several languages of one task, ready to be scored together.

    Attributes:
        task: the task.
        languages: the languages in the pool.
        encoded: the rows of each language.
    """

    task: Task
    languages: tuple[str, ...]
    encoded: tuple[Encoded, ...]


def evaluate(
    model: Model | HasModel | str | Path,
    task: Task,
    languages: Sequence[str] | None = None,
    split: str | None = None,
    root: str | Path | None = None,
    *,
    skip_missing: bool = False,
    threads: int | None = None,
) -> list[Score]:
    """Return the scores of a trained model, one for each language and metric.

    Args:
        model: what `fit` returned, or the folder it was saved in.
        task: a task whose labels are those the model was trained on.
        languages: as the dataset spells them; None for all of the task.
        split: None for the task's evaluation split.
        root: a folder of local data; None for the one named by XQUALITY_DATA, and the Hub without it.
        skip_missing: leave out languages that the data do not have, instead of raising.
        threads: how many threads torch computes with; None leaves their number as it is.

    Raises:
        SettingError: for a language that the task does not have, or none at all.
        SourceError: where the data of a language are missing.
        ModelError: where the model's labels are not the task's.
    """
    trained = load(Path(model)) if isinstance(model, str | Path) else model if isinstance(model, Model) else model.model
    wanted = task_languages(task, languages)
    if task.head is None or dict(trained.signature) != dict(task.head.signature()):
        raise ModelError(
            f"{task.name} needs a model trained for {task.head and dict(task.head.signature())}, but this one gives "
            f"{dict(trained.signature)}; train a stage on {task.name} first."
        )
    chosen = split or task.evaluation_split
    pool = make_pool(trained, task, wanted, chosen, root, skip_missing=skip_missing)
    signature = {
        "split": chosen,
        "max_length": trained.max_length,
        "model": trained.digest[:12],
        "xquality": version("xquality"),
        "transformers": version("transformers"),
        "torch": version("torch"),
    }
    with isolated(threads), on_best_device(trained.network):
        return score_pool(trained, pool, signature)


def zero_shot_mean(scores: Iterable[Score], trained_in: Sequence[str], metric: str | None = None) -> float:
    """Return the mean over the languages that no stage was trained in, however they are spelled.

    Args:
        scores: what `evaluate` returned.
        trained_in: the languages of all stages, for example `fitted.languages`.
        metric: None for the first score's.

    Raises:
        SettingError: where no language is left.

    Example:
        >>> zero_shot_mean([Score("t", "en", "accuracy", 90.0, 9), Score("t", "de", "accuracy", 60.0, 9)], ["eng_Latn"])
        60.0
    """
    if isinstance(trained_in, str):
        raise SettingError(f"zero_shot_mean(trained_in={trained_in!r}) must be a list, such as ['en', 'es'].")
    known = {identity(one) for one in trained_in}
    given = list(scores)
    name = metric or (given[0].metric if given else "")
    values = [one.value for one in given if one.metric == name and identity(one.language) not in known]
    if not values:
        raise SettingError(
            f"A zero-shot mean needs scores of {name!r} in a language other than {sorted(known)}, but there are none."
        )
    return sum(values) / len(values)


def make_pool(
    model: Model,
    task: Task,
    languages: Sequence[str],
    split: str,
    root: str | Path | None,
    *,
    rows: int | None = None,
    skip_missing: bool = False,
) -> Pool:
    """Return the encoded rows of several languages, at most `rows` of each, chosen by uid."""
    found: dict[str, Encoded] = {}
    missing: dict[str, SourceError] = {}
    for language in languages:
        try:
            data = task.load(language, split, root)
        except SourceError as fault:
            missing[language] = fault
            continue
        if rows is not None and rows < len(data):
            draw = Draw(0, "Probe", 0, checked(table_of(data).column(UID)))  # the same rows in every run and language
            data = data.select(draw.smallest("rows", rows))
        assert task.head is not None
        found[language] = task.head.encode(data, model.tokenizer, model.max_length)
    if missing and (not skip_missing or not found):
        first = next(iter(missing.values()))
        raise SourceError(
            f"{task.name} has no {split} data for {', '.join(missing)} here; leave them out or pass skip_missing=True "
            f"({first})"
        ) from first
    return Pool(task, tuple(found), tuple(found.values()))


def score_pool(model: Model, pool: Pool, signature: Mapping[str, Any]) -> list[Score]:
    """Return the scores of every language in the pool."""
    predictions = predict(model, pool)
    scores = []
    assert pool.task.head is not None
    for language, encoded, predicted in zip(pool.languages, pool.encoded, predictions, strict=True):
        for metric, value in pool.task.head.score(predicted, encoded.targets).items():
            scores.append(Score(pool.task.name, language, metric, value, len(encoded), signature))
    return scores


def predict(model: Model, pool: Pool, read: Callable[[Any, Batch], list[Any]] | None = None) -> list[list[Any]]:
    """Return the predictions for each language, in the order of its rows, from one pass sorted by length.

    Args:
        model: the model.
        pool: the rows.
        read: what to read from the network's outputs for a batch, one entry a row; None for the head's predictions.
    """
    import torch

    head, network = pool.task.head, model.network
    assert head is not None
    joined = Encoded(
        [one for encoded in pool.encoded for one in encoded.input_ids],
        [one for encoded in pool.encoded for one in encoded.targets],
        segments=[one for encoded in pool.encoded for one in encoded.segments] if pool.encoded[0].segments else (),
    )
    order = np.argsort(joined.lengths(), kind="stable")
    found: list[Any] = [None] * len(joined)
    training = network.training
    network.eval()  # type: ignore[no-untyped-call]  # torch's own
    with torch.inference_mode():
        for start in range(0, len(order), _BATCH):
            rows = [int(one) for one in order[start : start + _BATCH]]
            batch = head.batch(joined, rows, model.tokenizer.pad_token_id)
            moved = {name: one.to(network.device) for name, one in batch.items() if name not in ("labels", "weights")}
            outputs = network(**moved)
            for row, one in zip(rows, read(outputs, batch) if read else head.predict(outputs), strict=True):
                found[row] = one
    network.train(training)
    ends = np.cumsum([0, *(len(one) for one in pool.encoded)])
    return [found[ends[place] : ends[place + 1]] for place in range(len(pool.encoded))]


def task_languages(task: Task, asked: Sequence[str] | None) -> tuple[str, ...]:
    """Return the languages to score, after checking that the task has them."""
    wanted = task.languages if asked is None else checks.texts("evaluate", "languages", asked)
    strange = [one for one in wanted if one not in task.languages]
    if strange:
        raise SettingError(f"{task.name} has no language {', '.join(strange)}; there are {', '.join(task.languages)}.")
    return tuple(dict.fromkeys(wanted))
