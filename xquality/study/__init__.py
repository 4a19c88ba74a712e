"""Studies: a function of a cell over a grid of axes; finished cells are never run again."""

from xquality.study.by_row import RowValues, row_values
from xquality.study.cells import Finished, read_cells
from xquality.study.engines import Processes, Ray, Slurm
from xquality.study.study import Study

__all__ = ["Finished", "Processes", "Ray", "RowValues", "Slurm", "Study", "read_cells", "row_values"]
