"""InstanceNoise: label noise that strikes hard rows more often."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from xquality import _settings
from xquality._settings import Name, Rate, Stream, check_settings
from xquality.data.rows import Change, Rows
from xquality.errors import ColumnError
from xquality.randomness import Draw, smallest
from xquality.transforms.base import Transform
from xquality.transforms.flipping import flip, other_class, warn_of_nothing


@final
@dataclass(frozen=True)
class InstanceNoise(Transform):
    """Flip the labels of `round(rate * rows)` rows, drawn in proportion to their difficulty (instance-dependent noise).

    Rows are drawn without replacement by exponential keys (Efraimidis and Spirakis 2006), so that the rows flipped at
    a low rate are flipped at a higher rate too. A row of difficulty 0 is flipped only when no other is left.

    Attributes:
        rate: the share of rows to flip; a flipped label is always a wrong one.
        difficulty: a column of numbers, 0 or more, for example 1 minus a model's confidence in the label.
        column: a ClassLabel column.
        stream: tells apart several calls with one seed.

    Raises:
        SettingError: for a rate outside [0, 1].
        ColumnError: for a difficulty that is missing, negative, infinite or no number.
        LabelError: for labels that cannot be flipped.

    Warns:
        RateWarning: where a rate above 0 rounds to no row.

    Example:
        >>> from xquality import toy
        >>> data = toy.topics.load("es", "test")
        >>> data = data.add_column("difficulty", [float(row < 150) for row in range(len(data))])
        >>> noisy = InstanceNoise(rate=0.2)(data, seed=1)
        >>> max(row for row, first in enumerate(noisy["label_before"]) if first is not None) < 150
        True
    """

    strength: ClassVar[tuple[str, ...]] = ("rate",)
    needs_all_rows: ClassVar[str] = "weighs each row against all others"

    rate: Rate
    difficulty: str = "difficulty"
    column: Name = "label"
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)
        object.__setattr__(self, "difficulty", _settings.text("InstanceNoise", "difficulty", self.difficulty))

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Flip the rows with the smallest exponential keys."""
        classes = len(rows.class_names(self.column))
        labels = rows.labels(self.column)
        weights = self._weights(rows)
        count = round(self.rate * len(rows))
        if not count:
            warn_of_nothing(self, self.rate, len(rows))
        keys = np.full(len(rows), np.inf)
        waiting = -np.log1p(-draw.uniform("flip"))  # exponential with mean 1
        np.divide(waiting, weights, out=keys, where=weights > 0)
        flipped = np.zeros(len(rows), np.bool_)
        flipped[smallest(keys, draw.uids, count)] = True
        return flip(rows, self.column, labels, other_class(labels, classes, draw), flipped)

    def _weights(self, rows: Rows) -> NDArray[np.float64]:
        """Return the difficulties, shape (rows,)."""
        values = rows.column(self.difficulty)
        if not (pa.types.is_integer(values.type) or pa.types.is_floating(values.type)):
            raise ColumnError(f"{self!r} needs numbers in {self.difficulty!r}, but the column holds {values.type}.")
        weights = np.asarray(values.cast(pa.float64()).to_numpy(), np.float64)
        if values.null_count or not np.isfinite(weights).all() or (weights < 0).any():
            raise ColumnError(f"{self!r} needs finite numbers, 0 or more, on every row of {self.difficulty!r}.")
        return weights
