"""Documented usage, checked by mypy --strict and never run: the types are part of the API."""

from pathlib import Path
from typing import assert_type

import pandas as pd
import pyarrow as pa
from datasets import Dataset

import xquality as xq
from xquality import toy
from xquality.analysis import Interval, Measure, area_under_curve, bootstrap, speed_up, steps_to
from xquality.evaluation import (
    Scores,
    average,
    constant_baselines,
    difference,
    evaluate,
    interval,
    table,
    transfer_gap,
    zero_shot_mean,
)
from xquality.metrics.question_answering import mlqa, squad
from xquality.metrics.retrieval import best_threshold, bitext_f1, extract, mine, nearest_neighbour_accuracy
from xquality.metrics.tagging import chunk_counts, chunk_f1, chunk_f1_from
from xquality.models import tiny_encoder
from xquality.records import Records, Result, Score
from xquality.report import write_report
from xquality.study import Study
from xquality.train import Fitted, Probe, Stage, fit
from xquality.transforms import FunctionTransform, Transform
from xquality.xtreme import comparison_table, score_folder, write_submission


def readme() -> None:
    spoil = xq.LabelNoise(rate=0.2) >> xq.Subsample(fraction=0.3) >> xq.CleanlabFilter()
    assert_type(spoil, xq.Compose)
    vocabulary = assert_type(xq.Vocabulary.fit(toy.topics.load("es", "train"), ["text"]), xq.Vocabulary)
    noise = xq.TranslationNoise.calibrate(
        toy.topics.load("es", "train"), chrf=70, errors=("wrong_word",), vocabulary=vocabulary
    )
    assert_type(noise, xq.TranslationNoise)
    data = spoil(toy.topics.load("es", "train"), seed=1)
    assert_type(xq.history(data), Records)
    assert_type(xq.history(data)[0].digest, str | None)
    audit = assert_type(xq.audit(data), xq.Audit)
    assert_type(audit.table("seen"), pd.DataFrame)
    assert_type(audit.classes["a"].recall, float)
    assert_type(xq.card(data), str)
    assert_type(xq.push_to_hub(data, "user/name", private=True, token=None), str)
    encoder = assert_type(tiny_encoder(["a"], folder="tiny", parallel={"en": ["a"], "es": ["b"]}), Path)
    fitted = fit([Stage(toy.topics, data, "es"), Stage(toy.topics)], model=encoder, seed=1, evaluate_on=["de"])
    assert_type(fitted, Fitted)
    assert_type(Fitted.load(fitted.save("fitted")), Fitted)
    scores = assert_type(evaluate(fitted, toy.topics, ["de"]), Scores)
    listed: list[Score] = scores
    assert_type(scores.to_pandas(), pd.DataFrame)
    assert_type(listed[0].value, float)
    assert_type(zero_shot_mean(scores, fitted.languages), float)
    assert_type(average(scores, without=["en"]), float)
    assert_type(transfer_gap(scores, source="en"), float)
    assert_type(table(scores, by="script"), pd.DataFrame)
    assert_type(interval(scores[0]), Interval)
    assert_type(constant_baselines(toy.topics)[0].scores, dict[str, float])
    assert_type(difference(scores[0], scores[1]).p, float | None)
    assert_type(steps_to(fitted.history, 50.0), Measure)
    assert_type(speed_up(fitted.history, fitted.history), Measure)
    assert_type(area_under_curve(fitted.history, x="log_steps"), float)
    assert_type(Probe(points=4).steps(10), tuple[int, ...])


def filters() -> None:
    clean = xq.Deduplicate(method="minhash") >> xq.LanguageFilter("spa_Latn", columns=("text",))
    assert_type(clean >> xq.LengthRatioFilter(columns=("text", "translation"), maximum=2.0), xq.Compose)
    assert_type(
        xq.Mix(toy.topics.load("de", "train"), rate=0.2) >> xq.Subsample(n=9, stratify_by="length:text"), xq.Compose
    )


def shout(row: dict[str, str]) -> dict[str, str]:
    return {"text": row["text"].upper()}


def own_transforms() -> None:
    loud = FunctionTransform(shout, columns=["text"], settings={"marks": 1}, adds={"length": "int64"})
    data = assert_type(loud(toy.topics.load("es", "train"), seed=1), Dataset)
    function = (loud >> xq.LabelNoise(0.1, exact=False)).batches(1, features=data.features)
    assert_type(function(pa.table({"uid": [1]})), pa.Table)
    assert_type(xq.from_dict(loud.to_dict(), known=[shout]), Transform | xq.Compose)


def misspelt() -> None:
    _ = xq.LableNoise  # type: ignore[attr-defined]  # which says that the checker knows the public names


def trial(rate: float, seed: int) -> Result:
    return Result(measures={"score": rate + seed})


def study() -> None:
    made = Study(trial, axes={"rate": [0.0, 0.2], "seed": range(3)}, quality="rate")
    folder = assert_type(made.run("runs/x"), Path)
    assert_type(made.results(folder), pd.DataFrame)
    assert_type(write_report(folder), Path)


def metrics() -> None:
    assert_type(squad({"q": "a"}, {"q": ["a"]}), dict[str, float])
    assert_type(mlqa({"q": "a"}, [("q", ["a"])], "de"), dict[str, float])
    tags = [["B-PER", "O"]]
    assert_type(chunk_f1(tags, tags), dict[str, float])
    assert_type(bootstrap(chunk_counts(tags, tags), lambda sums: chunk_f1_from(sums)["f1"], seed=1), Interval)
    candidates = assert_type(mine([[1.0]], [[1.0]], source_sentences=["a"]), list[tuple[float, int, int]])
    threshold = assert_type(best_threshold(candidates, [(0, 0)]), dict[str, float])["threshold"]
    assert_type(bitext_f1(extract(candidates, threshold), [(0, 0)]), dict[str, float])
    assert_type(nearest_neighbour_accuracy([[1.0]], [[1.0]], gold=[0]), dict[str, float])


def submission() -> None:
    folder = assert_type(write_submission("out", {"pawsx": {"de": ["0", 1]}}, partial=True), Path)
    assert_type(comparison_table(score_folder(folder, "labels"), name="ours"), str)
