"""The numbers of a report: the arms of a study, the one they are compared with, and how they are shown together.

An arm is the cells of a study that differ only in their seed, with their measures and curves. Every number comes with
what it is of: how many seeds, how many pairs, which cells are missing and why.
"""

import gc
import itertools
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

import numpy as np

from xquality import _settings
from xquality._tables import html_table, latex_table
from xquality.analysis import (
    Interval,
    Measure,
    Survival,
    area_under_curve,
    kaplan_meier,
    mean_interval,
    paired_difference,
    steps_to,
)
from xquality.analysis.convergence import threshold_of
from xquality.errors import ConvergenceError, StudyError
from xquality.records import History, Score
from xquality.report.answer import write_answer, write_cautions, write_not_run
from xquality.report.comparisons import Comparison, compare, show_value
from xquality.report.curves import Curves, Floats, Key, choose_curves, mean_run, on_common_steps, trained_languages
from xquality.report.rates import Exchange, find_exchange_rates
from xquality.report.table import Cell, Shown, Table, show_p_value, write_interval
from xquality.study.cells import Contents, Finished, name_columns, read_contents, warn_left_out

if TYPE_CHECKING:
    import pandas as pd

AREA = "area under the curve"
SHARE = 0.9  # of the reference arm's gain: the threshold that steps are counted to


@final
@dataclass(frozen=True)
class StepsTo:
    """The steps that an arm takes to a threshold.

    Attributes:
        median: over the runs, by Kaplan and Meier; a bound where fewer than half of the runs reached the threshold.
        reached: how many runs reached it.
        count: how many runs have a curve.
    """

    median: Measure
    reached: int
    count: int

    def __str__(self) -> str:
        return f"{self.median:.1f} ({self.reached} of {self.count})"


