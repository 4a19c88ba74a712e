"""EvaluationSet: rows of several languages of one task, read by a model in one pass and scored language by language."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from xquality import _settings
from xquality.data._datasets import table_of
from xquality.data.uids import UID, check_uids
from xquality.errors import SettingError, SourceError, TrainingError
from xquality.heads import Batch, Encoded, Head, Load, TrainableHead
from xquality.heads.encoded import joined
from xquality.metrics import MetricValue
from xquality.models.model import Model
from xquality.randomness import Draw
from xquality.records import Score
from xquality.tasks.base import Task

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_ROWS = 512  # the most rows read at a time, however short


@final
@dataclass(frozen=True)
class EvaluationSet:
    """Encoded rows of several languages of one task, ready to be scored together.

    Attributes:
        task: the task.
        languages: the languages in the pool.
        encoded: the rows of each language.
        data: the same rows before they were encoded.
    """

    task: Task
    languages: tuple[str, ...]
    encoded: tuple[Encoded, ...]
    data: tuple[Dataset, ...]

    @property
    def head(self) -> Head:
        """The task's head."""
        assert self.task.head is not None
        return self.task.head


def make_evaluation_set(
    model: Model,
    task: Task,
    languages: Sequence[str],
    split: str,
    root: str | Path | None,
    *,
    rows: int | None = None,
    skip_missing: bool = False,
) -> EvaluationSet:
    """Return the encoded rows of several languages, at most `rows` of each, chosen by uid.

    Raises:
        SourceError: where languages are missing, naming them; with `skip_missing` only where all are.
    """
    found = gather(task, languages, split, root, skip_missing=skip_missing)
    return encode_evaluation_set(task, found, model.tokenizer, model.max_length, rows=rows)


def encode_evaluation_set(
    task: Task,
    data: Mapping[str, Dataset],
    tokenizer: "PreTrainedTokenizerBase",
    max_length: int,
    *,
    rows: int | None = None,
) -> EvaluationSet:
    """Return the encoded rows of several languages, at most `rows` of each, chosen by uid.

    Args:
        task: the task.
        data: the rows by language, as `gather` returns them.
        tokenizer: the model's.
        max_length: in tokens, of the rows that the model was trained on.
        rows: how many rows of each language; None for all.
    """
    head = task.head
    assert head is not None
    if rows is not None and head.separable:
        data = {language: _some(found, rows) for language, found in data.items()}
    length = head.length(max_length, tokenizer)
    encoded = tuple(head.encode(found, tokenizer, length) for found in data.values())
    return EvaluationSet(task, tuple(data), encoded, tuple(data.values()))


def gather(
    task: Task, languages: Sequence[str], split: str, root: str | Path | None, *, skip_missing: bool = False
) -> dict[str, Dataset]:
    """Return the rows that are scored in several languages.

    Raises:
        SourceError: where languages are missing, naming them; with `skip_missing` only where all are.
    """
    assert task.head is not None
    found: dict[str, Dataset] = {}
    missing: dict[str, SourceError] = {}
    for language in languages:
        try:
            found[language] = task.head.gather(loader(task, language, root), split)
        except SourceError as fault:
            missing[language] = fault
    if missing and (not skip_missing or not found):
        first = next(iter(missing.values()))
        raise SourceError(
            f"{task.name} has no {split} data for {', '.join(missing)} here; leave them out or pass skip_missing=True "
            f"({first})"
        ) from first
    return found


def loader(task: Task, language: str, root: str | Path | None = None) -> Load:
    """Return a task's `load` in one language, from a split's name to its rows."""
    return lambda split: task.load(language, split, root)


def _some(data: Dataset, rows: int) -> Dataset:
    """Return at most `rows` of the rows: the same ones, by uid, in every run and language."""
    if rows >= len(data):
        return data
    draw = Draw(0, "Probe", 0, check_uids(table_of(data).column(UID)))
    return data.select(draw.smallest("rows", rows))


def score_set(
    model: Model, pool: EvaluationSet, signature: Mapping[str, Any], *, progress: bool | None = False
) -> list[Score]:
    """Return the scores of every language in the pool; each example counts once, however many rows it has."""
    found = predict(model, pool, progress=progress)
    return [score for several in scores_of(pool, found, signature) for score in several]


