"""A step of training, in one part or several, and its errors."""

from pathlib import Path

import pytest
import torch

from xquality import toy
from xquality.errors import SettingError, TrainingError
from xquality.train import Stage, fit


def test_a_batch_computed_in_parts_is_the_same_step(encoder: Path) -> None:
    def losses(**arguments: object) -> list[float]:
        stage = Stage(toy.topics, steps=6, batch_size=8, arguments=arguments)
        history = fit([stage], model=encoder, seed=1, threads=1).history
        return [point.value for point in history.points if point.metric == "loss"]

    assert losses(gradient_accumulation_steps=4) == pytest.approx(losses(), rel=1e-4)


def test_gradient_checkpointing_changes_nothing_but_memory(encoder: Path) -> None:
    def weights(**arguments: object) -> torch.Tensor:
        fitted = fit([Stage(toy.topics, steps=4, batch_size=8, arguments=arguments)], model=encoder, seed=1, threads=1)
        return torch.cat([tensor.flatten() for tensor in fitted.model.network.state_dict().values()])

    assert torch.allclose(weights(activation_checkpointing=True), weights(), atol=1e-5)


def test_a_batch_that_cannot_be_cut_evenly_is_refused(encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "3")
    with pytest.raises(SettingError, match="in each of 3 processes"):
        fit([Stage(toy.topics, steps=2, batch_size=8)], model=encoder, seed=1, threads=1)


def test_a_batch_that_does_not_fit_names_the_one_to_try(encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args, **_settings):
        raise torch.OutOfMemoryError

    monkeypatch.setattr("transformers.Trainer.train", full)
    with pytest.raises(TrainingError, match=r"set batch_size=16\."):
        fit([Stage(toy.topics, steps=2, batch_size=32)], model=encoder, seed=1, threads=1)
