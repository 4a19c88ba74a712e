"""Frozen values that the parts of the package hand to each other; each is serialised to JSON and read back equal.

`Record`: what one transform did to a dataset. `Score`: one number and the settings it was computed with. `Point`: one
measurement during training. `History`: the training history of a model. `Result`: what one trial of a study returned.
"""

import dataclasses
import html
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Self, cast, final

from xquality._tables import html_table, printable
from xquality.errors import ConvergenceError, SerialisationError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

Json = Any  # None, bool, int, float, str, and lists and dicts of them


@final
class Deferred:
    """A value of a field that is made when the field is first read.

    Args:
        make: returns the value.
    """

    __slots__ = ("make",)

    def __init__(self, make: Callable[[], Any]) -> None:
        self.make = make


@final
class _DeferrableField:
    """The default of a dataclass field that may be given a `Deferred`; without a value it is None."""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return "None"

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = instance.__dict__[self.name]
        if isinstance(value, Deferred):
            value = instance.__dict__[self.name] = value.make()
        return value

    def __set__(self, instance: Any, value: Any) -> None:  # by `__init__` alone: the classes are frozen
        instance.__dict__[self.name] = None if value is self else value


def _plain(value: Any) -> Json:
    """Return a value as plain JSON, recursively: tuples become lists, records dicts, NumPy scalars Python numbers."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return value.item()
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(inner) for inner in value]
    return value


def _serialise(record: Any, *, without: Sequence[str]) -> dict[str, Json]:
    """Return the fields of a dataclass as plain JSON values, without some of them."""
    names = [field.name for field in dataclasses.fields(record) if field.name not in without]
    return {name: _plain(getattr(record, name)) for name in names}


def _fields(kind: type, data: Json) -> dict[str, Any]:
    """Return `data` as keyword arguments for a dataclass, or raise `SerialisationError` if keys or types do not fit."""
    names, needed = _names(kind)
    if not (type(data) is dict or isinstance(data, Mapping)) or not needed <= data.keys() <= names:
        found = sorted(map(str, data)) if isinstance(data, Mapping) else type(data).__name__
        raise SerialisationError(
            f"A {kind.__name__} is read from JSON with the keys {sorted(names)}, but {found} was found; give what "
            "to_dict wrote."
        )
    for name, value in data.items():
        expected, fits = _JSON_TYPES[name]
        if type(value) is not _PLAIN_TYPES.get(name) and not fits(value):
            raise SerialisationError(
                f"A {kind.__name__} is read from JSON with {expected} under {name!r}, but {value!r:.80} was found; "
                "give what to_dict wrote."
            )
    return dict(data)


@cache
def _names(kind: type) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names of a dataclass's fields, all of them and those without a default."""
    fields = [field for field in dataclasses.fields(kind) if field.init]
    unset = dataclasses.MISSING
    needed = {field.name for field in fields if field.default is unset and field.default_factory is unset}
    return frozenset(field.name for field in fields), frozenset(needed)


def _is_integer(value: Json) -> bool:
    """Return whether a JSON value is an integer."""
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Json) -> bool:
    """Return whether a JSON value is a number that a float can hold; NaN is one."""
    return isinstance(value, float) or (_is_integer(value) and abs(value) <= sys.float_info.max)


def _is_text(value: Json) -> bool:
    """Return whether a JSON value is a string."""
    return isinstance(value, str)


def _is_object(value: Json) -> bool:
    """Return whether a JSON value is an object."""
    return isinstance(value, Mapping)


def _is_list(value: Json) -> bool:
    """Return whether a JSON value is a list; a tuple becomes one."""
    return isinstance(value, list | tuple)


_Check = tuple[str, Callable[[Json], bool]]


def _or_null(check: _Check) -> _Check:
    """Return the same check of a value that may also be null."""
    return f"{check[0]} or null", lambda value: value is None or check[1](value)


_INTEGER: _Check = ("an integer", _is_integer)
_NUMBER: _Check = ("a number", _is_number)
_TEXT: _Check = ("a string", _is_text)
_OBJECT: _Check = ("an object", _is_object)
_JSON_TYPES: Mapping[str, _Check] = {
    **dict.fromkeys(("transform", "task", "language", "metric"), _TEXT),
    **dict.fromkeys(("stage", "step", "rows"), _INTEGER),
    **dict.fromkeys(("seed", "rows_before", "rows_after", "changed"), _or_null(_INTEGER)),
    **dict.fromkeys(("settings", "versions", "details", "signature", "notes"), _OBJECT),
    "value": _NUMBER,
    "realised_rate": _or_null(_NUMBER),
    "digest_source": _or_null(_TEXT),
    **dict.fromkeys(("each", "uids"), ("null", lambda value: value is None)),  # they are not serialised
    "stages": ("a list of objects", lambda value: _is_list(value) and all(map(_is_object, value))),
    "points": ("a list", _is_list),
    "scores": ("a list", _is_list),
    "history": _or_null(_OBJECT),
    "measures": ("an object of numbers", lambda value: _is_object(value) and all(map(_is_number, value.values()))),
}
"""What is expected under a key of the JSON, and whether a value is that; a key means the same in every class."""

