"""The numbers of a report: the arms of a study, the one they are compared with, and how they are shown together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from xquality.errors import StudyError
from xquality.report.arms import Arm, arms_of
from xquality.study.cells import read_cells, read_study


@final
@dataclass(frozen=True)
class Summary:
    """Everything a report prints.

    Attributes:
        study: what `study.json` says.
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
        is taken, which is the plain one.
        """
        quantity, quality = self._grid_axes()
        arms = [one for one in self.arms if quantity in one.values and quality in one.values]
        numbers = (int, float)
        arms = [
            one
            for one in arms
            if isinstance(one.values[quantity], numbers) and isinstance(one.values[quality], numbers)
        ]
        if not quantity or not quality or not arms:
            return None
        found: dict[tuple[Any, Any], Arm] = {}
        for arm in sorted(arms, key=lambda one: len(one.values)):
            found.setdefault((arm.values[quantity], arm.values[quality]), arm)
        return sorted({one for one, _ in found}), sorted({one for _, one in found}), found

    def panels(self) -> list[tuple[str, tuple[Arm, ...]]]:
        """Return titles and arms of the panels that show the learning curves, those with any.

        One panel for each quality that was run at two quantities or more, then for each quantity whose arms are not
        all shown by then, with the reference arm in each; the other arms share a panel.
        """
        curved = tuple(one for one in self.arms if one.curves() is not None)
        grid, (quantity, quality) = self.grid(), self._grid_axes()
        if grid is None or len(curved) <= 5:
            return [("", curved)] if curved else []
        on_grid = [one for one in curved if any(one is arm for arm in grid[2].values())]
        panels: list[tuple[str, tuple[Arm, ...]]] = []
        shown: set[str] = set()
        for axis, values in ((quality, grid[1]), (quantity, grid[0])):
            for value in values:
                members = [one for one in on_grid if one.values[axis] == value and one is not self.reference]
                if len(members) > 1 and any(one.name not in shown for one in members):
                    panels.append((f"{axis} {value:g}", (self.reference, *members)))
                    shown |= {one.name for one in (self.reference, *members)}
        others = [one for one in curved if one.name not in shown]
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
    arms = arms_of(cells, study)
    chosen = next((one for one in arms if one.name == reference), None) if reference else arms[0]
    if chosen is None:
        raise StudyError(f"The study has no arm {reference!r}; there are {', '.join(one.name for one in arms)}.")
    main = next((name for arm in arms for name in arm.measures), "")
    return Summary(study, arms, chosen, main, _threshold(arms))


def _threshold(arms: Sequence[Arm]) -> float | None:
    """Return 90 % of the best arm's mean final score on the curves; None where there are no curves."""
    finals = [float(found[1][:, -1].mean()) for arm in arms if (found := arm.curves()) is not None]
    return 0.9 * max(finals) if finals else None
