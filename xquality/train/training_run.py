"""TrainingRun: what happens between the steps of a stage, and what a checkpoint keeps to resume it exactly."""

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import torch

from xquality.errors import TrainingError
from xquality.models.isolation import preserve_random_state
from xquality.records import Point
from xquality.study.planning import current_planner
from xquality.train import processes
from xquality.train.checkpoint import (
    Checkpoints,
    extract_tensors,
    get_random_state,
    insert_tensors,
    set_random_state,
)
from xquality.train.selection import CheckpointSelector

MakePoints = Callable[[int, float | None], list[Point]]


def _own_name() -> str:
    """Return the name under which a checkpoint keeps what belongs to this process alone."""
    return f"process/{processes.rank()}"


@final
class LossSum:
    """The sum of the training losses since it was last read; it stays on the device until then."""

    def __init__(self) -> None:
        self.total: torch.Tensor | None = None
        self.count = 0
        self.last: torch.Tensor | None = None  # of the last batch, to be shown

    def add(self, loss: torch.Tensor) -> None:
        """Add one batch's mean loss."""
        self.last = loss.detach()
        self.total = self.last if self.total is None else self.total + self.last
        self.count += 1

    def read_mean(self) -> float | None:
        """Return the mean since the last call, over all processes that train together; None for no losses.

        Raises:
            TrainingError: where it is not finite.
        """
        mean = None if self.total is None else processes.mean(float(self.total) / self.count)
        if mean is not None and not math.isfinite(mean):
            raise TrainingError("The training loss is no longer finite; lower the learning rate, or check the weights.")
        self.total, self.count = None, 0
        return mean


@final
class TrainingRun:
    """The measurements, the selection of weights and the checkpoints of one run.

    Args:
        network: the network that is trained.
        measure_at: the steps to measure after; 0 is before training.
        make_points: called with the step and the mean loss since the last call, which is None before the first step.
        selector: evaluates the weights on the way.
        checkpoints: where the run is kept; None for nowhere.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        measure_at: Sequence[int],
        make_points: MakePoints,
        selector: CheckpointSelector,
        checkpoints: Checkpoints | None,
    ) -> None:
        self.network, self.measure_at, self.make_points = network, frozenset(measure_at), make_points
        self.selector, self.checkpoints = selector, checkpoints
        self.losses, self.points = LossSum(), list[Point]()
        self.step = 0
        self._measured: int | None = None  # the last step that was measured
        self._checkpoint = checkpoints.read() if checkpoints is not None else None
        if self._checkpoint is not None:
            state, tensors = self._checkpoint
            self.step = int(state["step"])
            self.points = [Point(**point) for point in state["points"]]
            self._measured = max((point.step for point in self.points), default=None)
            self.losses.count = state["losses"]
            self.losses.total = tensors.get(f"{_own_name()}/losses")
            self.selector.restore(state["chooser"], tensors)

    def measure_start(self) -> None:
        """Measure before the first step, unless the run resumes from a checkpoint."""
        if not self.step and 0 in self.measure_at:
            with preserve_random_state():
                self.points += self.make_points(0, None)
            self._measured = 0

    def restore(self, optimizer: Any, scheduler: Any, scaler: Any, device: torch.device) -> None:
        """Restore weights, optimiser and schedule from the checkpoint, if there is one."""
        if self._checkpoint is None:
            return
        state, tensors = self._checkpoint
        prefix = "network/"
        self.network.load_state_dict(
            {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}
        )
        optimizer.load_state_dict(insert_tensors(state["optimizer"], tensors))
        scheduler.load_state_dict(insert_tensors(state["scheduler"], tensors))
        if scaler is not None and state["scaler"] is not None:
            scaler.load_state_dict(insert_tensors(state["scaler"], tensors))
        if self.losses.total is not None:
            self.losses.total = self.losses.total.to(device)

    def restore_random_state(self) -> None:
        """Restore the random states once; the data loader has drawn its seed by then."""
        if self._checkpoint is not None:
            state, tensors = self._checkpoint
            set_random_state(state["random"][processes.rank()], tensors, _own_name())
            self._checkpoint = None

    def finish_step(self, step: int, optimizer: Any, scheduler: Any, scaler: Any, *, last: bool) -> bool:
        """Measure, select and write a checkpoint after a step, where these are due; return whether to stop."""
        self.step = step
        planner = current_planner()
        if planner is not None:
            planner.add_step()
        stop = False
        if step in self.selector.steps:
            with preserve_random_state():
                stop = self.selector.evaluate(step, self.network)
        if step in self.measure_at or stop:
            with preserve_random_state():
                self._measure(step)
        due = self.checkpoints is not None and step % self.checkpoints.every == 0
        if due and not stop and not last:
            self._write_checkpoint(optimizer, scheduler, scaler)
        return stop

    def finish(self) -> None:
        """Measure and select after the last step, where a callback has stopped the run before the planned one."""
        if not self.step:
            return
        with preserve_random_state():
            if self.selector.steps and self.step not in [step for step, _ in self.selector.evaluations]:
                self.selector.evaluate(self.step, self.network)
            if self._measured != self.step:
                self._measure(self.step)

    def _measure(self, step: int) -> None:
        """Add the points of a step."""
        self.points += self.make_points(step, self.losses.read_mean())
        self._measured = step

    def _write_checkpoint(self, optimizer: Any, scheduler: Any, scaler: Any) -> None:
        """Write a checkpoint by the first process, with the random states and losses of all of them."""
        assert self.checkpoints is not None
        own_state, own_tensors = get_random_state(_own_name())
        if self.losses.total is not None:
            own_tensors[f"{_own_name()}/losses"] = self.losses.total.cpu()
        gathered = processes.all_gather((own_state, own_tensors))
        if not processes.is_first():
            return
        selector_state, tensors = self.selector.state()
        for _, process_tensors in gathered:
            tensors |= process_tensors
        tensors |= {f"network/{name}": tensor for name, tensor in self.network.state_dict().items()}
        state: Mapping[str, Any] = {
            "points": [dataclasses.asdict(point) for point in self.points],
            "losses": self.losses.count,
            "chooser": selector_state,
            "optimizer": extract_tensors(optimizer.state_dict(), "optimizer", tensors),
            "scheduler": extract_tensors(scheduler.state_dict(), "scheduler", tensors),
            "scaler": None if scaler is None else extract_tensors(scaler.state_dict(), "scaler", tensors),
            "random": [process_state for process_state, _ in gathered],
        }
        self.checkpoints.write(self.step, state, tensors)
