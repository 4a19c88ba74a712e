"""Checkpoints: a training run on disk, whole or not at all, from which it goes on as if it had never stopped.

Tensors are kept as safetensors and everything else as JSON; nothing is pickled. A checkpoint that is not whole, by its
checksums, is passed over for the one before it.
"""

import json
import random  # noqa: TID251 (its state is kept and put back, nothing is drawn)
import shutil
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import safetensors.torch
import torch

from xquality._files import atomic_folder, checksum, remove_unfinished, write_text
from xquality.errors import DamagedError

_KEPT = 2  # checkpoints on disk: the last, and one to go back to
_SUMS, _STATE, _TENSORS = "checksums.json", "state.json", "tensors.safetensors"

Tensors = dict[str, torch.Tensor]


@final
@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one run.

    Attributes:
        folder: where they lie; only this run's, and one process writes there at a time.
        every: how many steps lie between two.
    """

    folder: Path
    every: int

    def write(self, step: int, state: Mapping[str, Any], tensors: Mapping[str, torch.Tensor]) -> None:
        """Write what a run needs to go on after `step`, and delete the checkpoints before the last two."""
        with atomic_folder(self.folder / f"step-{step:09}") as unfinished:
            own = {name: one.detach().cpu().contiguous().clone() for name, one in tensors.items()}
            safetensors.torch.save_file(own, unfinished / _TENSORS)
            write_text(unfinished / _STATE, json.dumps({"step": step, **state}))
            sums = {name: checksum(unfinished / name) for name in (_TENSORS, _STATE)}
            write_text(unfinished / _SUMS, json.dumps(sums))
        for old in sorted(self.folder.glob("step-*"))[:-_KEPT]:
            shutil.rmtree(old, ignore_errors=True)

    def read(self) -> tuple[dict[str, Any], Tensors] | None:
        """Return the state and the tensors of the last whole checkpoint; None where there is none."""
        if not self.folder.is_dir():
            return None
        remove_unfinished(self.folder)
        for one in sorted(self.folder.glob("step-*"), reverse=True):
            try:
                return _read(one)
            except DamagedError as fault:
                warnings.warn(f"{fault} It is passed over.", stacklevel=2)
                shutil.rmtree(one, ignore_errors=True)
        return None

    def clear(self) -> None:
        """Delete them all: the run has finished."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _read(folder: Path) -> tuple[dict[str, Any], Tensors]:
    """Return what a checkpoint holds, or raise `DamagedError`."""
    try:
        sums = json.loads((folder / _SUMS).read_text(encoding="utf-8"))
        wrong = [name for name in (_TENSORS, _STATE) if checksum(folder / name) != sums[name]]
        if wrong:
            raise DamagedError(f"The checkpoint {folder.name} has other bytes than were written in {', '.join(wrong)}.")
        state = json.loads((folder / _STATE).read_text(encoding="utf-8"))
        return state, safetensors.torch.load_file(folder / _TENSORS)
    except (OSError, ValueError, KeyError, safetensors.SafetensorError) as fault:
        raise DamagedError(f"The checkpoint {folder.name} cannot be read ({fault}).") from fault


def packed(value: Any, name: str, tensors: Tensors) -> Any:
    """Return nested dicts and lists as JSON values, each tensor in them put into `tensors` under a name of its own.

    Example:
        >>> kept = {}
        >>> packed({"step": 3, "mean": torch.zeros(2)}, "adam", kept), list(kept)
        ({'pairs': [['step', 3], ['mean', {'tensor': 'adam/mean'}]]}, ['adam/mean'])
    """
    if isinstance(value, torch.Tensor):
        tensors[name] = value
        return {"tensor": name}
    if isinstance(value, Mapping):
        return {"pairs": [[key, packed(one, f"{name}/{key}", tensors)] for key, one in value.items()]}
    if isinstance(value, list | tuple):
        return [packed(one, f"{name}/{place}", tensors) for place, one in enumerate(value)]
    return value


def unpacked(value: Any, tensors: Mapping[str, torch.Tensor]) -> Any:
    """Return what `packed` was given; tuples come back as lists."""
    if isinstance(value, list):
        return [unpacked(one, tensors) for one in value]
    if isinstance(value, dict):
        if "tensor" in value:
            return tensors[value["tensor"]]
        return {key: unpacked(one, tensors) for key, one in value["pairs"]}
    return value


def random_state(owner: str) -> tuple[dict[str, Any], Tensors]:
    """Return the random states of Python, numpy and torch (every device), the tensors' names after their owner's."""
    name, keys, *rest = np.random.get_state()  # noqa: NPY002 (kept, not drawn from)
    tensors = {
        f"{owner}/torch": torch.get_rng_state(),
        f"{owner}/numpy": torch.from_numpy(np.asarray(keys).astype(np.int64)),
    }
    if torch.cuda.is_available():
        for number, one in enumerate(torch.cuda.get_rng_state_all()):
            tensors[f"{owner}/cuda/{number}"] = one
    return {"python": random.getstate(), "numpy": [name, *map(float, rest)]}, tensors


def set_random_state(state: Mapping[str, Any], tensors: Mapping[str, torch.Tensor], owner: str) -> None:
    """Put back what `random_state` returned for an owner."""
    version, inner, gauss = state["python"]
    random.setstate((version, tuple(inner), gauss))
    name, place, has_gauss, cached = state["numpy"]
    keys = tensors[f"{owner}/numpy"].numpy().astype(np.uint32)
    np.random.set_state((name, keys, int(place), int(has_gauss), cached))  # noqa: NPY002 (put back)
    torch.set_rng_state(tensors[f"{owner}/torch"])
    devices = [tensors[one] for one in sorted(tensors) if one.startswith(f"{owner}/cuda/")]
    if devices and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(devices)
