"""The tables of `phang2020.py`: scores beside the paper's, and what the study cost."""

from pathlib import Path
from statistics import fmean
from typing import Any

from xquality.study import Study
from xquality.study.cells import read_cell
from xquality.tasks import XTREME
from xquality.xtreme import PUBLISHED

NONE, MLM, ITSELF = "no intermediate task", " + MLM", "itself"
TARGETS = dict(
    zip(("XNLI", "PAWS-X", "UD POS", "PAN-X", "XQuAD", "MLQA", "TyDiQA", "BUCC", "Tatoeba"), XTREME, strict=True)
)
CAUTION = """
Of each target: the mean over the scored languages / the mean without English (difference of the first to no
intermediate task; the paper's difference with XLM-R Large, where a question mark says that it was noted without the
paper at hand). *English* is the intermediate task's own score in English, *trivial* the best score of an answer that is
always the same, *margin* how far the first is above the second; of several tasks together the first, MNLI, is scored.
"""
TINY_CAUTION = """
A tiny encoder aligned on unlabelled parallel sentences, few steps and few rows: this shows that every arm runs, not
what XLM-R does. CCG is a stand-in here: English words of UD POS with one category for each part of speech, in the
format of CCGbank, which is licensed. ANLI+ trains on half of ANLI's development rows. Translated arms need XNLI's
translated training rows, which the Hub has and the local folder does not: they are left out.
"""


def tables(study: Study, folder: Path) -> str:
    """Return the scores beside the paper's, and what the study cost, in Markdown."""
    cells = {tuple(one.values()): read_cell(folder, one) for one in study.cells()}
    arms, targets, seeds = (list(dict.fromkeys(key[place] for key in cells)) for place in range(3))
    targets = [one for one in targets if one != ITSELF]

    def mean(arm: str, target: str, measure: str) -> float:
        return fmean(cells[arm, target, seed].result.measures[measure] for seed in seeds)

    head = ["arm", "steps", "English", "trivial", "margin", *targets]
    lines = [head, ["---"] * len(head)]
    for arm in sorted(arms, key=lambda one: one != NONE):
        line = [arm]
        if arm == NONE:
            line += ["-"] * 4
        else:
            own = [mean(arm, ITSELF, one) for one in ("English", "trivial")]
            line += [
                _steps_shown(cells[arm, ITSELF, seeds[0]]),
                *(f"{one:.1f}" for one in own),
                f"{own[0] - own[1]:+.1f}",
            ]
        for target in targets:
            means = [mean(arm, target, one) for one in ("mean", "zero-shot")]
            difference = means[0] - mean(NONE, target, "mean") if (NONE, target, seeds[0]) in cells else None
            line.append(f"{means[0]:.1f} / {means[1]:.1f}{_beside(arm, target, difference)}")
        lines.append(line)
    return "\n".join(_line(*line[:1], line[1:]) for line in lines) + "\n\n" + _costs(cells, arms, targets, seeds)


def _steps_shown(cell: Any) -> str:
    """Return the steps of a cell's first stage, and of them those on the text of many languages."""
    steps, text = _steps_of(cell, 0), cell.result.history.stages[0].get("steps_by_task", {}).get("mlm", 0)
    return f"{steps - text} + {text}" if text else str(steps)


def _steps_of(cell: Any, place: int) -> int:
    """Return how many steps a stage of a cell made."""
    return int(cell.result.history.stages[place]["steps"])


def _beside(arm: str, target: str, difference: float | None) -> str:
    """Return the difference to no intermediate task, and the paper's."""
    if arm == NONE or difference is None:
        return ""
    task, metric = TARGETS[target].name, "avg_accuracy" if target in ("XNLI", "PAWS-X", "Tatoeba") else "avg_f1"
    column = ("bucc2018" if task == "bucc" else task, metric)
    published = {row.name: row.scores[column] for row in PUBLISHED if row.split == "dev"}
    paper = f"; paper {published[arm] - published[NONE]:+.1f}?" if arm in published else ""
    return f" ({difference:+.1f}{paper})"


def _costs(cells: dict[Any, Any], arms: list[str], targets: list[str], seeds: list[int]) -> str:
    """Return steps and seconds of the study, beside those of scripts that train an intermediate for every target."""
    trained = [(arm, seed) for arm in arms for seed in seeds if arm != NONE]
    steps = sum(_steps_of(cells[arm, ITSELF, seed], 0) for arm, seed in trained)
    seconds = sum(cells[arm, ITSELF, seed].run["seconds"] for arm, seed in trained)
    others = [cells[arm, target, seed] for arm in arms for target in targets for seed in seeds]
    more = sum(_steps_of(one, -1) for one in others if one.cell["target"] not in ("BUCC", "Tatoeba"))
    waited = sum(one.run["seconds"] for one in others)
    count = len(targets)
    ours = (steps, more, steps + more, seconds + waited)
    naive = (count * steps, more, count * steps + more, count * seconds + waited)
    ratios = [f"{other / max(one, 1e-9):.2f}" for one, other in zip(ours, naive, strict=True)]
    lines = [
        "| | intermediate steps | target steps | all steps | seconds |",
        "| --- | --- | --- | --- | --- |",
        _line("this study", [f"{one:.0f}" for one in ours]),
        _line("an intermediate for every target", [f"{one:.0f}" for one in naive]),
        _line("ratio", ratios),
    ]
    return "\n".join(lines) + "\n\nThe second row is reckoned from the measured cost of every stage, not run.\n"


def _line(name: str, cells: list[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join([name, *cells])} |"
