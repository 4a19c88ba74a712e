"""Embeddings of texts and of tokens from a frozen encoder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from xquality.data.arrow import Floats, Indices
from xquality.errors import SettingError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_BATCH = 128  # rows read at a time


@final
@dataclass(frozen=True)
class Encoder:
    """A frozen encoder, and how much of a text it reads.

    Attributes:
        network: an encoder without a head, on its device.
        tokenizer: its tokenizer.
        max_length: in word pieces; what lies beyond is not read.
    """

    network: "PreTrainedModel" = field(repr=False)
    tokenizer: "PreTrainedTokenizerBase" = field(repr=False)
    max_length: int

    def __post_init__(self) -> None:
        if self.max_length > self.tokenizer.model_max_length:
            raise SettingError(
                f"max_length={self.max_length} is more than the {self.tokenizer.model_max_length} tokens that the "
                "encoder reads; lower it."
            )

    def of_texts(self, texts: Sequence[str]) -> Floats:
        """Return the mean of each text's last hidden states, special tokens included, shape (texts, width)."""
        found = np.empty((len(texts), self._width))
        read = self.tokenizer(list(texts), truncation=True, max_length=self.max_length)["input_ids"]
        for rows, _, last, mask in self._states(read):
            counted = mask[:, :, None]
            found[rows] = (last * counted).sum(axis=1) / counted.sum(axis=1)
        return found

    def of_tokens(self, tokens: Sequence[str], counts: Indices) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the mean of the first and of the last hidden states of each token's pieces, and which tokens have any.

        Both stand side by side: the last states know the sentence, and some encoders say little else in them; the
        first know the token. A token has none where it lies beyond `max_length`, or where the tokenizer makes nothing
        of it.

        Args:
            tokens: all tokens, row after row.
            counts: the number of tokens of each row, shape (rows,).

        Returns:
            Embeddings of shape (tokens with pieces, 2 * width), and which tokens these are, shape (tokens,).
        """
        ends = np.cumsum(counts)
        sentences = [list(tokens[end - count : end]) for end, count in zip(ends, counts, strict=True)]
        read = self.tokenizer(sentences, is_split_into_words=True, truncation=True, max_length=self.max_length)
        total = np.zeros((len(tokens), 2 * self._width))
        pieces = np.zeros(len(tokens), np.int64)
        for rows, first, last, _ in self._states(read["input_ids"]):
            for row, state in zip(rows, np.concatenate([first, last], axis=-1), strict=True):
                words = [(place, word) for place, word in enumerate(read.word_ids(int(row))) if word is not None]
                held, where = np.array(words, np.int64).reshape(-1, 2).T
                np.add.at(total, where + ends[row] - counts[row], state[held])
                np.add.at(pieces, where + ends[row] - counts[row], 1)
        judged = pieces > 0
        return total[judged] / pieces[judged, None], judged

    @property
    def _width(self) -> int:
        """The size of the hidden states."""
        return int(self.network.config.hidden_size)

    def _states(self, read: Sequence[Sequence[int]]) -> Iterator[tuple[Indices, Floats, Floats, Indices]]:
        """Yield batches of rows of like length, their first and last hidden states, and which are no padding."""
        import torch

        order = np.argsort([len(one) for one in read], kind="stable")
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            longest = max(len(read[row]) for row in rows)
            ids = np.full((len(rows), longest), self.tokenizer.pad_token_id, np.int64)
            mask = np.zeros((len(rows), longest), np.int64)
            for place, row in enumerate(rows):
                ids[place, : len(read[row])] = read[row]
                mask[place, : len(read[row])] = 1
            given = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
            with torch.inference_mode():
                moved = {name: one.to(self.network.device) for name, one in given.items()}
                outputs = self.network(**moved, output_hidden_states=True)
            first, last = (one.double().cpu().numpy() for one in (outputs.hidden_states[0], outputs.last_hidden_state))
            yield rows, first, last, mask
