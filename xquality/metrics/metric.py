"""Metrics as values: a name, a function, its statistics of each example, which way is better and its range.

A head is given its metrics, so a metric of one's own needs no change of this package.
"""

import functools
import hashlib
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import CodeType
from typing import Annotated, Any, final

import numpy as np
from numpy.typing import NDArray

from xquality import _settings
from xquality.errors import MetricError, SettingError

Ratios = NDArray[np.float64]  # shape (examples, parts, 2), as `ratios` makes it


@final
@dataclass(frozen=True, eq=False)
class Examples:
    """What a model predicted for the examples of one language, and what is right: the argument of a metric.

    Attributes:
        predictions: one entry an example, in the form of the head: class numbers, lists of tag names, answers as text,
            numbers of options. `docs/how-to/scores.md` lists the forms.
        references: what is right, one entry an example.
        language: as the dataset spells it.
        labels: the names of the classes or tags, for heads that have them.
    """

    predictions: Sequence[Any]
    references: Sequence[Any]
    language: str = ""
    labels: tuple[str, ...] = ()
    _results: dict[Any, Any] = field(default_factory=dict, init=False, repr=False)

    def once(self, function: "Callable[[Examples], Any]") -> Any:
        """Return `function(self)`, computed at the first call: metrics that count the same things share the counts.

        Example:
            >>> examples = Examples(["a", "b"], ["a", "a"])
            >>> examples.once(lambda examples: len(examples.references))
            2
        """
        if function not in self._results:
            self._results[function] = function(self)
        return self._results[function]


def _one_argument(owner: str, name: str, value: object) -> Callable[[Examples], Any]:
    """Return `value` where it can be called with one argument."""
    if not callable(value):
        raise SettingError(f"{owner}({name}={value!r}) must be a function of `Examples`.")
    try:
        inspect.signature(value).bind(None)
    except TypeError as fault:
        raise SettingError(
            f"{owner}({name}=...) is called with one argument, the `Examples` with their predictions and references, "
            f"but {_function_text(value)} takes others ({fault})."
        ) from fault
    except ValueError:  # some functions written in C have no signature
        pass
    return value


def _limits(owner: str, name: str, value: object) -> tuple[float, float]:
    """Return `value` as a lower and an upper limit."""
    pair = tuple(value) if isinstance(value, list | tuple) else ()
    numbers = [number for number in pair if isinstance(number, int | float) and not isinstance(number, bool)]
    if len(pair) != 2 or len(numbers) != 2 or not numbers[0] < numbers[1]:
        raise SettingError(f"{owner}({name}={value!r}) must be a lower and a higher number, such as (0, 100).")
    return float(numbers[0]), float(numbers[1])


@final
@dataclass(frozen=True)
class Metric:
    """A metric that a head can be given.

    Attributes:
        name: the name that scores carry, for example "accuracy".
        function: returns the value from `Examples`; or several values by name, of which the metric takes its own.
        statistics: returns from `Examples` what each example counts, as `ratios` makes it (or several by name): the
            value is 100 times the mean over parts of the sum of the first number over the sum of the second. The
            bootstrap of `xquality.evaluation.interval` resamples these instead of scoring again. None for a metric
            that has no such form.
        higher_is_better: False for errors, losses and perplexities.
        range: the lowest and the highest value.

    Raises:
        SettingError: for a setting of the wrong kind, or a function that does not take one argument.

    Example:
        >>> def wrong(examples):
        ...     return np.asarray(examples.predictions) != np.asarray(examples.references)
        >>> error_rate = Metric(
        ...     "error_rate",
        ...     lambda examples: 100 * wrong(examples).mean(),
        ...     lambda examples: ratios(wrong(examples), 1),
        ...     higher_is_better=False,
        ... )
        >>> error_rate.value(Examples([1, 0, 1, 1], [1, 1, 1, 1]))
        25.0
    """

    name: _settings.Name
    function: Annotated[Callable[[Examples], float | Mapping[str, float]], _one_argument]
    statistics: Annotated[Callable[[Examples], Any] | None, _settings.optional(_one_argument)] = None
    higher_is_better: _settings.Flag = True
    range: Annotated[tuple[float, float], _limits] = (0.0, 100.0)

    def __post_init__(self) -> None:
        _settings.check_settings(self)
        if self.name == "loss":
            raise SettingError("Metric(name='loss') is the name of the training loss in a history; choose another.")

    def __repr__(self) -> str:
        """Return the settings, functions by their name and the digest of their source: the same in every process."""
        functions = _function_text(self.function), self.statistics and _function_text(self.statistics)
        return (
            f"Metric(name={self.name!r}, function={functions[0]}, statistics={functions[1]}, "
            f"higher_is_better={self.higher_is_better}, range={self.range})"
        )

    def value(self, examples: Examples) -> float:
        """Return the value.

        Raises:
            MetricError: where it is no number in the metric's range.
        """
        value = self._own(examples.once(self.function))
        margin = 1e-6 * max(1.0, *(abs(limit) for limit in self.range if math.isfinite(limit)), 0.0)
        low, high = self.range
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not low - margin <= number <= high + margin:
            raise MetricError(
                f"The metric {self.name!r} lies between {low:g} and {high:g}, but its value is {value!r}."
            )
        return number

    def example_statistics(self, examples: Examples) -> Ratios | None:
        """Return the statistics of each example, shape (examples, parts, 2); None for a metric without them.

        Raises:
            MetricError: where they have another shape, or do not give the metric's value.
        """
        if self.statistics is None:
            return None
        table = np.asarray(self._own(examples.once(self.statistics)), np.float64)
        table = table[:, None] if table.ndim == 2 else table
        expected = (len(examples.references), *table.shape[1:2], 2)
        if table.shape != expected or not np.isfinite(table).all():
            raise MetricError(
                f"The statistics of {self.name!r} must be finite numbers of shape {expected}, but have the shape "
                f"{table.shape}; make them with xquality.metrics.ratios."
            )
        value, resampled = self.value(examples), mean_ratio(table.sum(axis=0))
        if not math.isclose(value, resampled, rel_tol=1e-6, abs_tol=1e-6):
            raise MetricError(
                f"The statistics of {self.name!r} give {resampled:.6g}, but its function gives {value:.6g}; a value is "
                "100 times the mean over parts of one sum over another."
            )
        return table

    def orient(self, value: float) -> float:
        """Return the value, or its negative where lower is better: the higher of two is the better one.

        Example:
            >>> Metric("error_rate", lambda examples: 0.0, higher_is_better=False).orient(25.0)
            -25.0
        """
        return value if self.higher_is_better else -value

    def _own(self, result: Any) -> Any:
        """Return this metric's part of what a function returned."""
        if not isinstance(result, Mapping):
            return result
        if self.name not in result:
            raise MetricError(f"The function of {self.name!r} must return a value of that name, but gives {[*result]}.")
        return result[self.name]


