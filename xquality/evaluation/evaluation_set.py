"""EvaluationSet: rows of several languages of one task, read by a model in one pass and scored language by language."""

import dataclasses
import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np
from datasets import Dataset
from numpy.typing import NDArray

from xquality import _settings
from xquality.data._datasets import table_of
from xquality.data.digest import digest_table
from xquality.data.uids import UID, check_uids
from xquality.errors import (
    ColumnError,
    LabelError,
    MetricError,
    SettingError,
    SourceError,
    TrainingError,
    UidError,
    first_line,
)
from xquality.evaluation.progress import make_bar
from xquality.heads import Encoded, GathersRows, GivesProbabilities, Head, TensorBatch
from xquality.heads.embedding import EmbeddingHead
from xquality.heads.encoded import join_encoded
from xquality.languages import did_you_mean, similar
from xquality.metrics import MetricValue
from xquality.models.model import Model
from xquality.models.precision import FLOAT32, run_network
from xquality.randomness import Draw
from xquality.records import Score
from xquality.tasks.base import Task

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_ROWS = 512  # the most rows read at a time, however short
_LISTED = 10  # the most languages that a message lists


@final
@dataclass(frozen=True)
class EvaluationSet:
    """Encoded rows of several languages of one task, ready to be scored together.

    Attributes:
        task: the task.
        languages: the languages, as the dataset spells them.
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

    @cached_property
    def digests(self) -> tuple[str, ...]:
        """The digest of the rows of each language, 16 hex digits: of their uids and of all columns that decide a score.

        Row order counts, since statistics of examples are compared row by row.
        """
        return tuple(_digest_rows(self.head, data) for data in self.data)

    @cached_property
    def uids(self) -> tuple[tuple[int | str, ...] | None, ...]:
        """The uids of the examples of each language; None where an example is not a row."""
        tables = [table_of(data) for data in self.data]
        return tuple(
            tuple(table.column(UID).to_pylist())
            if UID in table.column_names and len(table) == encoded.examples
            else None
            for table, encoded in zip(tables, self.encoded, strict=True)
        )


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
        SourceError: if languages are missing, naming them; with `skip_missing` only if all are.
    """
    by_language = gather(task, languages, split, root, skip_missing=skip_missing)
    return encode_evaluation_set(task, by_language, model.tokenizer, model.max_length, rows=rows)


def encode_evaluation_set(
    task: Task,
    by_language: Mapping[str, Dataset],
    tokenizer: "PreTrainedTokenizerBase",
    max_length: int,
    *,
    rows: int | None = None,
) -> EvaluationSet:
    """Return the encoded rows of several languages, at most `rows` of each, chosen by uid.

    A head that gathers its rows itself reads all of them.

    Args:
        task: the task.
        by_language: the rows of each language, as `gather` returns them.
        tokenizer: the model's tokenizer.
        max_length: the length in tokens that the model was trained with.
        rows: the most rows of each language; None for all.
    """
    head = task.head
    assert head is not None
    if rows is not None and not isinstance(head, GathersRows):
        by_language = {language: _take_rows(data, rows) for language, data in by_language.items()}
    length = head.read_length(max_length, tokenizer)
    encoded = []
    for language, data in by_language.items():
        with name_language(task, language):
            encoded.append(head.encode(data, tokenizer, length))
    return EvaluationSet(task, tuple(by_language), tuple(encoded), tuple(by_language.values()))


@contextmanager
def name_language(task: Task, language: str) -> Iterator[None]:
    """Put the task and the language before the message of an error about the rows or the predictions of one language.

    Example:
        >>> from xquality import toy
        >>> with name_language(toy.topics, "de"):
        ...     raise LabelError("A row has no label; remove it.")
        Traceback (most recent call last):
            ...
        xquality.errors.LabelError: toy.topics in 'de': A row has no label; remove it.
    """
    try:
        yield
    except (ColumnError, LabelError, MetricError, UidError) as fault:
        raise type(fault)(f"{task.name} in {language!r}: {fault}") from fault


