"""The identity of a trial: one digest for each function, class and value that it reaches, by name.

A study believes only what its trial computed, so whatever may change a result must change the identity. From the trial
everything is followed that is the user's own: functions with their defaults, closures, attributes and decorators,
classes with their bases and attributes, modules, and values of any kind. Datasets enter by their digest, models by
that of their weights, instances by their class and their state. What is installed enters by its name, since each cell
records versions. What cannot be followed, such as an open file, is named.
"""

import copyreg
import dataclasses
import enum
import functools
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from types import BuiltinFunctionType, FunctionType, MappingProxyType, MethodType, ModuleType
from typing import Any, final

import numpy as np

from xquality import _settings
from xquality.errors import StudyError
from xquality.study.trial_source import imports_in, is_own, names_in, read_module, read_source, write_constant

_DYNAMIC = frozenset({"eval", "exec", "globals", "__import__", "import_module"})  # what they reach is not in the source
_GENERATED = frozenset(
    {
        *(
            "__dict__",
            "__weakref__",
            "__doc__",
            "__module__",
            "__qualname__",
            "__annotations__",
            "__slots__",
            "__slotnames__",
        ),
        *("__firstlineno__", "__static_attributes__", "__match_args__", "__dataclass_params__", "__orig_bases__"),
        *("__abstractmethods__", "_abc_impl", "__hash__", "__parameters__", "__type_params__", "__annotate__"),
        *("__annotate_func__", "__annotations_cache__", "_is_protocol", "__protocol_attrs__"),
    }
)  # of a class; they follow from its source
_MOST_VALUES = 2_000_000  # a value of more parts is named, not followed


@final
@dataclass(frozen=True)
class TrialIdentity:
    """What a trial reaches.

    Attributes:
        parts: the digest of each function, class and value, by a name that a reader of the program knows.
        paths: the digest of each path, by the name of what holds it; they are no part of the digest, so that data may
            be moved.
        unfollowed: what cannot be followed, with the reason.
    """

    parts: Mapping[str, str]
    paths: Mapping[str, str] = field(default_factory=dict)
    unfollowed: Mapping[str, str] = field(default_factory=dict)

    def digest(self, without: Iterable[str] = ()) -> str:
        """Return the digest of all parts but some, 32 hex digits."""
        left_out = set(without)
        return _digest(*(f"{name}={part}" for name, part in sorted(self.parts.items()) if name not in left_out))


@final
class TrialReader:
    """Reads the identity of a trial, perhaps several times while a study runs.

    Sources are read once, since a file may be edited while a study runs, and so are datasets, which never change.

    Raises:
        StudyError: if the trial is not a Python function, or a method or partial of one.
    """

    def __init__(self, trial: Callable[..., Any]) -> None:
        self.trial = trial
        function = trial
        while isinstance(function, functools.partial | MethodType):
            function = function.func if isinstance(function, functools.partial) else function.__func__
        while not isinstance(function, FunctionType) and hasattr(function, "__wrapped__"):  # functools.cache
            function = function.__wrapped__
        if not isinstance(function, FunctionType):
            raise StudyError(
                f"A trial is a Python function of a cell, but got {type(function).__name__}; wrap it in a function."
            )
        self._home = str(function.__globals__.get("__name__", "__main__"))
        self._memo: dict[int, tuple[Any, str]] = {}
        self._modules: dict[str, dict[str, str | None]] = {}

    def read(self) -> TrialIdentity:
        """Return the identity of the trial now."""
        walk = _Walk(self._home, self._memo, self._modules)
        walk.add_trial(self.trial)
        paths = {name: _digest(*found) for name, found in walk.paths.items()}
        return TrialIdentity(walk.parts, paths, walk.unfollowed)


def trial_digest(trial: Callable[..., Any]) -> str:
    """Return the digest of everything that a trial reaches, 32 hex digits.

    Raises:
        StudyError: if the trial is not a Python function, or a method or partial of one.
    """
    return TrialReader(trial).read().digest()


class _CannotFollowError(Exception):
    """A value's content cannot be read."""


