"""TagNoise: wrong tags in sequence labelling, valid in the scheme that came in."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, final

import numpy as np
import pyarrow as pa
from datasets import ClassLabel

from xquality._settings import Flag, Name, Rate, Stream, check_settings, choices
from xquality.data.rows import Change, Count, Rows
from xquality.errors import ColumnError, LabelError
from xquality.randomness import Draw, mix
from xquality.text.tag_schemes import EditableSpan, TagScheme, editable_spans
from xquality.transforms.base import Transform
from xquality.transforms.rates import select_at_rate

_KINDS = ("type", "boundary", "missed", "spurious")


@final
@dataclass(frozen=True)
class TagNoise(Transform):
    """Change a share of the spans of a tagging (BIO, IO, IOBES, BILOU), or of the tokens of parts of speech.

    Each span has its own draw, keyed by its row and place, and its own room: itself and half of the outside tokens
    on either side. Edits stay inside it, so they never meet, and the spans changed at a low rate are changed at
    a higher rate in the same way. The result is valid in the scheme of the tags. An
    edit that needs a tag which the column lacks (I-X, or O) is not possible.

    Attributes:
        rate: the share of the spans to change, `round(rate * spans)` of them.
        kinds: what may happen, each as likely: "type" gives another type; "boundary" takes a token more or less at one
            end; "missed" leaves the span out; "spurious" adds a second span of the type in the outside tokens next to
            it. A kind that is not possible gives way to the next. Plain tags know "type" only.
        column: the column of tags, lists of ClassLabel.
        exact: False draws each span alone, which also works on streams.
        stream: separates the draws of several calls with one seed.

    Raises:
        SettingError: for a rate outside [0, 1], or unknown, repeated or no kinds.
        ColumnError: for a missing column, or one that holds no lists of class labels.
        LabelError: for a tag out of range, tags that are not valid or of no known scheme, or a tagging that the kinds
            cannot change.

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
    kinds: Annotated[tuple[str, ...], choices(*_KINDS)] = _KINDS
    column: Name = "ner_tags"
    exact: Flag = True
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Change the spans with the smallest draws, each inside its room."""
        names = self._names(rows)
        tags = [self._check_range(row_tags, names) for row_tags in rows.column(self.column).to_pylist()]
        spans = [(row, span) for row, row_tags in enumerate(tags) for span in editable_spans(row_tags, names)]
        span_draw = _draw_spans(spans, draw)
        kinds, choices_of_edit = span_draw.integers("kind", len(self.kinds)), span_draw.uniform("how")
        types = TagScheme.of(names).types
        flipped, counts = np.zeros(len(rows), np.bool_), dict.fromkeys(self.kinds, 0)
        changed = [list(row_tags) for row_tags in tags]
        for number in select_at_rate(self, self.rate, span_draw, exact=self.exact, units="spans"):
            row, span = spans[int(number)]
            edited = self._edit(span, int(kinds[number]), float(choices_of_edit[number]), types)
            if edited is not None:
                kind, changed[row][span.room_start : span.room_end] = edited
                flipped[row], counts[kind] = True, counts[kind] + 1
        table, added = rows.replace(self.column, pa.array(changed, rows.column(self.column).type), flipped)
        done = sum(counts.values())
        details = {"spans": Count(len(spans)), "spans_changed": Count(done), "kinds": Count(counts)}
        return Change(table, added, changed=int(flipped.sum()), acted=done, of=len(spans), details=details)

    def _edit(self, span: EditableSpan, kind: int, choice: float, types: list[str]) -> tuple[str, list[int]] | None:
        """Return the kind of an edit and the tags of the span's room after it: the drawn kind, or the next possible.

        Args:
            span: the span.
            kind: the number of the drawn kind.
            choice: in [0, 1), which of the edits of a kind.
            types: the types of spans.
        """
        for name in self.kinds[kind:] + self.kinds[:kind]:
            spans = span.edit(name, choice, types)
            tags = None if spans is None else span.tags_of(spans)
            if tags is not None:
                return name, tags
        return None

    def _names(self, rows: Rows) -> list[str]:
        """Return the names of the tags."""
        rows.column(self.column)
        inner = getattr(rows.features[self.column], "feature", None)
        if not isinstance(inner, ClassLabel):
            raise ColumnError(
                f"{self} needs lists of ClassLabel, but {self.column!r} is {rows.features[self.column]}; name "
                "another column."
            )
        if TagScheme.of(inner.names).plain and "type" not in self.kinds:
            raise LabelError(f"{self} cannot change tags without spans, which have types only; add 'type' to kinds.")
        return list(inner.names)

    def _check_range(self, tags: list[Any] | None, names: list[str]) -> list[int]:
        """Return a row's tags, or raise where one is null or out of range."""
        if tags is None or any(tag is None or not 0 <= tag < len(names) for tag in tags):
            raise LabelError(
                f"{self} needs tags from 0 to {len(names) - 1} on every token of {self.column!r}; filter the rows."
            )
        return tags


def _draw_spans(spans: list[tuple[int, EditableSpan]], draw: Draw) -> Draw:
    """Return the draws of spans, keyed by the row's uid and the span's first token."""
    rows = np.fromiter((row for row, _ in spans), np.int64, len(spans))
    starts = np.fromiter((span.start for _, span in spans), np.uint64, len(spans))
    return draw.of(mix(draw.uids[rows] + np.uint64(1)) + starts)
