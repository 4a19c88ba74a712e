"""Progress: how far a training run has come, with all that a checkpoint must keep to go on exactly."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import torch

from xquality.errors import TrainingError
from xquality.models.isolation import preserve_random_state
from xquality.records import Point
from xquality.train import processes
from xquality.train.checkpoint import (
    Checkpoints,
    packed,
    random_state,
    set_random_state,
    unpacked,
)
from xquality.train.checkpoint_selector import CheckpointSelector

Measure = Callable[[int, float | None], list[Point]]


def _own() -> str:
    """Return the name of what this process alone has in a checkpoint."""
    return f"process/{processes.number()}"


@final
class Losses:
    """The sum of the training losses since it was last read; it stays on the device until then."""

    def __init__(self) -> None:
        self.total: torch.Tensor | None = None
        self.count = 0

    def add(self, loss: torch.Tensor) -> None:
        """Add one batch's mean loss."""
        self.total = loss.detach() if self.total is None else self.total + loss.detach()
        self.count += 1

    def take(self) -> float | None:
        """Return the mean since the last call, over all processes that train together.

        Raises:
            TrainingError: where it is not finite.
        """
        mean = None if self.total is None else processes.mean(float(self.total) / self.count)
        if mean is not None and not math.isfinite(mean):
            raise TrainingError("The training loss is no longer finite; lower the learning rate, or check the weights.")
        self.total, self.count = None, 0
        return mean


@final
class Progress:
    """One run: what was measured, what was looked at, and its checkpoints.

    Args:
        network: what is trained.
        measure_at: the steps to measure after; 0 is before training.
        measure: called with the step and the mean loss since the last call, None before the first step.
        chooser: looks at the weights on the way.
        checkpoints: where the run is kept; None for nowhere.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        measure_at: Sequence[int],
        measure: Measure,
        chooser: CheckpointSelector,
        checkpoints: Checkpoints | None,
    ) -> None:
        self.network, self.measure_at, self.measure = network, frozenset(measure_at), measure
        self.chooser, self.checkpoints = chooser, checkpoints
        self.losses, self.points = Losses(), list[Point]()
        self.step = 0
        self._kept = checkpoints.read() if checkpoints is not None else None
        if self._kept is not None:
            state, tensors = self._kept
            self.step = int(state["step"])
            self.points = [Point(**one) for one in state["points"]]
            self.losses.count = state["losses"]
            self.losses.total = tensors.get(f"{_own()}/losses")
            self.chooser.restore(state["chooser"], tensors)

    def begin(self) -> None:
        """Measure before the first step, unless the run goes on from a checkpoint."""
        if not self.step and 0 in self.measure_at:
            with preserve_random_state():
                self.points += self.measure(0, None)

    def restore(self, optimizer: Any, scheduler: Any, scaler: Any, device: torch.device) -> None:
        """Put weights, optimiser and schedule back where the checkpoint had them."""
        if self._kept is None:
            return
        state, tensors = self._kept
        prefix = "network/"
        self.network.load_state_dict(
            {name.removeprefix(prefix): one for name, one in tensors.items() if name.startswith(prefix)}
        )
        optimizer.load_state_dict(unpacked(state["optimizer"], tensors))
        scheduler.load_state_dict(unpacked(state["scheduler"], tensors))
        if scaler is not None and state["scaler"] is not None:
            scaler.load_state_dict(unpacked(state["scaler"], tensors))
        if self.losses.total is not None:
            self.losses.total = self.losses.total.to(device)

    def restore_random_state(self) -> None:
        """Put the random states back; the loader of the rows has drawn its own number by now."""
        if self._kept is not None:
            state, tensors = self._kept
            set_random_state(state["random"][processes.number()], tensors, _own())
            self._kept = None

    def after(self, step: int, optimizer: Any, scheduler: Any, scaler: Any, *, last: bool) -> bool:
        """Measure, look and keep after a step, where it is time to; return whether the run should stop."""
        self.step = step
        stop = False
        if step in self.chooser.at:
            with preserve_random_state():
                stop = self.chooser.look(step, self.network)
        if step in self.measure_at or stop:
            with preserve_random_state():
                self.points += self.measure(step, self.losses.take())
        due = self.checkpoints is not None and step % self.checkpoints.every == 0
        if due and not stop and not last:
            self._keep(optimizer, scheduler, scaler)
        return stop

    def _keep(self, optimizer: Any, scheduler: Any, scaler: Any) -> None:
        """Write a checkpoint: the first process does, with what each of them has drawn and lost so far."""
        assert self.checkpoints is not None
        random, states = random_state(_own())
        if self.losses.total is not None:
            states[f"{_own()}/losses"] = self.losses.total.cpu()
        each = processes.gathered((random, states))
        if not processes.is_first():
            return
        chosen, tensors = self.chooser.state()
        for _, own in each:
            tensors |= own
        tensors |= {f"network/{name}": one for name, one in self.network.state_dict().items()}
        state: Mapping[str, Any] = {
            "points": [dataclasses.asdict(one) for one in self.points],
            "losses": self.losses.count,
            "chooser": chosen,
            "optimizer": packed(optimizer.state_dict(), "optimizer", tensors),
            "scheduler": packed(scheduler.state_dict(), "scheduler", tensors),
            "scaler": None if scaler is None else packed(scaler.state_dict(), "scaler", tensors),
            "random": [own for own, _ in each],
        }
        self.checkpoints.write(self.step, state, tensors)
