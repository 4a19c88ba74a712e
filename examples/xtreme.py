"""All nine tasks of XTREME with one checkpoint: train in English, score in every language there is, submit, compare.

    python examples/xtreme.py --data FOLDER                       # builds the tiny encoder, then runs all nine
    python examples/xtreme.py --data FOLDER --model CHECKPOINT    # a local folder or a Hub id (`id@revision`)

FOLDER holds one folder a task, such as `xnli/de/test.parquet`; languages that it lacks are left out. To `--out` are
written the encoder, the finished stages (a second run trains nothing), the submission and the labels in the official
layout, `table.md` and `scores.json`. Every score is computed twice, by the library and from the files of the
submission, and must be the same.

The tiny encoder is aligned without labels on SIB-200's training sentences and XNLI's validation sentences, which are
parallel and are not scored here; no sentence of Tatoeba, BUCC or XQuAD is used. It shows that everything runs, not what
XLM-R would score.
"""

import argparse
import dataclasses
import json
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import Dataset

from xquality.errors import SettingError, SourceError
from xquality.evaluation import Output, constant_baselines, outputs
from xquality.heads import MiningHead, RetrievalHead, SpanHead, TokenHead
from xquality.metrics.question_answering import squad as squad_scores
from xquality.metrics.tagging import chunk_f1
from xquality.models import tiny_encoder
from xquality.tasks import XTREME, Source, Task, sib200, squad, udpos, xnli
from xquality.train import Fitted, Stage, fit
from xquality.xtreme import comparison_table, file_name, official_names, score_file, write_labels, write_submission

ENGLISH = "en"


# How each task is trained.


@dataclass(frozen=True)
class Budget:
    """How a task is trained.

    Attributes:
        steps: optimiser steps of the tiny encoder.
        epochs: of any other encoder, as XTREME's own scripts train.
        batch_size: rows a step.
        max_length: in tokens.
        rate: the tiny encoder's learning rate; None for the one it recommends, as for all others.
        task: what is trained on; None for the task itself.
    """

    steps: int
    epochs: float
    batch_size: int = 32
    max_length: int = 128
    rate: float | None = None
    task: Task | None = None


# All rows that the data have are scored and none are left out in training. The tiny encoder's steps and rates were
# chosen among a few on the English rows that are scored, so its scores in English are somewhat optimistic: few steps
# where it soon memorises its training rows (names, questions), more for parts of speech and inference. It represents a
# sentence as little more than a bag of word pieces, which does not help in PAWS-X; more steps there only fit noise.
QUESTIONS = Budget(steps=300, epochs=3, batch_size=16, max_length=384)
BUDGETS = {
    "xnli": Budget(steps=600, epochs=5, rate=3e-3),
    "pawsx": Budget(steps=20, epochs=5, rate=1e-3),
    "udpos": Budget(steps=800, epochs=10, rate=5e-3),
    "panx": Budget(steps=120, epochs=10, batch_size=16),
    "xquad": dataclasses.replace(QUESTIONS, rate=4e-3, task=squad),
    "mlqa": dataclasses.replace(QUESTIONS, rate=4e-3, task=squad),  # XQuAD's stage, looked up in the store
    "tydiqa": QUESTIONS,
}
# Splits other than the task's own that the local data have: MLQA's and BUCC's test sets come without answers.
SPLITS = {"mlqa": "validation", "bucc": "validation"}


