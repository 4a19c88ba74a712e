"""Phang et al. 2020 as code: an intermediate task in English, then a target of XTREME, scored in other languages.

    python examples/phang2020.py --tiny --data FOLDER                     # every arm with a tiny encoder, offline
    python examples/phang2020.py --model FacebookAI/xlm-roberta-large     # the paper's settings

An arm is one of the nine intermediate tasks, all of them together, one mixed with masked language modelling over text
of many languages ("HellaSwag + MLM"; any other works alike), or MNLI as machine-translated by XNLI's authors. Every arm
is continued with every target. An intermediate task is trained once, whatever the number of targets; a killed run
resumes; a second run trains nothing. The table, the costs and the study are written to --folder.

The settings without --tiny are those of the paper's released software. What could not be confirmed there is marked.
"""

import argparse
import os
import re
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from datasets import Dataset, concatenate_datasets

import xquality as xq
from xquality.evaluation import constant_baselines, evaluate, zero_shot_mean
from xquality.heads import MaskedLMHead, SequenceHead, SpanHead, TrainableHead
from xquality.models import tiny_encoder
from xquality.report import summarise
from xquality.study import Study
from xquality.tasks import (
    INTERMEDIATE,
    XTREME,
    MemorySource,
    Task,
    anli_plus,
    ccg_with_categories,
    mnli,
    sib200,
    squad,
    udpos,
    xnli,
)
from xquality.train import Fitted, Mixture, Selection, Stage, fit
from xquality.xtreme import PUBLISHED

# The arms, the targets, and settings of the paper.

NONE, MULTI, MLM = "no intermediate task", "multi-task", " + MLM"
INTERMEDIATE_NAMES = "ANLI+|MNLI|QQP|SQuAD v2|SQuAD v1.1|HellaSwag|CCG|Cosmos QA|CommonsenseQA".split("|")
INTERMEDIATES = dict(zip(INTERMEDIATE_NAMES, INTERMEDIATE, strict=True))
TRANSLATED = {"MNLI in German": "de", "MNLI in Russian": "ru", "MNLI in Swahili": "sw"}
TARGETS = dict(zip("XNLI|PAWS-X|UD POS|PAN-X|XQuAD|MLQA|TyDiQA|BUCC|Tatoeba".split("|"), XTREME, strict=True))
ITSELF = "itself"  # instead of a target: the intermediate task's own score

RATE, WEIGHT_DECAY = 1e-5, 0.01
INTERMEDIATE_EPOCHS = 3  # not confirmed
TARGET_EPOCHS = {"XNLI": 2, "PAWS-X": 5, "UD POS": 10, "PAN-X": 10, "XQuAD": 2, "MLQA": 2, "TyDiQA": 2}
MLM_SHARE = 0.2  # of the steps; the paper's own share is not confirmed
MLM_LANGUAGES = ("eng_Latn", "deu_Latn", "spa_Latn", "rus_Cyrl", "tur_Latn", "vie_Latn", "zho_Hans", "swh_Latn")

# What --tiny trains and scores.

PAIRS, WINDOWS = 3, 6  # as many times the steps for labels of pairs, and the length for windows of a context
TINY_TARGETS = ("XNLI", "UD POS", "XQuAD", "Tatoeba")
TINY_LANGUAGES = {
    **dict.fromkeys(("XNLI", "UD POS", "XQuAD"), ("en", "de", "es", "ru", "tr", "vi", "zh")),
    "Tatoeba": ("deu", "spa", "rus", "tur", "vie", "cmn", "swh"),
}
TOY_SENTENCES = 3000  # of the stand-in for CCG
TOY_CATEGORIES = {
    "ADJ": "N/N", "ADP": "PP/NP", "ADV": r"S\S", "AUX": r"(S\NP)/(S\NP)", "CCONJ": "conj", "DET": "NP/N",
    "INTJ": "S/S", "NOUN": "N", "NUM": "N/N", "PART": r"(S\NP)/(S\NP)", "PRON": "NP", "PROPN": "N", "PUNCT": ".",
    "SCONJ": "S/S/S", "SYM": "N", "VERB": r"(S\NP)/NP", "X": "N",
}  # fmt: skip


