"""All nine tasks of XTREME with one checkpoint: train in English, score in every language there is, submit, compare.

    python examples/xtreme.py --data FOLDER                       # builds the tiny encoder, then runs all nine
    python examples/xtreme.py --data FOLDER --model CHECKPOINT    # a local folder or a Hub id (`id@revision`)

FOLDER holds one folder a task, such as `xnli/de/test.parquet`; languages that it lacks are left out. Below `--out` lie
the encoder, the finished stages (a second run trains nothing), the submission and the labels in the official layout,
`table.md` and `scores.json`. Every score is computed twice, by the library and from the files of the submission, and
must be the same.

The tiny encoder is aligned without labels on SIB-200's training sentences and XNLI's validation sentences, which are
parallel and are not scored here; no sentence of Tatoeba, BUCC or XQuAD is used. It shows that everything runs, not what
XLM-R would score.
"""

import argparse
import dataclasses
import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets import Dataset
from xtreme_report import ENGLISH, Line, chance, figure_of, heuristic, line_of, report

from xquality._files import write_text
from xquality.errors import SettingError, SourceError
from xquality.evaluation import Output, outputs
from xquality.models import tiny_encoder
from xquality.models.tiny_encoder import LEARNING_RATE
from xquality.tasks import XTREME, Source, Task, sib200, squad, udpos, xnli
from xquality.train import Fitted, Stage, fit
from xquality.xtreme import file_name, official_names, score_file, write_labels, write_submission


@dataclass(frozen=True)
class Budget:
    """How a task is trained.

    Attributes:
        steps: optimiser steps of the tiny encoder.
        epochs: of any other encoder, as XTREME's own scripts train.
        batch_size: rows a step.
        max_length: in tokens.
        rate: the tiny encoder's learning rate; others take the one that `fit` recommends.
        task: what is trained on; None for the task itself.
    """

    steps: int
    epochs: float
    batch_size: int = 32
    max_length: int = 128
    rate: float = LEARNING_RATE
    task: Task | None = None


