"""fit: train stages one after the other, looking up what was trained before."""

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xquality import _settings
from xquality.errors import SettingError, TrainingError
from xquality.evaluation.evaluation_set import loader, task_languages
from xquality.models.isolation import isolate
from xquality.models.model import Model, load_encoder
from xquality.randomness import derive_seed
from xquality.records import History
from xquality.train.arguments import check_arguments
from xquality.train.fitted import Fitted
from xquality.train.job import Job, run
from xquality.train.part import PartRows
from xquality.train.probe import Probe, as_probe, check_probe
from xquality.train.stage import Stage
from xquality.train.store import Store

if TYPE_CHECKING:
    from xquality.tasks.base import Task


def fit(
    stages: Sequence[Stage],
    *,
    model: str | Path,
    seed: int,
    store: str | Path | Store | None = None,
    evaluate_on: "Probe | Task | Sequence[str] | None" = None,
    threads: int | None = None,
    checkpoint_every: int = 200,
    planned_stages: int = 0,
) -> Fitted:
    """Fine-tune a pretrained encoder on the stages in turn; the encoder is carried over from stage to stage.

    The same stages, model, seed, threads and versions give the same weights, bit by bit on a CPU. A stage's seed is
    derived from `seed` and its distance from the last stage, so that the target stage starts with the same head and
    data order whatever went before it: arms that share a seed share their luck.

    Args:
        stages: the chain, for example an intermediate task and a target task.
        model: a local folder, or a Hub id, pinned as `id@revision`; a head that it brings along is left behind.
        seed: an integer.
        store: a folder of finished stages to look in before training, and to keep them in.
        evaluate_on: what to measure during the last stage: a `Probe`, a task, or a list of languages of its task.
        threads: how many threads torch computes with; None leaves their number as it is. It is part of what
            decides the weights: set 1 in studies.
        checkpoint_every: with a store, how many steps lie between two checkpoints of a stage under way; a stage that
            was killed goes on from the last one, and ends with the same bytes as if it had not been. It decides
            nothing.
        planned_stages: how many stages follow in the chains that these are the beginning of. With a store
            `fit([first], planned_stages=1)` gives the very model that `fit([first, second])` goes on from: it can be
            scored by itself, and is trained once. A probe then measures only where it has `every_stage`.

    Raises:
        SettingError: for no stages, a seed that is no integer, or training arguments that are unknown or reserved.
        TrainingError: where a head is to be carried over between different labels, or there is nothing to train on.
        ModelError: where the model cannot be loaded.
        SourceError, ColumnError, LabelError: where the data of a stage or of the probe are not usable.

    Example:
        >>> import tempfile
        >>> from xquality import toy
        >>> from xquality.models.tiny_encoder import tiny_encoder
        >>> texts = toy.topics.load("es", "train")["text"][:]
        >>> with tempfile.TemporaryDirectory() as place:
        ...     encoder = tiny_encoder(texts, folder=f"{place}/tiny", pieces=300, width=16, steps=1)
        ...     chain = [Stage(toy.topics, language="es", steps=4), Stage(toy.topics, steps=2)]
        ...     fitted = fit(chain, model=encoder, seed=1, threads=1)
        >>> fitted.languages
        ('es', 'en')
    """
    threads = None if threads is None else _settings.integer("fit", "threads", threads, least=1)
    checkpoint_every = _settings.integer("fit", "checkpoint_every", checkpoint_every, least=1)
    planned_stages = _settings.integer("fit", "planned_stages", planned_stages, least=0)
    number, chain = _settings.integer("fit", "seed", seed), _checked(stages)
    probe = _placed(as_probe(evaluate_on), chain[-1])
    kept = Store(Path(store)) if isinstance(store, str | Path) else store
    rows = [tuple(map(PartRows.of, stage.parts)) for stage in chain]
    length = len(chain) + planned_stages
    if probe is not None and (not planned_stages or probe.every_stage):
        check_probe(probe, chain[-1].tasks[0], last=not planned_stages)
    for stage in chain:
        _check_looks(stage)
    with isolate(threads), tempfile.TemporaryDirectory() as scratch:
        encoder, tokenizer = load_encoder(model)
        for stage in chain:
            if stage.max_length > tokenizer.model_max_length:
                raise SettingError(
                    f"Stage(max_length={stage.max_length}) is more than the {tokenizer.model_max_length} tokens that "
                    "the model reads; lower it."
                )
        fitted = Fitted(Model(encoder, tokenizer, 0, {}), History())
        for place, stage in enumerate(chain):
            seed_of_stage = derive_seed("stage", number, length - place)
            measured = probe if probe is not None and (place == length - 1 or probe.every_stage) else None
            job = Job(stage, rows[place], seed_of_stage, measured, checkpoint_every)
            fitted = run(job, fitted, kept, Path(scratch) / str(place))
    return fitted


def _placed(probe: Probe | None, last: Stage) -> Probe | None:
    """Return the probe with the last stage's task where it names none, and then with that stage's data."""
    if probe is None or probe.task is not None:
        return probe
    return dataclasses.replace(probe, task=last.tasks[0], root=last.root if probe.root is None else probe.root)


def _checked(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """Return the chain after the checks that need no data."""
    if isinstance(stages, Stage) or not stages or not all(isinstance(one, Stage) for one in stages):
        raise SettingError("fit takes a list of stages; give at least one, such as [Stage(xnli)].")
    for place, stage in enumerate(stages):
        check_arguments(stage)
        _check_callbacks(stage)
        if stage.head == "fresh":
            continue
        earlier = stages[place - 1].trained_head if place else None
        if earlier is None or earlier.signature() != stage.trained_head.signature():
            found = f"that of {stages[place - 1].task.name}" if place else "none, being the first stage"
            raise TrainingError(
                f"The stage on {stage.task.name} carries over a head, but finds {found} and needs equal labels; set "
                "head='fresh'."
            )
    return tuple(stages)


def _check_looks(stage: Stage) -> None:
    """Raise where the data are missing that a stage's selection looks at.

    Raises:
        SettingError: for a language that the task does not have.
        SourceError: where data are missing.
    """
    if not stage.selection.scores:
        return
    task = stage.tasks[0]
    for language in task_languages(task, stage.selection.languages or stage.parts[0].languages):
        stage.trained_head.gather(loader(task, language, stage.root), task.validation_split)


def _check_callbacks(stage: Stage) -> None:
    """Raise where a callback is none."""
    if not stage.callbacks:
        return
    from transformers import TrainerCallback

    for one in stage.callbacks:
        kind = one if isinstance(one, type) else type(one)
        if not issubclass(kind, TrainerCallback):
            raise SettingError(f"Stage(callbacks) takes transformers' TrainerCallback objects, not a {kind.__name__}.")
