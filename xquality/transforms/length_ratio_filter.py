"""LengthRatioFilter: drop rows whose two texts differ too much in length, or are too short or too long."""

from dataclasses import dataclass
from typing import Annotated, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from xquality._settings import (
    Positive,
    Stream,
    at_least,
    check_settings,
    choice,
    integer,
    optional,
    real,
    texts,
)
from xquality.data.arrow import read_strings
from xquality.data.rows import Change, Count, Rows
from xquality.errors import SettingError
from xquality.randomness import Draw
from xquality.text.words import split_words
from xquality.transforms.base import Transform


@final
@dataclass(frozen=True)
class LengthRatioFilter(Transform):
    """Drop rows whose two texts differ too much in length, as parallel corpora are cleaned before machine translation.

    Each row is treated alone, so streams are filtered too. A null counts as an empty text.

    Attributes:
        columns: the two text columns.
        maximum: the highest ratio of the longer text to the shorter one, 1 or more; None for no bound. Two empty
            texts have the ratio 1; the ratio of an empty text and another one is above every bound.
        expected: how many times as long as the first text the second one usually is; the ratio is taken against it.
            An English translation, for example, has about 3 times as many characters as its Chinese original.
        minimum_length: the fewest units that each text must have.
        maximum_length: the most units that each may have; None for no bound.
        unit: "characters" are code points, white space included; "words" are separated by white space, and in scripts
            without spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) each written character is one.
        stream: separates the draws of several calls with one seed.

    Raises:
        SettingError: for bounds out of range or that contradict each other, an unknown unit, or other than two columns.
        ColumnError: for a missing column, or one that holds no text.

    Example:
        >>> from datasets import Dataset
        >>> data = Dataset.from_dict({"de": ["Guten Tag", "Ja", ""], "en": ["Good day", "I do not know", "Hello"]})
        >>> LengthRatioFilter(columns=("de", "en"), maximum=2)(data, seed=1)["en"][:]
        ['Good day']
    """

    per_row = True

    columns: Annotated[tuple[str, str], texts]
    maximum: Annotated[float | None, optional(real)] = 3.0
    expected: Positive = 1.0
    minimum_length: Annotated[int, at_least(0)] = 1
    maximum_length: Annotated[int | None, optional(integer)] = None
    unit: Annotated[str, choice("characters", "words")] = "characters"
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)
        if len(self.columns) != 2:
            raise SettingError(f"LengthRatioFilter(columns={self.columns!r}) compares two columns; name two.")
        if self.maximum is not None and self.maximum < 1:
            raise SettingError(
                f"LengthRatioFilter(maximum={self.maximum!r}) bounds the longer text over the shorter one; give 1 or "
                "more."
            )
        if self.maximum_length is not None and self.maximum_length < self.minimum_length:
            raise SettingError(
                f"LengthRatioFilter(maximum_length={self.maximum_length}) must be at least {self.minimum_length}, the "
                "minimum_length."
            )

    def apply(self, rows: Rows, draw: Draw) -> Change:  # noqa: ARG002 (nothing is drawn)
        """Keep the rows within all bounds."""
        first, second = (self._lengths(rows, name) for name in self.columns)
        least, most = np.minimum(first, second), np.maximum(first, second)
        short = least < self.minimum_length
        long = most > self.maximum_length if self.maximum_length is not None else np.zeros(len(rows), np.bool_)
        out_of_ratio = self._out_of_ratio(first, second)
        kept = ~(short | long | out_of_ratio)
        reasons = {"too_short": short, "too_long": long, "out_of_ratio": out_of_ratio}
        details = {reason: Count(int(dropped.sum())) for reason, dropped in reasons.items()}
        return Change(rows.table.filter(pa.array(kept)), acted=int((~kept).sum()), details=details)

    def _lengths(self, rows: Rows, name: str) -> NDArray[np.int64]:
        """Return the length of each text, shape (rows,)."""
        values = rows.text(name)
        if self.unit == "words":
            return np.array([len(split_words(text)) for text in read_strings(values)], np.int64)
        return np.asarray(pc.fill_null(pc.utf8_length(values), 0).to_numpy(), np.int64)

    def _out_of_ratio(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which rows exceed the ratio, shape (rows,)."""
        if self.maximum is None:
            return np.zeros(len(first), np.bool_)
        scaled = first * self.expected
        # Products, not quotients: no bound times the length 0 reaches the length of a text that is not empty.
        return np.asarray(np.maximum(scaled, second) > self.maximum * np.minimum(scaled, second), np.bool_)
