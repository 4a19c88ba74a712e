"""The second half of `fit`: train the stages of a prepared chain, or look them up in the store."""

import dataclasses
import functools
import json
import logging
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from xquality.errors import DamagedError, ModelError, TrainingError, first_line
from xquality.evaluation.evaluation_set import score_set
from xquality.models.model import Model, weights_digest
from xquality.models.precision import FLOAT32
from xquality.randomness import key
from xquality.records import History, Point
from xquality.train import processes
from xquality.train.fitted import Fitted
from xquality.train.preparation import PreparedChain, PreparedStage
from xquality.train.probe import Probe, measure_points
from xquality.train.store import Store
from xquality.train.training_plan import TrainingPlan, make_plan

if TYPE_CHECKING:
    from xquality.train.checkpoint import Checkpoints

    TrainStage = Callable[[Checkpoints | None], Fitted]

_LOGGER = logging.getLogger("xquality")
_ALGORITHM = 3  # raise it when the same settings give other weights than before
_NOT_DECISIVE = ("records",)  # they say how the data were made, whose content has a digest


def execute(
    chain: PreparedChain, store: Store | None, checkpoint_every: int, *, progress: bool | None = False
) -> Fitted:
    """Return the model after the last stage, with the history of all stages.

    Args:
        chain: the stages and the encoder to start from.
        store: where finished stages are looked up and kept; None for nowhere.
        checkpoint_every: with a store, the number of steps between two checkpoints.
        progress: whether to show a bar for each stage; None for only in terminals and notebooks.
    """
    plans: dict[int, TrainingPlan] = {}

    def take_plan(place: int) -> TrainingPlan:
        # Later stages are planned before this one is trained, so that mistakes in them are raised now.
        for later in range(place, len(chain.stages)):
            if later not in plans:
                plans[later] = plan_stage(chain.stages[later], chain.start)
        return plans.pop(place)

    fitted = Fitted(chain.start, History())
    with tempfile.TemporaryDirectory() as scratch:
        for place, prepared in enumerate(chain.stages):
            description = describe(prepared, fitted.model)
            get_plan, folder = functools.partial(take_plan, place), Path(scratch) / str(place)
            train = functools.partial(_train, prepared, fitted.model, get_plan, description, folder, progress)
            _LOGGER.info("Stage %d of %d: %s.", place + 1, len(chain.stages), _name(prepared))
            if store is None or prepared.stage.callbacks:
                alone = train(None)
            else:
                digest = stage_digest(prepared, description)
                alone = _look_up_or_train(store, digest, description, train, checkpoint_every)
            fitted = Fitted(alone.model, _append(fitted.history, alone.history, description))
    return fitted


def describe(prepared: PreparedStage, start: Model) -> dict[str, Any]:
    """Return what the history keeps of a stage before it is trained: its settings, data, seed, start and versions."""
    import torch

    recommended = float(getattr(start.network.config, "recommended_learning_rate", 2e-5))
    data = [rows.digest for rows in prepared.rows]
    return {
        **prepared.stage.settings(),
        "learning_rate": prepared.stage.learning_rate or recommended,
        "seed": prepared.seed,
        "rows": sum(len(rows.data) for rows in prepared.rows),
        "data": data[0] if len(data) == 1 else data,
        "records": [record for rows in prepared.rows for record in rows.records],
        "model_before": start.digest,
        "threads": torch.get_num_threads(),
        **({"processes": processes.count()} if processes.count() > 1 else {}),
        "versions": {
            "training": _ALGORITHM,
            **{package: version(package) for package in ("xquality", "tokenizers", "torch", "transformers")},
        },
    }


def stage_digest(prepared: PreparedStage, description: Mapping[str, Any]) -> str:
    """Return the digest of everything that decides a stage's outcome, 32 hex digits: its name in the store."""
    settings = {name: value for name, value in description.items() if name not in _NOT_DECISIVE}
    heads = [repr(head) for head in prepared.stage.heads]
    scored = prepared.selection_rows
    selection = None if scored is None else [encoded.digest() for encoded in scored.encoded]
    decisive = json.dumps([settings, heads, _describe_probe(prepared), selection], sort_keys=True, ensure_ascii=False)
    return f"{key(decisive):016x}{key('stage', decisive):016x}"


