"""fit: train stages one after the other, looking up what was trained before.

May import: errors, checks, digest, files, heads, identity, isolation, model, provenance, randomness, records, store,
evaluate, arrow, train | datasets, numpy, torch, transformers.
"""

import dataclasses
import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from datasets import Dataset

from xquality import checks
from xquality.arrow import table_of
from xquality.digest import digest_table
from xquality.errors import SettingError, TrainingError
from xquality.evaluate import Pool, make_pool
from xquality.heads import Encoded
from xquality.identity import UID, checked, with_uid
from xquality.isolation import isolated
from xquality.model import Model, load_encoder, quiet, weights_digest
from xquality.provenance import history
from xquality.randomness import Bits, derive_seed, key
from xquality.records import History, Point
from xquality.store import Store
from xquality.train.fitted import Fitted
from xquality.train.probe import Probe, as_probe, measure
from xquality.train.stage import Stage

if TYPE_CHECKING:
    from transformers import PreTrainedModel

    from xquality.tasks.base import Task

_ALGORITHM = 1  # raise it when the same settings give other weights than before
_RESERVED = frozenset(
    "output_dir max_steps num_train_epochs per_device_train_batch_size learning_rate lr_scheduler_type warmup_steps "
    "seed data_seed train_sampling_strategy remove_unused_columns save_strategy".split()
)


def fit(
    stages: Sequence[Stage],
    *,
    model: str | Path,
    seed: int,
    store: str | Path | Store | None = None,
    evaluate_on: "Probe | Task | Sequence[str] | None" = None,
    threads: int | None = None,
) -> Fitted:
    """Fine-tune a pretrained encoder on the stages in turn; the encoder is carried over from stage to stage.

    The same stages, model, seed, threads and versions give the same weights, bit by bit on a CPU. A stage's seed is
    derived from `seed` and its distance from the last stage, so that the target stage starts with the same head and
    data order whatever went before it: arms that share a seed share their luck.

    Args:
        stages: the chain, for example an intermediate task and a target task.
        model: a Hub id or a local folder; a head that it brings along is left behind.
        seed: an integer.
        store: a folder of finished stages to look in before training, and to keep them in.
        evaluate_on: what to measure during the last stage: a `Probe`, a task, or a list of languages of its task.
        threads: how many threads torch computes with; None leaves their number as it is. It is part of what
            decides the weights: set 1 in studies.

    Raises:
        SettingError: for no stages, a seed that is no integer, or training arguments that are unknown or reserved.
        TrainingError: where a head is to be carried over between different labels, or there is nothing to train on.
        ModelError: where the model cannot be loaded.
        SourceError, ColumnError, LabelError: where the data of a stage or of the probe are not usable.

    Example:
        >>> from xquality import toy
        >>> chain = [Stage(toy.topics, language="es", steps=20), Stage(toy.topics, steps=10)]
        >>> fitted = fit(chain, model=toy_encoder, seed=1, threads=1)  # doctest: +SKIP
    """
    chain, number, probe = _checked(stages, seed), checks.integer("fit", "seed", seed), as_probe(evaluate_on)
    kept = Store(Path(store)) if isinstance(store, str | Path) else store
    rows = [_Rows.of(stage) for stage in chain]
    with isolated(threads), tempfile.TemporaryDirectory() as scratch:
        encoder, tokenizer = load_encoder(model)
        fitted = Fitted(Model(encoder, tokenizer, 0, {}), History())
        for place, stage in enumerate(chain):
            job = _Job(
                stage,
                rows[place],
                place,
                derive_seed("stage", number, len(chain) - place),
                _measuring(probe, place, chain),
            )
            fitted = _run(job, fitted, kept, Path(scratch) / str(place))
    return fitted


