"""The network of a mixture: one encoder with a head for each task, and the model after the stage."""

from pathlib import Path

import torch

from xquality import toy
from xquality.evaluation import evaluate
from xquality.models import Model, load_encoder
from xquality.train import Fitted, Mixture, Stage, fit
from xquality.train.network import MultiTaskNetwork, build_networks

BOTH = Mixture((toy.topics, toy.inference))


def test_the_heads_share_one_encoder_and_each_moves_it(encoder: Path, tmp_path: Path) -> None:
    start = Model(*load_encoder(encoder), 0, {})
    shared = MultiTaskNetwork(build_networks(Stage(BOTH, steps=2), start, 1, tmp_path / "scratch"))
    first, second = shared.parts
    assert first.base_model.embeddings is second.base_model.embeddings
    assert first.base_model.encoder is second.base_model.encoder
    alone = sum(weights.numel() for weights in start.network.parameters())
    assert sum(weights.numel() for weights in shared.parameters()) < 1.2 * alone
    ids = torch.tensor([[0, 5, 6, 2]])
    assert shared(0, input_ids=ids).logits.shape == (1, 6)
    assert shared(1, input_ids=ids).logits.shape == (1, 3)


def test_the_head_of_the_first_task_is_the_same_alone_and_in_a_mixture(encoder: Path, tmp_path: Path) -> None:
    start = Model(*load_encoder(encoder), 0, {})
    mixed = build_networks(Stage(BOTH, steps=2), start, 7, tmp_path / "one")
    alone = build_networks(Stage(toy.topics, steps=2), start, 7, tmp_path / "two")
    for name, value in alone[0].state_dict().items():
        assert torch.equal(value, mixed[0].state_dict()[name]), name


def test_a_mixture_trains_saves_and_is_carried_on(encoder: Path, tmp_path: Path) -> None:
    data = {"toy.inference": toy.inference.load("es", "train").select(range(100))}
    stages = [Stage(BOTH, data, steps=30, batch_size=8), Stage(toy.topics, steps=2, batch_size=8, head="carry")]
    fitted = fit(stages, model=encoder, seed=1, threads=1, store=tmp_path / "store")
    stage = fitted.history.stages[0]
    assert stage["task"] == "toy.topics+toy.inference"
    assert stage["steps_by_task"] == {"toy.topics": 27, "toy.inference": 3}
    assert fitted.languages == ("en", "es")
    again = Fitted.load(fitted.save(tmp_path / "saved"))
    assert again.model.digest == fitted.model.digest
    assert evaluate(again, toy.topics, ["de"])[0].value >= 0


def test_a_mixture_may_recompute_activations(encoder: Path) -> None:
    def weights(**arguments: object) -> torch.Tensor:
        fitted = fit([Stage(BOTH, steps=4, batch_size=8, arguments=arguments)], model=encoder, seed=1, threads=1)
        return torch.cat([tensor.flatten() for tensor in fitted.model.network.state_dict().values()])

    assert torch.allclose(weights(activation_checkpointing=True), weights(), atol=1e-5)
