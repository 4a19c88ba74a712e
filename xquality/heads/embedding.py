"""EmbeddingHead: sentences as vectors of an encoder's layer; the base of retrieval and mining."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from numpy.typing import NDArray

from xquality import _settings
from xquality.errors import ModelError, SettingError
from xquality.heads.batching import Batch, inputs, padded
from xquality.heads.encoded import Encoded
from xquality.heads.head import EpochContext, Head
from xquality.heads.pooling import POOLINGS, pooled
from xquality.heads.tokens import Frame

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Vectors = dict[int, NDArray[np.float32]]  # one vector for each layer

_OFFICIAL = {12: 8, 24: 14}  # the layer that XTREME reads of encoders of 12 and of 24 layers


def _layer_numbers(owner: str, name: str, value: object) -> tuple[int, ...]:
    """Return one number of a layer or more as a tuple."""
    numbers = tuple(value) if isinstance(value, Sequence | range) and not isinstance(value, str) else ()
    if not numbers:
        raise SettingError(f"{owner}({name}={value!r}) must name at least one layer, such as (7, 8).")
    return tuple(_settings.integer(owner, name, number) for number in numbers)


@dataclass(frozen=True, repr=False)
class EmbeddingHead(Head):
    """Base of the heads that read vectors of sentences off an encoder; they learn nothing and read any model.

    Attributes:
        layer: whose vectors: 0 for the embeddings, 1 for the first layer, -1 for the last; None for the layer that
            XTREME reads of an encoder of 12 layers (8) or of 24 (14), and for the last of any other.
        pooling: "mean" over the attended tokens, or "cls" for the first token.
        layers: several layers to read in one pass, each with its scores; None for `layer` alone.
        special_tokens: whether the mean takes the special tokens in, as the official code does.
        max_length: longer sentences are cut, in tokens; at most what the tokenizer allows.
    """

    layer: Annotated[int | None, _settings.optional(_settings.integer)] = None
    pooling: Annotated[str, _settings.choice(*POOLINGS)] = "mean"
    layers: Annotated[tuple[int, ...] | None, _settings.optional(_layer_numbers)] = None
    special_tokens: _settings.Flag = True
    max_length: Annotated[int, _settings.at_least(4)] = 512

    def __post_init__(self) -> None:
        _settings.check_settings(self)
        if self.layer is not None and self.layers is not None:
            raise SettingError(f"{type(self).__name__} takes layer or layers; give one of them.")

    def length(self, trained: int, tokenizer: "PreTrainedTokenizerBase") -> int:  # noqa: ARG002 (training cuts otherwise)
        """Return `max_length`, or what the tokenizer allows where that is less."""
        return min(self.max_length, tokenizer.model_max_length)

    def fits(self, signature: Mapping[str, Any]) -> bool:  # noqa: ARG002 (the encoder alone is read)
        """Say yes: whatever a model was trained for, it has an encoder."""
        return True

    def check_network(self, network: "PreTrainedModel") -> None:
        """Raise `ModelError` where the encoder does not have a layer that is asked for."""
        depth = int(network.config.num_hidden_layers)
        for one in self.layers or (self.layer,):
            if one is not None and not -depth - 1 <= one <= depth:
                raise ModelError(f"{type(self).__name__} reads layer {one}, but the encoder has {depth}; name another.")

    def _layers(self, depth: int) -> tuple[int, ...]:
        """Return the layers to read of an encoder of `depth` layers, as places among its hidden states."""
        alone = _OFFICIAL.get(depth, depth) if self.layer is None else self.layer
        wanted = self.layers or (alone,)
        return tuple(dict.fromkeys(one if one >= 0 else depth + 1 + one for one in wanted))

    def batch(
        self,
        encoded: Encoded,
        rows: Sequence[int],
        tokenizer: "PreTrainedTokenizerBase",
        visit: EpochContext | None = None,  # noqa: ARG002 (a row looks the same on every pass)
    ) -> Batch:
        """Return the rows with `pool`, the tokens that the mean is taken of, shape (rows, longest)."""
        import torch

        made = padded(encoded, rows, int(tokenizer.pad_token_id))
        pool = made["attention_mask"].numpy().astype(bool)
        if not self.special_tokens:
            before, after = (len(one) for one in Frame.of(tokenizer).special)
            places, ends = np.arange(pool.shape[1]), pool.sum(1, keepdims=True) - after
            pool = (places >= before) & (places < ends)
        return {**made, "pool": torch.from_numpy(pool)}

    def run(self, network: "PreTrainedModel", batch: Mapping[str, Any]) -> Any:
        """Return the hidden states of all layers of the encoder alone."""
        encoder: Any = network.base_model
        return encoder(**inputs(batch), output_hidden_states=True)

    def predict(self, outputs: Any, batch: Batch) -> list[Vectors]:
        """Return for each row its vector of every layer that is asked for."""
        states = outputs.hidden_states
        found = {
            one: pooled(states[one], batch["pool"], self.pooling).cpu().numpy() for one in self._layers(len(states) - 1)
        }
        return [{layer: vectors[row] for layer, vectors in found.items()} for row in range(len(batch["pool"]))]

    def only_layer(self, found: Vectors) -> int:
        """Return the one layer that vectors are of.

        Raises:
            SettingError: where several are read, of which one would have to be chosen.
        """
        if len(found) > 1:
            raise SettingError(f"{type(self).__name__} reads the layers {list(found)}; name the one to submit, layer=.")
        return next(iter(found))

    @staticmethod
    def search_device() -> str | None:
        """Return the GPU to search for neighbours on, where there is one; None for NumPy."""
        import torch

        return "cuda" if torch.cuda.is_available() else None

    def made(self, layer: int) -> dict[str, Any]:
        """Return what a score's signature says of the vectors."""
        special = {} if self.special_tokens or self.pooling == "cls" else {"special_tokens": False}
        return {"layer": layer, "pooling": self.pooling, **special}

    def named(self, metric: str, layer: int) -> str:
        """Return a metric's name, with the layer where several are read, so that they are never averaged together."""
        return metric if self.layers is None else f"{metric}@{layer}"

    def signature(self) -> Mapping[str, Any]:
        """Return what the head is; there is nothing to carry over."""
        return {"head": "embedding"}