def scores_of(pool: EvaluationSet, found: Sequence[list[Any]], signature: Mapping[str, Any]) -> list[list[Score]]:
    """Return the scores of each language, given what `predict` found for it."""
    scores = []
    for language, encoded, predicted in zip(pool.languages, pool.encoded, found, strict=True):
        values = pool.head.score(predicted, encoded.gold, language)
        scores.append([_score(pool.task, language, value, encoded.examples, signature) for value in values])
    return scores


def _score(task: Task, language: str, value: MetricValue, examples: int, signature: Mapping[str, Any]) -> Score:
    """Return a metric's value with the task, the language and the settings that made it."""
    return Score(
        task.name,
        language,
        value.metric,
        value.value,
        examples if value.statistics is None else len(value.statistics),
        {**signature, **value.signature},
        value.statistics,
    )


def predict(model: Model, pool: EvaluationSet, *, progress: bool | None = False) -> list[list[Any]]:
    """Return the predictions for each language's examples, in their order, from one pass sorted by length.

    Args:
        model: the model.
        pool: what to read.
        progress: whether to show a bar; None where standard error is a terminal.
    """
    parts = _read(model, pool, pool.head.predict, progress=progress)
    return [pool.head.join(part, encoded) for part, encoded in zip(parts, pool.encoded, strict=True)]


def predict_probabilities(model: Model, pool: EvaluationSet, *, progress: bool | None = False) -> list[list[Any]]:
    """Return what the model makes of the labels of each language's examples, as `TrainableHead.probabilities` says.

    Args:
        model: the model.
        pool: what to read, with its labels.
        progress: whether to show a bar; None where standard error is a terminal.

    Raises:
        TrainingError: where the head has no probabilities.
    """
    head = pool.head
    if not isinstance(head, TrainableHead):
        raise TrainingError(f"{type(head).__name__} gives no probabilities of labels; choose a task with another head.")
    parts = _read(model, pool, head.probabilities, progress=progress)
    return [head.join_probabilities(part, encoded) for part, encoded in zip(parts, pool.encoded, strict=True)]


def _read(
    model: Model, pool: EvaluationSet, read: Callable[[Any, Batch], Sequence[Any]], *, progress: bool | None
) -> list[list[Any]]:
    """Return what is read from the network's outputs for each row of each language."""
    import torch
    from tqdm import tqdm

    head, network, rows = pool.head, model.network, joined(pool.encoded)
    found: list[Any] = [None] * len(rows)
    training = network.training
    network.eval()  # type: ignore[no-untyped-call]  # torch's own
    bar = tqdm(total=len(rows), desc=pool.task.name, unit="row", disable=None if progress is None else not progress)
    with torch.inference_mode(), bar:
        for chosen in _batches(rows.lengths(), head.tokens_at_once):
            batch = head.batch(rows, chosen, model.tokenizer)
            moved = {name: one.to(network.device) for name, one in batch.items()}
            for row, one in zip(chosen, read(head.run(network, moved), batch), strict=True):
                found[row] = one
            bar.update(len(chosen))
    network.train(training)
    ends = np.cumsum([0, *map(len, pool.encoded)])
    return [found[start:end] for start, end in itertools.pairwise(ends)]


def _batches(lengths: NDArray[np.int64], tokens: int) -> Iterator[list[int]]:
    """Yield the rows from the longest to the shortest, as many at a time as make up `tokens` with their padding."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        longest = max(1, int(lengths[order[start]]))
        count = min(_ROWS, max(1, tokens // longest))
        yield order[start : start + count].tolist()
        start += count


def task_languages(task: Task, asked: Sequence[str] | None) -> tuple[str, ...]:
    """Return the languages to score, after checking that the task has them."""
    wanted = task.languages if asked is None else _settings.texts("evaluate", "languages", asked)
    strange = [one for one in wanted if one not in task.languages]
    if strange:
        raise SettingError(f"{task.name} has no language {', '.join(strange)}; there are {', '.join(task.languages)}.")
    return tuple(dict.fromkeys(wanted))
