"""Which weights of a network a stage leaves as they are, and which belong to its head."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from xquality.errors import SettingError
from xquality.train.stage import Stage

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_POOLER = "pooler."


def check_frozen_layers(stage: Stage, encoder: "PreTrainedModel") -> None:
    """Raise `SettingError` where a stage freezes more layers than the encoder has, or its layers cannot be told."""
    if not stage.frozen_layers:
        return
    layers = _layers_of(encoder)
    if layers is None:
        raise SettingError(
            f"Stage(frozen_layers={stage.frozen_layers}) needs an encoder with a list of layers, which "
            f"{type(encoder).__name__} does not have; set frozen_layers=0."
        )
    if stage.frozen_layers > len(layers):
        raise SettingError(
            f"Stage(frozen_layers={stage.frozen_layers}) is more than the {len(layers)} layers of the model; lower it."
        )


@contextmanager
def freeze(stage: Stage, networks: "Sequence[PreTrainedModel]") -> Iterator[None]:
    """Compute no gradients of the weights that a stage freezes, inside the block; an optimiser then skips them too."""
    encoder: Any = networks[0].base_model  # the networks of a mixture share it
    frozen: list[torch.nn.Module] = []
    if stage.frozen_embeddings:
        frozen.append(encoder.get_input_embeddings())
    if stage.frozen_layers:
        words = encoder.get_input_embeddings()
        below = [part for part in encoder.children() if any(module is words for module in part.modules())]
        frozen += [*below, *(_layers_of(encoder) or ())[: stage.frozen_layers]]
    trained = [weights for part in frozen for weights in part.parameters() if weights.requires_grad]
    for weights in trained:
        weights.requires_grad_(False)
    try:
        yield
    finally:
        for weights in trained:
            weights.requires_grad_(True)


def list_head_weights(networks: "Sequence[PreTrainedModel]") -> list[torch.nn.Parameter]:
    """Return the weights of the heads: all that are not the encoder's, and the encoder's pooler where it has one."""
    inside = {
        id(weights)
        for network in networks
        for name, weights in network.base_model.named_parameters()
        if not name.startswith(_POOLER)
    }
    found = {id(weights): weights for network in networks for weights in network.parameters()}
    return [weights for number, weights in found.items() if number not in inside]


def set_learning_rate(optimizer: torch.optim.Optimizer, weights: Sequence[torch.nn.Parameter], rate: float) -> None:
    """Give some weights of an optimiser a learning rate of their own, in groups of their own."""
    own = {id(parameter) for parameter in weights}
    for group in list(optimizer.param_groups):
        moved = [parameter for parameter in group["params"] if id(parameter) in own]
        if moved:
            group["params"] = [parameter for parameter in group["params"] if id(parameter) not in own]
            optimizer.add_param_group({**group, "params": moved, "lr": rate})
    optimizer.param_groups[:] = [group for group in optimizer.param_groups if group["params"]]


def _layers_of(encoder: Any) -> Any:
    """Return the list of an encoder's layers; None where it has none of the number that its configuration names."""
    depth = getattr(encoder.config, "num_hidden_layers", None)
    lists = (part for part in encoder.modules() if isinstance(part, torch.nn.ModuleList))
    return next((part for part in lists if len(part) == depth), None)
