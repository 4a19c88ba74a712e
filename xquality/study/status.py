"""Status: what has become of the cells of a study folder, also while it is run."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Final, final

from xquality._tables import html_table, printable
from xquality.study.cells import Cell, cell_name, list_cells, name_columns, read_contents, show_cell
from xquality.study.claims import list_running

if TYPE_CHECKING:
    import pandas as pd

_COLUMNS: Final = ("state", "seconds", "host", "process", "since", "error")


@final
@dataclass(frozen=True)
class CellStatus:
    """What has become of one cell.

    Attributes:
        cell: the values of the axes.
        state: "finished", "failed", "running" or "missing".
        seconds: how long it ran, of a finished or failed one; None if unknown.
        host: where it ran; of a running one, the machine of the driver that has claimed it.
        process: of a running one, the driver's process there; else None.
        since: of a running one, when it was claimed; of a finished or failed one, when it ended (ISO 8601, UTC).
        error: of a failed one, the error's class and the first line of its message.
    """

    cell: Cell
    state: str
    seconds: float | None = None
    host: str = ""
    process: int | None = None
    since: str = ""
    error: str = ""


@final
@dataclass(frozen=True)
class Status:
    """What has become of the cells of a study.

    Attributes:
        cells: of the study, in the order in which they are run.
        left_out: a sentence for each file that is not believed, whose cell is missing.
    """

    cells: tuple[CellStatus, ...]
    left_out: tuple[str, ...] = ()

    def _count(self, state: str) -> int:
        """Return how many cells have a state."""
        return sum(cell.state == state for cell in self.cells)

    @property
    def finished(self) -> int:
        """How many cells are finished."""
        return self._count("finished")

    @property
    def failed(self) -> int:
        """How many cells failed when they were last run, and are not run again now."""
        return self._count("failed")

    @property
    def running(self) -> int:
        """How many cells are claimed by a driver that is running."""
        return self._count("running")

    @property
    def missing(self) -> int:
        """How many cells are neither finished, failed nor running."""
        return self._count("missing")

    @property
    def hours_spent(self) -> float:
        """The hours that finished and failed cells took, summed over workers."""
        return sum(cell.seconds for cell in self.cells if cell.seconds is not None) / 3600

    @property
    def hours_left(self) -> float | None:
        """The hours of one worker for the cells that are not finished, each as long as the mean finished one.

        None where no cell is finished.
        """
        known = [cell.seconds for cell in self.cells if cell.state == "finished" and cell.seconds is not None]
        return (len(self.cells) - self.finished) * fmean(known) / 3600 if known else None

    def to_pandas(self) -> "pd.DataFrame":
        """Return one row for each cell: the axes and the attributes of `CellStatus`."""
        import pandas as pd

        columns = name_columns((name for status in self.cells for name in status.cell), _COLUMNS)
        rows = [
            {columns[name]: value for name, value in status.cell.items()}
            | {name: getattr(status, name) for name in _COLUMNS}
            for status in self.cells
        ]
        return pd.DataFrame(rows, columns=[*columns.values(), *_COLUMNS])

    def __repr__(self) -> str:
        left = "unknown" if self.hours_left is None else f"{self.hours_left:.2g}"
        not_believed = f", {len(self.left_out)} files left out" if self.left_out else ""
        return (
            f"<Status: {self.finished} of {len(self.cells)} cells are finished, {self.failed} failed, {self.running} "
            f"running, {self.missing} missing{not_believed}; hours spent {self.hours_spent:.2g}, left {left}>"
        )

    def _repr_html_(self) -> str:
        counted = [cell for cell in self.cells if cell.state != "finished"]
        rows = [[printable(show_cell(cell.cell)), cell.state, cell.host, cell.since, cell.error] for cell in counted]
        table = html_table(("cell", "state", "host", "since", "error"), rows, "made")
        return f"<p>{html.escape(printable(repr(self)[1:-1]))}</p>{table}"


def read_status(folder: str | Path, cells: Sequence[Cell] | None = None) -> Status:
    """Return what has become of the cells of a study, from its folder alone.

    Args:
        folder: of the study.
        cells: the cells to look for; None for those of the axes that the folder names.

    Raises:
        StudyError: if the folder holds no study.

    Example:
        >>> import tempfile
        >>> from xquality import Result
        >>> from xquality.study import Study
        >>> def trial(rate: float, seed: int) -> Result:
        ...     return Result(measures={"score": 100 * (1 - rate) + seed})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     folder = Study(trial, axes={"rate": [0.0, 0.2], "seed": range(2)}).run(folder, progress=False)
        ...     status = read_status(folder)
        >>> status.finished, status.missing
        (4, 0)
    """
    contents = read_contents(Path(folder))
    known: dict[str, CellStatus] = {}
    for failed in contents.failed:
        known[cell_name(failed.cell)] = _of_run(failed.cell, "failed", failed.run, failed.error)
    for claim in list_running(Path(folder)):
        known[cell_name(claim.cell)] = CellStatus(claim.cell, "running", None, claim.host, claim.process, claim.since)
    for done in contents.finished:
        known[cell_name(done.cell)] = _of_run(done.cell, "finished", done.run)
    planned = list_cells(contents.study["axes"], contents.study["seed"]) if cells is None else cells
    statuses = tuple(known.get(cell_name(cell), CellStatus(cell, "missing")) for cell in planned)
    return Status(statuses, contents.left_out)


def _of_run(cell: Cell, state: str, run: Mapping[str, Any], error: str = "") -> CellStatus:
    """Return the status of a cell that has ended, from what its file keeps of the run."""
    seconds, host, ended = (run.get(name) for name in ("seconds", "host", "finished"))
    return CellStatus(cell, state, seconds, str(host or ""), None, str(ended or ""), error)
