"""The shell around transformers' Trainer: keyed data order, the head's loss, and measurements on the way.

May import: errors, heads, train.course, train.processes, train.progress, train.stage | torch, transformers.
"""

import functools
import tempfile
from collections.abc import Sequence
from typing import Any, final

import torch
from transformers import (
    PreTrainedTokenizerBase,
    PrinterCallback,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)

from xquality.errors import SettingError, TrainingError, first_line
from xquality.heads import Batch, TrainableHead, Visit
from xquality.train import processes
from xquality.train.course import Course
from xquality.train.progress import Losses, Progress
from xquality.train.stage import Stage

_PART = "part"  # which task of a mixture a batch is of


def train(
    network: torch.nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    stage: Stage,
    course: Course,
    progress: Progress,
    *,
    seed: int,
    learning_rate: float,
) -> int:
    """Train the network in place and return after how many steps it stopped.

    Args:
        network: the encoder with its head, or several heads over it.
        tokenizer: for padding.
        stage: the settings.
        course: the rows in training order.
        progress: where the run begins, and what happens on the way.
        seed: for dropout and whatever else draws inside the network.
        learning_rate: the rate after the warm-up.

    Raises:
        SettingError: where transformers does not take a setting.
        TrainingError: where the loss is no longer finite, or a batch does not fit into the device's memory.
    """
    heads = [stage.head_of(one) for one in stage.tasks]
    with tempfile.TemporaryDirectory() as scratch:
        arguments = _arguments(_settings(stage, course, scratch, seed, learning_rate))
        trainer = _Trainer(
            heads=heads,
            losses=progress.losses,
            model=network,
            args=arguments,
            train_dataset=_Places(progress.step * course.batch_size, len(course.order)),
            data_collator=_Collate(heads, course, tokenizer, seed),
            callbacks=[_Steps(progress, course.steps), *stage.callbacks],
        )
        trainer.remove_callback(PrinterCallback)  # the history says what it would print
        for callback in trainer.callback_handler.callbacks:
            if isinstance(callback, _Steps):
                callback.scaler = getattr(trainer.accelerator, "scaler", None)
        torch.manual_seed(seed)
        progress.begin()
        try:
            trainer.train()
        except torch.OutOfMemoryError as fault:
            raise TrainingError(
                f"A batch of {stage.batch_size} rows of up to {stage.max_length} tokens does not fit into the device's "
                f"memory; set Stage(batch_size={max(1, stage.batch_size // 2)}), or keep the batch and compute it in "
                "parts with arguments={'gradient_accumulation_steps': 2}."
            ) from fault
        # Mixed precision wraps the network's forward in place; the next stage must find the class's own.
        for name in ("forward", "_original_forward"):
            network.__dict__.pop(name, None)
    network.eval()
    return progress.step


def _settings(stage: Stage, course: Course, scratch: str, seed: int, learning_rate: float) -> dict[str, Any]:
    """Return the Trainer's settings."""
    accumulation = int(stage.arguments.get("gradient_accumulation_steps", 1))
    together = processes.count()
    if stage.batch_size % (accumulation * together):
        raise SettingError(
            f"Stage(batch_size={stage.batch_size}) cannot be cut into {accumulation} parts for {together} processes; "
            "choose a multiple."
        )
    return {
        "output_dir": scratch,
        "max_steps": course.steps,
        "per_device_train_batch_size": stage.batch_size // accumulation // together,
        "learning_rate": learning_rate,
        "lr_scheduler_type": "constant_with_warmup" if stage.schedule == "constant" else stage.schedule,
        "warmup_steps": round(stage.warmup * course.steps),
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
class _Places(torch.utils.data.Dataset[int]):
    """The places of the training order that are left, as a dataset that transformers reads one after the other."""

    def __init__(self, start: int, end: int) -> None:
        self.start, self.end = start, end

    def __len__(self) -> int:
        return self.end - self.start

    def __getitem__(self, place: int) -> int:
        return self.start + place


@final
class _Collate:
    """Places of the training order to padded tensors of the rows that stand there."""

    def __init__(
        self, heads: Sequence[TrainableHead], course: Course, tokenizer: PreTrainedTokenizerBase, seed: int
    ) -> None:
        self.heads, self.course, self.tokenizer, self.seed = heads, course, tokenizer, seed

    def __call__(self, places: list[int]) -> Batch:
        order = self.course.order
        part = int(order.parts[places[0]])  # a step's rows are all of one task
        visit = Visit(self.seed, order.passes[places].tolist())
        batch = self.heads[part].batch(self.course.encoded[part], order.rows[places].tolist(), self.tokenizer, visit)
        return {**batch, _PART: torch.tensor(part)} if len(self.heads) > 1 else batch


@final
class _Trainer(Trainer):
    """transformers' Trainer with the heads' losses."""

    def __init__(self, *, heads: Sequence[TrainableHead], losses: Losses, **others: Any) -> None:
        super().__init__(**others)
        self.heads, self.losses = heads, losses
        self.model_accepts_loss_kwargs = False  # the loss below is a mean over the batch

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,  # noqa: ARG002 (the Trainer's signature)
    ) -> Any:
        """Return the loss of one batch, of the head whose task it is."""
        part = int(inputs.pop(_PART, 0))
        network: Any = functools.partial(model, part) if len(self.heads) > 1 else model
        outputs = self.heads[part].run(network, inputs)
        loss = self.heads[part].loss(outputs, inputs)
        self.losses.add(loss)
        return (loss, outputs) if return_outputs else loss


@final
class _Steps(TrainerCallback):
    """What happens around the steps of a run, with the random state kept."""

    def __init__(self, progress: Progress, steps: int) -> None:
        self.progress, self.steps, self.scaler = progress, steps, None

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:  # noqa: ARG002 (the callback's signature)
        """Go on from the checkpoint, where there is one."""
        self.progress.restore(others["optimizer"], others["lr_scheduler"], self.scaler, args.device)
        state.global_step = self.progress.step

    def on_step_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:  # noqa: ARG002 (the callback's signature)
        """Put the random state back before the first step."""
        self.progress.restore_random_state()

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:  # noqa: ARG002 (the callback's signature)
        """Measure, look and keep."""
        step = state.global_step
        stop = self.progress.after(
            step, others["optimizer"], others["lr_scheduler"], self.scaler, last=step == self.steps
        )
        control.should_training_stop = control.should_training_stop or stop
