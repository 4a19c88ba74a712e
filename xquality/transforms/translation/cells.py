"""Cells: what is translated in a column, by what the column holds, and the answers or tags that follow it."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, final

import pyarrow as pa

from xquality.data.arrow import is_text
from xquality.data.missing import is_blank
from xquality.errors import LabelError
from xquality.heads.encoded import IGNORED
from xquality.text.tag_schemes import TagScheme
from xquality.text.words import CharacterSpan
from xquality.transforms.translation.words import join_pieces, join_tokens, split_tokens
from xquality.translators import MarkedText, MarkedTranslation

NO_TRACE: Final = "no trace in the translation"
FAR_APART: Final = "pieces too far apart"
OVERLAP: Final = "overlapping spans"
NO_TAGS: Final = "no tags for the span"


@final
@dataclass(frozen=True)
class NewCells:
    """What became of the cells of a column and of those that follow it.

    Attributes:
        values: by column the new values, one for each row; those of a lost row have no meaning.
        lost: why a row is lost, by its number.
        projected: how many answers or tagged spans were found again, of how many; joined from pieces; and dropped
            beside another answer of their row.
    """

    values: dict[str, list[Any]]
    lost: dict[int, str] = field(default_factory=dict)
    projected: Mapping[str, int] = field(default_factory=dict)


class Cells(ABC):
    """The cells of a column that is translated, with those that follow."""

    @abstractmethod
    def inputs(self) -> list[MarkedText]:
        """Return the texts to translate, with the marked parts that are to be found again."""

    @abstractmethod
    def outputs(self, translations: Sequence[MarkedTranslation]) -> NewCells:
        """Return the new cells, from the translations of `inputs`."""


@final
@dataclass(frozen=True)
class TextCells(Cells):
    """One text on each row, or a list of texts; nulls stay nulls.

    Attributes:
        name: the column.
        cells: its values.
    """

    name: str
    cells: pa.Array

    def inputs(self) -> list[MarkedText]:
        """Return the texts, without nulls."""
        texts = self.cells if is_text(self.cells.type) else self.cells.flatten()
        return [MarkedText(text, ()) for text in texts.to_pylist() if text is not None]

    def outputs(self, translations: Sequence[MarkedTranslation]) -> NewCells:
        """Return the translated texts in their places."""
        found = iter(translations)
        return NewCells({self.name: [_fill(cell, found) for cell in self.cells.to_pylist()]})


def _fill(cell: str | list[str | None] | None, found: Iterator[MarkedTranslation]) -> Any:
    """Return a cell with the next translations in place of its texts."""
    if isinstance(cell, list):
        return [_fill(text, found) for text in cell]
    return None if cell is None else next(found).text


@final
class AnswerCells(Cells):
    """A context on each row, and the answers that point into it.

    Every answer is marked that does not overlap an earlier one of its row. A row is lost where none of its answers is
    found again; an answer that is not, beside one that is, is dropped.
    """

    def __init__(
        self, owner: str, names: tuple[str, str], contexts: pa.Array, answers: pa.Array, uids: pa.Array
    ) -> None:
        self._names = names
        self._contexts = contexts.to_pylist()
        self._answers = answers.to_pylist()
        self._spans = [
            _answer_spans(owner, context or "", answer, uids[row])
            for row, (context, answer) in enumerate(zip(self._contexts, self._answers, strict=True))
        ]

    def inputs(self) -> list[MarkedText]:
        """Return the contexts, without nulls."""
        return [
            MarkedText(context, tuple(_disjoint(spans.values())))
            for context, spans in zip(self._contexts, self._spans, strict=True)
            if context is not None
        ]

    def outputs(self, translations: Sequence[MarkedTranslation]) -> NewCells:
        """Return the translated contexts, and the answers at their new offsets."""
        found = iter(translations)
        contexts, answers, lost, counts = [], [], dict[int, str](), Counter[str]()
        for row, (context, answer, spans) in enumerate(zip(self._contexts, self._answers, self._spans, strict=True)):
            new = None if context is None else next(found)
            contexts.append(None if new is None else new.text)
            if new is None or not spans:
                answers.append(answer)
                continue
            places = _find_spans(context, tuple(_disjoint(spans.values())), new)
            moved = {number: places.get(span) for number, span in spans.items()}
            whole = {number: place for number, place in moved.items() if isinstance(place, tuple)}
            if not whole:
                lost[row] = next((place for place in moved.values() if isinstance(place, str)), NO_TRACE)
            answers.append(_move_answers(answer, moved, new.text))
            counts["answers"] += len(spans)
            counts["projected"] += len(whole)
            counts["joined"] += _count_joined(spans.values(), places, new)
        return NewCells({self._names[0]: contexts, self._names[1]: answers}, lost, dict(counts))


def _answer_spans(owner: str, context: str, answer: Mapping[str, Any] | None, uid: Any) -> dict[int, CharacterSpan]:
    """Return the characters of each answer that has a text, by its number in the row."""
    texts, starts = ((answer or {}).get(name) or [] for name in ("text", "answer_start"))
    if len(texts) != len(starts):
        raise LabelError(
            f"{owner} moves each answer by its offset, but there are {len(texts)} texts and {len(starts)} offsets in "
            f"the row with the uid {uid.as_py()!r}; correct or drop such rows."
        )
    spans = {}
    for number, (text, start) in enumerate(zip(texts, starts, strict=True)):
        if is_blank(text):
            continue
        if start is None or start < 0 or not context.startswith(text, start):
            raise LabelError(
                f"{owner} needs each answer at its offset, but the answer {text!r:.80} is not at {start} of its "
                f"context in the row with the uid {uid.as_py()!r}; correct or drop such rows."
            )
        spans[number] = (start, start + len(text))
    return spans


def _disjoint(spans: Sequence[CharacterSpan] | Any) -> list[CharacterSpan]:
    """Return the spans that overlap no earlier one."""
    kept: list[CharacterSpan] = []
    for start, end in spans:
        if all(end <= first or last <= start for first, last in kept):
            kept.append((start, end))
    return kept


def _find_spans(
    text: str, spans: Sequence[CharacterSpan], translation: MarkedTranslation
) -> dict[CharacterSpan, CharacterSpan | str]:
    """Return where each marked span is in a translation, or why it is not."""
    found: dict[CharacterSpan, CharacterSpan | str] = {}
    for span, pieces in zip(spans, translation.pieces, strict=True):
        joined = join_pieces(translation.text, pieces, text[slice(*span)])
        found[span] = joined or (FAR_APART if pieces else NO_TRACE)
    return found


def _count_joined(
    spans: Any, places: Mapping[CharacterSpan, CharacterSpan | str], translation: MarkedTranslation
) -> int:
    """Return how many spans were joined from several pieces."""
    several = {span for span, pieces in zip(places, translation.pieces, strict=True) if len(pieces) > 1}
    return sum(span in several and isinstance(places[span], tuple) for span in spans)


def _move_answers(answer: Any, moved: Mapping[int, CharacterSpan | str | None], text: str) -> dict[str, Any]:
    """Return a row's answers in a translation, without those that are not in it."""
    count = len(answer["text"])
    kept = [number for number in range(count) if number not in moved or isinstance(moved[number], tuple)]
    new = {
        name: [values[number] for number in kept] if isinstance(values, list) and len(values) == count else values
        for name, values in answer.items()
    }
    for place, number in enumerate(kept):
        span = moved.get(number)
        if isinstance(span, tuple):
            new["text"][place], new["answer_start"][place] = text[slice(*span)], span[0]
    return new


