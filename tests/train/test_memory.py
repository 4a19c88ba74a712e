import pytest
import torch

from xquality import toy
from xquality.errors import TrainingError
from xquality.train import Selection, Stage, fit, memory


@pytest.mark.parametrize(
    ("asked", "said"),
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
def test_the_advice_is_one_that_fit_takes(asked, said):
    assert memory.advice(*asked) == said


def _full(*_arguments, **_settings):
    raise torch.OutOfMemoryError


@pytest.mark.parametrize("selection", [Selection(), Selection("best_source", every=1)])
def test_a_score_on_the_way_that_does_not_fit_blames_no_batch(encoder, monkeypatch, selection):
    monkeypatch.setattr("xquality.train.job.score_set", _full)
    monkeypatch.setattr("xquality.train.probe.score_set", _full)
    stage = Stage(toy.topics, steps=2, batch_size=8, selection=selection)
    probed = ["de"] if selection == Selection() else None
    with pytest.raises(TrainingError, match="Scoring rows on the way"):
        fit([stage], model=encoder, seed=1, threads=1, evaluate_on=probed)


def test_weights_that_do_not_fit_are_told_as_well(encoder, monkeypatch):
    monkeypatch.setattr("transformers.Trainer.__init__", _full)
    with pytest.raises(TrainingError, match="set batch_size=4"):
        fit([Stage(toy.topics, steps=2, batch_size=8)], model=encoder, seed=1, threads=1)
