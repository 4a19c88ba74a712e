"""The digest of a trial: its source, and that of the functions and constants it reaches in its own module.

Comments and layout do not count, so that tidying up does not throw away finished cells. Other modules are not
followed: their versions are recorded instead.

May import: errors.
"""

import ast
import functools
import hashlib
import inspect
import io
import textwrap
import tokenize
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType
from typing import Any

from xquality.errors import StudyError

_SKIPPED = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER})


def trial_digest(trial: Callable[..., Any]) -> str:
    """Return the digest of everything in the trial's module that decides what it does, 32 hex digits.

    Arguments bound by `functools.partial` count where they are plain numbers, names or flags; paths do not.

    Raises:
        StudyError: where the trial is not a Python function.
    """
    function, bound = _unwrapped(trial)
    whole = hashlib.blake2b(digest_size=16)
    whole.update(repr(sorted((name, value) for name, value in bound.items() if _constant(value))).encode())
    for part in sorted(_parts(function)):
        whole.update(part.encode())
    return whole.hexdigest()


def _unwrapped(trial: Callable[..., Any]) -> tuple[FunctionType, dict[str, Any]]:
    """Return the function under partials, and the arguments they bind."""
    bound: dict[str, Any] = {}
    while isinstance(trial, functools.partial):
        places = {str(place): value for place, value in enumerate(trial.args)}
        bound = {**places, **trial.keywords, **bound}
        trial = trial.func
    function = inspect.unwrap(trial)
    if not isinstance(function, FunctionType):
        raise StudyError(
            f"A trial is a Python function of a cell, but got {type(trial).__name__}; wrap it in a function."
        )
    return function, bound


def _parts(function: FunctionType) -> set[str]:
    """Return the normalised source of a function and of all it reaches in its own module."""
    found: dict[int, str] = {}
    waiting: list[FunctionType] = [function]
    constants: set[str] = set()
    while waiting:
        one = waiting.pop()
        if id(one) in found:
            continue
        found[id(one)] = _source(one)
        for name, value in _reached(one):
            if isinstance(value, FunctionType) and value.__module__ == function.__module__:
                waiting.append(value)
            elif _constant(value):
                constants.add(f"{name}={value!r}")
            elif isinstance(value, list | dict | set):
                constants.add(f"{name}={_assigned(one, name)}")
    return set(found.values()) | constants


def _reached(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the names a function looks up outside itself, with their values."""
    for name in _names(function.__code__):
        if name in function.__globals__:
            yield name, function.__globals__[name]
    cells = function.__closure__ or ()
    for name, cell in zip(function.__code__.co_freevars, cells, strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # a name that is bound later has no value yet
            continue


def _names(code: CodeType) -> set[str]:
    """Return all global names in a code object and the functions nested in it."""
    nested = (one for one in code.co_consts if isinstance(one, CodeType))
    return set(code.co_names).union(*map(_names, nested))


def _constant(value: Any) -> bool:
    """Say whether a value is plain data that cannot change and whose repr is the same in every process."""
    if isinstance(value, tuple):
        return all(map(_constant, value))
    return value is None or isinstance(value, bool | int | float | str)


def _assigned(function: FunctionType, name: str) -> str:
    """Return what a module assigns to a name, as written: the value itself may change while a study runs."""
    module = inspect.getmodule(function)
    try:
        written = inspect.getsource(module) if module is not None else ""
    except (OSError, TypeError):  # typed into a plain interpreter
        return ""
    for node in ast.parse(written).body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        if any(isinstance(one, ast.Name) and one.id == name for one in targets):
            return ast.get_source_segment(written, node) or ""
    return ""  # a list in a closure: nothing that was written once and for all


def _source(function: FunctionType) -> str:
    """Return a function's source as tokens, without comments and layout; its bytecode where there is no source."""
    try:
        source = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):  # typed into a plain interpreter
        return f"{function.__qualname__} {function.__code__.co_code.hex()} {function.__code__.co_consts!r}"
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, IndentationError):  # a lambda cut out of the middle of a statement
        return source
    kept = (one for one in tokens if one.type not in _SKIPPED)
    return "\x1f".join(f"{one.type}" if one.type in (tokenize.INDENT, tokenize.DEDENT) else one.string for one in kept)
