"""The shell around transformers' Trainer: keyed data order, the head's loss, and measurements on the way.

May import: errors, heads, isolation, randomness, train.stage | numpy, torch, transformers.
"""

import math
import tempfile
from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from xquality.errors import SettingError, TrainingError, first_line
from xquality.heads import Batch, Encoded, Head
from xquality.isolation import random_state_kept
from xquality.randomness import Bits, Draw
from xquality.train.stage import Stage

Measure = Callable[[int, float | None], None]


def training_order(uids: Bits, seed: int, count: int) -> NDArray[np.int64]:
    """Return the rows to train on, shape (count,): epoch after epoch, each in an order keyed by seed and uid."""
    draw = Draw(seed, "fit", 0, uids)
    epochs = -(-count // len(uids))
    return np.concatenate([draw.order(f"epoch {epoch}") for epoch in range(epochs)])[:count]


def train(
    network: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    stage: Stage,
    encoded: Encoded,
    order: Sequence[int],
    *,
    steps: int,
    seed: int,
    learning_rate: float,
    measure_at: Sequence[int],
    measure: Measure,
) -> None:
    """Train the network in place.

    Args:
        network: the encoder with its head.
        tokenizer: for padding.
        stage: the settings.
        encoded: the rows as token ids.
        order: rows in training order, shape (steps x batch size,).
        steps: how many optimiser steps to make.
        seed: for dropout and whatever else draws inside the network.
        learning_rate: the rate after the warm-up.
        measure_at: the steps to measure at; 0 is before training.
        measure: called with the step and the mean training loss since the last call (None before the first step).
    """
    assert stage.task.head is not None
    losses = _Losses()
    with tempfile.TemporaryDirectory() as scratch:
        accumulation = int(stage.arguments.get("gradient_accumulation_steps", 1))
        settings: dict[str, Any] = {
            "output_dir": scratch,
            "max_steps": steps,
            "per_device_train_batch_size": stage.batch_size // accumulation,
            "learning_rate": learning_rate,
            "lr_scheduler_type": "constant_with_warmup" if stage.schedule == "constant" else stage.schedule,
            "warmup_steps": round(stage.warmup * steps),
            "train_sampling_strategy": "sequential",  # the order is ours already
            "seed": seed,
            "data_seed": seed,
            "save_strategy": "no",
            "logging_strategy": "no",
            "report_to": "none",
            "disable_tqdm": True,
            "remove_unused_columns": False,
            "use_cpu": not torch.cuda.is_available(),
            "dataloader_pin_memory": torch.cuda.is_available(),
            **stage.arguments,
        }
        arguments = _arguments(settings)
        trainer = _Trainer(
            head=stage.task.head,
            losses=losses,
            model=network,
            args=arguments,
            train_dataset=_Order(order),
            data_collator=_Collate(stage.task.head, encoded, int(tokenizer.pad_token_id)),
            callbacks=[_Measurements(measure_at, measure, losses), *stage.callbacks],
        )
        trainer.remove_callback(PrinterCallback)  # the history says what it would print
        torch.manual_seed(seed)
        if 0 in measure_at:
            with random_state_kept():
                measure(0, None)
        trainer.train()
        # Mixed precision wraps the network's forward in place; the next stage must find the class's own.
        for name in ("forward", "_original_forward"):
            network.__dict__.pop(name, None)
    network.eval()  # type: ignore[no-untyped-call]  # torch's own


def _arguments(settings: dict[str, Any]) -> TrainingArguments:
    """Return the Trainer's arguments on one device, so that a batch has the rows that the stage says.

    Raises:
        SettingError: where transformers does not take a setting.
    """
    try:
        arguments = TrainingArguments(**settings)
    except (TypeError, ValueError) as fault:
        raise SettingError(f"Stage(arguments) was refused by transformers: {first_line(fault)}.") from fault
    arguments._n_gpu = min(arguments.n_gpu, 1)  # noqa: SLF001 (transformers has no public way to use one of several)
    return arguments


@final
class _Order(torch.utils.data.Dataset[int]):
    """The rows in training order, as a dataset that transformers reads one after the other."""

    def __init__(self, order: Sequence[int]) -> None:
        self.order = order

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, place: int) -> int:
        return int(self.order[place])


@final
class _Collate:
    """Rows to padded tensors."""

    def __init__(self, head: Head, encoded: Encoded, padding: int) -> None:
        self.head, self.encoded, self.padding = head, encoded, padding

    def __call__(self, rows: list[int]) -> Batch:
        return self.head.batch(self.encoded, rows, self.padding)


@final
class _Losses:
    """The sum of the training losses since it was last read; it stays on the device until then."""

    def __init__(self) -> None:
        self.total: torch.Tensor | None = None
        self.count = 0

    def add(self, loss: torch.Tensor) -> None:
        """Add one batch's mean loss."""
        self.total = loss.detach() if self.total is None else self.total + loss.detach()
        self.count += 1

    def take(self) -> float | None:
        """Return the mean since the last call."""
        mean = None if self.total is None else float(self.total) / self.count
        if mean is not None and not math.isfinite(mean):
            raise TrainingError("The training loss is no longer finite; lower the learning rate, or check the weights.")
        self.total, self.count = None, 0
        return mean


@final
class _Trainer(Trainer):
    """transformers' Trainer with the head's loss."""

    def __init__(self, *, head: Head, losses: _Losses, **others: Any) -> None:
        super().__init__(**others)
        self.head, self.losses = head, losses
        self.model_accepts_loss_kwargs = False  # the loss below is a mean over the batch

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,  # noqa: ARG002 (the Trainer's signature)
    ) -> Any:
        """Return the head's loss of one batch."""
        outputs = model(**{name: one for name, one in inputs.items() if name not in ("labels", "weights")})
        loss = self.head.loss(outputs, inputs)
        self.losses.add(loss)
        return (loss, outputs) if return_outputs else loss


@final
class _Measurements(TrainerCallback):
    """Measure at the chosen steps, with the random state kept."""

    def __init__(self, steps: Sequence[int], measure: Measure, losses: _Losses) -> None:
        self.steps, self.measure, self.losses = frozenset(steps), measure, losses

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:  # noqa: ARG002 (the callback's signature)
        """Measure after a step that is among the chosen ones."""
        if state.global_step in self.steps:
            with random_state_kept():
                self.measure(state.global_step, self.losses.take())
