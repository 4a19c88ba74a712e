"""Phang et al. 2020 as code: an intermediate task in English, then a target of XTREME, scored in other languages.

    python examples/phang2020.py --tiny --data FOLDER                     # every arm with a tiny encoder, offline
    python examples/phang2020.py --model FacebookAI/xlm-roberta-large     # the paper's settings

An arm is one of the nine intermediate tasks, all of them together, one mixed with masked language modelling over text
of many languages ("HellaSwag + MLM"; any other works alike), or MNLI as machine-translated by XNLI's authors. Every arm
is carried on to every target. An intermediate task is trained once, whatever the number of targets; a killed run goes
on where it stood; a second run trains nothing. The table, the costs and the study lie in --folder.

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
from xquality.cells import read_cell
from xquality.encoder import tiny_encoder
from xquality.evaluate import evaluate, zero_shot_mean
from xquality.heads import Answer, ChoiceHead, MaskedLMHead, SequenceHead, SpanHead, TokenHead, TrainableHead
from xquality.source import MemorySource
from xquality.study import Study
from xquality.tasks import INTERMEDIATE, XTREME, Task, anli_plus, mnli, sib200, squad, udpos, xnli
from xquality.tasks.ccg import with_categories
from xquality.train import Fitted, Mixture, Selection, Stage, fit
from xquality.xtreme.baselines import COLUMNS, ROWS

NONE, MULTI, MLM, ITSELF = "no intermediate task", "multi-task", " + MLM", "itself"
INTERMEDIATES = dict(
    zip(
        ("ANLI+", "MNLI", "QQP", "SQuAD v2", "SQuAD v1.1", "HellaSwag", "CCG", "Cosmos QA", "CommonsenseQA"),
        INTERMEDIATE,
        strict=True,
    )
)
TRANSLATED = {"MNLI in German": "de", "MNLI in Russian": "ru", "MNLI in Swahili": "sw"}
TARGETS = dict(
    zip(("XNLI", "PAWS-X", "UD POS", "PAN-X", "XQuAD", "MLQA", "TyDiQA", "BUCC", "Tatoeba"), XTREME, strict=True)
)

MLM_SHARE = 0.2  # of the steps; the paper's own share is not confirmed
MLM_LANGUAGES = ("eng_Latn", "deu_Latn", "spa_Latn", "rus_Cyrl", "tur_Latn", "vie_Latn", "zho_Hans", "swh_Latn")
RATE, WEIGHT_DECAY = 1e-5, 0.01
INTERMEDIATE_EPOCHS = 3  # not confirmed
TARGET_EPOCHS = {"XNLI": 2, "PAWS-X": 5, "UD POS": 10, "PAN-X": 10, "XQuAD": 2, "MLQA": 2, "TyDiQA": 2}

# What --tiny trains and scores.
PAIRS, WINDOWS = 3, 6  # as many times the steps for labels of pairs, and the length for windows of a context
TINY_TARGETS = ("XNLI", "UD POS", "XQuAD", "Tatoeba")
TINY_LANGUAGES = {
    "XNLI": ("en", "de", "es", "ru", "tr", "vi", "zh"),
    "UD POS": ("en", "de", "es", "ru", "tr", "vi", "zh"),
    "XQuAD": ("en", "de", "es", "ru", "tr", "vi", "zh"),
    "Tatoeba": ("deu", "spa", "rus", "tur", "vie", "cmn", "swh"),
}
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
        """Whether stand-ins may take the place of data that are not at hand."""
        return self.steps is not None

    def settings(self, task: Task, steps: int | None, epochs: int) -> dict[str, Any]:
        """Return a stage's settings."""
        question = isinstance(task.head, SpanHead)
        if steps is not None:
            # Windows of a context need more room than pairs of sentences, and pairs more steps to tell them apart.
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
TOY_SENTENCES = 3000  # of the stand-in for CCG


def some(data: Dataset, count: int | None) -> Dataset:
    """Return at most so many of the rows, the same ones of parallel languages."""
    return data if count is None or count >= len(data) else xq.Subsample(n=count)(data, seed=0)


def rows(task: Task, split: str, language: str, plan: Plan, root: Path | None) -> Dataset:
    """Return a split; with --tiny, of ANLI+ what is there: the local folder has ANLI's development rows alone."""
    if task.name != anli_plus.name or not plan.tiny:
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


def capped(task: Task, split: str, languages: tuple[str, ...], plan: Plan, root: Path | None) -> Task:
    """Return the task with the rows that are scored: its own, or some of them."""
    if plan.scored is None:
        return task
    kept = {(one, split): some(rows(task, split, one, plan, root), plan.scored) for one in languages}
    return Task(task.name, languages, languages[0], MemorySource(kept), task.head)


def multilingual_text(root: Path | None) -> tuple[Task, Dataset]:
    """Return masked language modelling over unlabelled sentences of several languages, as a task and its rows."""
    text = [sib200.load(one, "train", root).select_columns(["text"]) for one in MLM_LANGUAGES]
    data = concatenate_datasets(text)
    return Task("mlm", ("many",), "many", MemorySource({("many", "train"): data}), MaskedLMHead()), data


def members(arm: str, ccg_root: Path | None) -> tuple[Task, ...]:
    """Return the intermediate tasks of an arm; the head of the first stays."""
    name = arm.removesuffix(MLM)
    if name in TRANSLATED:
        return (xnli,)
    found = [INTERMEDIATES[name]] if name != MULTI else [mnli, *(one for one in INTERMEDIATE if one is not mnli)]
    return tuple(with_categories(ccg_root) if one.name == "ccg" else one for one in found)


