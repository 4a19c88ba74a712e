"""Checks of the numbers that the statistics of a study take: their shape and kind, before anything is computed."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xquality import _settings
from xquality.errors import SettingError

Floats = NDArray[np.float64]


def read_numbers(owner: str, values: object) -> Floats:
    """Return numbers, one for each seed or row, as an array of one dimension; of a mapping its values.

    Raises:
        SettingError: for no numbers, numbers in more than one dimension, a set (which drops equal values), anything
            else than numbers, and a number that is not finite.

    Example:
        >>> read_numbers("mean_interval", {0: 1.0, 1: 2.5}.values()).tolist()
        [1.0, 2.5]
    """
    given = values.values() if isinstance(values, Mapping) else values
    if isinstance(given, str | bytes | AbstractSet) or not isinstance(given, Iterable):
        raise SettingError(
            f"{owner} takes a list of numbers in one dimension, such as [61.5, 62.0], but got "
            f"{_settings.show(values)} of the type {type(values).__name__}."
        )
    numbers = _to_floats(owner, given if isinstance(given, np.ndarray) else list(given))
    if numbers.ndim != 1:
        raise SettingError(
            f"{owner} takes one number for each seed or row, but got the shape {numbers.shape}; take the mean of each "
            "seed first, or use crossed_interval for values[seed][unit]."
        )
    if not len(numbers):
        raise SettingError(f"{owner} takes finite values, one or more, but got none.")
    return numbers


def read_table(owner: str, values: object, what: str = "values[seed][unit]") -> Floats:
    """Return a table of finite numbers, shape (rows, columns).

    Args:
        owner: the function that takes it.
        values: the table.
        what: its rows and columns, for messages.

    Raises:
        SettingError: for another shape, rows of several lengths, and anything else than finite numbers.
    """
    if isinstance(values, str | bytes | AbstractSet | Mapping) or not isinstance(values, Iterable):
        raise SettingError(f"{owner} takes finite {what}, but got {_settings.show(values)}.")
    try:
        table = _to_floats(owner, values if isinstance(values, np.ndarray) else list(values))
    except SettingError as fault:
        raise SettingError(f"{owner} takes finite {what}, but got {_settings.show(values)}.") from fault
    if table.ndim != 2 or not table.size:
        raise SettingError(f"{owner} takes finite {what}, but got an array of the shape {table.shape}.")
    return table


def read_level(owner: str, level: object) -> float:
    """Return a confidence level inside (0, 1), or raise `SettingError`."""
    confidence = _settings.real(owner, "level", level)
    if not 0 < confidence < 1:
        raise SettingError(f"{owner}(level={level!r}) must lie between 0 and 1, for example 0.95.")
    return confidence


def _to_floats(owner: str, given: Any) -> Floats:
    """Return finite numbers as an array, or raise `SettingError`."""
    try:
        array = np.asarray(given)
        kind = array.dtype.kind
        if kind == "O" and all(isinstance(value, Real) for value in array.flat):
            array, kind = array.astype(np.float64), "f"
    except (TypeError, ValueError, OverflowError) as fault:
        raise SettingError(
            f"{owner} takes finite numbers in one dimension, but got {_settings.show(given)} ({fault})."
        ) from fault
    if kind not in "biuf" or np.ma.getmask(given).any():
        raise SettingError(
            f"{owner} takes numbers in one dimension, but got {_settings.show(given)}; leave out what is missing."
        )
    numbers = np.asarray(array, np.float64)
    if not np.isfinite(numbers).all():
        raise SettingError(
            f"{owner} takes finite values, but got {_settings.show(given)}; leave out what is NaN or infinite."
        )
    return numbers