def _describe_probe(prepared: PreparedStage) -> Any:
    """Return what identifies the measurements of a stage, as plain JSON values; None without a probe."""
    probe, rows = prepared.probe, prepared.probe_rows
    if probe is None or rows is None:
        return None
    arguments = prepared.stage.training_arguments  # probes of mixed precision were measured in that precision before
    is_mixed = bool(arguments.get("bf16") or arguments.get("fp16"))
    return {
        "points": probe.points,
        "rows": probe.rows,
        "split": probe.split,
        "task": rows.task.name,
        "head": repr(rows.head),
        "languages": list(rows.languages),
        "ids": [encoded.digest() for encoded in rows.encoded],
        **({"precision": probe.precision} if is_mixed or probe.precision != FLOAT32 else {}),
    }


def _look_up_or_train(
    store: Store, digest: str, description: Mapping[str, Any], train: "TrainStage", checkpoint_every: int
) -> Fitted:
    """Return a stage from the store, trained where it is missing: by this process, or by several together.

    Raises:
        TrainingError: in all processes but the first, where the first cannot read the store or write to it.
    """
    from xquality.train.checkpoint import Checkpoints

    checkpoints = Checkpoints(store.unfinished(digest), checkpoint_every)
    entry = store.folder / digest
    found: list[Fitted] = []

    def check(folder: Path) -> None:
        found[:] = [_load_entry(folder, description)]

    if processes.is_first():
        is_announced = is_training = False

        def make(folder: Path) -> None:
            nonlocal is_announced, is_training
            processes.broadcast((True, ""))
            is_announced = is_training = True
            trained = train(checkpoints)
            is_training = False
            trained.write(folder)

        try:
            entry = store.get_or_make(digest, make, check)
        except BaseException as fault:
            if not is_training:  # the others wait for a word; in training, they find the connection closed
                processes.broadcast((False, first_line(fault)))
            raise
        if not is_announced:
            processes.broadcast((False, ""))
        processes.broadcast((False, ""))
        checkpoints.clear()
    else:
        _train_with_first(train, checkpoints)
    if found:
        _LOGGER.info("It was trained before: %s.", entry)
        return found[0]
    return _load_entry(entry, description)


def _train_with_first(train: "TrainStage", checkpoints: "Checkpoints") -> None:
    """Train a stage together with the first process, where that finds it missing in the store."""
    is_missing, fault = processes.broadcast((False, ""))  # the first process's values
    if is_missing:
        train(checkpoints)
    if not fault:
        _, fault = processes.broadcast((False, ""))
    if fault:
        raise TrainingError(f"The first process could not use the store: {fault}; see its own error.")


def _load_entry(folder: Path, description: Mapping[str, Any]) -> Fitted:
    """Return a stage from the store.

    Raises:
        DamagedError: where it cannot be loaded, or is not the stage that is described.
    """
    try:
        fitted = Fitted.load(folder)
    except ModelError as fault:
        raise DamagedError(f"The stored stage {folder.name} cannot be loaded ({first_line(fault)}).") from fault
    if len(fitted.history.stages) != 1:
        raise DamagedError(f"The stored stage {folder.name} has a history of {len(fitted.history.stages)} stages.")
    (stored,) = fitted.history.stages
    wanted = json.loads(json.dumps({name: value for name, value in description.items() if name not in _NOT_DECISIVE}))
    different = [name for name, value in wanted.items() if not _agrees(stored.get(name), value)]
    if different:
        raise DamagedError(f"The stored stage {folder.name} is another one, which differs in {', '.join(different)}.")
    return fitted


def _agrees(stored: Any, wanted: Any) -> bool:
    """Return whether a stored value is the wanted one; training adds entries to the description of the selection."""
    if isinstance(wanted, dict) and isinstance(stored, dict):
        return all(name in stored and stored[name] == value for name, value in wanted.items())
    return bool(stored == wanted)


def plan_stage(prepared: PreparedStage, start: Model) -> TrainingPlan:
    """Return the encoded training rows of a stage in training order."""
    stage = prepared.stage
    encoded = [
        head.encode(rows.data, start.tokenizer, stage.max_length)
        for head, rows in zip(stage.heads, prepared.rows, strict=True)
    ]
    return make_plan(stage, encoded, prepared.seed)


