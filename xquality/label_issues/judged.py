"""Judged: labels beside what a model thinks of them, whatever the shape of the task."""

from abc import ABC, abstractmethod

import pyarrow as pa

from xquality.data.arrow import Floats, Mask
from xquality.label_issues.search import Search


class Judged(ABC):
    """Base of the shapes: labels, one or more a row, and what an issue among them means for its row."""

    @abstractmethod
    def find(self, search: Search) -> Mask:
        """Return which labels are issues, shape (labels,)."""

    @abstractmethod
    def rows(self, issues: Mask) -> Mask:
        """Return which rows hold an issue, shape (rows,)."""

    @abstractmethod
    def flags(self, issues: Mask) -> pa.Array:
        """Return the issues as a column: one boolean a row, or a list of booleans."""

    @abstractmethod
    def weights(self, issues: Mask) -> Floats:
        """Return the weight of each row, in [0, 1] and 1 where nothing in it is an issue, shape (rows,)."""

    @abstractmethod
    def relabelled(self, issues: Mask) -> tuple[pa.Array, Mask]:
        """Return the label column with the most probable labels for the issues, and which rows that changes."""
