"""The adapter to transformers' Trainer: the order of the rows, the heads' losses, and what happens between steps."""

import functools
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from typing import Any, final

import torch
from transformers import PreTrainedTokenizerBase, PrinterCallback, Trainer, TrainerCallback

from xquality.evaluation.progress import make_bar
from xquality.heads import CountsTokens, EpochContext, TensorBatch, TrainableHead
from xquality.models._transformers import gradient_scaler, restore_forward
from xquality.train import memory, processes
from xquality.train.arguments import logging_folder, make_arguments
from xquality.train.freezing import list_head_weights, set_learning_rate
from xquality.train.stage import Stage
from xquality.train.training_plan import TrainingPlan
from xquality.train.training_run import LossSum, TrainingRun

_PAUSE = 0.5  # seconds between two losses that the bar shows
_TASK = "task"  # in the batches of a mixture: the place of their task in the stage


def train(
    network: torch.nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    stage: Stage,
    plan: TrainingPlan,
    run: TrainingRun,
    *,
    seed: int,
    learning_rate: float,
    progress: bool | None = False,
) -> int:
    """Train the network in place and return after how many steps it stopped.

    Args:
        network: the encoder with its head, or with several heads.
        tokenizer: for padding.
        stage: the settings.
        plan: the rows in training order.
        run: from which step the run resumes, and what happens between steps.
        seed: for dropout and whatever else is drawn inside the network.
        learning_rate: the rate after the warm-up.
        progress: whether to show a bar; None for only in terminals and notebooks.

    Raises:
        SettingError: where transformers does not take a setting.
        TrainingError: where the loss is no longer finite, or a batch does not fit into the device's memory.
    """
    with tempfile.TemporaryDirectory() as scratch:
        arguments = make_arguments(stage, plan.steps, scratch, seed, learning_rate)
        steps, reports = _StepCallback(run, plan), _ReportCallback(run, plan)
        with memory.explain_training(stage), logging_folder(stage):
            trainer = _Trainer(
                heads=stage.heads,
                losses=run.losses,
                head_learning_rate=stage.head_learning_rate,
                model=network,
                args=arguments,
                train_dataset=_Positions(run.step * plan.batch_size, len(plan.order)),
                data_collator=_Collator(stage.heads, plan, tokenizer, seed),
                callbacks=[steps, *stage.callbacks],
            )
        trainer.remove_callback(PrinterCallback)  # the history has what it would print
        if stage.has_reports:
            reports.trainer = trainer
            trainer.add_callback(reports)
        steps.scaler = gradient_scaler(trainer)
        torch.manual_seed(seed)
        run.measure_start()
        is_shown = progress if processes.is_first() else False
        with make_bar(plan.steps, stage.task.name, "step", progress=is_shown, done=run.step) as bar:
            trainer.add_callback(_BarCallback(bar, run.losses))
            with memory.explain_training(stage):
                trainer.train()
            run.finish()
        if stage.has_reports:
            reports.log_points()
        restore_forward(network)  # the next stage must find the class's own, without this stage's mixed precision
    network.eval()
    return run.step


@final
class _Positions(torch.utils.data.Dataset[int]):
    """The remaining positions of the training order, as the dataset that transformers reads sequentially."""

    def __init__(self, start: int, end: int) -> None:
        self.start, self.end = start, end

    def __len__(self) -> int:
        return self.end - self.start

    def __getitem__(self, place: int) -> int:
        return self.start + place


@final
class _Collator:
    """Makes padded tensors of the rows at some positions of the training order."""

    def __init__(
        self, heads: Sequence[TrainableHead], plan: TrainingPlan, tokenizer: PreTrainedTokenizerBase, seed: int
    ) -> None:
        self.heads, self.plan, self.tokenizer, self.seed = heads, plan, tokenizer, seed

    def __call__(self, positions: list[int]) -> TensorBatch:
        order = self.plan.order
        task = int(order.tasks[positions[0]])  # all rows of a step belong to one task
        epoch = EpochContext(self.seed, order.passes[positions].tolist())
        rows = order.rows[positions].tolist()
        batch = self.heads[task].batch(self.plan.encoded[task], rows, self.tokenizer, epoch)
        return {**batch, _TASK: torch.tensor(task)} if len(self.heads) > 1 else batch


