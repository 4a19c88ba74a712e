"""New texts for units: a wrong word, a word left untranslated, a name or number altered."""

from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import regex
from numpy.typing import NDArray

from xquality.data.arrow import Indices
from xquality.transforms.translation_noise.characters import CAPITAL, DECIMAL, digits, ranges
from xquality.transforms.translation_noise.pieces import cells
from xquality.transforms.translation_noise.segmentation import Units
from xquality.transforms.translation_noise.vocabulary import Vocabulary

_ENDS = regex.compile(r"[\p{Sentence_Terminal}:…]")  # after one of these a capital letter may open a sentence
_CHARACTERS = regex.compile(r"\X")
_DECIMAL = regex.compile(DECIMAL)
_CAPITAL = regex.compile(CAPITAL)


@final
@dataclass(frozen=True)
class Replacement:
    """Where new texts come from.

    Attributes:
        vocabulary: the words to choose wrong ones from; None where no kind needs it.
        parallel: the units of the source text of the same rows, none of them empty; None where no kind needs them.
    """

    vocabulary: Vocabulary | None = None
    parallel: Units | None = None

    def texts(
        self, kind: str, units: Units, which: Indices, luck: NDArray[np.float64]
    ) -> tuple[NDArray[np.bool_], pa.Array]:
        """Return which units get a new text, shape (which,), and the new texts of these.

        Args:
            kind: "wrong_word", "untranslated" or "entity".
            units: the units of the rows.
            which: the units to replace.
            luck: a uniform number for each, which chooses among the ways to do it.
        """
        filled = units.start[which] < units.end[which]
        if not filled.all():  # an empty token is no word
            able, new = self.texts(kind, units, which[filled], luck[filled])
            filled[filled] = able
            return filled, new
        old = cells(units.data, units.start[which], units.end[which])
        if kind == "wrong_word":
            assert self.vocabulary is not None
            new = self.vocabulary.wrong(old, units.spaced[which], luck)
        elif kind == "untranslated":
            new = self._untranslated(units, which)
        else:
            new = _altered(units, which, luck, old)
        able = pc.fill_null(pc.not_equal(new, old), False)
        return able.to_numpy(zero_copy_only=False), new.filter(able)

    def _untranslated(self, units: Units, which: Indices) -> pa.Array:
        """Return the unit of the source text that stands at the same share of its row; null where it is empty."""
        assert self.parallel is not None
        rows = units.row[which]
        counts = self.parallel.counts[rows]
        place = self.parallel.first[rows] + (which - units.first[rows]) * counts // units.counts[rows]
        place = np.where(counts > 0, place, 0)
        if not len(self.parallel.start):
            return pa.nulls(len(which), pa.large_string())
        words = cells(self.parallel.data, self.parallel.start[place], self.parallel.end[place])
        return pc.if_else(pa.array(counts > 0), words, pa.scalar(None, pa.large_string()))


def altered_entity(units: Units, unit: int, luck: float) -> str | None:
    """Return a number with one digit changed or a name with one letter off; None for any other unit.

    A name is taken to be a capitalised word inside a sentence, which scripts without capitals do not show: there,
    numbers and capitalised words of other scripts are altered alone.

    Example:
        >>> import pyarrow as pa
        >>> from xquality.transforms.translation_noise.segmentation import segment
        >>> units = segment(pa.array(["El tren a Madrid sale en 2020"]))
        >>> [altered_entity(units, unit, 0.4) for unit in range(7)]
        [None, None, None, 'Mardid', None, None, '2620']
    """
    text = units.text(unit)
    places = [found.start() for found in _DECIMAL.finditer(text)]
    if places:
        return _other_digit(text, places, luck)
    characters = _CHARACTERS.findall(text)
    if not _CAPITAL.match(text) or len(characters) < 4 or _opens_sentence(units, unit):
        return None
    # Two neighbours inside the name change places; where they are equal, one is lost.
    place = 1 + int(luck * (len(characters) - 3))
    left, right = characters[place], characters[place + 1]
    middle = [right, left] if left != right else [left]
    return "".join([*characters[:place], *middle, *characters[place + 2 :]])


def _altered(units: Units, which: Indices, luck: NDArray[np.float64], old: pa.Array) -> pa.Array:
    """Return the new texts of numbers and names among units, null for the others."""
    pattern = f"^[{ranges(CAPITAL)}]|[{ranges(DECIMAL)}]"  # most units are neither, and Arrow sees that at once
    place = np.flatnonzero(pc.match_substring_regex(old, pattern))
    found = np.full(len(which), None, object)
    pairs = zip(which[place].tolist(), luck[place].tolist(), strict=True)
    found[place] = [altered_entity(units, *one) for one in pairs]
    return pa.array(found, pa.large_string())


def _other_digit(text: str, places: list[int], luck: float) -> str:
    """Return the text with one digit changed to another of its script."""
    chosen = luck * len(places)
    place = places[int(chosen)]
    rank = digits().index(text[place])
    value = rank % 10
    other = (value + 1 + int((chosen % 1) * 9)) % 10
    return text[:place] + digits()[rank - value + other] + text[place + 1 :]


def _opens_sentence(units: Units, unit: int) -> bool:
    """Say whether nothing or the end of a sentence stands before a unit."""
    row = units.row[unit]
    if unit == units.first[row]:
        return True
    before = units.text(unit - 1)[-1:]  # in a list of tokens the sign is one of its own
    gap = units.data[units.end[unit - 1] : units.start[unit]].tobytes().decode()
    return _ENDS.search(before + gap) is not None
