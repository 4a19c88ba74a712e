"""The network that a stage trains: the encoder so far under one head, or under several that share it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast, final

import torch
from transformers import PreTrainedModel

from xquality.models.model import Model, quiet_transformers
from xquality.randomness import derive_seed
from xquality.train import processes
from xquality.train.stage import Stage

_POOLER = "pooler."


@final
class MultiTaskNetwork(torch.nn.Module):
    """Several networks, each with a head of its own, over one shared encoder."""

    def __init__(self, networks: list[PreTrainedModel]) -> None:
        super().__init__()
        self.parts = torch.nn.ModuleList(networks)  # the name is a part of every weight's name in checkpoints
        first = networks[0]
        for other in networks[1:]:
            for name, child in first.base_model.named_children():
                if name != _POOLER.rstrip("."):  # where a head pools, its pooler is its own
                    setattr(other.base_model, name, child)
            other.tie_weights()  # an output layer that shares its weights with the embeddings

    @property
    def config(self) -> Any:
        """The first network's configuration, for transformers' Trainer."""
        return self.parts[0].config

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.parameters()).device

    def activation_checkpointing_enable(self, **settings: Any) -> None:
        """Recompute activations in the backward pass, in all of the networks."""
        for network in cast("Iterable[Any]", self.parts):
            network.activation_checkpointing_enable(**settings)

    def forward(self, task: int, **inputs: Any) -> Any:
        """Return the output of the network of one task, by its place in the stage."""
        return self.parts[task](**inputs)


def build_networks(stage: Stage, start: Model, seed: int, scratch: Path) -> list[PreTrainedModel]:
    """Return one network for each task of the stage, each with the encoder so far and a head of its own.

    A fresh head is drawn from the stage's seed, that of a further task of a mixture from its name too; the pooler of an
    encoder such as BERT's is a part of it, so it passes neither from the pretraining nor from an earlier stage. A head
    that is carried over comes with the network so far.

    Args:
        stage: the settings.
        start: the model so far.
        seed: the stage's own.
        scratch: a folder that does not exist yet, through which the encoder is copied.
    """
    carried = [start.network] if stage.head == "carry" else []
    if len(carried) == len(stage.tasks):
        return carried
    with quiet_transformers():
        # Loading the encoder from a folder is the only way to a network whose head is fresh in all its layers.
        scratch = Path(processes.broadcast(str(scratch)))  # of several processes on a machine, only the first writes
        encoder = start.encoder()
        # The pooler of BERT is a layer of the head: XLM-R, whose head has one of its own, draws it anew as well.
        kept = {name: tensor for name, tensor in encoder.state_dict().items() if not name.startswith(_POOLER)}
        encoder.save_pretrained(scratch, state_dict=kept)
        processes.barrier()
        fresh = []
        for place, (task, head) in enumerate(zip(stage.tasks, stage.heads, strict=True)):
            if place >= len(carried):
                torch.manual_seed(derive_seed("head", seed, *([task.name] if place else [])))
                fresh.append(head.build(scratch))
    return carried + fresh