def gather(
    task: Task, languages: Sequence[str], split: str, root: str | Path | None, *, skip_missing: bool = False
) -> dict[str, Dataset]:
    """Return the rows that are scored in several languages.

    Raises:
        SourceError: if languages are missing, naming them; with `skip_missing` only if all are.
    """
    by_language: dict[str, Dataset] = {}
    missing: dict[str, SourceError] = {}
    for language in languages:
        try:
            by_language[language] = load_scored_rows(task, language, split, root)
        except SourceError as fault:
            missing[language] = fault
    if missing and (not skip_missing or not by_language):
        first = next(iter(missing.values()))
        raise SourceError(
            f"{task.name} has no {split} rows in {_list_some(missing)} here; leave them out or pass skip_missing=True "
            f"({first_line(first)})."
        ) from first
    return by_language


def load_scored_rows(task: Task, language: str, split: str, root: str | Path | None = None) -> Dataset:
    """Return the rows that are scored in one language: those of the split, or those that the head gathers for it.

    Raises:
        SourceError: if the data are missing or have no rows.
    """
    if isinstance(task.head, GathersRows):
        rows = task.head.gather(lambda name: task.load(language, name, root), split)
    else:
        rows = task.load(language, split, root)
    if not len(rows):
        raise SourceError(f"The {split} split of {task.name} has no rows in {language!r}; leave this language out.")
    return rows


def _take_rows(data: Dataset, rows: int) -> Dataset:
    """Return at most `rows` of the rows: the same ones, by uid, in every run and language."""
    if rows >= len(data):
        return data
    draw = Draw(0, "Probe", 0, check_uids(table_of(data).column(UID)))
    return data.select(draw.smallest("rows", rows))


def score_set(
    model: Model, evaluation_set: EvaluationSet, signature: Mapping[str, Any], *, precision: str = FLOAT32
) -> list[Score]:
    """Return the scores of every language; each example counts once, however many rows it has."""
    predictions = predict(model, evaluation_set, precision=precision)
    return [score for scores in scores_of(evaluation_set, predictions, signature) for score in scores]


def scores_of(
    evaluation_set: EvaluationSet, predictions: Sequence[list[Any]], signature: Mapping[str, Any]
) -> list[list[Score]]:
    """Return the scores of each language, given the predictions that `predict` returned for it."""
    task, scores = evaluation_set.task, []
    by_language = zip(
        *(evaluation_set.languages, evaluation_set.encoded, predictions, evaluation_set.digests, evaluation_set.uids),
        strict=True,
    )
    for language, encoded, predicted, digest, uids in by_language:
        with name_language(task, language):
            values = evaluation_set.head.score(predicted, encoded.references_or_targets, language)
        made = {**signature, "data": digest}
        scores.append([_score(task, language, value, encoded.examples, made, uids) for value in values])
    return scores


def _digest_rows(head: Head, data: Dataset) -> str:
    """Return the digest of what a head reads of some rows, with their uids; of all columns where it gathers them."""
    table = table_of(data)
    read = table.column_names if isinstance(head, GathersRows) else (UID, *head.reads)
    names = [name for name in dict.fromkeys(read) if name in table.column_names]
    return digest_table(table.select(names), dict(data.features))[:16]


def _score(
    task: Task,
    language: str,
    value: MetricValue,
    examples: int,
    signature: Mapping[str, Any],
    uids: tuple[int | str, ...] | None,
) -> Score:
    """Return a metric's value with the task, the language and the settings that made it."""
    rows = examples if value.statistics is None else len(value.statistics)
    return Score(
        task.name,
        language,
        value.metric,
        value.value,
        rows,
        {**signature, **value.signature},
        value.statistics,
        uids if uids is not None and len(uids) == rows else None,
    )


def predict(
    model: Model, evaluation_set: EvaluationSet, *, precision: str = FLOAT32, progress: bool | None = False
) -> list[list[Any]]:
    """Return the predictions for each language's examples, in their order, from one pass sorted by length.

    Args:
        model: the model.
        evaluation_set: the rows to read.
        precision: "float32" or "bfloat16".
        progress: whether to show a bar; None for only in terminals and notebooks.
    """
    head = evaluation_set.head
    by_language = _read_outputs(model, evaluation_set, head.predict, precision=precision, progress=progress)
    return [head.join_rows(rows, encoded) for rows, encoded in zip(by_language, evaluation_set.encoded, strict=True)]


