"""Cells: what is translated in a column, by what the column holds, and the columns that follow it."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import pyarrow as pa

from xquality.data.arrow import is_text
from xquality.translators import MarkedText, MarkedTranslation


@final
@dataclass(frozen=True)
class NewCells:
    """What became of the cells of a column and of those that follow it.

    Attributes:
        values: by column the new values, one for each row.
        lost: why a row is lost, by its number.
        counts: further counts for the record.
    """

    values: dict[str, list[Any]]
    lost: dict[int, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


class Cells(ABC):
    """The cells of a column that is translated, with those that follow."""

    @abstractmethod
    def inputs(self) -> list[MarkedText]:
        """Return the texts to translate, with the marked parts that are to be found again."""

    @abstractmethod
    def outputs(self, translations: Sequence[MarkedTranslation]) -> NewCells:
        """Return the new cells, from the translations of `inputs`."""


@final
@dataclass(frozen=True)
class TextCells(Cells):
    """One text on each row, or a list of texts; nulls stay nulls.

    Attributes:
        name: the column.
        cells: its values.
    """

    name: str
    cells: pa.Array

    def inputs(self) -> list[MarkedText]:
        """Return the texts, without nulls."""
        texts = self.cells if is_text(self.cells.type) else self.cells.flatten()
        return [MarkedText(text, ()) for text in texts.to_pylist() if text is not None]

    def outputs(self, translations: Sequence[MarkedTranslation]) -> NewCells:
        """Return the translated texts in their places."""
        found = iter(translations)
        return NewCells({self.name: [_fill(cell, found) for cell in self.cells.to_pylist()]})


def _fill(cell: str | list[str | None] | None, found: Iterator[MarkedTranslation]) -> Any:
    """Return a cell with the next translations in place of its texts."""
    if isinstance(cell, list):
        return [_fill(text, found) for text in cell]
    return None if cell is None else next(found).text