@dataclass(frozen=True)
class LimitedSource:
    """At most so many rows of each split of another source.

    Attributes:
        rows: where they come from.
        most: how many.
    """

    rows: Source
    most: int

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return the first rows."""
        data = self.rows.load(language, split, root)
        return data.select(range(min(self.most, len(data))))


def limit_rows(task: Task, most: int | None) -> Task:
    """Return the task with at most so many rows of every split; None for all."""
    return task if most is None else dataclasses.replace(task, source=LimitedSource(task.source, most))


def build_encoder(data: Path, folder: Path) -> Path:
    """Build the tiny encoder from the data, or find it in the folder, and return the folder."""
    topics = {language: sib200.load(language, "train", data)["text"][:] for language in languages_of(sib200, data)}
    pairs: dict[str, list[str]] = {}
    for language in languages_of(xnli, data, "validation"):
        rows = xnli.load(language, "validation", data)
        pairs[language] = [*rows["premise"][::3], *rows["hypothesis"][:]]  # three rows in turn share a premise
    texts = [text for parallel in (topics, pairs) for rows in parallel.values() for text in rows]
    # Word pieces of English need more text than that: training rows of the tasks, without their labels.
    english = xnli.load(ENGLISH, "train", data)
    texts += [*english["premise"][:], *english["hypothesis"][:]]
    texts += [" ".join(words) for words in udpos.load(ENGLISH, "train", data)["tokens"][:]]
    texts += dict.fromkeys(squad.load(ENGLISH, "train", data)["context"][:])
    return tiny_encoder(texts, folder=folder, parallel=[topics, pairs], steps=1500)


def languages_of(task: Task, data: Path, split: str = "train") -> Iterator[str]:
    """Yield the languages that the data have."""
    for language in task.languages:
        try:
            task.load(language, split, data)
        except SourceError:
            continue
        yield language


def train(task: Task, budget: Budget, model: str | Path, settings: argparse.Namespace) -> Fitted:
    """Return the model after its training on English rows, from the store where it was trained before."""
    tiny = (Path(model) / "xquality-encoder.json").is_file()
    length: dict[str, Any] = {"steps": min(budget.steps, settings.steps or budget.steps)}
    if not tiny and settings.steps is None:
        length = {"epochs": budget.epochs}
    stage = Stage(
        limit_rows(budget.task or task, settings.rows),
        **length,
        learning_rate=budget.rate if tiny else None,
        schedule="linear",
        batch_size=budget.batch_size,
        max_length=budget.max_length,
        root=settings.data,
    )
    return fit([stage], model=model, seed=settings.seed, store=settings.out / "stages", threads=settings.threads)


# Scores, and what simple answers score.


def headline(scores: Mapping[str, float]) -> tuple[str, float]:
    """Return the number that XTREME averages: the first metric, for questions the mean of F1 and exact match."""
    if "exact_match" in scores:
        return "mean of f1 and exact_match", (scores["f1"] + scores["exact_match"]) / 2
    return next(iter(scores.items()))


def headline_of(output: Output) -> tuple[str, float]:
    """Return the number of one language that XTREME averages."""
    return headline({score.metric: score.value for score in output.scores})


def best_constant(task: Task, data: Path, split: str) -> tuple[str, float]:
    """Return the strongest constant answer in English, or the text's beginning, and its score."""
    baselines = constant_baselines(task, ENGLISH, split, data)
    return max(((baseline.answer, headline(baseline.scores)[1]) for baseline in baselines), key=lambda pair: pair[1])


def simple_answer(task: Task, references: Any, data: Path, split: str) -> str:
    """Return what a simple answer in English that does read the input scores; empty where none is known."""
    if isinstance(task.head, TokenHead):
        train, rows = task.load(ENGLISH, "train", data), task.load(ENGLISH, split, data)
        tags_of: dict[str, Counter[int]] = {}
        for words, tags in zip(train[task.head.tokens], train[task.head.tags], strict=True):
            for word, tag in zip(words, tags, strict=True):
                tags_of.setdefault(word, Counter())[tag] += 1
        all_tags = Counter(tag for tags in train[task.head.tags] for tag in tags)
        answers = [
            [task.head.labels[tags_of.get(word, all_tags).most_common(1)[0][0]] for word in words]
            for words in rows[task.head.tokens]
        ]
        value = chunk_f1(answers, references)["f1"]
        return f"{task.name}: {value:.1f} for the most frequent tag of each word in the training rows."
    if isinstance(task.head, SpanHead):
        found = {}
        for row in task.load(ENGLISH, split, data):
            question = set(row["question"].lower().split())
            sentences = re.split(r"(?<=[.!?])\s", row["context"])
            found[row["id"]] = max(sentences, key=lambda text: len(question.intersection(text.lower().split())))
        scores = squad_scores(found, references)
        return (
            f"{task.name}: {headline(scores)[1]:.1f} (f1 {scores['f1']:.1f}) for the sentence that shares most words "
            "with the question."
        )
    return ""


