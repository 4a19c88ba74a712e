"""Plan: what a study will train and how long it will take, before it is run.

The trial of each cell is called in a worker process, as always, but `fit` ends it when its data are ready: so the
stages and their steps are those of the study, and nothing is trained. The hours come from cells that are finished, or
from a few timed steps; the plan says from which.
"""

import html
import math
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import BrokenExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

import cloudpickle

from xquality._tables import html_table, printable
from xquality.errors import SettingError, StudyError
from xquality.study.cells import Cell, Contents, Finished, cell_name, name_columns
from xquality.study.engines.payload import Payload, unpack_trial
from xquality.study.engines.processes import start_executor, stop_executor
from xquality.study.planning import PlannedStage, Planner, call_trial
from xquality.study.trial_runner import compute_with_one_thread

if TYPE_CHECKING:
    import pandas as pd

_MOST_SECONDS: Final = 60.0  # for cells that call no fit, which run as a whole
_COLUMNS: Final = ("done", "stages", "steps", "new_steps", "hours", "error")


@final
@dataclass(frozen=True)
class PlannedCell:
    """What one cell needs.

    Attributes:
        cell: the values of the axes.
        done: whether it is finished.
        stages: what its first call of `fit` trains, in order; empty for a trial that calls none.
        new_steps: the steps of stages that no earlier open cell trains and the store does not have; 0 once done.
        hours: of one worker, for what is left of the cell; None if unknown.
        error: what its trial raised while it was planned; empty for nothing.
    """

    cell: Cell
    done: bool
    stages: tuple[PlannedStage, ...] = ()
    new_steps: int = 0
    hours: float | None = None
    error: str = ""

    @property
    def steps(self) -> int:
        """The steps of all its stages."""
        return sum(stage.steps for stage in self.stages)


@final
@dataclass(frozen=True)
class Plan:
    """What a study will train, and how long it will take.

    Attributes:
        cells: all cells, in the order in which they are run.
        basis: a sentence that says where the hours come from.
        seeds: how many seeds the named effect needs in each arm, rounded up; None if no effect was named.
        seeds_basis: a sentence that says where their number comes from; empty without.
    """

    cells: tuple[PlannedCell, ...]
    basis: str
    seeds: int | None = None
    seeds_basis: str = ""

    @property
    def done(self) -> int:
        """How many cells are finished."""
        return sum(planned.done for planned in self.cells)

    @property
    def open(self) -> int:
        """How many cells are not finished."""
        return len(self.cells) - self.done

    @property
    def steps(self) -> int:
        """The training steps of the open cells; a stage that several share counts once, a stored one not at all."""
        return sum(planned.new_steps for planned in self.cells)

    @property
    def shared_stages(self) -> int:
        """How many stages more than one open cell needs."""
        needed = [place for planned in self.cells if not planned.done for place in _places(planned.stages)]
        return sum(needed.count(place) > 1 for place in set(needed))

    @property
    def hours(self) -> float | None:
        """The hours that one worker needs for the open cells; None if unknown."""
        known = [planned.hours for planned in self.cells if not planned.done]
        return None if None in known else math.fsum(hours for hours in known if hours is not None)

    def to_pandas(self) -> "pd.DataFrame":
        """Return one row for each cell: the axes, `done`, `stages`, `steps`, `new_steps`, `hours` and `error`."""
        import pandas as pd

        columns = name_columns((name for planned in self.cells for name in planned.cell), _COLUMNS)
        rows = [
            {columns[name]: value for name, value in planned.cell.items()}
            | {name: getattr(planned, name) for name in _COLUMNS}
            | {"stages": len(planned.stages)}
            for planned in self.cells
        ]
        return pd.DataFrame(rows, columns=[*columns.values(), *_COLUMNS])

    def __repr__(self) -> str:
        hours = "unknown" if self.hours is None else f"{self.hours:.2g}"
        seeds = "" if self.seeds is None else f"; {self.seeds} seeds: {self.seeds_basis}"
        return (
            f"<Plan: {self.done} of {len(self.cells)} cells are finished; {self.steps:,} steps are left, "
            f"{self.shared_stages} stages are shared; hours of one worker: {hours} ({self.basis}){seeds}>"
        )

    def _repr_html_(self) -> str:
        names = list(self.to_pandas().columns)
        rows = [[printable(value) for value in row] for row in self.to_pandas().itertuples(index=False)]
        return f"<p>{html.escape(printable(repr(self)[1:-1]))}</p>{html_table(names, rows, 'made')}"


