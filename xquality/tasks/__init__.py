"""The tasks: one frozen value each, with pinned data, columns, languages and a head.

May import: tasks.
"""

from xquality.tasks.base import Task
from xquality.tasks.pawsx import pawsx
from xquality.tasks.sib200 import sib200
from xquality.tasks.xnli import xnli

__all__ = ["Task", "pawsx", "sib200", "xnli"]