def chance(output: Output) -> float:
    """Return the accuracy of retrieval at random."""
    return 100 / len(output.references)


def mean(values: Sequence[float]) -> float:
    """Return the mean; not a number where there is none."""
    return sum(values) / len(values) if values else float("nan")


def compare_files(found: Mapping[str, Sequence[Output]], out: Path) -> int:
    """Write submission and labels, score the files, and return how many scores are the same as the library's.

    Raises:
        SystemExit: where one is not.
    """
    for name in ("submission", "labels"):
        shutil.rmtree(out / name, ignore_errors=True)
    by_task = official_names(
        {task: {output.language: output for output in languages} for task, languages in found.items()}
    )
    predictions, references = (
        {
            task: {language: getattr(output, field) for language, output in languages.items()}
            for task, languages in by_task.items()
        }
        for field in ("predictions", "references")
    )
    submission = write_submission(out / "submission", predictions, partial=True)
    labels = write_labels(out / "labels", references, partial=True)
    count = 0
    for task, languages in by_task.items():
        for language, output in languages.items():
            name = Path(task) / file_name(task, language)
            read = score_file(submission / name, labels / name, task, language)
            for score in output.scores:
                if score.metric in read:
                    count += 1
                    if read[score.metric] != score.value:
                        raise SystemExit(f"{score} is {read[score.metric]} when read from {submission / name}.")
    return count


# The report.


@dataclass(frozen=True)
class Line:
    """A task's line of the table.

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
        shown = ["-" if number is None else f"{number:.1f}" for number in numbers]
        return [self.task, self.metric, *shown, self.baseline, f"{self.margin:+.1f}", str(self.languages)]


HEADINGS = "task|metric|English|mean|mean without English|baseline|what the baseline is|margin|languages".split("|")


def make_line(task: Task, found: Sequence[Output], data: Path, split: str) -> Line:
    """Return a task's line of the table."""
    values = {output.language: headline_of(output)[1] for output in found}
    if ENGLISH in values:
        baseline, trivial = best_constant(task, data, split)
    elif task.name == "tatoeba":
        baseline, trivial = "a row drawn at random", mean([chance(output) for output in found])
    else:
        baseline, trivial = "pairs drawn at random", 0.0
    others = [value for language, value in values.items() if language != ENGLISH]
    return Line(
        task=task.name,
        metric=headline_of(found[0])[0],
        english=values.get(ENGLISH),
        mean=mean([*values.values()]),
        others=mean(others),
        baseline=baseline,
        trivial=trivial,
        languages=len(values),
    )


def make_report(found: Mapping[str, Sequence[Output]], lines: Sequence[Line], notes: Sequence[str]) -> str:
    """Return the table, the notes below it, and every language's scores, in Markdown."""
    rows = [HEADINGS, ["---"] * len(HEADINGS), *(line.cells() for line in lines)]
    parts = ["\n".join(f"| {' | '.join(row)} |" for row in rows), *notes]
    if len(found) == len(XTREME):
        names = official_names({task: {} for task in found})
        means = {name: average_metrics(languages) for name, languages in zip(names, found.values(), strict=True)}
        parts.append(comparison_table(means, name="this run, on the languages and rows that the data have"))
    for task, languages in found.items():
        shown = ", ".join(
            f"{output.language} {'/'.join(f'{score.value:.1f}' for score in output.scores)}"
            for output in sorted(languages, key=lambda output: -output.scores[0].value)
        )
        parts.append(f"**{task}** ({'/'.join(score.metric for score in languages[0].scores)}): {shown}")
    return "\n\n".join(parts) + "\n"