def plan_cells(
    payload: Payload, cells: Sequence[Cell], contents: Contents | None, steps_to_time: int
) -> tuple[list[PlannedCell], str]:
    """Return what the cells of a study need, and the sentence that says where the hours come from.

    Args:
        payload: the trial.
        cells: all cells of the study.
        contents: what its folder holds; None without a folder.
        steps_to_time: how many training steps to time where no cell is finished; 0 for none.

    Raises:
        StudyError: if the worker ends before it has planned.
    """
    finished = () if contents is None else contents.finished
    names = {cell_name(done.cell) for done in finished}
    planned = [PlannedCell(cell, cell_name(cell) in names) for cell in cells]
    waiting = [place for place, cell in enumerate(planned) if not cell.done]
    if not waiting:
        return planned, "all cells are finished"
    found, seconds = _plan_in_worker(payload, [cells[place] for place in waiting], 0 if finished else steps_to_time)
    for place, cell in zip(waiting, _count_once(found), strict=True):
        planned[place] = cell
    if finished:
        return _add_hours_of_finished(planned, finished)
    return _add_hours_of_steps(planned, seconds, steps_to_time)


def _plan_in_worker(
    payload: Payload, cells: Sequence[Cell], steps_to_time: int
) -> tuple[list[PlannedCell], tuple[float, int] | None]:
    """Return what cells need, found in a process of its own: the trial may change what it reaches.

    Returns:
        The cells, and the seconds of a timed step with its batch size; None where none was timed.
    """
    with tempfile.TemporaryDirectory(prefix="xquality-") as scratch:
        file = Path(scratch) / "trial"
        file.write_bytes(payload.content)
        executor = start_executor()
        arguments = (str(file), [dict(cell) for cell in cells], steps_to_time)
        try:
            future = executor.submit(_plan_trial, *arguments)
            returned = future.result()
        except BrokenExecutor as error:
            raise StudyError("The worker that plans the study has ended; look for what ends it.") from error
        finally:
            stop_executor(executor, kill=not future.done())
    found: tuple[list[PlannedCell], tuple[float, int] | None] = cloudpickle.loads(returned)
    return found


def _plan_trial(file: str, cells: Sequence[Cell], steps_to_time: int) -> bytes:
    """Call the trial of each cell under a planner, in a worker."""
    trial = unpack_trial(Path(file).read_bytes()).trial
    found, memo, whole = [], dict[Any, Any](), 0.0
    for cell in cells:
        planner = Planner(memo=memo)
        if whole > _MOST_SECONDS:
            found.append(PlannedCell(cell, done=False, error="not planned: the trials before called no fit"))
            continue
        with compute_with_one_thread():
            seconds, is_whole, error = call_trial(trial, cell, planner)
        whole += seconds if is_whole else 0.0
        hours = seconds / 3600 if is_whole else None
        found.append(PlannedCell(cell, False, planner.stages, 0, hours, error))
    trained = [planned for planned in found if planned.stages]
    timed = None
    if trained and steps_to_time:
        longest = max(trained, key=lambda planned: planned.steps)
        planner = Planner(steps_to_time, memo=memo)
        with compute_with_one_thread():
            call_trial(trial, longest.cell, planner)
        lengths = [after - before for before, after in zip(planner.times, planner.times[1:], strict=False)]
        timed = (statistics.median(lengths), longest.stages[0].batch_size) if lengths else None
    return bytes(cloudpickle.dumps((found, timed)))


def _places(stages: Sequence[PlannedStage]) -> list[tuple[str, str]]:
    """Return where the stages are kept that may be shared."""
    return [(stage.store, stage.digest) for stage in stages if stage.store]


def _count_once(cells: Sequence[PlannedCell]) -> list[PlannedCell]:
    """Return cells with the steps that no cell before them trains."""
    trained: set[tuple[str, str]] = set()
    counted = []
    for planned in cells:
        new = [
            stage
            for stage in planned.stages
            if not stage.is_stored and (not stage.store or (stage.store, stage.digest) not in trained)
        ]
        trained.update(_places(planned.stages))
        counted.append(replace(planned, new_steps=sum(stage.steps for stage in new)))
    return counted


