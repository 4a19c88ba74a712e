"""EmbeddingHead: sentences as vectors of an encoder's layer; the base of retrieval and mining."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, final

import numpy as np
from numpy.typing import NDArray

from xquality import _settings
from xquality.errors import ModelError, SettingError
from xquality.heads.encoded import TensorBatch, network_inputs
from xquality.heads.head import BatchRows, Head
from xquality.heads.tokenisation import Frame

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Vectors = dict[int, NDArray[np.float32]]  # one vector for each layer

_OFFICIAL = {12: 8, 24: 14}  # the layer that XTREME reads of encoders of 12 and of 24 layers


def _layer_numbers(owner: str, name: str, value: object) -> tuple[int, ...]:
    """Return one number of a layer or more as a tuple."""
    numbers = tuple(value) if isinstance(value, Sequence) and not isinstance(value, str) else ()
    if not numbers:
        raise SettingError(f"{owner}({name}={value!r}) must name at least one layer, such as (7, 8).")
    return tuple(_settings.integer(owner, name, number) for number in numbers)


@dataclass(frozen=True, repr=False)
class EmbeddingHead(Head):
    """Base of the heads that read sentence vectors from an encoder; they learn nothing and score any model.

    Attributes:
        layer: the layer whose vectors are read: 0 for the embeddings, 1 for the first layer, -1 for the last; None for
            the layer that XTREME reads of an encoder of 12 layers (8) or of 24 (14), and for the last of any other.
        pooling: "mean" over the attended tokens, or "cls" for the first token.
        layers: several layers to read in one pass, each with its scores; None for `layer` alone.
        special_tokens: whether the mean includes the special tokens, as in the official code.
        max_length: sentences are cut at this many tokens; at most what the tokenizer allows.
        prefix: put before every sentence, such as "query: " for E5; its tokens count in the mean.
    """

    layer: Annotated[int | None, _settings.optional(_settings.integer)] = None
    pooling: Annotated[str, _settings.choice("mean", "cls")] = "mean"
    layers: Annotated[tuple[int, ...] | None, _settings.optional(_layer_numbers)] = None
    special_tokens: _settings.Flag = True
    max_length: Annotated[int, _settings.at_least(4)] = 512
    prefix: _settings.Prefix = field(default="", repr=False, kw_only=True, metadata=_settings.ADDED)

    @final
    def __post_init__(self) -> None:
        _settings.check_settings(self)
        if self.layer is not None and self.layers is not None:
            raise SettingError(f"{type(self).__name__} takes layer or layers; give one of them.")
        if len(set(self.reads)) < len(self.reads):
            raise SettingError(f"{type(self).__name__} reads {self.reads}, which must be different columns.")

    @final
    def read_length(self, trained_length: int, tokenizer: "PreTrainedTokenizerBase") -> int:  # noqa: ARG002 (as Head)
        """Return `max_length`, or what the tokenizer allows if that is less."""
        return min(self.max_length, tokenizer.model_max_length)

    @final
    def fits(self, signature: Mapping[str, Any]) -> bool:  # noqa: ARG002 (only the encoder is read)
        """Return True: every model has an encoder, whatever it was trained for."""
        return True

    @final
    def check_network(self, network: "PreTrainedModel") -> None:
        """Raise `ModelError` if the encoder does not have a layer that is to be read."""
        for layer in self.layers or (self.layer,):
            check_layer(network, layer, type(self).__name__)

    @final
    def add_targets(self, padded: TensorBatch, batch_rows: BatchRows) -> TensorBatch:
        """Return the batch with `pool`, the tokens that the mean is taken of, shape (rows, longest)."""
        import torch

        pooled = padded["attention_mask"].numpy().astype(bool)
        if not self.special_tokens:
            before, after = map(len, Frame.of(batch_rows.tokenizer).special)
            places, ends = np.arange(pooled.shape[1]), pooled.sum(1, keepdims=True) - after
            pooled = (places >= before) & (places < ends)
        return {**padded, "pool": torch.from_numpy(pooled)}

    @final
    def run(self, network: "PreTrainedModel", batch: Mapping[str, Any]) -> Any:
        """Return the hidden states of all layers of the encoder."""
        encoder: Any = network.base_model
        return encoder(**network_inputs(batch), output_hidden_states=True)

    @final
    def predict(self, outputs: Any, batch: TensorBatch) -> list[Vectors]:
        """Return for each row its vector of every layer that is read."""
        states = outputs.hidden_states
        layers = self._layers(len(states) - 1)
        vectors = {layer: pool(states[layer], batch["pool"], self.pooling).cpu().numpy() for layer in layers}
        return [{layer: rows[row] for layer, rows in vectors.items()} for row in range(len(batch["pool"]))]

    def _layers(self, depth: int) -> tuple[int, ...]:
        """Return the layers to read of an encoder of `depth` layers, as indices of its hidden states."""
        only = official_layer(depth) if self.layer is None else self.layer
        wanted = self.layers or (only,)
        return tuple(dict.fromkeys(layer if layer >= 0 else depth + 1 + layer for layer in wanted))

    @final
    def check_one_layer(self, network: "PreTrainedModel") -> None:
        """Raise `SettingError` if several layers are read, of which a submission takes one."""
        layers = self._layers(int(network.config.num_hidden_layers))
        self.only_layer(dict.fromkeys(layers, np.zeros(0, np.float32)))

    def only_layer(self, vectors: Vectors) -> int:
        """Return the one layer that was read.

        Raises:
            SettingError: if several layers were read, of which a submission takes one.
        """
        if len(vectors) > 1:
            raise SettingError(
                f"{type(self).__name__} reads the layers {list(vectors)}; name the one to submit, for example layer=8."
            )
        return next(iter(vectors))

    def layer_signature(self, layer: int) -> dict[str, Any]:
        """Return the part of a score's signature that describes the vectors."""
        special = {} if self.special_tokens or self.pooling == "cls" else {"special_tokens": False}
        prefix = {"prefix": self.prefix} if self.prefix else {}
        return {"layer": layer, "pooling": self.pooling, **special, **prefix}

    def metric_name(self, metric: str, layer: int) -> str:
        """Return a metric's name, with the layer if several are read: scores of two layers are never averaged."""
        return metric if self.layers is None else f"{metric}@{layer}"

    @final
    def signature(self) -> Mapping[str, Any]:
        """Return the label space: none, no layer is trained."""
        return {"head": "embedding"}