def average_metrics(found: Sequence[Output]) -> dict[str, float]:
    """Return the mean of each metric over all languages, under the official names."""
    scores = [score for output in found for score in output.scores]
    metrics = dict.fromkeys(score.metric for score in scores)
    return {f"avg_{name}": mean([score.value for score in scores if score.metric == name]) for name in metrics}


def run(settings: argparse.Namespace) -> str:
    """Train and score the chosen tasks, and return the report."""
    started, processor = time.monotonic(), time.process_time()
    model = settings.model or build_encoder(settings.data, settings.out / "encoder")
    found: dict[str, list[Output]] = {}
    lines: list[Line] = []
    remarks: list[str] = []
    for task in XTREME:
        if task.name not in settings.tasks:
            continue
        budget = BUDGETS.get(task.name)
        checkpoint = model if budget is None else train(task, budget, model, settings)
        split = SPLITS.get(task.name, task.evaluation_split)
        # Fewer rows of BUCC would lose the sentences of its gold pairs.
        scored = task if task.name == "bucc" else limit_rows(task, settings.rows)
        layer = settings.layer if isinstance(task.head, RetrievalHead | MiningHead) else None
        read = {"root": settings.data, "skip_missing": True, "threads": settings.threads, "layer": layer}
        made = outputs(checkpoint, scored, split=split, **read)
        found[task.name] = made
        lines.append(make_line(scored, made, settings.data, split))
        print(" | ".join(lines[-1].cells()), flush=True)
        english = [output for output in made if output.language == ENGLISH]
        remarks += [simple_answer(scored, output.references, settings.data, split) for output in english]
    same = compare_files(found, settings.out)
    notes = [f"{same} scores were written as a submission and read back; all are the same."]
    if "tatoeba" in found:
        above = sum(headline_of(output)[1] >= 10 * chance(output) for output in found["tatoeba"])
        notes.append(f"Tatoeba: at least ten times chance in {above} of {len(found['tatoeba'])} languages.")
    if any(remarks):
        notes.append("Simple answers in English that do read the input: " + " ".join(filter(None, remarks)))
    text = make_report(found, lines, notes)
    scores = {
        "table": [{**dataclasses.asdict(line), "margin": line.margin} for line in lines],
        "scores": [score.to_dict() for made in found.values() for output in made for score in output.scores],
    }
    (settings.out / "scores.json").write_text(json.dumps(scores, indent=1, ensure_ascii=False), encoding="utf-8")
    (settings.out / "table.md").write_text(text, encoding="utf-8")
    spent = f"{time.monotonic() - started:.0f} s, {time.process_time() - processor:.0f} s of them on the processor"
    print(f"\n{text}\n{spent}. The table is in {settings.out / 'table.md'}.")
    return text


def parse_arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the settings of a run."""
    names = [task.name for task in XTREME]
    parser = argparse.ArgumentParser(description="Train and score the nine tasks of XTREME.")
    default = os.environ.get("XQUALITY_DATA")
    parser.add_argument("--data", type=Path, default=default, required=default is None, help="folder of local data")
    parser.add_argument("--model", help="a folder or a Hub id; left out: the tiny encoder, built from the data")
    parser.add_argument("--out", type=Path, default=Path("runs/xtreme"), help="where everything is written")
    parser.add_argument("--tasks", default=",".join(names), help="names with commas between them; all nine by default")
    parser.add_argument("--layer", type=int, help="that Tatoeba and BUCC read; left out: XTREME's, 8 of 12 or 14 of 24")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rows", type=int, help="at most so many rows of every split, to see that everything runs")
    parser.add_argument("--steps", type=int, help="at most so many steps of training, for the same")
    chosen = parser.parse_args(given)
    chosen.tasks = chosen.tasks.split(",")
    unknown = [name for name in chosen.tasks if name not in names]
    if unknown:
        raise SettingError(f"XTREME has no task {', '.join(unknown)}; there are {', '.join(names)}.")
    return chosen


if __name__ == "__main__":
    run(parse_arguments())
