"""Frozen embeddings and layers, and a learning rate of the head's own."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import Trainer, TrainerCallback

from xquality import toy
from xquality.errors import SettingError
from xquality.heads import MaskedLMHead, SequenceHead
from xquality.models import load_encoder
from xquality.train import Fitted, Mixture, Stage, fit
from xquality.train.checkpoint import Checkpoints

WORDS = "embeddings.word_embeddings.weight"


@pytest.fixture(scope="module")
def deep(write_bert: Callable[[int], Path]) -> Path:
    """An encoder of three layers with a pooler and dropout."""
    return write_bert(3)


def train(folder: Path, **settings: object) -> Fitted:
    given = {"steps": 4, "batch_size": 8, "learning_rate": 1e-2, **settings}
    return fit([Stage(given.pop("task", toy.topics), **given)], model=folder, seed=1, threads=1)


def moved(folder: Path, fitted: Fitted) -> set[str]:
    """Return which weights of the encoder have changed, the pooler left out."""
    before, after = load_encoder(folder)[0].state_dict(), fitted.model.encoder().state_dict()
    return {name for name in before if not name.startswith("pooler") and not torch.equal(before[name], after[name])}


class Optimizer(TrainerCallback):
    """Keeps the optimiser of a stage."""

    def on_train_end(self, args, state, control, **others) -> None:
        self.groups = others["optimizer"].param_groups
        self.states = others["optimizer"].state_dict()["state"]
        self.network = others["model"]


def test_frozen_embeddings_keep_the_words_and_train_the_rest(deep: Path) -> None:
    everything, some = moved(deep, train(deep)), moved(deep, train(deep, frozen_embeddings=True))
    assert some == everything - {WORDS}
    assert WORDS in everything


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_frozen_layers_are_the_lowest_ones_with_all_below(deep: Path, layers: int) -> None:
    found = moved(deep, train(deep, frozen_layers=layers))
    assert {name.split(".")[2] for name in found} == {str(layer) for layer in range(layers, 3)}
    assert all(name.startswith("encoder.layer.") for name in found)


def test_frozen_weights_have_no_gradient_and_no_state(deep: Path) -> None:
    kept = Optimizer()
    fitted = train(deep, frozen_embeddings=True, callbacks=[kept])
    words = kept.network.base_model.embeddings.word_embeddings.weight
    assert words.grad is None
    assert all(weights is not words for group in kept.groups for weights in group["params"])
    assert len(kept.states) == sum(len(group["params"]) for group in kept.groups)
    assert all(weights.requires_grad for weights in fitted.model.network.parameters())


@pytest.fixture
def rates(monkeypatch: pytest.MonkeyPatch) -> list[list[float]]:
    """The learning rate of each group at every step."""
    seen: list[list[float]] = []
    step = Trainer.training_step

    def training_step(self, *args, **others):
        seen.append([group["lr"] for group in self.optimizer.param_groups])
        return step(self, *args, **others)

    monkeypatch.setattr(Trainer, "training_step", training_step)
    return seen


@pytest.mark.parametrize("pooling", ["first", "mean"])
def test_the_head_has_a_rate_of_its_own_with_the_same_schedule(deep: Path, rates: list, pooling: str) -> None:
    task = dataclasses.replace(toy.topics, head=dataclasses.replace(toy.topics.head, pooling=pooling))
    kept = Optimizer()
    settings = {"task": task, "steps": 4, "schedule": "linear", "warmup": 0.25, "arguments": {"weight_decay": 0.01}}
    train(deep, learning_rate=1e-4, head_learning_rate=1e-2, callbacks=[kept], **settings)
    network = kept.network
    own = {id(weights) for name, weights in network.named_parameters() if "pooler" in name or "classifier" in name}
    for group in kept.groups:
        assert len({id(weights) in own for weights in group["params"]}) == 1
    heads = [id(group["params"][0]) in own for group in kept.groups]
    assert sorted(heads) == [False, False, True, True]
    assert {group["weight_decay"] for group in kept.groups} == {0.0, 0.01}
    for number, share in enumerate((0.0, 1.0, 2 / 3, 1 / 3)):
        assert rates[number] == pytest.approx([share * (1e-2 if head else 1e-4) for head in heads])


def test_equal_rates_give_the_weights_of_one_rate(deep: Path) -> None:
    one, two = train(deep, learning_rate=1e-3), train(deep, learning_rate=1e-3, head_learning_rate=1e-3)
    assert one.model.digest == two.model.digest
    assert "head_learning_rate" not in one.history.stages[0]
    assert two.history.stages[0]["head_learning_rate"] == 1e-3


def test_all_layers_may_be_frozen_with_a_head_of_its_own_rate(deep: Path) -> None:
    assert not moved(deep, train(deep, frozen_layers=3, head_learning_rate=1e-2))


@pytest.mark.parametrize(
    "settings",
    [
        {"arguments": {"activation_checkpointing": True}},
        {"precision": "bfloat16"},
        {"arguments": {"gradient_accumulation_steps": 2}},
        {"task": Mixture((toy.topics, toy.inference))},
    ],
    ids=["checkpointing", "bfloat16", "accumulation", "mixture"],
)
def test_a_step_may_be_computed_in_other_ways(deep: Path, settings: dict) -> None:
    fitted = train(deep, frozen_embeddings=True, frozen_layers=1, head_learning_rate=1e-2, **settings)
    assert {name.split(".")[2] for name in moved(deep, fitted)} == {"1", "2"}


def test_masked_language_modelling_keeps_its_output_table_too(deep: Path) -> None:
    task = dataclasses.replace(toy.topics, name="lm", head=MaskedLMHead())
    data = toy.topics.load("es", "train").select(range(40))
    found = moved(deep, train(deep, task=task, data=data, frozen_embeddings=True, head_learning_rate=1e-2))
    assert found
    assert WORDS not in found


def test_the_next_stage_trains_everything_again(deep: Path) -> None:
    frozen = Stage(toy.topics, language="es", steps=2, batch_size=8, frozen_layers=3, frozen_embeddings=True)
    after = Stage(toy.topics, steps=2, batch_size=8, head="carry", learning_rate=1e-2)
    fitted = fit([frozen, after], model=deep, seed=1, threads=1)
    assert WORDS in moved(deep, fitted)


def test_a_stage_is_looked_up_with_its_settings_only(deep: Path, tmp_path: Path) -> None:
    changes = ({}, {"frozen_embeddings": True}, {"frozen_layers": 1}, {"frozen_layers": 2}, {"head_learning_rate": 0.1})
    for change in changes:
        stage = Stage(toy.topics, steps=2, batch_size=8, **change)
        for _ in range(2):
            fit([stage], model=deep, seed=1, threads=1, store=tmp_path)
    assert len([entry for entry in tmp_path.iterdir() if len(entry.name) == 32]) == len(changes)
    assert "frozen" not in repr(Stage(toy.topics))
    assert "frozen_layers=2" in repr(Stage(toy.topics, frozen_layers=2))


@pytest.mark.parametrize("stop", [5, 20, 35])
def test_a_run_in_parts_is_the_run_in_one(
    deep: Path, tmp_path: Path, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(store: Path) -> Fitted:
        head = dataclasses.replace(toy.topics.head, pooling="mean", prefix="query: ")
        assert isinstance(head, SequenceHead)
        stage = Stage(
            dataclasses.replace(toy.topics, head=head), steps=40, batch_size=8, schedule="linear", precision="bfloat16",
            frozen_embeddings=True, frozen_layers=1, head_learning_rate=1e-2, learning_rate=1e-3,
        )  # fmt: skip
        return fit([stage], model=deep, seed=1, store=store, threads=1, checkpoint_every=5, evaluate_on=["de"])

    whole, write = run(tmp_path / "whole"), Checkpoints.write

    def write_and_stop(self, step, state, tensors) -> None:
        write(self, step, state, tensors)
        if step == stop:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoints, "write", write_and_stop)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut")
    monkeypatch.undo()
    again = run(tmp_path / "cut")
    assert again.model.digest == whole.model.digest
    assert again.history == whole.history


@pytest.mark.parametrize(
    "settings",
    [
        {"frozen_embeddings": 1},
        {"frozen_layers": -1},
        {"frozen_layers": True},
        {"head_learning_rate": 0},
        {"head_learning_rate": "1e-3"},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(SettingError, match=next(iter(settings))):
        Stage(toy.topics, **settings)


def test_more_layers_than_there_are_is_refused_before_training(deep: Path, no_training: None) -> None:
    with pytest.raises(SettingError, match="3 layers"):
        train(deep, frozen_layers=4)
