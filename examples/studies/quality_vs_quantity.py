"""What do quality and quantity of intermediate-task data do to convergence and to zero-shot scores? Three studies.

`pretrained`: a pretrained encoder is fine-tuned on Spanish topics (SIB-200), then on other rows in English, and scored
in twelve languages that it was not fine-tuned in. Arms: no intermediate task, equal steps on the target instead, four
amounts of clean rows, three amounts at two rates of wrong labels, wrong labels filtered by cleanlab, simulated
translation errors, and English intermediate rows.
`tiny`: the same with a tiny encoder that is trained on the way, for intermediate tasks in Spanish, Russian and Hindi.
`kinds`: an intermediate task of another kind than the target: parts of speech of Spanish words (UD), before topics and
before retrieval (Tatoeba), three amounts by three rates of wrong tags.

    python examples/studies/quality_vs_quantity.py pretrained --data FOLDER --model intfloat/multilingual-e5-small

FOLDER holds sib200/<language>/, udpos/es/ and tatoeba/<language>/. A killed run goes on where it was. The cells that
were measured are in docs/studies; `--report` rebuilds the report from a folder of cells and trains nothing.

SIB-200 is parallel, so sentences are split, not rows: intermediate tasks read 500 of the training sentences, the target
200 others. Numbers of steps and learning rates were chosen on seeds from 100 on, which no arm uses.
"""

import argparse
import dataclasses
import os
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from datasets import Dataset

import xquality as xq
from xquality.evaluation import constant_baselines, evaluate, zero_shot_mean
from xquality.heads import RetrievalHead, SequenceHead
from xquality.models import tiny_encoder, trim_encoder
from xquality.probabilities import from_embeddings
from xquality.report import write_report
from xquality.study import Study
from xquality.tasks import Task, sib200, tatoeba, udpos
from xquality.train import Fitted, Probe, Stage, fit

ENGLISH, SPANISH = "eng_Latn", "spa_Latn"
ZERO_SHOT = (
    *("deu_Latn", "fra_Latn", "por_Latn", "rus_Cyrl", "arb_Arab", "hin_Deva"),
    *("tur_Latn", "ind_Latn", "swh_Latn", "vie_Latn", "zho_Hans", "jpn_Jpan"),
)
PROBED = ("deu_Latn", "rus_Cyrl", "arb_Arab", "hin_Deva", "swh_Latn", "zho_Hans")  # six scripts
INTERMEDIATE_ROWS, TARGET_ROWS = 500, 200
QUERY = "query: "  # multilingual-e5 was trained with it before every sentence

NONE, LONGER = "no intermediate task", "no intermediate task, equal steps"
FILTERED = "Spanish, rate 0.4, then CleanlabFilter"
TRANSLATED = "Spanish, translation errors at chrF 50"
INSTEAD = "English"

LABELS = ("entertainment", "geography", "health", "politics", "science/technology", "sports", "travel")
TOPICS = dataclasses.replace(sib200, head=SequenceHead(("text",), LABELS, pooling="mean", prefix=QUERY))
PAIRS = dataclasses.replace(tatoeba, head=RetrievalHead(layer=-1))

INTERMEDIATE_STEPS, TARGET_STEPS = 60, 30
TINY_STEPS, TINY_TARGET_STEPS = 200, 60
TINY_INTERMEDIATE = (SPANISH, "rus_Cyrl", "hin_Deva")
TINY_PROBED = ("deu_Latn", "fra_Latn", "arb_Arab", "tur_Latn", "swh_Latn", "zho_Hans")
POS_ROWS = 1000
PAIR_LANGUAGES = ("deu", "fra", "por", "rus", "ara", "hin", "tur", "ind", "swh", "vie", "cmn", "jpn")

Axes = list[dict[str, Sequence[Any]]]
Notes = dict[str, Any]


def pretrained_stage(task: Task, data: Dataset, language: str, steps: int) -> Stage:
    """Return a stage of the pretrained encoder, with the settings that all of its stages share."""
    return Stage(
        task,
        data,
        language,
        steps=steps,
        batch_size=16,
        max_length=96,
        learning_rate=1e-4,
        head_learning_rate=1e-3,
        group_by_length=True,
        frozen_embeddings=True,
        precision="bfloat16",
    )


