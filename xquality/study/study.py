"""Study: a trial over axes, with one complete file for each finished cell; it is independent of models."""

import html
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from xquality._settings import Name, boolean, check_settings, integer, one_of, path
from xquality._tables import html_table, printable
from xquality.errors import DamagedError, StudyError, warn
from xquality.records import Result, Score
from xquality.study.cells import (
    cell_name,
    list_cells,
    name_columns,
    plain_value,
    read_cell,
    read_contents,
    read_study,
    show_cell,
    warn_left_out,
)
from xquality.study.engines import Engine, read_engine
from xquality.study.engines.payload import pack_trial
from xquality.study.plan import Plan, needed_seeds, plan_cells, read_effect
from xquality.study.run import StudyRun, changed_parts, changed_sentence
from xquality.study.status import Status, read_status
from xquality.study.trial_identity import TrialIdentity, TrialReader
from xquality.study.trial_runner import TrialRunner

if TYPE_CHECKING:
    import pandas as pd

Axes = Mapping[str, Sequence[Any]]

_COLUMNS = ("task", "language", "metric", "value", "rows")  # of the table of results, after the axes


@final
@dataclass(frozen=True, repr=False)
class Study:
    """A plain function of a cell, called for every cell of a grid.

    Attributes:
        trial: `trial(**cell)` returns a `Result`.
        axes: the values of each axis, `{"rate": [0.0, 0.2], "seed": range(5)}`; a list of such mappings is the union
            of their grids, for arms that do not vary along every axis.
        quantity: the axis that says how much data, for the heat map.
        quality: the axis that says how good they are, for the heat map.
        seed: the axis of seeds, over which means and intervals are taken.

    Raises:
        StudyError: for no cells, repeated cells, values that are not plain, or a named axis that does not exist.
        SettingError: for a seed axis without a name.

    Example:
        >>> import tempfile
        >>> from xquality import Result
        >>> def trial(rate: float, seed: int) -> Result:
        ...     return Result(measures={"score": 100 * (1 - rate) + seed})
        >>> study = Study(trial, axes={"rate": [0.0, 0.2], "seed": range(2)}, quality="rate")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     folder = study.run(folder, progress=False)
        ...     study.results(folder)["value"].tolist()
        [100.0, 101.0, 80.0, 81.0]
    """

    trial: Callable[..., Result]
    axes: Axes | Sequence[Axes]
    quantity: str | None = None
    quality: str | None = None
    seed: Name = "seed"

    def __post_init__(self) -> None:
        check_settings(self)
        if not callable(self.trial):
            raise StudyError(f"Study(trial) must be a function of a cell, but got {type(self.trial).__name__}.")
        cells = self.cells()
        names = [cell_name(cell) for cell in cells]
        if not cells or len(set(names)) != len(names):
            again = next((cell for number, cell in enumerate(cells) if names[number] in names[:number]), None)
            repeated = "" if again is None else f"; {show_cell(again)} comes again (equal numbers are one value)"
            raise StudyError(
                f"Study(axes) must give different cells, but gives {len(names)}, {len(set(names))} of them different"
                f"{repeated}."
            )
        axes = {name for cell in cells for name in cell}
        for name in (self.quantity, self.quality):
            if name is not None and name not in axes:
                raise StudyError(f"Study names the axis {name!r}, but has {sorted(axes)}; name one of these.")

    def __repr__(self) -> str:
        grids = "; ".join(", ".join(f"{name} {len(values)}" for name, values in grid.items()) for grid in self._grids())
        return f"<Study of {self._trial_name()}: {len(self.cells())} cells (values on each axis: {grids})>"

    def _repr_html_(self) -> str:
        rows = [
            [str(number), printable(name), printable(", ".join(map(str, values)))]
            for number, grid in enumerate(self._grids(), 1)
            for name, values in grid.items()
        ]
        return (
            f"<p>{html.escape(printable(repr(self)[1:-1]))}</p>{html_table(('grid', 'axis', 'values'), rows, 'made')}"
        )

    def _trial_name(self) -> str:
        """Return the name of the trial's function."""
        return str(getattr(getattr(self.trial, "func", self.trial), "__name__", "trial"))

    def cells(self) -> list[dict[str, Any]]:
        """Return all cells, those of the first seed first."""
        for grid in self._grids():
            _check_grid(grid)
        return list_cells(self._grids(), self.seed)

    def _grids(self) -> list[Axes]:
        """Return the grids whose union the study runs."""
        return [self.axes] if isinstance(self.axes, Mapping) else list(self.axes)

    def run(
        self,
        folder: str | Path,
        *,
        engine: str | Engine | None = None,
        on_error: str = "continue",
        share: bool = False,
        progress: bool = True,
    ) -> Path:
        """Run the cells that are not finished yet, and return the folder.

        A cell's file is written when its trial has returned, so a killed study resumes with the first unfinished cell.
        A finished cell is believed if its file holds what was written, for its values, by this trial; otherwise the
        file is set aside with a warning and the cell is run again.

        Args:
            folder: where the study is kept; an old folder may be run with other axes, but not with another trial.
            engine: where cells are run: None for this process, one after the other; "processes", "ray" or "slurm", or
                a value with settings: `Processes(workers)`, `Ray(...)`, `Slurm(...)`. The files of finished cells do
                not depend on it, times and hosts apart, since a cell computes with one thread wherever it runs, unless
                the trial gives another number to `fit`.
            on_error: where a trial raises an error, or returns what is no `Result` of finite numbers: "continue" goes
                on with the other cells and lists the failures at the end; "stop" starts no further cell. A failed cell
                is kept with its traceback in `failed`, and tried again by the next run.
            share: whether other programs may run the same study in the same folder, which must say so too: each
                runs cells that no other has, and returns when all are finished. Otherwise a second one is refused.
            progress: show a bar with the time left.

        Raises:
            SettingError: for an unknown engine, one whose package is not installed, or one of which no machine has
                what a cell needs.
            StudyError: if the trial cannot be called with the axes, the folder holds another trial's cells or other
                files, another process runs the study there, the folder is deleted while the study runs, or a cell
                failed and `on_error` is "stop" or no cell is finished.
            WriteError: if the folder cannot be written.
            KeyboardInterrupt: if the study is interrupted; its message says how many cells are finished, and a script
                ends with it instead of a traceback.

        Warns:
            UserWarning: if cells failed, a file was set aside, the trial reads other paths than before, or it reaches
                something of which a change cannot be noticed.
        """
        target = path("Study.run", "folder", folder)
        chosen = read_engine(engine)
        stop = one_of("Study.run", "on_error", on_error, ("continue", "stop")) == "stop"
        shared, shown = boolean("Study.run", "share", share), boolean("Study.run", "progress", progress)
        self._check_signature()
        run = StudyRun(
            self.trial, self.cells(), self._settings(), target, engine=chosen, stop=stop, share=shared, progress=shown
        )
        run.run()
        return target

    def plan(
        self,
        folder: str | Path | None = None,
        *,
        steps_to_time: int = 5,
        effect: float | None = None,
        deviation: float | None = None,
        measure: str | None = None,
    ) -> Plan:
        """Return what the open cells will train and how long it will take; nothing is trained but a few timed steps.

        The trial of each open cell is called in a process of its own and ended when it calls `fit` for the first time,
        after its data were loaded, transformed and checked: so a mistake in a cell's data shows here. What it does
        before `fit` takes as long as in the study; a trial that calls no `fit` runs as a whole, until such trials have
        taken a minute.

        Args:
            folder: of the study, with what is finished; None plans all cells.
            steps_to_time: how many training steps to time, of the open cell with the most steps, where no cell is
                finished from which to take the hours; 0 for none.
            effect: a difference of two arms, in points of the measure: how many seeds find it with a chance of 80 %?
            deviation: the standard deviation of that difference over seeds; None takes it from the finished cells.
            measure: the name in `Result.measures` that `effect` is of; None for the first.

        Raises:
            SettingError: for a number out of range, or an effect whose deviation is neither given nor known.
            StudyError: if the trial cannot be called with the axes or be sent to a process, or the folder holds no
                study.
        """
        steps = integer("Study.plan", "steps_to_time", steps_to_time, least=0)
        wanted = read_effect(effect, deviation)
        self._check_signature()
        contents = None if folder is None else read_contents(path("Study.plan", "folder", folder))
        seeds, basis = None, ""
        if wanted["effect"] is not None:
            finished = () if contents is None else contents.finished
            seeds, basis = needed_seeds(wanted["effect"], wanted["deviation"], finished, measure, self.seed)
        cells, hours_basis = plan_cells(pack_trial(TrialRunner(self.trial)), self.cells(), contents, steps)
        return Plan(tuple(cells), hours_basis, seeds, basis)

    def status(self, folder: str | Path) -> Status:
        """Return what has become of the cells of this study, also while it is run; `read_status` needs no `Study`.

        Raises:
            StudyError: if the folder holds no study.
        """
        return read_status(path("Study.status", "folder", folder), self.cells())

    def results(self, folder: str | Path) -> "pd.DataFrame":
        """Return the finished cells of this study as one tidy table.

        Returns:
            One row for each cell and score, with the axes, `task`, `language`, `metric`, `value` and `rows`; a
            measure has its name in `metric` and no task or language. An axis that has one of these names is called
            `axis_language` and so on.

        Raises:
            StudyError: if the folder holds no study.

        Warns:
            UserWarning: if the trial has changed since its cells were run, or a file is not believed, whose cell is
                left out then.
        """
        import pandas as pd

        source = Path(folder)
        study = read_study(source)
        changed = changed_parts(study, TrialReader(self.trial).read())
        if changed:
            warn(changed_sentence(source, changed, "these are the old trial's results"))
        columns = name_columns((name for cell in self.cells() for name in cell), _COLUMNS)
        rows: list[dict[str, Any]] = []
        left_out: list[str] = []
        for cell in self._cells_by_arm():
            try:
                finished = read_cell(source, cell, TrialIdentity(study["parts"]))
            except DamagedError as error:
                left_out.append(str(error))
                continue
            if finished is not None:
                values = {columns[name]: value for name, value in cell.items()}
                rows.extend({**values, **_score_columns(score)} for score in finished.result.scores)
                measures = finished.result.measures.items()
                rows.extend({**values, "metric": name, "value": value} for name, value in measures)
        warn_left_out(left_out)
        return pd.DataFrame(rows, columns=[*columns.values(), *_COLUMNS])

    def _check_signature(self) -> None:
        """Raise where the trial cannot be called with the names of the axes.

        Raises:
            StudyError: if it takes no argument of an axis's name, or one that is not an axis and has no default.
        """
        try:
            signature = inspect.signature(self.trial)
        except (TypeError, ValueError):
            return  # a builtin, which is refused as a trial
        for cell in {tuple(cell): cell for cell in self.cells()}.values():
            try:
                signature.bind(**cell)
            except TypeError as error:
                raise StudyError(
                    f"The trial, with the arguments {signature}, cannot be called with the axes {', '.join(cell)} "
                    f"({error}); give the trial an argument for each axis, and others a default."
                ) from error

    def _cells_by_arm(self) -> list[dict[str, Any]]:
        """Return the cells sorted by the axes before the seed, for tables."""
        cells = self.cells()
        arms = [cell_name({name: value for name, value in cell.items() if name != self.seed}) for cell in cells]
        places = {arm: place for place, arm in enumerate(dict.fromkeys(arms))}
        return [cells[number] for number in sorted(range(len(cells)), key=lambda number: places[arms[number]])]

    def _settings(self) -> dict[str, Any]:
        """Return the study's settings, for its folder."""
        return {
            "trial": self._trial_name(),
            "axes": [
                {name: [plain_value(value) for value in values] for name, values in grid.items()}
                for grid in self._grids()
            ],
            "quantity": self.quantity,
            "quality": self.quality,
            "seed": self.seed,
        }


def _check_grid(grid: object) -> None:
    """Raise where axes are not names with lists of values."""
    named = isinstance(grid, Mapping) and all(isinstance(name, str) and name.isidentifier() for name in grid)
    if not grid or not isinstance(grid, Mapping) or not named:
        raise StudyError(f"Study(axes) must map names to values, such as {{'rate': [0.0, 0.2]}}, but got {grid!r}.")
    for name, values in grid.items():
        if isinstance(values, str | bytes | Mapping) or not hasattr(values, "__len__"):
            raise StudyError(f"Study(axes) must give {name!r} a list of values, but got {values!r}.")


def _score_columns(score: Score) -> dict[str, Any]:
    """Return a score as the columns of the tidy table."""
    return {name: getattr(score, name) for name in _COLUMNS}
