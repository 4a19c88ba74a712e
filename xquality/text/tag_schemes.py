"""Tag schemes: which tag may follow which, the spans that tags mark, and how a span may be edited.

Tags follow BIO if one of their names begins with "B-": B- begins a span, I- continues it, O is outside of all spans.
Without BIO, as in parts of speech, any tag may follow any other and every token is a span of its own. This is the
strict reading, of valid tags; the lenient one of the official scorers, which accepts any sequence of tags, is
`xquality.metrics.tagging`.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from xquality.data.arrow import Floats, Indices, Mask
from xquality.errors import LabelError

TagSpan = tuple[int, int, str]  # first token, token after the last, type


@final
@dataclass(frozen=True)
class TagScheme:
    """The names of the tags and which of them may follow which.

    In BIO an I- tag needs a B- or I- tag of its type before it in the same sentence.

    Attributes:
        names: the names of the tags.
        bio: whether they follow BIO.
        follows: whether tag j may follow tag i, shape (tags + 1, tags); the last row is the start of a sentence.
        continues: whether a tag continues the span of the token before it, shape (tags,).

    Example:
        >>> TagScheme.of(["O", "B-X", "I-X"]).follows.astype(int).tolist()
        [[1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 0]]
    """

    names: tuple[str, ...]
    bio: bool
    follows: Mask = field(repr=False, compare=False)
    continues: Mask = field(repr=False, compare=False)

    @staticmethod
    def of(names: Sequence[str]) -> "TagScheme":
        """Return the scheme of tags with the given names."""
        return _scheme(tuple(names))

    def first_invalid(self, tags: Indices, starts: Mask) -> int | None:
        """Return the first token whose tag may not follow the one before it; None if the tagging is valid.

        Args:
            tags: of all sentences, shape (tokens,).
            starts: which tokens begin a sentence, shape (tokens,).
        """
        invalid = np.flatnonzero(~self.follows[self._before(tags, starts), tags])
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
        return np.cumsum(~(self.continues[tags] & self.follows[self._before(tags, starts), tags]))

    def mark_spans(self, tags: Indices, spans: Indices, opens: Mask) -> Indices:
        """Return valid BIO tags: B- for a token that begins a span, I- for one that continues it, shape (tokens,).

        Args:
            tags: a tag of the token's type, or O, shape (tokens,).
            spans: the number of the span that each token belongs to, shape (tokens,).
            opens: which tokens begin a span whatever comes before them, shape (tokens,).
        """
        numbers = {name: number for number, name in enumerate(self.names)}
        begin, inside = (
            np.array([numbers.get(f"{mark}-{name[2:]}", number) for number, name in enumerate(self.names)])
            for mark in "BI"
        )
        first = opens.copy()
        first[1:] |= spans[1:] != spans[:-1]
        return np.where(first, begin[tags], inside[tags])

    def spans(self, tags: Sequence[int]) -> list[TagSpan]:
        """Return the spans of one sentence, from left to right.

        Raises:
            LabelError: for a tag that is not valid BIO.

        Example:
            >>> TagScheme.of(["O", "B-X", "I-X"]).spans([1, 2, 0, 1])
            [(0, 2, 'X'), (3, 4, 'X')]
        """
        if not self.bio:
            return [(token, token + 1, self.names[tag]) for token, tag in enumerate(tags)]
        spans: list[TagSpan] = []
        before = -1  # the start of the sentence
        for token, tag in enumerate(tags):
            name = self.names[tag]
            kind = name[2:]
            if name.startswith("B-"):
                spans.append((token, token + 1, kind))
            elif self.continues[tag]:
                if not self.follows[before, tag]:
                    raise LabelError(
                        f"The tag {name!r} at token {token} follows no B-{kind} or I-{kind}; make it B-{kind}."
                    )
                spans[-1] = (spans[-1][0], token + 1, kind)
            elif name != "O":
                raise LabelError(f"The tag {name!r} at token {token} is neither O nor B- nor I-; rename the tags.")
            before = tag
        return spans

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
        if self.follows.all():
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
        if after < len(tags) and not starts[after]:
            value = np.where(inner[:, tags[after]], value, -np.inf)
        chosen = [int(value.argmax())]
        for step in reversed(back):
            chosen.append(int(step[chosen[-1]]))
        return chosen[::-1]


@functools.lru_cache(maxsize=128)
def _scheme(names: tuple[str, ...]) -> TagScheme:
    """Return the scheme of tags with the given names."""
    follows = np.ones((len(names) + 1, len(names)), np.bool_)
    bio = any(name.startswith("B-") for name in names)
    continues = np.array([bio and name.startswith("I-") for name in names], np.bool_)
    for tag in np.flatnonzero(continues):
        follows[:, tag] = [before in (f"B-{names[tag][2:]}", names[tag]) for before in (*names, "")]
    return TagScheme(names, bio, follows, continues)


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
        kind: its type, for example "PER"; without BIO the tag itself.
        room_start: the first token of its room.
        room_end: the token after the last of its room.
        scheme: the scheme of the tags. Without BIO a span is one token, which is its own room.
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
        return outcomes[int(uniform * len(outcomes))] if outcomes else None

    def tags_of(self, spans: Sequence[TagSpan]) -> list[int]:
        """Return the tags of the room when it holds the given spans and nothing else."""
        names = self.scheme.names
        if not self.scheme.bio:
            return [names.index(kind) for _, _, kind in spans]
        tags = [names.index("O")] * (self.room_end - self.room_start)
        for start, end, kind in spans:
            for token in range(start, end):
                tags[token - self.room_start] = names.index(f"{'B' if token == start else 'I'}-{kind}")
        return tags

    def _outcomes(self, how: str, types: Sequence[str]) -> list[list[TagSpan]]:
        """Return every outcome of an edit."""
        start, end, kind = self.start, self.end, self.kind
        if how == "type":
            return [[(start, end, other)] for other in types if other != kind]
        if not self.scheme.bio:
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
        LabelError: for a tag that is not valid BIO.

    Example:
        >>> for span in editable_spans([1, 2, 0, 0, 1], ["O", "B-X", "I-X"]):
        ...     print(span)
        EditableSpan(start=0, end=2, kind='X', room_start=0, room_end=3)
        EditableSpan(start=4, end=5, kind='X', room_start=3, room_end=5)
    """
    scheme = TagScheme.of(names)
    spans = scheme.spans(tags)
    if not scheme.bio:
        return [EditableSpan(start, end, kind, start, end, scheme) for start, end, kind in spans]
    editable = []
    for number, (start, end, kind) in enumerate(spans):
        before = spans[number - 1][1] if number else None
        after = spans[number + 1][0] if number + 1 < len(spans) else None
        room_start = 0 if before is None else before + (start - before + 1) // 2
        room_end = len(tags) if after is None else end + (after - end + 1) // 2
        editable.append(EditableSpan(start, end, kind, room_start, room_end, scheme))
    return editable
