"""The first half of `fit`: a chain of stages with its data loaded and checked, before anything is trained."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, final

from datasets import Dataset

from xquality.data._datasets import derive_fingerprint, table_of
from xquality.data.digest import digest_table
from xquality.data.provenance import history
from xquality.data.uids import UID, check_uids, with_uid
from xquality.errors import SettingError, TrainingError
from xquality.evaluation.evaluation_set import (
    EvaluationSet,
    encode_evaluation_set,
    load_scored_rows,
    task_languages,
    with_layer,
)
from xquality.heads import TrainableHead
from xquality.models.model import Model, load_encoder
from xquality.randomness import derive_seed
from xquality.study.planning import current_planner
from xquality.tasks.base import Task
from xquality.train.arguments import check_arguments
from xquality.train.probe import Probe
from xquality.train.stage import Stage, TrainingSource

T = TypeVar("T")


@final
@dataclass(frozen=True)
class TrainingRows:
    """The training rows of one task of a stage, sorted by uid, with only the columns that training reads.

    Attributes:
        data: the rows.
        digest: of these columns; the order of the rows as given does not change it.
        records: what was done to the data as given.
    """

    data: Dataset
    digest: str
    records: tuple[Mapping[str, Any], ...]


@final
@dataclass(frozen=True)
class PreparedStage:
    """One stage with everything that decides its outcome, except the weights it starts from.

    Attributes:
        stage: the settings.
        rows: the training rows of each task.
        seed: the stage's own.
        probe: when scores are measured; None where none are.
        probe_rows: the rows that the probe measures, encoded; None without a probe.
        selection_rows: the rows that the selection of weights scores, encoded; None where it needs no scores.
    """

    stage: Stage
    rows: tuple[TrainingRows, ...]
    seed: int
    probe: Probe | None
    probe_rows: EvaluationSet | None
    selection_rows: EvaluationSet | None

    @property
    def head(self) -> TrainableHead:
        """The head of the model after the stage: that of the first task."""
        return self.stage.heads[0]


@final
@dataclass(frozen=True)
class PreparedChain:
    """A chain of stages that can be trained: no further data are loaded or checked.

    Attributes:
        start: the pretrained encoder, which the first stage starts from.
        stages: the stages, in order.
    """

    start: Model
    stages: tuple[PreparedStage, ...]


@final
@dataclass(frozen=True)
class _EvaluationRequest:
    """Which rows are scored during a stage."""

    task: Task
    languages: tuple[str, ...]
    split: str
    root: str | Path | None
    count: int | None  # rows of each language

    def load(self, load: Callable[[Task, str, str, str | Path | None], Dataset]) -> dict[str, Dataset]:
        """Return the rows by language, each loaded by `load`."""
        return {language: load(self.task, language, self.split, self.root) for language in self.languages}


def _compute_once(function: Callable[..., T]) -> Callable[..., T]:
    """Return a function that keeps its results; arguments are compared by equality, since tasks have no hash."""
    results: list[tuple[tuple[Any, ...], T]] = []

    def call(*arguments: Any) -> T:
        for earlier, result in results:
            if earlier == arguments:
                return result
        results.append((arguments, function(*arguments)))
        return results[-1][1]

    return call


def prepare(
    stages: Sequence[Stage], *, model: str | Path, seed: int, probe: Probe | None, planned_stages: int
) -> PreparedChain:
    """Return the chain with its data loaded and checked and its evaluation rows encoded, each once.

    The training rows are encoded when a stage has to be trained: a stage in the store needs only their digest.

    Args:
        stages: the stages, in order.
        model: a local folder or a Hub id.
        seed: of the chain.
        probe: what to measure during the last stage.
        planned_stages: how many stages follow in the chains that these are the beginning of.

    Raises:
        SettingError, TrainingError, ModelError, SourceError, ColumnError, LabelError, UidError: as `fit`.
    """
    _check_chain(stages)
    rows_of, load = _compute_once(load_rows), _compute_once(load_scored_rows)
    rows = [tuple(map(rows_of, stage.sources)) for stage in stages]
    probes = _assign_probe(probe, stages, planned_stages)
    probe_requests = [None if stage_probe is None else _probe_request(stage_probe) for stage_probe in probes]
    selection_requests = [_selection_request(stage) for stage in stages]
    for request in (*probe_requests, *selection_requests):
        if request is not None:
            request.load(load)
    start = _load_start(model, stages)
    for measured in probes:
        if measured is not None and measured.task is not None and measured.task.head is not None:
            measured.task.head.check_network(start.network)

    def encode(request: _EvaluationRequest | None, max_length: int) -> EvaluationSet | None:
        if request is None:
            return None
        data = request.load(load)
        return encode_evaluation_set(request.task, data, start.tokenizer, max_length, rows=request.count)

    encode_once = _compute_once(encode)
    return PreparedChain(
        start,
        tuple(
            PreparedStage(
                stage,
                rows[place],
                derive_seed("stage", seed, len(stages) + planned_stages - place),
                probes[place],
                encode_once(probe_requests[place], stage.max_length),
                encode_once(selection_requests[place], stage.max_length),
            )
            for place, stage in enumerate(stages)
        ),
    )


def load_rows(source: TrainingSource) -> TrainingRows:
    """Return the training rows of one task of a stage.

    Raises:
        TrainingError: where there are none.
        ColumnError, LabelError: where they are not what the head reads.
        UidError: where two rows have the same uid.
    """
    loaded = source.load()
    if not len(loaded):
        raise TrainingError(f"The stage on {source.task.name} has no rows to train on; check the transforms before it.")
    source.head.check(loaded)
    identified = loaded if UID in loaded.column_names else with_uid(loaded)
    read = dict.fromkeys([*source.head.reads, UID, "weight"])
    data = identified.select_columns([column for column in read if column in identified.column_names])
    table = table_of(data).sort_by(UID)  # so that the order of the rows changes nothing
    check_uids(table.column(UID))
    data = Dataset(table, info=data.info, fingerprint=derive_fingerprint(data, "fit"))
    records = tuple(record.to_dict() for record in history(loaded))
    return TrainingRows(data, digest_table(table, dict(data.features)), records)


def _check_chain(stages: Sequence[Stage]) -> None:
    """Raise where settings of the stages are wrong, or a head is carried over between different labels."""
    for place, stage in enumerate(stages):
        check_arguments(stage)
        _check_callbacks(stage)
        if stage.head == "fresh":
            continue
        earlier = stages[place - 1].heads[0] if place else None
        if earlier is None or earlier.signature() != stage.heads[0].signature():
            found = f"that of {stages[place - 1].task.name}" if place else "none, being the first stage"
            raise TrainingError(
                f"The stage on {stage.task.name} carries over a head, but finds {found} and needs equal labels "
                "and pooling; set head='fresh'."
            )


def _check_callbacks(stage: Stage) -> None:
    """Raise where a callback is not one of transformers'."""
    if not stage.callbacks:
        return
    from transformers import EarlyStoppingCallback, TrainerCallback

    for callback in stage.callbacks:
        kind = callback if isinstance(callback, type) else type(callback)
        if not issubclass(kind, TrainerCallback):
            raise SettingError(f"Stage(callbacks) takes transformers' TrainerCallback objects, not a {kind.__name__}.")
        if issubclass(kind, EarlyStoppingCallback):
            raise SettingError(
                "Stage(callbacks) takes no EarlyStoppingCallback, which needs the Trainer's own evaluation; set "
                'selection=Selection("best_source", patience=3).'
            )


