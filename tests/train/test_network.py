"""The network of a mixture: one encoder with a head for each task, and the model after the stage."""

from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertModel

from xquality import toy
from xquality.evaluation import evaluate
from xquality.models import Model, load_encoder
from xquality.tasks import Task
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


@pytest.fixture(scope="module")
def bert(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An encoder whose pooler is a part of it, and has been pretrained."""
    _, tokenizer = load_encoder(encoder)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    torch.manual_seed(0)
    network = BertModel(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=130, **sizes))
    torch.nn.init.constant_(network.pooler.dense.bias, 7.0)
    folder = tmp_path_factory.mktemp("bert")
    network.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def pooler_of(network: torch.nn.Module) -> torch.Tensor:
    return network.base_model.pooler.dense.weight.detach().clone()


@pytest.mark.parametrize("task", [toy.topics, toy.choices], ids=lambda task: task.name)
def test_a_fresh_head_has_a_fresh_pooler_and_a_carried_one_keeps_it(bert: Path, tmp_path: Path, task: Task) -> None:
    start = Model(*load_encoder(bert), 0, {})
    (first,) = build_networks(Stage(task, steps=2), start, 1, tmp_path / "first")
    assert not first.base_model.pooler.dense.bias.any()
    assert not torch.equal(pooler_of(first), pooler_of(start.network))
    trained = Model(first, start.tokenizer, 64, {})
    torch.nn.init.constant_(first.base_model.pooler.dense.bias, 3.0)
    (again,) = build_networks(Stage(task, steps=2), trained, 1, tmp_path / "again")
    (other,) = build_networks(Stage(task, steps=2), trained, 2, tmp_path / "other")
    assert not again.base_model.pooler.dense.bias.any()
    assert torch.equal(pooler_of(again), pooler_of(first))  # of the same seed, whatever came before
    assert not torch.equal(pooler_of(other), pooler_of(first))
    (carried,) = build_networks(Stage(task, steps=2, head="carry"), trained, 2, tmp_path / "carried")
    assert carried is first
    encoder_weights = (network.base_model.encoder.state_dict() for network in (again, start.network))
    assert all(map(torch.equal, *(weights.values() for weights in encoder_weights)))


def test_an_encoder_with_a_pooler_is_trained_and_loaded(bert: Path, tmp_path: Path) -> None:
    stages = [Stage(toy.topics, language="es", steps=2, batch_size=8), Stage(toy.entities, steps=2, batch_size=8)]
    stages.append(Stage(toy.topics, steps=2, batch_size=8))
    fitted = fit(stages, model=bert, seed=1, threads=1, store=tmp_path / "store")
    assert Fitted.load(fitted.save(tmp_path / "saved")).model.digest == fitted.model.digest
