"""The source of a trial: functions, classes and modules of the user's own as text, and the names that they read.

Comments and layout do not count, so that tidying up does not discard finished cells.
"""

import ast
import dis
import functools
import inspect
import io
import sys
import sysconfig
import textwrap
import tokenize
import weakref
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import Any

_SKIPPED = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER})
_MARKS = frozenset({tokenize.INDENT, tokenize.DEDENT, tokenize.NEWLINE})  # their text is layout, their order is not
_READS_GLOBAL = frozenset({"LOAD_GLOBAL", "LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"})
_STANDARD_LIBRARY = Path(sysconfig.get_paths()["stdlib"])
_PACKAGE = __name__.partition(".")[0]

# Only while a definition exists.
_sources: weakref.WeakKeyDictionary[FunctionType | type, tuple[str | None, tuple[str, ...]]]
_sources = weakref.WeakKeyDictionary()


def is_own(name: str) -> bool:
    """Return whether a module is the user's own: neither installed, nor of the standard library, nor of this package.

    What is installed is identified by its version, which each cell records.
    """
    top = name.partition(".")[0]
    if name == "__main__":
        return True
    if top == _PACKAGE or top in sys.builtin_module_names:
        return False
    module = sys.modules.get(name) or sys.modules.get(top)
    specification = _find_module(top) if module is None else getattr(module, "__spec__", None)
    origin = getattr(specification, "origin", None)
    file = getattr(module, "__file__", None) or origin
    if file is None or origin in {"built-in", "frozen"}:  # the first where it was typed into an interpreter
        return top not in sys.stdlib_module_names
    path = Path(file)
    return not {"site-packages", "dist-packages"} & set(path.parts) and _STANDARD_LIBRARY not in path.parents


def read_source(definition: FunctionType | type) -> tuple[str | None, tuple[str, ...]]:
    """Return the source of a function or a class without comments and layout, and the names in its decorators.

    It is read once, since the file may be edited while a study runs. A lambda has its bytecode too, since a line may
    hold several; a function without source has bytecode alone, and a class without source None.
    """
    if definition not in _sources:
        _sources[definition] = _find_source(definition)
    return _sources[definition]


def _find_source(definition: FunctionType | type) -> tuple[str | None, tuple[str, ...]]:
    """Return the source of a function or a class, and the names in its decorators."""
    code = definition.__code__ if isinstance(definition, FunctionType) else None
    try:
        # Of the code object, since for a function inspect would find the source of what it wraps.
        written: str | None = textwrap.dedent(inspect.getsource(code or definition))
    except (OSError, TypeError, IndexError):  # typed into a plain interpreter
        written = None
    source = None if written is None else _strip_layout(written)
    if code is not None and (source is None or definition.__name__ == "<lambda>"):
        source = f"{source or definition.__qualname__} {_write_bytecode(code)}"
    return source, _decorator_names(written or "")


def _decorator_names(source: str) -> tuple[str, ...]:
    """Return the names in the decorators of the definition that a source starts with."""
    try:
        first = ast.parse(source).body[:1]
    except SyntaxError:  # a lambda cut out of the middle of a statement
        return ()
    decorators = [decorator for node in first for decorator in getattr(node, "decorator_list", ())]
    nodes = [node for decorator in decorators for node in ast.walk(decorator)]
    return tuple(dict.fromkeys(node.id for node in nodes if isinstance(node, ast.Name)))


def read_module(name: str) -> dict[str, str | None]:
    """Return the source of one of the user's own modules and of those of them that it imports, by name.

    The source is None where it cannot be read.
    """
    found: dict[str, str | None] = {}
    waiting = [name]
    while waiting:
        module = waiting.pop()
        if module in found or not is_own(module):
            continue
        source = _read_file(module)
        found[module] = None if source is None else _strip_layout(source)
        waiting += _imported_names(source or "", module)
    return found


def _read_file(module: str) -> str | None:
    """Return the text of a module's file; None without one."""
    file = getattr(sys.modules.get(module), "__file__", None) or getattr(_find_module(module), "origin", None)
    try:
        return None if file is None else Path(file).read_text(encoding="utf-8")
    except (ValueError, OSError):
        return None


def _find_module(name: str) -> ModuleSpec | None:
    """Return where a module is, without importing it or the packages that it lies in; None where it is not found."""
    found: ModuleSpec | None = None
    path: Sequence[str] | None = None
    parts = name.split(".")
    for place in range(len(parts)):
        found = PathFinder.find_spec(".".join(parts[: place + 1]), path)
        if found is None:
            return None
        path = found.submodule_search_locations or ()
    return found


