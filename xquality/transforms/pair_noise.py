"""PairNoise: labels flipped to one given other class, as annotators confuse neighbouring classes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from xquality import _settings
from xquality._settings import Flag, Name, Rate, Stream, check_settings
from xquality.data.rows import Change, Rows
from xquality.errors import SettingError
from xquality.randomness import Draw
from xquality.transforms.base import Transform
from xquality.transforms.flipping import drawn_rows, flip


@final
@dataclass(frozen=True)
class PairNoise(Transform):
    """Replace the label of a share of the rows by the class that theirs is paired with (class-conditional noise).

    Attributes:
        rate: the share of the rows of paired classes to flip, `round(rate * those rows)` of them.
        pairs: class names, `{"cat": "dog", "dog": "cat"}` or as pairs; classes that are not named are never flipped.
            None pairs each class with the next one, and the last with the first.
        column: a ClassLabel column.
        exact: False draws each row alone, which also works on streams.
        stream: tells apart several calls with one seed.

    Raises:
        SettingError: for a rate outside [0, 1], or a pair of a class with itself, or a class paired twice, or no class.
        ColumnError, LabelError: for a column that cannot be flipped.

    Warns:
        RateWarning: where a rate above 0 rounds to no row.

    Example:
        >>> from xquality import toy
        >>> noisy = PairNoise(rate=0.5, pairs={"food": "health"})(toy.topics.load("es", "test"), seed=1)
        >>> names = noisy.features["label"].names
        >>> {names[new] for new, old in zip(noisy["label"], noisy["label_before"]) if old is not None}
        {'health'}
    """

    per_row = True
    strength: ClassVar[tuple[str, ...]] = ("rate",)

    rate: Rate
    pairs: tuple[tuple[str, str], ...] | None = None
    column: Name = "label"
    exact: Flag = True
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)
        if self.pairs is not None:
            object.__setattr__(self, "pairs", _pairs(self.pairs))

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Flip the rows of paired classes that have the smallest draws."""
        target = self._targets(rows.class_names(self.column))
        labels = rows.labels(self.column)
        wrong = target[labels]
        paired = np.flatnonzero(wrong != labels)
        flipped = drawn_rows(self, self.rate, paired, draw, exact=self.exact)
        return flip(rows, self.column, labels, wrong, flipped)

    def _targets(self, names: list[str]) -> NDArray[np.int64]:
        """Return the class that each class is flipped to, its own where it has no pair, shape (classes,)."""
        if self.pairs is None:
            return np.roll(np.arange(len(names)), -1)
        strange = sorted({one for pair in self.pairs for one in pair} - set(names))
        if strange:
            raise SettingError(f"{self!r} pairs {', '.join(strange)}, but the classes are {names}; name these.")
        target = np.arange(len(names))
        for one, other in self.pairs:
            target[names.index(one)] = names.index(other)
        return target


def _pairs(given: Any) -> tuple[tuple[str, str], ...]:
    """Return the pairs as sorted tuples, so that equal settings are equal values."""
    listed = given.items() if isinstance(given, Mapping) else given
    try:
        pairs = tuple(sorted((_name(one), _name(other)) for one, other in listed))
    except (TypeError, ValueError) as fault:
        raise SettingError(
            f"PairNoise(pairs={given!r}) must map class names to class names, such as {{'cat': 'dog'}}."
        ) from fault
    if not pairs or len({one for one, _ in pairs}) != len(pairs) or any(one == other for one, other in pairs):
        raise SettingError(f"PairNoise(pairs={given!r}) must pair each named class once, and with another class.")
    return pairs


def _name(value: object) -> str:
    """Return a class name, checked."""
    return _settings.text("PairNoise", "pairs", value)
