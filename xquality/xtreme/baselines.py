"""The published rows to put a run beside, from Phang et al. 2020.

The main table of that paper (AACL 2020, "English Intermediate-Task Training Improves Zero-Shot Cross-Lingual Transfer
Too") gives, on XTREME's development sets, the scores of XLM-R Large fine-tuned on the target task alone, and for each
intermediate task the difference to them. Two of its cells are confirmed by another text at hand, the replication in
the authors' own software: BUCC 71.5 and Tatoeba 31.0 of the first row. All others were noted without the paper at
hand; they are marked with a question mark until someone has compared them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

from xquality.metrics._sums import plain_sum

Column = tuple[str, str]

COLUMNS: Final[dict[Column, str]] = {
    ("xnli", "avg_accuracy"): "XNLI",
    ("pawsx", "avg_accuracy"): "PAWS-X",
    ("udpos", "avg_f1"): "POS",
    ("panx", "avg_f1"): "NER",
    ("xquad", "avg_f1"): "XQuAD F1",
    ("xquad", "avg_exact_match"): "XQuAD EM",
    ("mlqa", "avg_f1"): "MLQA F1",
    ("mlqa", "avg_exact_match"): "MLQA EM",
    ("tydiqa", "avg_f1"): "TyDiQA F1",
    ("tydiqa", "avg_exact_match"): "TyDiQA EM",
    ("bucc2018", "avg_f1"): "BUCC",
    ("tatoeba", "avg_accuracy"): "Tatoeba",
}
"""The columns: task and mean in the scores of `score_folder`, and the heading."""

_CONFIRMED = (("bucc2018", "avg_f1"), ("tatoeba", "avg_accuracy"))
_BASE = (80.1, 86.5, 75.7, 62.8, 76.1, 60.0, 70.1, 51.5, 65.6, 48.2, 71.5, 31.0)
_DIFFERENCES = {
    "ANLI+": (-0.8, -0.0, -1.4, -3.5, -1.1, -0.5, -0.6, -0.8, -0.6, -3.0, 19.9, 48.2),
    "MNLI": (-1.2, 1.4, -0.7, 0.5, -0.3, -0.1, 0.2, 0.2, -1.0, -1.6, 20.0, 48.8),
    "QQP": (-4.4, -4.8, -6.5, -45.4, -3.8, -3.8, -4.5, -4.4, -11.1, -10.2, 17.1, 49.5),
    "SQuAD v1.1": (-1.9, 1.2, -0.8, -0.4, 1.8, 2.5, 2.2, 2.6, 9.7, 10.8, 18.9, 41.3),
    "SQuAD v2": (-1.6, 1.9, -1.1, 0.8, -0.5, 0.7, -0.4, 0.1, 10.4, 11.3, 19.3, 43.4),
    "HellaSwag": (-7.1, 1.8, -0.7, 1.6, -0.0, 0.4, -0.1, 0.2, -0.0, -1.0, 20.3, 47.6),
    "CCG": (-2.6, -3.4, -2.0, -1.5, -1.5, -1.3, -1.6, -1.5, -2.8, -6.2, 10.7, 41.9),
    "Cosmos QA": (-2.1, -0.3, -1.4, -1.5, -0.8, -1.3, -1.5, -2.0, 0.5, -0.6, 19.2, 43.9),
    "CommonsenseQA": (-2.9, -2.8, -1.7, -1.6, -1.0, -1.8, -1.0, -0.6, 3.5, 2.9, 18.1, 48.6),
    "multi-task": (-0.9, 1.7, -1.0, 1.8, 0.3, 0.9, 0.2, 0.5, 5.8, 6.0, 19.6, 49.9),
}
_TEST = (79.2, 86.4, 72.6, 65.4, 76.6, 60.8, 71.6, 53.2, 65.1, 45.0, 66.0, 57.3)


@final
@dataclass(frozen=True)
class Row:
    """One row of published scores.

    Attributes:
        name: the intermediate task, or what stands for none.
        split: "dev" or "test": which sets of XTREME it is of.
        cells: the score under each column.
        confirmed: the columns whose score was compared with a text.
    """

    name: str
    split: str
    cells: Mapping[Column, float]
    confirmed: frozenset[Column]

    @property
    def average(self) -> float:
        """The mean over the nine tasks, a question-answering task counting with the mean of its two scores."""
        return _average(self.cells)


def _average(cells: Mapping[Column, float]) -> float:
    """Return the mean over the nine tasks of cells that are all there."""
    tasks: dict[str, list[float]] = {}
    for (task, _), value in cells.items():
        tasks.setdefault(task, []).append(value)
    return plain_sum(plain_sum(values) / len(values) for values in tasks.values()) / len(tasks)


def _row(name: str, split: str, values: tuple[float, ...], confirmed: tuple[Column, ...] = ()) -> Row:
    """Return a row from its values in the order of the columns."""
    return Row(name, split, dict(zip(COLUMNS, values, strict=True)), frozenset(confirmed))


ROWS: Final[tuple[Row, ...]] = (
    _row("no intermediate task", "dev", _BASE, _CONFIRMED),
    *(
        _row(name, "dev", tuple(round(one + other, 1) for one, other in zip(_BASE, differences, strict=True)))
        for name, differences in _DIFFERENCES.items()
    ),
    _row("no intermediate task", "test", _TEST),
)
"""XLM-R Large: the paper's development rows, their differences added to the first, and the leaderboard's test row."""


def beside(scores: Mapping[str, Any], name: str = "this run", split: str = "dev") -> str:
    """Return a table in Markdown of a run's scores above the published rows of the same split.

    Args:
        scores: what `score_folder` returned; tasks that it lacks stay open.
        name: what to call the run.
        split: "dev" or "test", the sets that the run was scored on.

    Returns:
        One line a row, scores with one decimal; a published score that is not confirmed carries a question mark. The
        last column is the mean over the nine tasks, where all are there.

    Example:
        >>> table = beside({"tatoeba": {"avg_accuracy": 40.0}}, name="ours")
        >>> for line in table.splitlines()[:4]:
        ...     print(line[:22], "...", line[-26:])
        | dev | XNLI | PAWS-X  ...  | BUCC | Tatoeba | mean |
        | --- | --- | --- | -- ...  | --- | --- | --- | --- |
        | ours | - | - | - | - ... - | - | - | - | 40.0 | - |
        | no intermediate task ... 2? | 71.5 | 31.0 | 65.9? |
    """
    found = {column: scores[column[0]][column[1]] for column in COLUMNS if column[1] in scores.get(column[0], {})}
    own = [f"{found[one]:.1f}" if one in found else "-" for one in COLUMNS]
    own.append(f"{_average(found):.1f}" if len(found) == len(COLUMNS) else "-")
    lines = [[split, *COLUMNS.values(), "mean"], ["---"] * (len(COLUMNS) + 2), [name, *own]]
    for row in ROWS:
        if row.split == split:
            cells = [f"{value:.1f}{'' if one in row.confirmed else '?'}" for one, value in row.cells.items()]
            lines.append([row.name, *cells, f"{row.average:.1f}?"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
