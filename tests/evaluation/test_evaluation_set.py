"""EvaluationSet: one pass equals language by language, each example once, the longest rows first, missing languages named."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset

from xquality import toy
from xquality.errors import SourceError, UnreachableError
from xquality.evaluation.evaluation_set import _batches, gather, make_evaluation_set, predict
from xquality.train import Fitted, Stage, fit


@pytest.fixture(scope="module")
def fitted(encoder: Path) -> Fitted:
    return fit([Stage(toy.topics, steps=20, batch_size=16)], model=encoder, seed=1, threads=1)


def test_one_pass_over_languages_equals_row_by_row_prediction(fitted: Fitted) -> None:
    pool = make_evaluation_set(fitted.model, toy.topics, ("de", "zh"), "validation", None)
    for language, found in zip(("de", "zh"), predict(fitted.model, pool), strict=True):
        texts = toy.topics.load(language, "validation")["text"][:]
        alone = []
        with torch.no_grad():
            for text in texts:
                tokens = fitted.model.tokenizer(text, return_tensors="pt", truncation=True, max_length=128)
                alone.append(int(fitted.model.network(**tokens).logits.argmax()))
        assert found == alone


def test_every_row_is_read_once_from_the_longest_on_and_within_the_tokens() -> None:
    lengths = np.random.default_rng(0).integers(1, 60, 300)
    batches = list(_batches(lengths, tokens=200))
    assert sorted(row for batch in batches for row in batch) == list(range(300))
    assert all(len(batch) * max(lengths[batch]) <= 200 for batch in batches)
    longest = [int(lengths[batch].max()) for batch in batches]
    assert longest == sorted(longest, reverse=True)


def test_the_same_few_rows_are_chosen_in_every_language(fitted: Fitted) -> None:
    pool = make_evaluation_set(fitted.model, toy.topics, ("de", "zh"), "validation", None, rows=7)
    assert [encoded.examples for encoded in pool.encoded] == [7, 7]
    assert (pool.encoded[0].keys == pool.encoded[1].keys).all()


def test_a_bar_is_shown_when_asked_for(fitted: Fitted, capsys: pytest.CaptureFixture[str]) -> None:
    pool = make_evaluation_set(fitted.model, toy.topics, ("de",), "validation", None, rows=7)
    predict(fitted.model, pool)
    assert capsys.readouterr().err == ""
    predict(fitted.model, pool, progress=True)
    assert "toy.topics" in capsys.readouterr().err


def test_missing_languages_are_named(fitted: Fitted) -> None:
    with pytest.raises(SourceError, match="xx, yy"):
        make_evaluation_set(fitted.model, toy.topics, ("de", "xx", "yy"), "test", None)


def test_a_language_that_cannot_be_reached_is_not_taken_for_missing() -> None:
    class Broken:
        def load(self, language: str, split: str, root: object) -> Dataset:
            if language == "es":
                raise UnreachableError("the connection was cut")
            return toy.topics.source.load(language, split, root)

    task = dataclasses.replace(toy.topics, source=Broken())
    with pytest.raises(UnreachableError):
        gather(task, ("en", "es"), "test", None, skip_missing=True)
