"""ChoiceNoise: wrong answers in multiple choice, for any number of options."""

from dataclasses import dataclass
from typing import Annotated, ClassVar, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xquality import _settings
from xquality._settings import Flag, Name, Rate, Stream, check_settings, optional
from xquality.data.arrow import Indices, is_text, is_variable_list, list_lengths, read_integers
from xquality.data.rows import Change, Rows
from xquality.errors import ColumnError, LabelError, SettingError
from xquality.randomness import Draw
from xquality.transforms.base import Transform
from xquality.transforms.rates import select_at_rate


def _check_options(owner: str, name: str, value: object) -> int | str | tuple[str, ...]:
    """Return a number of options, the name of a column, or the possible answers as a tuple."""
    if isinstance(value, str):
        return _settings.text(owner, name, value)
    if not isinstance(value, list | tuple):
        return _settings.integer(owner, name, value, least=2)
    answers = _settings.texts(owner, name, value)
    if len(answers) < 2 or len(set(answers)) < len(answers):
        raise SettingError(f"{owner}({name}={value!r}) must name two or more, all different.")
    return answers


@final
@dataclass(frozen=True)
class ChoiceNoise(Transform):
    """Mark another option as the right one on a share of the rows, each wrong option equally likely.

    The answer keeps the type it has: a number, a string such as "2" or "B", or a class.

    Attributes:
        rate: the share of the rows to change, `round(rate * rows)` of those with two options or more.
        options: how the options are counted: a number, when answers are 0 to options - 1 (as numbers or strings); the
            possible answers in order, such as ("A", "B", "C"); the name of a list column with the options of each row,
            whose answers count from 0; None for the classes of a ClassLabel.
        column: the column of answers.
        exact: False draws each row alone, which also works on streams.
        stream: separates the draws of several calls with one seed.

    Raises:
        SettingError: for a rate outside [0, 1] or options that are fewer than two.
        ColumnError: for a missing column, or options that are no lists.
        LabelError: for answers that are not among the options.

    Warns:
        RateWarning: where a rate above 0 rounds to no row.

    Example:
        >>> from xquality import toy
        >>> noisy = ChoiceNoise(rate=0.25)(toy.choices.load("es", "test"), seed=1)
        >>> sum(first is not None for first in noisy["label_before"])
        50
    """

    per_row = True
    strength: ClassVar[tuple[str, ...]] = ("rate",)

    rate: Rate
    options: Annotated[int | str | tuple[str, ...] | None, optional(_check_options)] = None
    column: Name = "label"
    exact: Flag = True
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Move the answer on the rows with the smallest draws; to which option is a second draw."""
        answers, names = self._answers(rows)
        counts = self._counts(rows, names)
        unknown = np.flatnonzero((answers < 0) | (answers >= counts))
        if len(unknown):
            found = rows.column(self.column)[int(unknown[0])].as_py()
            raise LabelError(
                f"{self} found {len(unknown)} answers that are no options, the first {found!r}; filter these rows out."
            )
        able = np.flatnonzero(counts > 1)
        flipped = np.zeros(len(rows), np.bool_)
        flipped[able[select_at_rate(self, self.rate, draw.of(draw.uids[able]), exact=self.exact)]] = True
        wrong = np.minimum((draw.uniform("wrong option") * (counts - 1)).astype(np.int64), counts - 2)
        wrong += wrong >= answers  # skip the present answer
        moved = np.where(flipped, wrong, answers)
        values = pa.array(moved) if names is None else pa.array(names, pa.string()).take(pa.array(moved))
        table, added = rows.replace(self.column, values, flipped)
        return Change(table, added, changed=int(flipped.sum()), acted=int(flipped.sum()))

    def _answers(self, rows: Rows) -> tuple[Indices, list[str] | None]:
        """Return the number of each row's answer among its options, shape (rows,), and the names of string answers."""
        values = rows.column(self.column)
        if values.null_count:
            raise LabelError(f"{self} needs an answer on every row, but {values.null_count} are null; filter them out.")
        if self.options is None:
            return rows.labels(self.column), None
        if pa.types.is_integer(values.type) and not isinstance(self.options, tuple):
            return read_integers(values), None
        if not is_text(values.type):
            raise ColumnError(
                f"{self} reads answers from {self.column!r}, but the column holds {values.type}; name another column."
            )
        names = list(self.options) if isinstance(self.options, tuple) else list(map(str, range(self._largest(rows))))
        numbers = pc.fill_null(pc.index_in(values.cast(pa.string()), pa.array(names, pa.string())), -1)
        return np.asarray(numbers.to_numpy(), np.int64), names

    def _largest(self, rows: Rows) -> int:
        """Return the largest number of options that a row has."""
        return self.options if isinstance(self.options, int) else int(self._lengths(rows).max(initial=0))

    def _counts(self, rows: Rows, names: list[str] | None) -> Indices:
        """Return the number of options of each row, shape (rows,)."""
        if isinstance(self.options, str):
            return self._lengths(rows)
        if self.options is None:
            number = len(rows.class_names(self.column))
        else:
            number = self.options if isinstance(self.options, int) else len(names or ())
        return np.full(len(rows), number, np.int64)

    def _lengths(self, rows: Rows) -> Indices:
        """Return the lengths of the option lists, shape (rows,)."""
        values = rows.column(str(self.options))
        if not is_variable_list(values.type) or values.null_count:
            raise ColumnError(f"{self} counts the options in {self.options!r}, but not every row holds a list there.")
        return list_lengths(values)