def predict_probabilities(
    model: Model, evaluation_set: EvaluationSet, *, progress: bool | None = False
) -> list[list[Any]]:
    """Return the probabilities of the labels of each language's examples, in the form of `heads.GivesProbabilities`.

    Args:
        model: the model.
        evaluation_set: the rows to read, with their labels.
        progress: whether to show a bar; None for only in terminals and notebooks.

    Raises:
        TrainingError: if the head gives no probabilities.
    """
    head = evaluation_set.head
    if not isinstance(head, GivesProbabilities):
        raise TrainingError(f"{type(head).__name__} gives no probabilities of labels; choose a task with another head.")
    by_language = _read_outputs(model, evaluation_set, head.probabilities, progress=progress)
    parts = zip(by_language, evaluation_set.encoded, strict=True)
    return [head.join_probabilities(rows, encoded) for rows, encoded in parts]


def _read_outputs(
    model: Model,
    evaluation_set: EvaluationSet,
    read: Callable[[Any, TensorBatch], Sequence[Any]],
    *,
    precision: str = FLOAT32,
    progress: bool | None,
) -> list[list[Any]]:
    """Return what `read` gives for the network's output of each row of each language."""
    import torch

    head, network, encoded = evaluation_set.head, model.network, join_encoded(evaluation_set.encoded)
    results: list[Any] = [None] * len(encoded)
    training = network.training
    network.eval()  # type: ignore[no-untyped-call]  # torch's own
    bar = make_bar(len(encoded), evaluation_set.task.name, "row", progress=progress)
    with torch.inference_mode(), bar:
        for rows in _batches(encoded.lengths(), head.tokens_at_once):
            batch = head.batch(encoded, rows, model.tokenizer)
            on_device = {name: tensor.to(network.device) for name, tensor in batch.items()}
            outputs = run_network(functools.partial(head.run, network, on_device), network, precision)
            for row, result in zip(rows, read(outputs, batch), strict=True):
                results[row] = result
            bar.update(len(rows))
    network.train(training)
    ends = np.cumsum([0, *map(len, evaluation_set.encoded)])
    return [results[start:end] for start, end in itertools.pairwise(ends)]


def _batches(lengths: NDArray[np.int64], tokens: int) -> Iterator[list[int]]:
    """Yield the rows from the longest to the shortest, in batches of at most `tokens` tokens with their padding."""
    order = np.argsort(-lengths, kind="stable")
    start = 0
    while start < len(order):
        longest = max(1, int(lengths[order[start]]))
        count = min(_ROWS, max(1, tokens // longest))
        yield order[start : start + count].tolist()
        start += count


def with_layer(task: Task, layer: int | None, owner: str) -> Task:
    """Return a task of retrieval or mining whose head reads another layer; None leaves it unchanged.

    Raises:
        SettingError: for a task whose head reads no layer, or reads several.
    """
    if layer is None:
        return task
    if not isinstance(task.head, EmbeddingHead):
        raise SettingError(
            f"{owner}(layer={layer!r}) has no meaning for {task.name}, whose head reads no layer of its own; leave it "
            "out."
        )
    return dataclasses.replace(task, head=dataclasses.replace(task.head, layer=layer))


def task_languages(task: Task, languages: Sequence[str] | None) -> tuple[str, ...]:
    """Return the languages to score, None meaning all of the task, each once.

    Raises:
        SettingError: for a language that the task does not have.
    """
    if languages is None:
        return tuple(dict.fromkeys(task.languages))
    if isinstance(languages, str) or not isinstance(languages, Sequence) or not languages:
        meant = (languages,) if languages in task.languages else similar(languages, task.languages)
        example = list(meant or task.languages[:2])
        raise SettingError(f"languages={languages!r} must be a list of languages of {task.name}, such as {example}.")
    chosen = dict.fromkeys(_settings.text("evaluate", "languages", language) for language in languages)
    unknown = [language for language in chosen if language not in task.languages]
    if unknown:
        near = did_you_mean(unknown[0], task.languages)
        raise SettingError(
            f"{task.name} has no language {_list_some(unknown)}{near}; it has {_list_some(task.languages)}."
        )
    return tuple(chosen)


def _list_some(names: Iterable[str]) -> str:
    """Return names with commas between them, each once, the first ten and the number of the others."""
    listed = list(dict.fromkeys(names))
    others = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    return ", ".join(listed[:_LISTED]) + others
