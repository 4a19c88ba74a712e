"""Texts to token ids, a few thousand rows at a time, and the special tokens around them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from xquality.errors import SettingError
from xquality.heads.encoded import Tokens

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SLICE = 2048  # rows tokenised at a time: the tokenizer's own objects take far more memory than the ids that are kept


def slices(rows: int) -> Iterator[slice]:
    """Yield the slices that cover all rows."""
    for start in range(0, rows, SLICE):
        yield slice(start, min(start + SLICE, rows))


def add_prefix(prefix: str, texts: list[str]) -> list[str]:
    """Return the texts with a prefix before each."""
    return [prefix + text for text in texts] if prefix else texts


def tokenise(
    tokenizer: "PreTrainedTokenizerBase", texts: Sequence[Sequence[str]], max_length: int
) -> tuple[list[Tokens], list[Tokens]]:
    """Return token ids and segments of texts or pairs of texts, cut at `max_length`.

    Args:
        tokenizer: a fast tokenizer.
        texts: one column of texts, or the two of a pair, each of shape (rows,).
        max_length: in tokens, with the special ones; of a pair, the longer text is cut.

    Returns:
        One array of ids for each row, and one of segments; no segments for models without them.
    """
    ids: list[Tokens] = []
    segments: list[Tokens] = []
    for part in slices(len(texts[0])):
        columns = [list(column[part]) for column in texts]
        tokens = tokenizer(*columns, truncation=True, max_length=max_length, return_attention_mask=False)
        ids.extend(np.asarray(row, np.int32) for row in tokens["input_ids"])
        if has_segments(tokenizer):
            segments.extend(np.asarray(row, np.int32) for row in tokens["token_type_ids"])
    return ids, segments


def has_segments(tokenizer: "PreTrainedTokenizerBase") -> bool:
    """Return whether the model marks the two texts of a pair by segments."""
    return "token_type_ids" in tokenizer.model_input_names


@final
@dataclass(frozen=True)
class Frame:
    """The special tokens around one text, or around and between two, for heads that cut texts themselves.

    Attributes:
        special: the special tokens before, (between) and after the texts.
        special_segments: their segments.
        text_segments: the segment of each text's tokens.
    """

    special: tuple[NDArray[np.int32], ...]
    special_segments: tuple[NDArray[np.int32], ...]
    text_segments: tuple[int, ...]

    @classmethod
    def of(cls, tokenizer: "PreTrainedTokenizerBase", texts: int = 1) -> "Frame":
        """Return the frame that the tokenizer puts around one text or two, found from an example."""
        tokens: Any = tokenizer(*["a"] * texts, return_token_type_ids=True)
        ids, types = (np.asarray(tokens[name], np.int32) for name in ("input_ids", "token_type_ids"))
        text_of = np.array([-1 if number is None else number for number in tokens.sequence_ids(0)])
        bounds = [
            (int((text_of == number).argmax()), int(np.flatnonzero(text_of == number)[-1]) + 1)
            for number in range(texts)
        ]
        gaps = list(zip([0, *(end for _, end in bounds)], [*(start for start, _ in bounds), len(ids)], strict=True))
        return cls(
            tuple(ids[start:end] for start, end in gaps),
            tuple(types[start:end] for start, end in gaps),
            tuple(int(types[start]) for start, _ in bounds),
        )

    @property
    def size(self) -> int:
        """The number of special tokens."""
        return sum(map(len, self.special))

    def room(self, max_length: int) -> int:
        """Return how many tokens of text fit into `max_length`.

        Raises:
            SettingError: if fewer than two fit.
        """
        if max_length - self.size < 2:
            raise SettingError(f"max_length={max_length} leaves no room beside {self.size} special tokens; raise it.")
        return max_length - self.size

    def start(self, *lengths: int) -> int:
        """Return the number of the last text's first token, given the lengths of the texts before it."""
        return sum(lengths) + sum(map(len, self.special[:-1]))

    def wrap(self, *texts: Tokens) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Return the ids of the texts with the special tokens, and their segments."""
        ids, segments = [self.special[0]], [self.special_segments[0]]
        for number, text in enumerate(texts):
            ids += [np.asarray(text, np.int32), self.special[number + 1]]
            segments += [np.full(len(text), self.text_segments[number], np.int32), self.special_segments[number + 1]]
        return np.concatenate(ids), np.concatenate(segments)