@final
class TagCells(Cells):
    """A list of tokens on each row, and the lists of tags that follow it.

    Where one column of tags marks spans, these are marked; else each token is. A row is lost where one of its spans is
    not found again.
    """

    def __init__(self, name: str, tokens: pa.Array, tags: Mapping[str, tuple[tuple[str, ...], pa.Array]]) -> None:
        """Take the tokens, and by column the names of the classes and the tags."""
        self._name = name
        self._tokens = [None if cells is None else [token or "" for token in cells] for cells in tokens.to_pylist()]
        self._texts = [None if cells is None else join_tokens(cells) for cells in self._tokens]
        self._schemes = {column: TagScheme.of(classes) for column, (classes, _) in tags.items()}
        self._has_classes = {column: bool(classes) for column, (classes, _) in tags.items()}
        self._tags = {column: values.to_pylist() for column, (_, values) in tags.items()}
        self._parts = [self._find_parts(row) for row in range(len(self._tokens))]

    @property
    def marks_tokens(self) -> bool:
        """Whether each token is marked, and not spans."""
        return len(self._schemes) != 1 or any(scheme.plain for scheme in self._schemes.values())

    def _find_parts(self, row: int) -> list[tuple[int, int]]:
        """Return the first token and the token after the last of each part that is marked."""
        tokens = self._tokens[row]
        if not tokens or all(tags[row] is None for tags in self._tags.values()):
            return []
        if self.marks_tokens:
            return [(number, number + 1) for number, token in enumerate(tokens) if token.strip()]
        ((name, scheme),) = self._schemes.items()
        return [(start, end) for start, end, _ in _read_spans(scheme, self._tags[name][row])]

    def _marked_spans(self, row: int) -> list[CharacterSpan]:
        """Return the characters of each part that is marked."""
        text = self._texts[row]
        assert text is not None
        return [(text[1][start][0], text[1][end - 1][1]) for start, end in self._parts[row]]

    def inputs(self) -> list[MarkedText]:
        """Return the tokens of each row as a text."""
        return [
            MarkedText(text[0], tuple(self._marked_spans(row)))
            for row, text in enumerate(self._texts)
            if text is not None
        ]

    def outputs(self, translations: Sequence[MarkedTranslation]) -> NewCells:
        """Return the tokens of the translations, and their tags."""
        found = iter(translations)
        values: dict[str, list[Any]] = {name: [] for name in (self._name, *self._schemes)}
        lost, counts = dict[int, str](), Counter[str]()
        for row, text in enumerate(self._texts):
            new = None if text is None else next(found)
            if new is None:
                values[self._name].append(None)
                for name in self._schemes:
                    values[name].append(self._tags[name][row])
                continue
            tokens = split_tokens(new.text)
            values[self._name].append([new.text[slice(*token)] for token in tokens])
            for name in self._schemes:
                tags = self._project(name, row, new, tokens, counts)
                values[name].append(None if isinstance(tags, str) else tags)
                if isinstance(tags, str):
                    lost.setdefault(row, tags)
        return NewCells(values, lost, dict(counts))

    def _project(
        self, name: str, row: int, new: MarkedTranslation, tokens: Sequence[CharacterSpan], counts: Counter[str]
    ) -> list[Any] | str | None:
        """Return the tags of the new tokens of a row in one column, or why they cannot be given."""
        tags, scheme = self._tags[name][row], self._schemes[name]
        if tags is None:
            return None
        if scheme.plain:
            owner = _owners(new, tokens)
            ignored = IGNORED if self._has_classes[name] else None
            new_tags = [ignored if part is None else tags[self._parts[row][part][0]] for part in owner]
            counts["tags"] += len(new_tags)
            counts["projected"] += sum(part is not None for part in owner)
            return NO_TRACE if tokens and all(part is None for part in owner) else new_tags
        text, places = self._texts[row], list[tuple[CharacterSpan, str | None]]()
        assert text is not None
        for start, end, kind in _read_spans(scheme, tags):
            inside = [part for part, (first, last) in enumerate(self._parts[row]) if start <= first and last <= end]
            pieces = [piece for part in inside for piece in new.pieces[part]]
            joined = join_pieces(new.text, pieces, text[0][text[1][start][0] : text[1][end - 1][1]])
            counts["spans"] += 1
            if joined is None:
                return FAR_APART if pieces else NO_TRACE
            counts["joined"] += len(pieces) > 1
            places.append((joined, kind))
        written = _write_tags(scheme, tokens, places)
        counts["projected"] += len(places) if isinstance(written, list) else 0
        return written


