"""Tag schemes: which tag may follow which, the spans that tags mark, and how a span may be edited.

The names of all tags decide the scheme, with types (`B-PER`) or without (`B`); O is outside of all spans:

- BIO: B begins a span, I continues it.
- IO: adjacent tokens with one I tag are a span.
- IOBES, also BILOU: B begins a span, I continues and E (L) ends it, S (U) is a span of one token.
- plain, as in parts of speech: any tag may follow any other and every token is a span of its own.

This is the strict reading, of valid tags; the lenient one of the official scorers, which accepts any sequence of tags,
is `xquality.metrics.tagging`.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, final

import numpy as np
import regex

from xquality.data.arrow import Floats, Indices, Mask
from xquality.errors import LabelError

TagSpan = tuple[int, int, str]  # first token, token after the last, type

# For each scheme the marks of a token that is a whole span, begins, continues and ends one.
_MARKS: Final = {"BIO": "BBII", "IO": "IIII", "IOBES": "SBIE", "BILOU": "UBIL"}
_SINGLE, _BEGIN, _INSIDE, _END = range(4)
_TYPED = regex.compile(r"([BIESLU])-(.+)", regex.DOTALL)
_BARE = regex.compile(r"([BIESLU])()")


@final
@dataclass(frozen=True)
class TagScheme:
    """The names of the tags and which of them may follow which.

    In BIO an I- tag needs a B- or I- tag of its type before it in the same sentence; in IOBES and BILOU the token after
    a B- or I- tag must go on with its span. Not every type needs every tag: without I-X, for example, a span of the
    type X has one token.

    Attributes:
        names: the names of the tags.
        scheme: "BIO", "IO", "IOBES", "BILOU" or "plain".
        follows: whether tag j may follow tag i, shape (tags + 1, tags); the last row is the start of a sentence.
        ends: whether a tag may end a sentence, shape (tags,).
        joins: whether tag j after tag i continues its span, shape (tags + 1, tags).
        numbers: the number of the tag with a mark and a type; of O the mark is "O".
        parts: the mark and the type of each tag; in a plain scheme the mark is empty.

    Example:
        >>> TagScheme.of(["O", "B-X", "I-X"]).follows.astype(int).tolist()
        [[1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 0]]
        >>> [TagScheme.of(names).scheme for names in (["B", "I", "O"], ["O", "I-X"], ["NOUN", "VERB"])]
        ['BIO', 'IO', 'plain']
    """

    names: tuple[str, ...]
    scheme: str
    follows: Mask = field(repr=False, compare=False)
    ends: Mask = field(repr=False, compare=False)
    joins: Mask = field(repr=False, compare=False)
    numbers: Mapping[tuple[str, str], int] = field(repr=False, compare=False)
    parts: tuple[tuple[str, str], ...] = field(repr=False, compare=False)

    @staticmethod
    def of(names: Sequence[str]) -> "TagScheme":
        """Return the scheme of tags with the given names.

        Raises:
            LabelError: for names of a scheme of spans that is none of these.
        """
        return _scheme(tuple(names))

    @property
    def plain(self) -> bool:
        """Whether every token is a span of its own."""
        return self.scheme == "plain"

    @property
    def types(self) -> list[str]:
        """The types of spans, sorted; in a plain scheme all tags, but sorted and without O where there is an O."""
        if not self.plain:
            return sorted({kind for mark, kind in self.parts if mark != "O"})
        return sorted({*self.names} - {"O"}) if "O" in self.names else list(self.names)

    @functools.cached_property
    def missing_tags(self) -> list[str]:
        """The tags that some type lacks, so that not every span of the type can be written."""
        if self.plain:
            return []
        wanted = [(mark, kind) for kind in self.types for mark in dict.fromkeys(_MARKS[self.scheme])]
        return [f"{mark}-{kind}".removesuffix("-") for mark, kind in wanted if (mark, kind) not in self.numbers]

    def span_tags(self, length: int, kind: str) -> list[int] | None:
        """Return the tags of a span; None where the scheme has no such tags.

        Example:
            >>> scheme = TagScheme.of(["O", "B-X", "I-X", "B-Y"])
            >>> scheme.span_tags(3, "X"), scheme.span_tags(1, "Y"), scheme.span_tags(2, "Y")
            ([1, 2, 2], [3], None)
        """
        if self.plain:
            return [self.names.index(kind)] * length
        marks = _MARKS[self.scheme]
        middle = marks[_BEGIN] + marks[_INSIDE] * (length - 2) + marks[_END]
        found = [self.numbers.get((mark, kind)) for mark in (marks[_SINGLE] if length == 1 else middle)]
        return None if None in found else [number for number in found if number is not None]

    def first_invalid(self, tags: Indices, starts: Mask) -> int | None:
        """Return the first token whose tag may not follow the one before it or end its sentence; None if all may.

        Args:
            tags: of all sentences, shape (tokens,).
            starts: which tokens begin a sentence, shape (tokens,).
        """
        last = np.append(starts[1:], True)[: len(tags)]
        invalid = np.flatnonzero(~self.follows[self._before(tags, starts), tags] | (last & ~self.ends[tags]))
        return int(invalid[0]) if len(invalid) else None

    def number_spans(self, tags: Indices, starts: Mask) -> Indices:
        """Return the number of the span that each token belongs to, ascending from 1, shape (tokens,).

        A token outside of all spans has a number of its own; an I- tag that may not follow the one before it begins a
        span.

        Args:
            tags: of all sentences, shape (tokens,).
            starts: which tokens begin a sentence, shape (tokens,).

        Example:
            >>> scheme = TagScheme.of(["O", "B-X", "I-X"])
            >>> scheme.number_spans(np.array([1, 2, 0, 2]), np.array([True, False, False, False])).tolist()
            [1, 1, 2, 3]
        """
        return np.cumsum(~self.joins[self._before(tags, starts), tags])

    def mark_spans(self, tags: Indices, spans: Indices, opens: Mask) -> Indices:
        """Return valid tags for tokens of given types and spans, shape (tokens,).

        Args:
            tags: a tag of the token's type, or O, shape (tokens,).
            spans: the number of the span that each token belongs to, shape (tokens,).
            opens: which tokens begin a span whatever comes before them, shape (tokens,).
        """
        first = opens.copy()
        first[1:] |= spans[1:] != spans[:-1]
        last = np.append(first[1:], True)[: len(first)]
        table = np.array(
            [
                [number if mark == "O" else self.numbers.get((wanted, kind), number) for wanted in _MARKS[self.scheme]]
                for number, (mark, kind) in enumerate(self.parts)
            ]
        )
        place = np.where(first, np.where(last, _SINGLE, _BEGIN), np.where(last, _END, _INSIDE))
        return np.asarray(table[tags, place], np.int64)

    def spans(self, tags: Sequence[int]) -> list[TagSpan]:
        """Return the spans of one sentence, from left to right.

        Raises:
            LabelError: for a tag that is not valid.

        Example:
            >>> TagScheme.of(["O", "B-X", "I-X"]).spans([1, 2, 0, 1])
            [(0, 2, 'X'), (3, 4, 'X')]
        """
        if self.plain:
            return [(token, token + 1, self.names[tag]) for token, tag in enumerate(tags)]
        spans: list[TagSpan] = []
        before = -1  # the start of the sentence
        for token, tag in enumerate(tags):
            mark, kind = self.parts[tag]
            if not self.follows[before, tag]:
                raise LabelError(self._why_invalid(before, tag, token))
            if self.joins[before, tag]:
                spans[-1] = (spans[-1][0], token + 1, kind)
            elif mark != "O":
                spans.append((token, token + 1, kind))
            before = tag
        if len(tags) and not self.ends[tags[-1]]:
            raise LabelError(f"The sentence ends with the tag {self.names[tags[-1]]!r}, inside a span; correct it.")
        return spans

    def _why_invalid(self, before: int, tag: int, token: int) -> str:
        """Return the message for a tag that may not stand where it does."""
        mark, kind = self.parts[tag]
        name, begin = self.names[tag], f"B-{kind}" if kind else "B"
        if mark in _MARKS[self.scheme][_INSIDE:]:
            return (
                f"The tag {name!r} at token {token} follows no {begin} or {begin.replace('B', 'I', 1)}; make it "
                f"{begin if self.scheme == 'BIO' else begin.replace('B', _MARKS[self.scheme][_SINGLE], 1)}."
            )
        return f"The tag {name!r} at token {token} follows {self.names[before]!r}, inside a span; correct it."

    def most_probable(self, tags: Indices, starts: Mask, free: Indices, probabilities: Floats) -> Indices:
        """Return the valid tagging of the highest probability in which only some tokens differ, shape (tokens,).

        The given tagging must be valid. A token keeps its tag if no other tag is valid between its neighbours.

        Args:
            tags: of all sentences, shape (tokens,).
            starts: which tokens begin a sentence, shape (tokens,).
            free: the tokens that may change, ascending.
            probabilities: of every tag for each of these, shape (free, tags).
        """
        best = tags.copy()
        if self.follows.all() and self.ends.all():
            best[free] = probabilities.argmax(axis=1)
            return best
        scores = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
        breaks = np.flatnonzero((np.diff(free) > 1) | starts[free[1:]]) + 1
        for run, score in zip(np.split(free, breaks), np.split(scores, breaks), strict=True):
            if len(run):
                best[run] = self._best_run(best, starts, run, score)
        return best

    def _before(self, tags: Indices, starts: Mask) -> Indices:
        """Return the tag before each token, the number of tags standing for the start of a sentence."""
        before = np.concatenate([[len(self.names)], tags[:-1]])
        before[starts] = len(self.names)
        return before

    def _best_run(self, tags: Indices, starts: Mask, run: Indices, scores: Floats) -> list[Any]:
        """Return the best tags of adjacent tokens between two whose tags are fixed (Viterbi's algorithm)."""
        first, after, inner = int(run[0]), int(run[-1]) + 1, self.follows[:-1]
        value = np.where(self.follows[-1 if starts[first] else tags[first - 1]], scores[0], -np.inf)
        back = []
        for score in scores[1:]:
            reached = np.where(inner, value[:, None], -np.inf)
            back.append(reached.argmax(axis=0))
            value = reached.max(axis=0) + score
        allowed = inner[:, tags[after]] if after < len(tags) and not starts[after] else self.ends
        value = np.where(allowed, value, -np.inf)
        chosen = [int(value.argmax())]
        for step in reversed(back):
            chosen.append(int(step[chosen[-1]]))
        return chosen[::-1]


@functools.lru_cache(maxsize=128)
def _scheme(names: tuple[str, ...]) -> TagScheme:
    """Return the scheme of tags with the given names."""
    scheme, parts = _recognise(names)
    numbers: dict[tuple[str, str], int] = {}
    for number, part in enumerate(parts):
        numbers.setdefault(part, number)
    count = len(names)
    follows = np.ones((count + 1, count), np.bool_)
    joins, ends = np.zeros((count + 1, count), np.bool_), np.ones(count, np.bool_)
    if scheme in ("BIO", "IOBES", "BILOU"):
        begin, inside, end = (_MARKS[scheme][place] for place in (_BEGIN, _INSIDE, _END))
        continues = np.array([mark in (inside, end) for mark, _ in parts], np.bool_)
        opened = np.array([mark in (begin, inside) for mark, _ in parts], np.bool_)
        kinds = np.array([kind for _, kind in parts], object)
        joins[:-1] = opened[:, None] & continues & (kinds[:, None] == kinds)
        follows[:, continues] = joins[:, continues]
        if scheme != "BIO":  # a span that was begun goes on
            follows[np.ix_(np.flatnonzero(opened), np.flatnonzero(~continues))] = False
            ends = ~opened
    if scheme == "IO":
        joins[:-1] = np.diag([mark == "I" for mark, _ in parts])
    return TagScheme(names, scheme, follows, ends, joins, numbers, parts)


def _recognise(names: tuple[str, ...]) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the name of a scheme, and the mark and the type of each tag."""
    others = [name for name in names if name != "O"]
    for pattern in (_TYPED, _BARE):
        found = {name: pattern.fullmatch(name) for name in others}
        if not others or not all(found.values()):
            continue
        parts = tuple(("O", "") if name == "O" else (found[name][1], found[name][2]) for name in names)  # type: ignore[index]
        marks = {mark for mark, _ in parts} - {"O"}
        for scheme, wanted in _MARKS.items():
            required = {*wanted} - {"I"} if scheme != "IO" else {"I"}
            if required <= marks <= {*wanted}:
                return scheme, parts
    spelled = [name for name in others if name.startswith("B-") or _inside_tag(name) in others]
    if spelled or (len(others) > 1 and all(_TYPED.fullmatch(name) or _BARE.fullmatch(name) for name in others)):
        raise LabelError(
            f"The tags {', '.join(map(repr, names[:12]))} are of no scheme that is known (BIO, IO, IOBES, BILOU, or "
            "plain tags without B); rewrite them with B-, I- and O."
        )
    return "plain", tuple(("", name) for name in names)


def _inside_tag(name: str) -> str | None:
    """Return the tag inside a span whose first has a name in another spelling, such as b-per or PER_B; None for others.

    Example:
        >>> [_inside_tag(name) for name in ("b-per", "PER_B", "NOUN")]
        ['i-per', 'PER_I', None]
    """
    if regex.match(r"[bB][-_:].", name):
        return ("i" if name[0] == "b" else "I") + name[1:]
    if regex.search(r".[-_:][bB]$", name):
        return name[:-1] + ("i" if name[-1] == "b" else "I")
    return None


def sentence_starts(counts: Indices) -> Mask:
    """Return which tokens begin a sentence, shape (tokens,).

    Args:
        counts: the number of tokens of each sentence, shape (sentences,).

    Example:
        >>> sentence_starts(np.array([2, 0, 1])).tolist()
        [True, False, True]
    """
    starts = np.zeros(int(counts.sum()), np.bool_)
    starts[(np.cumsum(counts) - counts)[counts > 0]] = True
    return starts


@final
@dataclass(frozen=True)
class EditableSpan:
    """A span of a tagging and its room: the tokens in which it may be edited without meeting another span's room.

    The room is the span itself and the outside tokens that are nearer to it than to any other span.

    Attributes:
        start: the first token of the span.
        end: the token after its last.
        kind: its type, for example "PER"; in a plain scheme the tag itself.
        room_start: the first token of its room.
        room_end: the token after the last of its room.
        scheme: the scheme of the tags. In a plain one a span is one token, which is its own room.
    """

    start: int
    end: int
    kind: str
    room_start: int
    room_end: int
    scheme: TagScheme = field(repr=False, compare=False)

    def edit(self, how: str, uniform: float, types: Sequence[str]) -> list[TagSpan] | None:
        """Return the spans in the room after an edit; None if the edit is not possible here.

        Args:
            how: "type", "boundary", "missed" or "spurious".
            uniform: a number in [0, 1) that chooses among the possible outcomes.
            types: all types, in a fixed order.
        """
        outcomes = self._outcomes(how, types)
        if self._may_lack_tags:
            outcomes = [spans for spans in outcomes if self.tags_of(spans) is not None]
        return outcomes[int(uniform * len(outcomes))] if outcomes else None

    def tags_of(self, spans: Sequence[TagSpan]) -> list[int] | None:
        """Return the tags of the room when it holds the given spans and nothing else; None if there are none."""
        outside = self.scheme.numbers.get(("O", ""))
        tags: list[int | None] = [outside] * (self.room_end - self.room_start)
        for start, end, kind in spans:
            written = self.scheme.span_tags(end - start, kind)
            if written is None:
                return None
            tags[start - self.room_start : end - self.room_start] = written
        return None if None in tags else [tag for tag in tags if tag is not None]

    @property
    def _may_lack_tags(self) -> bool:
        """Whether some spans cannot be written."""
        return not self.scheme.plain and (("O", "") not in self.scheme.numbers or bool(self.scheme.missing_tags))

    def _outcomes(self, how: str, types: Sequence[str]) -> list[list[TagSpan]]:
        """Return every outcome of an edit."""
        start, end, kind = self.start, self.end, self.kind
        if how == "type":
            return [[(start, end, other)] for other in types if other != kind]
        if self.scheme.plain:
            return []
        if how == "missed":
            return [[]]
        if how == "boundary":
            moved = [(start - 1, end), (start, end + 1), (start + 1, end), (start, end - 1)]
            return [
                [(first, after, kind)] for first, after in moved if self.room_start <= first < after <= self.room_end
            ]
        length = min(end - start, max(start - 1 - self.room_start, self.room_end - end - 1))
        if length < 1:
            return []  # a second span needs an outside token between it and the first
        before = range(self.room_start, start - length)
        after_end = range(end + 1, self.room_end - length + 1)
        left = [[(first, first + length, kind), (start, end, kind)] for first in before]
        right = [[(start, end, kind), (first, first + length, kind)] for first in after_end]
        return left + right


def editable_spans(tags: Sequence[int], names: Sequence[str]) -> list[EditableSpan]:
    """Return the spans of one sentence with their rooms, from left to right.

    Raises:
        LabelError: for a tag that is not valid.

    Example:
        >>> for span in editable_spans([1, 2, 0, 0, 1], ["O", "B-X", "I-X"]):
        ...     print(span)
        EditableSpan(start=0, end=2, kind='X', room_start=0, room_end=3)
        EditableSpan(start=4, end=5, kind='X', room_start=3, room_end=5)
    """
    scheme = TagScheme.of(names)
    spans = scheme.spans(tags)
    if scheme.plain:
        return [EditableSpan(start, end, kind, start, end, scheme) for start, end, kind in spans]
    editable = []
    for number, (start, end, kind) in enumerate(spans):
        before = spans[number - 1][1] if number else None
        after = spans[number + 1][0] if number + 1 < len(spans) else None
        room_start = 0 if before is None else before + (start - before + 1) // 2
        room_end = len(tags) if after is None else end + (after - end + 1) // 2
        editable.append(EditableSpan(start, end, kind, room_start, room_end, scheme))
    return editable