@final
class _Walk:
    """One walk over everything that a trial reaches.

    Attributes:
        parts: the digests found so far.
        paths: the paths found so far, by the part that holds them.
        unfollowed: what cannot be followed, with the reason.
    """

    def __init__(self, home: str, memo: dict[int, tuple[Any, str]], modules: dict[str, dict[str, str | None]]) -> None:
        """Start at nothing.

        Args:
            home: the name of the trial's module, whose names are written alone.
            memo: the texts of values that never change, by their id.
            modules: the sources that were read before.
        """
        self.parts: dict[str, str] = {}
        self.paths: dict[str, list[str]] = {}
        self.unfollowed: dict[str, str] = {}
        self._home, self._memo, self._modules = home, memo, modules
        self._definitions: dict[int, tuple[Any, str]] = {}  # the value, so that its id is not used again
        self._named: dict[str, str] = {}  # the part of each value's label
        self._open: list[int] = []  # the ids of the values around the present one
        self._values = 0

    def add_trial(self, trial: Callable[..., Any]) -> None:
        """Add a trial and everything it reaches."""
        function, bound = trial, dict[str, Any]()
        while isinstance(function, functools.partial):
            places = {f"{place + 1}": argument for place, argument in enumerate(function.args)}
            bound = {**places, **function.keywords, **bound}
            function = function.func
        written = self._write(function, "trial")
        if not isinstance(function, FunctionType):
            self.parts["what the trial is called on"] = _digest(written)
        for name, value in bound.items():
            self._add_value(f"argument {name}", value)

    def _add_value(self, label: str, value: Any) -> str:
        """Add the value of a name, once, and return the name of its part.

        A path alone is no part, so that it may be given or not.
        """
        if label in self._named:
            return self._named[label]
        if isinstance(value, PurePath):
            self.paths[label] = [str(value)]
            return "<path>"
        name = self._named[label] = self._new_name(label)
        counted, self._values = self._values, 0
        try:
            self.parts[name] = _digest(self._write(value, name))
        except _CannotFollowError as error:
            self.unfollowed[name] = str(error)
            self.parts[name] = _digest(_full_name(type(value)))
        finally:
            self._values = counted
        return name

    def _new_name(self, label: str) -> str:
        """Return a label, numbered where another part has it, and take it."""
        name, number = label, 1
        while name in self.parts:
            number += 1
            name = f"{label} ({number})"
        self.parts[name] = ""  # until it is written: it may be met again within itself
        return name

    def _write(self, value: Any, name: str) -> str:
        """Return a value as text that is the same in every process.

        Args:
            value: of any kind.
            name: of the part that the value belongs to.
        """
        self._values += 1
        if self._values > _MOST_VALUES:
            raise _CannotFollowError(f"it has more than {_MOST_VALUES:,} parts")
        constant = write_constant(value)
        if constant is not None:
            return constant
        if id(value) in self._memo:
            return self._memo[id(value)][1]
        if isinstance(value, FunctionType | type):
            return self._write_definition(value)
        if id(value) in self._open:
            return f"<{len(self._open) - self._open.index(id(value))} around>"
        self._open.append(id(value))
        try:
            return self._write_compound(value, name)
        except RecursionError as error:
            raise _CannotFollowError("it is nested too deeply") from error
        finally:
            self._open.pop()

    def _write_compound(self, value: Any, name: str) -> str:
        """Return a value that holds others as text."""
        for write in (self._write_reference, self._write_container, self._write_data):
            if (written := write(value, name)) is not None:
                return written
        return self._write_instance(value, name)

    def _write_reference(self, value: Any, name: str) -> str | None:
        """Return paths, modules and what calls functions as text; None for anything else."""
        if isinstance(value, PurePath):
            self.paths.setdefault(name, []).append(str(value))
            return "<path>"
        if isinstance(value, ModuleType):
            return self._write_module(value.__name__)
        if isinstance(value, MethodType):
            return f"method {self._write(value.__func__, name)} of {self._write(value.__self__, name)}"
        if isinstance(value, BuiltinFunctionType):
            owner = value.__self__
            bound = "" if isinstance(owner, ModuleType | None) else f" of {self._write(owner, name)}"
            return f"{value.__module__}.{value.__qualname__}{bound}"
        wrapped = getattr(value, "__dict__", {}).get("__wrapped__")
        if wrapped is not None and not self._is_own(type(value).__module__):  # such as functools.cache, with its cache
            return f"{_full_name(type(value))} {self._write(wrapped, name)}"
        return None

    def _write_container(self, value: Any, name: str) -> str | None:
        """Return builtin containers of values as text; None for anything else."""
        kind = type(value)
        if kind in {list, tuple}:
            return f"{kind.__name__}({', '.join(self._write(part, name) for part in value)})"
        if kind in {set, frozenset}:
            return f"{kind.__name__}({', '.join(sorted(self._write(part, name) for part in _sort(value)))})"
        if kind in {dict, MappingProxyType}:
            return f"dict({self._write_pairs(value.items(), name)})"
        if isinstance(value, functools.partial):
            parts = [value.func, value.args, value.keywords]
            return f"partial({', '.join(self._write(part, name) for part in parts)})"
        if isinstance(value, enum.Enum):
            return f"{self._write(kind, name)}.{value.name}={self._write(value.value, name)}"
        return None

    def _write_pairs(self, pairs: Iterable[tuple[Any, Any]], name: str) -> str:
        """Return keys and values as text, in their order, which a program may depend on."""
        return ", ".join(f"{self._write(key, name)}: {self._write(inner, name)}" for key, inner in pairs)

    def _write_data(self, value: Any, name: str) -> str | None:
        """Return arrays, datasets and models as their digests; None for anything else."""
        if isinstance(value, bytearray | memoryview):
            return f"{type(value).__name__}({_digest(bytes(value))})"
        if isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
            array = np.ascontiguousarray(value)
            return f"array({value.dtype.str}, {value.shape}, {_digest(array.tobytes())})"
        torch = sys.modules.get("torch")
        if torch is not None and isinstance(value, torch.Tensor):
            stored = value.detach().cpu().contiguous()
            if stored.layout is not torch.strided or stored.is_quantized:
                raise _CannotFollowError("it is a tensor of a special layout")
            content = stored.flatten().view(torch.uint8).numpy().tobytes() if stored.numel() else b""
            return f"tensor({stored.dtype}, {tuple(stored.shape)}, {_digest(content)})"
        kept = self._write_dataset(value, name)
        if kept is not None:
            self._memo[id(value)] = value, kept
        return kept

    def _write_dataset(self, value: Any, name: str) -> str | None:
        """Return a dataset or a model as its digest; None for anything else."""
        datasets, models = sys.modules.get("datasets"), sys.modules.get("xquality.models")
        if datasets is not None and isinstance(value, datasets.Dataset):
            from xquality.data.digest import digest
            from xquality.data.provenance import history, origins

            try:
                records = [record.to_dict() for record in history(value)]
                parts = [digest(value), origins(value), records]
            except Exception as error:
                raise _CannotFollowError("it is a dataset whose rows cannot be read") from error
            return f"Dataset({parts}, {self._write(dict(value.format), name)})"
        if datasets is not None and isinstance(value, datasets.IterableDataset):
            raise _CannotFollowError("it is a stream of rows")
        if models is not None and isinstance(value, models.Model):
            return f"Model({value.digest})"
        return None

    def _write_instance(self, value: Any, name: str) -> str:
        """Return an instance as its class and its state."""
        kind = type(value)
        written = self._write(kind, name)
        if self._is_own(kind.__module__):
            return f"{written} {self._write_pairs(_own_state(value), name)}"
        if dataclasses.is_dataclass(value):
            own = [(field, getattr(value, field.name)) for field in dataclasses.fields(value)]
            fields = [(field.name, kept) for field, kept in own if not _settings.is_unused(field, kept)]
            return f"{written} {self._write_pairs(fields, name)}"
        return f"{written} {' '.join(self._write(part, name) for part in _reduce(value))}"

    def _write_definition(self, value: Any) -> str:
        """Return the name of a function or a class, after adding what it is made of as a part."""
        if id(value) in self._definitions:
            return self._definitions[id(value)][1]
        function = isinstance(value, FunctionType)
        module = str(value.__globals__.get("__name__", "__main__") if function else value.__module__)
        if not self._is_own(module):
            return self._write_installed(value) if function else _full_name(value)
        label = value.__qualname__.replace("<locals>.", "")
        name = self._new_name(label if module == self._home else f"{module}.{label}")
        self._definitions[id(value)] = value, f"<{name}>"
        opened, self._open, values = self._open, [], self._values  # a definition is no part of what surrounds it
        try:
            self._values = 0
            texts = self._function_texts(value, name) if function else self._class_texts(value, name)
            self.parts[name] = _digest(*texts)
        except _CannotFollowError as error:
            self.unfollowed[name] = str(error)
            self.parts[name] = _digest(read_source(value)[0] or name)
        finally:
            self._open, self._values = opened, values
        return f"<{name}>"

    def _write_installed(self, function: FunctionType) -> str:
        """Return an installed function as its name and what it closes over, such as the function that it decorates."""
        self._definitions[id(function)] = function, _full_name(function)
        if hasattr(function, "registry"):  # functools.singledispatch, whose closure holds a cache as well
            return f"{_full_name(function)} {self._write(list(function.registry.values()), _full_name(function))}"
        closed = [value for _, value in _closure(function)]
        text = f"{_full_name(function)}:{function.__code__.co_name}"
        if closed:
            text += f" {self._write(closed, function.__qualname__)}"
        self._definitions[id(function)] = function, text
        return text

    def _function_texts(self, function: FunctionType, name: str) -> Iterator[str]:
        """Yield the texts that a function is made of, after adding the values it reads."""
        source, decorators = read_source(function)
        yield source or ""
        arguments = function.__code__.co_varnames[: function.__code__.co_argcount]
        defaults = function.__defaults__ or ()
        given = dict(zip(arguments[len(arguments) - len(defaults) :], defaults, strict=True))
        for argument, default in {**given, **(function.__kwdefaults__ or {})}.items():
            yield self._refer(f"default of {argument} in {name}", default)
        for variable, value in _closure(function):
            yield self._refer(f"{variable} in {name}", value)
        for attribute, value in vars(function).items():
            yield self._refer(f"{name}.{attribute}", value)
        yield from self._global_texts(function, name, decorators)

    def _global_texts(self, function: FunctionType, name: str, decorators: Iterable[str]) -> Iterator[str]:
        """Yield the texts of what a function reads in modules."""
        module, names = str(function.__globals__.get("__name__", "__main__")), function.__globals__
        read, every = names_in(function.__code__)
        for reached in sorted(read | set(decorators)):
            if reached in names:
                yield f"{reached}: {self._write_global(reached, names[reached], module, every)}"
        for called in sorted(every & _DYNAMIC):
            if called == "import_module" or (called in read and called not in names):  # model.eval() is another one
                self.unfollowed[f"{called}() in {name}"] = "what it reaches is not written there"
        package = str(names.get("__package__") or module.rpartition(".")[0])
        for imported in sorted(imports_in(function.__code__, package)):
            yield self._write_module(imported)

    def _write_global(self, name: str, value: Any, module: str, every: frozenset[str]) -> str:
        """Return what a name of a module refers to; of another module of the user's own, what is read there."""
        if not isinstance(value, ModuleType) or not self._is_own(value.__name__):
            return self._refer(name if module == self._home else f"{module}.{name}", value)
        found = sorted(attribute for attribute in every if attribute in vars(value))
        if not found or every & {"getattr", "vars", "__dict__"}:
            return self._write_module(value.__name__)
        texts = [self._write_global(inner, vars(value)[inner], value.__name__, every - {inner}) for inner in found]
        return f"module {value.__name__}: {', '.join(texts)}"

    def _refer(self, name: str, value: Any) -> str:
        """Return a definition or a module as its name, and add any other value as a part of its own."""
        if isinstance(value, FunctionType | type | ModuleType):
            return self._write(value, name)
        return self._add_value(name, value)

    def _class_texts(self, kind: type, name: str) -> Iterator[str]:
        """Yield the texts that a class is made of."""
        source, decorators = read_source(kind)
        yield source or ""
        for base in (*kind.__bases__, type(kind)):
            yield self._write(base, name)
        names = vars(sys.modules[kind.__module__]) if kind.__module__ in sys.modules else {}
        for decorator in decorators:
            if decorator in names:
                yield self._write_global(decorator, names[decorator], kind.__module__, frozenset())
        members = issubclass(kind, enum.Enum)
        for attribute, value in vars(kind).items():
            if attribute in _GENERATED or type(value).__name__ in {"member_descriptor", "getset_descriptor"}:
                continue
            if members and not isinstance(value, FunctionType | property | classmethod | staticmethod):
                continue
            yield from self._attribute_texts(f"{name}.{attribute}", value, has_source=source is not None)
        if members:
            values: Any = kind
            yield self._refer(f"{name}.members", {member.name: member.value for member in values})

    def _attribute_texts(self, name: str, value: Any, *, has_source: bool) -> Iterator[str]:
        """Yield the texts of a class attribute: of the functions in it, or of its value."""
        if name.endswith(".__dataclass_fields__"):
            for kept in value.values():
                for default in (kept.default, kept.default_factory):
                    if default is not dataclasses.MISSING:
                        yield self._refer(f"{name.removesuffix('__dataclass_fields__')}{kept.name}", default)
            return
        functions = [value]
        if isinstance(value, staticmethod | classmethod):
            functions = [value.__func__]
        elif isinstance(value, property):
            functions = [value.fget, value.fset, value.fdel]
        elif isinstance(value, functools.cached_property):
            functions = [value.func]
        for function in functions:
            made: Any = inspect.unwrap(function) if isinstance(function, FunctionType) else None
            generated = isinstance(made, FunctionType) and made.__code__.co_filename == "<string>"
            if not (generated and has_source):  # such as a dataclass's __init__, which follows from its fields
                yield f"{name}: {self._refer(name, function)}"

    def _write_module(self, name: str) -> str:
        """Return a module as its name, after adding the source of one of the user's own as a part."""
        if not self._is_own(name):
            return f"module {name}"
        if name not in self._modules:
            self._modules[name] = read_module(name)
        for module, source in self._modules[name].items():
            self.parts[f"module {module}"] = _digest(source or "")
            if source is None:
                self.unfollowed[f"module {module}"] = "its source cannot be read"
        return f"module {name}"

    def _is_own(self, module: str) -> bool:
        """Return whether a module is the user's own, or belongs to the package that the trial is in."""
        return module.partition(".")[0] == self._home.partition(".")[0] or is_own(module)