def _assign_probe(probe: Probe | None, stages: Sequence[Stage], planned_stages: int) -> list[Probe | None]:
    """Return the probe of each stage, with its task; None for stages that are not measured.

    Raises:
        TrainingError: where the last stage trains other labels than the probe measures.
    """
    if probe is None:
        return [None] * len(stages)
    last = stages[-1]
    task = probe.task or last.tasks[0]
    root = last.root if probe.task is None and probe.root is None else probe.root
    probe = dataclasses.replace(probe, task=with_layer(task, probe.layer, "Probe"), root=root)
    fits = [task.head is not None and task.head.fits(stage.heads[0].signature()) for stage in stages]
    if not planned_stages and not fits[-1]:
        raise TrainingError(
            f"The last stage trains {last.tasks[0].name}, so fit cannot measure {task.name}: its labels or pooling "
            "differ."
        )
    final = len(stages) + planned_stages - 1
    measured = [probe.every_stage or place == final for place in range(len(stages))]
    return [probe if fits[place] and measured[place] else None for place in range(len(stages))]


def _probe_request(probe: Probe) -> _EvaluationRequest:
    """Return which rows a probe measures.

    Raises:
        SettingError: for a language that the task does not have.
    """
    assert probe.task is not None
    languages = task_languages(probe.task, probe.languages)
    return _EvaluationRequest(probe.task, languages, probe.split or probe.task.validation_split, probe.root, probe.rows)


def _selection_request(stage: Stage) -> _EvaluationRequest | None:
    """Return which rows a stage's selection scores; None where it needs no scores.

    Raises:
        SettingError: for a language that the task does not have.
    """
    selection, task = stage.selection, stage.tasks[0]
    if not selection.needs_scores:
        return None
    languages = task_languages(task, selection.languages or stage.sources[0].languages)
    return _EvaluationRequest(task, languages, task.validation_split, stage.root, selection.rows)


def _load_start(model: str | Path, stages: Sequence[Stage]) -> Model:
    """Return the pretrained encoder, after checking that it reads rows as long as the stages' and has their layers."""
    from xquality.train.freezing import check_frozen_layers

    planner = current_planner()
    start = _load_model(model) if planner is None else planner.remember(str(model), lambda: _load_model(model))
    for stage in stages:
        check_frozen_layers(stage, start.network)
        if stage.max_length > start.tokenizer.model_max_length:
            raise SettingError(
                f"Stage(max_length={stage.max_length}) is more than the {start.tokenizer.model_max_length} tokens that "
                "the model reads; lower it."
            )
    return start


def _load_model(model: str | Path) -> Model:
    """Return a pretrained encoder without a head."""
    encoder, tokenizer = load_encoder(model)
    return Model(encoder, tokenizer, 0, {})
