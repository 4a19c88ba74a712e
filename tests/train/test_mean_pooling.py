"""SequenceHead(pooling="mean"): what it computes, and that all that works with the stock head works with it."""

import dataclasses
import pickle  # noqa: TID251 (of our own network, in this process)
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset
from transformers import AutoModel, PreTrainedModel

from xquality import LabelNoise, toy
from xquality.errors import ModelError, SettingError, TrainingError
from xquality.evaluation import evaluate, outputs
from xquality.heads import RetrievalHead, SequenceHead
from xquality.models import load_encoder
from xquality.probabilities import from_fine_tuning
from xquality.tasks import Task
from xquality.train import Fitted, Mixture, Probe, Selection, Stage, fit
from xquality.train.network import build_networks


def mean_pooled(task: Task) -> Task:
    assert isinstance(task.head, SequenceHead)
    return dataclasses.replace(task, head=dataclasses.replace(task.head, pooling="mean"))


TOPICS = mean_pooled(toy.topics)
HEAD = TOPICS.head


@pytest.fixture(scope="module")
def bert(write_bert: Callable[[int], Path]) -> Path:
    """An encoder with a pooler of its own, as mBERT, LaBSE and multilingual-e5-small have."""
    return write_bert(2)


@pytest.fixture(params=["xlm-roberta", "bert"])
def family(request: pytest.FixtureRequest, encoder: Path, bert: Path) -> Path:
    return {"xlm-roberta": encoder, "bert": bert}[request.param]


def build(folder: Path, seed: int = 0) -> PreTrainedModel:
    torch.manual_seed(seed)
    assert isinstance(HEAD, SequenceHead)
    return HEAD.build(folder).eval()


def test_the_logits_are_those_of_the_mean_of_the_attended_tokens_at_length_20(family: Path, spanish: Dataset) -> None:
    network, (plain, tokenizer) = build(family), load_encoder(family)
    assert isinstance(HEAD, SequenceHead)
    encoded = HEAD.encode(spanish.select(range(3)), tokenizer, 32)
    batch = HEAD.batch(encoded, [0, 1, 2], tokenizer)
    with torch.no_grad():
        found = HEAD.run(network, batch).logits
        for row in range(3):  # one by one, without padding
            states = plain(torch.from_numpy(encoded.input_ids[row][None].astype(np.int64))).last_hidden_state
            mean = states[0].mean(0)
            expected = network.mean_classifier(20 * mean / mean.norm())
            assert torch.allclose(found[row], expected, atol=1e-4)


def test_the_segments_of_a_pair_are_read_where_the_model_has_them(bert: Path) -> None:
    network, ids = build(bert), torch.tensor([[0, 5, 2, 6, 2]])
    with torch.no_grad():
        plain, marked = (network(ids, token_type_ids=types).logits for types in (None, torch.tensor([[0, 0, 0, 1, 1]])))
    assert not torch.allclose(plain, marked)


def test_only_the_last_layer_is_new_and_it_is_drawn_from_the_random_state(family: Path) -> None:
    first, again, other = build(family), build(family), build(family, seed=1)
    assert torch.equal(first.mean_classifier.weight, again.mean_classifier.weight)
    assert not torch.equal(first.mean_classifier.weight, other.mean_classifier.weight)
    plain = load_encoder(family)[0].state_dict()
    own = first.base_model.state_dict()
    assert {name for name in plain if name not in own} <= {"pooler.dense.weight", "pooler.dense.bias"}
    assert all(torch.equal(plain[name], weights) for name, weights in own.items())


def test_it_learns_is_saved_and_loaded_and_its_encoder_is_one_of_transformers(family: Path, tmp_path: Path) -> None:
    stage = Stage(TOPICS, steps=60, batch_size=16, learning_rate=2e-3, selection=Selection("best_source", every=30))
    settings = {"model": family, "seed": 1, "threads": 1, "store": tmp_path / "store"}
    fitted = fit([stage], evaluate_on=Probe(languages=("de",), rows=20, points=5), **settings)
    losses = [point.value for point in fitted.history.points if point.metric == "loss"]
    assert losses[-1] < losses[1]  # the first is of one batch
    stored = fit([stage], evaluate_on=Probe(languages=("de",), rows=20, points=5), **settings)
    loaded = Fitted.load(fitted.save(tmp_path / "saved"))
    (score,) = evaluate(fitted, TOPICS, ["de"], progress=False)[:1]
    for same in (stored, loaded):
        assert same.model.digest == fitted.model.digest
        assert evaluate(same, TOPICS, ["de"], progress=False)[0] == score
    assert score.signature["pooling"] == "mean"
    assert "auto_map" not in (tmp_path / "saved/config.json").read_text()
    encoder = AutoModel.from_pretrained(tmp_path / "saved").state_dict()
    for name, weights in fitted.model.encoder().state_dict().items():
        assert torch.equal(encoder[name], weights), name
    after = fit([Stage(toy.topics, steps=1, batch_size=8)], model=tmp_path / "saved", seed=1, threads=1)
    assert after.history.stages[0]["steps"] == 1
    assert evaluate(loaded, toy.sentences, ["de"], head=RetrievalHead(layer=1), progress=False)[0].value > 0


