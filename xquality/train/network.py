"""The network that a stage trains: the encoder so far under one fresh head, or under several that share it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast, final

import torch
from transformers import PreTrainedModel

from xquality.models.model import Model, quiet_transformers
from xquality.randomness import derive_seed
from xquality.train import processes
from xquality.train.stage import Stage


@final
class Shared(torch.nn.Module):
    """Several networks with heads of their own over one encoder."""

    def __init__(self, parts: list[PreTrainedModel]) -> None:
        super().__init__()
        self.parts = torch.nn.ModuleList(parts)
        first = parts[0]
        for other in parts[1:]:
            for name, child in first.base_model.named_children():
                if name != "pooler":  # where a head pools, its pooler is its own
                    setattr(other.base_model, name, child)
            other.tie_weights()  # an output layer that is tied to the embeddings

    @property
    def config(self) -> Any:
        """The first network's configuration, for transformers' Trainer."""
        return self.parts[0].config

    @property
    def device(self) -> torch.device:
        """Where the weights lie."""
        return next(self.parameters()).device

    def activation_checkpointing_enable(self, **settings: Any) -> None:
        """Compute activations anew in the backward pass, in all of the networks."""
        for one in cast("Iterable[Any]", self.parts):
            one.activation_checkpointing_enable(**settings)

    def forward(self, part: int, **inputs: Any) -> Any:
        """Return the output of one of the networks."""
        return self.parts[part](**inputs)


def build(stage: Stage, start: Model, seed: int, scratch: Path) -> list[PreTrainedModel]:
    """Return one network for each task of the stage, each with the encoder so far and a head of its own.

    A fresh head is drawn from the stage's seed, and that of a further task from its name too. A head that is carried
    over comes with the network so far.

    Args:
        stage: the settings.
        start: the model so far.
        seed: the stage's own.
        scratch: a folder that does not exist yet, to pass the encoder through.
    """
    carried = [start.network] if stage.head == "carry" else []
    tasks = stage.tasks[len(carried) :]
    if not tasks:
        return carried
    with quiet_transformers():
        # Through a folder: loading an encoder alone is the one way to a head that is fresh in all its layers.
        scratch = Path(processes.agreed(str(scratch)))  # of several processes on a machine, transformers lets one write
        start.encoder().save_pretrained(scratch)
        processes.wait()
        fresh = []
        for place, task in enumerate(tasks, len(carried)):
            torch.manual_seed(derive_seed("head", seed, *([task.name] if place else [])))
            fresh.append(stage.head_of(task).build(scratch))
    return carried + fresh
