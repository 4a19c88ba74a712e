"""The zero-shot learning curves of a study: one metric, the same languages in every run, and one budget of steps."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from xquality.errors import ConvergenceError
from xquality.languages import is_among, members
from xquality.records import History, Point

Floats = NDArray[np.float64]
Key = tuple[int, Any]  # the number of an arm, and a seed


@final
@dataclass(frozen=True)
class Curves:
    """The learning curves of the runs of a study, all of them the mean of the same things.

    Attributes:
        runs: by key, each run's training history with the points of its last stage on the curve alone.
        withheld: by key, the sentence that says why a run has no curve; runs without any measurement are not listed.
        metric: the metric on the curves; empty without any curve.
        languages: the languages that the curves are means over: measured in every run and trained on in none.
        left_out: the languages that were measured in some of the runs only.
        budget: the last step that every run was measured at; None without curves of two steps or more.
    """

    runs: Mapping[Key, History]
    withheld: Mapping[Key, str]
    metric: str = ""
    languages: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    budget: float | None = None


def choose_curves(histories: Mapping[Key, History], trained: frozenset[str], main: str) -> Curves:
    """Return the curves of runs over one metric, and the languages that all runs with it have in common.

    The metric is the one that the main measure is named after, otherwise the first that was measured.

    Args:
        histories: the training history of each run.
        trained: the languages that any stage of any run was trained in, as `languages.identity` writes them.
        main: the name of the main measure.
    """
    points = {key: _zero_shot_points(history, trained) for key, history in histories.items()}
    measured = {key: found for key, found in points.items() if found}
    if not measured:
        return Curves({}, {})
    names = list(dict.fromkeys(point.metric for point in next(iter(measured.values()))))
    metric = max((name for name in names if name and name in main), key=len, default=names[0])
    by_language = {key: _languages(found, metric) for key, found in measured.items()}
    having = [languages for languages in by_language.values() if languages]
    shared = tuple(language for language in having[0] if all(language in languages for languages in having))
    every = dict.fromkeys(language for languages in having for language in languages)
    left_out = tuple(language for language in every if language not in shared)
    runs: dict[Key, History] = {}
    withheld: dict[Key, str] = {}
    ends: list[int] = []
    for key, found in measured.items():
        kept = [point for point in found if point.metric == metric and point.language in shared]
        if not by_language[key]:
            withheld[key] = f"{metric} was not measured during training."
        elif not shared:
            withheld[key] = "No language was measured in every run and trained on in none."
        else:
            run = History(histories[key].stages, tuple(kept))
            try:
                steps = _check_curve(run)
            except ConvergenceError as fault:
                withheld[key] = str(fault)
                continue
            runs[key] = run
            ends += steps[-1:] if len(steps) > 1 else ()
    return Curves(runs, withheld, metric, shared, left_out, float(min(ends)) if ends else None)


def on_common_steps(runs: Sequence[History]) -> tuple[Floats, Floats]:
    """Return all steps of several curves, and each curve at them, shape (runs, steps).

    Between its measurements a curve is interpolated over the logarithm of 1 + steps; before its first and after its
    last one it is NaN.
    """
    curves = [run.curve() for run in runs]
    steps = np.array(sorted({step for own, _ in curves for step in own}), np.float64)
    places = np.log1p(steps)
    values = [np.interp(places, np.log1p(own), scores, left=np.nan, right=np.nan) for own, scores in curves]
    exact = [{float(step): score for step, score in zip(own, scores, strict=True)} for own, scores in curves]
    for row, scores in zip(values, exact, strict=True):  # what was measured is not rounded
        row[:] = [scores.get(step, value) for step, value in zip(steps.tolist(), row.tolist(), strict=True)]
    return steps, np.array(values, np.float64)


def mean_run(runs: Sequence[History]) -> History:
    """Return the mean of several curves over the steps that all of them cover, as a training history of one stage."""
    steps, values = on_common_steps(runs)
    first = runs[0].points[0]
    covered = ~np.isnan(values).any(axis=0)
    means = zip(steps[covered].tolist(), values[:, covered].mean(axis=0).tolist(), strict=True)
    points = tuple(Point(0, int(step), first.task, "mean", first.metric, value, first.rows) for step, value in means)
    return History(runs[0].stages[-1:] or ({},), points)


def trained_languages(histories: Sequence[History]) -> frozenset[str]:
    """Return the languages that any stage of any history was trained in, as `languages.identity` writes them."""
    stages = [stage for history in histories for stage in history.stages]
    names = [name for stage in stages for name in stage.get("languages", [stage.get("language")])]
    return frozenset(member for name in names if name is not None for member in members(str(name)))


def _zero_shot_points(history: History, trained: frozenset[str]) -> list[Point]:
    """Return the measurements of the last stage in languages that were not trained in."""
    last = len(history.stages) - 1
    points = [point for point in history.points if point.stage == last and point.metric != "loss"]
    shown = {language for language in {point.language for point in points} if not is_among(language, trained)}
    return [point for point in points if point.language in shown]


def _languages(points: Sequence[Point], metric: str) -> dict[str, None]:
    """Return the languages that a metric was measured in, in their order."""
    return dict.fromkeys(point.language for point in points if point.metric == metric)


def _check_curve(run: History) -> tuple[int, ...]:
    """Return the steps of a curve; raise where a value is not finite, or it is not the mean of the same things.

    Raises:
        ConvergenceError: for such a curve.
    """
    metric = run.first_metric()
    steps, values = run.curve()
    for step, value in zip(steps, values, strict=True):
        if not math.isfinite(value):
            raise ConvergenceError(f"The history has {metric} = {value} at step {step}.")
    return steps


def is_scale_of_percent(metric: str, values: Any) -> bool:
    """Return whether values lie on the metrics' common scale from 0 to 100, to whose ends a band may be cut."""
    return metric not in ("perplexity", "loss") and bool((np.asarray(values) <= 100).all())