def check_layer(network: "PreTrainedModel", layer: int | None, owner: str) -> None:
    """Raise `ModelError` where the encoder does not have a layer, from 0 for the embeddings or from -1 for the last."""
    depth = int(network.config.num_hidden_layers)
    if layer is not None and not -depth - 1 <= layer <= depth:
        raise ModelError(f"{owner} reads layer {layer}, but the encoder has {depth}; name another.")


def official_layer(depth: int) -> int:
    """Return the layer that XTREME reads of an encoder of 12 or 24 layers, and the last of any other."""
    return _OFFICIAL.get(depth, depth)


def pool(hidden: "torch.Tensor", mask: "torch.Tensor", how: str) -> "torch.Tensor":
    """Return one vector for each sentence, shape (sentences, width).

    The official XTREME code takes the mean over all attended tokens, with the special ones, or the first token.

    Args:
        hidden: the tokens' vectors, shape (sentences, tokens, width).
        mask: the tokens that count, shape (sentences, tokens); a sentence without any gives zeros.
        how: "mean" for the mean over the tokens that count, "cls" for the first token.
    """
    from xquality.models.mean_pooling import mean_of_tokens

    return hidden[:, 0].float() if how == "cls" else mean_of_tokens(hidden, mask)


def search_device() -> str | None:
    """Return the GPU to search for neighbours on if there is one; None for NumPy."""
    import torch

    return "cuda" if torch.cuda.is_available() else None