@final
@dataclass(frozen=True)
class _Rows:
    """The rows of a stage in the order of their uids, with only the columns that training reads."""

    data: Dataset
    uids: Bits
    digest: str
    records: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, stage: Stage) -> "_Rows":
        """Return a stage's rows, checked."""
        assert stage.task.head is not None
        loaded = stage.rows()
        if not len(loaded):
            raise TrainingError(
                f"The stage on {stage.task.name} has no rows to train on; check the transforms before it."
            )
        stamped = loaded if UID in loaded.column_names else with_uid(loaded)
        read = [*stage.task.head.columns, "label", UID, "weight"]
        data = stamped.select_columns([one for one in read if one in stamped.column_names])
        table = table_of(data)
        table = table.sort_by(UID)  # the order of the rows decides nothing
        data = Dataset(table, info=data.info, fingerprint=f"{key('fit', data._fingerprint):016x}")  # noqa: SLF001 (no public name)
        records = tuple(one.to_dict() for one in history(loaded))
        return cls(data, checked(table.column(UID)), digest_table(table, dict(data.features)), records)


@final
@dataclass(frozen=True)
class _Job:
    """One stage with everything that decides its outcome, except the weights it starts from."""

    stage: Stage
    rows: _Rows
    place: int
    seed: int
    probe: Probe | None

    def described(self, weights: str, learning_rate: float) -> dict[str, Any]:
        """Return what is kept of the stage in the history, and what its digest is taken of."""
        import torch

        return {
            **self.stage.settings(),
            "learning_rate": learning_rate,
            "seed": self.seed,
            "rows": len(self.rows.data),
            "data": self.rows.digest,
            "records": list(self.rows.records),
            "weights_before": weights,
            "threads": torch.get_num_threads(),
            "versions": {
                "training": _ALGORITHM,
                **{one: version(one) for one in ("xquality", "torch", "transformers")},
            },
        }


def _run(job: _Job, before: Fitted, store: Store | None, scratch: Path) -> Fitted:
    """Return the model after one stage, looked up where it was trained before."""
    from xquality.heads import Head

    head = job.stage.task.head
    assert isinstance(head, Head)
    recommended = getattr(before.model.network.config, "recommended_learning_rate", 2e-5)
    rate = job.stage.learning_rate or float(recommended)
    described = job.described(before.model.digest, rate)
    pool = _pool(job, before)

    def trained() -> Fitted:
        return _train(job, before, described, rate, pool, scratch)

    if store is None or job.stage.callbacks:
        return trained()
    asked = json.dumps([described, head.signature(), _probed(pool, job.probe)], sort_keys=True, ensure_ascii=False)
    entry = store.get_or_make(f"{key(asked):016x}{key('stage', asked):016x}", lambda folder: trained().write(folder))
    stored = Fitted.load(entry)
    return dataclasses.replace(stored, history=_joined(before.history, stored.history))


def _train(
    job: _Job, before: Fitted, described: Mapping[str, Any], rate: float, pool: Pool | None, scratch: Path
) -> Fitted:
    """Return the model after training one stage; its history holds this stage alone where a store keeps it."""
    from xquality.train.trainer import train, training_order

    stage, head = job.stage, job.stage.task.head
    assert head is not None
    encoded = head.encode(job.rows.data, before.model.tokenizer, stage.max_length)
    network = _network(job, before, scratch)
    model = Model(network, before.model.tokenizer, stage.max_length, head.signature())
    lengths = encoded.lengths()[training_order(job.rows.uids, job.seed, len(encoded))]
    steps = stage.step_count(lengths)
    points: list[Point] = []

    def record(step: int, loss: float | None) -> None:
        if loss is not None:
            seen = step * stage.batch_size
            points.append(Point(job.place, step, stage.task.name, stage.trained_language, "loss", loss, seen))
        if pool is not None:
            points.extend(measure(model, pool, job.place, step))

    train(
        network,
        before.model.tokenizer,
        stage,
        encoded,
        training_order(job.rows.uids, job.seed, steps * stage.batch_size).tolist(),
        steps=steps,
        seed=job.seed,
        learning_rate=rate,
        measure_at=(job.probe or Probe()).steps(steps),
        measure=record,
    )
    finished = {**described, **_amounts(stage, encoded, steps), "weights_after": weights_digest(network)}
    network.cpu()
    return Fitted(model, _joined(before.history, History((finished,), tuple(points))))


