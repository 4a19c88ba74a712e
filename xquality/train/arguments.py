"""The TrainingArguments of transformers that a stage may set, and those that it sets itself."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xquality.errors import SettingError, first_line
from xquality.models._transformers import reporting_integrations, use_one_device
from xquality.train import processes
from xquality.train.stage import REPORTING, Stage

if TYPE_CHECKING:
    from transformers import TrainingArguments

# Those that change how a step is computed. Of the others, those in REPORTING are passed on; the rest is set by the
# stage, or of no use here: evaluation, saving and uploading are done elsewhere.
ALLOWED = frozenset(
    "gradient_accumulation_steps activation_checkpointing activation_checkpointing_kwargs gradient_checkpointing "
    "gradient_checkpointing_kwargs weight_decay max_grad_norm optim "
    "optim_args optim_target_modules adam_beta1 adam_beta2 adam_epsilon lr_scheduler_kwargs bf16 fp16 tf32 use_cpu "
    "torch_compile torch_compile_backend torch_compile_mode torch_empty_cache_steps use_liger_kernel "
    "liger_kernel_config dataloader_num_workers dataloader_prefetch_factor dataloader_persistent_workers "
    "dataloader_pin_memory dataloader_multiprocessing_context ddp_backend ddp_timeout ddp_find_unused_parameters "
    "ddp_bucket_cap_mb ddp_broadcast_buffers ddp_static_graph".split()
)


_REPORTS = 50  # about how often a stage reports its loss, where it does not say how often
_FOLDER = "TENSORBOARD_LOGGING_DIR"


def check_arguments(stage: Stage) -> None:
    """Raise `SettingError` where a stage's further arguments may not be set, or transformers does not take them."""
    unknown = [name for name in stage.arguments if name not in ALLOWED | REPORTING]
    if unknown:
        near = get_close_matches(str(unknown[0]), ALLOWED | REPORTING, 3) or [
            "gradient_accumulation_steps",
            "weight_decay",
            "bf16",
        ]
        raise SettingError(
            f"Stage(arguments={{{unknown[0]!r}: ...}}) does not change how a step is computed, or the stage sets it "
            f"itself; use the fields of Stage, or an allowed argument such as {' or '.join(near)} (the page "
            "how-to/train.md lists them all)."
        )
    try:
        json.dumps(dict(stage.arguments))
    except TypeError as fault:
        raise SettingError(f"Stage(arguments) must be plain values ({fault}); give numbers, names or lists.") from fault
    parts = stage.arguments.get("gradient_accumulation_steps", 1)
    together = processes.count()
    if not isinstance(parts, int) or isinstance(parts, bool) or parts < 1 or stage.batch_size % (parts * together):
        others = f" in each of {together} processes" if together > 1 else ""
        raise SettingError(
            f"Stage(batch_size={stage.batch_size}) cannot be accumulated over {parts!r} equal parts{others}; choose a "
            "divisor."
        )
    if stage.training_arguments:
        with tempfile.TemporaryDirectory() as scratch:
            made = make_arguments(stage, 1, scratch, 0, 1.0)
        available = reporting_integrations()
        missing = [name for name in made.report_to or () if name not in available]
        if missing:
            raise SettingError(
                f"Stage(arguments) reports to {', '.join(map(str, missing))}, which transformers does not know or "
                f"which is not installed; install it, or choose of those that are: {', '.join(available) or 'none'}."
            )


@contextmanager
def logging_folder(stage: Stage) -> Iterator[None]:
    """Let TensorBoard write where the stage says, inside the block; without a word of it, into a folder of `runs`.

    transformers would write beside the Trainer's own files, which are deleted.
    """
    named = stage.arguments.get("logging_dir") or os.environ.get(_FOLDER)
    before = os.environ.get(_FOLDER)
    name = f"{datetime.now(UTC):%Y-%m-%d_%H-%M-%S}-{stage.arguments.get('run_name') or stage.task.name}"
    os.environ[_FOLDER] = str(named or Path("runs") / name.replace(os.sep, "-"))
    try:
        yield
    finally:
        if before is None:
            del os.environ[_FOLDER]
        else:
            os.environ[_FOLDER] = before


def make_arguments(stage: Stage, steps: int, scratch: str, seed: int, learning_rate: float) -> "TrainingArguments":
    """Return the Trainer's arguments for one device, so that a batch has the rows that the stage names.

    Raises:
        SettingError: where transformers does not take a setting.
    """
    from transformers import TrainingArguments

    try:
        made = TrainingArguments(**_trainer_settings(stage, steps, scratch, seed, learning_rate))
    except (TypeError, ValueError, ImportError) as fault:
        raise SettingError(f"Stage(arguments) was refused by transformers: {first_line(fault)}.") from fault
    use_one_device(made)
    return made


def _trainer_settings(stage: Stage, steps: int, scratch: str, seed: int, learning_rate: float) -> dict[str, Any]:
    """Return the settings of the TrainingArguments."""
    import torch

    return {
        "output_dir": scratch,
        "max_steps": steps,
        "per_device_train_batch_size": stage.batch_size // stage.accumulation_steps // processes.count(),
        "learning_rate": learning_rate,
        "lr_scheduler_type": "constant_with_warmup" if stage.schedule == "constant" else stage.schedule,
        "warmup_steps": round(stage.warmup * steps),
        "train_sampling_strategy": "sequential",  # the training plan has shuffled the rows already
        "seed": seed,
        "data_seed": seed,
        "save_strategy": "no",
        "logging_strategy": "steps" if stage.has_reports else "no",
        "logging_steps": max(1, steps // _REPORTS),
        "report_to": "none",
        "disable_tqdm": True,
        "remove_unused_columns": False,
        "use_cpu": not torch.cuda.is_available(),
        "dataloader_pin_memory": torch.cuda.is_available(),
        **{name: value for name, value in stage.training_arguments.items() if name != "logging_dir"},
    }
