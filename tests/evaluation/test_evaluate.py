"""evaluate: tasks of every shape, scores with their signatures and examples, missing languages named."""

import dataclasses
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from datasets import Dataset

from xquality import toy
from xquality.errors import (
    ColumnError,
    ConstantAnswerWarning,
    LabelError,
    ModelError,
    SettingError,
    SourceError,
)
from xquality.evaluation import constant_baselines, evaluate, outputs, predictions, references
from xquality.evaluation.baselines import warn_of_constant_answers
from xquality.evaluation.evaluation_set import EvaluationSet
from xquality.heads import Encoded, MaskedLMHead, RetrievalHead, TokenHead
from xquality.metrics.classification import accuracy, f1
from xquality.models import Model, load_encoder
from xquality.tasks import MemorySource, Task
from xquality.train import Fitted, Probe, Stage, fit

MASKED = dataclasses.replace(toy.topics, head=MaskedLMHead())


@pytest.fixture(scope="module")
def fitted(encoder: Path) -> Fitted:
    return fit([Stage(toy.topics, steps=20, batch_size=16)], model=encoder, seed=1, threads=1)


def test_scores_are_those_of_the_metrics_on_the_predictions(fitted: Fitted) -> None:
    (german,) = outputs(fitted, toy.topics, ["de"])
    wanted = {**accuracy(german.predictions, german.references), **f1(german.predictions, german.references)}
    assert {score.metric: score.value for score in german.scores} == pytest.approx(wanted)


def test_a_score_prints_how_it_was_made(fitted: Fitted) -> None:
    printed = str(evaluate(fitted, toy.topics, ["de"])[0])
    assert printed.startswith("toy.topics/de accuracy = ")
    for part in ("rows:300", "split:test", "max_length:128", f"model:{fitted.model.digest[:12]}", "torch:"):
        assert part in printed


def test_scores_in_bfloat16_say_so_and_are_deterministic(fitted: Fitted, encoder: Path) -> None:
    for model, task in ((fitted, toy.topics), (encoder, toy.sentences)):
        full, half, again = (
            evaluate(model, task, ["de"], threads=1, precision=precision)[0]
            for precision in ("float32", "bfloat16", "bfloat16")
        )
        assert half == again
        assert "precision" not in full.signature
        assert half.signature == {**full.signature, "precision": "bfloat16"}
        assert half.value == pytest.approx(full.value, abs=3)


def test_predictions_are_those_of_the_scores_in_bfloat16(fitted: Fitted) -> None:
    (german,) = outputs(fitted, toy.topics, ["de"], precision="bfloat16")
    assert german.scores == tuple(evaluate(fitted, toy.topics, ["de"], precision="bfloat16"))
    assert predictions(fitted, toy.topics, ["de"], precision="bfloat16") == {"de": german.predictions}


def test_an_unknown_precision_is_refused(fitted: Fitted) -> None:
    with pytest.raises(SettingError, match="'float32', 'bfloat16'"):
        evaluate(fitted, toy.topics, ["de"], precision="float16")


def test_all_languages_are_scored_where_none_are_named(fitted: Fitted) -> None:
    assert {score.language for score in evaluate(fitted, toy.topics)} == set(toy.LANGUAGES)


def test_a_saved_model_is_scored_by_its_folder(fitted: Fitted, tmp_path: Path) -> None:
    assert evaluate(fitted.save(tmp_path / "kept"), toy.topics, ["de"]) == evaluate(fitted, toy.topics, ["de"])


def test_missing_languages_are_named_or_skipped(fitted: Fitted, tmp_path: Path) -> None:
    from xquality.tasks import MemorySource, Task

    rows = {("de", "test"): toy.topics.load("de", "test"), ("en", "test"): toy.topics.load("en", "test")}
    task = Task("partial", ("de", "sw", "en"), "en", MemorySource(rows), toy.topics.head)
    with pytest.raises(SourceError, match="sw"):
        evaluate(fitted, task)
    assert {score.language for score in evaluate(fitted, task, skip_missing=True)} == {"de", "en"}


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
    assert [(score.language, score.metric) for score in scores] == [
        (language, metric) for language in languages for metric in ("accuracy", "macro_f1")
    ]
    rows = {"xnli": 2490, "pawsx": 300, "sib200": 99}[name]
    assert all(score.rows == rows and 0 <= score.value <= 100 for score in scores)


def majority_tag() -> float:
    """Return the accuracy of the most frequent tag."""
    tags = [tag for row in toy.entities.load("en", "test")["ner_tags"] for tag in row]
    return 100 * Counter(tags).most_common(1)[0][1] / len(tags)


