"""A trial as bytes, and what a worker does with them.

The user's own functions, classes and modules travel by value, so that a worker needs no file of theirs, and runs what
the driver runs although a file is edited meanwhile; notebooks, lambdas and partials are no exception. What cannot
travel so, such as a module that holds a lock, is imported by the worker, and compared: a worker whose trial is another
one refuses to run it.
"""

import contextlib
import functools
import hashlib
import io
import os
import sys
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, final

import cloudpickle

from xquality.errors import StudyError, first_line
from xquality.study.cells import Cell
from xquality.study.trial_runner import Outcome, TrialRunner
from xquality.study.trial_source import is_own


@final
@dataclass(frozen=True)
class Payload:
    """A trial as bytes.

    Attributes:
        content: the bytes.
        digest: of the bytes, by which a worker knows the trial that it has.
    """

    content: bytes
    digest: str


def pack_trial(runner: TrialRunner) -> Payload:
    """Return a trial as bytes for workers.

    Raises:
        StudyError: if it reaches something that cannot be sent to another process.
    """
    sent = {"trial": runner.trial, "directory": _working_directory(), "parts": None}
    try:
        with _own_modules_by_value():
            content = _pack(sent)
    except Exception:  # noqa: BLE001 (such as a lock in one of the modules)
        try:
            content = _pack({**sent, "parts": dict(runner.parts)})
        except Exception as error:
            raise StudyError(
                f"The trial cannot be sent to workers ({first_line(error)}); open files, locks and connections inside "
                "it, or run it with engine=None."
            ) from error
    return Payload(content, hashlib.blake2b(content, digest_size=16).hexdigest())


def _pack(sent: object) -> bytes:
    """Return what is sent as bytes."""
    file = io.BytesIO()
    _Pickler(file).dump(sent)
    return file.getvalue()


def _reduce_cached(function: Any) -> Any:
    """Return a user's own function under `functools.cache` by value, which cloudpickle alone writes as a name."""
    if not is_own(function.__module__):
        return function.__qualname__
    settings = function.cache_parameters()
    return _cache_again, (function.__wrapped__, settings["maxsize"], settings["typed"])


def _cache_again(function: Callable[..., Any], maxsize: int | None, typed: bool) -> Any:
    """Return a function with an empty cache."""
    return functools.lru_cache(maxsize, typed)(function)


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]  # cloudpickle has no types
    """cloudpickle's, which also writes functions with a cache by value."""

    _cached = type(functools.cache(_cache_again))
    dispatch_table: ClassVar = ChainMap({_cached: _reduce_cached}, cloudpickle.Pickler.dispatch_table)


def _working_directory() -> str | None:
    """Return the working directory, in which the trial's relative paths lie; None where it was deleted."""
    try:
        return str(Path.cwd())
    except OSError:
        return None


@contextmanager
def _own_modules_by_value() -> Iterator[None]:
    """Let cloudpickle write what is in the user's own modules, instead of their names."""
    modules = [module for name, module in list(sys.modules.items()) if _is_importable_own(name, module)]
    known = cloudpickle.list_registry_pickle_by_value()
    added = [module for module in modules if module.__name__ not in known]
    for module in added:
        cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        for module in added:
            cloudpickle.unregister_pickle_by_value(module)


def _is_importable_own(name: str, module: Any) -> bool:
    """Return whether a loaded module is one of the user's own that others may import by its name."""
    return name != "__main__" and getattr(module, "__name__", None) == name and is_own(name)


_loaded: dict[str, TrialRunner] = {}  # in a worker: the trial that it ran last, by its digest


def run_cell(digest: str, load: Callable[[], bytes], cell: Cell) -> bytes:
    """Run a cell in a worker, and return its outcome as bytes.

    Args:
        digest: of the payload.
        load: returns the payload's bytes; it is called where the worker does not have this trial yet.
        cell: the values of the axes.

    Raises:
        StudyError: if the worker's trial is not the driver's.
    """
    runner = _loaded.get(digest)
    if runner is None:
        _loaded.clear()
        runner = _loaded[digest] = unpack_trial(load())
    return _pack_outcome(runner.run(cell))


def unpack_outcome(content: bytes) -> Outcome:
    """Return the outcome that `run_cell` returned as bytes."""
    outcome: Outcome = cloudpickle.loads(content)
    return outcome


def unpack_trial(content: bytes) -> TrialRunner:
    """Return what runs the trial in this process."""
    sent = cloudpickle.loads(content)
    if sent["directory"] is not None:
        with contextlib.suppress(OSError):  # a machine without this folder
            os.chdir(sent["directory"])
    runner = TrialRunner(sent["trial"])
    if sent["parts"] is not None:
        _compare_parts(sent["parts"], runner.parts)
    return runner


def _compare_parts(sent: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Raise where the trial that a worker has imported is not the driver's."""
    different = sorted(name for name in {**sent, **found} if sent.get(name) != found.get(name))
    if different:
        raise StudyError(
            f"A worker's trial differs from the study's in {', '.join(different[:5])}: it was imported by the worker, "
            "since a module that it uses cannot be sent; make what differs inside the trial, or run it with "
            "engine=None."
        )


def _pack_outcome(outcome: Outcome) -> bytes:
    """Return an outcome as bytes that can be read again."""
    if outcome.fault is None:
        try:
            return bytes(cloudpickle.dumps(outcome))
        except Exception as error:  # noqa: BLE001 (a class of the user's own that cannot be sent)
            sentence = f"The result cannot be sent back by the worker ({first_line(error)}); return plain values."
            outcome = replace(outcome, result=None, error=f"StudyError: {sentence}", traceback=sentence)
            return bytes(cloudpickle.dumps(replace(outcome, fault=StudyError(sentence))))
    try:
        content = bytes(cloudpickle.dumps(outcome))
        cloudpickle.loads(content)  # an error may be written, and not be read
    except Exception:  # noqa: BLE001 (its class and message are kept as text)
        return bytes(cloudpickle.dumps(replace(outcome, fault=StudyError(outcome.error))))
    return content