def intermediate_stage(arm: str, plan: Plan, root: Path | None, ccg_root: Path | None) -> Stage | None:
    """Return the intermediate stage of an arm; None where it has none."""
    if arm == NONE:
        return None
    tasks = members(arm, ccg_root)
    language = TRANSLATED.get(arm.removesuffix(MLM), "en")
    data = {
        one.name: some(rows(one, "train", language, plan, ccg_root if one.name == "ccg" else root), plan.rows)
        for one in tasks
    }
    rates = None
    if arm.endswith(MLM):
        masked, text = multilingual_text(root)
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
    return Stage(trained, some(trained.load("en", "train", root), plan.rows), "en", root=root, **settings)


def trivial(task: Task, data: Dataset) -> float:
    """Return the best score of an answer that is always the same: one class, one tag, the context's first words."""
    head: Any = task.head
    if isinstance(head, SequenceHead | ChoiceHead):
        gold = [int(one) for one in data["label"]]
        guesses = [[one] * len(gold) for one in sorted(set(gold))]
    elif isinstance(head, TokenHead):
        names = head.labels
        gold = [[names[one] for one in tags] for tags in data[head.tags]]
        guesses = [[[name] * len(tags) for tags in gold] for name in names]
    else:
        gold = [list(one["text"]) for one in data["answers"]]
        firsts = [[" ".join(re.findall(r"\S+", one)[:count]) for one in data["context"]] for count in (0, 1, 3, 10)]
        guesses = [[[Answer(text, 0, 0.0)] for text in texts] for texts in firsts]
    return max(head.score(one, gold, "en")[0].value for one in guesses)


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
    """Train one intermediate task and one target and score every language; or score the intermediate task itself."""
    first = intermediate_stage(intermediate, plan, root, ccg_root)
    last = None if target == ITSELF else target_stage(target, plan, root)
    chain = [one for one in (first, last) if one is not None]
    fitted: Fitted | str = model
    if chain:
        # Retrieval and the intermediate's own score read what every target goes on from.
        fitted = fit(chain, model=model, seed=seed, store=store, threads=1, stages_after=0 if last else 1)
    history = fitted.history if isinstance(fitted, Fitted) else None
    if target == ITSELF:
        task = mnli if intermediate.removesuffix(MLM) in TRANSLATED else members(intermediate, ccg_root)[0]
        split, place = task.evaluation_split, (ccg_root if task.name == "ccg" else root)
        scored = capped(task, split, ("en",), plan, place)
        scores = evaluate(fitted, scored, ["en"], split, place, threads=1)
        guess = trivial(task, scored.load("en", split, place))
        return xq.Result(tuple(scores), history, {"English": scores[0].value, "trivial": guess})
    task = TARGETS[target]
    split = task.validation_split  # the paper's main table is on the development sets
    languages = TINY_LANGUAGES[target] if plan.tiny else task.languages
    scored = capped(task, split, languages, plan, root)
    scores = evaluate(fitted, scored, languages, split, root, skip_missing=not plan.tiny, threads=1)
    main = scores[0].metric
    measures = {
        "mean": fmean(one.value for one in scores if one.metric == main),
        "zero-shot": zero_shot_mean(scores, fitted.languages if isinstance(fitted, Fitted) else ["en"], main),
    }
    return xq.Result(tuple(scores), history, measures)


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
    assert column in COLUMNS
    published = {one.name: one.cells[column] for one in ROWS if one.split == "dev"}
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


def write_toy_ccg(folder: Path, root: Path) -> Path:
    """Write files of CCGbank's form: English words of UD with one category for each part of speech; a stand-in."""
    place = folder / "ccg"
    place.mkdir(parents=True, exist_ok=True)
    names = udpos.head.labels
    for split in ("train", "validation"):
        lines = []
        data = some(udpos.load("en", split, root), TOY_SENTENCES)
        for words, tags in zip(data["tokens"], data["pos_tags"], strict=True):
            if all(word.strip() and not re.search(r"[\s|]", word) for word in words):
                parts = ((word, names[tag], TOY_CATEGORIES[names[tag]]) for word, tag in zip(words, tags, strict=True))
                lines.append(" ".join(map("|".join, parts)))
        (place / f"{split}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _line(name: str, cells: list[str]) -> str:
    """Return a line of a table."""
    return f"| {' | '.join([name, *cells])} |"


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
        parallel = {one: sib200.load(one, "train", data)["text"][:] for one in MLM_LANGUAGES}
        texts = [text for sentences in parallel.values() for text in sentences]
        model = str(tiny_encoder(texts, folder=folder / "encoder", parallel=parallel, pieces=8000, steps=alignment))
    shared = {"plan": plan, "model": model, "root": data, "ccg_root": ccg_root, "store": folder / "store"}
    axes = [
        {"intermediate": [one for one in intermediates if one != NONE], "target": [ITSELF], "seed": range(seeds)},
        {"intermediate": intermediates, "target": targets, "seed": range(seeds)},
    ]
    study = Study(partial(trial, **shared), axes)
    study.run(folder / "study")
    text = tables(study, folder / "study") + CAUTION + (TINY_CAUTION if plan.tiny else "")
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