@dataclass(frozen=True)
class Plan:
    """How much is trained and scored.

    Attributes:
        steps: of the intermediate stage, where it is not one of pairs of sentences; None for the paper's epochs.
        multi_steps: the same, of all tasks together.
        target_steps: of the target stage; None for the paper's epochs.
        rows: at most this many training rows of each task; None for all.
        scored: at most this many rows a language are scored; None for all.
        length: in tokens; None for the paper's 256, and 384 for questions.
        accumulation: in how many parts a batch is computed.
    """

    steps: int | None = None
    multi_steps: int | None = None
    target_steps: int | None = None
    rows: int | None = None
    scored: int | None = None
    length: int | None = None
    accumulation: int = 1

    @property
    def tiny(self) -> bool:
        """Whether stand-ins may replace data that are not available."""
        return self.steps is not None

    def settings(self, task: Task, steps: int | None, epochs: int) -> dict[str, Any]:
        """Return a stage's settings."""
        question = isinstance(task.head, SpanHead)
        if steps is not None:
            # Windows of a context need more room than pairs of sentences, and pairs more steps to be learnt.
            pairs = isinstance(task.head, SequenceHead)
            return {
                "steps": steps * (PAIRS if pairs else 1),
                "schedule": "linear",
                "batch_size": 32 if pairs else 16,
                "max_length": (self.length or 64) * (WINDOWS if question else 1),
            }
        return {
            "epochs": epochs,
            "learning_rate": RATE,
            "schedule": "linear",
            "batch_size": 16 if question else 32,
            "max_length": 384 if question else 256,
            "selection": Selection("best_source", every=1000, patience=30, rows=500),
            "arguments": {"weight_decay": WEIGHT_DECAY, "gradient_accumulation_steps": self.accumulation},
        }


TINY = Plan(steps=250, multi_steps=2400, target_steps=250, rows=4000, scored=300, length=64)


# Rows.


def take_some(data: Dataset, count: int | None) -> Dataset:
    """Return at most so many of the rows, the same ones of parallel languages."""
    return data if count is None or count >= len(data) else xq.Subsample(n=count)(data, seed=0)


def load_rows(task: Task, split: str, language: str, root: Path | None, *, tiny: bool) -> Dataset:
    """Return a split; with --tiny, of ANLI+ what there is: the local folder has ANLI's development rows alone."""
    if task.name != anli_plus.name or not tiny:
        return task.load(language, split, root)
    found = {}
    for part in anli_plus.source.parts:
        if part.name.startswith("anli_r"):
            data = part.load("en", "validation", root)
            found[part.name] = data.select(range(0 if split == "train" else 1, len(data), 2))
        else:
            found[part.name] = part.load("en", split, root)
    whole = xq.concatenate(list(found.values()), names=list(found))
    return whole.select_columns(["uid", *task.head.reads])


def load_multilingual_text(root: Path | None) -> tuple[Task, Dataset]:
    """Return masked language modelling over unlabelled sentences of several languages, as a task and its rows."""
    text = [sib200.load(language, "train", root).select_columns(["text"]) for language in MLM_LANGUAGES]
    data = concatenate_datasets(text)
    return Task("mlm", ("many",), "many", MemorySource({("many", "train"): data}), MaskedLMHead()), data


def limit_rows(task: Task, split: str, languages: tuple[str, ...], plan: Plan, root: Path | None) -> Task:
    """Return the task with the rows that are scored: its own, or some of them."""
    if plan.scored is None:
        return task
    rows = {
        (language, split): take_some(load_rows(task, split, language, root, tiny=plan.tiny), plan.scored)
        for language in languages
    }
    return Task(task.name, languages, languages[0], MemorySource(rows), task.head)


def build_encoder(folder: Path, root: Path, steps: int) -> str:
    """Build the tiny encoder from SIB-200's unlabelled training sentences, which are parallel; return its folder."""
    parallel = {language: sib200.load(language, "train", root)["text"][:] for language in MLM_LANGUAGES}
    texts = [text for sentences in parallel.values() for text in sentences]
    return str(tiny_encoder(texts, folder=folder, parallel=parallel, pieces=8000, steps=steps))


