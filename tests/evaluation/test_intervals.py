"""Intervals contain their score and narrow with more examples; models are compared on the same examples."""

import dataclasses
import functools
import tempfile

import numpy as np
import pytest
from datasets import Dataset

from xquality import toy
from xquality.errors import SettingError
from xquality.evaluation import difference, evaluate, interval
from xquality.metrics.classification import f1
from xquality.models import tiny_encoder
from xquality.records import Score
from xquality.tasks import MemorySource, Task
from xquality.train import Fitted, Stage, fit


def score_of(right: list[bool], metric: str = "accuracy") -> Score:
    head = toy.topics.head
    gold = [row % 6 for row in range(len(right))]
    found = [label if same else (label + 1) % 6 for label, same in zip(gold, right, strict=True)]
    value = next(value for value in head.score(found, gold, "de") if value.metric == metric)
    return Score("t", "de", metric, value.value, len(right), each=value.statistics)


HALF = [bool(row % 2) for row in range(400)]


@pytest.mark.parametrize("metric", ["accuracy", "macro_f1"])
def test_a_score_lies_in_its_interval_and_more_examples_make_it_narrow(metric: str) -> None:
    wide, narrow = interval(score_of(HALF[:40], metric)), interval(score_of(HALF, metric))
    assert wide.low < wide.mean < wide.high
    assert narrow.mean == score_of(HALF, metric).value
    assert narrow.half_width < wide.half_width / 2
    assert narrow == interval(score_of(HALF, metric))
    assert narrow != interval(score_of(HALF, metric), seed=1)


def test_the_interval_of_an_accuracy_is_about_the_textbooks() -> None:
    found = interval(score_of(HALF), resamples=4000)
    assert found.half_width == pytest.approx(1.96 * 100 * np.sqrt(0.25 / 400), rel=0.1)


def test_a_class_that_a_resample_lacks_is_left_out_of_its_mean() -> None:
    gold, found = [0, 0, 0, 1], [0, 0, 0, 1]
    value = toy.topics.head.score(found, gold, "de")[1]
    assert value.value == f1(found, gold)["macro_f1"] == 100.0
    assert interval(Score("t", "de", "macro_f1", value.value, 4, each=value.statistics)).low == 100.0


def test_models_are_compared_on_the_same_examples() -> None:
    better = [right or row % 10 == 0 for row, right in enumerate(HALF)]
    found = difference(score_of(better), score_of(HALF))
    assert found.mean == pytest.approx(10.0)
    assert found.low > 0
    assert found.p < 0.01
    assert found.half_width < interval(score_of(HALF)).half_width  # pairing helps
    with pytest.raises(SettingError, match="same examples"):
        difference(score_of(HALF), dataclasses.replace(score_of(HALF), language="es"))


def test_a_score_read_from_json_has_no_examples() -> None:
    score = score_of(HALF)
    again = Score.from_dict(score.to_dict())
    assert again == score
    with pytest.raises(SettingError, match="evaluate"):
        interval(again)


def test_scores_of_two_splits_have_no_difference() -> None:
    scores = [
        Score("t", "de", "accuracy", 50.0, 2, {"split": split}, np.array([[[1.0, 1.0]], [[0.0, 1.0]]]))
        for split in ("test", "validation")
    ]
    with pytest.raises(SettingError, match="validation"):
        difference(*scores, seed=1)


def test_scores_of_other_rows_have_no_difference_however_alike_their_names_are() -> None:
    rows = toy.topics.load("de", "test")
    model = fit_for_a_moment()
    scores = [evaluate(model, of_rows(rows.select(numbers)), ["de"], threads=1)[0] for numbers in (FIRST, LAST, FIRST)]
    with pytest.raises(SettingError, match="data"):
        difference(scores[0], scores[1])
    assert difference(scores[0], scores[2]).mean == 0.0


@pytest.mark.parametrize("change", ["text", "label", "order", "uid"])
def test_whatever_decides_a_score_is_in_the_digest_of_its_rows(change: str) -> None:
    rows = toy.topics.load("de", "test").select(range(20))
    changed = {
        "text": lambda row: {"text": row["text"] + "!"},
        "label": lambda row: {"label": (row["label"] + 1) % 6},
        "uid": lambda row: {"uid": row["uid"] + 1000},
    }
    other = rows.select(range(19, -1, -1)) if change == "order" else rows.map(changed[change])
    model = fit_for_a_moment()
    digests = [
        evaluate(model, of_rows(data), ["de"], threads=1)[0].signature["data"]
        for data in (rows, other, rows.add_column("comment", ["unread"] * 20))
    ]
    assert digests[0] != digests[1]
    assert digests[0] == digests[2]


FIRST, LAST = range(100), range(100, 200)


def of_rows(data: Dataset) -> Task:
    """Return a task over some rows, always of the same name."""
    return Task("mine", ("de",), "de", MemorySource({("de", "test"): data}), toy.topics.head)


@functools.cache
def fit_for_a_moment() -> Fitted:
    texts = toy.topics.load("de", "train")["text"][:100]
    with tempfile.TemporaryDirectory() as folder:
        encoder = tiny_encoder(texts, folder=f"{folder}/tiny", pieces=200, width=16, steps=1)
        return fit([Stage(toy.topics, steps=2, batch_size=4)], model=encoder, seed=1, threads=1)
