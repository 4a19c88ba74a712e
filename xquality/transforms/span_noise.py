"""SpanNoise: wrong answer spans in extractive question answering."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from xquality import _settings
from xquality._settings import Flag, Name, Rate, Stream, check_settings
from xquality.data.rows import Change, Count, Rows
from xquality.errors import ColumnError, LabelError
from xquality.randomness import Draw
from xquality.text.words import CharacterSpan, word_spans
from xquality.transforms.base import Transform
from xquality.transforms.flipping import warn_of_nothing

Answer = dict[str, Any]

_KINDS = ("shift", "widen", "elsewhere", "unanswerable")


@final
@dataclass(frozen=True)
class SpanNoise(Transform):
    """Replace the answer of a share of the rows by a wrong span of the same context (SQuAD's columns).

    Words are the units, or written characters in Chinese, Japanese and Thai; the text of an answer is always the text
    at its offset. A changed row keeps one answer; the first ones stay in `<column>_before`.

    Attributes:
        rate: the share of the rows to change, `round(rate * rows)` of those with an answer (of all rows where
            "unanswerable" is among the kinds). A row whose context has no other span is passed over for the next.
        kinds: what may happen, each as likely: "shift" moves the span by at most its length; "widen" adds at most as
            many words as it has; "elsewhere" takes a span of the same length that does not overlap it;
            "unanswerable" empties the answer (SQuAD 2), and gives a question without one a random span.
        context: the column of texts.
        column: the column of answers, `{text: [..], answer_start: [..]}` with offsets in code points.
        exact: False draws each row alone, which also works on streams.
        stream: tells apart several calls with one seed.

    Raises:
        SettingError: for a rate outside [0, 1], or kinds that are none.
        ColumnError: for missing columns, or answers of another shape.
        LabelError: for an answer that does not stand at its offset.

    Warns:
        RateWarning: where a rate above 0 rounds to no row.

    Example:
        >>> from xquality import toy
        >>> noisy = SpanNoise(rate=0.5)(toy.questions.load("zh", "test"), seed=1)
        >>> row = next(one for one in noisy if one["answers_before"] is not None)
        >>> start, text = row["answers"]["answer_start"][0], row["answers"]["text"][0]
        >>> row["context"][start : start + len(text)] == text != row["answers_before"]["text"][0]
        True
    """

    per_row = True
    strength: ClassVar[tuple[str, ...]] = ("rate",)

    rate: Rate
    kinds: tuple[str, ...] = ("shift", "widen", "elsewhere")
    context: str = "context"
    column: Name = "answers"
    exact: Flag = True
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)
        object.__setattr__(self, "kinds", _settings.different("SpanNoise", "kinds", self.kinds, _KINDS))
        object.__setattr__(self, "context", _settings.text("SpanNoise", "context", self.context))

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Walk over the rows in the order of their draws and change them until there are enough."""
        contexts, answers = rows.text(self.context), self._answers(rows)
        able = np.array([bool(one["text"]) or "unanswerable" in self.kinds for one in answers], np.bool_)
        kind, luck = draw.integers("kind", len(self.kinds)), draw.uniform("span")
        flipped, counts = np.zeros(len(rows), np.bool_), dict.fromkeys(self.kinds, 0)
        wanted = round(self.rate * int(able.sum()))
        if self.exact and not wanted:
            warn_of_nothing(self, self.rate, int(able.sum()))
        for row in self._order(draw, able):
            if self.exact and flipped.sum() >= wanted:
                break
            found = self._changed(contexts[int(row)].as_py() or "", answers[row], int(kind[row]), float(luck[row]))
            if found is not None:
                answers[row], name = found
                flipped[row] = True
                counts[name] += 1
        values = pa.array(answers, rows.column(self.column).type)
        table, added = rows.replace(self.column, values, flipped)
        number = int(flipped.sum())
        return Change(table, added, changed=number, acted=number, details={"kinds": Count(counts)})

    def _order(self, draw: Draw, able: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Return the rows to try, in turn."""
        if self.exact:
            order = draw.order("flip")
            return order[able[order]]
        return np.flatnonzero(able & (draw.uniform("flip") < self.rate))

    def _answers(self, rows: Rows) -> list[Answer]:
        """Return the answers of every row, checked for their shape."""
        values = rows.column(self.column)
        names = {one.name for one in values.type} if pa.types.is_struct(values.type) else set()
        if not {"text", "answer_start"} <= names or values.null_count:
            raise ColumnError(
                f"{self!r} needs text and answer_start in {self.column!r} on every row, but it holds {values.type}."
            )
        return list(values.to_pylist())

    def _changed(self, context: str, answer: Answer, kind: int, luck: float) -> tuple[Answer, str] | None:
        """Return a wrong answer and its kind: the drawn one, or the next that is possible here; None for none."""
        words = word_spans(context)
        if not answer["text"]:
            return (_answer(answer, context, words[int(luck * len(words))]), "unanswerable") if words else None
        start = int(answer["answer_start"][0])
        right = (start, start + len(answer["text"][0]))
        if context[right[0] : right[1]] != answer["text"][0]:
            raise LabelError(
                f"{self!r} found the answer {answer['text'][0]!r}, which does not stand at {start} of its context."
            )
        for turn in range(len(self.kinds)):
            name = self.kinds[(kind + turn) % len(self.kinds)]
            if name == "unanswerable":
                return {**answer, "text": [], "answer_start": []}, name
            spans = _SPANS[name](words, right)
            spans = [one for one in spans if context[one[0] : one[1]] != answer["text"][0]]
            if spans:
                return _answer(answer, context, spans[int(luck * len(spans))]), name
        return None


def _answer(answer: Answer, context: str, span: CharacterSpan) -> Answer:
    """Return an answer with one span."""
    return {**answer, "text": [context[span[0] : span[1]]], "answer_start": [span[0]]}


def _covered(words: list[CharacterSpan], right: CharacterSpan) -> tuple[int, int]:
    """Return the first and the last word that a span touches."""
    touched = [place for place, (start, end) in enumerate(words) if start < right[1] and end > right[0]]
    return (touched[0], touched[-1]) if touched else (0, 0)


def _shifted(words: list[CharacterSpan], right: CharacterSpan) -> list[CharacterSpan]:
    """Return spans of as many words that start at most that many words earlier or later."""
    first, last = _covered(words, right)
    length = last - first + 1
    starts = range(max(0, first - length), min(len(words) - length, first + length) + 1)
    return [(words[one][0], words[one + length - 1][1]) for one in starts if one != first]


def _widened(words: list[CharacterSpan], right: CharacterSpan) -> list[CharacterSpan]:
    """Return spans that hold the right one and at most as many words more."""
    first, last = _covered(words, right)
    length = last - first + 1
    earlier = range(max(0, first - length), first + 1)
    later = range(last, min(len(words), last + length + 1))
    return [
        (min(words[one][0], right[0]), max(words[other][1], right[1]))
        for one in earlier
        for other in later
        if 0 < (other - one + 1) - length <= length
    ]


def _elsewhere(words: list[CharacterSpan], right: CharacterSpan) -> list[CharacterSpan]:
    """Return spans of as many words that share none with the right one."""
    first, last = _covered(words, right)
    length = last - first + 1
    starts = [one for one in range(len(words) - length + 1) if one + length <= first or one > last]
    return [(words[one][0], words[one + length - 1][1]) for one in starts]


_SPANS: dict[str, Callable[[list[CharacterSpan], CharacterSpan], list[CharacterSpan]]] = {
    "shift": _shifted,
    "widen": _widened,
    "elsewhere": _elsewhere,
}
