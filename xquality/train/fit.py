"""fit: train a chain of stages, looking up those that were trained before."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from xquality import _settings
from xquality.errors import SettingError
from xquality.models.isolation import isolate
from xquality.study.planning import current_planner
from xquality.train.chain_plan import add_to_plan
from xquality.train.execution import execute
from xquality.train.fitted import Fitted
from xquality.train.preparation import prepare
from xquality.train.probe import Probe, as_probe
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
    progress: bool | None = None,
) -> Fitted:
    """Fine-tune a pretrained encoder on the stages one after the other; each stage starts from the encoder before it.

    The same stages, model, seed, threads and versions give the same weights, bit by bit on a CPU. A stage's seed is
    derived from `seed` and its distance from the last stage, so the target stage starts with the same head and data
    order whatever came before it: arms that share a seed share these random draws.

    All data are loaded and checked before the first stage is trained.

    Args:
        stages: the chain, for example an intermediate task and a target task.
        model: a local folder, or a Hub id, pinned as `id@revision`; a head that it has is discarded.
        seed: an integer.
        store: a folder of finished stages, which are looked up instead of trained again; new ones are added.
        evaluate_on: what to measure during the last stage: a `Probe`, a task, or a list of languages of its task.
        threads: how many threads torch computes with; None leaves their number as it is: one for each processor
            core, which takes about three times as long as 1 for small models where other programs use the cores too.
            Their number is one of the things that decide the weights: set 1 in studies.
        checkpoint_every: with a store, the number of steps between two checkpoints of a running stage; a stage that
            was killed resumes from the last one and ends with the same bytes as without the interruption. It changes
            no result.
        planned_stages: how many stages follow in the chains that these are the beginning of. With a store,
            `fit([first], planned_stages=1)` returns the very model that `fit([first, second])` continues from: it can
            be scored on its own and is trained once. A probe then measures only with `every_stage`.
        progress: whether to show a bar with step, time left and loss for each stage; None for only in terminals and
            notebooks. The logger `xquality` says the same, with the measured scores, at level INFO.

    Raises:
        SettingError: for no stages, a seed that is no integer, or training arguments that are unknown or reserved.
        TrainingError: where a head is to be carried over between different labels, or there is nothing to train on.
        ModelError: where the model cannot be loaded.
        SourceError, ColumnError, LabelError, UidError: where the data of a stage or of the probe are not usable.

    Example:
        >>> import tempfile
        >>> from xquality import toy
        >>> from xquality.models import tiny_encoder
        >>> texts = toy.topics.load("es", "train")["text"][:]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     encoder = tiny_encoder(texts, folder=f"{folder}/tiny", pieces=300, width=16, steps=1)
        ...     chain = [Stage(toy.topics, language="es", steps=4), Stage(toy.topics, steps=2)]
        ...     fitted = fit(chain, model=encoder, seed=1, threads=1)
        >>> fitted.languages
        ('es', 'en')
    """
    if isinstance(stages, Stage) or not stages or not all(isinstance(stage, Stage) for stage in stages):
        raise SettingError("fit takes a list of stages; give at least one, such as [Stage(xnli)].")
    threads = None if threads is None else _settings.integer("fit", "threads", threads, least=1)
    checkpoint_every = _settings.integer("fit", "checkpoint_every", checkpoint_every, least=1)
    planned_stages = _settings.integer("fit", "planned_stages", planned_stages, least=0)
    if not isinstance(model, str | Path):
        raise SettingError(
            f"fit(model=...) must be a folder or a Hub id, but got {type(model).__name__}; write it to a folder first, "
            "as Fitted.save or save_pretrained do, and name that."
        )
    seed, probe = _settings.integer("fit", "seed", seed), as_probe(evaluate_on)
    finished = Store(Path(store)) if isinstance(store, str | Path) else store
    with isolate(threads):
        chain = prepare(tuple(stages), model=model, seed=seed, probe=probe, planned_stages=planned_stages)
        planner = current_planner()
        if planner is not None:
            add_to_plan(chain, finished, planner)
            finished = None  # the steps of the first stage are timed, whether it is stored or not
        return execute(chain, finished, checkpoint_every, progress=progress)
