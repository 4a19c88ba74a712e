"""Spans of a tagging, and the territory in which each may be changed without meeting another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

from xquality.errors import LabelError

Span = tuple[int, int, str]  # first token, token after the last, type


@final
@dataclass(frozen=True)
class EditWindow:
    """One span of a tagging and the outside tokens that are nearer to it than to any other.

    Attributes:
        start: the span's first token.
        end: the token after its last.
        kind: its type, for example "PER", or the tag itself where there is no BIO.
        low: the first token of the territory.
        high: the token after its last.
        tagged: whether the tagging has BIO; without it a span is one token that is its own territory.
    """

    start: int
    end: int
    kind: str
    low: int
    high: int
    tagged: bool

    def edited(self, how: str, luck: float, types: Sequence[str]) -> list[Span] | None:
        """Return the spans of the territory after an edit; None where it is not possible here.

        Args:
            how: "type", "boundary", "missed" or "spurious".
            luck: a uniform number that chooses among the ways to do it.
            types: all types, in a fixed order.
        """
        ways = self._ways(how, types)
        return ways[int(luck * len(ways))] if ways else None

    def _ways(self, how: str, types: Sequence[str]) -> list[list[Span]]:
        """Return every outcome of an edit."""
        start, end, kind = self.start, self.end, self.kind
        if how == "type":
            return [[(start, end, one)] for one in types if one != kind]
        if not self.tagged:
            return []
        if how == "missed":
            return [[]]
        if how == "boundary":
            moved = [(start - 1, end), (start, end + 1), (start + 1, end), (start, end - 1)]
            return [[(a, b, kind)] for a, b in moved if self.low <= a < b <= self.high]
        length = min(end - start, max(start - 1 - self.low, self.high - end - 1))
        if length < 1:
            return []  # a second span needs an outside token between it and the first
        left = [[(one, one + length, kind), (start, end, kind)] for one in range(self.low, start - length)]
        right = [[(start, end, kind), (one, one + length, kind)] for one in range(end + 1, self.high - length + 1)]
        return left + right


def edit_windows(tags: Sequence[int], names: Sequence[str]) -> list[EditWindow]:
    """Return the spans of a tagging with their edit_windows, from left to right.

    Raises:
        LabelError: for an I without a B or I of its type before it.

    Example:
        >>> for one in edit_windows([1, 2, 0, 0, 1], ["O", "B-X", "I-X"]):
        ...     print(one.start, one.end, one.kind, one.low, one.high)
        0 2 X 0 3
        4 5 X 3 5
    """
    if not any(one.startswith("B-") for one in names):
        return [EditWindow(one, one + 1, names[tag], one, one + 1, tagged=False) for one, tag in enumerate(tags)]
    spans = _spans([names[one] for one in tags])
    found = []
    for place, (start, end, kind) in enumerate(spans):
        before = spans[place - 1][1] if place else None
        after = spans[place + 1][0] if place + 1 < len(spans) else None
        low = 0 if before is None else before + (start - before + 1) // 2
        high = len(tags) if after is None else end + (after - end + 1) // 2
        found.append(EditWindow(start, end, kind, low, high, tagged=True))
    return found


def encode(spans: Sequence[Span], territory: EditWindow, names: Sequence[str]) -> list[int]:
    """Return the tags of a territory that holds the given spans."""
    if not territory.tagged:
        return [names.index(kind) for _, _, kind in spans]
    tags = [names.index("O")] * (territory.high - territory.low)
    for start, end, kind in spans:
        for token in range(start, end):
            tags[token - territory.low] = names.index(f"{'B' if token == start else 'I'}-{kind}")
    return tags


def _spans(tags: Sequence[str]) -> list[Span]:
    """Return the spans of valid BIO tags."""
    spans: list[Span] = []
    for place, tag in enumerate(tags):
        mark, _, kind = tag.partition("-")
        if mark == "B":
            spans.append((place, place + 1, kind))
        elif mark == "I":
            if not spans or spans[-1][1] != place or spans[-1][2] != kind:
                raise LabelError(f"The tag {tag!r} at token {place} goes on with no span; make it B-{kind}.")
            spans[-1] = (spans[-1][0], place + 1, kind)
        elif tag != "O":
            raise LabelError(f"The tag {tag!r} at token {place} is neither O nor B- nor I-; rename the tags.")
    return spans