# The type that a value mostly has, looked at first since a study of many cells has millions of points.
_PLAIN_TYPES: Mapping[str, type] = {
    **dict.fromkeys(("task", "language", "metric"), str),
    **dict.fromkeys(("stage", "step", "rows"), int),
    "value": float,
}


class _Plain:
    """Base of the values that are written as a mapping of their fields."""

    @classmethod
    def from_dict(cls, data: Json) -> Self:
        """Return the value that `to_dict` wrote.

        Raises:
            SerialisationError: if a key is missing or unknown, or a value has another type.
        """
        return cls(**_fields(cls, data))


@final
@dataclass(frozen=True, repr=False)
class Record(_Plain):
    """What one call of a transform did to a dataset; `xq.history(data)` returns the records that a dataset carries.

    Attributes:
        transform: the class name of the transform, or the name of the function.
        settings: its fields, as plain JSON values.
        seed: the seed of the call; None if nothing was drawn.
        rows_before: the number of rows that went in; None on a stream.
        rows_after: the number of rows that came out; None on a stream.
        changed: the number of cells whose value was replaced; None on a stream.
        realised_rate: the share of rows that were acted upon; None on a stream, or if the transform has no rate.
        versions: the version of the transform's algorithm, and those of the packages that decide the result.
        details: further counts that the transform reports.
        digest_source: the digest, or a function that computes it; neither compared nor serialised.

    Example:
        >>> record = Record("Subsample", {"n": 6}, seed=1, rows_before=8, rows_after=6, realised_rate=0.75)
        >>> Record.from_dict(record.to_dict()) == record
        True
    """

    transform: str
    settings: Mapping[str, Json] = field(default_factory=dict)
    seed: int | None = None
    rows_before: int | None = None
    rows_after: int | None = None
    changed: int | None = None
    realised_rate: float | None = None
    versions: Mapping[str, Json] = field(default_factory=dict)
    details: Mapping[str, Json] = field(default_factory=dict)
    digest_source: str | Callable[[], str] | None = field(default=None, repr=False, compare=False)

    @property
    def digest(self) -> str | None:
        """The digest of the rows that the transform returned, computed on access.

        None for every record but the last of a dataset, since earlier rows are not kept.
        """
        return self.digest_source() if callable(self.digest_source) else self.digest_source

    def to_dict(self) -> dict[str, Json]:
        """Return the record as plain JSON values, without the digest."""
        return _serialise(self, without=("digest_source",))

    def __str__(self) -> str:
        settings = ", ".join(f"{name}={_shorten(value)}" for name, value in self.settings.items() if value is not None)
        rows = (
            "" if None in (self.rows_before, self.rows_after) else f", {self.rows_before:,} -> {self.rows_after:,} rows"
        )
        changed = f", {self.changed:,} changed" if self.changed else ""
        rate = "" if self.realised_rate is None else f", realised rate {self.realised_rate:.4g}"
        seed = "" if self.seed is None else f", seed {self.seed}"
        return f"{self.transform}({settings}){seed}{rows}{changed}{rate}"

    def __repr__(self) -> str:
        return f"<Record: {self}>"


class Records(tuple[Record, ...]):
    """The history of a dataset: a tuple of records, the oldest first, printed with one line for each."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(f"{number}. {record}" for number, record in enumerate(self, 1)) or "()"

    def to_pandas(self) -> "pd.DataFrame":
        """Return one row for each record: transform, settings, seed, numbers of rows, changed cells and realised rate.

        The settings are one column, a mapping in each row.
        """
        import pandas as pd

        names = ["transform", "settings", "seed", "rows_before", "rows_after", "changed", "realised_rate"]
        return pd.DataFrame([{name: getattr(record, name) for name in names} for record in self], columns=names)

    def _repr_html_(self) -> str:
        return f"<ol>{''.join(f'<li>{html.escape(printable(record))}</li>' for record in self)}</ol>"


def _shorten(value: Any) -> str:
    """Return a value's repr, cut where it is long: a mapping such as a dataset's description fills a screen."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


