"""Job: one stage of a chain with all that decides its outcome, and running it.

May import: digest, heads, model, pool, randomness, records, store, train | torch, transformers.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from xquality.heads import Encoded, TrainableHead
from xquality.model import Model, quiet, weights_digest
from xquality.pool import Pool, make_pool
from xquality.randomness import derive_seed, key
from xquality.records import History, Point
from xquality.store import Store
from xquality.train.fitted import Fitted
from xquality.train.probe import Probe, measure
from xquality.train.stage import Stage
from xquality.train.stage_rows import StageRows

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_ALGORITHM = 1  # raise it when the same settings give other weights than before


@final
@dataclass(frozen=True)
class Job:
    """One stage with everything that decides its outcome, except the weights it starts from.

    Attributes:
        stage: the settings.
        rows: what is trained on.
        seed: the stage's own.
        probe: what is measured on the way; None for nothing.
    """

    stage: Stage
    rows: StageRows
    seed: int
    probe: Probe | None

    @cached_property
    def head(self) -> TrainableHead:
        """The head that is trained."""
        return self.stage.trained_head

    def described(self, start: Model) -> dict[str, Any]:
        """Return what is kept of the stage in the history, and what its digest is taken of."""
        import torch

        recommended = float(getattr(start.network.config, "recommended_learning_rate", 2e-5))
        return {
            **self.stage.settings(),
            "learning_rate": self.stage.learning_rate or recommended,
            "seed": self.seed,
            "rows": len(self.rows.data),
            "data": self.rows.digest,
            "records": list(self.rows.records),
            "model_before": start.digest,
            "threads": torch.get_num_threads(),
            "versions": {
                "training": _ALGORITHM,
                **{one: version(one) for one in ("xquality", "torch", "transformers")},
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
    described = job.described(before.model)
    pool = _pool(job, before.model)

    def trained() -> Fitted:
        return _train(job, before.model, described, pool, scratch)

    if store is None or job.stage.callbacks:
        alone = trained()
    else:
        # The records of the data say how they came to be; what they hold is in the digest.
        decides = {name: one for name, one in described.items() if name != "records"}
        asked = json.dumps(
            [decides, job.head.signature(), _probed(pool, job.probe)], sort_keys=True, ensure_ascii=False
        )
        entry = store.get_or_make(
            f"{key(asked):016x}{key('stage', asked):016x}", lambda folder: trained().write(folder)
        )
        alone = Fitted.load(entry)
    return dataclasses.replace(alone, history=_after(before.history, alone.history, described))


def _train(job: Job, start: Model, described: Mapping[str, Any], pool: Pool | None, scratch: Path) -> Fitted:
    """Return the model after training one stage, and the history of that stage alone."""
    from xquality.train.trainer import train, training_order

    stage = job.stage
    encoded = job.head.encode(job.rows.data, start.tokenizer, stage.max_length)
    network = _network(job, start, scratch)
    model = Model(network, start.tokenizer, stage.max_length, job.head.signature())
    assert encoded.keys is not None
    steps = stage.step_count(encoded.lengths()[training_order(encoded.keys, job.seed, len(encoded))])
    points: list[Point] = []

    def record(step: int, loss: float | None) -> None:
        if loss is not None:
            rows = step * stage.batch_size
            points.append(Point(0, step, stage.task.name, stage.trained_language, "loss", loss, rows))
        if pool is not None:
            points.extend(measure(model, pool, 0, step))

    train(
        network,
        start.tokenizer,
        stage,
        encoded,
        training_order(encoded.keys, job.seed, steps * stage.batch_size).tolist(),
        steps=steps,
        seed=job.seed,
        learning_rate=described["learning_rate"],
        measure_at=(job.probe or Probe()).steps(steps),
        measure=record,
    )
    network.cpu()
    finished = {**described, **_amounts(stage, encoded, steps), "weights_after": weights_digest(network)}
    return Fitted(model, History((finished,), tuple(points)))


def _amounts(stage: Stage, encoded: Encoded, steps: int) -> dict[str, Any]:
    """Return how much was trained on: steps, examples and epochs, as they came out; a window counts as an example."""
    examples = steps * stage.batch_size
    return {"steps": steps, "examples": examples, "epochs": examples / len(encoded), "encoded_rows": len(encoded)}


def _network(job: Job, start: Model, scratch: Path) -> "PreTrainedModel":
    """Return the network to train: the encoder so far with a fresh head, or the whole of it."""
    import torch

    if job.stage.head == "carry":
        return start.network
    with quiet():
        # Through a folder: loading an encoder alone is the one way to a head that is fresh in all its layers.
        start.encoder().save_pretrained(scratch)
        torch.manual_seed(derive_seed("head", job.seed))
        return job.head.build(scratch)


def _pool(job: Job, start: Model) -> Pool | None:
    """Return the rows that the probe measures, encoded; None where nothing is measured or the labels differ."""
    if job.probe is None:
        return None
    task = job.probe.task or job.stage.task
    if task.head is None or not task.head.fits(job.head.signature()):
        return None  # a stage before the last, with other labels: `check_probe` saw to the last
    languages = job.probe.languages or task.languages
    model = dataclasses.replace(start, max_length=job.stage.max_length)
    return make_pool(
        model, task, languages, job.probe.split or task.validation_split, job.probe.root, rows=job.probe.rows
    )


def _probed(pool: Pool | None, probe: Probe | None) -> Any:
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
