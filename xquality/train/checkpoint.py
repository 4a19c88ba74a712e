"""Checkpoints: the state of a training run on disk, from which it resumes with the same result.

Tensors are kept as safetensors and everything else as JSON; nothing is pickled. A checkpoint whose files differ from
their checksums is skipped for the one before it.
"""

import json
import random  # noqa: TID251 (its state is saved and restored, nothing is drawn)
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import safetensors.torch
import torch

from xquality._files import atomic_folder, remove, remove_unfinished, write_text
from xquality._stored import check_folder, write_checksums
from xquality.errors import DamagedError, first_line, warn

_KEPT = 2  # checkpoints on disk: the last, and the one before it in case the last is damaged
_STATE, _TENSORS = "state.json", "tensors.safetensors"

Tensors = dict[str, torch.Tensor]


@final
@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one run.

    Attributes:
        folder: of this run alone; one process writes there at a time.
        every: the number of steps between two checkpoints.
    """

    folder: Path
    every: int

    def write(self, step: int, state: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> None:
        """Write what a run needs to resume after `step`, and delete the checkpoints before the last two."""
        with atomic_folder(self.folder / f"step-{step:09}") as unfinished:
            copies = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
            safetensors.torch.save_file(copies, unfinished / _TENSORS)
            write_text(unfinished / _STATE, json.dumps({"step": step, **state}))
            write_checksums(unfinished, {"run": self.folder.name, "step": step})
        for old in sorted(self.folder.glob("step-*"))[:-_KEPT]:
            shutil.rmtree(old, ignore_errors=True)

    def read(self) -> tuple[dict[str, Any], Tensors] | None:
        """Return the state and the tensors of the last undamaged checkpoint; None without one."""
        if not self.folder.is_dir():
            return None
        remove_unfinished(self.folder)
        for checkpoint in sorted(self.folder.glob("step-*"), reverse=True):
            try:
                return _read(checkpoint, self.folder.name)
            except DamagedError as fault:
                warn(f"{fault} It is skipped.")
                remove(checkpoint)
        return None

    def clear(self) -> None:
        """Delete all checkpoints: the run has finished."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _read(folder: Path, run: str) -> tuple[dict[str, Any], Tensors]:
    """Return the state and the tensors of a checkpoint of a run, or raise `DamagedError`."""
    try:
        step = int(folder.name.removeprefix("step-"))
        check_folder(folder, {"run": run, "step": step})
        state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
        tensors = safetensors.torch.load_file(folder / _TENSORS)
    except (OSError, ValueError, RecursionError, safetensors.SafetensorError) as fault:
        raise DamagedError(f"The checkpoint {folder.name} cannot be read ({first_line(fault)}).") from fault
    if not isinstance(state, dict) or state.get("step") != step:
        raise DamagedError(f"The checkpoint {folder.name} holds the state of another step.")
    return state, tensors


def extract_tensors(value: Any, name: str, tensors: Tensors) -> Any:
    """Return nested dicts and lists as JSON values, with each tensor moved into `tensors` under a name of its own.

    Example:
        >>> tensors = {}
        >>> extract_tensors({"step": 3, "mean": torch.zeros(2)}, "adam", tensors), list(tensors)
        ({'pairs': [['step', 3], ['mean', {'tensor': 'adam/mean'}]]}, ['adam/mean'])
    """
    if isinstance(value, torch.Tensor):
        tensors[name] = value
        return {"tensor": name}
    if isinstance(value, Mapping):
        return {"pairs": [[key, extract_tensors(inner, f"{name}/{key}", tensors)] for key, inner in value.items()]}
    if isinstance(value, list | tuple):
        return [extract_tensors(inner, f"{name}/{place}", tensors) for place, inner in enumerate(value)]
    return value


def insert_tensors(value: Any, tensors: Mapping[str, torch.Tensor]) -> Any:
    """Return what `extract_tensors` was given; tuples come back as lists."""
    if isinstance(value, list):
        return [insert_tensors(inner, tensors) for inner in value]
    if isinstance(value, dict):
        if "tensor" in value:
            return tensors[value["tensor"]]
        return {key: insert_tensors(inner, tensors) for key, inner in value["pairs"]}
    return value


def get_random_state(owner: str) -> tuple[dict[str, Any], Tensors]:
    """Return the random states of Python, numpy and torch (every device) as JSON values and tensors.

    Args:
        owner: the process, which the names of the tensors begin with.
    """
    name, keys, *rest = np.random.get_state()  # noqa: NPY002 (saved, nothing is drawn)
    tensors = {
        f"{owner}/torch": torch.get_rng_state(),
        f"{owner}/numpy": torch.from_numpy(np.asarray(keys).astype(np.int64)),
    }
    if torch.cuda.is_available():
        for number, device_state in enumerate(torch.cuda.get_rng_state_all()):
            tensors[f"{owner}/cuda/{number}"] = device_state
    return {"python": random.getstate(), "numpy": [name, *map(float, rest)]}, tensors


def set_random_state(state: Mapping[str, Any], tensors: Mapping[str, torch.Tensor], owner: str) -> None:
    """Restore what `get_random_state` returned for an owner."""
    version, inner, gauss = state["python"]
    random.setstate((version, tuple(inner), gauss))
    name, place, has_gauss, cached = state["numpy"]
    keys = tensors[f"{owner}/numpy"].numpy().astype(np.uint32)
    np.random.set_state((name, keys, int(place), int(has_gauss), cached))  # noqa: NPY002 (restored)
    torch.set_rng_state(tensors[f"{owner}/torch"])
    devices = [tensors[key] for key in sorted(tensors) if key.startswith(f"{owner}/cuda/")]
    if devices and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(devices)
