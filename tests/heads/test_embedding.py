"""EmbeddingHead: which layers and tokens are read, of any model."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from xquality.errors import ModelError, SettingError
from xquality.heads import Encoded, RetrievalHead
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
    assert RetrievalHead(**settings)._layers(depth) == layers


def test_special_tokens_are_left_out_by_their_place(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    ids = tokenizer(["hola \U0001f9ed mundo", "sí"])["input_ids"]  # the second word is unknown, and no special token
    assert tokenizer.unk_token_id in ids[0]
    encoded = Encoded(ids, [0, 0])
    with_them, without = (
        RetrievalHead(special_tokens=one).batch(encoded, [0, 1], tokenizer)["pool"] for one in (True, False)
    )
    assert with_them.sum(1).tolist() == [len(one) for one in ids]
    assert without.sum(1).tolist() == [len(one) - 2 for one in ids]
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
