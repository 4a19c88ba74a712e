"""evaluate: one pass equals language by language, scores say how they were made, what is missing is named."""

from pathlib import Path

import pytest
import torch

from xquality import toy
from xquality.errors import ModelError, SettingError, SourceError
from xquality.evaluate import evaluate, make_pool, predict, zero_shot_mean
from xquality.metrics.classification import accuracy, f1
from xquality.records import Score
from xquality.train import Fitted, Stage, fit


@pytest.fixture(scope="module")
def fitted(encoder: Path) -> Fitted:
    return fit([Stage(toy.topics, steps=20, batch_size=16)], model=encoder, seed=1, threads=1)


def test_one_pass_over_languages_equals_row_by_row_prediction(fitted: Fitted) -> None:
    pool = make_pool(fitted.model, toy.topics, ("de", "zh"), "validation", None)
    for language, found in zip(("de", "zh"), predict(fitted.model, pool), strict=True):
        texts = toy.topics.load(language, "validation")["text"][:]
        alone = []
        with torch.no_grad():
            for text in texts:
                tokens = fitted.model.tokenizer(text, return_tensors="pt", truncation=True, max_length=128)
                alone.append(int(fitted.model.network(**tokens).logits.argmax()))
        assert found == alone


def test_a_pass_can_read_other_things_than_predictions(fitted: Fitted) -> None:
    pool = make_pool(fitted.model, toy.topics, ("de", "zh"), "validation", None, rows=40)
    judged = predict(fitted.model, pool, toy.topics.head.probabilities)
    for found, probabilities in zip(predict(fitted.model, pool), judged, strict=True):
        assert [max(range(6), key=one.__getitem__) for one in probabilities] == found


def test_scores_are_those_of_the_metrics_on_the_predictions(fitted: Fitted) -> None:
    pool = make_pool(fitted.model, toy.topics, ("de",), "test", None)
    (predictions,), (encoded,) = predict(fitted.model, pool), pool.encoded
    scores = {one.metric: one.value for one in evaluate(fitted, toy.topics, ["de"])}
    assert scores == {**accuracy(predictions, encoded.targets), **f1(predictions, encoded.targets)}


def test_a_score_prints_how_it_was_made(fitted: Fitted) -> None:
    printed = str(evaluate(fitted, toy.topics, ["de"])[0])
    assert printed.startswith("toy.topics/de accuracy = ")
    for part in ("rows:300", "split:test", "max_length:128", f"model:{fitted.model.digest[:12]}", "torch:"):
        assert part in printed


def test_all_languages_are_scored_where_none_are_named(fitted: Fitted) -> None:
    assert {one.language for one in evaluate(fitted, toy.topics)} == set(toy.LANGUAGES)


def test_a_saved_model_is_scored_by_its_folder(fitted: Fitted, tmp_path: Path) -> None:
    assert evaluate(fitted.save(tmp_path / "kept"), toy.topics, ["de"]) == evaluate(fitted, toy.topics, ["de"])


def test_the_zero_shot_mean_leaves_out_trained_languages_however_they_are_spelled() -> None:
    scores = [
        Score("t", one, "accuracy", value, 9)
        for one, value in (("eng_Latn", 90.0), ("deu_Latn", 60.0), ("spa_Latn", 80.0))
    ]
    assert zero_shot_mean(scores, ["en", "es"]) == 60.0
    with pytest.raises(SettingError):
        zero_shot_mean(scores, ["en", "es", "de"])


def test_missing_languages_are_named_or_skipped(fitted: Fitted, tmp_path: Path) -> None:
    from xquality.source import MemorySource
    from xquality.tasks.base import Task

    rows = {("de", "test"): toy.topics.load("de", "test"), ("en", "test"): toy.topics.load("en", "test")}
    task = Task("partial", ("de", "sw", "en"), "en", MemorySource(rows), toy.topics.head)
    with pytest.raises(SourceError, match="sw"):
        evaluate(fitted, task)
    assert {one.language for one in evaluate(fitted, task, skip_missing=True)} == {"de", "en"}


def test_a_model_with_other_labels_or_a_strange_language_is_refused(fitted: Fitted) -> None:
    with pytest.raises(ModelError, match="train a stage"):
        evaluate(fitted, toy.inference)
    with pytest.raises(SettingError, match="xx"):
        evaluate(fitted, toy.topics, ["xx"])


@pytest.mark.parametrize(
    ("name", "languages"), [("xnli", ["de", "sw"]), ("pawsx", ["ja", "es"]), ("sib200", ["tha_Thai"])]
)
def test_real_tasks_are_trained_and_scored_from_a_local_folder(
    encoder: Path, real_data: Path, name: str, languages: list[str]
) -> None:
    from xquality import tasks

    task = getattr(tasks, name)
    trained = fit([Stage(task, steps=3, batch_size=8, root=real_data)], model=encoder, seed=1, threads=1)
    scores = evaluate(trained, task, languages, split="validation", root=real_data)
    assert [(one.language, one.metric) for one in scores] == [
        (language, metric) for language in languages for metric in ("accuracy", "macro_f1")
    ]
    rows = {"xnli": 2490, "pawsx": 300, "sib200": 99}[name]
    assert all(one.rows == rows and 0 <= one.value <= 100 for one in scores)
