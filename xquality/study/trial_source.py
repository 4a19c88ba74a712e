"""The digest of a trial: its source, and that of everything in its own module that it uses.

Comments and layout do not count, so that tidying up does not discard finished cells. Functions, classes and
constants of the trial's module are followed by name; other modules are not: their versions are recorded instead.

The texts that are hashed are fixed: a change of any of them would change the digest of every study.
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
_MARKS = frozenset({tokenize.INDENT, tokenize.DEDENT, tokenize.NEWLINE})  # their text is layout, their order is not


def trial_digest(trial: Callable[..., Any]) -> str:
    """Return the digest of everything in the trial's module that decides what it does, 32 hex digits.

    Arguments bound by `functools.partial` count where they are plain values; paths do not, so that data may move.

    Raises:
        StudyError: where the trial is not a Python function.
    """
    function, bound = _unwrap(trial)
    if function is None:
        raise StudyError(
            f"A trial is a Python function of a cell, but got {type(trial).__name__}; wrap it in a function."
        )
    found: dict[str, str] = {}
    _follow("trial", function, function.__module__, found)
    arguments = [
        f"{name}={written}"
        for name, value in sorted(bound.items())
        if (written := _write_constant(value) or _write_table(value))
    ]
    whole = hashlib.blake2b(digest_size=16)
    whole.update("\x1e".join([*arguments, *(found[name] for name in sorted(found))]).encode())
    return whole.hexdigest()


def _unwrap(value: Any) -> tuple[FunctionType | None, dict[str, Any]]:
    """Return the function under partials and decorators that name what they wrap, and the arguments bound."""
    bound: dict[str, Any] = {}
    while isinstance(value, functools.partial):
        bound = {**_number_arguments(value.args), **value.keywords, **bound}
        value = value.func
    function = inspect.unwrap(value) if callable(value) else value
    return (function if isinstance(function, FunctionType) else None), bound


def _number_arguments(arguments: tuple[Any, ...]) -> dict[str, Any]:
    """Return positional arguments by their places."""
    return {str(place): argument for place, argument in enumerate(arguments)}


def _follow(name: str, value: Any, module: str, found: dict[str, str]) -> None:
    """Add a name's value to `found`, with everything of the module that is reached from there."""
    function, bound = _unwrap(value)
    if function is not None and function.__module__ == module:
        source = _read_source(function)
        if (key := f"def {function.__qualname__} {source}") in found:
            return
        found[key] = source
        defaults = {**_number_arguments(function.__defaults__ or ()), **(function.__kwdefaults__ or {}), **bound}
        for argument, default in defaults.items():
            _follow(f"{key} {argument}", default, module, found)
        for inner_name, inner in _reached_values(function):
            _follow(inner_name, inner, module, found)
    elif isinstance(value, type) and value.__module__ == module:
        if f"class {value.__qualname__}" not in found:
            found[f"class {value.__qualname__}"] = _read_source(value)
            for attribute in vars(value).values():
                _follow(name, getattr(attribute, "__func__", attribute), module, found)
    elif written := _write_constant(value):
        found[f"value {name}"] = f"{name}={written}"


def _reached_values(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the names a function looks up outside itself, with their values, and the statements that made tables."""
    for name in sorted(_global_names(function.__code__)):
        value = function.__globals__.get(name)
        if name in function.__globals__ and not isinstance(value, ModuleType):
            yield name, value
            if isinstance(value, list | dict | set):
                yield f"{name} as written", _read_assignments(function, name) or _write_table(value)
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # a name that is bound later has no value yet
            continue


def _global_names(code: CodeType) -> set[str]:
    """Return all global names in a code object and the functions nested in it."""
    nested = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*map(_global_names, nested))


def _write_constant(value: Any) -> str:
    """Return immutable plain data as text that is the same in every process; empty for anything else."""
    if isinstance(value, tuple):
        parts = [_write_constant(part) for part in value]
        return f"({', '.join(parts)})" if all(parts) else ""
    if isinstance(value, frozenset):
        return f"{{{', '.join(sorted(map(_write_constant, value)))}}}"
    if value is None or isinstance(value, bool | int | float | str | range):
        return repr(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and " at 0x" not in repr(value):
        return repr(value)  # a transform or another frozen value
    return ""


def _write_table(value: Any) -> str:
    """Return a list, dict or set of plain data as text; empty for anything else."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(_write_constant(part) or _write_table(part) for part in value)}]"
    if isinstance(value, dict):
        pairs = ((_write_constant(key), _write_constant(part) or _write_table(part)) for key, part in value.items())
        return f"{{{', '.join(f'{key}: {part}' for key, part in pairs)}}}"
    return f"{{{', '.join(sorted(map(_write_constant, value)))}}}" if isinstance(value, set) else ""


def _read_assignments(function: FunctionType, name: str) -> str:
    """Return the statements of a module that name a table: its value may change while a study runs, they do not."""
    module = inspect.getmodule(function)
    try:
        source = inspect.getsource(module) if module is not None else ""
    except (OSError, TypeError):  # typed into a plain interpreter
        return ""
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    naming = [
        statement
        for statement in ast.parse(source).body
        if not isinstance(statement, definitions)
        and not _is_main_block(statement)
        and any(isinstance(node, ast.Name) and node.id == name for node in ast.walk(statement))
    ]
    return "\x1d".join(_strip_layout(ast.get_source_segment(source, statement) or "") for statement in naming)


def _is_main_block(statement: ast.stmt) -> bool:
    """Return whether a statement is the block that runs only as a script."""
    return isinstance(statement, ast.If) and "__name__" in ast.dump(statement.test)


def _read_source(definition: FunctionType | type) -> str:
    """Return the source as tokens; a lambda's bytecode too, and bytecode alone where there is no source."""
    code = definition.__code__ if isinstance(definition, FunctionType) else None
    try:
        source = _strip_layout(textwrap.dedent(inspect.getsource(definition)))
    except (OSError, TypeError):  # typed into a plain interpreter
        return f"{definition.__qualname__} {_write_bytecode(code)}"
    # A line may hold several lambdas, which have one source.
    return source + (_write_bytecode(code) if definition.__name__ == "<lambda>" else "")


def _write_bytecode(code: CodeType | None) -> str:
    """Return a function's bytecode, names and plain constants as text."""
    if code is None:
        return ""
    constants = [
        _write_bytecode(constant) if isinstance(constant, CodeType) else _write_constant(constant)
        for constant in code.co_consts
    ]
    return f"{code.co_code.hex()} {code.co_names} {constants}"


def _strip_layout(source: str) -> str:
    """Return source without comments and layout, as its tokens."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (tokenize.TokenError, IndentationError):  # a lambda cut out of the middle of a statement
        return source
    kept = (token for token in tokens if token.type not in _SKIPPED)
    return "\x1f".join(f"<{token.type}>" if token.type in _MARKS else token.string for token in kept)
