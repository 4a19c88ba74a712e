"""SpanNoise: wrong answer spans in extractive question answering."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, final

import numpy as np
import pyarrow as pa

from xquality._settings import Flag, Name, Rate, Stream, check_settings, choices
from xquality.data.arrow import Indices, Mask
from xquality.data.missing import filled_answers
from xquality.data.rows import Change, Count, Rows
from xquality.errors import ColumnError, LabelError
from xquality.randomness import Draw
from xquality.text.words import CharacterSpan, word_spans
from xquality.transforms.base import Transform
from xquality.transforms.rates import exact_count

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
            "unanswerable" is among the kinds); an answer without a text is none. A row whose context has no other span
            is passed over for the next.
        kinds: what may happen, each as likely: "shift" moves the span by at most its length; "widen" adds at most as
            many words as it has; "elsewhere" takes a span of the same length that does not overlap it;
            "unanswerable" empties the answer (SQuAD 2), and gives a question without one a random span.
        context: the column of texts.
        column: the column of answers, `{text: [..], answer_start: [..]}` with offsets in code points.
        exact: False draws each row alone, which also works on streams.
        stream: separates the draws of several calls with one seed.

    Raises:
        SettingError: for a rate outside [0, 1], or unknown, repeated or no kinds.
        ColumnError: for missing columns, or answers of another shape.
        LabelError: for an answer that does not stand at its offset.

    Warns:
        RateWarning: where a rate above 0 rounds to no row.

    Example:
        >>> from xquality import toy
        >>> noisy = SpanNoise(rate=0.5)(toy.questions.load("zh", "test"), seed=1)
        >>> row = next(row for row in noisy if row["answers_before"] is not None)
        >>> start, text = row["answers"]["answer_start"][0], row["answers"]["text"][0]
        >>> row["context"][start : start + len(text)] == text != row["answers_before"]["text"][0]
        True
    """

    per_row = True
    strength: ClassVar[tuple[str, ...]] = ("rate",)

    rate: Rate
    kinds: Annotated[tuple[str, ...], choices(*_KINDS)] = ("shift", "widen", "elsewhere")
    context: Name = "context"
    column: Name = "answers"
    exact: Flag = True
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Change rows in the order of their draws until there are enough."""
        contexts, answers = rows.text(self.context), self._answers(rows)
        able = np.array([bool(filled_answers(answer)) or "unanswerable" in self.kinds for answer in answers], np.bool_)
        kinds, choices_of_span = draw.integers("kind", len(self.kinds)), draw.uniform("span")
        flipped, counts, number = np.zeros(len(rows), np.bool_), dict.fromkeys(self.kinds, 0), 0
        wanted = exact_count(self, self.rate, int(able.sum())) if self.exact else len(rows)
        for row in self._order(draw, able):
            if number == wanted:
                break
            context = contexts[int(row)].as_py() or ""
            changed = self._change(context, answers[row], int(kinds[row]), float(choices_of_span[row]))
            if changed is not None:  # else the context has no other span, and the next row is tried
                kind, answers[row] = changed
                flipped[row], counts[kind], number = True, counts[kind] + 1, number + 1
        table, added = rows.replace(self.column, pa.array(answers, rows.column(self.column).type), flipped)
        return Change(table, added, changed=number, acted=number, details={"kinds": Count(counts)})

    def _order(self, draw: Draw, able: Mask) -> Indices:
        """Return the rows to try, in turn."""
        if self.exact:
            order = draw.order("flip")
            return order[able[order]]
        return np.flatnonzero(able & (draw.uniform("flip") < self.rate))

    def _answers(self, rows: Rows) -> list[Answer]:
        """Return the answers of every row, or raise where they have another shape."""
        values = rows.column(self.column)
        names = {field.name for field in values.type} if pa.types.is_struct(values.type) else set()
        if not {"text", "answer_start"} <= names or values.null_count:
            raise ColumnError(
                f"{self} needs text and answer_start in {self.column!r} on every row, but it holds {values.type}; "
                "name another."
            )
        return list(values.to_pylist())

    def _change(self, context: str, answer: Answer, kind: int, choice: float) -> tuple[str, Answer] | None:
        """Return a kind and a wrong answer: of the drawn kind, or the next that is possible here; None for none.

        Args:
            context: the text that the answer is a span of.
            answer: the present answer.
            kind: the number of the drawn kind.
            choice: in [0, 1), which of the spans of a kind.
        """
        words = word_spans(context)
        present_answers = filled_answers(answer)
        if not present_answers:
            return ("unanswerable", _answer_with(answer, context, words[int(choice * len(words))])) if words else None
        text, start = present_answers[0]
        if start is None:
            raise LabelError(f"{self} found the answer {text!r} without an offset; find it in the context first.")
        present = (start, start + len(text))
        if context[start : present[1]] != text:
            raise LabelError(
                f"{self} found the answer {text!r}, which is not at {start} of its context; correct or drop such rows."
            )
        for name in self.kinds[kind:] + self.kinds[:kind]:
            if name == "unanswerable":
                return name, {**answer, "text": [], "answer_start": []}
            spans = [(low, high) for low, high in _SPANS[name](words, present) if context[low:high] != text]
            if spans:
                return name, _answer_with(answer, context, spans[int(choice * len(spans))])
        return None


def _answer_with(answer: Answer, context: str, span: CharacterSpan) -> Answer:
    """Return an answer with one span of its context."""
    return {**answer, "text": [context[span[0] : span[1]]], "answer_start": [span[0]]}


def _words_of(span: CharacterSpan, words: list[CharacterSpan]) -> tuple[int, int]:
    """Return the numbers of the first and the last word that overlap a span; those of the first word where none do."""
    found = [number for number, (start, end) in enumerate(words) if start < span[1] and end > span[0]]
    return (found[0], found[-1]) if found else (0, 0)


def _shift(words: list[CharacterSpan], present: CharacterSpan) -> list[CharacterSpan]:
    """Return spans of as many words that start at most that many words earlier or later."""
    first, last = _words_of(present, words)
    length = last - first + 1
    starts = range(max(0, first - length), min(len(words) - length, first + length) + 1)
    return [(words[start][0], words[start + length - 1][1]) for start in starts if start != first]


def _widen(words: list[CharacterSpan], present: CharacterSpan) -> list[CharacterSpan]:
    """Return spans that hold the present one and at most as many words more."""
    first, last = _words_of(present, words)
    length = last - first + 1
    starts = range(max(0, first - length), first + 1)
    ends = range(last, min(len(words), last + length + 1))
    return [
        (min(words[start][0], present[0]), max(words[end][1], present[1]))
        for start in starts
        for end in ends
        if 0 < (end - start + 1) - length <= length
    ]


def _move_elsewhere(words: list[CharacterSpan], present: CharacterSpan) -> list[CharacterSpan]:
    """Return spans of as many words that share none with the present one."""
    first, last = _words_of(present, words)
    length = last - first + 1
    starts = [start for start in range(len(words) - length + 1) if start + length <= first or start > last]
    return [(words[start][0], words[start + length - 1][1]) for start in starts]


_SPANS: dict[str, Callable[[list[CharacterSpan], CharacterSpan], list[CharacterSpan]]] = {
    "shift": _shift,
    "widen": _widen,
    "elsewhere": _move_elsewhere,
}
