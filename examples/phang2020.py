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
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from phang2020_report import CAUTION, ITSELF, MLM, NONE, TARGETS, TINY_CAUTION, tables
from phang2020_rows import multilingual_text, rows, small_encoder, some, write_toy_ccg

import xquality as xq
from xquality.evaluation import constant_baselines, evaluate, zero_shot_mean
from xquality.heads import SequenceHead, SpanHead, TrainableHead
from xquality.study import Study
from xquality.tasks import INTERMEDIATE, MemorySource, Task, mnli, squad, xnli
from xquality.tasks.ccg import with_categories
from xquality.train import Fitted, Mixture, Selection, Stage, fit

MULTI = "multi-task"
INTERMEDIATES = dict(
    zip(
        ("ANLI+", "MNLI", "QQP", "SQuAD v2", "SQuAD v1.1", "HellaSwag", "CCG", "Cosmos QA", "CommonsenseQA"),
        INTERMEDIATE,
        strict=True,
    )
)
TRANSLATED = {"MNLI in German": "de", "MNLI in Russian": "ru", "MNLI in Swahili": "sw"}

MLM_SHARE = 0.2  # of the steps; the paper's own share is not confirmed
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


def capped(task: Task, split: str, languages: tuple[str, ...], plan: Plan, root: Path | None) -> Task:
    """Return the task with the rows that are scored: its own, or some of them."""
    if plan.scored is None:
        return task
    kept = {(one, split): some(rows(task, split, one, root, tiny=plan.tiny), plan.scored) for one in languages}
    return Task(task.name, languages, languages[0], MemorySource(kept), task.head)


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
        one.name: some(rows(one, "train", language, ccg_root if one.name == "ccg" else root, tiny=plan.tiny), plan.rows)
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
        fitted = fit(chain, model=model, seed=seed, store=store, threads=1, planned_stages=0 if last else 1)
    history = fitted.history if isinstance(fitted, Fitted) else None
    if target == ITSELF:
        task = mnli if intermediate.removesuffix(MLM) in TRANSLATED else members(intermediate, ccg_root)[0]
        split, place = task.evaluation_split, (ccg_root if task.name == "ccg" else root)
        scored = capped(task, split, ("en",), plan, place)
        scores = evaluate(fitted, scored, ["en"], split, place, threads=1)
        best = constant_baselines(scored, "en", split, place)[0]
        return xq.Result(tuple(scores), history, {"English": scores[0].value, "trivial": best.scores[scores[0].metric]})
    task = TARGETS[target]
    # The paper's main table is on the development sets; BUCC's is nowhere on the Hub.
    split = "test" if target == "BUCC" and root is None else task.validation_split
    languages = TINY_LANGUAGES[target] if plan.tiny else task.languages
    scored = capped(task, split, languages, plan, root)
    scores = evaluate(fitted, scored, languages, split, root, skip_missing=not plan.tiny, threads=1)
    main = scores[0].metric
    measures = {
        "mean": fmean(one.value for one in scores if one.metric == main),
        "zero-shot": zero_shot_mean(scores, fitted.languages if isinstance(fitted, Fitted) else ["en"], main),
    }
    return xq.Result(tuple(scores), history, measures)


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
        model = small_encoder(folder / "encoder", data, alignment)
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
