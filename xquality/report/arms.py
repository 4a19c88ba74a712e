"""Arms: the cells of a study that differ only in their seed, gathered with their measures and curves."""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from xquality.analysis.convergence import Measure, area_under_curve, steps_to
from xquality.analysis.statistics import Interval, mean_interval, paired_difference
from xquality.errors import ConvergenceError
from xquality.languages import identity
from xquality.records import History
from xquality.study.cells import Finished

AREA = "area under the curve"


@final
@dataclass(frozen=True)
class Arm:
    """The cells that differ only in their seed.

    Attributes:
        name: as tables and legends print it.
        values: the axes other than the seed.
        cells: by seed.
        measures: by name, one value a seed.
        trained: the languages that any stage of any arm was trained in: they count in no zero-shot mean.
    """

    name: str
    values: Mapping[str, Any]
    cells: Mapping[Any, Finished]
    measures: Mapping[str, Mapping[Any, float]] = field(default_factory=dict)
    trained: frozenset[str] = frozenset()

    def interval(self, measure: str) -> Interval | None:
        """Return the mean over seeds with its 95 % interval; None where the arm has no such measure."""
        values = self.measures.get(measure)
        return mean_interval(list(values.values())) if values else None

    def difference(self, reference: "Arm", measure: str) -> Interval | None:
        """Return the mean difference to another arm, paired by seed; None where they share no seed."""
        own, other = self.measures.get(measure, {}), reference.measures.get(measure, {})
        return paired_difference(own, other) if own.keys() & other.keys() else None

    def curves(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the steps, shape (points,), and each seed's zero-shot curve, shape (seeds, points)."""
        histories = [one.result.history for one in self.cells.values() if one.result.history]
        found = [zero_shot_curve(one, self.trained) for one in histories]
        kept = [one for one in found if one is not None and one[0] == found[0][0]] if found and found[0] else []
        if not kept:
            return None
        return np.array(kept[0][0], np.float64), np.array([values for _, values in kept], np.float64)

    def steps_to(self, threshold: float) -> tuple[Measure, int] | None:
        """Return the median over seeds of the steps to a score, and how many seeds never reached it."""
        found = []
        for one in self.cells.values():
            languages = zero_shot_languages(one.result.history, self.trained) if one.result.history else ()
            if one.result.history and languages:
                found.append(steps_to(one.result.history, threshold, languages=languages))
        if not found:
            return None
        ordered = sorted(found, key=lambda one: (one.censored, one.value))
        return ordered[(len(ordered) - 1) // 2], sum(one.censored for one in found)


def arms_of(cells: Sequence[Finished], study: Mapping[str, Any]) -> tuple[Arm, ...]:
    """Return the arms of a study, in the order of its axes.

    Args:
        cells: the finished cells.
        study: what `study.json` says.
    """
    seed = str(study["seed"])
    gathered: dict[tuple[tuple[str, Any], ...], dict[Any, Finished]] = {}
    for one in cells:
        values = tuple((name, value) for name, value in one.cell.items() if name != seed)
        gathered.setdefault(tuple(sorted(values)), {})[one.cell.get(seed)] = one
    histories = [one.result.history for one in cells if one.result.history]
    stages = [stage for one in histories for stage in one.stages]
    trained = frozenset(identity(str(name)) for one in stages for name in one.get("languages", [one.get("language")]))
    curves = [found for one in histories if (found := zero_shot_curve(one, trained))]
    until = min((float(steps[-1]) for steps, _ in curves), default=None)
    arms = []
    for members in gathered.values():
        ordered = dict(sorted(members.items(), key=lambda pair: str(pair[0]).rjust(12)))
        first = next(iter(ordered.values())).cell
        settings = {name: value for name, value in first.items() if name != seed}
        measures = _measures(ordered, trained, until)
        arms.append(Arm(_name(settings, study), settings, ordered, measures, trained))
    places = _places(study)
    return tuple(sorted(arms, key=lambda one: places(one.values)))


def _places(study: Mapping[str, Any]) -> Any:
    """Return a sort key that puts arms in the order of the study's axes."""
    grids = study["axes"]

    def place(values: Mapping[str, Any]) -> tuple[int, ...]:
        for number, grid in enumerate(grids):
            names = [one for one in grid if one != study["seed"]]
            if set(names) == set(values) and all(values[one] in grid[one] for one in names):
                return (number, *(grid[one].index(values[one]) for one in names))
        return (len(grids),)

    return place


def _name(values: Mapping[str, Any], study: Mapping[str, Any]) -> str:
    """Return an arm's name: its lone name where the axes spell one, else what distinguishes it."""
    named = [value for value in values.values() if isinstance(value, str)]
    others = [f"{name} {value}" for name, value in values.items() if not isinstance(value, str) and value is not None]
    return ", ".join([*named, *others]) or str(study["trial"])


def _measures(
    cells: Mapping[Any, Finished], trained: frozenset[str], until: float | None
) -> dict[str, dict[Any, float]]:
    """Return the measures of an arm's cells, and the area under their curves up to a common step."""
    found: dict[str, dict[Any, float]] = {}
    for seed, one in cells.items():
        measures = dict(one.result.measures)
        if not measures and one.result.scores:
            first = one.result.scores[0]
            alike = (score for score in one.result.scores if (score.task, score.metric) == (first.task, first.metric))
            values = [score.value for score in alike]
            measures = {f"mean {first.metric}": sum(values) / len(values)}
        history = one.result.history
        if history is not None and AREA not in measures:
            with contextlib.suppress(ConvergenceError):  # nothing was measured: the report has no such column
                measures[AREA] = area_under_curve(history, languages=zero_shot_languages(history, trained), until=until)
        for name, value in measures.items():
            found.setdefault(name, {})[seed] = value
    return found


def zero_shot_languages(history: History, trained: frozenset[str]) -> tuple[str, ...]:
    """Return the languages measured in the last stage, without those in `trained` (as `languages.identity` writes)."""
    last = [one for one in history.points if one.stage == len(history.stages) - 1 and one.metric != "loss"]
    return tuple(dict.fromkeys(one.language for one in last if identity(one.language) not in trained))


def zero_shot_curve(history: History, trained: frozenset[str]) -> tuple[tuple[int, ...], tuple[float, ...]] | None:
    """Return steps and mean zero-shot scores of the last stage; None where nothing was measured."""
    languages = zero_shot_languages(history, trained)
    steps, values = history.curve(languages=languages) if languages else ((), ())
    return (steps, values) if steps else None
