"""The exchange rates of a study: what a row of each quality is worth in clean rows, over the amounts that were run."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from xquality.analysis import EffectiveRows, ExchangeRate, exchange_rate
from xquality.errors import SettingError
from xquality.report.comparisons import show_value
from xquality.study.cells import Finished

if TYPE_CHECKING:
    from xquality.report.summary import Arm, Grid, Summary

Scores = Mapping[float, Mapping[Any, float]]  # by amount and seed
_FINEST = 1_000_000  # fractions are exchanged in millionths of the whole, since an exchange rate counts rows


@final
@dataclass(frozen=True)
class Exchange:
    """What one row of a quality is worth, with the scores that it was found from.

    Attributes:
        title: the settings that these arms share, where there are several groups; otherwise empty.
        quality: the value of the quality axis.
        clean: that of the clean rows.
        measure: the name of the measure.
        unit: "rows" where the numbers of rows are known, otherwise the name of the quantity axis.
        clean_scores: by amount and seed.
        other_scores: those of the quality.
        rate: the exchange rate; None where it was not measured.
        why: the sentence that stands in the place of the rate, where it is withheld or was not measured.
        equal_steps: whether all these arms made the same numbers of steps; None where that is not known.
        scale: what amounts are multiplied by in `rate`.
    """

    title: str
    quality: Any
    clean: Any
    measure: str
    unit: str
    clean_scores: Scores
    other_scores: Scores
    rate: ExchangeRate | None
    why: str | None
    equal_steps: bool | None = None
    scale: float = 1.0

    def effective(self) -> dict[float, EffectiveRows]:
        """Return the clean amount that scores like each amount of the quality; empty where it was not measured."""
        if self.rate is None:
            return {}
        return {
            rows / self.scale: EffectiveRows(*(number / self.scale for number in found))
            for rows, found in self.rate.each.items()
        }

    def __str__(self) -> str:
        if self.rate is None or self.why is not None:
            return f"withheld: {self.why}"
        found, amounts = self.rate, sorted(self.other_scores)
        over = f"{show_value(amounts[0])} to {show_value(amounts[-1])}"
        worth = f"{found.rate:.2g} [{found.low:.2g}, {found.high:.2g}]"
        few = " (less than one clean row)" if found.high < 1 and self.unit == "rows" else ""
        if self.unit == "rows":
            return f"worth {worth} clean rows{few}, on average over {over} rows"
        return f"worth {worth} times as much clean data, on average over {self.unit} {over}"


def find_exchange_rates(summary: "Summary", measure: str) -> tuple[Exchange, ...]:
    """Return the exchange rate of each quality that was run at two amounts or more, or why there is none.

    Args:
        summary: the numbers of the study.
        measure: the name of a measure, higher being better.
    """
    made = []
    for grid in summary.grids():
        if summary.clean in grid.qualities:
            amounts = count_rows(grid)
            others = [value for value in grid.qualities if value != summary.clean]
            made += [_exchange(summary, grid, amounts, quality, measure) for quality in others]
    return tuple(made)


def _exchange(
    summary: "Summary", grid: "Grid", amounts: Mapping[Any, int] | None, quality: Any, measure: str
) -> Exchange:
    """Return the exchange rate of one quality of a grid, given the numbers of rows where they are known."""
    unit = summary.quantity_axis if amounts is None else "rows"
    rows = {quantity: quantity for quantity in grid.quantities} if amounts is None else amounts
    clean, other = (
        {
            float(rows[quantity]): arm.measures[measure]
            for quantity in grid.quantities
            if (arm := grid.arms.get((quantity, value))) is not None and arm.measures.get(measure)
        }
        for value in (summary.clean, quality)
    )
    whole = all(float(amount).is_integer() for amount in (*clean, *other))
    scale = 1.0 if whole else float(_FINEST)
    found: ExchangeRate | None = None
    try:
        found = exchange_rate(_scaled(clean, scale), _scaled(other, scale))
        why = None if found.withheld is None else found.withheld
    except SettingError as fault:
        why = str(fault)
    arms = [arm for (_, value), arm in grid.arms.items() if value in (summary.clean, quality)]
    return Exchange(
        grid.title, quality, summary.clean, measure, unit, clean, other, found, why, have_equal_steps(arms), scale
    )


def _scaled(scores: Scores, scale: float) -> dict[int, Mapping[Any, float]]:
    """Return scores by whole numbers of rows."""
    return {round(amount * scale): cell for amount, cell in scores.items()}


def count_rows(grid: "Grid") -> dict[Any, int] | None:
    """Return the number of rows at each quantity of a grid, from the cells' histories or records.

    None where the cells do not say it, say several numbers, or do not say more rows for a larger quantity.
    """
    found: dict[Any, set[int | None]] = {}
    for (quantity, _), arm in grid.arms.items():
        found.setdefault(quantity, set()).update(_count_rows(cell) for cell in arm.cells.values())
    rows = {quantity: next(iter(counts)) for quantity, counts in found.items() if len(counts) == 1}
    known = {quantity: count for quantity, count in rows.items() if count is not None}
    ordered = [known[quantity] for quantity in grid.quantities if quantity in known]
    rises = all(first < second for first, second in itertools.pairwise(ordered))
    return known if len(known) == len(grid.quantities) and rises else None


def _count_rows(cell: Finished) -> int | None:
    """Return the number of rows of the stages before the last, or after the last record in the notes; None without."""
    history = cell.result.history
    stages = [] if history is None else [stage.get("rows") for stage in history.stages[:-1]]
    counts = [rows for rows in stages if isinstance(rows, int)]
    if counts and len(counts) == len(stages):
        return sum(counts)
    for note in cell.result.notes.values():
        records = note if isinstance(note, Sequence) and not isinstance(note, str) else ()
        after = [record.get("rows_after") for record in records if isinstance(record, Mapping)]
        if after and isinstance(after[-1], int):
            return int(after[-1])
    return None


def have_equal_steps(arms: Sequence["Arm"]) -> bool | None:
    """Return whether all runs of arms made the same numbers of steps in their stages; None where they do not say."""
    found = set()
    for arm in arms:
        for cell in arm.cells.values():
            history = cell.result.history
            steps = () if history is None else tuple(stage.get("steps") for stage in history.stages)
            if not steps or None in steps:
                return None
            found.add(steps)
    return len(found) == 1


def count_epochs(arm: "Arm") -> float | None:
    """Return how often an arm's runs read each row of the stages before the last, on average; None where unknown."""
    found = [
        float(stage["epochs"])
        for cell in arm.cells.values()
        if cell.result.history is not None
        for stage in cell.result.history.stages[:-1]
        if isinstance(stage.get("epochs"), int | float) and math.isfinite(stage["epochs"])
    ]
    return sum(found) / len(found) if found else None
