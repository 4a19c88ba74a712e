"""CheckpointSelector: looks at the weights on the way, remembers those that may be chosen, and chooses at the end."""

from collections.abc import Callable, Mapping
from typing import Any, final

import torch

from xquality.train.checkpoint import Tensors
from xquality.train.selection import Selection


@final
class CheckpointSelector:
    """What a `Selection` has seen of one run; it goes into a checkpoint and comes back from it.

    Args:
        selection: the rule.
        steps: how many steps the run may have.
        score: gives the score of the present weights; None where the rule needs none.
    """

    def __init__(self, selection: Selection, steps: int, score: Callable[[], float] | None) -> None:
        self.selection, self.score = selection, score
        self.at = frozenset(selection.looks(steps))
        self.looks: list[tuple[int, float | None]] = []
        self.kept: dict[int, Tensors] = {}  # weights by the step they are of

    def look(self, step: int, network: torch.nn.Module) -> bool:
        """Look at the weights after a step; return whether the run should stop here."""
        value = self.score() if self.score is not None else None
        self.looks.append((step, value))
        if self.selection.rule == "average":
            self.kept[step] = _copy(network)
            for old in sorted(self.kept)[: -self.selection.count]:
                del self.kept[old]
            return False
        if self.best == step:
            self.kept = {step: _copy(network)}
        patience = self.selection.patience
        return patience is not None and sum(one > self.best for one, _ in self.looks) >= patience

    @property
    def best(self) -> int:
        """The step of the best look, the first of equals."""
        return max(self.looks, key=lambda one: (one[1] if one[1] is not None else 0.0, -one[0]))[0]

    def finish(self, network: torch.nn.Module, last: int) -> dict[str, Any]:
        """Give the network the chosen weights; return what the history keeps of the choice."""
        if not self.looks:
            return {**self.selection.settings(), "chosen_step": last}
        network.load_state_dict(_mean(list(self.kept.values())))
        chosen: Any = sorted(self.kept) if self.selection.rule == "average" else self.best
        looks = [list(one) for one in self.looks] if self.selection.scores else []
        return {**self.selection.settings(), "chosen_step": chosen, "looks": looks}

    def state(self) -> tuple[dict[str, Any], Tensors]:
        """Return what a checkpoint keeps."""
        tensors = {f"kept/{step}/{name}": one for step, kept in self.kept.items() for name, one in kept.items()}
        return {"looks": self.looks}, tensors

    def restore(self, state: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> None:
        """Put back what `state` returned."""
        self.looks = [(int(step), value) for step, value in state["looks"]]
        self.kept = {}
        for name, one in tensors.items():
            if name.startswith("kept/"):
                _, step, rest = name.split("/", 2)
                self.kept.setdefault(int(step), {})[rest] = one


def _copy(network: torch.nn.Module) -> Tensors:
    """Return a copy of all weights and buffers, in main memory."""
    return {name: one.detach().cpu().clone() for name, one in network.state_dict().items()}


def _mean(kept: list[Tensors]) -> Tensors:
    """Return the mean of several weights; of whole numbers, which have none, the last."""
    if len(kept) == 1:
        return kept[0]
    return {
        name: torch.stack([one[name].double() for one in kept]).mean(0).to(last.dtype)
        if last.is_floating_point()
        else last
        for name, last in kept[-1].items()
    }