def _imported_names(source: str, module: str) -> list[str]:
    """Return the names of the modules that a module's source imports, at any depth, and that are there."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return []
    package = module if _is_package(module) else module.rpartition(".")[0]
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += _resolve_import(node.module or "", node.level, [alias.name for alias in node.names], package)
    return [name for name in names if _is_there(name)]


def _resolve_import(name: str, level: int, members: list[str], package: str) -> list[str]:
    """Return the full name of the module in `from name import members`, and those its members would have as modules."""
    if level:
        parents = package.split(".")[: len(package.split(".")) - (level - 1)]
        name = ".".join([*parents, name] if name else parents)
    return [name, *(f"{name}.{member}" for member in members)]


def _is_package(module: str) -> bool:
    """Return whether a module that is loaded is a package."""
    return hasattr(sys.modules.get(module), "__path__")


def _is_there(name: str) -> bool:
    """Return whether a module is the user's own and loaded or found."""
    return is_own(name) and (name in sys.modules or _find_module(name) is not None)


@functools.lru_cache(maxsize=4096)
def names_in(code: CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """Return the global names that a code object and those nested in it read, and all names, attributes included."""
    read = frozenset(item.argval for item in dis.get_instructions(code) if item.opname in _READS_GLOBAL)
    every = frozenset(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner_read, inner_every = names_in(constant)
            read, every = read | inner_read, every | inner_every
    return read, every


@functools.lru_cache(maxsize=4096)
def imports_in(code: CodeType, package: str) -> frozenset[str]:
    """Return the names of the user's own modules that a code object and those nested in it import when they run."""
    found: set[str] = set()
    instructions = list(dis.get_instructions(code))
    for place, item in enumerate(instructions):
        if item.opname == "IMPORT_NAME":
            level, members = instructions[place - 2].argval, instructions[place - 1].argval
            found.update(_resolve_import(item.argval, level or 0, list(members or ()), package))
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= imports_in(constant, package)
    return frozenset(name for name in found if _is_there(name))


def write_constant(value: Any) -> str | None:
    """Return immutable plain data as text that is the same in every process; None for anything else."""
    if type(value) is tuple:
        parts = [write_constant(part) for part in value]
        return None if None in parts else f"({', '.join(part for part in parts if part is not None)})"
    if type(value) is frozenset:
        parts = [write_constant(part) for part in value]
        return None if None in parts else f"frozenset({sorted(part for part in parts if part is not None)})"
    if value is None or value is Ellipsis or type(value) in {bool, int, float, complex, str, bytes, range}:
        return repr(value)
    return None


def _write_bytecode(code: CodeType) -> str:
    """Return a function's bytecode, names and plain constants as text."""
    constants = [
        _write_bytecode(constant) if isinstance(constant, CodeType) else write_constant(constant)
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


def write_trial(trial: Callable[..., Any]) -> str:
    """Return the text of a trial as it is written, for readers: its function, and what it names in its own module.

    The functions, classes, values and imports of the module come in the order of the file; of a function that was
    defined inside another, or typed into a notebook, there is the function alone. Empty where there is no text.
    """
    function: Any = trial
    while isinstance(function, functools.partial | MethodType):
        function = function.func if isinstance(function, functools.partial) else function.__func__
    function = inspect.unwrap(function)
    try:
        own = textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError, IndexError):
        return ""
    module = _read_file(getattr(function, "__module__", None) or "")
    try:
        statements = ast.parse(module or "").body
        waiting = _names_read(ast.parse(own)) | {function.__name__}
    except (SyntaxError, ValueError):  # edited since, or a lambda cut out of the middle of a statement
        return own
    named = [(statement, _names_bound(statement)) for statement in statements]
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        reached.add(name)
        for statement, bound in named:
            if name in bound:
                waiting |= _names_read(statement) - reached
    lines = (module or "").splitlines()
    text, end, written = "", 0, 0
    for statement, bound in named:
        first = min([statement.lineno, *(inner.lineno for inner in getattr(statement, "decorator_list", ()))])
        first = max(first, written + 1)  # another statement of the same line may be there already
        if bound & reached and first <= (statement.end_lineno or 0):
            blank = "\n" * min(2, first - end - 1)
            text += blank + "\n".join(lines[first - 1 : statement.end_lineno]) + "\n"
            written = statement.end_lineno or written
        end = statement.end_lineno or end
    nested = not any(function.__name__ in bound for _, bound in named)
    return f"{text}\n\n{own}".strip("\n") + "\n" if nested else text.strip("\n") + "\n"


def _names_read(node: ast.AST) -> set[str]:
    """Return the names that a part of a program reads."""
    return {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}


def _names_bound(statement: ast.stmt) -> set[str]:
    """Return the names that a statement at the top of a module binds."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    if isinstance(statement, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in statement.names}
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return {name for target in targets if isinstance(target, ast.AST) for name in _names_read(target)}