@final
@dataclass(frozen=True)
class MetricValue:
    """The value of one metric on the examples of one language.

    Attributes:
        metric: its name.
        value: on the scale from 0 to 100, where the metric has one.
        statistics: what each example counts, shape (examples, parts, 2), as in `Metric.statistics`; None where the
            metric has none.
        signature: settings that made it, beyond those of the evaluation.
    """

    metric: str
    value: float
    statistics: Ratios | None = field(default=None, repr=False, compare=False)
    signature: Mapping[str, Any] = field(default_factory=dict)


def measure(
    metrics: Sequence[Metric], examples: Examples, signature: Mapping[str, Any] | None = None
) -> list[MetricValue]:
    """Return the value of each metric, in their order.

    Args:
        metrics: the metrics.
        examples: predictions and references of one language.
        signature: settings that made the predictions, for every value.

    Raises:
        MetricError: where a metric cannot be computed.
    """
    return [
        MetricValue(metric.name, metric.value(examples), metric.example_statistics(examples), signature or {})
        for metric in metrics
    ]


def ratios(above: Any, below: Any, *, scale: float = 100.0) -> Ratios:
    """Return the statistics of a metric that is a ratio of sums, shape (examples, parts, 2).

    Args:
        above: what each example adds above the line, shape (examples,) or (examples, parts).
        below: what it adds below, of the same shape, or one number for all.
        scale: what the ratio is multiplied by: 100 for a share, 1 for the mean of plain numbers.

    Example:
        >>> ratios([True, False], 1).tolist()
        [[[1.0, 1.0]], [[0.0, 1.0]]]
    """
    first = np.asarray(above, np.float64).reshape(len(above), -1) * (scale / 100)
    second = np.asarray(below, np.float64).reshape(-1, first.shape[1] if np.ndim(below) else 1)
    return np.stack([first, np.broadcast_to(second, first.shape)], axis=-1)


def mean_ratio(totals: NDArray[Any]) -> float:
    """Return a value from sums of statistics over examples, shape (parts, 2): 100 times the mean over parts.

    Parts that no example counts are left out; 0 where there is none.

    Example:
        >>> mean_ratio(ratios([1, 0, 1, 1], 1).sum(axis=0))
        75.0
    """
    above, below = totals.reshape(-1, 2).T
    occurs = below > 0
    return float(100 * (above[occurs] / below[occurs]).mean()) if occurs.any() else 0.0


def _function_text(function: Any) -> str:
    """Return what identifies a function: its name, the digest of its source and what it is bound to."""
    if isinstance(function, functools.partial):
        named = [f"{name}={_value_text(function.keywords[name])}" for name in sorted(function.keywords)]
        return f"partial({', '.join([_function_text(function.func), *map(_value_text, function.args), *named])})"
    if not hasattr(function, "__code__"):
        return str(getattr(function, "__qualname__", None) or _value_text(function))
    cells = [_cell_text(cell) for cell in function.__closure__ or ()]
    defaults = [*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()]
    bound = [_value_text(function.__self__)] if inspect.ismethod(function) else []
    whole = "\n".join([_source_text(function), *cells, *map(_value_text, defaults), *bound])
    return f"{function.__qualname__}#{hashlib.blake2b(whole.encode(), digest_size=4).hexdigest()}"


def _source_text(function: Any) -> str:
    """Return a function's source, or its bytecode where there is no source."""
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):  # typed into an interpreter
        return _code_text(function.__code__)


def _cell_text(cell: Any) -> str:
    """Return what identifies a variable of an enclosing function; of a function, which may be the same, its source."""
    try:
        value = cell.cell_contents
    except ValueError:  # not bound yet
        return ""
    return _source_text(value) if inspect.isfunction(value) else _value_text(value)


def _value_text(value: Any) -> str:
    """Return what identifies a value that a function is bound to: its repr, or its type where that has an address."""
    if inspect.isfunction(value) or isinstance(value, functools.partial):
        return _function_text(value)
    text = repr(value)
    return type(value).__qualname__ if " at 0x" in text else text


def _code_text(code: CodeType) -> str:
    """Return a function's bytecode, names and constants."""
    constants = [
        _code_text(value) if isinstance(value, CodeType) else _constant_text(value) for value in code.co_consts
    ]
    return f"{code.co_code.hex()} {code.co_names} {constants}"


def _constant_text(value: object) -> str:
    """Return a constant's repr, the same in every process."""
    return repr(sorted(value, key=repr)) if isinstance(value, frozenset) else repr(value)
