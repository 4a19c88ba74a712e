"""Running torch code without changing the caller's random states, number of threads or garbage collector."""

import gc
import random  # noqa: TID251 (its state is saved and restored, nothing is drawn)
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def isolate(threads: int | None = None) -> Iterator[None]:
    """Restore the random states of Python, numpy and torch and torch's number of threads when the block ends.

    Args:
        threads: how many threads torch uses inside the block; None leaves their number as it is. On a CPU the number
            of threads changes the last bits of every sum.
    """
    import torch

    before = torch.get_num_threads()
    freeze = gc.get_freeze_count() == 0  # a caller's own freeze is left alone
    if freeze:
        gc.freeze()  # transformers' Trainer collects garbage at every start: it need not walk what exists by now
    try:
        with preserve_random_state():
            if threads is not None:
                torch.set_num_threads(threads)
            yield
    finally:
        torch.set_num_threads(before)
        if freeze:
            gc.unfreeze()


@contextmanager
def preserve_random_state() -> Iterator[None]:
    """Restore the random states of Python, numpy and torch (every device) when the block ends."""
    import torch

    python, array, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002 (saved, nothing is drawn)
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]  # torch's own
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(array)  # noqa: NPY002 (restored)
        torch.set_rng_state(cpu)
        if devices:
            torch.cuda.set_rng_state_all(devices)