def _digest(*texts: str | bytes) -> str:
    """Return the digest of texts, 32 hex digits."""
    total = hashlib.blake2b(digest_size=16)
    for text in texts:
        encoded = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        total.update(len(encoded).to_bytes(8, "little") + encoded)
    return total.hexdigest()


def _full_name(value: Any) -> str:
    """Return the name of a function or a class with its module."""
    return f"{value.__module__}.{value.__qualname__}"


def _closure(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Yield the names that a function closes over, with their values."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # a name that is bound later has no value yet
            continue


def _own_state(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the attributes of an instance of a class of the user's own, and what its installed bases hold."""
    kind = type(value)
    cached = {name for base in kind.__mro__ for name, kept in vars(base).items() if _is_cached(kept)}
    for name, kept in getattr(value, "__dict__", {}).items():
        if name not in cached:
            yield name, kept
    for base in kind.__mro__:
        slots = vars(base).get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            private = slot.startswith("__") and not slot.endswith("__")
            name = f"_{base.__name__.lstrip('_')}{slot}" if private else slot
            if slot not in {"__dict__", "__weakref__"} and hasattr(value, name):
                yield slot, getattr(value, name)
    if any(base is not object and not is_own(base.__module__) for base in kind.__mro__):
        _, arguments, _, *items = [*_reduce(value), None, None, None][:5]
        yield "base", [argument for argument in arguments or () if argument is not kind]
        yield "items", items


def _reduce(value: Any) -> list[Any]:
    """Return how an instance would be made again: the function, its arguments, the state, the items.

    Raises:
        _CannotFollowError: if it cannot be, such as a lock or an open file.
    """
    try:
        registered = copyreg.dispatch_table.get(type(value))
        reduced = value.__reduce_ex__(2) if registered is None else registered(value)
    except Exception as error:
        kind = type(value).__name__
        raise _CannotFollowError(f"it holds a {kind}, which has no content that can be compared") from error
    if isinstance(reduced, str):
        return [reduced]
    return [*reduced[:3], *(None if items is None else list(items) for items in reduced[3:5])]


def _is_cached(value: Any) -> bool:
    """Return whether a class attribute computes its value once and then stores it in the instance."""
    return isinstance(value, functools.cached_property)


def _sort(values: Iterable[Any]) -> list[Any]:
    """Return the members of a set in an order that is the same in every process, as far as names and values give it."""
    return sorted(values, key=lambda value: str(write_constant(value) or getattr(value, "__qualname__", "")))
