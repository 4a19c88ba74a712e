"""The table of `xtreme.py`: each task's score beside simple answers, beside the paper's rows, and in every language."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from xquality.evaluation import Output, constant_baselines
from xquality.heads import SpanHead, TokenHead
from xquality.metrics.question_answering import squad as squad_scores
from xquality.metrics.tagging import chunk_f1
from xquality.tasks import XTREME, Task
from xquality.xtreme import comparison_table, official_names

ENGLISH = "en"


def figure(scores: Mapping[str, float]) -> tuple[str, float]:
    """Return the number that XTREME averages: the first metric, for questions the mean of F1 and exact match."""
    if "exact_match" in scores:
        return "mean of f1 and exact_match", (scores["f1"] + scores["exact_match"]) / 2
    return next(iter(scores.items()))


def figure_of(found: Output) -> float:
    """Return one language's."""
    return figure({one.metric: one.value for one in found.scores})[1]


def trivial(task: Task, data: Path, split: str) -> tuple[str, float]:
    """Return the strongest answer in English that is always the same, or the text's beginning, and its score."""
    found = [(one.answer, figure(one.scores)[1]) for one in constant_baselines(task, ENGLISH, split, data)]
    return max(found, key=lambda one: one[1])


def heuristic(task: Task, gold: Any, data: Path, split: str) -> str:
    """Return what a simple answer in English that does read the input scores; empty where none is known."""
    rows = task.load(ENGLISH, split, data)
    if isinstance(task.head, TokenHead):
        seen: dict[str, Counter[int]] = {}
        known = task.load(ENGLISH, "train", data)
        for words, tags in zip(known[task.head.tokens], known[task.head.tags], strict=True):
            for word, tag in zip(words, tags, strict=True):
                seen.setdefault(word, Counter())[tag] += 1
        other = Counter(tag for tags in known[task.head.tags] for tag in tags)
        tags = [[seen.get(word, other).most_common(1)[0][0] for word in words] for words in rows[task.head.tokens]]
        value = chunk_f1([[task.head.labels[tag] for tag in one] for one in tags], gold)["f1"]
        return f"{task.name}: {value:.1f} for the most frequent tag of each word in the training rows."
    if isinstance(task.head, SpanHead):
        found = {}
        for row in rows:
            asked = set(row["question"].lower().split())
            parts = re.split(r"(?<=[.!?])\s", row["context"])
            found[row["id"]] = max(parts, key=lambda one: len(asked.intersection(one.lower().split())))
        value = squad_scores(found, gold)
        return (
            f"{task.name}: {figure(value)[1]:.1f} (f1 {value['f1']:.1f}) for the sentence that shares most words with "
            "the question."
        )
    return ""


@dataclass(frozen=True)
class Line:
    """What the table says of one task.

    Attributes:
        task: its name.
        metric: its main metric.
        english: the score in English; None where English is no language of the task.
        mean: the mean over all languages that were scored.
        others: the mean without English.
        baseline: what the trivial baseline answers.
        trivial: its score: in English, for tasks that are not trained in all languages.
        languages: how many were scored.
    """

    task: str
    metric: str
    english: float | None
    mean: float
    others: float
    baseline: str
    trivial: float
    languages: int

    @property
    def margin(self) -> float:
        """How far the score in English, or where there is none the mean, is above the baseline."""
        return (self.mean if self.english is None else self.english) - self.trivial

    def cells(self) -> list[str]:
        """Return the cells of the table's line."""
        numbers = [self.english, self.mean, self.others, self.trivial]
        shown = ["-" if one is None else f"{one:.1f}" for one in numbers]
        return [self.task, self.metric, *shown, self.baseline, f"{self.margin:+.1f}", str(self.languages)]


HEADINGS = "task|metric|English|mean|mean without English|baseline|what the baseline is|margin|languages".split("|")


def line_of(task: Task, found: Sequence[Output], data: Path, split: str) -> Line:
    """Return a task's line of the table."""
    values = {one.language: figure_of(one) for one in found}
    own = next((one for one in found if one.language == ENGLISH), None)
    if own is not None:
        baseline, value = trivial(task, data, split)
    elif task.name == "tatoeba":
        baseline, value = "a row drawn at random", mean([chance(one) for one in found])
    else:
        baseline, value = "pairs drawn at random", 0.0
    others = [one for language, one in values.items() if language != ENGLISH]
    metric = figure({one.metric: one.value for one in found[0].scores})[0]
    return Line(
        task.name, metric, values.get(ENGLISH), mean([*values.values()]), mean(others), baseline, value, len(values)
    )


def mean(values: Sequence[float]) -> float:
    """Return the mean; not a number where there is none."""
    return sum(values) / len(values) if values else float("nan")


def chance(found: Output) -> float:
    """Return the accuracy of retrieval at random."""
    return 100 / len(found.references)


def report(found: Mapping[str, Sequence[Output]], lines: Sequence[Line], notes: Sequence[str]) -> str:
    """Return the table, what stands below it, and every language's scores, in Markdown."""
    rows = [HEADINGS, ["---"] * len(HEADINGS), *(one.cells() for one in lines)]
    text = ["\n".join(f"| {' | '.join(row)} |" for row in rows), *notes]
    if len(found) == len(XTREME):
        names = official_names({one: {} for one in found})
        means = {name: _means(several) for name, several in zip(names, found.values(), strict=True)}
        text.append(comparison_table(means, name="this run, on the languages and rows that the data have"))
    for task, several in found.items():
        shown = ", ".join(
            f"{one.language} {'/'.join(f'{score.value:.1f}' for score in one.scores)}"
            for one in sorted(several, key=lambda one: -one.scores[0].value)
        )
        text.append(f"**{task}** ({'/'.join(score.metric for score in several[0].scores)}): {shown}")
    return "\n\n".join(text) + "\n"


def _means(found: Sequence[Output]) -> dict[str, float]:
    """Return the mean of each metric over all languages, under the official names."""
    names = dict.fromkeys(score.metric for one in found for score in one.scores)
    return {
        f"avg_{name}": mean([score.value for one in found for score in one.scores if score.metric == name])
        for name in names
    }
