"""Drawing: which units and rows get which kind of error, and the new texts of units, keyed by row and position.

The purpose that a draw is given ("strike", "kind 0", "how", ...) decides its random numbers: another word there would
change every noisy text.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import regex
from numpy.typing import NDArray

from xquality.data.arrow import Indices, Mask
from xquality.randomness import Bits, Draw, mix
from xquality.transforms.translation_noise.segmentation import (
    CAPITAL,
    DECIMAL,
    Units,
    code_point_ranges,
    decimal_digits,
)
from xquality.transforms.translation_noise.vocabulary import Vocabulary

UNIT_KINDS = ("omission", "repetition", "reordering", "wrong_word", "untranslated", "entity")
ROW_KINDS = ("truncation", "hallucination")

_FEWEST_UNITS = {"truncation": 2, "hallucination": 1}  # in a row: one with a single unit has no tail to lose
_SENTENCE_END = regex.compile(r"[\p{Sentence_Terminal}:…]")  # after one of these a capital letter may begin a sentence
_GRAPHEME = regex.compile(r"\X")
_DECIMAL = regex.compile(DECIMAL)
_CAPITAL = regex.compile(CAPITAL)


@final
@dataclass(frozen=True)
class DrawnErrors:
    """The errors that some rows of text get.

    Attributes:
        units: for each kind of error in single units, the units that get it, ascending.
        rows: for each kind of error in whole rows, the rows that get it, ascending.
        replaced: the units that get a new text, each once.
        texts: their new texts, shape (replaced,).
        row_draw: the random numbers of the rows, which decide the form of an error in a row.
        unit_draw: the random numbers of all units, which decide the form of an error in a unit.
    """

    units: dict[str, Indices]
    rows: dict[str, Indices]
    replaced: Indices
    texts: pa.LargeStringArray
    row_draw: Draw
    unit_draw: Draw

    def without_rows(self, units: Units, rows: Mask) -> "DrawnErrors":
        """Return the errors of the other rows; `rows` is a mask of shape (rows,)."""
        kept = ~rows
        replaced = kept[units.row[self.replaced]]
        return DrawnErrors(
            {kind: drawn[kept[units.row[drawn]]] for kind, drawn in self.units.items()},
            {kind: drawn[kept[drawn]] for kind, drawn in self.rows.items()},
            self.replaced[replaced],
            self.texts.filter(pa.array(replaced)),
            self.row_draw,
            self.unit_draw,
        )

    def counts(self, units: Units, rows: Mask) -> dict[str, int]:
        """Return the number of errors of each kind in some of the rows, a mask of shape (rows,)."""
        of_units = {kind: int(rows[units.row[drawn]].sum()) for kind, drawn in self.units.items()}
        return of_units | {kind: int(rows[drawn].sum()) for kind, drawn in self.rows.items()}


@final
@dataclass(frozen=True)
class TextSource:
    """Where the new texts of units come from.

    Attributes:
        vocabulary: the words to choose wrong ones from; None where no kind needs it.
        parallel: the units of the source text of the same rows, none of them empty; None where no kind needs them.
    """

    vocabulary: Vocabulary | None = None
    parallel: Units | None = None

    def new_texts(
        self, kind: str, units: Units, chosen: Indices, uniform: NDArray[np.float64]
    ) -> tuple[Mask, pa.Array]:
        """Return which of the chosen units get a new text, shape (chosen,), and the new texts of these.

        Args:
            kind: "wrong_word", "untranslated" or "entity".
            units: the units of the rows.
            chosen: the units to replace.
            uniform: a number in [0, 1) for each, which chooses among the possible texts, shape (chosen,).
        """
        filled = units.start[chosen] < units.end[chosen]
        if not filled.all():  # an empty token is no word
            possible, new = self.new_texts(kind, units, chosen[filled], uniform[filled])
            filled[filled] = possible
            return filled, new
        old = units.texts(chosen)
        if kind == "wrong_word":
            assert self.vocabulary is not None
            new = self.vocabulary.wrong_words(old, units.spaced[chosen], uniform)
        elif kind == "untranslated":
            new = self._untranslated(units, chosen)
        else:
            new = _alter_entities(units, chosen, uniform, old)
        possible = pc.fill_null(pc.not_equal(new, old), False)
        return possible.to_numpy(zero_copy_only=False), new.filter(possible)

    def _untranslated(self, units: Units, chosen: Indices) -> pa.Array:
        """Return the unit at the same share of the source text of each unit's row; null where that text is empty."""
        assert self.parallel is not None
        rows = units.row[chosen]
        counts = self.parallel.counts[rows]
        place = self.parallel.first[rows] + (chosen - units.first[rows]) * counts // units.counts[rows]
        place = np.where(counts > 0, place, 0)
        if not len(self.parallel.start):
            return pa.nulls(len(chosen), pa.large_string())
        return pc.if_else(pa.array(counts > 0), self.parallel.texts(place), pa.scalar(None, pa.large_string()))


