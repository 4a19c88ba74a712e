"""Checks of settings, declared on the fields of frozen dataclasses.

Each check returns the plain Python value or raises `SettingError` in one sentence.

`owner` is the name of what is being set (a class), `name` the setting's name.
"""

import dataclasses
import functools
import math
import os
import typing
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Final

import numpy as np

from xquality.errors import SettingError, first_line

_SHOWN: Final = 80  # characters of a value in messages

ADDED: Final[Mapping[str, object]] = MappingProxyType({"added": True})
"""The metadata of a field that a class got later, which has `repr=False` too: where it has its default, it enters
neither the repr (`list_settings`) nor a digest, so that digests of values that do not use it stay as they were."""

Check = Callable[[str, str, Any], Any]  # owner, name, value -> the plain Python value


def show(value: object) -> str:
    """Return a value as messages show it: its repr in one line, without the end of a long one.

    Example:
        >>> show([0.5] * 1000)
        '[0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, ...'
    """
    shown = repr(value)
    shown = " ".join(shown.split()) if "\n" in shown else shown  # of arrays
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 3]}..."


def rate(owner: str, name: str, value: object) -> float:
    """Return `value` as a float in [0, 1]."""
    number = real(owner, name, value)
    if not 0.0 <= number <= 1.0:
        raise SettingError(f"{owner}({name}={show(value)}) must lie between 0 and 1; give a share such as 0.2.")
    return number


def real(owner: str, name: str, value: object) -> float:
    """Return `value` as a finite float."""
    try:
        finite = isinstance(value, Real) and math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        finite = False
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real) or not finite:
        raise SettingError(f"{owner}({name}={show(value)}) must be a finite number, not {type(value).__name__}.")
    return float(value)


def positive(owner: str, name: str, value: object) -> float:
    """Return `value` as a finite float above 0."""
    number = real(owner, name, value)
    if number <= 0:
        raise SettingError(f"{owner}({name}={show(value)}) must be above 0.")
    return number


def integer(owner: str, name: str, value: object, *, least: int | None = None) -> int:
    """Return `value` as an int, not below `least`."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        raise SettingError(f"{owner}({name}={show(value)}) must be an integer, not {type(value).__name__}.")
    number = int(value)
    if least is not None and number < least:
        raise SettingError(f"{owner}({name}={number}) must be at least {least}.")
    return number


def boolean(owner: str, name: str, value: object) -> bool:
    """Return `value` as a bool."""
    if not isinstance(value, bool | np.bool_):
        raise SettingError(f"{owner}({name}={show(value)}) must be True or False, not {type(value).__name__}.")
    return bool(value)


def text(owner: str, name: str, value: object) -> str:
    """Return `value` as a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise SettingError(f"{owner}({name}={show(value)}) must be a name, that is a string that is not empty.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise SettingError(f"{owner}({name}={show(value)}) must be valid text, but has half a surrogate.") from error
    return str(value)


def any_text(owner: str, name: str, value: object) -> str:
    """Return `value` as a string, which may be empty."""
    if not isinstance(value, str):
        raise SettingError(f"{owner}({name}={show(value)}) must be a string, not {type(value).__name__}.")
    return text(owner, name, value) if value else ""


def texts(owner: str, name: str, value: object, *, least: int = 1) -> tuple[str, ...]:
    """Return a sequence of names as a tuple; a lone string is refused, since it iterates as characters."""
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) < least:
        example = f"such as {[value]}" if isinstance(value, str) and value else f"{least} or more"
        raise SettingError(f"{owner}({name}={show(value)}) must be a list of names, {example}.")
    return tuple(text(owner, name, entry) for entry in value)


def names_between(least: int, most: int | None = None) -> Check:
    """Return a check for a list of different names, at least and at most so many."""

    def check(owner: str, name: str, value: object) -> tuple[str, ...]:
        names = texts(owner, name, value, least=0)
        twice = next((found for place, found in enumerate(names) if found in names[:place]), None)
        if twice is not None:
            raise SettingError(f"{owner}({name}=...) must be a list of different names, but {twice!r} occurs twice.")
        if len(names) < least or (most is not None and len(names) > most):
            limits = f"{least} names or more" if most is None else f"{least} to {most} names"
            raise SettingError(f"{owner}({name}={show(names)}) must be a list of {limits}, not {len(names)}.")
        return names

    return check


def check_different(owner: str, **names: str | None) -> None:
    """Raise `SettingError` where two settings name the same column; None names none."""
    seen: dict[str, str] = {}
    for setting, name in names.items():
        if name is not None and name in seen:
            raise SettingError(f"{owner}({seen[name]}={name!r}, {setting}={name!r}) must name two different columns.")
        if name is not None:
            seen[name] = setting


def mapping(owner: str, name: str, value: object) -> dict[str, str]:
    """Return a mapping of names to names as a dict."""
    if not isinstance(value, Mapping):
        raise SettingError(f"{owner}({name}={show(value)}) must map names to names, such as {{'validation': 'dev'}}.")
    return {text(owner, name, key): text(owner, name, other) for key, other in value.items()}


def one_of(owner: str, name: str, value: object, allowed: Sequence[str]) -> str:
    """Return `value` where it is one of `allowed`."""
    if not isinstance(value, str) or value not in allowed:
        choices = ", ".join(repr(choice) for choice in allowed)
        raise SettingError(f"{owner}({name}={show(value)}) must be one of {choices}.")
    return str(value)


