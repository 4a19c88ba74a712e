"""Study: a trial over axes, with one complete file for each finished cell; it is independent of models."""

import itertools
import platform
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from filelock import FileLock, Timeout
from tqdm import tqdm

from xquality._files import remove_unfinished
from xquality._settings import Name, check_settings
from xquality._warn import warn
from xquality.errors import StudyError
from xquality.records import Result, Score
from xquality.study.cells import (
    Cell,
    Finished,
    cell_name,
    has_study,
    is_finished,
    plain_value,
    read_cell,
    read_study,
    write_cell,
    write_study,
)
from xquality.study.trial_source import trial_digest

if TYPE_CHECKING:
    import pandas as pd

Axes = Mapping[str, Sequence[Any]]

_PACKAGES = ("xquality", "torch", "transformers", "datasets", "cleanlab", "numpy")


@final
@dataclass(frozen=True)
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
            raise StudyError(
                f"Study(axes) must give different cells, but gives {len(names)}, {len(set(names))} of them different."
            )
        axes = {name for cell in cells for name in cell}
        for name in (self.quantity, self.quality):
            if name is not None and name not in axes:
                raise StudyError(f"Study names the axis {name!r}, but has {sorted(axes)}; name one of these.")

    def cells(self) -> list[dict[str, Any]]:
        """Return all cells, those of the first seed first."""
        grids = self._grids()
        for grid in grids:
            _check_grid(grid)
        cells = [
            dict(zip(grid, map(plain_value, values), strict=True))
            for grid in grids
            for values in itertools.product(*grid.values())
        ]
        seeds = list(dict.fromkeys(cell.get(self.seed) for cell in cells))
        return sorted(cells, key=lambda cell: seeds.index(cell.get(self.seed)))

    def _grids(self) -> list[Axes]:
        """Return the grids whose union the study runs."""
        return [self.axes] if isinstance(self.axes, Mapping) else list(self.axes)

    def run(self, folder: str | Path, *, progress: bool = True) -> Path:
        """Run the cells that are not finished yet, and return the folder.

        A cell's file is written when its trial has returned, so a killed study resumes with the first unfinished cell.

        Args:
            folder: where the study is kept; an old folder may be run with other axes, but not with another trial.
            progress: show a bar with the time left.

        Raises:
            StudyError: where the folder holds another trial's cells, another process runs the study there, a trial
                returns something other than a `Result`, or a trial raises: then the cell is named, and running again
                resumes with it.
        """
        target = Path(folder)
        target.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(target / ".lock", timeout=0):
                self._check_folder(target)
                (target / "cells").mkdir(exist_ok=True)
                remove_unfinished(target)
                remove_unfinished(target / "cells")
                write_study(target, self._to_dict())
                self._run_cells(target, progress)
        except Timeout as fault:
            raise StudyError(
                f"Another process is running the study in {target}; wait for it, or name another folder."
            ) from fault
        return target

    def results(self, folder: str | Path) -> "pd.DataFrame":
        """Return the finished cells of this study as one tidy table.

        Returns:
            One row for each cell and score, with the axes, `task`, `language`, `metric`, `value` and `rows`; a
            measure has its name in `metric` and no task or language.

        Raises:
            StudyError: where the folder holds no study.

        Warns:
            UserWarning: where the trial has changed since its cells were run.
        """
        import pandas as pd

        source = Path(folder)
        if read_study(source)["source"] != trial_digest(self.trial):
            warn(f"The trial has changed since the cells in {source} were run; these are the old trial's results.")
        axes = list(dict.fromkeys(name for cell in self.cells() for name in cell))
        rows: list[dict[str, Any]] = []
        for cell in self._cells_by_arm():
            if not is_finished(source, cell):
                continue
            result = read_cell(source, cell).result
            rows.extend({**cell, **_score_columns(score)} for score in result.scores)
            rows.extend({**cell, "metric": name, "value": value} for name, value in result.measures.items())
        return pd.DataFrame(rows, columns=[*axes, "task", "language", "metric", "value", "rows"])

    def _cells_by_arm(self) -> list[dict[str, Any]]:
        """Return the cells sorted by the axes before the seed, for tables."""
        cells = self.cells()
        arms = [cell_name({name: value for name, value in cell.items() if name != self.seed}) for cell in cells]
        places = {arm: place for place, arm in enumerate(dict.fromkeys(arms))}
        return [cells[number] for number in sorted(range(len(cells)), key=lambda number: places[arms[number]])]

    def _check_folder(self, folder: Path) -> None:
        """Raise where the folder holds cells of another trial."""
        if not has_study(folder):
            if any(not entry.name.startswith(".") and entry.name != "cells" for entry in folder.iterdir()):
                raise StudyError(f"{folder} holds other files and no study; name a new folder.")
            return
        if read_study(folder)["source"] != trial_digest(self.trial):
            raise StudyError(
                f"The trial has changed since the cells in {folder} were run; name a new folder, or restore the trial."
            )

    def _run_cells(self, folder: Path, progress: bool) -> None:
        """Run every unfinished cell in turn."""
        cells = self.cells()
        unfinished = [cell for cell in cells if not is_finished(folder, cell)]
        with tqdm(total=len(cells), initial=len(cells) - len(unfinished), unit="cell", disable=not progress) as bar:
            for cell in unfinished:
                bar.set_postfix_str(", ".join(f"{name}={value}" for name, value in cell.items()))
                write_cell(folder, self._run_cell(cell))
                bar.update()

    def _run_cell(self, cell: Cell) -> Finished:
        """Run one cell."""
        started = time.perf_counter()
        try:
            result = self.trial(**cell)
        except Exception as fault:
            raise StudyError(f"The trial failed at {dict(cell)} with {type(fault).__name__}: {fault}") from fault
        if not isinstance(result, Result):
            raise StudyError(
                f"A trial returns an xquality.Result, but this one returned {type(result).__name__} at {dict(cell)}."
            )
        run = {
            "seconds": round(time.perf_counter() - started, 3),
            "host": platform.node(),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        return Finished(cell, result, _versions(), run)

    def _to_dict(self) -> dict[str, Any]:
        """Return the study's settings, for its folder."""
        return {
            "trial": getattr(getattr(self.trial, "func", self.trial), "__name__", "trial"),
            "source": trial_digest(self.trial),
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
        if isinstance(values, str) or not hasattr(values, "__len__"):
            raise StudyError(f"Study(axes) must give {name!r} a list of values, but got {values!r}.")


def _score_columns(score: Score) -> dict[str, Any]:
    """Return a score as the columns of the tidy table."""
    return {name: getattr(score, name) for name in ("task", "language", "metric", "value", "rows")}


def _versions() -> dict[str, str]:
    """Return the versions of the packages that decide results, those that are installed."""
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
