"""What a chain would train, for the plan of a study; nothing is trained."""

from xquality.errors import DamagedError, ModelError
from xquality.models.model import Model
from xquality.study.planning import PlannedStage, Planner
from xquality.train.execution import describe, plan_stage, stage_digest
from xquality.train.fitted import Fitted
from xquality.train.preparation import PreparedChain
from xquality.train.store import Store


def add_to_plan(chain: PreparedChain, store: Store | None, planner: Planner) -> None:
    """Add the stages of a chain to a plan.

    The weights that a stage starts from are known where the stage before is stored; elsewhere the digest of that stage
    stands for them, so that two chains share a stage of the plan where they would share it in the store.

    Raises:
        PlannedEnd: if the planner only counts.
        TrainingError: where there is nothing to train on.
    """
    stages = []
    start: Model | None = chain.start
    before = ""
    for prepared in chain.stages:
        description = describe(prepared, start or chain.start)
        if start is None:
            description["model_before"] = before
        before = stage_digest(prepared, description)
        is_kept = store is not None and not prepared.stage.callbacks
        start = _find(store, before, planner) if store is not None and is_kept and start is not None else None
        steps = plan_stage(prepared, chain.start).steps
        name = f"{prepared.stage.task.name} in {prepared.stage.trained_language}"
        folder = str(store.folder.absolute()) if store is not None and is_kept else ""
        stages.append(PlannedStage(before, folder, name, steps, prepared.stage.batch_size, start is not None))
    planner.add_chain(stages)


def _find(store: Store, digest: str, planner: Planner) -> Model | None:
    """Return the model after a stage that the store has; None for another stage."""
    if digest not in store:
        return None

    def load() -> Model | None:
        try:
            return Fitted.load(store.folder / digest).model
        except (DamagedError, ModelError):
            return None

    return planner.remember((str(store.folder), digest), load)