@final
@dataclass(frozen=True)
class Score(_Plain):
    """The value of one metric on one task in one language, and the settings that it was computed with.

    `str(score)` prints the value with its signature in one line, `repr(score)` all but the signature.

    Attributes:
        task: the task's name.
        language: the language, as the dataset spells it.
        metric: the metric's name, for example "accuracy" or "macro_f1".
        value: the value on XTREME's scale from 0 to 100.
        rows: the number of examples that were scored.
        signature: the settings that the value depends on, in the order in which they are printed; `data` is the digest
            of the rows that were scored.
        each: per-example statistics of the metric, shape (rows, parts, 2), which confidence intervals are computed
            from: the value is 100 times the mean over parts of the sum of the first number divided by the sum of the
            second. None if the metric has no such form; neither compared nor part of `to_dict`. A study folder keeps
            them.
        uids: the uid of each example, in the order of `each`; None where an example is not a row. Neither compared nor
            part of `to_dict`.

    Example:
        >>> print(Score("xnli", "de", "accuracy", 66.666, 300, {"split": "test"}))
        xnli/de accuracy = 66.67 rows:300|split:test
    """

    task: str
    language: str
    metric: str
    value: float
    rows: int
    signature: Mapping[str, Json] = field(default_factory=dict, repr=False)  # `str` prints it
    each: "NDArray[np.float64] | None" = field(default=cast("Any", _DeferrableField()), repr=False, compare=False)
    uids: "tuple[int | str, ...] | None" = field(default=cast("Any", _DeferrableField()), repr=False, compare=False)

    def __str__(self) -> str:
        signature = "|".join(f"{name}:{value}" for name, value in {"rows": self.rows, **self.signature}.items())
        return f"{self.task}/{self.language} {self.metric} = {self.value:.2f} {signature}"

    def to_dict(self) -> dict[str, Json]:
        """Return the score as plain JSON values, without the per-example statistics and the uids."""
        return _serialise(self, without=("each", "uids"))


@final
@dataclass(frozen=True)
class Point:
    """One measurement during training: a metric on one task in one language, or the training loss.

    Attributes:
        stage: the index of the training stage in its chain, from 0.
        step: the number of optimiser steps before the measurement; 0 is before the first.
        task: the task that was measured; for the training loss, the task that was trained on.
        language: the language, as the dataset spells it.
        metric: the metric's name, or "loss" for the mean training loss since the previous measurement.
        value: the metric's value on the scale from 0 to 100, or the loss.
        rows: the number of examples that were scored.
    """

    stage: int
    step: int
    task: str
    language: str
    metric: str
    value: float
    rows: int