def split_topics(root: Path) -> tuple[set[str], set[str]]:
    """Return the uids of the sentences that intermediate tasks read, and of those of the target task.

    Both have the topics in proportion; the order of the sentences is not at random, documents follow each other.
    """
    english = sib200.load(ENGLISH, "train", root)
    target = set(xq.Subsample(n=TARGET_ROWS, stratify_by="label")(english, seed=0)["uid"])
    others = english.filter(lambda row: row["uid"] not in target)
    return set(xq.Subsample(n=INTERMEDIATE_ROWS, stratify_by="label")(others, seed=0)["uid"]), target


def intermediate_topics(language: str, root: Path) -> Dataset:
    """Return the sentences that intermediate tasks read, in one language."""
    chosen, _ = split_topics(root)
    return sib200.load(language, "train", root).filter(lambda row: row["uid"] in chosen)


def target_topics(root: Path) -> Dataset:
    """Return the English sentences of the target task, which no intermediate task reads in any language."""
    _, chosen = split_topics(root)
    return sib200.load(ENGLISH, "train", root).filter(lambda row: row["uid"] in chosen)


def translation_errors(root: Path) -> xq.TranslationNoise:
    """Return simulated translation errors at a severity that brings the Spanish sentences to chrF 50."""
    rows = intermediate_topics(SPANISH, root)
    vocabulary = xq.Vocabulary.fit(rows, columns=("text",))
    errors = ("omission", "repetition", "reordering", "wrong_word", "entity")
    return xq.TranslationNoise.calibrate(rows, chrf=50, errors=errors, vocabulary=vocabulary)


def constant_score(languages: tuple[str, ...], root: Path) -> float:
    """Return the macro-F1 of the best constant prediction, as a mean over languages."""
    best = [constant_baselines(sib200, language, root=root)[0] for language in languages]
    return sum(baseline.scores["macro_f1"] for baseline in best) / len(best)


def spanish_topics(arm: str, rows: int, rate: float, seed: int, root: Path, encoder: Path) -> tuple[Dataset, Notes]:
    """Return the rows of an intermediate task in Spanish or English, and the filter's audit where there is one."""
    clean = intermediate_topics(ENGLISH if arm == INSTEAD else SPANISH, root)
    # Fewer rows first, then errors: so that the share of wrong labels is exactly the rate in every cell.
    spoilt = (xq.Subsample(n=rows, stratify_by="label") >> xq.LabelNoise(rate=rate))(clean, seed=seed)
    if arm == TRANSLATED:
        return translation_errors(root)(spoilt, seed=seed), {}
    if arm != FILTERED:
        return spoilt, {}
    predicted = from_embeddings(spoilt, encoder, seed=seed, text_columns=("text",), prefix=QUERY, threads=1)
    kept = xq.CleanlabFilter(probabilities="probabilities")(predicted, seed=seed)
    return kept, {"CleanlabFilter": xq.audit(before=predicted, after=kept).to_dict()}


def score_topics(fitted: Fitted, task: Task, trained: Sequence[str], root: Path, precision: str) -> xq.Result:
    """Return a model's scores in all languages, with the mean over those that no arm of the study is trained in."""
    languages = [language for language in ZERO_SHOT if language not in trained]
    scores = evaluate(fitted, task, [*trained, *languages], root=root, precision=precision, threads=1)
    metrics = ("macro_f1", "accuracy")
    return xq.Result(
        scores=tuple(scores),
        history=fitted.history,
        measures={f"zero-shot {metric}": zero_shot_mean(scores, trained, metric) for metric in metrics},
        notes={
            "zero-shot mean": f"over {len(languages)} languages, the same in every arm, on their test rows",
            "baselines": {"most frequent class": constant_score(tuple(languages), root)},
        },
    )


def pretrained_trial(arm: str, seed: int, rows: int = 0, rate: float = 0.0, *, root: Path, encoder: Path) -> xq.Result:
    """Train and score one cell of the study with a pretrained encoder."""
    stages: list[Stage] = []
    notes: Notes = {}
    if rows:
        data, notes = spanish_topics(arm, rows, rate, seed, root, encoder)
        stages = [pretrained_stage(TOPICS, data, ENGLISH if arm == INSTEAD else SPANISH, INTERMEDIATE_STEPS)]
    steps = INTERMEDIATE_STEPS + TARGET_STEPS if arm == LONGER else TARGET_STEPS
    stages.append(pretrained_stage(TOPICS, target_topics(root), ENGLISH, steps))
    probe = Probe(languages=PROBED, rows=50, points=7, root=root, precision="bfloat16")
    fitted = fit(stages, model=encoder, seed=seed, evaluate_on=probe, threads=1)
    result = score_topics(fitted, TOPICS, (ENGLISH, SPANISH), root, "bfloat16")
    curves = (
        f"on {probe.rows} validation rows of {len(PROBED)} languages, the same sentences in every language and cell"
    )
    return dataclasses.replace(result, notes={**result.notes, **notes, "curves": curves})


