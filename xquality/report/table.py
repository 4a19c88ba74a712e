"""Tables of a report: one table of texts and numbers, as HTML that can be sorted, as CSV and as LaTeX."""

import csv
import html
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from xquality._tables import latex_table, printable
from xquality.analysis import Interval

_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a spreadsheet would compute a cell that begins with one
_BROAD = 11  # more columns are printed smaller
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?(e[-+]?\d+)?")


@final
@dataclass(frozen=True)
class Shown:
    """A number with the text that stands for it.

    Attributes:
        text: as the page prints it.
        value: to sort by, and for the CSV; None for a text alone.
    """

    text: str
    value: float | None = None


Cell = str | int | Interval | Shown | None


@final
@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        name: of its files, and unique on the page.
        title: what it holds.
        head: a name for each column.
        rows: a cell for each column; an `Interval` is printed as its mean and ends, None is an empty cell.
        signed: the columns whose intervals have a sign, since they are differences.
        kind: "numbers", or "made" for texts.
        marked: the row and the column of cells that a dagger marks, such as languages that were trained in.
    """

    name: str
    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    signed: frozenset[str] = frozenset()
    kind: str = "numbers"
    marked: frozenset[tuple[int, int]] = frozenset()

    def texts(self) -> tuple[list[str], list[list[str]]]:
        """Return the head and the rows as texts."""
        signs = [name in self.signed for name in self.head]
        rows = [[_text(cell, sign=sign) for cell, sign in zip(row, signs, strict=True)] for row in self.rows]
        for row, column in self.marked:
            rows[row][column] += " †"
        return [printable(name) for name in self.head], rows

    def to_html(self) -> str:
        """Return the table with the value of each number beside its text, which the page sorts by."""
        head, rows = self.texts()
        is_text = [all(isinstance(row[column], str | None) for row in self.rows) for column in range(len(head))]
        kinds = [' class="text"' if text else "" for text in is_text]
        top = "".join(
            f'<th scope="col"{kind}><button type="button">{html.escape(name)}</button></th>'
            for name, kind in zip(head, kinds, strict=True)
        )
        body = "\n".join(
            f"<tr>{''.join(map(_html_cell, texts, cells, kinds))}</tr>"
            for texts, cells in zip(rows, self.rows, strict=True)
        )
        kind = f"{self.kind} broad" if len(head) > _BROAD else self.kind
        return (
            f'<table class="{kind}" id="{self.name}"><thead><tr>{top}</tr></thead>\n<tbody>\n{body}\n</tbody></table>'
        )

    def to_csv(self) -> str:
        """Return the table as CSV: numbers in full, intervals in columns of their own, no cell that is a formula."""
        wide = [any(isinstance(row[column], Interval) for row in self.rows) for column in range(len(self.head))]
        head: list[str] = []
        for name, has_ends in zip(map(printable, self.head), wide, strict=True):
            head += [name, f"{name}, low", f"{name}, high", f"{name}, count"] if has_ends else [name]
        written = io.StringIO()
        writer = csv.writer(written, lineterminator="\n")
        writer.writerow(map(_csv_text, head))
        for row in self.rows:
            cells: list[str] = []
            for cell, has_ends in zip(row, wide, strict=True):
                cells += _csv_cells(cell, has_ends=has_ends)
            writer.writerow(cells)
        return written.getvalue()

    def to_latex(self) -> str:
        """Return the table in LaTeX, with the rules of the package booktabs."""
        return latex_table(*self.texts()) + "\n"


def write_interval(found: Interval | None, *, sign: bool = False) -> str:
    """Return a mean and its interval as text; one value has none, which is said; nothing for None."""
    if found is None:
        return ""
    mean = f"{_rounded(found.mean):+.1f}" if sign else f"{_rounded(found.mean):.1f}"
    finite = math.isfinite(found.low) and math.isfinite(found.high)
    return f"{mean} [{_rounded(found.low):.1f}, {_rounded(found.high):.1f}]" if finite else f"{mean} (one value)"


def _rounded(value: float) -> float:
    """Return a number with one decimal place; no 0 has a sign."""
    return round(value, 1) + 0.0


def write_p_value(value: float) -> str:
    """Return a p-value as text."""
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def show_p_value(value: float | None) -> Shown | None:
    """Return a p-value as a cell; None for none."""
    return None if value is None else Shown(write_p_value(value), value)


def show_number(value: float | None, digits: int = 1) -> Shown | None:
    """Return a number as a cell; None for none."""
    return None if value is None else Shown(f"{value:.{digits}f}", value)


def _text(cell: Cell, *, sign: bool = False) -> str:
    """Return a cell as text."""
    if cell is None:
        return ""
    if isinstance(cell, Interval):
        return write_interval(cell, sign=sign)
    return printable(cell.text if isinstance(cell, Shown) else cell)


def _html_cell(text: str, cell: Cell, kind: str) -> str:
    """Return a cell of a table in HTML."""
    value: float | None = None
    if isinstance(cell, Interval):
        value = cell.mean
    elif isinstance(cell, Shown):
        value = cell.value
    elif isinstance(cell, int):
        value = cell
    sorted_by = "" if value is None or not math.isfinite(value) else f' data-value="{value:.6g}"'
    return f"<td{kind}{sorted_by}>{html.escape(text)}</td>"


def _csv_cells(cell: Cell, *, has_ends: bool) -> list[str]:
    """Return a cell as the texts of one column, or of four for an interval."""
    if isinstance(cell, Interval):
        ends = [repr(end) if math.isfinite(end) else "" for end in (cell.low, cell.high)]
        return [repr(cell.mean), *ends, str(cell.count)]
    if isinstance(cell, Shown) and cell.value is not None:
        text = repr(cell.value) if math.isfinite(cell.value) else ""
    else:
        text = _csv_text(_text(cell))
    return [text, "", "", ""] if has_ends else [text]


def _csv_text(text: str) -> str:
    """Return a text that no spreadsheet computes: one that begins like a formula, and is no number, is quoted."""
    return f"'{text}" if text.lstrip().startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text
