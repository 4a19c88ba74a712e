"""LengthRatioFilter: drop rows whose two texts differ too much in length, or are too short or too long."""

from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from xquality import _settings
from xquality.data.arrow import read_strings
from xquality.data.rows import Change, Rows
from xquality.errors import SettingError
from xquality.randomness import Draw
from xquality.text.words import words
from xquality.transforms.base import Transform


@final
@dataclass(frozen=True)
class LengthRatioFilter(Transform):
    """Drop rows whose two texts are out of proportion, as parallel corpora are cleaned before machine translation.

    Each row is judged alone, so streams are filtered too. A null counts as an empty text.

    Attributes:
        columns: the two text columns.
        maximum: the highest ratio of the longer text to the shorter one, 1 or more; None for no bound. Two empty
            texts have the ratio 1, and one empty text is out of all proportion.
        expected: how many times as long as the first text the second one usually is; the ratio is taken against it.
            Chinese characters and those of English translations, for example, stand at about 1 to 3.
        minimum_length: the fewest units that each text must have.
        maximum_length: the most units that each may have; None for no bound.
        unit: "characters" are code points, white space among them; "words" are parted by white space, and in scripts
            without spaces between words (Chinese, Japanese, Thai, Lao, Khmer, Burmese) each written character is one.
        stream: tells apart several calls with one seed.

    Raises:
        SettingError: for bounds out of range or that contradict each other, an unknown unit, or other than two columns.
        ColumnError: for a missing column, or one that holds no text.

    Example:
        >>> from datasets import Dataset
        >>> data = Dataset.from_dict({"de": ["Guten Tag", "Ja", ""], "en": ["Good day", "I do not know", "Hello"]})
        >>> LengthRatioFilter(columns=("de", "en"), maximum=2)(data, seed=1)["en"][:]
        ['Good day']
    """

    columns: tuple[str, str]
    maximum: float | None = 3.0
    expected: float = 1.0
    minimum_length: int = 1
    maximum_length: int | None = None
    unit: str = "characters"
    stream: int = 0

    def __post_init__(self) -> None:
        owner = "LengthRatioFilter"
        object.__setattr__(self, "columns", _settings.texts(owner, "columns", self.columns))
        if len(self.columns) != 2:
            raise SettingError(f"LengthRatioFilter(columns={self.columns!r}) compares two columns; name two.")
        if self.maximum is not None:
            object.__setattr__(self, "maximum", _settings.real(owner, "maximum", self.maximum))
            if self.maximum < 1:
                raise SettingError(
                    f"LengthRatioFilter(maximum={self.maximum!r}) bounds the longer text over the shorter one; "
                    "give 1 or more."
                )
        object.__setattr__(self, "expected", _settings.positive(owner, "expected", self.expected))
        object.__setattr__(
            self, "minimum_length", _settings.integer(owner, "minimum_length", self.minimum_length, least=0)
        )
        if self.maximum_length is not None:
            most = _settings.integer(owner, "maximum_length", self.maximum_length, least=self.minimum_length)
            object.__setattr__(self, "maximum_length", most)
        _settings.one_of(owner, "unit", self.unit, ("characters", "words"))
        object.__setattr__(self, "stream", _settings.integer(owner, "stream", self.stream, least=0))

    def apply(self, rows: Rows, draw: Draw) -> Change:  # noqa: ARG002 (nothing is drawn)
        """Keep the rows within all bounds."""
        first, second = (self._lengths(rows, name) for name in self.columns)
        least, most = np.minimum(first, second), np.maximum(first, second)
        short = least < self.minimum_length
        long = most > self.maximum_length if self.maximum_length is not None else np.zeros(len(rows), np.bool_)
        skewed = self._skewed(first, second)
        kept = ~(short | long | skewed)
        details = {"too_short": int(short.sum()), "too_long": int(long.sum()), "out_of_ratio": int(skewed.sum())}
        return Change(rows.table.filter(pa.array(kept)), acted=int((~kept).sum()), details=details)

    def _lengths(self, rows: Rows, name: str) -> NDArray[np.int64]:
        """Return the length of each text, shape (rows,)."""
        values = rows.text(name)
        if self.unit == "words":
            return np.array([len(words(one)) for one in read_strings(values)], np.int64)
        return np.asarray(pc.fill_null(pc.utf8_length(values), 0).to_numpy(), np.int64)

    def _skewed(self, first: NDArray[np.int64], second: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Return which rows are out of proportion, shape (rows,)."""
        if self.maximum is None:
            return np.zeros(len(first), np.bool_)
        scaled = first * self.expected
        # Products, not quotients: an empty text then has no length that any bound times it reaches.
        return np.asarray(np.maximum(scaled, second) > self.maximum * np.minimum(scaled, second), np.bool_)