def majority_answer() -> float:
    """Return the exact match of the most frequent answer of the training rows."""
    counts = Counter(answers["text"][0] for answers in toy.questions.load("en", "train")["answers"])
    (frequent, _), *_ = counts.most_common(1)
    references = [answers["text"] for answers in toy.questions.load("en", "test")["answers"]]
    return 100 * sum(frequent in texts for texts in references) / len(references)


@pytest.mark.parametrize(
    ("task", "settings", "head", "metric", "baseline"),
    [
        (toy.topics, {"steps": 100, "batch_size": 32}, None, "accuracy", lambda: 100 / 6),
        (
            toy.entities,
            {"steps": 150, "batch_size": 16},
            TokenHead(toy.entities.head.labels, metrics=("accuracy",)),
            "accuracy",
            majority_tag,
        ),
        (toy.entities, {"steps": 150, "batch_size": 16, "max_length": 16}, None, "f1", lambda: 10.0),
        (toy.choices, {"steps": 250, "batch_size": 16}, None, "accuracy", lambda: 60.0),
        (toy.questions, {"steps": 300, "batch_size": 32}, None, "exact_match", lambda: 1.5 * majority_answer()),
        (MASKED, {"steps": 100, "batch_size": 16}, None, "masked_accuracy", lambda: 100 / 1000),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_toy_tasks_of_every_shape_are_learnt(encoder: Path, task: Task, settings, head, metric: str, baseline) -> None:
    fitted = fit([Stage(task, **settings)], model=encoder, seed=1, threads=1)
    scores = {score.metric: score for score in evaluate(fitted, task, ["en"], head=head, threads=1)}
    assert scores[metric].value > baseline()
    assert scores[metric].rows == len(task.load("en", "test"))  # examples, however many rows each was cut into
    if task is MASKED:
        assert scores["perplexity"].value < 250  # of a vocabulary of 1000


@pytest.mark.parametrize("plain", [True, False])
def test_any_encoder_retrieves_trained_or_plain(fitted: Fitted, encoder: Path, plain: bool) -> None:
    for score in evaluate(encoder if plain else fitted, toy.sentences, ["es", "de"]):
        assert score.value > 30  # chance is a third of one per cent
        assert score.rows == 300
        assert "|layer:1|pooling:mean" in str(score)


def test_translations_are_mined_with_a_threshold_tuned_elsewhere(encoder: Path) -> None:
    for score in evaluate(encoder, toy.mining, ["es", "de"]):
        assert score.value > 25
        assert score.rows == 700  # the sentences of the heaps that are scored
        assert "|tuned_on:validation|gold:150" in str(score)


def test_the_callers_random_state_is_left_alone(encoder: Path) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    evaluate(encoder, toy.sentences, ["es"])
    assert torch.equal(torch.get_rng_state(), before)


def test_several_layers_are_scored_in_one_pass(encoder: Path) -> None:
    model = Model(*load_encoder(encoder), 0, {})
    calls: list[object] = []
    model.network.register_forward_hook(lambda *_: calls.append(None))
    both = evaluate(model, toy.sentences, ["es"], head=RetrievalHead(layers=(0, 1)))
    calls_of_both = len(calls)
    calls.clear()
    alone = [evaluate(model, toy.sentences, ["es"], head=RetrievalHead(layer=layer))[0].value for layer in (0, 1)]
    assert calls_of_both == len(calls) / 2
    assert [score.value for score in both] == alone
    assert [score.metric for score in both] == ["accuracy@0", "accuracy@1"]
    with pytest.raises(ModelError, match="layer 7"):
        evaluate(encoder, toy.sentences, ["es"], head=RetrievalHead(layer=7))


def test_the_examples_behind_a_score_give_its_value(fitted: Fitted) -> None:
    for score in evaluate(fitted, toy.topics, ["de"]):
        assert score.each.shape[0] == score.rows
        above, below = score.each.sum(0).T
        assert 100 * (above / below)[below > 0].mean() == pytest.approx(score.value)


def test_predictions_come_in_the_form_of_each_task(fitted: Fitted, encoder: Path) -> None:
    (topics,) = predictions(fitted, toy.topics, ["de"]).values()
    assert set(topics) <= set(toy.topics.head.labels)
    assert references(toy.topics, ["de"])["de"] == [toy.topics.head.labels[label] for label in topic_labels("de")]
    retrieved = predictions(encoder, toy.sentences, ["es"])["es"]
    assert len(retrieved) == 300
    assert {type(row) for row in retrieved} == {int}
    mined = outputs(encoder, toy.mining, ["es"])[0]
    heaps = [set(toy.mining.load("es", side)["id"]) for side in ("source", "target")]
    assert all(source in heaps[0] and target in heaps[1] for source, target in mined.predictions)
    assert mined.references == references(toy.mining, ["es"])["es"]
    assert len(mined.references) == 150


def topic_labels(language: str) -> list[int]:
    return toy.topics.load(language, "test")["label"][:]


@pytest.mark.parametrize(
    ("task", "official", "settings"),
    [
        (toy.topics, "xnli", {"steps": 5}),
        (toy.entities, "panx", {"steps": 20, "max_length": 16}),
        (toy.questions, "xquad", {"steps": 20, "max_length": 48}),
        (toy.questions, "mlqa", {"steps": 20, "max_length": 48}),
        (toy.sentences, "tatoeba", None),
        (toy.mining, "bucc2018", None),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_the_files_of_a_submission_have_the_scores_of_the_same_pass(
    encoder: Path, tmp_path: Path, task: Task, official: str, settings
) -> None:
    from xquality.xtreme import file_name, score_file, write_labels, write_submission

    if official == "mlqa":
        task = dataclasses.replace(task, head=dataclasses.replace(task.head, metric="mlqa"))
    model = encoder if settings is None else fit([Stage(task, **settings)], model=encoder, seed=1, threads=1)
    (german,) = outputs(model, task, ["de"], threads=1)
    assert list(german.scores) == evaluate(model, task, ["de"], threads=1)
    ours = write_submission(tmp_path / "ours", {official: {"de": german.predictions}}, partial=True)
    gold = write_labels(tmp_path / "gold", {official: {"de": german.references}}, partial=True)
    name = Path(official) / file_name(official, "de")
    read = score_file(ours / name, gold / name, official, "de")
    assert read == {score.metric: score.value for score in german.scores if score.metric in read}


def test_options_that_are_chosen_are_numbers_and_masked_words_are_not_submitted(encoder: Path) -> None:
    chosen = outputs(fit([Stage(toy.choices, steps=2)], model=encoder, seed=1, threads=1), toy.choices, ["de"])[0]
    assert set(chosen.predictions) <= {0, 1}
    assert chosen.references == toy.choices.load("de", "test")["label"][:]
    with pytest.raises(SettingError, match="nothing that could be submitted"):
        references(MASKED, ["de"])
    with pytest.raises(SettingError, match="no head"):
        references(dataclasses.replace(toy.topics, head=None), ["de"])


def test_several_layers_cannot_be_submitted_at_once(encoder: Path) -> None:
    with pytest.raises(SettingError, match="name the one to submit"):
        predictions(encoder, toy.sentences, ["es"], head=RetrievalHead(layers=(0, 1)))


def in_memory(**rows: Dataset) -> Task:
    """Return a task over test rows of toy topics by language."""
    source = MemorySource({(language, "test"): data for language, data in rows.items()})
    return Task("mine", tuple(rows), "de", source, toy.topics.head)


def test_an_empty_language_is_named_with_its_task_or_left_out(fitted: Fitted) -> None:
    rows = toy.topics.load("de", "test").select(range(10))
    task = in_memory(de=rows, sw=rows.select([]))
    with pytest.raises(SourceError, match=r"mine.* sw"):
        evaluate(fitted, task)
    assert {score.language for score in evaluate(fitted, task, skip_missing=True)} == {"de"}
    with pytest.raises(SourceError, match=r"mine.*'sw'"):
        fit([Stage(task, rows, "de", steps=1)], model="nowhere", seed=1, evaluate_on=Probe(task=task, split="test"))


def test_rows_that_the_head_cannot_read_are_refused_with_task_and_language(fitted: Fitted) -> None:
    rows = toy.topics.load("de", "test").select(range(10))
    unlabelled = rows.map(lambda row: {"label": -1 if row["uid"] == 3 else row["label"]})
    with pytest.raises(LabelError, match="mine in 'sw'"):
        evaluate(fitted, in_memory(de=rows, sw=unlabelled))


def test_a_tab_in_a_bitext_is_refused_before_anything_is_embedded(encoder: Path) -> None:
    def spoil(language: str, split: str, root: object) -> Dataset:
        data = toy.mining.source.load(language, split, root)
        return data.map(lambda row: {"sentence": row["sentence"].replace(" ", "\t", 1)}) if "source" in split else data

    model = Model(*load_encoder(encoder), 0, {})
    calls: list[object] = []
    model.network.register_forward_hook(lambda *_: calls.append(None))
    task = dataclasses.replace(toy.mining, source=SimpleNamespace(load=spoil))
    with pytest.raises(ColumnError, match=r"toy.mining in 'es': .* tab"):
        evaluate(model, task, ["es"])
    with pytest.raises(SettingError, match="name the one to submit"):
        outputs(model, toy.sentences, ["es"], head=RetrievalHead(layers=(0, 1)))
    assert not calls


def test_few_rows_are_the_same_ones_and_are_said_in_the_signature(fitted: Fitted) -> None:
    few, more = (outputs(fitted, toy.topics, ["de", "es"], rows=rows) for rows in (20, 60))
    assert [output.scores[0].rows for output in few] == [20, 20]
    assert few[0].scores[0].signature["at_most"] == 20
    assert few[0].references == few[1].references  # the languages are parallel
    assert few[0].scores[0].signature["data"] != more[0].scores[0].signature["data"]
    assert evaluate(fitted, toy.topics, ["de"], rows=10**6)[0].rows == 300
    probe = fit(
        [Stage(toy.topics, steps=1)],
        model=fitted.save(Path(tempfile.mkdtemp()) / "start"),
        seed=1,
        evaluate_on=Probe(languages=("de",), rows=20, split="test"),
    )
    last = [point for point in probe.history.points if point.metric == "accuracy"][-1]
    assert last.value == evaluate(probe, toy.topics, ["de"], rows=20)[0].value


@pytest.mark.parametrize("rows", [0, -1, 1.5, "20", True])
def test_a_number_of_rows_that_is_none_is_refused(fitted: Fitted, rows: object) -> None:
    with pytest.raises(SettingError, match="rows"):
        evaluate(fitted, toy.topics, ["de"], rows=rows)


def test_mining_reads_all_rows(encoder: Path) -> None:
    with pytest.raises(SettingError, match="leave rows out"):
        evaluate(encoder, toy.mining, ["es"], rows=20)


@pytest.mark.parametrize("languages", ["es", "", [], 3, [None], ["xx", "xx"]])
def test_languages_are_a_list_of_the_tasks_own(fitted: Fitted, languages: object) -> None:
    with pytest.raises(SettingError) as caught:
        evaluate(fitted, toy.topics, languages)
    assert "text" not in str(caught.value)
    assert str(caught.value).count("xx") <= 1
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(("languages", "said"), [("es", "['es']"), ("spanish", "['es']"), (["spanish"], "mean 'es'")])
def test_a_language_that_is_meant_is_named(fitted: Fitted, languages: object, said: str) -> None:
    with pytest.raises(SettingError) as caught:
        evaluate(fitted, toy.topics, languages)
    assert said in str(caught.value)


@pytest.mark.parametrize("arguments", [(None, toy.topics), (3, toy.topics), ("nowhere", "xnli")])
def test_models_and_tasks_that_are_none_are_refused(arguments: tuple[object, object]) -> None:
    with pytest.raises((ModelError, SettingError), match=r"evaluate\((model|task)="):
        evaluate(*arguments)


def test_a_model_that_answers_always_the_same_is_named_with_the_constant_baseline() -> None:
    constant = [0] * 4
    rows = toy.topics.load("de", "test")
    few = rows.select(range(4))
    pool = EvaluationSet(toy.topics, ("de", "es"), (Encoded([[1]] * 4, few["label"][:]),) * 2, (few,) * 2)
    best = constant_baselines(in_memory(de=rows.select(range(4))))[0]
    with pytest.warns(ConstantAnswerWarning, match="toy.topics in de .* 1 more") as caught:
        warn_of_constant_answers(pool, [constant, constant])
    assert best.answer in str(caught[0].message)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_constant_answers(pool, [[0, 1, 0, 0], [0, 0, 0, 2]])


def test_always_the_same_answer_is_right_where_the_right_answer_is_always_the_same(fitted: Fitted) -> None:
    rows = toy.topics.load("de", "test")
    (german,) = outputs(fitted, in_memory(de=rows), ["de"])
    frequent = Counter(german.predictions).most_common(1)[0][0]
    alike = [
        row for row, label in enumerate(german.references) if label == frequent and german.predictions[row] == frequent
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert evaluate(fitted, in_memory(de=rows.select(alike)), ["de"])[0].value == 100.0


def test_the_layer_of_retrieval_and_mining_is_an_argument_and_in_the_signature(encoder: Path) -> None:
    settings = {"threads": 1, "progress": False}
    for task in (toy.sentences, toy.mining):
        by_argument = evaluate(encoder, task, ["es"], layer=0, **settings)
        by_head = evaluate(encoder, task, ["es"], head=dataclasses.replace(task.head, layer=0), **settings)
        assert by_argument == by_head
        assert by_argument[0].signature["layer"] == 0
        assert evaluate(encoder, task, ["es"], **settings)[0].signature["layer"] > 0
        assert predictions(encoder, task, ["es"], layer=0, **settings) != predictions(encoder, task, ["es"], **settings)


@pytest.mark.parametrize(
    ("task", "layer", "error"),
    [
        (toy.topics, 1, SettingError),
        (toy.sentences, "last", SettingError),
        (toy.sentences, 9, ModelError),
    ],
)
def test_a_layer_that_cannot_be_read_is_refused(encoder: Path, task: Task, layer: Any, error: type[Exception]) -> None:
    with pytest.raises(error, match="layer"):
        evaluate(encoder, task, ["es"], layer=layer, progress=False)
