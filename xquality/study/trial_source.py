"""The digest of a trial: its source, and that of all it reaches in its own module.

Comments and layout do not count, so that tidying up does not throw away finished cells. Functions, classes and
constants of the trial's module are followed by name; other modules are not: their versions are recorded instead.
"""

import ast
import dataclasses
import functools
import hashlib
import inspect
import io
import textwrap
import tokenize
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, ModuleType
from typing import Any

from xquality.errors import StudyError

_SKIPPED = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER})
_MARKS = frozenset({tokenize.INDENT, tokenize.DEDENT, tokenize.NEWLINE})  # their text is layout, their place is not


def trial_digest(trial: Callable[..., Any]) -> str:
    """Return the digest of everything in the trial's module that decides what it does, 32 hex digits.

    Arguments bound by `functools.partial` count where they are plain values; paths do not, so that data may move.

    Raises:
        StudyError: where the trial is not a Python function.
    """
    function, bound = _unwrapped(trial)
    if function is None:
        raise StudyError(
            f"A trial is a Python function of a cell, but got {type(trial).__name__}; wrap it in a function."
        )
    found: dict[str, str] = {}
    _follow("trial", function, function.__module__, found)
    told = [f"{name}={written}" for name, value in sorted(bound.items()) if (written := _plain(value) or _table(value))]
    whole = hashlib.blake2b(digest_size=16)
    whole.update("\x1e".join([*told, *(found[name] for name in sorted(found))]).encode())
    return whole.hexdigest()


def _unwrapped(value: Any) -> tuple[FunctionType | None, dict[str, Any]]:
    """Return the function under partials and decorators that name what they wrap, and the arguments bound."""
    bound: dict[str, Any] = {}
    while isinstance(value, functools.partial):
        bound = {**{str(place): one for place, one in enumerate(value.args)}, **value.keywords, **bound}
        value = value.func
    function = inspect.unwrap(value) if callable(value) else value
    return (function if isinstance(function, FunctionType) else None), bound


def _follow(name: str, value: Any, module: str, found: dict[str, str]) -> None:
    """Add what a name stands for to `found`, and everything that is reached from there."""
    function, bound = _unwrapped(value)
    if function is not None and function.__module__ == module:
        source = _source(function)
        if (key := f"def {function.__qualname__} {source}") in found:
            return
        found[key] = source
        places = {str(place): one for place, one in enumerate(function.__defaults__ or ())}
        for one, default in {**places, **(function.__kwdefaults__ or {}), **bound}.items():
            _follow(f"{key} {one}", default, module, found)
        for one, inner in _reached(function):
            _follow(one, inner, module, found)
    elif isinstance(value, type) and value.__module__ == module:
        if f"class {value.__qualname__}" not in found:
            found[f"class {value.__qualname__}"] = _source(value)
            for one in vars(value).values():
                _follow(name, getattr(one, "__func__", one), module, found)
    elif written := _plain(value):
        found[f"value {name}"] = f"{name}={written}"


def _reached(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the names a function looks up outside itself, with their values, and the text that made tables."""
    for name in sorted(_names(function.__code__)):
        value = function.__globals__.get(name)
        if name in function.__globals__ and not isinstance(value, ModuleType):
            yield name, value
            if isinstance(value, list | dict | set):
                yield f"{name} as written", _assigned(function, name) or _table(value)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # a name that is bound later has no value yet
            continue


def _names(code: CodeType) -> set[str]:
    """Return all global names in a code object and the functions nested in it."""
    nested = (one for one in code.co_consts if isinstance(one, CodeType))
    return set(code.co_names).union(*map(_names, nested))


def _plain(value: Any) -> str:
    """Return plain data that cannot change as text that is the same in every process; empty for anything else."""
    if isinstance(value, tuple):
        parts = [_plain(one) for one in value]
        return f"({', '.join(parts)})" if all(parts) else ""
    if isinstance(value, frozenset):
        return f"{{{', '.join(sorted(map(_plain, value)))}}}"
    if value is None or isinstance(value, bool | int | float | str | range):
        return repr(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and " at 0x" not in repr(value):
        return repr(value)  # a transform or another frozen value
    return ""


def _table(value: Any) -> str:
    """Return a list, dict or set of plain data as text; empty for anything else."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(_plain(one) or _table(one) for one in value)}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{_plain(key)}: {_plain(one) or _table(one)}' for key, one in value.items())}}}"
    return f"{{{', '.join(sorted(map(_plain, value)))}}}" if isinstance(value, set) else ""


def _assigned(function: FunctionType, name: str) -> str:
    """Return the statements of a module that name a table: its value may change while a study runs, they do not."""
    module = inspect.getmodule(function)
    try:
        written = inspect.getsource(module) if module is not None else ""
    except (OSError, TypeError):  # typed into a plain interpreter
        return ""
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    statements = [one for one in ast.parse(written).body if not isinstance(one, definitions)]
    naming = [one for one in statements if any(isinstance(n, ast.Name) and n.id == name for n in ast.walk(one))]
    return "\x1d".join(_tokens(ast.get_source_segment(written, one) or "") for one in naming if not _is_main(one))


def _is_main(statement: ast.stmt) -> bool:
    """Say whether a statement is the block that runs only as a script."""
    return isinstance(statement, ast.If) and "__name__" in ast.dump(statement.test)


def _source(thing: FunctionType | type) -> str:
    """Return the source as tokens; a lambda's bytecode too, and bytecode alone where there is no source."""
    code = thing.__code__ if isinstance(thing, FunctionType) else None
    try:
        source = _tokens(textwrap.dedent(inspect.getsource(thing)))
    except (OSError, TypeError):  # typed into a plain interpreter
        return f"{thing.__qualname__} {_bytecode(code)}"
    return source + (_bytecode(code) if thing.__name__ == "<lambda>" else "")  # several may stand on one line


def _bytecode(code: CodeType | None) -> str:
    """Return a function's bytecode, names and plain constants as text."""
    if code is None:
        return ""
    constants = [_bytecode(one) if isinstance(one, CodeType) else _plain(one) for one in code.co_consts]
    return f"{code.co_code.hex()} {code.co_names} {constants}"


def _tokens(source: str) -> str:
    """Return source without comments and layout."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, IndentationError):  # a lambda cut out of the middle of a statement
        return source
    kept = (one for one in tokens if one.type not in _SKIPPED)
    return "\x1f".join(f"<{one.type}>" if one.type in _MARKS else one.string for one in kept)