def draw_errors(
    units: Units, draw: Draw, severity: float, kinds: Sequence[str], source: TextSource, column: str
) -> DrawnErrors:
    """Return the errors of some rows at a severity.

    Each unit gets an error with the probability `severity`; its kind is drawn uniformly among the kinds for units that
    are possible for it. Rows get errors in the same way, of the kinds for rows. The errors of a lower severity are a
    subset of those of a higher one.

    Args:
        units: the units of the rows.
        draw: the random numbers of the call, keyed by the rows.
        severity: the probability.
        kinds: the kinds of error, each once.
        source: where the new texts of units come from.
        column: the column's name, which makes the errors of two columns of a row independent.
    """
    row_draw = Draw(draw.seed, f"{draw.scope}/{column}", draw.stream, draw.uids)
    keys: Bits = np.repeat(mix(draw.uids + np.uint64(1)) - units.first[:-1].astype(np.uint64), units.counts)
    keys += np.arange(len(keys), dtype=np.uint64)  # the key of the row, plus the place of the unit in it
    unit_draw = row_draw.of(keys)
    replaced: list[Indices] = [np.empty(0, np.int64)]
    texts: list[pa.Array] = [pa.array([], pa.large_string())]
    protected = _protected_units(units, row_draw)

    def possible_in_units(kind: str, chosen: Indices) -> Mask:
        """Return for which units a kind is possible, and keep the new texts that it gives them."""
        if kind == "omission":
            return np.asarray(protected[units.row[chosen]] != chosen)
        if kind == "reordering":
            return np.asarray(units.counts[units.row[chosen]] > 1)
        if kind == "repetition":
            return np.ones(len(chosen), np.bool_)
        possible, new = source.new_texts(kind, units, chosen, unit_draw.of(unit_draw.uids[chosen]).uniform("how"))
        replaced.append(chosen[possible])
        texts.append(new)
        return possible

    def possible_in_rows(kind: str, chosen: Indices) -> Mask:
        """Return for which rows a kind is possible."""
        return np.asarray(units.counts[chosen] >= _FEWEST_UNITS[kind])

    of_units = _draw_kinds(unit_draw, severity, [kind for kind in kinds if kind in UNIT_KINDS], possible_in_units)
    of_rows = _draw_kinds(row_draw, severity, [kind for kind in kinds if kind in ROW_KINDS], possible_in_rows)
    return DrawnErrors(of_units, of_rows, np.concatenate(replaced), pa.concat_arrays(texts), row_draw, unit_draw)


def _protected_units(units: Units, draw: Draw) -> Indices:
    """Return the one unit of each row that is never omitted, in its first half, so that no text becomes empty."""
    half = (units.counts + 1) // 2
    return units.first[:-1] + np.minimum((draw.uniform("spared") * half).astype(np.int64), np.maximum(half - 1, 0))