def _read_spans(scheme: TagScheme, tags: Sequence[int]) -> list[tuple[int, int, str | None]]:
    """Return the spans of a sentence, whose type is None where the tokens are ignored.

    Tags need not be valid: one that may not follow the one before it begins a span.
    """
    spans: list[tuple[int, int, str | None]] = []
    before: int | None = None
    for token, tag in enumerate(tags):
        mark, kind = ("", None) if tag == IGNORED else scheme.parts[tag]
        goes_on = tag == before == IGNORED or (
            IGNORED not in (tag, before) and before is not None and bool(scheme.joins[before, tag])
        )
        if goes_on:
            spans[-1] = (spans[-1][0], token + 1, spans[-1][2])
        elif mark != "O":
            spans.append((token, token + 1, kind))
        before = tag
    return spans


def _write_tags(
    scheme: TagScheme, tokens: Sequence[CharacterSpan], places: Sequence[tuple[CharacterSpan, str | None]]
) -> list[int] | str:
    """Return the tags of tokens with spans at some places in their text, or why there are none."""
    tags: list[int | None] = [scheme.numbers.get(("O", ""))] * len(tokens)
    taken: set[int] = set()
    for (start, end), kind in places:
        inside = [number for number, (first, last) in enumerate(tokens) if first < end and start < last]
        if not inside:
            return NO_TRACE
        if taken.intersection(inside):
            return OVERLAP
        written = [IGNORED] * len(inside) if kind is None else scheme.span_tags(len(inside), kind)
        if written is None:
            return NO_TAGS
        taken.update(inside)
        tags[inside[0] : inside[-1] + 1] = written
    return NO_TAGS if None in tags else [tag for tag in tags if tag is not None]


def _owners(translation: MarkedTranslation, tokens: Sequence[CharacterSpan]) -> list[int | None]:
    """Return for each token of a translation the marked part that most of its characters came of; None for none."""
    shares: list[Counter[int]] = [Counter() for _ in tokens]
    for part, pieces in enumerate(translation.pieces):
        for start, end in pieces:
            for number, (first, last) in enumerate(tokens):
                if first < end and start < last:
                    shares[number][part] += min(end, last) - max(start, first)
    return [min(share, key=lambda part: (-share[part], part)) if share else None for share in shares]