def different(owner: str, name: str, value: object, allowed: Sequence[str]) -> tuple[str, ...]:
    """Return a sequence of names as a tuple, each one of `allowed` and none of them twice."""
    names = tuple(one_of(owner, name, entry, allowed) for entry in texts(owner, name, value))
    if len(set(names)) < len(names):
        raise SettingError(f"{owner}({name}={show(names)}) must name each of them once.")
    return names


def path(owner: str, name: str, value: object) -> Path:
    """Return a path, or its text, as a path that the operating system can look up; nothing need be there."""
    try:
        found = Path(value if isinstance(value, str) else os.fspath(value))  # type: ignore[call-overload]
        str(found).encode()
        found.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (TypeError, ValueError, OSError) as error:  # bytes, NUL, no UTF-8; too long, a loop, no permission
        reason = getattr(error, "strerror", None) or first_line(error)
        raise SettingError(f"{owner}({name}={show(value)}) must be a path that can be looked up ({reason}).") from error
    if not str(value):
        raise SettingError(f"{owner}({name}='') must be a path; '.' is the working directory.")
    return found


def optional(check: Check) -> Check:
    """Return a check that accepts None and otherwise does what `check` does."""

    def checked(owner: str, name: str, value: object) -> object:
        return None if value is None else check(owner, name, value)

    return checked


def instance(kind: type) -> Check:
    """Return a check for values of a class; the mapping that its `to_dict` returns is made into one."""

    def check(owner: str, name: str, value: object) -> object:
        if isinstance(value, Mapping):
            try:
                return kind(**value)
            except TypeError as error:
                raise SettingError(
                    f"{owner}({name}=...) cannot be made of {list(value)}; give a {kind.__name__}."
                ) from error
        if not isinstance(value, kind):
            raise SettingError(f"{owner}({name}=...) must be a {kind.__name__}, not {type(value).__name__}.")
        return value

    return check


def at_least(least: int) -> Check:
    """Return a check for integers not below `least`."""
    return functools.partial(integer, least=least)


def choice(*allowed: str) -> Check:
    """Return a check for one of the names `allowed`."""
    return functools.partial(one_of, allowed=allowed)


def choices(*allowed: str) -> Check:
    """Return a check for a sequence of names from `allowed`, none of them twice."""
    return functools.partial(different, allowed=allowed)


def is_unused(field: "dataclasses.Field[Any]", value: object) -> bool:
    """Return whether a field that was added later has its default."""
    return ADDED.items() <= field.metadata.items() and type(value) is type(field.default) and value == field.default


def list_settings(settings: Any) -> str:
    """Return the repr of a dataclass; a setting with `repr=False` is listed only where it is not the default."""
    values = [(field, getattr(settings, field.name)) for field in dataclasses.fields(settings)]
    listed = [f"{field.name}={value!r}" for field, value in values if field.repr or value != field.default]
    return f"{type(settings).__name__}({', '.join(listed)})"


def check_settings(settings: object) -> None:
    """Check every field of a frozen dataclass that declares a check, and store the plain Python value it returns.

    A field declares its check in its type: `rate: Annotated[float, rate]`, or by one of the names below, as in
    `rate: Rate`. Call it first in `__post_init__`; conditions between several fields follow it there. This module is
    used instead of attrs, since users' transforms are plain frozen dataclasses (`dataclasses.replace` and
    `dataclasses.fields` work on every setting) and an error has to name the class and the setting in one sentence.

    Args:
        settings: an instance of a frozen dataclass, in its `__post_init__`.

    Raises:
        SettingError: for the first field whose value its check refuses.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Noise:
        ...     rate: Rate
        ...     def __post_init__(self):
        ...         check_settings(self)
        >>> Noise(rate=1).rate
        1.0
        >>> Noise(rate=2)
        Traceback (most recent call last):
            ...
        xquality.errors.SettingError: Noise(rate=2) must lie between 0 and 1; give a share such as 0.2.
    """
    kind: Any = type(settings)
    for name, check in _declared(kind):
        object.__setattr__(settings, name, check(kind.__name__, name, getattr(settings, name)))


@functools.cache
def _declared(kind: Any) -> tuple[tuple[str, Check], ...]:
    """Return the names and the checks of the fields of a dataclass that declare one."""
    fields = dataclasses.fields(kind)
    written = any(isinstance(field.type, str) for field in fields)  # `from __future__ import annotations`
    types = (
        typing.get_type_hints(kind, include_extras=True) if written else {field.name: field.type for field in fields}
    )
    declared = ((field.name, check) for field in fields for check in getattr(types[field.name], "__metadata__", ()))
    return tuple((name, check) for name, check in declared if callable(check))


Rate = Annotated[float, rate]
"""A share in [0, 1]."""

Positive = Annotated[float, positive]
"""A finite float above 0."""

Flag = Annotated[bool, boolean]
"""True or False."""

Name = Annotated[str, text]
"""A name, for example of a column: a string that is not empty."""

Prefix = Annotated[str, any_text]
"""What is put before every text that a model reads; empty for nothing."""

Names = Annotated[tuple[str, ...], texts]
"""One name or more; a list becomes a tuple."""

AnyNames = Annotated[tuple[str, ...], functools.partial(texts, least=0)]
"""Any number of names, none among them; a list becomes a tuple."""

Stream = Annotated[int, at_least(0)]
"""The number that separates the draws of several calls of one class with one seed."""