def tiny_trial(arm: str, seed: int, rows: int = 0, rate: float = 0.0, *, root: Path, encoder: Path) -> xq.Result:
    """Train and score one cell of the study with the tiny encoder; an arm is the language of the intermediate task."""
    settings: dict[str, Any] = {"batch_size": 16, "schedule": "linear"}
    stages = []
    if rows:
        spoil = xq.Subsample(n=rows, stratify_by="label") >> xq.LabelNoise(rate=rate)
        stages = [Stage(sib200, spoil(intermediate_topics(arm, root), seed=seed), arm, steps=TINY_STEPS, **settings)]
    stages.append(Stage(sib200, target_topics(root), ENGLISH, steps=TINY_TARGET_STEPS, **settings))
    probe = Probe(languages=TINY_PROBED, rows=50, points=7, root=root)
    fitted = fit(stages, model=encoder, seed=seed, evaluate_on=probe, threads=1)
    result = score_topics(fitted, sib200, (ENGLISH, *TINY_INTERMEDIATE), root, "float32")
    notes = {
        "encoder": "tiny_encoder, aligned without labels on the parallel training sentences of SIB-200 in all "
        "languages of the study, those it is scored in among them; no validation or test row was used",
        "curves": f"on {probe.rows} validation rows of {len(TINY_PROBED)} languages, the same in every cell",
    }
    return dataclasses.replace(result, notes={**result.notes, **notes})


def kinds_trial(arm: str, seed: int, rows: int = 0, rate: float = 0.0, *, root: Path, encoder: Path) -> xq.Result:  # noqa: ARG001 (the arm is said by its rows)
    """Train one cell of parts of speech before topics and before retrieval, and score all three tasks."""
    target = pretrained_stage(TOPICS, target_topics(root), ENGLISH, TARGET_STEPS)
    with tempfile.TemporaryDirectory() as store:
        first = []
        if rows:
            spoil = xq.Subsample(n=rows) >> xq.TagNoise(rate=rate, kinds=("type",), column="pos_tags")
            data = spoil(udpos.load("es", "validation", root).select(range(POS_ROWS)), seed=seed)
            tagging = pretrained_stage(udpos, data, "es", INTERMEDIATE_STEPS)
            first = [dataclasses.replace(tagging, learning_rate=2e-5, head_learning_rate=3e-3)]
        fitted = fit([*first, target], model=encoder, seed=seed, store=store, threads=1)
        result = score_topics(fitted, TOPICS, (ENGLISH, SPANISH), root, "bfloat16")
        scores, measures = list(result.scores), dict(result.measures)
        tagger = fit(first, model=encoder, seed=seed, store=store, planned_stages=1, threads=1) if rows else encoder
        pairs = evaluate(tagger, PAIRS, PAIR_LANGUAGES, root=root, rows=300, precision="bfloat16", threads=1)
        measures["retrieval accuracy"] = sum(score.value for score in pairs) / len(pairs)
        if rows:
            tags = evaluate(tagger, udpos, ["es"], root=root, precision="bfloat16", threads=1)
            measures["accuracy of the intermediate task"] = next(s.value for s in tags if s.metric == "accuracy")
            scores += tags
    retrieval = f"over {len(PAIR_LANGUAGES)} languages, among the first 300 pairs of each; nothing is trained for it"
    notes = {**result.notes, "retrieval accuracy": retrieval}
    return dataclasses.replace(result, scores=(*scores, *pairs), measures=measures, notes=notes)


def pretrained_axes(seeds: int) -> Axes:
    """Return the cells of `pretrained`: 15 arms."""
    every: dict[str, Sequence[Any]] = {"seed": range(seeds)}
    return [
        {"arm": [NONE, LONGER], **every},
        {"arm": ["Spanish"], "rows": [25, 100, 225, 500], "rate": [0.0], **every},
        {"arm": ["Spanish"], "rows": [100, 225, 500], "rate": [0.2, 0.4], **every},
        {"arm": [FILTERED], "rows": [500], "rate": [0.4], **every},
        {"arm": [TRANSLATED, INSTEAD], "rows": [500], "rate": [0.0], **every},
    ]