@final
class _Trainer(Trainer):
    """transformers' Trainer with the heads' losses."""

    def __init__(
        self,
        *,
        heads: Sequence[TrainableHead],
        losses: LossSum,
        head_learning_rate: float | None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.heads, self.losses, self.head_learning_rate = heads, losses, head_learning_rate
        self.networks = list(getattr(settings["model"], "parts", [settings["model"]]))
        self.model_accepts_loss_kwargs = False  # the loss below is a mean over the batch

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """Return the optimiser, in which the heads have their own learning rate where the stage names one."""
        is_new = self.optimizer is None
        optimizer = super().create_optimizer(model)
        if is_new and self.head_learning_rate is not None:
            set_learning_rate(optimizer, list_head_weights(self.networks), self.head_learning_rate)
        return optimizer

    def get_batch_samples(self, epoch_iterator: Iterator[TensorBatch], num_batches: int, device: torch.device) -> Any:
        """Return the batches that a step accumulates, each with its share of the step's tokens.

        The Trainer averages the losses of the batches. Where a loss is a mean over tokens, the share corrects for
        batches of different numbers of tokens, so that every token of the step counts the same.
        """
        batches, items = super().get_batch_samples(epoch_iterator, num_batches, device)
        parts = self.args.gradient_accumulation_steps * processes.count()
        if parts > 1 and batches:
            head = self.heads[int(batches[0].get(_TASK, 0))]
            if isinstance(head, CountsTokens):
                counts = [head.count_tokens(batch) for batch in batches]
                total = sum(map(sum, processes.all_gather(counts)))
                for batch, count in zip(batches, counts, strict=True):
                    batch["share"] = torch.tensor(count * parts / max(1, total), device=device)
        return batches, items

    def compute_loss(
        self,
        model: torch.nn.Module,
        inputs: dict[str, Any],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,  # noqa: ARG002 (the Trainer's signature)
    ) -> Any:
        """Return the loss of one batch, of the head of its task."""
        task = int(inputs.pop(_TASK, 0))
        network: Any = functools.partial(model, task) if len(self.heads) > 1 else model
        outputs = self.heads[task].run(network, inputs)
        loss = self.heads[task].loss(outputs, inputs)
        self.losses.add(loss)
        return (loss, outputs) if return_outputs else loss


@final
class _StepCallback(TrainerCallback):
    """Calls the training run between the Trainer's steps; it comes before the user's callbacks.

    The Trainer takes the whole plan for one epoch; the epochs of the plan are written into its state.
    """

    def __init__(self, run: TrainingRun, plan: TrainingPlan) -> None:
        self.run, self.plan, self.scaler = run, plan, None

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:  # noqa: ARG002 (the callback's signature)
        """Resume from the checkpoint, if there is one."""
        self.run.restore(others["optimizer"], others["lr_scheduler"], self.scaler, args.device)
        state.global_step = self.run.step
        state.epoch = self.plan.epochs(self.run.step)
        state.num_train_epochs = math.ceil(self.plan.epochs(self.plan.steps))

    def on_step_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:  # noqa: ARG002 (the callback's signature)
        """Restore the random state before the first step."""
        self.run.restore_random_state()

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:  # noqa: ARG002 (the callback's signature)
        """Measure, select and write a checkpoint, where these are due."""
        step = state.global_step
        state.epoch = self.plan.epochs(step)
        stop = self.run.finish_step(
            step, others["optimizer"], others["lr_scheduler"], self.scaler, last=step == self.plan.steps
        )
        control.should_training_stop = control.should_training_stop or stop


@final
class _ReportCallback(TrainerCallback):
    """Logs the measured points, and calls the callbacks at the ends of epochs; it comes after the user's callbacks."""

    def __init__(self, run: TrainingRun, plan: TrainingPlan) -> None:
        self.run, self.plan = run, plan
        self.trainer: Trainer | None = None
        self.logged = len(run.points)  # those of a checkpoint were logged before it was written

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:  # noqa: ARG002 (the callback's signature)
        """Log what was measured before the first step."""
        self.log_points()

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> Any:  # noqa: ARG002 (the callback's signature)
        """Log what was measured after the step; where an epoch of the plan ends in it, end it and begin the next."""
        self.log_points()
        step = state.global_step
        ended = math.floor(self.plan.epochs(step)) > math.floor(self.plan.epochs(step - 1))
        if not ended or step == self.plan.steps or control.should_training_stop:  # the Trainer ends the last one
            return control
        assert self.trainer is not None
        control = self.trainer.callback_handler.on_epoch_end(args, state, control)
        return self.trainer.callback_handler.on_epoch_begin(args, state, control)

    def log_points(self) -> None:
        """Log the points that were measured since the last call, by the names `eval_<language>_<metric>`."""
        assert self.trainer is not None
        points, self.logged = self.run.points[self.logged :], len(self.run.points)
        measured = {f"eval_{point.language}_{point.metric}": point.value for point in points if point.metric != "loss"}
        if measured:
            is_due = self.trainer.control.should_log  # the loss of the step, which is logged next
            self.trainer.log(measured)
            self.trainer.control.should_log = is_due


@final
class _BarCallback(TrainerCallback):
    """Shows the step, the time left and the loss of the last batch."""

    def __init__(self, bar: Any, losses: LossSum) -> None:
        self.bar, self.losses, self.shown = bar, losses, 0.0

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:  # noqa: ARG002 (the callback's signature)
        """Move the bar; read the loss twice a second at most, since the device must have computed it by then."""
        if self.bar.disable:
            return
        if self.losses.last is not None and time.monotonic() - self.shown > _PAUSE:
            self.bar.set_postfix(loss=f"{float(self.losses.last):.3f}", refresh=False)
            self.shown = time.monotonic()
        self.bar.update(state.global_step - self.bar.n)