def _amounts(stage: Stage, encoded: Encoded, steps: int) -> dict[str, Any]:
    """Return how much was trained on: steps, examples and epochs, as they came out."""
    examples = steps * stage.batch_size
    return {"steps": steps, "examples": examples, "epochs": examples / len(encoded)}


def _network(job: _Job, before: Fitted, scratch: Path) -> "PreTrainedModel":
    """Return the network to train: the encoder so far with a fresh head, or the whole of it."""
    import torch

    head = job.stage.task.head
    assert head is not None
    if job.stage.head == "carry":
        return before.model.network
    with quiet():
        before.model.encoder().save_pretrained(scratch)
        torch.manual_seed(derive_seed("head", job.seed))
        return head.build(scratch)


def _measuring(probe: Probe | None, place: int, chain: Sequence[Stage]) -> Probe | None:
    """Return the probe where this stage is measured."""
    return probe if probe is not None and (place == len(chain) - 1 or probe.every_stage) else None


def _pool(job: _Job, before: Fitted) -> Pool | None:
    """Return the rows that the probe measures, encoded; None where nothing is measured or the labels differ."""
    if job.probe is None:
        return None
    task, own = job.probe.task or job.stage.task, job.stage.task.head
    if task.head is None or own is None or task.head.signature() != own.signature():
        if job.probe.every_stage:
            return None
        raise TrainingError(
            f"The last stage trains {job.stage.task.name}, so fit cannot measure {task.name}, whose labels differ."
        )
    languages = job.probe.languages or task.languages
    model = dataclasses.replace(before.model, max_length=job.stage.max_length)
    return make_pool(
        model, task, languages, job.probe.split or task.validation_split, job.probe.root, rows=job.probe.rows
    )


def _probed(pool: Pool | None, probe: Probe | None) -> Any:
    """Return what identifies the measurements, for the stage's digest."""
    if pool is None or probe is None:
        return None
    asked = {"points": probe.points, "rows": probe.rows, "split": probe.split, "task": pool.task.name}
    ids = [key(json.dumps([list(map(int, row)) for row in one.input_ids])) for one in pool.encoded]
    return {**asked, "languages": list(pool.languages), "ids": ids}


def _joined(before: History, after: History) -> History:
    """Return one history after the other."""
    return History((*before.stages, *after.stages), (*before.points, *after.points))


def _checked(stages: Sequence[Stage], seed: object) -> tuple[Stage, ...]:
    """Return the chain after the checks that need no data."""
    checks.integer("fit", "seed", seed)
    if isinstance(stages, Stage) or not stages or not all(isinstance(one, Stage) for one in stages):
        raise SettingError("fit takes a list of stages; give at least one, such as [Stage(xnli)].")
    for place, stage in enumerate(stages):
        _check_arguments(stage)
        if stage.head == "fresh":
            continue
        earlier = stages[place - 1].task.head if place else None
        own = stage.task.head
        if earlier is None or own is None or earlier.signature() != own.signature():
            found = f"that of {stages[place - 1].task.name}" if place else "none, being the first stage"
            raise TrainingError(
                f"The stage on {stage.task.name} carries over a head, but finds {found} and needs equal labels; set "
                "head='fresh'."
            )
    return tuple(stages)


def _check_arguments(stage: Stage) -> None:
    """Raise where a stage's further arguments are unknown to transformers or set by the stage itself."""
    if not stage.arguments:
        return
    from transformers import TrainingArguments

    known = {one.name for one in dataclasses.fields(TrainingArguments)}
    for name in stage.arguments:
        if name in _RESERVED:
            raise SettingError(f"Stage(arguments={{{name!r}: ...}}) is set by fit itself; use the fields of Stage.")
        if name not in known:
            raise SettingError(
                f"Stage(arguments={{{name!r}: ...}}) is not among transformers' TrainingArguments; check its spelling."
            )
    try:
        json.dumps(dict(stage.arguments))
    except TypeError as fault:
        raise SettingError(f"Stage(arguments) must be plain values ({fault}); give numbers, names or lists.") from fault