def test_a_carried_head_goes_on_and_a_head_of_the_other_pooling_is_refused(family: Path, tmp_path: Path) -> None:
    first = Stage(TOPICS, language="es", steps=3, batch_size=8, learning_rate=1e-3)
    settings = {"model": family, "seed": 1, "threads": 1}
    fitted = fit([first, Stage(TOPICS, steps=2, batch_size=8, head="carry")], **settings)
    fresh = fit([first, Stage(TOPICS, steps=2, batch_size=8)], **settings)
    assert fitted.model.digest != fresh.model.digest
    start = fit([first], planned_stages=1, **settings).model
    network = build_networks(Stage(TOPICS, steps=2, head="carry"), start, 5, tmp_path / "scratch")[0]
    assert network is start.network
    with pytest.raises(TrainingError, match="equal labels"):
        fit([first, Stage(toy.topics, steps=2, head="carry")], **settings)
    with pytest.raises(ModelError, match="pooling"):
        evaluate(fitted, toy.topics, ["de"])


def test_probabilities_submissions_and_weights(family: Path, spanish: Dataset) -> None:
    noisy = LabelNoise(0.2)(spanish.select(range(60)), seed=1)
    settings = {"model": family, "seed": 1, "threads": 1}
    predicted = from_fine_tuning(noisy, TOPICS, folds=2, steps=2, batch_size=8, language="es", **settings)
    assert np.asarray(predicted["probabilities"][:]).sum(1) == pytest.approx(np.ones(60))
    weighted = spanish.add_column("weight", [0.0, 2.0] * 100)
    plain, other = (
        fit([Stage(TOPICS, rows, "es", steps=3, batch_size=8, learning_rate=1e-2)], **settings)
        for rows in (spanish, weighted)
    )
    assert plain.model.digest != other.model.digest
    (found,) = outputs(plain, TOPICS, ["de"], rows=10, progress=False)
    assert set(found.predictions) <= set(toy.topics.head.labels)


def test_a_mixture_of_both_poolings_shares_its_encoder(family: Path, tmp_path: Path) -> None:
    both = Mixture((TOPICS, toy.inference))
    for task in (both, Mixture((toy.inference, TOPICS))):
        fitted = fit([Stage(task, steps=4, batch_size=8)], model=family, seed=1, threads=1)
        assert Fitted.load(fitted.save(tmp_path / task.name)).model.digest == fitted.model.digest


@pytest.mark.parametrize("arguments", [{"bf16": True}, {"gradient_accumulation_steps": 2}])
@pytest.mark.parametrize("checkpointed", [False, True])
def test_a_step_may_be_computed_in_other_ways(family: Path, arguments: dict, checkpointed: bool) -> None:
    settings = {**arguments, **({"activation_checkpointing": True} if checkpointed else {})}
    stage = Stage(TOPICS, steps=3, batch_size=8, arguments=settings)
    fitted = fit([stage], model=family, seed=1, threads=1)
    assert evaluate(fitted, TOPICS, ["de"], rows=5, progress=False)[0].value >= 0


def test_a_network_can_be_pickled(family: Path) -> None:
    fitted = fit([Stage(TOPICS, steps=1, batch_size=8)], model=family, seed=1, threads=1)
    again = pickle.loads(pickle.dumps(fitted.model))  # noqa: S301 (our own)
    own = fitted.model.network.state_dict()
    assert all(torch.equal(own[name], weights) for name, weights in again.network.state_dict().items())


def test_the_pooling_is_in_the_repr_only_when_it_is_not_the_stock_heads() -> None:
    assert (
        repr(toy.topics.head)
        == f"SequenceHead(columns=('text',), labels={toy.topics.head.labels!r}, metrics=('accuracy', 'macro_f1'))"
    )
    assert repr(HEAD).endswith("metrics=('accuracy', 'macro_f1'), pooling='mean')")
    assert toy.topics.head.signature() == {"head": "sequence", "labels": list(toy.topics.head.labels)}


def test_an_unknown_pooling_is_refused(run_python: Callable[..., str]) -> None:
    with pytest.raises(SettingError, match="pooling"):
        SequenceHead(("text",), ("a", "b"), pooling="max")
    program = "import sys, xquality.heads; print('torch' in sys.modules)"
    assert run_python(program) == "False"