@final
@dataclass(frozen=True, repr=False)
class History:
    """The training history of a model: its chain of training stages, and the measurements made during them.

    `Fitted.history` holds it. The history of a dataset is something else: the records that `xq.history(data)` returns.

    Attributes:
        stages: for each training stage its settings, its number of steps, the digest of its data and the records of
            its data, as plain JSON values; under `lower_is_better` the names of measured metrics that fall as a model
            gets better, if there are any.
        points: the measurements, in the order in which they were made.

    Example:
        >>> points = [Point(0, step, "xnli", "de", "accuracy", score, 300) for step, score in ((0, 33.0), (10, 50.0))]
        >>> History(({},), tuple(points)).curve()
        ((0, 10), (33.0, 50.0))
    """

    stages: tuple[Mapping[str, Json], ...] = ()
    points: tuple[Point, ...] = ()

    def curve(
        self,
        metric: str | None = None,
        languages: Sequence[str] | None = None,
        stage: int = -1,
    ) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """Return the learning curve of one stage: its steps, and the mean of a metric over languages at each.

        Args:
            metric: the metric's name; None for the first metric of the stage that is not the loss.
            languages: the languages to average over; None for all that were measured.
            stage: the index of the stage in the chain; -1 is the last.

        Returns:
            Steps, ascending, and values, two tuples of one length; both are empty if nothing was measured.

        Raises:
            ConvergenceError: where some language or task was not measured at some step, so that the mean would be
                over different ones, where one of the named languages was never measured though others were, and where
                one was measured twice at a step; name languages that were measured throughout.
        """
        languages = (languages,) if isinstance(languages, str) else languages
        index = stage if stage >= 0 else len(self.stages) + stage
        metric = metric or self.first_metric(stage)
        values: dict[int, dict[tuple[str, str], float]] = {}
        for point in self.points:
            chosen = point.stage == index and point.metric == metric
            if chosen and (languages is None or point.language in languages):
                scores = values.setdefault(point.step, {})
                if scores.setdefault((point.task, point.language), point.value) != point.value:
                    raise ConvergenceError(
                        f"The history has two values of {metric} of {point.task} in {point.language} at step "
                        f"{point.step}; keep one of them."
                    )
        measured = {name for scores in values.values() for name in scores}
        absent = sorted(set(languages or ()) - {language for _, language in measured}) if measured else []
        if absent:
            raise ConvergenceError(
                f"The history has no {metric} in {', '.join(absent[:5])}, but in "
                f"{', '.join(sorted({language for _, language in measured})[:5])}; name languages that were measured."
            )
        for step, scores in values.items():
            missing = sorted(" in ".join(name) for name in measured - scores.keys())
            if missing:
                raise ConvergenceError(
                    f"The history has no {metric} of {', '.join(missing[:5])} at step {step}, though it has it at "
                    "other steps; name the languages that were measured at every step."
                )
        steps = tuple(sorted(values))
        return steps, tuple(sum(values[step].values()) / len(values[step]) for step in steps)

    def first_metric(self, stage: int = -1) -> str:
        """Return the name of the first metric that was measured in a stage and is not the loss; empty if none was."""
        index = stage if stage >= 0 else len(self.stages) + stage
        names = (point.metric for point in self.points if point.stage == index and point.metric != "loss")
        return next(names, "")

    def to_pandas(self) -> "pd.DataFrame":
        """Return the measurements, one row for each point, with the columns of `Point`."""
        import pandas as pd

        names = [field.name for field in dataclasses.fields(Point)]
        return pd.DataFrame([dataclasses.asdict(point) for point in self.points], columns=names)

    def __repr__(self) -> str:
        metrics = ", ".join(dict.fromkeys(point.metric for point in self.points))
        languages = len({point.language for point in self.points if point.metric != "loss"})
        measured = f"{metrics} in {_count(languages, 'language')}" if languages else metrics
        return f"<History: {_count(len(self.stages), 'stage')}, {_count(len(self.points), 'point')} ({measured})>"

    def _repr_html_(self) -> str:
        head = ("stage", "task", "languages", "rows", "steps", "metric", "first", "last")
        rows = [[str(number), *self._describe_stage(number)] for number in range(len(self.stages))]
        return f"<p>{html.escape(repr(self)[1:-1])}</p>{html_table(head, rows)}"

    def _describe_stage(self, number: int) -> list[str]:
        """Return task, languages, rows and steps of a stage, its metric, and the metric's first and last mean."""
        stage = self.stages[number]
        trained = stage.get("languages", ())
        languages = ", ".join(map(str, trained)) if isinstance(trained, list | tuple) else trained
        try:
            values = [f"{value:.1f}" for value in self.curve(stage=number)[1]]
        except ConvergenceError:  # not the mean of the same languages throughout
            values = []
        settings = [stage.get("task", ""), languages, stage.get("rows", ""), stage.get("steps", "")]
        return [
            *(printable(setting) for setting in settings),
            self.first_metric(number),
            *(values[:1] or [""]),
            *(values[-1:] or [""]),
        ]

    def to_dict(self) -> dict[str, Json]:
        """Return the training history as plain JSON values."""
        return {"stages": _plain(self.stages), "points": [dataclasses.asdict(point) for point in self.points]}

    @classmethod
    def from_dict(cls, data: Json) -> Self:
        """Return the training history that `to_dict` wrote.

        Raises:
            SerialisationError: if a key is missing or unknown, or a value has another type.
        """
        parts = _fields(cls, data)
        points = tuple(Point(**_fields(Point, point)) for point in parts.get("points", ()))
        return cls(tuple(parts.get("stages", ())), points)


def _count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


@final
@dataclass(frozen=True, repr=False)
class Result:
    """What one trial of a study returned; it is stored with the trial's cell.

    Attributes:
        scores: the final scores, one for each language and metric.
        history: the training history, for learning curves and convergence; None if the trial has none.
        measures: further numbers by name, for example a zero-shot mean; each becomes a column of the report.
        notes: plain JSON values to store with the cell, for example the records of the data.
    """

    scores: tuple[Score, ...] = ()
    history: History | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, Json] = field(default_factory=dict)

    def __repr__(self) -> str:
        measures = "".join(f", {name} {value:.4g}" for name, value in self.measures.items())
        history = "" if self.history is None else f", {self.history!r}"
        notes = f", notes: {', '.join(self.notes)}" if self.notes else ""
        return f"<Result: {_count(len(self.scores), 'score')}{measures}{history}{notes}>"

    def to_dict(self) -> dict[str, Json]:
        """Return the result as plain JSON values."""
        return {
            "scores": [score.to_dict() for score in self.scores],
            "history": None if self.history is None else self.history.to_dict(),
            "measures": _plain(self.measures),
            "notes": _plain(self.notes),
        }

    @classmethod
    def from_dict(cls, data: Json) -> Self:
        """Return the result that `to_dict` wrote.

        Raises:
            SerialisationError: if a key is missing or unknown, or a value has another type.
        """
        parts = _fields(cls, data)
        history = parts.get("history")
        return cls(
            scores=tuple(Score.from_dict(score) for score in parts.get("scores", ())),
            history=None if history is None else History.from_dict(history),
            measures=parts.get("measures", {}),
            notes=parts.get("notes", {}),
        )
