"""Engines: where the cells of a study are run."""

from xquality.study.engines.base import Engine, InProcess, read_engine
from xquality.study.engines.on_ray import Ray
from xquality.study.engines.on_slurm import Slurm
from xquality.study.engines.processes import Processes

__all__ = ["Engine", "InProcess", "Processes", "Ray", "Slurm", "read_engine"]
