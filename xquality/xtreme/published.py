"""Published scores on XTREME to compare a run with, from Phang et al. 2020.

The main table of that paper (AACL 2020, "English Intermediate-Task Training Improves Zero-Shot Cross-Lingual Transfer
Too") gives, on XTREME's development sets, the scores of XLM-R Large fine-tuned on the target task alone, and for each
intermediate task the difference to them. Two of its scores are confirmed by a second source, the replication in the
authors' own software: BUCC 71.5 and Tatoeba 31.0 without intermediate task. All others could not be compared with the
paper; tables mark them with a question mark.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, final

from xquality.metrics._sums import plain_sum

ScoreKey = tuple[str, str]
"""A task and a mean over its languages, as in the scores of `score_folder`, such as ("xnli", "avg_accuracy")."""

HEADINGS: Final[dict[ScoreKey, str]] = {
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
"""The heading of each score's column, in the order of the paper's table."""

_CONFIRMED = (("bucc2018", "avg_f1"), ("tatoeba", "avg_accuracy"))
_NO_INTERMEDIATE = (80.1, 86.5, 75.7, 62.8, 76.1, 60.0, 70.1, 51.5, 65.6, 48.2, 71.5, 31.0)
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
class PublishedScores:
    """One row of published scores.

    Attributes:
        name: the intermediate task, or "no intermediate task".
        split: "dev" or "test": the sets of XTREME that were scored.
        scores: the score of each task and mean, such as ("xnli", "avg_accuracy").
        confirmed: the scores that were compared with a second source.
    """

    name: str
    split: str
    scores: Mapping[ScoreKey, float]
    confirmed: frozenset[ScoreKey]

    @property
    def average(self) -> float:
        """The mean over the nine tasks, in which a question-answering task has the mean of its two scores."""
        return _task_average(self.scores)


def _task_average(scores: Mapping[ScoreKey, float]) -> float:
    """Return the mean over the tasks of a complete row of scores."""
    by_task: dict[str, list[float]] = {}
    for (task, _), value in scores.items():
        by_task.setdefault(task, []).append(value)
    return plain_sum(plain_sum(values) / len(values) for values in by_task.values()) / len(by_task)


def _make_row(name: str, split: str, values: Iterable[float], confirmed: tuple[ScoreKey, ...] = ()) -> PublishedScores:
    """Return a row from its values in the order of the headings."""
    return PublishedScores(name, split, dict(zip(HEADINGS, values, strict=True)), frozenset(confirmed))


def _add(differences: tuple[float, ...]) -> list[float]:
    """Return the scores with an intermediate task from the paper's differences."""
    return [round(score + change, 1) for score, change in zip(_NO_INTERMEDIATE, differences, strict=True)]


PUBLISHED: Final[tuple[PublishedScores, ...]] = (
    _make_row("no intermediate task", "dev", _NO_INTERMEDIATE, _CONFIRMED),
    *(_make_row(name, "dev", _add(differences)) for name, differences in _DIFFERENCES.items()),
    _make_row("no intermediate task", "test", _TEST),
)
"""XLM-R Large: the paper's development scores for each intermediate task, and the leaderboard's test scores."""


def comparison_table(scores: Mapping[str, Any], name: str = "this run", split: str = "dev") -> str:
    """Return a Markdown table of a run's scores above the published rows of the same split.

    Args:
        scores: what `score_folder` returned; a missing task has the cell "-".
        name: the name of the run.
        split: "dev" or "test", the sets that the run was scored on.

    Returns:
        Scores with one decimal; a published score that is not confirmed has a question mark. The last column is the
        mean over the nine tasks, where all are there.

    Example:
        >>> table = comparison_table({"tatoeba": {"avg_accuracy": 40.0}}, name="ours")
        >>> for line in table.splitlines()[:4]:
        ...     print(line[:22], "...", line[-26:])
        | dev | XNLI | PAWS-X  ...  | BUCC | Tatoeba | mean |
        | --- | --- | --- | -- ...  | --- | --- | --- | --- |
        | ours | - | - | - | - ... - | - | - | - | 40.0 | - |
        | no intermediate task ... 2? | 71.5 | 31.0 | 65.9? |
    """
    present = {(task, mean): scores[task][mean] for task, mean in HEADINGS if mean in scores.get(task, {})}
    cells = [f"{present[key]:.1f}" if key in present else "-" for key in HEADINGS]
    cells.append(f"{_task_average(present):.1f}" if len(present) == len(HEADINGS) else "-")
    lines = [[split, *HEADINGS.values(), "mean"], ["---"] * (len(HEADINGS) + 2), [name, *cells]]
    for row in PUBLISHED:
        if row.split == split:
            cells = [f"{value:.1f}{'' if key in row.confirmed else '?'}" for key, value in row.scores.items()]
            lines.append([row.name, *cells, f"{row.average:.1f}?"])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
