"""Running torch code without touching the caller's random state, thread count or garbage collector."""

import gc
import random  # noqa: TID251 (its state is kept and put back, nothing is drawn)
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def isolated(threads: int | None = None) -> Iterator[None]:
    """Keep the random states of Python, numpy and torch, and torch's threads, and put them back afterwards.

    Args:
        threads: how many threads torch computes with meanwhile; None leaves their number as it is. On a CPU the
            number decides the last bits of every sum.
    """
    import torch

    before = torch.get_num_threads()
    froze = gc.get_freeze_count() == 0  # a caller's own freeze is left alone
    if froze:
        gc.freeze()  # the trainer collects garbage at every start; what is imported by now need not be walked again
    try:
        with random_state_kept():
            if threads is not None:
                torch.set_num_threads(threads)
            yield
    finally:
        torch.set_num_threads(before)
        if froze:
            gc.unfreeze()


@contextmanager
def random_state_kept() -> Iterator[None]:
    """Keep the random states of Python, numpy and torch (every device), and put them back afterwards."""
    import torch

    python, array, cpu = random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002 (kept, not drawn from)
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]  # torch's own
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(array)  # noqa: NPY002 (put back)
        torch.set_rng_state(cpu)
        if devices:
            torch.cuda.set_rng_state_all(devices)
