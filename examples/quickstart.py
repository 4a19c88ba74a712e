"""What label noise and less data in Spanish do to training in English and to other languages; run by `make demo`.

Everything is embedded: toy data in nine languages and a tiny encoder aligned on parallel toy sentences. It runs
offline in a few minutes on two cores; running it again reads the finished cells and trains nothing.

    python examples/quickstart.py
"""

import argparse
from functools import partial
from pathlib import Path

import xquality as xq
from xquality import toy
from xquality.evaluation import evaluate, zero_shot_mean
from xquality.models import tiny_encoder
from xquality.report import summarise, write_report
from xquality.study import Study
from xquality.train import Probe, Stage, fit

ZERO_SHOT = tuple(language for language in toy.LANGUAGES if language not in ("en", "es"))
SPANISH_ROWS, ENGLISH_ROWS = 600, 100
INTERMEDIATE_STEPS, TARGET_STEPS, BATCH = 200, 30, 16
NONE = "no intermediate"


def trial(
    seed: int,
    arm: str = "Spanish",
    fraction: float = 1.0,
    rate: float = 0.0,
    *,
    encoder: Path,
    steps: tuple[int, int],
) -> xq.Result:
    """Train on noisy Spanish rows, then on a few English ones, and score every language."""
    english = toy.topics.load("en", "validation").select(range(ENGLISH_ROWS))
    stages = [Stage(toy.topics, english, steps=steps[1], batch_size=BATCH)]
    if arm != NONE:
        # Fewer rows first, then noise: so that the share of wrong labels is exactly the rate in every cell.
        spoil = xq.Subsample(fraction=fraction) >> xq.LabelNoise(rate=rate)
        spanish = spoil(toy.topics.load("es", "train").select(range(SPANISH_ROWS)), seed=seed)
        stages.insert(0, Stage(toy.topics, spanish, "es", steps=steps[0], batch_size=BATCH))
    probe = Probe(languages=ZERO_SHOT, rows=30, points=8, split="test")
    fitted = fit(stages, model=encoder, seed=seed, evaluate_on=probe, threads=1)
    scores = evaluate(fitted, toy.topics, threads=1)
    mean = zero_shot_mean(scores, ["en", "es"], "accuracy")
    return xq.Result(
        scores=tuple(scores),
        history=fitted.history,
        measures={"zero-shot accuracy": mean},
        notes={
            "encoder": "tiny_encoder, aligned without labels on 1000 parallel toy sentences in nine languages",
            "zero-shot mean": f"over {len(ZERO_SHOT)} languages, without English and Spanish, on the test rows",
            "caution": "toy data and a toy encoder: they show how a study works, not what XLM-R would do",
        },
    )


def main(folder: Path = Path("runs/quickstart"), *, tiny: bool = False) -> Path:
    """Run the study, print its table and write its report; return the report's path.

    Args:
        folder: where the study is kept; the encoder is built beside it.
        tiny: a few steps and cells, to see that everything runs.
    """
    parallel = {language: toy.sentences.load(language, "train")["source_sentence"][:] for language in toy.LANGUAGES}
    texts = [text for sentences in parallel.values() for text in sentences]
    place = folder.parent / f"{folder.name}-encoder"
    print(f"The tiny encoder is in {place}." if place.exists() else "Building the tiny encoder on toy sentences ...")
    encoder = tiny_encoder(
        texts,
        folder=place,
        parallel=parallel,
        pieces=3000,
        steps=20 if tiny else 1500,
    )
    seeds = range(1 if tiny else 3)
    axes = [
        {"arm": [NONE], "seed": seeds},
        {"fraction": [0.1, 0.3, 1.0], "rate": [0.0] if tiny else [0.0, 0.2, 0.4], "seed": seeds},
    ]
    steps = (4, 4) if tiny else (INTERMEDIATE_STEPS, TARGET_STEPS)
    study = Study(partial(trial, encoder=encoder, steps=steps), axes, quantity="fraction", quality="rate")
    print(f"The study has {len(study.cells())} cells in {folder}; those that are not finished are trained now.")
    study.run(folder)
    summary = summarise(folder)
    print(f"\n{'arm':28} {summary.main}, mean [95 % interval]")
    for arm in summary.arms:
        print(f"{arm.name:28} {arm.interval(summary.main)}")
    report = write_report(folder, title="Quickstart: quality and quantity of a Spanish intermediate task")
    print(f"\nThe report is in {report.resolve()}")
    return report


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Run the quickstart study.")
    parser.add_argument("--folder", type=Path, default=Path("runs/quickstart"))
    parser.add_argument("--tiny", action="store_true", help="a few steps and cells, to see that everything runs")
    chosen = parser.parse_args()
    main(chosen.folder, tiny=chosen.tiny)
