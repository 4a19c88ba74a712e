"""TagNoise: wrong tags in sequence labelling, with valid BIO kept."""

from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import pyarrow as pa
from datasets import ClassLabel
from numpy.typing import NDArray

from xquality import _settings
from xquality._settings import Flag, Name, Rate, Stream, check_settings
from xquality.data.rows import Change, Count, Rows
from xquality.errors import ColumnError, LabelError
from xquality.randomness import Draw, mix, smallest
from xquality.text.tag_schemes import EditableSpan, editable_spans
from xquality.transforms.base import Transform
from xquality.transforms.flipping import warn_of_nothing

_KINDS = ("type", "boundary", "missed", "spurious")


@final
@dataclass(frozen=True)
class TagNoise(Transform):
    """Change a share of the spans of a BIO tagging, or of the tokens of a tagging without BIO (parts of speech).

    Each span has its own draw, keyed by its row and place, and its own room: itself and half of the outside tokens
    on either side. Edits stay inside it, so they never meet, and the spans changed at a low rate are changed at
    a higher rate in the same way. The result is valid BIO always.

    Attributes:
        rate: the share of the spans to change, `round(rate * spans)` of them.
        kinds: what may happen, each as likely: "type" gives another type; "boundary" takes a token more or less at one
            end; "missed" leaves the span out; "spurious" adds a second span of the type in the outside tokens next to
            it. A kind that is not possible gives way to the next. Tags without BIO know "type" only.
        column: the column of tags, lists of ClassLabel.
        exact: False draws each span alone, which also works on streams.
        stream: tells apart several calls with one seed.

    Raises:
        SettingError: for a rate outside [0, 1], or kinds that are none.
        ColumnError: for a missing column, or one that holds no lists of class labels.
        LabelError: for a tag out of range, an I without its B, or a tagging that the kinds cannot change.

    Warns:
        RateWarning: where a rate above 0 rounds to no span.

    Example:
        >>> from xquality import toy
        >>> noisy = TagNoise(rate=0.3)(toy.entities.load("ar", "test"), seed=1)
        >>> any(tags is not None for tags in noisy["ner_tags_before"])
        True
    """

    per_row = True
    strength: ClassVar[tuple[str, ...]] = ("rate",)

    rate: Rate
    kinds: tuple[str, ...] = _KINDS
    column: Name = "ner_tags"
    exact: Flag = True
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)
        object.__setattr__(self, "kinds", _settings.different("TagNoise", "kinds", self.kinds, _KINDS))

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Change the spans with the smallest draws, each inside its room."""
        names = self._names(rows)
        tags = [self._in_range(given, names) for given in rows.column(self.column).to_pylist()]
        found = [editable_spans(given, names) for given in tags]
        units = [(row, one) for row, several in enumerate(found) for one in several]
        drawn = _draw_of(units, draw)
        chosen = self._chosen(drawn, len(units))
        kind, luck = drawn.integers("kind", len(self.kinds)), drawn.uniform("how")
        types = sorted({name.split("-", 1)[-1] for name in names} - {"O"}) if "O" in names else names
        flipped, counts, done = np.zeros(len(rows), np.bool_), dict.fromkeys(self.kinds, 0), 0
        changed = [list(one) for one in tags]
        for place in chosen:
            row, unit = units[int(place)]
            for turn in range(len(self.kinds)):
                name = self.kinds[(int(kind[place]) + turn) % len(self.kinds)]
                spans = unit.edit(name, float(luck[place]), types)
                if spans is not None:
                    changed[row][unit.room_start : unit.room_end] = unit.tags_of(spans)
                    flipped[row], counts[name], done = True, counts[name] + 1, done + 1
                    break
        table, added = rows.replace(self.column, pa.array(changed, rows.column(self.column).type), flipped)
        details = {"spans": Count(len(units)), "spans_changed": Count(done), "kinds": Count(counts)}
        return Change(table, added, changed=int(flipped.sum()), acted=done, of=len(units), details=details)

    def _chosen(self, drawn: Draw, units: int) -> NDArray[np.int64]:
        """Return which spans to change."""
        if not self.exact:
            return np.flatnonzero(drawn.uniform("flip") < self.rate)
        count = round(self.rate * units)
        if not count:
            warn_of_nothing(self, self.rate, units, "spans")
        return smallest(drawn.bits("flip"), drawn.uids, count)

    def _names(self, rows: Rows) -> list[str]:
        """Return the names of the tags."""
        rows.column(self.column)
        inner = getattr(rows.features[self.column], "feature", None)
        if not isinstance(inner, ClassLabel):
            raise ColumnError(
                f"{self!r} needs lists of ClassLabel, but {self.column!r} is {rows.features[self.column]}."
            )
        if not any(one.startswith("B-") for one in inner.names) and "type" not in self.kinds:
            raise LabelError(f"{self!r} cannot change tags without BIO, which have types only; add 'type' to kinds.")
        return list(inner.names)

    def _in_range(self, tags: list[Any] | None, names: list[str]) -> list[int]:
        """Return a row's tags, checked for their range."""
        if tags is None or any(one is None or not 0 <= one < len(names) for one in tags):
            raise LabelError(
                f"{self!r} needs tags from 0 to {len(names) - 1} on every token of {self.column!r}; filter the rows."
            )
        return tags


def _draw_of(units: list[tuple[int, EditableSpan]], draw: Draw) -> Draw:
    """Return draws for spans, keyed by the row's uid and the span's first token."""
    rows = np.fromiter((row for row, _ in units), np.int64, len(units))
    starts = np.fromiter((one.start for _, one in units), np.uint64, len(units))
    return draw.of(mix(draw.uids[rows] + np.uint64(1)) + starts)
