"""row_values: what each test row adds to the scores of an arm, one line for each seed, for intervals over both."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from xquality.errors import StudyError
from xquality.metrics.metric import mean_ratio
from xquality.records import Score
from xquality.study.cells import Finished, show_cell


@final
@dataclass(frozen=True)
class RowValues:
    """The values of an arm's test rows.

    Attributes:
        seeds: the seeds, ascending.
        uids: the uid of each row; None where the examples of the metric are not rows.
        values: `values[seed][row]`, shape (seeds, rows); the mean over rows is the score of the seed.
    """

    seeds: tuple[Any, ...]
    uids: tuple[int | str, ...] | None = field(repr=False)
    values: NDArray[np.float64] = field(repr=False, compare=False)


def row_values(
    cells: Sequence[Finished],
    arm: Mapping[str, Any],
    *,
    language: str | Sequence[str],
    metric: str,
    task: str | None = None,
    seed: str = "seed",
) -> RowValues:
    """Return the values of the test rows of one arm, for `analysis.crossed_interval`.

    Of a metric that is a mean over rows, such as accuracy, they are the rows' own values, 0 or 100. Of a ratio of sums
    over rows, such as F1, they are linearised (the delta method): `score + rows * (above - ratio * below) / total`,
    averaged over parts. In either case their mean over rows is the seed's score. Differences of two arms, whose cells
    share seeds and rows, are differences of their values.

    Args:
        cells: the finished cells of a study, as `read_cells` returns them.
        arm: values of axes, as many as name one arm.
        language: of the scores, as the dataset spells it; of several, whose rows must be the same ones, translated, the
            mean over languages of each row.
        metric: the metric's name.
        task: the task's name; None where the cells have scores of one task.
        seed: the axis of seeds.

    Raises:
        StudyError: if the values name no arm or several, or a cell has no such score, no statistics of its examples,
            or other rows than the first; if there is no language, or several do not have the same rows.
        DamagedError: if the statistics or uids cannot be read.

    Example:
        >>> import tempfile
        >>> from xquality import Result, Score
        >>> from xquality.analysis import crossed_interval
        >>> from xquality.study import Study, read_cells, row_values
        >>> def trial(rate: float, seed: int) -> Result:
        ...     correct = np.arange(20) % 4 >= (seed + round(10 * rate)) % 4
        ...     each = np.stack([correct, np.ones(20)], axis=1)[:, None]
        ...     return Result((Score("t", "de", "accuracy", 100 * correct.mean(), 20, each=each),))
        >>> study = Study(trial, axes={"rate": [0.0, 0.2], "seed": range(3)})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     cells = read_cells(study.run(folder, progress=False))
        ...     noisy = row_values(cells, {"rate": 0.2}, language="de", metric="accuracy")
        >>> noisy.values.shape, noisy.values.mean(axis=1).tolist()
        ((3, 20), [50.0, 25.0, 100.0])
        >>> round(crossed_interval(noisy.values).mean, 2)
        58.33
    """
    chosen = _choose_arm(cells, arm, seed)
    if isinstance(language, str):
        return _values_in(chosen, language, metric, task, seed)
    found = [_values_in(chosen, name, metric, task, seed) for name in language]
    if not found:
        raise StudyError("row_values(language) must name a language or several, but names none.")
    first = found[0]
    order = {uid: place for place, uid in enumerate(first.uids or ())}
    aligned = []
    for name, values in zip(language, found, strict=True):
        if values.uids is None or set(values.uids) != set(order):
            raise StudyError(
                f"The rows in {name} are not those in {language[0]}, so that they have no mean; name languages of one "
                "parallel test set."
            )
        aligned.append(values.values[:, np.argsort([order[uid] for uid in values.uids])])
    return RowValues(first.seeds, first.uids, np.mean(aligned, axis=0))


def _values_in(chosen: Sequence[Finished], language: str, metric: str, task: str | None, seed: str) -> RowValues:
    """Return the values of the test rows of an arm's cells in one language."""
    scores = [_find_score(finished, language, metric, task) for finished in chosen]
    for finished, score in zip(chosen, scores, strict=True):
        if score.each is None:
            raise StudyError(
                f"The {metric} in {language} at {show_cell(finished.cell)} has no statistics of its examples; run the "
                "cell again, by a trial that returns the scores of evaluate and a metric that has statistics."
            )
        same = score.signature.get("data") == scores[0].signature.get("data") and score.rows == scores[0].rows
        if not same:
            raise StudyError(
                f"The cells at {show_cell(chosen[0].cell)} and {show_cell(finished.cell)} were scored on different "
                f"rows in {language}; run one of them again."
            )
    values = np.stack([_linearise(score.each) for score in scores if score.each is not None])
    return RowValues(tuple(finished.cell.get(seed) for finished in chosen), scores[0].uids, values)


def _choose_arm(cells: Sequence[Finished], arm: Mapping[str, Any], seed: str) -> list[Finished]:
    """Return the cells of one arm, by their seeds."""
    chosen = [finished for finished in cells if all(_has(finished, name, value) for name, value in arm.items())]
    arms = {repr(sorted((name, value) for name, value in finished.cell.items() if name != seed)) for finished in chosen}
    if len(arms) != 1:
        axes = sorted({name for finished in cells for name in finished.cell if name != seed})
        raise StudyError(
            f"row_values(arm={dict(arm)!r}) names {len(arms)} arms of {len(cells)} finished cells; give the values of "
            f"one arm on the axes {', '.join(axes)}."
        )
    return sorted(chosen, key=lambda finished: (str(type(finished.cell.get(seed))), finished.cell.get(seed)))


def _has(finished: Finished, name: str, value: Any) -> bool:
    """Return whether a cell has a value on an axis; True and 1 are two values."""
    own = finished.cell.get(name, ...)
    return bool(own == value) and isinstance(own, bool) == isinstance(value, bool)


def _find_score(finished: Finished, language: str, metric: str, task: str | None) -> Score:
    """Return the one score of a cell in a language by a metric.

    Raises:
        StudyError: if there is none, or there are several.
    """
    of_metric = [score for score in finished.result.scores if score.metric == metric and score.language == language]
    found = [score for score in of_metric if task in (None, score.task)]
    if len(found) != 1:
        tasks = sorted({score.task for score in of_metric})
        raise StudyError(
            f"The cell at {show_cell(finished.cell)} has {len(found)} scores by {metric!r} in {language!r}"
            f"{f' of {task}' if task else ''}; name a metric and a language that it has"
            f"{f', and one of the tasks {tasks}' if len(tasks) > 1 else ''}."
        )
    return found[0]


def _linearise(each: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return one value for each example, whose mean is the value of the metric.

    Args:
        each: the statistics of the examples, shape (examples, parts, 2).
    """
    totals = each.sum(axis=0)
    occurs = totals[:, 1] > 0
    above, below = each[:, occurs, 0], each[:, occurs, 1]
    total = totals[occurs, 1]
    ratio = totals[occurs, 0] / total
    rest = (above - ratio * below) / total
    parts = max(1, int(occurs.sum()))
    own: NDArray[np.float64] = mean_ratio(totals) + 100 * len(each) * rest.sum(axis=1) / parts
    return own
