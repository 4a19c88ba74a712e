"""The nouns that travel between layers: frozen values, each readable as JSON in both directions.

A `Record` says what a transform did, a `Score` how a number was made, a `Point` where a curve stood, a `History`
what a chain of stages went through, a `Result` what one cell of a study returned.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self, final

from xquality.errors import SerialisationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Json = Any  # None, bool, int, float, str, and lists and dicts of them


def _plain(value: Any) -> Json:
    """Return tuples as lists, mappings and records as dicts, and numbers of numpy as Python's, down to the leaves."""
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return value.item()
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value


def _fields(kind: type, data: Json) -> dict[str, Any]:
    """Return the keyword arguments for `kind` in `data`, refusing what it does not know or what is missing."""
    fields = [one for one in dataclasses.fields(kind) if one.init]
    names = {one.name for one in fields}
    unset = dataclasses.MISSING
    needed = {one.name for one in fields if one.default is unset and one.default_factory is unset}
    if not isinstance(data, Mapping) or not needed <= set(data) <= names:
        found = sorted(data) if isinstance(data, Mapping) else type(data).__name__
        raise SerialisationError(f"A {kind.__name__} is written with the keys {sorted(names)}, but {found} was found.")
    return dict(data)


@final
@dataclass(frozen=True)
class Record:
    """What one transform did to a dataset.

    Attributes:
        transform: the class name of the transform, or the name of the function.
        settings: its fields, as plain JSON values.
        seed: the seed of the call; None where nothing was drawn.
        rows_before: the number of rows that went in; None on a stream.
        rows_after: the number of rows that came out; None on a stream.
        changed: the number of cells whose value was replaced; None on a stream.
        realised_rate: the share of rows acted upon, as it came out; None on a stream or where it has no meaning.
        versions: the algorithm's version and the packages that decide the outcome.
        details: further counts that the transform reports.
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
        """The digest of the rows this transform left, computed when asked for.

        None for a step whose rows are no longer at hand, that is for all but the last record of a dataset.
        """
        return self.digest_source() if callable(self.digest_source) else self.digest_source

    def to_dict(self) -> dict[str, Json]:
        """Return the record as plain JSON values, without the digest."""
        names = [one.name for one in dataclasses.fields(self) if one.name != "digest_source"]
        return {name: _plain(getattr(self, name)) for name in names}

    @classmethod
    def from_dict(cls, data: Json) -> Self:
        """Return the record that `to_dict` wrote."""
        return cls(**_fields(cls, data))


@final
@dataclass(frozen=True)
class Score:
    """One number and how it was made; `str(score)` prints both.

    Attributes:
        task: the task's name.
        language: as the dataset spells it.
        metric: for example "accuracy" or "macro_f1".
        value: on XTREME's scale from 0 to 100.
        rows: the number of examples behind it.
        signature: the settings that made it, in the order they are printed.
        each: for every example the parts of the metric, shape (rows, parts, 2), from which an interval is made: the
            value is 100 times the mean over parts of the sum of the first number over the sum of the second. None
            where the metric has no such form; not written as JSON.
    """

    task: str
    language: str
    metric: str
    value: float
    rows: int
    signature: Mapping[str, Json] = field(default_factory=dict)
    each: "NDArray[np.float64] | None" = field(default=None, repr=False, compare=False)

    def __str__(self) -> str:
        made = "|".join(f"{name}:{value}" for name, value in {"rows": self.rows, **self.signature}.items())
        return f"{self.task}/{self.language} {self.metric} = {self.value:.2f} {made}"

    def to_dict(self) -> dict[str, Json]:
        """Return the score as plain JSON values, without its examples."""
        return {one.name: _plain(getattr(self, one.name)) for one in dataclasses.fields(self) if one.name != "each"}

    @classmethod
    def from_dict(cls, data: Json) -> Self:
        """Return the score that `to_dict` wrote."""
        return cls(**_fields(cls, data))


@final
@dataclass(frozen=True)
class Point:
    """One measurement during a stage.

    Attributes:
        stage: the stage's place in the chain, from 0.
        step: optimiser steps done; 0 is before the first.
        task: the task that was measured; for the training loss, the task trained on.
        language: as the dataset spells it.
        metric: a metric's name, or "loss" for the mean training loss since the last point.
        value: on the scale from 0 to 100, or the loss.
        rows: the number of examples behind it.
    """

    stage: int
    step: int
    task: str
    language: str
    metric: str
    value: float
    rows: int


@final
@dataclass(frozen=True)
class History:
    """What a chain of stages went through.

    Attributes:
        stages: for each stage its settings, budget, data digest and data history, as plain JSON values.
        points: the measurements, in the order they were made.
    """

    stages: tuple[Mapping[str, Json], ...] = ()
    points: tuple[Point, ...] = ()

    def curve(
        self,
        metric: str | None = None,
        languages: Sequence[str] | None = None,
        stage: int = -1,
    ) -> tuple[tuple[int, ...], tuple[float, ...]]:
        """Return steps and values of one stage, the mean over languages at each step.

        Args:
            metric: None for the stage's first metric that is not the loss.
            languages: None for all that were measured.
            stage: the stage's place in the chain; -1 is the last.

        Returns:
            Two tuples of one length, steps ascending; both empty where nothing was measured.
        """
        languages = (languages,) if isinstance(languages, str) else languages
        place = stage if stage >= 0 else len(self.stages) + stage
        points = [one for one in self.points if one.stage == place and one.metric != "loss"]
        metric = metric or (points[0].metric if points else None)
        wanted = [one for one in points if one.metric == metric and (languages is None or one.language in languages)]
        values: dict[int, list[float]] = {}
        for one in wanted:
            values.setdefault(one.step, []).append(one.value)
        steps = tuple(sorted(values))
        return steps, tuple(sum(values[step]) / len(values[step]) for step in steps)

    def to_dict(self) -> dict[str, Json]:
        """Return the history as plain JSON values."""
        return {"stages": _plain(self.stages), "points": [dataclasses.asdict(one) for one in self.points]}

    @classmethod
    def from_dict(cls, data: Json) -> Self:
        """Return the history that `to_dict` wrote."""
        parts = _fields(cls, data)
        points = tuple(Point(**_fields(Point, one)) for one in parts.get("points", ()))
        return cls(tuple(parts.get("stages", ())), points)


@final
@dataclass(frozen=True)
class Result:
    """What one trial of a study returned.

    Attributes:
        scores: the final scores, one for each language and metric.
        history: the curves, where the trial has any.
        measures: further numbers by name, for example a zero-shot mean; each becomes a column of the report.
        notes: plain JSON values to keep with the cell, for example the records of the data.
    """

    scores: tuple[Score, ...] = ()
    history: History | None = None
    measures: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, Json] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Json]:
        """Return the result as plain JSON values."""
        return {
            "scores": [one.to_dict() for one in self.scores],
            "history": None if self.history is None else self.history.to_dict(),
            "measures": _plain(self.measures),
            "notes": _plain(self.notes),
        }

    @classmethod
    def from_dict(cls, data: Json) -> Self:
        """Return the result that `to_dict` wrote."""
        parts = _fields(cls, data)
        history = parts.get("history")
        return cls(
            scores=tuple(Score.from_dict(one) for one in parts.get("scores", ())),
            history=None if history is None else History.from_dict(history),
            measures=parts.get("measures", {}),
            notes=parts.get("notes", {}),
        )
