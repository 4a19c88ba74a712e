"""ChoiceNoise: wrong answers in multiple choice, for any number of options."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import ClassLabel

from xquality import _settings
from xquality._settings import Flag, Name, Rate, Stream, check_settings
from xquality.data.arrow import Indices, is_text, is_variable_list, list_lengths, read_integers
from xquality.data.rows import Change, Rows
from xquality.errors import ColumnError, LabelError, SettingError
from xquality.randomness import Draw
from xquality.transforms.base import Transform
from xquality.transforms.flipping import drawn_rows


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
        stream: tells apart several calls with one seed.

    Raises:
        SettingError: for a rate outside [0, 1] or options that are fewer than two.
        ColumnError: for a missing column, or options that are no lists.
        LabelError: for answers that are none of the options.

    Warns:
        RateWarning: where a rate above 0 rounds to no row.

    Example:
        >>> from xquality import toy
        >>> noisy = ChoiceNoise(rate=0.25)(toy.choices.load("es", "test"), seed=1)
        >>> sum(one is not None for one in noisy["label_before"])
        50
    """

    per_row = True
    strength: ClassVar[tuple[str, ...]] = ("rate",)

    rate: Rate
    options: int | str | tuple[str, ...] | None = None
    column: Name = "label"
    exact: Flag = True
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)
        if isinstance(self.options, str):
            _settings.text("ChoiceNoise", "options", self.options)
        elif isinstance(self.options, list | tuple):
            object.__setattr__(self, "options", _settings.texts("ChoiceNoise", "options", self.options))
            if len(self.options) < 2 or len(set(self.options)) < len(self.options):
                raise SettingError(f"ChoiceNoise(options={self.options!r}) must name two or more, all different.")
        elif self.options is not None:
            object.__setattr__(self, "options", _settings.integer("ChoiceNoise", "options", self.options, least=2))

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Move the answer on the rows with the smallest draws; to which option is a second draw."""
        answers, names = self._answers(rows)
        counts = self._counts(rows, names)
        strange = np.flatnonzero((answers < 0) | (answers >= counts))
        if len(strange):
            found = rows.column(self.column)[int(strange[0])].as_py()
            raise LabelError(f"{self!r} found {len(strange)} answers that are no options, the first {found!r}.")
        flipped = drawn_rows(self, self.rate, np.flatnonzero(counts > 1), draw, exact=self.exact)
        wrong = np.minimum((draw.uniform("wrong option") * (counts - 1)).astype(np.int64), counts - 2)
        wrong += wrong >= answers  # skip the present answer
        moved = np.where(flipped, wrong, answers)
        values = pa.array(moved) if names is None else pa.array(names, pa.string()).take(pa.array(moved))
        table, added = rows.replace(self.column, values, flipped)
        return Change(table, added, changed=int(flipped.sum()), acted=int(flipped.sum()))

    def _answers(self, rows: Rows) -> tuple[Indices, list[str] | None]:
        """Return each row's answer as a place among its options, shape (rows,), and the answers' names if strings."""
        values = rows.column(self.column)
        if values.null_count:
            raise LabelError(f"{self!r} needs an answer on every row, but {values.null_count} are null.")
        if self.options is None:
            return rows.labels(self.column), None
        if pa.types.is_integer(values.type) and not isinstance(self.options, tuple):
            return read_integers(values), None
        if not is_text(values.type):
            raise ColumnError(f"{self!r} reads answers from {self.column!r}, but the column holds {values.type}.")
        names = list(self.options) if isinstance(self.options, tuple) else list(map(str, range(self._most(rows))))
        places = pc.fill_null(pc.index_in(values.cast(pa.string()), pa.array(names, pa.string())), -1)
        return np.asarray(places.to_numpy(), np.int64), names

    def _most(self, rows: Rows) -> int:
        """Return the largest number of options that a row has."""
        return self.options if isinstance(self.options, int) else int(self._lengths(rows).max(initial=0))

    def _counts(self, rows: Rows, names: list[str] | None) -> Indices:
        """Return the number of options of each row, shape (rows,)."""
        if isinstance(self.options, str):
            return self._lengths(rows)
        feature = rows.features[self.column]
        classes = len(feature.names) if isinstance(feature, ClassLabel) else 0
        number = self.options if isinstance(self.options, int) else len(names) if names else classes
        return np.full(len(rows), number, np.int64)

    def _lengths(self, rows: Rows) -> Indices:
        """Return the lengths of the option lists, shape (rows,)."""
        values = rows.column(str(self.options))
        if not is_variable_list(values.type) or values.null_count:
            raise ColumnError(f"{self!r} counts the options in {self.options!r}, but not every row holds a list there.")
        return list_lengths(values)
