"""FrozenEncoder: an encoder that is not trained, whose hidden states stand for texts and tokens."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

import numpy as np

from xquality.data.arrow import Floats, Indices, Mask
from xquality.errors import SettingError
from xquality.heads.embedding import check_layer
from xquality.heads.tokenisation import add_prefix

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_BATCH = 128  # rows that the encoder reads at a time


@final
@dataclass(frozen=True)
class FrozenEncoder:
    """An encoder that is not trained, and how much of a text it reads.

    Attributes:
        network: an encoder without a head, on its device.
        tokenizer: its tokenizer.
        max_length: in word pieces; text beyond it is not read.
        prefix: put before every text.
        layer: the layer that is read, from 0 for the embeddings or from -1 for the last; None for the last.
        owner: what reads it, for messages.
    """

    network: "PreTrainedModel" = field(repr=False)
    tokenizer: "PreTrainedTokenizerBase" = field(repr=False)
    max_length: int
    prefix: str = ""
    layer: int | None = None
    owner: str = "from_embeddings"

    def __post_init__(self) -> None:
        check_layer(self.network, self.layer, self.owner)
        if self.max_length > self.tokenizer.model_max_length:
            raise SettingError(
                f"max_length={self.max_length} is more than the {self.tokenizer.model_max_length} tokens that the "
                "encoder reads; lower it."
            )

    @property
    def layer_number(self) -> int:
        """The number of the layer that is read, from 0 for the embeddings."""
        depth = int(self.network.config.num_hidden_layers)
        return depth if self.layer is None else self.layer % (depth + 1)

    def embed_texts(self, texts: Sequence[str]) -> Floats:
        """Return the mean of each text's hidden states, special tokens included, shape (texts, width)."""
        embeddings = np.empty((len(texts), self._width))
        pieces = self.tokenizer(add_prefix(self.prefix, list(texts)), truncation=True, max_length=self.max_length)[
            "input_ids"
        ]
        for rows, _, last, mask in self._states(pieces):
            present = mask[:, :, None]
            embeddings[rows] = (last * present).sum(axis=1) / present.sum(axis=1)
        return embeddings

    def embed_tokens(self, tokens: Sequence[str], counts: Indices) -> tuple[Floats, Mask]:
        """Return the means of the first and of the layer's hidden states of each token's pieces, side by side.

        The last states hold the context of the sentence, and in some encoders little else; the first hold the token
        itself. A token has no embedding if it is beyond `max_length`, or if the tokenizer makes no piece of it.

        Args:
            tokens: all tokens, row after row.
            counts: the number of tokens of each row, shape (rows,).

        Returns:
            Embeddings of shape (tokens with pieces, 2 * width), and which tokens these are, shape (tokens,).
        """
        ends = np.cumsum(counts)
        before = [self.prefix.strip()] if self.prefix.strip() else []  # as a word of its own
        sentences = [[*before, *tokens[end - count : end]] for end, count in zip(ends, counts, strict=True)]
        encoded = self.tokenizer(sentences, is_split_into_words=True, truncation=True, max_length=self.max_length)
        total = np.zeros((len(tokens), 2 * self._width))
        pieces = np.zeros(len(tokens), np.int64)
        for rows, first, last, _ in self._states(encoded["input_ids"]):
            for row, states in zip(rows, np.concatenate([first, last], axis=-1), strict=True):
                numbered = [(piece, word) for piece, word in enumerate(encoded.word_ids(int(row))) if word is not None]
                words = [(piece, word - len(before)) for piece, word in numbered if word >= len(before)]
                positions, word_of = np.array(words, np.int64).reshape(-1, 2).T
                np.add.at(total, word_of + ends[row] - counts[row], states[positions])
                np.add.at(pieces, word_of + ends[row] - counts[row], 1)
        read = pieces > 0
        return total[read] / pieces[read, None], read

    @property
    def _width(self) -> int:
        """The size of the hidden states."""
        return int(self.network.config.hidden_size)

    def _states(self, pieces: Sequence[Sequence[int]]) -> Iterator[tuple[Indices, Floats, Floats, Indices]]:
        """Yield batches of rows of similar length, their first hidden states, the layer's, and which are no padding."""
        import torch

        order = np.argsort([len(row) for row in pieces], kind="stable")
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            longest = max(len(pieces[row]) for row in rows)
            ids = np.full((len(rows), longest), self.tokenizer.pad_token_id, np.int64)
            mask = np.zeros((len(rows), longest), np.int64)
            for number, row in enumerate(rows):
                ids[number, : len(pieces[row])] = pieces[row]
                mask[number, : len(pieces[row])] = 1
            batch = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.from_numpy(mask)}
            with torch.inference_mode():
                moved = {name: tensor.to(self.network.device) for name, tensor in batch.items()}
                outputs = self.network(**moved, output_hidden_states=True)
            first = outputs.hidden_states[0]
            last = outputs.last_hidden_state if self.layer is None else outputs.hidden_states[self.layer]
            yield rows, first.double().cpu().numpy(), last.double().cpu().numpy(), mask