def tiny_axes(seeds: int) -> Axes:
    """Return the cells of `tiny`: 31 arms."""
    every: dict[str, Sequence[Any]] = {"arm": TINY_INTERMEDIATE, "seed": range(seeds)}
    return [
        {"arm": [NONE], "seed": range(seeds)},
        {"rows": [25, 100, 225, 500], "rate": [0.0], **every},
        {"rows": [100, 225, 500], "rate": [0.1, 0.2], **every},
    ]


def kinds_axes(seeds: int) -> Axes:
    """Return the cells of `kinds`: 10 arms."""
    grid: dict[str, Sequence[Any]] = {"arm": ["parts of speech"], "rows": [100, 300, 1000], "rate": [0.0, 0.2, 0.4]}
    return [{"arm": [NONE], "seed": range(seeds)}, {**grid, "seed": range(seeds)}]


def read_texts(part: str, root: Path) -> dict[str, list[str]]:
    """Return the texts that the encoder of a study must be able to read, by their language; parallel for `tiny`."""
    languages = (ENGLISH, SPANISH, *ZERO_SHOT)
    splits = ("train",) if part == "tiny" else ("train", "validation", "test")
    texts = {
        name: [text for split in splits for text in sib200.load(name, split, root)["text"][:]] for name in languages
    }
    if part == "kinds":
        for language in PAIR_LANGUAGES:
            pairs = tatoeba.load(language, "validation", root)
            texts[language] = [*pairs["source_sentence"][:], *pairs["target_sentence"][:]]
        words = [udpos.load("es", split, root)["tokens"][:] for split in ("validation", "test")]
        texts["es"] = [" ".join(sentence) for split in words for sentence in split]
    return texts


def make_encoder(part: str, model: str, layers: tuple[int, ...] | None, root: Path, folder: Path) -> Path:
    """Return the encoder of a study: the tiny one, or some layers and the needed word pieces of a pretrained one."""
    texts = read_texts(part, root)
    if part == "tiny":
        return tiny_encoder([text for sentences in texts.values() for text in sentences], folder=folder, parallel=texts)
    needed = [f"{prefix}{text}" for sentences in texts.values() for text in sentences for prefix in ("", QUERY)]
    return trim_encoder(model, needed, folder=folder, layers=layers)


STUDIES = {
    "pretrained": (pretrained_trial, pretrained_axes, 8, "Quality and quantity of a Spanish intermediate task"),
    "tiny": (tiny_trial, tiny_axes, 12, "Quality and quantity of intermediate tasks in three languages"),
    "kinds": (kinds_trial, kinds_axes, 5, "Quality and quantity of an intermediate task of another kind"),
}


def main(options: argparse.Namespace) -> Path:
    """Run the study and write its report; return the report's path."""
    trial, axes, seeds, title = STUDIES[options.study]
    folder = options.folder or Path("runs") / options.study
    if not options.report:
        root = options.data.resolve()
        place = (folder.parent / f"{folder.name}-encoder").resolve()
        whole = options.untrimmed and options.study != "tiny"
        encoder = options.model if whole else make_encoder(options.study, options.model, options.layers, root, place)
        cells = axes(options.seeds or seeds)
        study = Study(partial(trial, root=root, encoder=encoder), cells, quantity="rows", quality="rate")
        study.run(folder, engine=options.engine, share=options.share)
    return write_report(folder, title=title)


def read_layers(text: str) -> tuple[int, ...] | None:
    """Return the numbers of layers in `text`, None for all of them."""
    return None if text == "all" else tuple(map(int, text.split(",")))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--data", type=Path, default=os.environ.get("XQUALITY_DATA"), help="folder of local data")
    parser.add_argument("--folder", type=Path, help="where the study is kept; runs/<study> without it")
    parser.add_argument("--model", default="intfloat/multilingual-e5-small", help="a Hub id or a local folder")
    parser.add_argument("--layers", type=read_layers, default="0,2,4,6,8,10", help='those to keep, or "all"')
    parser.add_argument("--untrimmed", action="store_true", help="the whole model: all layers and all word pieces")
    parser.add_argument("--seeds", type=int, help="how many; without it 8, 12 and 5")
    parser.add_argument("--engine", choices=("processes", "ray", "slurm"), help="one process without it")
    parser.add_argument("--share", action="store_true", help="let other programs run cells of the same folder")
    parser.add_argument("--report", action="store_true", help="only write the report of a folder of cells")
    chosen = parser.parse_args()
    if chosen.data is None and not chosen.report:
        parser.error("--data, or the variable XQUALITY_DATA, names the folder of local data")
    print("Report:", main(chosen))
