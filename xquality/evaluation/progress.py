"""Bars that show how far a long computation is: in terminals and notebooks, and nowhere else."""

import multiprocessing
import sys
from typing import Any


def make_bar(total: int, name: str, unit: str, *, progress: bool | None, done: int = 0) -> Any:
    """Return a tqdm bar for a `with` block.

    Args:
        total: how many units there are.
        name: what is computed.
        unit: what is counted, in the singular.
        progress: whether to show the bar; None for only where a person sees it.
        done: how many units were computed before.

    Example:
        >>> with make_bar(10, "reading", "row", progress=None) as bar:
        ...     bar.update(3)
        >>> bar.disable
        True
    """
    from tqdm.auto import tqdm

    is_shown = _is_watched() if progress is None else progress
    return tqdm(total=total, initial=done, desc=name, unit=unit, disable=not is_shown)


def _is_watched() -> bool:
    """Return whether standard error is a terminal or this is a notebook, and this process is not a worker."""
    if multiprocessing.parent_process() is not None:
        return False
    return sys.stderr.isatty() or _is_notebook()


def _is_notebook() -> bool:
    """Return whether the program runs in a notebook, which shows what is written although it is no terminal."""
    shell = sys.modules.get("IPython")
    running = shell.get_ipython() if shell is not None else None
    return running is not None and hasattr(running, "kernel")