@final
@dataclass(frozen=True)
class Arm:
    """The cells that differ only in their seed.

    Attributes:
        name: as tables and legends print it, different from every other arm's.
        values: the values of the axes other than the seed.
        cells: the finished cells by seed.
        measures: by name, one value a seed, for the seeds that have it.
        runs: by seed, the training history on the curves, for the seeds that have one.
        planned: how many seeds the study's axes give it.
    """

    name: str
    values: Mapping[str, Any]
    cells: Mapping[Any, Finished]
    measures: Mapping[str, Mapping[Any, float]] = field(default_factory=dict)
    runs: Mapping[Any, History] = field(default_factory=dict)
    planned: int = 0
    _steps: dict[float, dict[Any, Measure]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _survivals: dict[float, Survival] = field(default_factory=dict, init=False, repr=False, compare=False)

    def interval(self, measure: str) -> Interval | None:
        """Return the mean over seeds with its 95 % interval; None where the arm has no such measure."""
        values = self.measures.get(measure)
        return mean_interval(list(values.values())) if values else None

    def difference(self, reference: "Arm", measure: str) -> Interval | None:
        """Return the mean difference to another arm, paired by seed; None where they share no seed.

        Its `count` is the number of pairs.
        """
        own, other = self.measures.get(measure, {}), reference.measures.get(measure, {})
        return paired_difference(own, other) if own.keys() & other.keys() else None

    def curves(self) -> tuple[Floats, Floats] | None:
        """Return steps, shape (points,), and each seed's curve at them, shape (seeds, points); None without any.

        The steps are those of all seeds. A seed that was measured at others is interpolated between its own, over the
        logarithm of 1 + steps, and is NaN before its first and after its last one.
        """
        return on_common_steps(list(self.runs.values())) if self.runs else None

    def steps_to(self, threshold: float) -> StepsTo | None:
        """Return the median over seeds of the steps to a score, and how many seeds reached it; None without curves."""
        survival = self.survival(threshold)
        if survival is None:
            return None
        if survival.median is None:
            return StepsTo(Measure(survival.last, "above"), survival.reached, survival.count)
        found = self.steps(threshold).values()
        at_first = any(measure.bound == "below" and measure.value >= survival.median for measure in found)
        return StepsTo(Measure(survival.median, "below" if at_first else "exact"), survival.reached, survival.count)

    def steps(self, threshold: float) -> dict[Any, Measure]:
        """Return the steps to a score, by seed; a seed that never reached it has a bound."""
        if threshold not in self._steps:
            self._steps[threshold] = {seed: steps_to(run, threshold) for seed, run in self.runs.items()}
        return self._steps[threshold]

    def survival(self, threshold: float) -> Survival | None:
        """Return the Kaplan-Meier curve of the steps to a score; None without curves."""
        found = self.steps(threshold).values()
        if found and threshold not in self._survivals:
            reached = [measure.bound != "above" for measure in found]
            self._survivals[threshold] = kaplan_meier([measure.value for measure in found], reached)
        return self._survivals.get(threshold)

    def __repr__(self) -> str:
        measures = ", ".join(f"{name} {self.interval(name)}" for name in self.measures)
        return f"Arm({self.name!r}: {_count(len(self.cells), 'seed')}{', ' if measures else ''}{measures})"


@final
@dataclass(frozen=True)
class Grid:
    """The arms of one heat map.

    Attributes:
        title: the settings that all of them share; empty without any.
        quantities: the values across, ascending.
        qualities: the values upwards, ascending.
        arms: the arm at each pair of a quantity and a quality that was run.
    """

    title: str
    quantities: tuple[Any, ...]
    qualities: tuple[Any, ...]
    arms: Mapping[tuple[Any, Any], Arm]


@final
@dataclass(frozen=True)
class Summary:
    """The numbers of a report.

    Attributes:
        study: the settings in `study.json`.
        arms: in the order of the study's axes.
        reference: the arm that differences are taken to.
        main: the name of the main measure.
        threshold: the score that steps are counted to: the reference arm's start and 90 % of its gain up to `budget`;
            None where it is withheld.
        budget: the last step that every run was measured at; areas and the threshold go up to it. None without curves.
        missing: the cells of the study's axes that are not finished, each with the reason.
        notes: sentences about what was left out, and why.
        clean: the value of the quality axis that the others are compared with; None without such an axis.
        trained: the languages that any stage of any arm was trained in, as `languages.identity` writes them.
    """

    study: Mapping[str, Any]
    arms: tuple[Arm, ...]
    reference: Arm
    main: str
    threshold: float | None
    budget: float | None = None
    missing: tuple[tuple[Mapping[str, Any], str], ...] = ()
    notes: tuple[str, ...] = ()
    clean: Any = None
    trained: frozenset[str] = frozenset()

    @property
    def measures(self) -> tuple[str, ...]:
        """All measures, the main one first."""
        return tuple(dict.fromkeys(name for arm in self.arms for name in arm.measures))

    def grids(self) -> tuple[Grid, ...]:
        """Return the heat maps of quantity and quality: one for the arms of each combination of other settings.

        Empty where the study names no such axes, or they hold no numbers.
        """
        quantity, quality = self.quantity_axis, self.quality_axis
        groups: dict[frozenset[tuple[str, Any]], list[Arm]] = {}
        for arm in self.arms:
            if quantity and quality and all(_is_number(arm.values.get(axis)) for axis in (quantity, quality)):
                others = {pair for pair in arm.values.items() if pair[0] not in (quantity, quality)}
                groups.setdefault(frozenset(others), []).append(arm)
        return tuple(
            Grid(
                ", ".join(f"{name} {value}" for name, value in sorted(others)) if len(groups) > 1 else "",
                tuple(sorted({arm.values[quantity] for arm in arms})),
                tuple(sorted({arm.values[quality] for arm in arms})),
                {(arm.values[quantity], arm.values[quality]): arm for arm in arms},
            )
            for others, arms in groups.items()
        )

    def panels(self) -> list[tuple[str, tuple[Arm, ...]]]:
        """Return titles and arms of the panels that show the learning curves, those with any.

        One panel for each quality that was run at two quantities or more, then for each quantity whose arms are not
        all shown by then, with the reference arm in each; the other arms share a panel.
        """
        curved = tuple(arm for arm in self.arms if arm.runs)
        grids, quantity, quality = self.grids(), self.quantity_axis, self.quality_axis
        if not grids or len(curved) <= 5:
            return [("", curved)] if curved else []
        gridded = {arm.name for grid in grids for arm in grid.arms.values()}
        on_grid = [arm for arm in curved if arm.name in gridded]
        panels: list[tuple[str, tuple[Arm, ...]]] = []
        shown: set[str] = set()
        for axis in (quality, quantity):
            for value in sorted({arm.values[axis] for arm in on_grid}):
                members = [arm for arm in on_grid if arm.values[axis] == value and arm is not self.reference]
                if len(members) > 1 and any(arm.name not in shown for arm in members):
                    panels.append((f"{axis} {value:g}", (self.reference, *members)))
                    shown |= {arm.name for arm in (self.reference, *members)}
        others = [arm for arm in curved if arm.name not in shown and arm is not self.reference]
        panels += [("others", (self.reference, *others))] if others else []
        return panels

    @property
    def quantity_axis(self) -> str:
        """The name of the axis that says how much data, empty where the study names none."""
        return self.study.get("quantity") or ""

    @property
    def quality_axis(self) -> str:
        """The name of the axis that says how good they are, empty where the study names none."""
        return self.study.get("quality") or ""

    @property
    def curve_metric(self) -> str:
        """The metric on the learning curves; empty without any."""
        return next((run.first_metric() for arm in self.arms for run in arm.runs.values()), "")

    def comparisons(self, measure: str | None = None) -> tuple[Comparison, ...]:
        """Return the paired differences: to the reference, of quality at equal quantity, and the other way round.

        Args:
            measure: the name of a measure; None for the main one.
        """
        return compare(self, self.main if measure is None else measure)

    def exchange_rates(self, measure: str | None = None) -> tuple[Exchange, ...]:
        """Return what a row of each quality is worth in clean rows, or why that is withheld or was not measured.

        Args:
            measure: the name of a measure, higher being better; None for the main one.
        """
        return find_exchange_rates(self, self.main if measure is None else measure)

    def answer(self) -> tuple[str, ...]:
        """Return the sentences at the top of the page: the effects, the speed, the exchange rate."""
        return write_answer(self, self.comparisons(), self.exchange_rates())

    def not_run(self) -> tuple[str, ...]:
        """Return sentences about the comparisons that the study does not have."""
        return write_not_run(self, self.exchange_rates())

    def cautions(self) -> tuple[str, ...]:
        """Return what never to conclude from this study."""
        return write_cautions(self, self.comparisons())

    def table(self, comparisons: Sequence[Comparison] | None = None) -> Table:
        """Return the table of arms.

        Args:
            comparisons: those of the main measure; None computes them.
        """
        compared = self.comparisons() if comparisons is None else comparisons
        of_arm = {found.arm.name: found for found in compared if found.kind == "reference"}
        measures = self.measures
        head = ["arm", "seeds", *measures, "difference", "pairs", "p (Holm)"]
        if self.threshold is not None:
            head.append(f"steps to {self.threshold:.1f} (runs that reached it)")
        rows = [self._row(arm, measures, of_arm.get(arm.name)) for arm in self.arms]
        return Table("arms", "Arms", head, rows, frozenset({"difference"} - set(measures)))

    def texts(self) -> tuple[list[str], list[list[str]]]:
        """Return the head and the rows of the table of arms, as the page shows it."""
        return self.table().texts()

    def _row(self, arm: Arm, measures: Sequence[str], compared: Comparison | None) -> list[Cell]:
        """Return one arm's row."""
        count = len(arm.cells)
        row: list[Cell] = [arm.name, count if count >= arm.planned else Shown(f"{count} of {arm.planned}", count)]
        for name in measures:
            found = arm.interval(name)
            few = found is not None and found.count < count
            row.append(
                Shown(f"{write_interval(found)} ({found.count} of {count} seeds)", found.mean)
                if found and few
                else found
            )
        if compared is None:
            row += ["reference", None, None]
        elif compared.difference is None:
            row += ["no common seed", 0, None]
        else:
            row += [compared.difference, compared.difference.count, show_p_value(compared.adjusted)]
        if self.threshold is not None:
            steps = arm.steps_to(self.threshold)
            row.append("no curve" if steps is None else Shown(str(steps), steps.median.value))
        return row

    def to_pandas(self) -> "pd.DataFrame":
        """Return the table of arms as numbers, one row an arm, indexed by the arm's name.

        Its columns are the axes, the numbers of finished and of planned seeds, mean, low, high and count of every
        measure, the same of the difference to the reference arm with its p-value, alone and adjusted, and the steps to
        the threshold. An axis that is named like another column has `axis_` before its name.
        """
        import pandas as pd

        rows: list[dict[str, Any]] = []
        compared = "difference"
        while compared in self.measures:  # a measure of that name
            compared += " to the reference"
        adjusted = {found.arm.name: found.adjusted for found in self.comparisons() if found.kind == "reference"}
        for arm in self.arms:
            row: dict[str, Any] = {"seeds": len(arm.cells), "planned": arm.planned}
            for name in self.measures:
                row |= _interval_columns(name, arm.interval(name))
            difference = None if arm is self.reference else arm.difference(self.reference, self.main)
            row |= {**_interval_columns(compared, difference), "p": None if difference is None else difference.p}
            row["p adjusted"] = adjusted.get(arm.name)
            steps = None if self.threshold is None else arm.steps_to(self.threshold)
            row |= {
                "steps": None if steps is None else steps.median.value,
                "steps bound": None if steps is None else steps.median.bound,
                "reached": None if steps is None else steps.reached,
            }
            rows.append(row)
        axes = name_columns((name for arm in self.arms for name in arm.values), list(rows[0]))
        rows = [
            {**{axes[name]: value for name, value in arm.values.items()}, **row}
            for arm, row in zip(self.arms, rows, strict=True)
        ]
        return pd.DataFrame(rows, index=pd.Index([arm.name for arm in self.arms], name="arm"))

    def to_latex(self) -> str:
        """Return the table of arms in LaTeX, with the rules of the package booktabs."""
        return latex_table(*self.texts())

    def _repr_html_(self) -> str:
        return html_table(*self.texts())

    def __repr__(self) -> str:
        cells = sum(len(arm.cells) for arm in self.arms)
        return (
            f"Summary({_count(len(self.arms), 'arm')}, {_count(cells, 'finished cell')}, {len(self.missing)} missing; "
            f"{self.main or 'no measure'}, reference {self.reference.name!r})"
        )


def summarise(folder: str | Path, reference: str | None = None, *, clean: Any = None) -> Summary:
    """Return the numbers of a study folder.

    Args:
        folder: what `Study.run` returned.
        reference: the name of the arm that differences are taken to; None for the first arm.
        clean: the value of the quality axis that the others are compared with; None for 0 where the axis has it, such
            as a rate of noise, and otherwise for the one with the highest mean, which the notes say.

    Raises:
        StudyError: where the folder holds no finished cells, no arm of that name, or no arm of that quality.
    """
    source = _settings.path("summarise", "folder", folder)
    with pause_collector():
        return _summarise(source, reference, clean)


@contextmanager
def pause_collector() -> Iterator[None]:
    """Look for no unreachable cycles: among millions of points that live to the end it costs a third of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _summarise(source: Path, reference: str | None, clean: Any) -> Summary:
    """Return the numbers of a study folder."""
    contents = read_contents(source)
    study, cells = contents.study, contents.finished
    if not cells:
        reason = f" ({len(contents.failed)} failed, {len(contents.left_out)} left out)"
        shown = reason if contents.failed or contents.left_out else ""
        raise StudyError(f"{source} holds no finished cells{shown}; run the study first.")
    warn_left_out(contents.left_out)
    arms, curves, notes, trained = _gather_arms(cells, study)
    chosen = arms[0] if reference is None else next((arm for arm in arms if arm.name == reference), None)
    if chosen is None:
        raise StudyError(f"The study has no arm {reference!r}; there are {', '.join(repr(arm.name) for arm in arms)}.")
    main = next((name for arm in arms for name in arm.measures), "")
    threshold, why = _threshold(chosen, curves)
    missing, extra = _missing_cells(contents)
    notes += [f"{sentence} It was left out." for sentence in contents.left_out]
    if extra:
        notes.append(f"Finished cells outside the axes that the study was last run with: {extra}; they are shown.")
    if why:
        notes.append(f"The steps to a threshold are withheld: {why}")
    best, how = _choose_clean(arms, study.get("quality"), main, clean)
    notes += how
    return Summary(study, arms, chosen, main, threshold, curves.budget, missing, tuple(notes), best, trained)


def _choose_clean(arms: Sequence[Arm], axis: str | None, main: str, given: Any) -> tuple[Any, list[str]]:
    """Return the value of the quality axis that the others are compared with, and a sentence where it was chosen.

    Raises:
        StudyError: where the value that was given is not on the axis.
    """
    values = dict.fromkeys(arm.values[axis] for arm in arms if axis and arm.values.get(axis) is not None)
    if given is not None:
        if given not in values:
            shown = ", ".join(map(repr, values)) if values else "no quality axis"
            raise StudyError(f"The study has no arm of the quality {given!r}; there are {shown}.")
        return given, []
    if len(values) < 2 or 0 in values:
        return next((value for value in values if value == 0 or len(values) == 1), None), []
    means: dict[Any, list[float]] = {value: [] for value in values}
    for arm in arms:
        found = arm.interval(main)
        if found is not None and axis and arm.values.get(axis) is not None:
            means[arm.values[axis]].append(found.mean)
    best = max(values, key=lambda value: float(np.mean(means[value])) if means[value] else -np.inf)
    return best, [
        (
            f"{axis} {show_value(best)} counts as clean since its arms have the highest mean {main}: a choice by the "
            "scores, which favours it. Name it with clean=."
        )
    ]


def _threshold(reference: Arm, curves: Curves) -> tuple[float | None, str]:
    """Return the score at a share of the reference's gain up to the budget, or None and the sentence that says why."""
    if not curves.runs or curves.budget is None:
        return None, ""
    if not reference.runs:
        return None, f"the reference arm '{reference.name}' has no curve; name another with reference=."
    try:
        return threshold_of(mean_run(list(reference.runs.values())), SHARE, until=curves.budget), ""
    except ConvergenceError as fault:
        return None, str(fault)


def _missing_cells(contents: Contents) -> tuple[tuple[tuple[Mapping[str, Any], str], ...], int]:
    """Return the cells of the study's axes that are not finished with the reason, and how many are on no axis."""
    failures = {_key(failed.cell): failed.error for failed in contents.failed}
    planned = {_key(cell): cell for cell in _planned(contents.study)}
    finished = {_key(cell.cell) for cell in contents.finished}
    missing = [(cell, failures.get(name)) for name, cell in planned.items() if name not in finished]
    reasons = tuple((cell, "not run" if error is None else f"failed: {error}") for cell, error in missing)
    return reasons, len(finished - planned.keys())


def _planned(study: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the cells of the study's axes."""
    return [
        dict(zip(grid, values, strict=True)) for grid in study["axes"] for values in itertools.product(*grid.values())
    ]


def _key(cell: Mapping[str, Any]) -> frozenset[tuple[str, bool, Any]]:
    """Return what is equal for equal cells: 1 and 1.0 are, 1 and True are not."""
    return frozenset((name, isinstance(value, bool), value) for name, value in cell.items())


def _gather_arms(
    cells: Sequence[Finished], study: Mapping[str, Any]
) -> tuple[tuple[Arm, ...], Curves, list[str], frozenset[str]]:
    """Return the arms of a study in the order of its axes, their curves, what was left out, and languages trained in.

    Args:
        cells: the finished cells.
        study: the settings in `study.json`.
    """
    seed = str(study["seed"])
    groups: dict[Hashable, dict[Any, Finished]] = {}
    notes: list[str] = []
    for cell in cells:
        group = groups.setdefault(_key({name: value for name, value in cell.cell.items() if name != seed}), {})
        if cell.cell.get(seed) in group:
            notes.append(f"Two finished cells have the equal values {dict(cell.cell)}; one of them is shown.")
        group[cell.cell.get(seed)] = cell
    members = [dict(sorted(group.items(), key=lambda pair: _seed_order(pair[0]))) for group in groups.values()]
    settings = [
        {name: value for name, value in next(iter(group.values())).cell.items() if name != seed} for group in members
    ]
    order = sorted(range(len(members)), key=lambda number: _place_on_axes(settings[number], study))
    members, settings = [members[number] for number in order], [settings[number] for number in order]
    names = _arm_names(settings, str(study["trial"]))
    planned = Counter(_key({name: value for name, value in cell.items() if name != seed}) for cell in _planned(study))
    histories: dict[Key, History] = {
        (number, of): cell.result.history
        for number, group in enumerate(members)
        for of, cell in group.items()
        if cell.result.history is not None
    }
    trained = trained_languages(list(histories.values()))
    main = next((name for cell in cells for name in cell.result.measures), "")
    curves = choose_curves(histories, trained, main)
    notes += _curve_notes(curves, names)
    shared, some = _shared_scores([cell for group in members for cell in group.values()])
    if some:
        notes.append(f"Mean scores leave out {', '.join(some)}: some cells have no score in them.")
    arms = []
    for number, (name, group) in enumerate(zip(names, members, strict=True)):
        runs = {of: curves.runs[number, of] for of in group if (number, of) in curves.runs}
        measures, withheld = _arm_measures(group, runs, curves.budget, shared)
        notes += [f"{AREA} of '{name}', seed {of}, is withheld: {why}" for of, why in withheld.items()]
        arms.append(Arm(name, settings[number], group, measures, runs, planned[_key(settings[number])]))
    return tuple(arms), curves, notes, trained


def _curve_notes(curves: Curves, names: Sequence[str]) -> list[str]:
    """Return sentences about runs and languages that are on no curve."""
    notes = []
    if curves.left_out and curves.languages:
        notes.append(
            f"The curves are means over {', '.join(curves.languages)}, which every run measured; "
            f"{', '.join(curves.left_out)} were measured in some of the runs only."
        )
    for (number, seed), why in curves.withheld.items():
        notes.append(f"The curve of '{names[number]}', seed {seed}, is withheld: {why}")
    return notes


def _seed_order(seed: Any) -> tuple[bool, float, str]:
    """Return a sort key of seeds: numbers by size, then names."""
    return (False, float(seed), "") if _is_number(seed) else (True, 0.0, str(seed))


def _is_number(value: Any) -> bool:
    """Return whether a value is a number, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _place_on_axes(values: Mapping[str, Any], study: Mapping[str, Any]) -> tuple[int, ...]:
    """Return a sort key that puts arms in the order of the study's axes, and those that are on none last."""
    for number, grid in enumerate(study["axes"]):
        names = [name for name in grid if name != study["seed"]]
        if set(names) == set(values) and all(values[name] in grid[name] for name in names):
            return (number, *(grid[name].index(values[name]) for name in names))
    return (len(study["axes"]),)


def _arm_names(settings: Sequence[Mapping[str, Any]], trial: str) -> list[str]:
    """Return a name for each arm: its values that are names, then its other axes with their values.

    Arms that would share a name get every axis with its value instead, as Python writes it.
    """
    short = [_arm_name(values) or trial for values in settings]
    written = [", ".join(f"{name}={value!r}" for name, value in values.items()) or trial for values in settings]
    counts = Counter(short)
    names = [full if counts[name] > 1 else name for name, full in zip(short, written, strict=True)]
    return names if len(set(names)) == len(names) else written


def _arm_name(values: Mapping[str, Any]) -> str:
    """Return the short name of an arm; empty where its values give none."""
    named = [value for value in values.values() if isinstance(value, str) and value.strip()]
    others = [f"{name} {value}" for name, value in values.items() if not isinstance(value, str) and value is not None]
    return ", ".join([*named, *others])


def _shared_scores(cells: Sequence[Finished]) -> tuple[tuple[str, str, tuple[str, ...]] | None, tuple[str, ...]]:
    """Return the first score's task and metric with the languages that all cells share, and the other languages.

    Only cells that return no measures count: for these the report takes the mean of the scores.
    """
    scored = [cell.result.scores for cell in cells if cell.result.scores and not cell.result.measures]
    if not scored:
        return None, ()
    task, metric = scored[0][0].task, scored[0][0].metric

    def languages(scores: Sequence[Score]) -> dict[str, None]:
        return dict.fromkeys(score.language for score in scores if (score.task, score.metric) == (task, metric))

    found = [languages(scores) for scores in scored if languages(scores)]
    shared = tuple(language for language in found[0] if all(language in each for each in found))
    every = dict.fromkeys(language for each in found for language in each)
    return (task, metric, shared), tuple(language for language in every if language not in shared)


def _arm_measures(
    cells: Mapping[Any, Finished],
    runs: Mapping[Any, History],
    until: float | None,
    shared: tuple[str, str, tuple[str, ...]] | None,
) -> tuple[dict[str, dict[Any, float]], dict[Any, str]]:
    """Return the measures of an arm's cells, and by seed why there is no area under the curve.

    Args:
        cells: by seed.
        runs: by seed, the histories on the curves.
        until: the step up to which areas go; None where no run was measured twice.
        shared: the task, the metric and the languages of the mean of scores.
    """
    found: dict[str, dict[Any, float]] = {}
    withheld: dict[Any, str] = {}
    for seed, cell in cells.items():
        measures = dict(cell.result.measures)
        if not measures and shared is not None:
            task, metric, languages = shared
            by_language = {
                score.language: score.value
                for score in cell.result.scores
                if (score.task, score.metric) == (task, metric)
            }
            if languages and all(language in by_language for language in languages):
                values = [by_language[language] for language in languages]
                measures = {f"mean {metric}": sum(values) / len(values)}
        if seed in runs and AREA not in measures and until is not None:
            try:
                measures[AREA] = area_under_curve(runs[seed], until=until)
            except ConvergenceError as fault:
                withheld[seed] = str(fault)
        for name, value in measures.items():
            found.setdefault(name, {})[seed] = value
    return found, withheld


def _interval_columns(name: str, found: Interval | None) -> dict[str, float | None]:
    """Return an interval as columns; empty ones for None."""
    parts = ("mean", "low", "high", "count")
    return {f"{name} {part}": None if found is None else getattr(found, part) for part in parts}


def _count(number: int, noun: str) -> str:
    """Return a number with its noun."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