def _add_hours_of_finished(cells: Sequence[PlannedCell], finished: Sequence[Finished]) -> tuple[list[PlannedCell], str]:
    """Return cells with the mean duration of the finished ones as their hours."""
    seconds = [float(done.run["seconds"]) for done in finished if "seconds" in done.run]
    if not seconds:
        return list(cells), "no duration of a finished cell is known"
    hours = statistics.fmean(seconds) / 3600
    timed = [planned if planned.done else replace(planned, hours=hours) for planned in cells]
    return timed, f"the mean of {len(seconds)} finished cells, {hours * 3600:.3g} s each, with all that they do"


def _add_hours_of_steps(
    cells: Sequence[PlannedCell], timed: tuple[float, int] | None, steps: int
) -> tuple[list[PlannedCell], str]:
    """Return cells with the hours of their new steps, as long for each row as the timed ones."""
    if timed is None:
        if all(planned.hours is not None for planned in cells):
            return list(cells), "the trials called no fit and ran as a whole"
        return list(cells), "nothing was timed"
    seconds, batch_size = timed
    known = []
    for planned in cells:
        if planned.hours is not None or planned.error:
            known.append(planned)
            continue
        share = planned.new_steps / planned.steps if planned.steps else 0.0
        rows = share * sum(stage.steps * stage.batch_size for stage in planned.stages)
        known.append(replace(planned, hours=rows * seconds / batch_size / 3600))
    return known, (
        f"training alone, from the median of {steps} timed steps of {seconds:.3g} s at {batch_size} rows; loading, "
        "probes and evaluation come on top"
    )


def needed_seeds(
    effect: float, deviation: float | None, finished: Sequence[Finished], measure: str | None, seed: str
) -> tuple[int, str]:
    """Return how many seeds find an effect with a chance of 80 % at the level of 95 %, and where that comes from.

    Args:
        effect: the difference of two arms to be found, in points of the measure.
        deviation: the standard deviation of the difference over seeds; None to take it from finished cells.
        finished: the finished cells.
        measure: the name of the measure; None for the first of the first cell.
        seed: the axis of seeds.

    Raises:
        SettingError: if the deviation is neither given nor known.
    """
    from xquality.analysis import seeds_for

    basis = f"a standard deviation of {deviation:.3g} over seeds, as given" if deviation is not None else ""
    if deviation is None:
        name, deviation, freedom = _paired_deviation(finished, measure, seed)
        basis = (
            f"a standard deviation of {deviation:.3g} of {name}, from the finished cells ({freedom} degrees of freedom)"
        )
    needed = math.ceil(seeds_for(effect / deviation, paired=True)) if deviation else 2
    return needed, f"for a paired difference of {effect:g} with power 0.8 at level 0.95, with {basis}"


def _paired_deviation(finished: Sequence[Finished], measure: str | None, seed: str) -> tuple[str, float, int]:
    """Return a measure's name, the standard deviation of a difference of two arms over seeds, degrees of freedom.

    It is that of the residuals after the means of arms and of seeds, times the square root of 2.
    """
    import numpy as np

    names = [measure] if measure is not None else [name for done in finished for name in done.result.measures]
    values: dict[str, dict[Any, float]] = {}
    for done in finished:
        if names and names[0] in done.result.measures:
            arm = cell_name({name: value for name, value in done.cell.items() if name != seed})
            values.setdefault(arm, {})[done.cell.get(seed)] = float(done.result.measures[names[0]])
    arms = [arm for arm in values.values() if len(arm) > 1]
    common = set.intersection(*map(set, arms)) if arms else set()
    if len(arms) < 2 or len(common) < 2:
        raise SettingError(
            "Study.plan(effect=...) needs deviation=, the standard deviation over seeds of a difference of two arms, "
            "or a folder in which two arms have finished with the same two seeds or more."
        )
    table = np.array([[arm[value] for value in sorted(common, key=str)] for arm in arms])
    residuals = table - table.mean(1, keepdims=True) - table.mean(0, keepdims=True) + table.mean()
    freedom = (table.shape[0] - 1) * (table.shape[1] - 1)
    return names[0], float(np.sqrt(2 * (residuals**2).sum() / freedom)), freedom


def read_effect(effect: object, deviation: object) -> Mapping[str, float | None]:
    """Return the named effect and the deviation as numbers.

    Raises:
        SettingError: if one of them is no number, not above 0, or a deviation is given without an effect.
    """
    from xquality._settings import positive

    if effect is None and deviation is not None:
        raise SettingError("Study.plan(deviation=...) says how far an effect varies; name effect= too.")
    return {
        "effect": None if effect is None else positive("Study.plan", "effect", effect),
        "deviation": None if deviation is None else positive("Study.plan", "deviation", deviation),
    }