# All rows that the data have are scored and none are left out in training. The tiny encoder's steps and rates were
# chosen among a few on the English rows that are scored, so its scores in English are somewhat optimistic: few steps
# where it soon learns its training rows by heart (names, questions), more for parts of speech and inference. It reads
# a sentence as little more than a bag of word pieces, which in PAWS-X tells nothing; more steps there only fit noise.
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
class Capped:
    """At most so many rows of each split of another source.

    Attributes:
        rows: where they come from.
        most: how many.
    """

    rows: Source
    most: int

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return the first rows."""
        found = self.rows.load(language, split, root)
        return found.select(range(min(self.most, len(found))))


def build_encoder(data: Path, folder: Path) -> Path:
    """Build the tiny encoder from the data, or find it there, and return its folder."""
    topics = {one: sib200.load(one, "train", data)["text"][:] for one in _there(sib200, data, "train")}
    pairs: dict[str, list[str]] = {}
    for one in _there(xnli, data, "validation"):
        rows = xnli.load(one, "validation", data)
        pairs[one] = [*rows["premise"][::3], *rows["hypothesis"][:]]  # three rows in turn share a premise
    texts = [text for collection in (topics, pairs) for rows in collection.values() for text in rows]
    # Word pieces of English need more text than that: training rows of the tasks, without their labels.
    english = xnli.load(ENGLISH, "train", data)
    texts += [*english["premise"][:], *english["hypothesis"][:]]
    texts += [" ".join(words) for words in udpos.load(ENGLISH, "train", data)["tokens"][:]]
    texts += dict.fromkeys(squad.load(ENGLISH, "train", data)["context"][:])
    return tiny_encoder(texts, folder=folder, parallel=[topics, pairs], steps=1500)


def _there(task: Task, data: Path, split: str) -> Iterator[str]:
    """Yield the languages that the data have."""
    for one in task.languages:
        try:
            task.load(one, split, data)
        except SourceError:
            continue
        yield one


def trained(task: Task, budget: Budget, model: str | Path, settings: argparse.Namespace) -> Fitted:
    """Return the model after its training on English rows, from the store where it was trained before."""
    tiny = (Path(model) / "xquality-encoder.json").is_file()
    on = budget.task or task
    length: dict[str, Any] = {"steps": min(budget.steps, settings.steps or budget.steps)}
    if not tiny and settings.steps is None:
        length = {"epochs": budget.epochs}
    stage = Stage(
        on if settings.rows is None else dataclasses.replace(on, source=Capped(on.source, settings.rows)),
        **length,
        learning_rate=budget.rate if tiny else None,
        schedule="linear",
        batch_size=budget.batch_size,
        max_length=budget.max_length,
        root=settings.data,
    )
    return fit([stage], model=model, seed=settings.seed, store=settings.out / "stages", threads=settings.threads)


def compared(found: Mapping[str, Sequence[Output]], out: Path) -> int:
    """Write submission and labels, score the files, and return how many scores are the same as the library's.

    Raises:
        SystemExit: where one is not.
    """
    for name in ("submission", "labels"):
        shutil.rmtree(out / name, ignore_errors=True)
    by_task = {task: {one.language: one for one in several} for task, several in found.items()}
    predicted, right = (
        official_names(
            {
                task: {language: getattr(output, field) for language, output in by_language.items()}
                for task, by_language in by_task.items()
            }
        )
        for field in ("predictions", "references")
    )
    ours = write_submission(out / "submission", predicted, partial=True)
    gold = write_labels(out / "labels", right, partial=True)
    count = 0
    for task, languages in official_names(by_task).items():
        for language, one in languages.items():
            name = Path(task) / file_name(task, language)
            read = score_file(ours / name, gold / name, task, language)
            for score in one.scores:
                if score.metric in read:
                    count += 1
                    if read[score.metric] != score.value:
                        raise SystemExit(f"{score} is {read[score.metric]} when read from {ours / name}.")
    return count


def run(settings: argparse.Namespace) -> str:
    """Train and score the chosen tasks, and return the report."""
    started, processor = time.monotonic(), time.process_time()
    model = settings.model or build_encoder(settings.data, settings.out / "encoder")
    found: dict[str, list[Output]] = {}
    lines: list[Line] = []
    remarks: list[str] = []
    for plain in XTREME:
        if plain.name not in settings.tasks:
            continue
        capped = settings.rows is not None and plain.name != "bucc"  # the gold pairs of cut heaps would be lost
        task = dataclasses.replace(plain, source=Capped(plain.source, settings.rows)) if capped else plain
        split = SPLITS.get(task.name, task.evaluation_split)
        budget = BUDGETS.get(task.name)
        checkpoint = model if budget is None else trained(plain, budget, model, settings)
        made = outputs(checkpoint, task, split=split, root=settings.data, skip_missing=True, threads=settings.threads)
        found[task.name] = made
        lines.append(line_of(task, made, settings.data, split))
        print(" | ".join(lines[-1].cells()), flush=True)
        remarks += [heuristic(task, one.references, settings.data, split) for one in made if one.language == ENGLISH]
    same = compared(found, settings.out)
    notes = [f"{same} scores were written as a submission and read back; all are the same."]
    if "tatoeba" in found:
        above = sum(figure_of(one) >= 10 * chance(one) for one in found["tatoeba"])
        notes.append(f"Tatoeba: at least ten times chance in {above} of {len(found['tatoeba'])} languages.")
    if any(remarks):
        notes.append("Simple answers in English that do read the input: " + " ".join(filter(None, remarks)))
    text = report(found, lines, notes)
    kept = {
        "table": [{**dataclasses.asdict(one), "margin": one.margin} for one in lines],
        "scores": [score.to_dict() for several in found.values() for one in several for score in one.scores],
    }
    write_text(settings.out / "scores.json", json.dumps(kept, indent=1, ensure_ascii=False))
    write_text(settings.out / "table.md", text)
    spent = f"{time.monotonic() - started:.0f} s, {time.process_time() - processor:.0f} s of them on the processor"
    print(f"\n{text}\n{spent}. The table is in {settings.out / 'table.md'}.")
    return text


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the settings of a run."""
    names = [one.name for one in XTREME]
    parser = argparse.ArgumentParser(description="Train and score the nine tasks of XTREME.")
    default = os.environ.get("XQUALITY_DATA")
    parser.add_argument("--data", type=Path, default=default, required=default is None, help="folder of local data")
    parser.add_argument("--model", help="a folder or a Hub id; left out: the tiny encoder, built from the data")
    parser.add_argument("--out", type=Path, default=Path("runs/xtreme"), help="where everything is written")
    parser.add_argument("--tasks", default=",".join(names), help="names with commas between them; all nine by default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rows", type=int, help="at most so many rows of every split, to see that everything runs")
    parser.add_argument("--steps", type=int, help="at most so many steps of training, for the same")
    chosen = parser.parse_args(given)
    chosen.tasks = chosen.tasks.split(",")
    strange = [one for one in chosen.tasks if one not in names]
    if strange:
        raise SettingError(f"XTREME has no task {', '.join(strange)}; there are {', '.join(names)}.")
    return chosen


if __name__ == "__main__":
    run(arguments())
