"""Checks of settings: each returns the plain Python value or raises `SettingError` in one sentence.

`owner` is the name of what is being set (a class), `name` the setting's name.
"""

import functools
import math
from collections.abc import Callable, Sequence
from numbers import Integral, Real

import numpy as np

from xquality.errors import SettingError


def rate(owner: str, name: str, value: object) -> float:
    """Return `value` as a float in [0, 1]."""
    number = real(owner, name, value)
    if not 0.0 <= number <= 1.0:
        raise SettingError(f"{owner}({name}={value!r}) must lie between 0 and 1; give a share such as 0.2.")
    return number


def real(owner: str, name: str, value: object) -> float:
    """Return `value` as a finite float."""
    try:
        finite = isinstance(value, Real) and math.isfinite(value)
    except OverflowError:  # an integer beyond all floats
        finite = False
    if isinstance(value, bool | np.bool_) or not isinstance(value, Real) or not finite:
        raise SettingError(f"{owner}({name}={value!r}) must be a finite number, not {type(value).__name__}.")
    return float(value)


def positive(owner: str, name: str, value: object) -> float:
    """Return `value` as a finite float above 0."""
    number = real(owner, name, value)
    if number <= 0:
        raise SettingError(f"{owner}({name}={value!r}) must be above 0.")
    return number


def integer(owner: str, name: str, value: object, *, least: int | None = None) -> int:
    """Return `value` as an int, not below `least`."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, Integral):
        raise SettingError(f"{owner}({name}={value!r}) must be an integer, not {type(value).__name__}.")
    number = int(value)
    if least is not None and number < least:
        raise SettingError(f"{owner}({name}={number}) must be at least {least}.")
    return number


def boolean(owner: str, name: str, value: object) -> bool:
    """Return `value` as a bool."""
    if not isinstance(value, bool | np.bool_):
        raise SettingError(f"{owner}({name}={value!r}) must be True or False, not {type(value).__name__}.")
    return bool(value)


def text(owner: str, name: str, value: object) -> str:
    """Return `value` as a string that is not empty."""
    if not isinstance(value, str) or not value:
        raise SettingError(f"{owner}({name}={value!r}) must be a name, that is a string that is not empty.")
    return str(value)


def texts(owner: str, name: str, value: object) -> tuple[str, ...]:
    """Return a sequence of names as a tuple; a lone string is refused, since it reads as its letters."""
    if isinstance(value, str) or not isinstance(value, Sequence) or not value:
        raise SettingError(f"{owner}({name}={value!r}) must be a list of names, such as ['text'].")
    return tuple(text(owner, name, one) for one in value)


def one_of(owner: str, name: str, value: object, allowed: Sequence[str]) -> str:
    """Return `value` where it is one of `allowed`."""
    if not isinstance(value, str) or value not in allowed:
        choices = ", ".join(repr(one) for one in allowed)
        raise SettingError(f"{owner}({name}={value!r}) must be one of {choices}.")
    return str(value)


def different(owner: str, name: str, value: object, allowed: Sequence[str]) -> tuple[str, ...]:
    """Return a sequence of names as a tuple, each one of `allowed` and none of them twice."""
    names = tuple(one_of(owner, name, one, allowed) for one in texts(owner, name, value))
    if len(set(names)) < len(names):
        raise SettingError(f"{owner}({name}={names!r}) must name each of them once.")
    return names


_SHARED: dict[str, Callable[[str, str, object], object]] = {
    "rate": rate,
    "column": text,
    "exact": boolean,
    "stream": functools.partial(integer, least=0),
}


def noise_settings(noise: object) -> None:
    """Check the fields that the kinds of noise share, those that `noise` has: rate, column, exact and stream.

    A frozen dataclass calls it in `__post_init__`; the fields become Python's own values.
    """
    for name, check in _SHARED.items():
        if hasattr(noise, name):
            object.__setattr__(noise, name, check(type(noise).__name__, name, getattr(noise, name)))
