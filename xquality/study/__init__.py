"""Studies: a function of a cell over a grid of axes; finished cells are never run again."""

from xquality.study.engines import Processes, Ray, Slurm
from xquality.study.study import Study

__all__ = ["Processes", "Ray", "Slurm", "Study"]
