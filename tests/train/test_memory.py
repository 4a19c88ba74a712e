"""A device without enough memory: the error names what to try next."""

import pytest
import torch

from xquality import toy
from xquality.errors import TrainingError
from xquality.train import Selection, Stage, fit, memory


@pytest.mark.parametrize(
    ("sizes", "suggestion"),
    [
        (
            (32, 1, 1),
            "compute it in more parts with arguments={'gradient_accumulation_steps': 2}, or set batch_size=16",
        ),
        ((10, 2, 1), "compute it in more parts with arguments={'gradient_accumulation_steps': 5}, or set batch_size=4"),
        ((8, 1, 4), "compute it in more parts with arguments={'gradient_accumulation_steps': 2}, or set batch_size=4"),
        ((4, 4, 1), "lower max_length, or set arguments={'activation_checkpointing': True}"),
        ((1, 1, 1), "lower max_length, or set arguments={'activation_checkpointing': True}"),
    ],
)
def test_the_suggestion_is_a_setting_that_fit_takes(sizes, suggestion):
    assert memory.suggest(*sizes) == suggestion


def raise_out_of_memory(*_arguments, **_settings):
    raise torch.OutOfMemoryError


@pytest.mark.parametrize("selection", [Selection(), Selection("best_source", every=1)])
def test_a_score_during_training_that_does_not_fit_names_no_batch_size(encoder, monkeypatch, selection):
    monkeypatch.setattr("xquality.heads.SequenceHead.predict", raise_out_of_memory)
    stage = Stage(toy.topics, steps=2, batch_size=8, selection=selection)
    evaluate_on = ["de"] if selection == Selection() else None
    with pytest.raises(TrainingError, match="Scoring rows during training"):
        fit([stage], model=encoder, seed=1, threads=1, evaluate_on=evaluate_on)


def test_weights_that_do_not_fit_are_explained_too(encoder, monkeypatch):
    monkeypatch.setattr("transformers.Trainer.__init__", raise_out_of_memory)
    with pytest.raises(TrainingError, match="set batch_size=4"):
        fit([Stage(toy.topics, steps=2, batch_size=8)], model=encoder, seed=1, threads=1)