def _draw_kinds(
    draw: Draw, severity: float, kinds: Sequence[str], possible: Callable[[str, Indices], Mask]
) -> dict[str, Indices]:
    """Return for each kind the items, units or rows, that get an error of this kind.

    Each item is chosen with the probability `severity`. Its kind is drawn among those not tried yet until one is
    possible. That is the first possible kind in a random order of all, so all possible kinds are equally likely, and
    a kind that is not possible leaves its share to the others.
    """
    items: dict[str, list[Indices]] = {kind: [np.empty(0, np.int64)] for kind in kinds}
    chosen = np.empty(0, np.int64)
    if kinds:
        bound = round(severity * 2**53) << 11  # the upper 53 of 64 random bits are compared
        bits = draw.bits("strike")
        chosen = np.flatnonzero(bits < np.uint64(bound)) if bound < 2**64 else np.arange(len(bits))
    untried = np.ones((len(chosen), len(kinds)), np.bool_)
    for turn in range(len(kinds)):
        number = draw.of(draw.uids[chosen]).integers(f"kind {turn}", len(kinds) - turn)
        drawn = np.argmax(np.cumsum(untried, axis=1) > number[:, None], axis=1) if turn else number
        done = np.zeros(len(chosen), np.bool_)
        for place, kind in enumerate(kinds):
            of_kind = np.flatnonzero(drawn == place)
            done[of_kind] = possible(kind, chosen[of_kind])
            items[kind].append(chosen[of_kind[done[of_kind]]])
        untried[np.arange(len(chosen)), drawn] = False
        chosen, untried = chosen[~done], untried[~done]
    return {kind: np.sort(np.concatenate(parts)) for kind, parts in items.items()}


def _alter_entities(units: Units, chosen: Indices, uniform: NDArray[np.float64], old: pa.Array) -> pa.Array:
    """Return the new texts of numbers and names among units, null for the others."""
    # Most units are neither, which Arrow finds for all of them at once.
    pattern = f"^[{code_point_ranges(CAPITAL)}]|[{code_point_ranges(DECIMAL)}]"
    candidates = np.flatnonzero(pc.match_substring_regex(old, pattern))
    altered = np.full(len(chosen), None, object)
    pairs = zip(chosen[candidates].tolist(), uniform[candidates].tolist(), strict=True)
    altered[candidates] = [_alter_entity(units, unit, number) for unit, number in pairs]
    return pa.array(altered, pa.large_string())


def _alter_entity(units: Units, unit: int, uniform: float) -> str | None:
    """Return a number with one digit changed or a name with one letter wrong; None for any other unit.

    A name is taken to be a capitalised word inside a sentence. Scripts without capitals do not show names: in them,
    only numbers and capitalised words of other scripts are altered.

    Example:
        >>> from xquality.transforms.translation_noise.segmentation import find_units
        >>> units = find_units(pa.array(["El tren a Madrid sale en 2020"]))
        >>> [_alter_entity(units, unit, 0.4) for unit in range(7)]
        [None, None, None, 'Mardid', None, None, '2620']
    """
    text = units.text(unit)
    digits = [found.start() for found in _DECIMAL.finditer(text)]
    if digits:
        return _change_digit(text, digits, uniform)
    graphemes = _GRAPHEME.findall(text)
    if not _CAPITAL.match(text) or len(graphemes) < 4 or _begins_sentence(units, unit):
        return None
    # Two neighbours inside the name change places; where they are equal, one is lost.
    place = 1 + int(uniform * (len(graphemes) - 3))
    left, right = graphemes[place], graphemes[place + 1]
    middle = [right, left] if left != right else [left]
    return "".join([*graphemes[:place], *middle, *graphemes[place + 2 :]])


def _change_digit(text: str, places: list[int], uniform: float) -> str:
    """Return the text with the digit at one of the places changed to another of its script."""
    chosen = uniform * len(places)
    place = places[int(chosen)]
    rank = decimal_digits().index(text[place])
    value = rank % 10
    other = (value + 1 + int((chosen % 1) * 9)) % 10
    return text[:place] + decimal_digits()[rank - value + other] + text[place + 1 :]


def _begins_sentence(units: Units, unit: int) -> bool:
    """Return whether a unit is the first of its row or follows the end of a sentence."""
    row = units.row[unit]
    if unit == units.first[row]:
        return True
    before = units.text(unit - 1)[-1:]  # in a list of tokens a full stop is a token
    gap = units.data[units.end[unit - 1] : units.start[unit]].tobytes().decode()
    return _SENTENCE_END.search(before + gap) is not None
