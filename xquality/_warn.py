"""Warnings that name the line of the user's program, however deep in the package they are raised."""

import inspect
import warnings

_PACKAGE = __name__.partition(".")[0]


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn with the location of the nearest caller outside this package, which is a line that the user can change.

    Example:
        >>> with warnings.catch_warnings(record=True, action="always") as caught:
        ...     warn("look here")
        >>> print(caught[0].message)
        look here
    """
    level, frame = 1, inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__")).partition(".")[0] == _PACKAGE:
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)
