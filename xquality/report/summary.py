"""The numbers of a report: the arms of a study, the one they are compared with, and how they are shown together.

An arm is the cells of a study that differ only in their seed, with their measures and curves.
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

import numpy as np

from xquality.analysis import Interval, Measure, area_under_curve, mean_interval, paired_difference, steps_to
from xquality.errors import ConvergenceError, StudyError
from xquality.languages import is_among, members
from xquality.records import History
from xquality.study.cells import Finished, read_cells, read_study

AREA = "area under the curve"


@final
@dataclass(frozen=True)
class Arm:
    """The cells that differ only in their seed.

    Attributes:
        name: as tables and legends print it.
        values: the values of the axes other than the seed.
        cells: the finished cells by seed.
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
        """Return the steps, shape (points,), and each seed's zero-shot curve, shape (seeds, points); None without any.

        Seeds that were measured at other steps than the first one are left out.
        """
        histories = [cell.result.history for cell in self.cells.values() if cell.result.history]
        curves = [_zero_shot_curve(history, self.trained) for history in histories]
        if not curves or curves[0] is None:
            return None
        steps = curves[0][0]
        values = [curve[1] for curve in curves if curve is not None and curve[0] == steps]
        return np.array(steps, np.float64), np.array(values, np.float64)

    def steps_to(self, threshold: float) -> tuple[Measure, int] | None:
        """Return the median over seeds of the steps to a score, and how many seeds never reached it."""
        found = []
        for cell in self.cells.values():
            history = cell.result.history
            languages = _zero_shot_languages(history, self.trained) if history else ()
            if history and languages:
                found.append(steps_to(history, threshold, languages=languages))
        if not found:
            return None
        ordered = sorted(found, key=lambda measure: (measure.censored, measure.value))
        return ordered[(len(ordered) - 1) // 2], sum(measure.censored for measure in found)


@final
@dataclass(frozen=True)
class Summary:
    """The numbers of a report.

    Attributes:
        study: the settings in `study.json`.
        arms: in the order of the study's axes.
        reference: the arm that differences are taken to.
        main: the name of the main measure.
        threshold: the score that steps are counted to: 90 % of the best arm's mean final score on the curves.
    """

    study: Mapping[str, Any]
    arms: tuple[Arm, ...]
    reference: Arm
    main: str
    threshold: float | None

    @property
    def measures(self) -> tuple[str, ...]:
        """All measures, the main one first."""
        return tuple(dict.fromkeys(name for arm in self.arms for name in arm.measures))

    def _grid_axes(self) -> tuple[str, str]:
        """Return the names of the axes of quantity and quality, empty where the study names none."""
        return self.study.get("quantity") or "", self.study.get("quality") or ""

    def grid(self) -> tuple[list[Any], list[Any], dict[tuple[Any, Any], Arm]] | None:
        """Return the values of quantity and of quality, and the arm at each pair that was run.

        None where the study names no such axes. Of several arms at one pair the one with the fewest other settings
        is taken.
        """
        quantity, quality = self._grid_axes()
        arms = [
            arm
            for arm in self.arms
            if isinstance(arm.values.get(quantity), int | float) and isinstance(arm.values.get(quality), int | float)
        ]
        if not quantity or not quality or not arms:
            return None
        found: dict[tuple[Any, Any], Arm] = {}
        for arm in sorted(arms, key=lambda arm: len(arm.values)):
            found.setdefault((arm.values[quantity], arm.values[quality]), arm)
        return sorted({first for first, _ in found}), sorted({second for _, second in found}), found

    def panels(self) -> list[tuple[str, tuple[Arm, ...]]]:
        """Return titles and arms of the panels that show the learning curves, those with any.

        One panel for each quality that was run at two quantities or more, then for each quantity whose arms are not
        all shown by then, with the reference arm in each; the other arms share a panel.
        """
        curved = tuple(arm for arm in self.arms if arm.curves() is not None)
        grid, (quantity, quality) = self.grid(), self._grid_axes()
        if grid is None or len(curved) <= 5:
            return [("", curved)] if curved else []
        on_grid = [arm for arm in curved if any(arm is plain for plain in grid[2].values())]
        panels: list[tuple[str, tuple[Arm, ...]]] = []
        shown: set[str] = set()
        for axis, values in ((quality, grid[1]), (quantity, grid[0])):
            for value in values:
                members = [arm for arm in on_grid if arm.values[axis] == value and arm is not self.reference]
                if len(members) > 1 and any(arm.name not in shown for arm in members):
                    panels.append((f"{axis} {value:g}", (self.reference, *members)))
                    shown |= {arm.name for arm in (self.reference, *members)}
        others = [arm for arm in curved if arm.name not in shown]
        panels += [("others", (self.reference, *others))] if others else []
        return panels


def summarise(folder: str | Path, reference: str | None = None) -> Summary:
    """Return the numbers of a study folder.

    Args:
        folder: what `Study.run` returned.
        reference: the name of the arm that differences are taken to; None for the first arm.

    Raises:
        StudyError: where the folder holds no finished cells, or no arm of that name.
    """
    source = Path(folder)
    study, cells = read_study(source), read_cells(source)
    if not cells:
        raise StudyError(f"{source} holds no finished cells; run the study first.")
    arms = _gather_arms(cells, study)
    chosen = next((arm for arm in arms if arm.name == reference), None) if reference else arms[0]
    if chosen is None:
        raise StudyError(f"The study has no arm {reference!r}; there are {', '.join(arm.name for arm in arms)}.")
    main = next((name for arm in arms for name in arm.measures), "")
    return Summary(study, arms, chosen, main, _threshold(arms))


def _threshold(arms: Sequence[Arm]) -> float | None:
    """Return 90 % of the best arm's mean final score on the curves; None where there are no curves."""
    finals = [float(curves[1][:, -1].mean()) for arm in arms if (curves := arm.curves()) is not None]
    return 0.9 * max(finals) if finals else None


def _gather_arms(cells: Sequence[Finished], study: Mapping[str, Any]) -> tuple[Arm, ...]:
    """Return the arms of a study, in the order of its axes.

    Args:
        cells: the finished cells.
        study: the settings in `study.json`.
    """
    seed = str(study["seed"])
    gathered: dict[tuple[tuple[str, Any], ...], dict[Any, Finished]] = {}
    for cell in cells:
        values = tuple((name, value) for name, value in cell.cell.items() if name != seed)
        gathered.setdefault(tuple(sorted(values)), {})[cell.cell.get(seed)] = cell
    histories = [cell.result.history for cell in cells if cell.result.history]
    stages = [stage for history in histories for stage in history.stages]
    languages = (name for stage in stages for name in stage.get("languages", [stage.get("language")]))
    trained = frozenset(member for name in languages for member in members(str(name)))
    curves = [curve for history in histories if (curve := _zero_shot_curve(history, trained))]
    until = min((float(steps[-1]) for steps, _ in curves), default=None)
    arms = []
    for seeds in gathered.values():
        ordered = dict(sorted(seeds.items(), key=lambda pair: str(pair[0]).rjust(12)))
        first = next(iter(ordered.values())).cell
        settings = {name: value for name, value in first.items() if name != seed}
        measures = _arm_measures(ordered, trained, until)
        arms.append(Arm(_arm_name(settings, study), settings, ordered, measures, trained))
    return tuple(sorted(arms, key=lambda arm: _place_on_axes(arm.values, study)))


def _place_on_axes(values: Mapping[str, Any], study: Mapping[str, Any]) -> tuple[int, ...]:
    """Return a sort key that puts arms in the order of the study's axes, and those that are on none last."""
    for number, grid in enumerate(study["axes"]):
        names = [name for name in grid if name != study["seed"]]
        if set(names) == set(values) and all(values[name] in grid[name] for name in names):
            return (number, *(grid[name].index(values[name]) for name in names))
    return (len(study["axes"]),)


def _arm_name(values: Mapping[str, Any], study: Mapping[str, Any]) -> str:
    """Return an arm's name: its values that are names, then its other axes with their values."""
    named = [value for value in values.values() if isinstance(value, str)]
    others = [f"{name} {value}" for name, value in values.items() if not isinstance(value, str) and value is not None]
    return ", ".join([*named, *others]) or str(study["trial"])


def _arm_measures(
    cells: Mapping[Any, Finished], trained: frozenset[str], until: float | None
) -> dict[str, dict[Any, float]]:
    """Return the measures of an arm's cells, and the area under their curves up to a common step."""
    found: dict[str, dict[Any, float]] = {}
    for seed, cell in cells.items():
        measures, scores = dict(cell.result.measures), cell.result.scores
        if not measures and scores:
            task, metric = scores[0].task, scores[0].metric
            values = [score.value for score in scores if (score.task, score.metric) == (task, metric)]
            measures = {f"mean {metric}": sum(values) / len(values)}
        history = cell.result.history
        if history is not None and AREA not in measures:
            languages = _zero_shot_languages(history, trained)
            with contextlib.suppress(ConvergenceError):  # nothing was measured: the report has no such column
                measures[AREA] = area_under_curve(history, languages=languages, until=until)
        for name, value in measures.items():
            found.setdefault(name, {})[seed] = value
    return found


def _zero_shot_languages(history: History, trained: frozenset[str]) -> tuple[str, ...]:
    """Return the languages measured in the last stage, without those in `trained` (as `languages.identity` writes)."""
    last = len(history.stages) - 1
    languages = (point.language for point in history.points if point.stage == last and point.metric != "loss")
    return tuple(language for language in dict.fromkeys(languages) if not is_among(language, trained))


def _zero_shot_curve(history: History, trained: frozenset[str]) -> tuple[tuple[int, ...], tuple[float, ...]] | None:
    """Return steps and mean zero-shot scores of the last stage; None where nothing was measured."""
    languages = _zero_shot_languages(history, trained)
    steps, values = history.curve(languages=languages) if languages else ((), ())
    return (steps, values) if steps else None
