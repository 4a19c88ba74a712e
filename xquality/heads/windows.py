"""Windows of a long text, and the best spans in them, by our own offsets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from xquality.heads.tokens import slices

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

Offsets = NDArray[np.int32]
Spans = list[tuple[float, int, int]]


@final
@dataclass(frozen=True)
class Window:
    """A part of a text as it stands in a row.

    Attributes:
        text: the whole text.
        start: the place of the window's first token in the row.
        offsets: where each token of the window stands in the text, in code points, shape (tokens, 2).
    """

    text: str
    start: int
    offsets: Offsets

    def find(self, span: tuple[int, int]) -> tuple[int, int] | None:
        """Return the places in the row of the first and last token of a span; None where it is not all in the window.

        Args:
            span: first code point, and the one after the last.
        """
        first = int(np.searchsorted(self.offsets[:, 1], span[0], side="right"))  # the first token that ends after it
        last = int(np.searchsorted(self.offsets[:, 0], span[1], side="left")) - 1  # the last that begins before its end
        inside = len(self.offsets) and self.offsets[0, 0] <= span[0] and span[1] <= self.offsets[-1, 1]
        return (self.start + first, self.start + last) if inside and first <= last else None

    def span(self, first: int, last: int) -> tuple[int, int]:
        """Return the code points that the tokens from one place in the row to another cover."""
        return int(self.offsets[first - self.start, 0]), int(self.offsets[last - self.start, 1])


def tokens_with_offsets(
    tokenizer: "PreTrainedTokenizerBase", texts: Sequence[str]
) -> Iterator[tuple[NDArray[np.int32], Offsets]]:
    """Yield the token ids of each text, without special tokens, and where they stand in it, without white space."""
    for part in slices(len(texts)):
        made = tokenizer(list(texts[part]), add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        for text, ids, offsets in zip(texts[part], made["input_ids"], made["offset_mapping"], strict=True):
            trimmed = np.array([_trimmed(text, start, end) for start, end in offsets], np.int32).reshape(-1, 2)
            yield np.asarray(ids, np.int32), trimmed


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a span without the white space at its ends."""
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end


def starts(tokens: int, room: int, stride: int) -> list[int]:
    """Return the first token of each window of a text.

    Args:
        tokens: how many the text has.
        room: how many a window takes.
        stride: how far a window begins after the one before; at most half of the room, so that neighbours overlap.

    Example:
        >>> starts(10, room=4, stride=128), starts(3, room=4, stride=2)
        ([0, 2, 4, 6], [0])
    """
    step = max(1, min(stride, room // 2))
    return [0, *(one for one in range(step, tokens, step) if one - step + room < tokens)]


def best_spans(
    start_logits: "torch.Tensor", end_logits: "torch.Tensor", allowed: "torch.Tensor", longest: int, count: int
) -> list[Spans]:
    """Return the spans of each row with the highest sums of a start's and an end's logit, best first.

    Every span of at most `longest` tokens is compared, not only those of the best starts and ends.

    Args:
        start_logits: of each token, shape (rows, tokens).
        end_logits: of each token, shape (rows, tokens).
        allowed: which tokens may be part of a span, shape (rows, tokens); they stand side by side.
        longest: the most tokens of a span.
        count: how many spans to return of each row, fewer where there are not as many.

    Returns:
        For each row (sum, first token, last token).
    """
    import torch

    begin = start_logits.float().masked_fill(~allowed, -torch.inf)
    end = end_logits.float().masked_fill(~allowed, -torch.inf)
    width = min(longest, begin.shape[1])
    ends = torch.nn.functional.pad(end, (0, width - 1), value=-torch.inf).unfold(1, width, 1)
    sums = (begin[:, :, None] + ends).flatten(1)
    values, places = sums.topk(min(count, sums.shape[1]), dim=1)
    found = []
    for row_values, row_places in zip(values.tolist(), places.tolist(), strict=True):
        pairs = [(value, *divmod(place, width)) for value, place in zip(row_values, row_places, strict=True)]
        found.append([(value, first, first + more) for value, first, more in pairs if value > -torch.inf])
    return found
