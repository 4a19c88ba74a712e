"""The typed exceptions of this library: one base class, one final class for each kind of fault, and a warning.

Every message is one sentence that says what was asked, what was found and what to do.
"""


class XqualityError(Exception):
    """Base of every error that xquality raises on purpose; catch this to catch them all."""


class SettingError(XqualityError, ValueError):
    """A setting (a rate, a seed, a budget, a name) that is out of range or of the wrong type."""


class DataKindError(XqualityError, TypeError):
    """An object that is not a `Dataset` or an `IterableDataset`, for example a `DatasetDict`."""


class ColumnError(XqualityError, ValueError):
    """A column that is missing, has the wrong type or holds values that cannot be used."""


class LabelError(XqualityError, ValueError):
    """A label column without class names, an unlabelled row, or a label outside the classes."""


class UidError(XqualityError, ValueError):
    """A row identity that is missing, of the wrong type or not unique."""


class RateWarning(UserWarning):
    """A rate above 0 that rounds to no row at all: the data are too few for it."""


class RepeatedTransformError(XqualityError, ValueError):
    """A second call of a transform that would repeat the first call's draws on the same rows."""


class StreamError(XqualityError, TypeError):
    """A transform that needs all rows at once was called on an `IterableDataset`."""


class TransformError(XqualityError, RuntimeError):
    """A transform whose `apply` broke a law, for example by inventing or repeating rows."""


class SerialisationError(XqualityError, ValueError):
    """A value that cannot be written as JSON, or JSON that does not describe a known value."""


class SourceError(XqualityError, LookupError):
    """Data that were asked for and are not there: a folder, a repository, a language, a split."""


class UnreachableError(XqualityError, ConnectionError):
    """Data that may be there, but could not be fetched: no connection, another revision; never taken for missing."""


class DamagedError(XqualityError, RuntimeError):
    """A saved thing whose bytes are not the bytes that were written."""


class ModelError(XqualityError, ValueError):
    """A model that cannot be loaded or does not fit the task."""


class TrainingError(XqualityError, RuntimeError):
    """A training stage that cannot be run as asked."""


class MetricError(XqualityError, ValueError):
    """Predictions and references that cannot be scored together."""


class ConvergenceError(XqualityError, ValueError):
    """A history without the points that a convergence measure needs."""


class StudyError(XqualityError, RuntimeError):
    """A study that cannot be run, resumed or read as asked."""


def first_line(fault: BaseException) -> str:
    r"""Return the first line of an error's text without its full stop, to be quoted in a sentence; its kind for none.

    Example:
        >>> first_line(ValueError("It is too long.\nSee the log."))
        'It is too long'
    """
    lines = str(fault).strip().splitlines()
    return (lines or [type(fault).__name__])[0].rstrip(".")
