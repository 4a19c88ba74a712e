"""Job: one stage of a chain with all that decides its outcome, and running it."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, final

from xquality.evaluation.evaluation_set import EvaluationSet, make_evaluation_set, score_set
from xquality.heads import TrainableHead
from xquality.models.model import Model, weights_digest
from xquality.randomness import key
from xquality.records import History, Point
from xquality.train import processes
from xquality.train.fitted import Fitted
from xquality.train.part import PartRows
from xquality.train.probe import Probe, measure
from xquality.train.stage import Stage
from xquality.train.store import Store
from xquality.train.training_plan import make_plan

if TYPE_CHECKING:
    from xquality.train.checkpoint import Checkpoints

_ALGORITHM = 2  # raise it when the same settings give other weights than before


@final
@dataclass(frozen=True)
class Job:
    """One stage with everything that decides its outcome, except the weights it starts from.

    Attributes:
        stage: the settings.
        rows: what is trained on, for each of the stage's tasks.
        seed: the stage's own.
        probe: what is measured on the way; None for nothing.
        checkpoint_every: how many steps lie between two checkpoints, where there is a store; it decides nothing.
    """

    stage: Stage
    rows: tuple[PartRows, ...]
    seed: int
    probe: Probe | None
    checkpoint_every: int

    @cached_property
    def head(self) -> TrainableHead:
        """The head that stays."""
        return self.stage.trained_head

    def described(self, start: Model) -> dict[str, Any]:
        """Return what is kept of the stage in the history, and what its digest is taken of."""
        import torch

        recommended = float(getattr(start.network.config, "recommended_learning_rate", 2e-5))
        data = [one.digest for one in self.rows]
        return {
            **self.stage.settings(),
            "learning_rate": self.stage.learning_rate or recommended,
            "seed": self.seed,
            "rows": sum(len(one.data) for one in self.rows),
            "data": data[0] if len(data) == 1 else data,
            "records": [record for one in self.rows for record in one.records],
            "model_before": start.digest,
            "threads": torch.get_num_threads(),
            **({"processes": processes.count()} if processes.count() > 1 else {}),
            "versions": {
                "training": _ALGORITHM,
                **{one: version(one) for one in ("xquality", "tokenizers", "torch", "transformers")},
            },
        }


def run(job: Job, before: Fitted, store: Store | None, scratch: Path) -> Fitted:
    """Return the model after one stage, looked up where it was trained before.

    Args:
        job: the stage.
        before: the model and history so far.
        store: where to look and to keep; None for nowhere.
        scratch: a folder that does not exist yet, to pass the encoder through.
    """
    from xquality.train.checkpoint import Checkpoints

    described = job.described(before.model)
    pools = _pool(job, before.model), _looked_at(job, before.model)

    def trained(checkpoints: "Checkpoints | None") -> Fitted:
        return _train(job, before.model, described, pools, scratch, checkpoints)

    if store is None or job.stage.callbacks:
        alone = trained(None)
    else:
        # The records of the data say how they came to be; what they hold is in the digest.
        decides = {name: one for name, one in described.items() if name != "records"}
        heads = [repr(job.stage.head_of(one)) for one in job.stage.tasks]
        looked = None if pools[1] is None else [one.digest() for one in pools[1].encoded]
        asked = json.dumps([decides, heads, _probed(pools[0], job.probe), looked], sort_keys=True, ensure_ascii=False)
        digest = f"{key(asked):016x}{key('stage', asked):016x}"
        alone = Fitted.load(
            _stored(store, digest, trained, Checkpoints(store.unfinished(digest), job.checkpoint_every))
        )
    return dataclasses.replace(alone, history=_after(before.history, alone.history, described))


def _stored(
    store: Store, digest: str, trained: "Callable[[Checkpoints | None], Fitted]", checkpoints: "Checkpoints"
) -> Path:
    """Return the entry of a stage, trained where there is none: by this process, or by several together."""
    if processes.is_first():
        asked = False

        def make(folder: Path) -> None:
            nonlocal asked
            asked = processes.agreed(True)
            trained(checkpoints).write(folder)

        entry = store.get_or_make(digest, make)
        if not asked:
            processes.agreed(False)
        checkpoints.clear()
    elif processes.agreed(False):  # what the first process says
        trained(checkpoints)
    processes.wait()
    return entry if processes.is_first() else store.folder / digest


def _train(
    job: Job,
    start: Model,
    described: Mapping[str, Any],
    pools: tuple[EvaluationSet | None, EvaluationSet | None],
    scratch: Path,
    checkpoints: "Checkpoints | None",
) -> Fitted:
    """Return the model after training one stage, and the history of that stage alone."""
    from xquality.train import memory
    from xquality.train.checkpoint_selector import CheckpointSelector
    from xquality.train.network import Shared, build
    from xquality.train.progress import Progress
    from xquality.train.trainer import train

    stage = job.stage
    encoded = [
        part.head.encode(rows.data, start.tokenizer, stage.max_length)
        for part, rows in zip(stage.parts, job.rows, strict=True)
    ]
    course = make_plan(stage, encoded, job.seed)
    networks = build(stage, start, job.seed, scratch)
    whole = networks[0] if len(networks) == 1 else Shared(networks)
    model = Model(networks[0], start.tokenizer, stage.max_length, job.head.signature())
    probed, looked = pools

    def measured(step: int, loss: float | None) -> list[Point]:
        rows = step * stage.batch_size
        losses = [] if loss is None else [loss]
        points = [Point(0, step, stage.task.name, stage.trained_language, "loss", one, rows) for one in losses]
        if probed is None:
            return points
        with memory.scoring():
            return points + measure(model, probed, 0, step)

    def mean_score() -> float:
        assert looked is not None
        with memory.scoring():
            scores = score_set(model, looked, {})
        return fmean(one.value for one in scores if one.metric == scores[0].metric)

    chooser = CheckpointSelector(stage.selection, course.steps, mean_score if looked is not None else None)
    asked = job.probe if job.probe is not None and probed is not None else Probe()  # the loss is kept in any case
    at = asked.steps(course.steps)
    progress = Progress(whole, at, measured, chooser, checkpoints)
    processes.wait()  # the first may have cleared a damaged checkpoint away
    rate = described["learning_rate"]
    stopped = train(whole, start.tokenizer, stage, course, progress, seed=job.seed, learning_rate=rate)
    chosen = chooser.finish(whole, stopped)
    whole.cpu()
    amounts = course.amounts([one.name for one in stage.tasks], stopped)
    finished = {
        **described,
        **amounts,
        "planned_steps": course.steps,
        "selection": chosen,
        "weights_after": weights_digest(networks[0]),
    }
    return Fitted(model, History((finished,), tuple(progress.points)))


def _looked_at(job: Job, start: Model) -> EvaluationSet | None:
    """Return the rows that the selection of weights looks at, encoded; None where it needs no score."""
    selection, task = job.stage.selection, job.stage.tasks[0]
    if not selection.scores:
        return None
    languages = selection.languages or job.stage.parts[0].languages
    model = dataclasses.replace(start, max_length=job.stage.max_length)
    return make_evaluation_set(model, task, languages, task.validation_split, job.stage.root, rows=selection.rows)


def _pool(job: Job, start: Model) -> EvaluationSet | None:
    """Return the rows that the probe measures, encoded; None where nothing is measured or the labels differ."""
    if job.probe is None:
        return None
    task = job.probe.task or job.stage.tasks[0]
    if task.head is None or not task.head.fits(job.head.signature()):
        return None  # a stage before the last, with other labels: `check_probe` saw to the last
    languages = job.probe.languages or task.languages
    model = dataclasses.replace(start, max_length=job.stage.max_length)
    return make_evaluation_set(
        model, task, languages, job.probe.split or task.validation_split, job.probe.root, rows=job.probe.rows
    )


def _probed(pool: EvaluationSet | None, probe: Probe | None) -> Any:
    """Return what identifies the measurements, for the stage's digest."""
    if pool is None or probe is None:
        return None
    asked = {
        "points": probe.points,
        "rows": probe.rows,
        "split": probe.split,
        "task": pool.task.name,
        "head": repr(pool.task.head),
    }
    return {**asked, "languages": list(pool.languages), "ids": [one.digest() for one in pool.encoded]}


def _after(before: History, alone: History, described: Mapping[str, Any]) -> History:
    """Return the history with one more stage, which may have been trained for another chain."""
    place = len(before.stages)
    points = tuple(dataclasses.replace(one, stage=place) for one in alone.points)
    stage = {**alone.stages[0], "records": described["records"]}
    return History((*before.stages, stage), (*before.points, *points))