def _train(
    prepared: PreparedStage,
    start: Model,
    get_plan: Callable[[], TrainingPlan],
    description: Mapping[str, Any],
    scratch: Path,
    progress: bool | None,
    checkpoints: "Checkpoints | None",
) -> Fitted:
    """Return the model after training one stage, and the history of that stage alone."""
    from xquality.train import memory
    from xquality.train.freezing import freeze
    from xquality.train.network import MultiTaskNetwork, build_networks
    from xquality.train.selection import CheckpointSelector
    from xquality.train.trainer import train
    from xquality.train.training_run import TrainingRun

    stage = prepared.stage
    plan, probe = get_plan(), prepared.probe or Probe()
    networks = build_networks(stage, start, prepared.seed, scratch)
    network = networks[0] if len(networks) == 1 else MultiTaskNetwork(networks)
    model = Model(networks[0], start.tokenizer, stage.max_length, prepared.head.signature())

    def make_points(step: int, loss: float | None) -> list[Point]:
        points = []
        if loss is not None:
            name, language = stage.task.name, stage.trained_language
            points.append(Point(0, step, name, language, "loss", loss, step * stage.batch_size))
        if prepared.probe_rows is not None:
            with memory.explain_scoring():
                points += measure_points(model, prepared.probe_rows, 0, step, probe.precision)
        for point in points:
            _LOGGER.info("Step %d: %s %s %.4g.", step, point.language, point.metric, point.value)
        return points

    def selection_score() -> float:
        assert prepared.selection_rows is not None
        with memory.explain_scoring():
            scores = score_set(model, prepared.selection_rows, {}, precision=stage.computing_precision)
        return fmean(score.value for score in scores if score.metric == scores[0].metric)

    score = None if prepared.selection_rows is None else selection_score
    metric = prepared.head.chosen_metrics[0]
    selector = CheckpointSelector(stage.selection, plan.steps, score, higher_is_better=metric.higher_is_better)
    measure_at = probe.steps(plan.steps)  # the loss is kept at these steps in any case
    run = TrainingRun(network, measure_at, make_points, selector, checkpoints)
    processes.barrier()  # the first process may have deleted a damaged checkpoint
    learning_rate = description["learning_rate"]
    _LOGGER.info("Training %s for %d steps.", _name(prepared), plan.steps)
    settings = {"seed": prepared.seed, "learning_rate": learning_rate, "progress": progress}
    with freeze(stage, networks):
        steps = train(network, start.tokenizer, stage, plan, run, **settings)
    _LOGGER.info("Trained %s for %d steps of %d.", _name(prepared), steps, plan.steps)
    selected = selector.finish(network, steps)
    network.cpu()
    falling = _falling_metrics(prepared, run.points)
    finished = {
        **description,
        **plan.amounts([task.name for task in stage.tasks], steps),
        "planned_steps": plan.steps,
        "selection": selected,
        "weights_after": weights_digest(networks[0]),
        **({"lower_is_better": falling} if falling else {}),
    }
    return Fitted(model, History((finished,), tuple(run.points)))


def _falling_metrics(prepared: PreparedStage, points: Sequence[Point]) -> list[str]:
    """Return the names of the measured metrics of which lower is better, as the points have them."""
    if prepared.probe_rows is None:
        return []
    falling = {metric.name for metric in prepared.probe_rows.head.chosen_metrics if not metric.higher_is_better}
    measured = dict.fromkeys(point.metric for point in points if point.metric != "loss")
    return [name for name in measured if name.partition("@")[0] in falling]  # a layer follows the sign


def _name(prepared: PreparedStage) -> str:
    """Return the name of a stage in messages."""
    return f"{prepared.stage.task.name} in {prepared.stage.trained_language}"


def _append(before: History, alone: History, description: Mapping[str, Any]) -> History:
    """Return a history with one more stage, which may have been trained for another chain.

    Args:
        before: of the stages before.
        alone: of the stage, as if it were the only one.
        description: of the stage in this chain, whose data may have been made in another way.
    """
    place = len(before.stages)
    points = tuple(dataclasses.replace(point, stage=place) for point in alone.points)
    stage = {**alone.stages[0], "records": description["records"]}
    return History((*before.stages, stage), (*before.points, *points))
