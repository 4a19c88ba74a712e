"""Heads of sentence vectors: which layers and tokens are read, of any model, and pooling as in the official code."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from xquality.errors import ModelError, SettingError
from xquality.heads import Encoded, RetrievalHead
from xquality.heads.embedding import pool
from xquality.models import load_encoder


@pytest.mark.parametrize(
    ("settings", "depth", "layers"),
    [
        ({}, 12, (8,)),
        ({}, 24, (14,)),
        ({}, 3, (3,)),
        ({"layer": -1}, 12, (12,)),
        ({"layer": 0}, 12, (0,)),
        ({"layers": (1, 4, -1)}, 12, (1, 4, 12)),
        ({"layers": range(3)}, 12, (0, 1, 2)),
    ],
)
def test_the_layer_is_the_official_one_unless_others_are_named(settings, depth: int, layers: tuple[int, ...]) -> None:
    outputs = SimpleNamespace(hidden_states=[torch.zeros(1, 1, 2)] * (depth + 1))
    (vectors,) = RetrievalHead(**settings).predict(outputs, {"pool": torch.ones(1, 1).bool()})
    assert tuple(vectors) == layers


def test_special_tokens_are_left_out_by_their_place(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    ids = tokenizer(["hola \U0001f9ed mundo", "sí"])["input_ids"]  # the second word is unknown, and no special token
    assert tokenizer.unk_token_id in ids[0]
    encoded = Encoded(ids, [0, 0])
    with_them, without = (
        RetrievalHead(special_tokens=special).batch(encoded, [0, 1], tokenizer)["pool"] for special in (True, False)
    )
    assert with_them.sum(1).tolist() == [len(row) for row in ids]
    assert without.sum(1).tolist() == [len(row) - 2 for row in ids]
    assert not without[:, 0].any()


def test_every_layer_is_read_in_one_pass(encoder: Path) -> None:
    network, tokenizer = load_encoder(encoder)
    head = RetrievalHead(layers=(0, 1))
    batch = head.batch(Encoded(tokenizer(["hola", "tenis y viento"])["input_ids"], [0, 0]), [1, 0], tokenizer)
    calls = []
    network.register_forward_hook(lambda *_: calls.append(1))
    with torch.no_grad():
        found = head.predict(head.run(network, batch), batch)
        states = network(tokenizer(["hola"], return_tensors="pt")["input_ids"], output_hidden_states=True).hidden_states
    assert len(calls) == 2  # one of them is this test's own
    for layer in (0, 1):
        assert found[1][layer] == pytest.approx(states[layer][0].mean(0).numpy(), abs=1e-5)


def test_a_layer_that_the_encoder_does_not_have_is_refused() -> None:
    network = SimpleNamespace(config=SimpleNamespace(num_hidden_layers=12))
    RetrievalHead(layers=(-13, 12)).check_network(network)
    for layer in (13, -14):
        with pytest.raises(ModelError, match="12"):
            RetrievalHead(layer=layer).check_network(network)


@pytest.mark.parametrize(
    "settings", [{"pooling": "max"}, {"layer": 1, "layers": (2,)}, {"layers": ()}, {"layer": 0.5}, {"max_length": 0}]
)
def test_settings_out_of_range_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        RetrievalHead(**settings)


def test_vectors_are_pooled_as_in_the_official_code(parity: Path) -> None:
    arrays = np.load(parity / "pooling.npz")
    cases = [json.loads(line) for line in (parity / "pooling.jsonl").read_text(encoding="utf-8").split("\n") if line]
    assert len(cases) == 7
    for case in cases:
        expected = case["expected"]
        mask = torch.tensor(expected["pool_mask"]).bool()
        for layer, hidden in enumerate(arrays[case["inputs"]["hidden"]]):
            states = torch.from_numpy(hidden)
            assert np.allclose(pool(states, mask, "cls"), arrays[expected["cls"]][layer], atol=1e-6)
            mean = pool(states, mask, "mean").numpy()
            known = [row for row in range(len(mean)) if row not in expected["nan_rows"]]
            assert np.allclose(mean[known], arrays[expected["mean"]][layer][known], atol=1e-6)
            assert not mean[expected["nan_rows"]].any()  # the official code gives no number for them


def test_half_precision_is_widened_before_the_mean() -> None:
    states = torch.full((1, 3000, 1), 100.0, dtype=torch.float16)  # the sum would be infinite in float16
    assert float(pool(states, torch.ones(1, 3000).bool(), "mean")) == 100.0