def write_toy_ccg(folder: Path, root: Path) -> Path:
    """Write files of CCGbank's form, a stand-in: English words of UD with one category for each part of speech."""
    (folder / "ccg").mkdir(parents=True, exist_ok=True)
    for split in ("train", "validation"):
        lines = []
        data = take_some(udpos.load("en", split, root), TOY_SENTENCES)
        for words, numbers in zip(data["tokens"], data["pos_tags"], strict=True):
            tags = [udpos.head.labels[number] for number in numbers]
            if all(word.strip() and not re.search(r"[\s|]", word) for word in words):
                tokens = ("|".join((word, tag, TOY_CATEGORIES[tag])) for word, tag in zip(words, tags, strict=True))
                lines.append(" ".join(tokens))
        (folder / "ccg" / f"{split}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


# Stages, and the trial that trains and scores them.


def intermediate_tasks(arm: str, ccg_root: Path | None) -> tuple[Task, ...]:
    """Return the intermediate tasks of an arm; the head of the first is kept."""
    name = arm.removesuffix(MLM)
    if name in TRANSLATED:
        return (xnli,)
    tasks = [mnli, *(task for task in INTERMEDIATE if task is not mnli)] if name == MULTI else [INTERMEDIATES[name]]
    return tuple(ccg_with_categories(ccg_root) if task.name == "ccg" else task for task in tasks)


def intermediate_stage(arm: str, plan: Plan, root: Path | None, ccg_root: Path | None) -> Stage | None:
    """Return the intermediate stage of an arm; None where it has none."""
    if arm == NONE:
        return None
    tasks = intermediate_tasks(arm, ccg_root)
    language = TRANSLATED.get(arm.removesuffix(MLM), "en")
    data = {}
    for task in tasks:
        rows = load_rows(task, "train", language, ccg_root if task.name == "ccg" else root, tiny=plan.tiny)
        data[task.name] = take_some(rows, plan.rows)
    rates = None
    if arm.endswith(MLM):
        masked, text = load_multilingual_text(root)
        data[masked.name] = text
        rates = (1 - MLM_SHARE, MLM_SHARE) if len(tasks) == 1 else None
        tasks = (*tasks, masked)
    steps = plan.multi_steps if arm.removesuffix(MLM) == MULTI else plan.steps
    settings = plan.settings(tasks[0], steps, INTERMEDIATE_EPOCHS)
    if len(tasks) == 1:
        return Stage(tasks[0], data[tasks[0].name], language, root=root, **settings)
    return Stage(Mixture(tasks, rates=rates), data, root=root, **settings)


def target_stage(target: str, plan: Plan, root: Path | None) -> Stage | None:
    """Return the stage on the target's English rows; None where nothing is trained."""
    task = TARGETS[target]
    if not isinstance(task.head, TrainableHead):
        return None
    trained = squad if target in ("XQuAD", "MLQA") else task
    settings = plan.settings(trained, plan.target_steps, TARGET_EPOCHS[target])
    return Stage(trained, take_some(trained.load("en", "train", root), plan.rows), "en", root=root, **settings)


def trial(
    intermediate: str,
    target: str,
    seed: int,
    *,
    plan: Plan,
    model: str,
    root: Path | None,
    ccg_root: Path | None,
    store: Path,
) -> xq.Result:
    """Train an intermediate task and a target and score every language; or score the intermediate task itself."""
    first = intermediate_stage(intermediate, plan, root, ccg_root)
    last = None if target == ITSELF else target_stage(target, plan, root)
    chain = [stage for stage in (first, last) if stage is not None]
    fitted: Fitted | str = model
    if chain:
        # Retrieval and the intermediate's own score use the stage that every target continues.
        fitted = fit(chain, model=model, seed=seed, store=store, threads=1, planned_stages=0 if last else 1)
    history = fitted.history if isinstance(fitted, Fitted) else None
    if target == ITSELF:
        task = mnli if intermediate.removesuffix(MLM) in TRANSLATED else intermediate_tasks(intermediate, ccg_root)[0]
        split, folder = task.evaluation_split, (ccg_root if task.name == "ccg" else root)
        scored = limit_rows(task, split, ("en",), plan, folder)
        scores = evaluate(fitted, scored, ["en"], split, folder, threads=1)
        best = constant_baselines(scored, "en", split, folder)[0]
        return xq.Result(tuple(scores), history, {"English": scores[0].value, "trivial": best.scores[scores[0].metric]})
    task = TARGETS[target]
    # The paper's main table is on the development sets; BUCC's is nowhere on the Hub.
    split = "test" if target == "BUCC" and root is None else task.validation_split
    languages = TINY_LANGUAGES[target] if plan.tiny else task.languages
    scored = limit_rows(task, split, languages, plan, root)
    scores = evaluate(fitted, scored, languages, split, root, skip_missing=not plan.tiny, threads=1)
    main_metric = scores[0].metric
    measures = {
        "mean": fmean(score.value for score in scores if score.metric == main_metric),
        "zero-shot": zero_shot_mean(scores, fitted.languages if isinstance(fitted, Fitted) else ["en"], main_metric),
    }
    return xq.Result(tuple(scores), history, measures)


# The tables: scores beside the paper's, and what the study cost.

CAUTION = """
Of each target: the mean over the scored languages / the mean without English (difference of the first to no
intermediate task; the paper's difference with XLM-R Large, with a question mark where the number could not be compared
with the paper). *English* is the intermediate task's own score in English, *trivial* the best score of a constant
answer, *margin* how far the first is above the second; of several tasks together the first, MNLI, is scored.
"""
TINY_CAUTION = """
A tiny encoder aligned on unlabelled parallel sentences, few steps and few rows: this shows that every arm runs, not
what XLM-R does. CCG is a stand-in here: English words of UD POS with one category for each part of speech, in the
format of CCGbank, which is licensed. ANLI+ trains on half of ANLI's development rows. Translated arms need XNLI's
translated training rows, which the Hub has and the local folder does not: they are left out.
"""


def make_tables(study: Study, folder: Path) -> str:
    """Return the scores beside the paper's, and what the study cost, in Markdown."""
    finished = {
        (arm.values["intermediate"], arm.values["target"], seed): cell
        for arm in summarise(folder).arms
        for seed, cell in arm.cells.items()
    }
    cells = {key: finished[key] for key in (tuple(cell.values()) for cell in study.cells())}
    arms, targets, seeds = (list(dict.fromkeys(key[place] for key in cells)) for place in range(3))
    targets = [target for target in targets if target != ITSELF]

    def mean(arm: str, target: str, measure: str) -> float:
        return fmean(cells[arm, target, seed].result.measures[measure] for seed in seeds)

    lines = [["arm", "steps", "English", "trivial", "margin", *targets], ["---"] * (5 + len(targets))]
    for arm in sorted(arms, key=lambda arm: arm != NONE):
        line = [arm, *["-"] * 4]
        if arm != NONE:
            own, trivial = mean(arm, ITSELF, "English"), mean(arm, ITSELF, "trivial")
            steps = format_steps(cells[arm, ITSELF, seeds[0]])
            line = [arm, steps, f"{own:.1f}", f"{trivial:.1f}", f"{own - trivial:+.1f}"]
        for target in targets:
            everywhere, zero_shot = mean(arm, target, "mean"), mean(arm, target, "zero-shot")
            difference = everywhere - mean(NONE, target, "mean") if (NONE, target, seeds[0]) in cells else None
            line.append(f"{everywhere:.1f} / {zero_shot:.1f}{format_difference(arm, target, difference)}")
        lines.append(line)
    return "\n".join(map(format_line, lines)) + "\n\n" + make_costs(cells, arms, targets, seeds)


def format_line(cells: list[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join(cells)} |"


def count_steps(cell: Any, stage: int) -> int:
    """Return how many steps a stage of a cell made."""
    return int(cell.result.history.stages[stage]["steps"])


def format_steps(cell: Any) -> str:
    """Return the steps of a cell's first stage, and of them those on the text of many languages."""
    steps, text = count_steps(cell, 0), cell.result.history.stages[0].get("steps_by_task", {}).get("mlm", 0)
    return f"{steps - text} + {text}" if text else str(steps)


def format_difference(arm: str, target: str, difference: float | None) -> str:
    """Return the difference to no intermediate task, and the paper's."""
    if arm == NONE or difference is None:
        return ""
    task, metric = TARGETS[target].name, "avg_accuracy" if target in ("XNLI", "PAWS-X", "Tatoeba") else "avg_f1"
    column = ("bucc2018" if task == "bucc" else task, metric)
    published = {row.name: row.scores[column] for row in PUBLISHED if row.split == "dev"}
    paper = f"; paper {published[arm] - published[NONE]:+.1f}?" if arm in published else ""
    return f" ({difference:+.1f}{paper})"


def make_costs(cells: dict[Any, Any], arms: list[str], targets: list[str], seeds: list[int]) -> str:
    """Return steps and seconds of the study, beside those of scripts that train an intermediate for every target."""
    intermediates = [cells[arm, ITSELF, seed] for arm in arms for seed in seeds if arm != NONE]
    steps = sum(count_steps(cell, 0) for cell in intermediates)
    seconds = sum(cell.run["seconds"] for cell in intermediates)
    scored = [cells[arm, target, seed] for arm in arms for target in targets for seed in seeds]
    target_steps = sum(count_steps(cell, -1) for cell in scored if cell.cell["target"] not in ("BUCC", "Tatoeba"))
    target_seconds = sum(cell.run["seconds"] for cell in scored)
    count = len(targets)
    ours = (steps, target_steps, steps + target_steps, seconds + target_seconds)
    naive = (count * steps, target_steps, count * steps + target_steps, count * seconds + target_seconds)
    lines = [
        ["this study", *(f"{cost:.0f}" for cost in ours)],
        ["an intermediate for every target", *(f"{cost:.0f}" for cost in naive)],
        ["ratio", *(f"{cost / max(own, 1e-9):.2f}" for own, cost in zip(ours, naive, strict=True))],
    ]
    table = "\n".join(map(format_line, lines))
    head = "| | intermediate steps | target steps | all steps | seconds |\n| --- | --- | --- | --- | --- |"
    return f"{head}\n{table}\n\nThe second row is reckoned from the measured cost of every stage, not run.\n"


def main(  # noqa: D103 (the parser below says it)
    folder: Path,
    data: Path | None,
    *,
    plan: Plan,
    model: str | None = None,
    intermediates: list[str],
    targets: list[str],
    seeds: int = 1,
    alignment: int = 1000,
) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    ccg_root = data
    if model is None:
        assert data is not None
        ccg_root = write_toy_ccg(folder / "toy", data)
        model = build_encoder(folder / "encoder", data, alignment)
    shared = {"plan": plan, "model": model, "root": data, "ccg_root": ccg_root, "store": folder / "store"}
    axes = [
        {"intermediate": [arm for arm in intermediates if arm != NONE], "target": [ITSELF], "seed": range(seeds)},
        {"intermediate": intermediates, "target": targets, "seed": range(seeds)},
    ]
    study = Study(partial(trial, **shared), axes)
    study.run(folder / "study")
    if summarise(folder / "study").missing:
        raise SystemExit("The tables need every cell; run the script again, which tries those that failed.")
    text = make_tables(study, folder / "study") + CAUTION + (TINY_CAUTION if plan.tiny else "")
    (folder / "table.md").write_text(text, encoding="utf-8")
    print(text)
    return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Intermediate tasks and targets of Phang et al. 2020.")
    parser.add_argument("--tiny", action="store_true", help="every arm with a tiny encoder and few rows of --data")
    parser.add_argument("--model", default="FacebookAI/xlm-roberta-large", help="a Hub id or a folder")
    parser.add_argument("--data", type=Path, default=os.environ.get("XQUALITY_DATA"), help="folder; the Hub without")
    parser.add_argument("--folder", type=Path, help="where everything is kept; runs/phang2020 or runs/phang2020-tiny")
    parser.add_argument("--intermediates", nargs="+", help=f"among {NONE}, {', '.join(INTERMEDIATES)}, {MULTI} ...")
    parser.add_argument("--targets", nargs="+", choices=list(TARGETS))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--accumulation", type=int, default=1, help="compute a batch in this many parts")
    chosen = parser.parse_args()
    if chosen.tiny and chosen.data is None:
        parser.error("--tiny reads a local folder; give --data")
    main(
        chosen.folder or Path("runs/phang2020-tiny" if chosen.tiny else "runs/phang2020"),
        chosen.data.resolve() if chosen.data else None,
        plan=TINY if chosen.tiny else Plan(accumulation=chosen.accumulation),
        model=None if chosen.tiny else chosen.model,
        intermediates=chosen.intermediates
        or [NONE, *INTERMEDIATES, MULTI, f"HellaSwag{MLM}", *([] if chosen.tiny else TRANSLATED)],
        targets=chosen.targets or list(TINY_TARGETS if chosen.tiny else TARGETS),
        seeds=chosen.seeds,
    )
