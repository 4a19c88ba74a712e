"""Studies: a function of a cell over a grid of axes; finished cells are never run again."""

from xquality.study.by_row import RowValues, row_values
from xquality.study.cells import Finished, read_cells
from xquality.study.engines import Processes, Ray, Slurm
from xquality.study.plan import Plan, PlannedCell
from xquality.study.status import CellStatus, Status, read_status
from xquality.study.study import Study

__all__ = [
    "CellStatus",
    "Finished",
    "Plan",
    "PlannedCell",
    "Processes",
    "Ray",
    "RowValues",
    "Slurm",
    "Status",
    "Study",
    "read_cells",
    "read_status",
    "row_values",
]
