"""Probabilities by fine-tuning: no row is predicted by a model that saw it, and finished models are looked up."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset

import xquality as xq
from xquality import toy
from xquality.errors import LabelError, SettingError, TrainingError
from xquality.heads import MaskedLMHead, SequenceHead
from xquality.probabilities import fine_tuning, from_fine_tuning
from xquality.tasks import Task
from xquality.train import Stage

TASK = Task("words", ("es",), "es", toy.topics.source, SequenceHead(("text",), ("home", "animal", "weather")))


@pytest.fixture(scope="module")
def predicted(noisy: Dataset, encoder: Path) -> Dataset:
    return from_fine_tuning(noisy, TASK, model=encoder, seed=1, folds=2, steps=40, threads=1)


def test_more_noise_is_found_than_by_chance(predicted: Dataset, check_probabilities: Callable[[Dataset], None]) -> None:
    check_probabilities(predicted)


def test_the_record_says_how_it_was_made(predicted: Dataset) -> None:
    last = xq.history(predicted)[-1]
    assert last.transform == "from_fine_tuning"
    assert last.settings["folds"] == 2
    assert last.settings["threads"] == 1
    assert last.settings["stage"]["budget"] == {"steps": 40}
    assert [model["rows"] for model in last.details["models"]] == [60, 60]
    assert len({model["weights_after"] for model in last.details["models"]}) == 2
    assert len(last.details["model"]) == 32


def test_no_row_is_predicted_by_a_model_that_saw_it_or_its_copy(
    noisy: Dataset, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubled = xq.concatenate([noisy.select(range(30)), noisy.select(range(30))], names=["first", "second"])
    trained: list[set[str]] = []
    seen: list[set[str]] = []
    fit, predict_probabilities = fine_tuning.fit, fine_tuning.predict_probabilities

    def watched_fit(stages: Sequence[Stage], **others: Any) -> Any:
        assert stages[0].data is not None
        trained.append(set(stages[0].data["text"]))
        return fit(stages, **others)

    def watched_predict(model: Any, data: Any) -> Any:
        seen.append({model.tokenizer.decode(ids, skip_special_tokens=True) for ids in data.encoded[0].input_ids})
        return predict_probabilities(model, data)

    monkeypatch.setattr(fine_tuning, "fit", watched_fit)
    monkeypatch.setattr(fine_tuning, "predict_probabilities", watched_predict)
    made = from_fine_tuning(doubled, TASK, model=encoder, seed=1, folds=3, steps=1, threads=1)
    assert len(trained) == len(seen) == 3
    for training, held_out in zip(trained, seen, strict=True):
        assert len(training) + len(held_out) == 30  # each text on one side only
    assert all(row is not None for row in made["probabilities"])


def test_the_order_of_rows_changes_nothing(noisy: Dataset, encoder: Path) -> None:
    some = noisy.select(range(40))
    straight, shuffled = (
        from_fine_tuning(data, TASK, model=encoder, seed=1, folds=2, steps=2, threads=1)
        for data in (some, some.shuffle(seed=3))
    )
    assert {row["uid"]: row["probabilities"] for row in straight} == {
        row["uid"]: row["probabilities"] for row in shuffled
    }


def test_models_that_were_trained_before_are_looked_up(
    noisy: Dataset, encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from xquality.train import trainer

    some = noisy.select(range(40))
    arguments: dict[str, Any] = {"model": encoder, "seed": 1, "folds": 2, "steps": 2, "threads": 1, "store": tmp_path}
    first = from_fine_tuning(some, TASK, **arguments)

    def train(*_: object, **__: object) -> None:
        pytest.fail("a model was trained again")

    monkeypatch.setattr(trainer, "train", train)
    assert xq.digest(from_fine_tuning(some, TASK, **arguments)) == xq.digest(first)


def test_invalid_arguments_are_refused(noisy: Dataset, encoder: Path) -> None:
    silent = Task("silent", ("es",), "es", toy.topics.source, MaskedLMHead())
    with pytest.raises(TrainingError, match="silent gives no probabilities"):
        from_fine_tuning(noisy, silent, model=encoder, seed=1)
    with pytest.raises(SettingError, match="one budget"):
        from_fine_tuning(noisy, TASK, model=encoder, seed=1, steps=2, epochs=2)
    with pytest.raises(SettingError, match="cannot be trained"):
        from_fine_tuning(noisy, toy.sentences, model=encoder, seed=1)
    with pytest.raises(LabelError, match="This head gives"):
        from_fine_tuning(toy.inference.load("es", "test").rename_column("premise", "text"), TASK, model=encoder, seed=1)
    with pytest.raises(LabelError, match="different texts"):
        from_fine_tuning(noisy.select(range(2)), TASK, model=encoder, seed=1)


@pytest.mark.parametrize("task", [toy.entities, toy.choices, toy.questions])
def test_every_trainable_head_gives_probabilities_of_its_shape(task: Task, encoder: Path) -> None:
    data = task.load("es", "test").select(range(30))
    predicted = from_fine_tuning(data, task, model=encoder, seed=1, folds=2, steps=1, threads=1, max_length=48)
    for row in predicted:
        values = row["probabilities"]
        if task is toy.questions:
            assert 0 <= values <= 1
        elif task is toy.choices:
            assert len(values) == 2
            assert sum(values) == pytest.approx(1)
        else:
            assert [len(tags) for tags in values] == [7] * len(row["tokens"])
            assert [sum(tags) for tags in values] == pytest.approx([1.0] * len(values))
    column = {"toy.entities": "ner_tags", "toy.questions": "answers"}.get(task.name, "label")
    if task is not toy.choices:
        flagged = xq.CleanlabFilter(action="flag", probabilities="probabilities", column=column, max_fraction=0.2)(
            predicted, seed=1
        )
        assert "label_issue" in flagged.column_names
