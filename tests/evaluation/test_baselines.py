"""Constant baselines: a constant prediction scores its share, in every shape of task."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset

import xquality as xq
from xquality import toy
from xquality.errors import SettingError
from xquality.evaluation import constant_baselines
from xquality.heads import SpanHead
from xquality.metrics import Metric
from xquality.tasks import MemorySource, Task, commonsense_qa, squad_v2


def scores_by_answer(task, *data):
    return {baseline.answer: baseline.scores for baseline in constant_baselines(task, *data)}


def test_the_most_frequent_class_comes_first_with_its_share():
    labels = toy.topics.load("es", "test")["label"][:]
    found = constant_baselines(toy.topics, "es")
    assert len(found) == len(toy.topics.head.labels)
    assert found[0].scores["accuracy"] == pytest.approx(100 * max(map(labels.count, labels)) / len(labels))
    accuracies = [baseline.scores["accuracy"] for baseline in found]
    assert accuracies == sorted(accuracies, reverse=True)


def test_where_lower_is_better_the_lowest_score_comes_first():
    error_rate = Metric(
        "error_rate",
        lambda examples: 100 * np.not_equal(examples.predictions, examples.references).mean(),
        higher_is_better=False,
    )
    task = dataclasses.replace(toy.topics, head=dataclasses.replace(toy.topics.head, metrics=(error_rate, "accuracy")))
    errors = [baseline.scores["error_rate"] for baseline in constant_baselines(task, "es")]
    assert errors == sorted(errors)
    assert constant_baselines(task, "es")[0].answer == constant_baselines(toy.topics, "es")[0].answer


def test_a_tag_on_every_word_finds_spans():
    assert constant_baselines(toy.entities)[0].answer == "B-LOC on every word"
    assert scores_by_answer(toy.entities)["O on every word"]["f1"] == 0


def test_options_and_unanswerable_questions_have_their_share(real_data: Path):
    choices = commonsense_qa.load("en", "validation", real_data)
    most = max(choices["label"][:].count(option) for option in range(5))
    found = constant_baselines(commonsense_qa, "en", "validation", real_data)
    assert found[0].scores["accuracy"] == pytest.approx(100 * most / len(choices))
    questions = squad_v2.load("en", "validation", real_data)
    none = sum(not answers["text"] for answers in questions["answers"])
    without = scores_by_answer(squad_v2, "en", "validation", real_data)["no answer"]
    assert without["exact_match"] == pytest.approx(100 * none / len(questions))


@pytest.mark.parametrize(
    ("context", "answer", "said"),
    [
        ("Pi is 3.14 here. And more.", "Pi is 3.14 here.", "the first sentence"),
        ("東京は都市です。大阪も。", "東京は都市です。", "the first sentence"),
        ("東京は都市です", "東京", "the first 2 words"),
        ("no sign at all", "no sign at all", "the whole text"),
        ("Ana came home", "Ana", "the first word"),
        ("", "", "no answer"),
    ],
)
def test_the_beginning_of_a_text_is_tried_as_an_answer(context, answer, said):
    rows = [{"context": context, "question": "?", "answers": {"text": [answer], "answer_start": [0]}}]
    head = SpanHead(unanswerable=not answer)
    task = Task("mine", ("ja",), "ja", MemorySource({("ja", "test"): xq.with_uid(Dataset.from_list(rows))}), head)
    assert scores_by_answer(task)[said]["exact_match"] == 100


def test_retrieval_has_no_constant_baseline():
    with pytest.raises(SettingError, match="no constant baseline"):
        constant_baselines(toy.sentences)


def test_a_language_that_the_task_lacks_is_named():
    with pytest.raises(SettingError, match="xx"):
        constant_baselines(toy.topics, "xx")
