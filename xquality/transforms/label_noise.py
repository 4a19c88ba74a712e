"""LabelNoise: symmetric label noise at a rate."""

from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np

from xquality._settings import Flag, Name, Rate, Stream, check_settings
from xquality.data.rows import Change, Rows
from xquality.randomness import Draw
from xquality.transforms.base import Transform
from xquality.transforms.flipping import drawn_rows, flip, other_class


@final
@dataclass(frozen=True)
class LabelNoise(Transform):
    """Replace the label of a share of the rows by another class, each wrong class equally likely.

    The rows flipped at a low rate are flipped at a higher rate too, to the same wrong label. The first value is kept
    in `<column>_before`, null where the label was never changed.

    Attributes:
        rate: the share of rows to flip; a flipped label is always a wrong one.
        column: a ClassLabel column.
        exact: True flips `round(rate * rows)` rows; False draws each row alone, which also works on streams.
        stream: tells apart several calls with one seed.

    Raises:
        SettingError: for a rate outside [0, 1].
        ColumnError: for a missing column.
        LabelError: for a column without class names, an unlabelled row or a label out of range.

    Warns:
        RateWarning: where a rate above 0 rounds to no row.

    Example:
        >>> from datasets import ClassLabel, Dataset, Features
        >>> features = Features({"label": ClassLabel(names=["no", "yes"])})
        >>> noisy = LabelNoise(rate=0.5)(Dataset.from_dict({"label": [0, 0, 1, 1]}, features=features), seed=1)
        >>> sum(one is not None for one in noisy["label_before"])
        2
    """

    per_row = True
    strength: ClassVar[tuple[str, ...]] = ("rate",)

    rate: Rate
    column: Name = "label"
    exact: Flag = True
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Flip the rows with the smallest draws; the wrong label is a second draw, independent of the rate."""
        classes = len(rows.class_names(self.column))
        labels = rows.labels(self.column)
        flipped = drawn_rows(self, self.rate, np.arange(len(rows)), draw, exact=self.exact)
        return flip(rows, self.column, labels, other_class(labels, classes, draw), flipped)
