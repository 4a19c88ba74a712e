"""Model: the digest says whether two models predict alike, and loading refuses what is no model."""

import shutil
from pathlib import Path

import pytest

from xquality.errors import ModelError
from xquality.model import Model, load, load_encoder, weights_digest


def test_the_digest_survives_saving_and_sees_weights_and_configuration(encoder: Path, tmp_path: Path) -> None:
    model = Model(*load_encoder(encoder), 64, {"head": "none"})
    model.save(tmp_path)
    again = load(tmp_path)
    assert again.digest == model.digest
    again.network.config.layer_norm_eps = 0.5
    assert Model(again.network, again.tokenizer, 64, {}).digest != model.digest
    next(again.network.parameters()).data += 1
    assert weights_digest(again.network) != weights_digest(model.network)


@pytest.mark.parametrize("name", ["no/such-model", "no-such-folder", "owner/model@0123456789abcdef"])
def test_a_model_that_is_nowhere_is_refused(name: str) -> None:
    with pytest.raises(ModelError, match="could not be loaded"):
        load_encoder(name)


def test_a_torn_model_is_refused(encoder: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn"
    shutil.copytree(encoder, torn)
    weights = torn / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError):
        load_encoder(torn)
