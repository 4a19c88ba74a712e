"""A study with a planted answer: one row of rate 0.5 is worth half a clean row, and rate 1.0 is worth nothing."""

import math
from pathlib import Path

import numpy as np

import xquality as xq
from xquality.records import History, Point, Result, Score
from xquality.study import Study

LANGUAGES = ("de", "ru", "ar", "es")
WORTH = {0.0: 1.0, 0.5: 0.5, 1.0: None}
AXES = [
    {"arm": ["none"], "seed": range(6)},
    {"rows": [25, 100, 400], "rate": [0.0], "seed": range(6)},
    {"rows": [100, 400], "rate": [0.5, 1.0], "seed": range(6)},
]
AUDIT = xq.Audit(100, 20, 25, 15, classes={"<b>sport</b>": xq.Audit(100, 20, 25, 15)})


def score_of(arm: str, seed: int, rows: int, rate: float) -> float:
    worth = WORTH[rate]
    mean = 30.0 if arm == "none" or worth is None else 20 + 6 * math.log(worth * rows)
    return mean + float(np.random.default_rng((len(arm), seed, rows, round(10 * rate))).normal())


def trial(seed: int, arm: str = "Spanish", rows: int = 400, rate: float = 0.0) -> Result:
    final = score_of(arm, seed, rows, rate)
    first = [] if arm == "none" else [{"language": "es", "rows": rows, "steps": 50, "epochs": 800 / rows}]
    points = tuple(
        Point(len(first), step, "t", language, "accuracy", 15 + (final - 15) * math.log1p(step) / math.log(21), 50)
        for step in (0, 2, 6, 20)
        for language in LANGUAGES[:3]
    )
    scores = tuple(Score("t", name, "accuracy", final + 2 * place, 200) for place, name in enumerate(LANGUAGES))
    history = History((*first, {"language": "en", "rows": 50, "steps": 20, "epochs": 6.4}), points)
    notes = {"baselines": {"chance": 12.5}, "audit": AUDIT} if rate else {"baselines": {"chance": 12.5}}
    return Result(scores, history, {"zero-shot accuracy": final + 2}, notes)


def run(folder: Path) -> Path:
    return Study(trial, AXES, quantity="rows", quality="rate").run(folder, progress=False)
