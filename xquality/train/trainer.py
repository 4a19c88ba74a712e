"""The shell around transformers' Trainer: keyed data order, the head's loss, and measurements on the way."""

import functools
import tempfile
from collections.abc import Iterator, Sequence
from typing import Any, final

import torch
from transformers import PreTrainedTokenizerBase, PrinterCallback, Trainer, TrainerCallback

from xquality.heads import Batch, EpochContext, TrainableHead
from xquality.models._transformers import gradient_scaler, restore_forward
from xquality.train import memory, processes
from xquality.train.arguments import arguments
from xquality.train.progress import Losses, Progress
from xquality.train.stage import Stage
from xquality.train.training_plan import TrainingPlan

_PART = "part"  # which task of a mixture a batch is of


def train(
    network: torch.nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    stage: Stage,
    course: TrainingPlan,
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
        settings = arguments(stage, course.steps, scratch, seed, learning_rate)
        with memory.training(stage):
            trainer = _Trainer(
                heads=heads,
                losses=progress.losses,
                model=network,
                args=settings,
                train_dataset=_Places(progress.step * course.batch_size, len(course.order)),
                data_collator=_Collate(heads, course, tokenizer, seed),
                callbacks=[_Steps(progress, course.steps), *stage.callbacks],
            )
        trainer.remove_callback(PrinterCallback)  # the history says what it would print
        for callback in trainer.callback_handler.callbacks:
            if isinstance(callback, _Steps):
                callback.scaler = gradient_scaler(trainer)
        torch.manual_seed(seed)
        progress.begin()
        with memory.training(stage):
            trainer.train()
        restore_forward(network)  # the next stage must find the class's own, without this stage's mixed precision
    network.eval()
    return progress.step


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
    """Indices of the training order to padded tensors of the rows that stand there."""

    def __init__(
        self, heads: Sequence[TrainableHead], course: TrainingPlan, tokenizer: PreTrainedTokenizerBase, seed: int
    ) -> None:
        self.heads, self.course, self.tokenizer, self.seed = heads, course, tokenizer, seed

    def __call__(self, places: list[int]) -> Batch:
        order = self.course.order
        part = int(order.parts[places[0]])  # a step's rows are all of one task
        visit = EpochContext(self.seed, order.passes[places].tolist())
        batch = self.heads[part].batch(self.course.encoded[part], order.rows[places].tolist(), self.tokenizer, visit)
        return {**batch, _PART: torch.tensor(part)} if len(self.heads) > 1 else batch


@final
class _Trainer(Trainer):
    """transformers' Trainer with the heads' losses."""

    def __init__(self, *, heads: Sequence[TrainableHead], losses: Losses, **others: Any) -> None:
        super().__init__(**others)
        self.heads, self.losses = heads, losses
        self.model_accepts_loss_kwargs = False  # the loss below is a mean over the batch

    def get_batch_samples(self, epoch_iterator: Iterator[Batch], num_batches: int, device: torch.device) -> Any:
        """Return the parts of a step, each with its share of the step's tokens where a loss is a mean over tokens.

        The parts' losses are averaged, whatever they hold; without the share a word of a short part would count more.
        """
        samples, items = super().get_batch_samples(epoch_iterator, num_batches, device)
        parts = self.args.gradient_accumulation_steps * processes.count()
        if parts > 1 and samples:
            head = self.heads[int(samples[0].get(_PART, 0))]
            counts = [head.counted(one) for one in samples]
            own = [one for one in counts if one is not None]
            if len(own) == len(counts):
                total = sum(map(sum, processes.gathered(own)))
                for one, count in zip(samples, own, strict=True):
                    one["share"] = torch.tensor(count * parts / max(1, total), device=device)
        return samples, items

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
