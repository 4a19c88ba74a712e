"""Quality and quantity of an intermediate task on real data: SIB-200, Spanish to English, scored in twelve others.

SIB-200 is parallel, so the rows are split by their index: the first 500 training sentences, in Spanish, are the
intermediate task; the other 201 hold the 200 English sentences of the target task. Every arm makes the same number
of steps with a fresh head and a constant learning rate after the warm-up. Run it with

    python examples/studies/sib200.py --data FOLDER

where FOLDER holds sib200/<language>/{train,validation,test}.parquet. A killed run resumes where it was killed.
"""

import argparse
import os
from functools import partial
from pathlib import Path

import xquality as xq
from xquality.evaluation import evaluate, zero_shot_mean
from xquality.models import tiny_encoder
from xquality.report import summarise, write_report
from xquality.study import Study
from xquality.tasks import sib200
from xquality.train import Probe, Stage, fit

SPANISH, ENGLISH = "spa_Latn", "eng_Latn"
ZERO_SHOT = (
    *("deu_Latn", "fra_Latn", "por_Latn", "rus_Cyrl", "arb_Arab", "hin_Deva"),
    *("tur_Latn", "ind_Latn", "swh_Latn", "vie_Latn", "zho_Hans", "jpn_Jpan"),
)
INTERMEDIATE_ROWS, TARGET_ROWS = 500, 200
INTERMEDIATE_STEPS, TARGET_STEPS, BATCH = 200, 60, 16

NONE = "no intermediate"
LONGER = "no intermediate, as many steps"
FILTERED = "Spanish, rate 0.4, then CleanlabFilter"
INSTEAD = "English intermediate"


def axes(seeds: int) -> list[dict[str, object]]:
    """Return the arms: a cross through quality and quantity, and what it is compared with."""
    return [
        {"arm": [NONE, LONGER], "seed": range(seeds)},
        {"arm": ["Spanish"], "fraction": [1.0], "rate": [0.0, 0.2, 0.4, 1.0], "seed": range(seeds)},
        {"arm": ["Spanish"], "fraction": [0.1, 0.3], "rate": [0.0], "seed": range(seeds)},
        {"arm": [FILTERED, INSTEAD], "seed": range(seeds)},
    ]


def intermediate(arm: str, fraction: float, rate: float, seed: int, root: Path) -> Stage | None:
    """Return the intermediate stage of an arm; None where it has none."""
    if arm in (NONE, LONGER):
        return None
    language = ENGLISH if arm == INSTEAD else SPANISH
    data = sib200.load(language, "train", root).select(range(INTERMEDIATE_ROWS))
    if arm == FILTERED:
        spoil = xq.LabelNoise(rate=0.4) >> xq.CleanlabFilter()
    else:
        # Fewer rows first, then noise: so that the share of wrong labels is exactly the rate in every cell.
        spoil = xq.Subsample(fraction=fraction) >> xq.LabelNoise(rate=rate)
    return Stage(sib200, spoil(data, seed=seed), language, steps=INTERMEDIATE_STEPS, batch_size=BATCH)


def trial(arm: str, seed: int, fraction: float = 1.0, rate: float = 0.0, *, root: Path, encoder: Path) -> xq.Result:
    """Train one cell and score it in every language."""
    first = intermediate(arm, fraction, rate, seed, root)
    english = sib200.load(ENGLISH, "train", root)
    rows = english.select(range(INTERMEDIATE_ROWS, INTERMEDIATE_ROWS + TARGET_ROWS))
    steps = INTERMEDIATE_STEPS + TARGET_STEPS if arm == LONGER else TARGET_STEPS
    target = Stage(sib200, rows, ENGLISH, steps=steps, batch_size=BATCH)
    stages = [target] if first is None else [first, target]
    probe = Probe(languages=ZERO_SHOT, rows=50, points=8, root=root)
    fitted = fit(stages, model=encoder, seed=seed, evaluate_on=probe, threads=1)
    scores = evaluate(fitted, sib200, [ENGLISH, SPANISH, *ZERO_SHOT], root=root, threads=1)
    # Spanish and English stay out of every arm's mean, so that all arms are compared on the same languages.
    means = {metric: zero_shot_mean(scores, [ENGLISH, SPANISH], metric) for metric in ("macro_f1", "accuracy")}
    return xq.Result(
        scores=tuple(scores),
        history=fitted.history,
        measures={"zero-shot macro_f1": means["macro_f1"], "zero-shot accuracy": means["accuracy"]},
        notes={
            "encoder": "tiny_encoder, aligned without labels on the 701 parallel training sentences of SIB-200 in "
            f"{len(ZERO_SHOT) + 2} languages, the evaluation languages among them; no validation or test row was used",
            "zero-shot mean": f"over {len(ZERO_SHOT)} languages, without English and Spanish, on the test rows",
            "curves": "on 50 validation rows a language, the same sentences in every language and run",
            "rate 1.0": "every label is a wrong one, as a control",
        },
    )


def main(data: Path, folder: Path, seeds: int) -> Path:
    """Run the study and write its report; return the report's path."""
    parallel = {
        language: sib200.load(language, "train", data)["text"][:] for language in (ENGLISH, SPANISH, *ZERO_SHOT)
    }
    texts = [text for sentences in parallel.values() for text in sentences]
    encoder = tiny_encoder(texts, folder=folder.parent / f"{folder.name}-encoder", parallel=parallel)
    study = Study(partial(trial, root=data, encoder=encoder), axes(seeds), quantity="fraction", quality="rate")
    study.run(folder)
    summary = summarise(folder)
    clean = next(arm for arm in summary.arms if arm.values.get("rate") == 0.0 and arm.values["fraction"] == 1.0)
    print(f"{summary.main}: mean, paired difference to '{summary.reference.name}', paired difference to '{clean.name}'")
    for arm in summary.arms:
        differences = (arm.difference(other, summary.main) for other in (summary.reference, clean))
        print(f"{arm.name:45} {arm.interval(summary.main)}   {'   '.join(map(str, differences))}")
    return write_report(folder, title="SIB-200: quality and quantity of a Spanish intermediate task")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run the SIB-200 study.")
    default = os.environ.get("XQUALITY_DATA")
    parser.add_argument("--data", type=Path, default=default, required=default is None, help="folder of local data")
    parser.add_argument("--folder", type=Path, default=Path("runs/sib200"), help="where the study is kept")
    parser.add_argument("--seeds", type=int, default=12)
    chosen = parser.parse_args()
    print("Report:", main(chosen.data.resolve(), chosen.folder, chosen.seeds))
