"""The typed errors of the package: one base class, one final class for each kind of fault, and the warnings.

Every message is one sentence that says what was requested, what was found and what to do. Each class also inherits
from the builtin exception that an existing handler would expect.
"""

import inspect
import warnings

__all__ = [
    "ColumnError",
    "ConstantAnswerWarning",
    "ConvergenceError",
    "DamagedError",
    "DataKindError",
    "LabelError",
    "LanguagePairError",
    "MetricError",
    "ModelError",
    "NotInstalledError",
    "RateWarning",
    "RepeatedTransformError",
    "SerialisationError",
    "SettingError",
    "SourceError",
    "StreamError",
    "StudyError",
    "TrainingError",
    "TransformError",
    "TranslationError",
    "UidError",
    "UnreachableError",
    "WriteError",
    "XqualityError",
]


_PACKAGE = __name__.partition(".")[0]


class XqualityError(Exception):
    """Base class of every error that xquality raises on purpose; catch it to catch them all."""


class SettingError(XqualityError, ValueError):
    """A setting, such as a rate, a seed or a column name, is out of range or of the wrong type.

    It is raised where the setting is given, before any data are read. Correct the setting that the message names.
    """


class DataKindError(XqualityError, TypeError):
    """An object is not the kind of dataset that a function takes, for example a `DatasetDict` instead of a `Dataset`.

    Pass one split, such as `data["train"]`.
    """


class ColumnError(XqualityError, ValueError):
    """A column is missing, has the wrong type or holds unusable values.

    Name another column of those that the message lists, or cast or fill the column first.
    """


class LabelError(XqualityError, ValueError):
    """A label column has no class names, or a row has no label or one outside the classes.

    Cast the column to `ClassLabel`, or remove unlabelled rows (null or -1) first.
    """


class UidError(XqualityError, ValueError):
    """A row's `uid` is missing, repeated or neither an integer nor a string.

    Assign uids with `xq.with_uid`, remove repeated rows, or give `names` to `xq.concatenate`.
    """


class RateWarning(UserWarning):
    """A rate above 0 rounds to no row at all, so the transform changes nothing.

    Use more rows, a higher rate, or `exact=False`.
    """


class ConstantAnswerWarning(UserWarning):
    """A model gives the same answer on every row of a language, though the right answers differ.

    Train longer or with a higher learning rate, and check the labels; `evaluation.constant_baselines` says what such
    answers score.
    """


class RepeatedTransformError(XqualityError, ValueError):
    """A transform is called twice on the same rows with the same seed and stream, so its draws would be the same.

    Give the second call another seed or `stream=1`.
    """


class StreamError(XqualityError, TypeError):
    """A transform that needs all rows at once is called on an `IterableDataset`, or is asked to work in batches.

    Load the rows as a `Dataset`, or use settings that treat each row alone, such as `exact=False`.
    """


class TransformError(XqualityError, RuntimeError):
    """A transform's `apply` violates the contract of transforms, for example by adding or repeating rows.

    Correct the transform; `xquality.testing.check_transform` checks the whole contract.
    """


class SerialisationError(XqualityError, ValueError):
    """A value cannot be serialised to JSON, or JSON does not describe a value of the expected class.

    Use plain JSON values in settings, and read only what the same class wrote.
    """


class SourceError(XqualityError, LookupError):
    """The requested data do not exist: a folder, a repository, a language or a split.

    Correct the name, or set `root` or the environment variable XQUALITY_DATA to the folder that holds the data.
    """


class UnreachableError(XqualityError, ConnectionError):
    """The requested data may exist, but could not be downloaded: no connection, or only another revision is cached.

    Restore the connection and try again, or read a local copy.
    """


class DamagedError(XqualityError, RuntimeError):
    """A stored file or folder differs from what was written, or cannot be read.

    Restore it from a copy, or delete it and compute or download it again.
    """


class WriteError(XqualityError, OSError):
    """A file or folder cannot be written, for example because the disk is full or the folder belongs to another user.

    Free space, or name a folder that you may write to; nothing unfinished is left behind.
    """


class ModelError(XqualityError, ValueError):
    """A model cannot be loaded, or does not fit the task.

    Give a folder or Hub id of an encoder that the transformers library can load, or another head.
    """


class TrainingError(XqualityError, RuntimeError):
    """A training stage cannot run as requested, for example because it has no rows or its loss is not finite.

    Change the stage's settings or its data as the message says.
    """


class NotInstalledError(XqualityError, ImportError):
    """A program, or a package outside the dependencies, is needed and missing.

    Install it with the command that the message names.
    """


class LanguagePairError(XqualityError, LookupError):
    """A translator does not translate the requested pair of languages.

    Name a pair of those that the message lists, or install the pair or another translator.
    """


class TranslationError(XqualityError, RuntimeError):
    """A translator failed: it was killed, ran out of time, or did not return one translation for each text.

    Nothing of that call is returned or kept in a cache. Check the engine with the text that the message shows.
    """


class MetricError(XqualityError, ValueError):
    """Predictions and references cannot be scored together, for example because their numbers differ.

    Give one prediction for each reference, of the type that the metric reads.
    """


class ConvergenceError(XqualityError, ValueError):
    """A training history has no measurements that a convergence measure could be computed from.

    Train with a `Probe` that measures the task, or name another metric, language or stage.
    """


class StudyError(XqualityError, RuntimeError):
    """A study cannot be run, resumed or read as requested.

    The message names the cell or the axis. Correct it, or use another folder for a study with other axes.
    """


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


def first_line(error: BaseException) -> str:
    r"""Return the first line of an error's message without its full stop, or the error's class if it has none.

    Example:
        >>> first_line(ValueError("It is too long.\nSee the log."))
        'It is too long'
    """
    lines = str(error).strip().splitlines()
    return (lines or [type(error).__name__])[0].rstrip(".")
