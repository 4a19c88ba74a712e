"""Model: the digest says whether two models predict alike, and loading refuses what is no model."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hub_server import Fault, Hub

from xquality.errors import ModelError
from xquality.models import Model, load_encoder
from xquality.models.model import load_model, weights_digest


def test_the_digest_survives_saving_and_sees_weights_and_configuration(encoder: Path, tmp_path: Path) -> None:
    model = Model(*load_encoder(encoder), 64, {"head": "none"})
    model.save(tmp_path)
    again = load_model(tmp_path)
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


PROGRAM = """
import json, sys
from xquality.errors import XqualityError
from xquality.models import load_encoder
from xquality.models.model import weights_digest
for name in json.loads(sys.argv[1]):
    try:
        network, tokenizer = load_encoder(name)
        print(json.dumps([weights_digest(network), len(tokenizer)]))
    except XqualityError as fault:
        print(json.dumps([type(fault).__name__, str(fault)]))
"""


def test_encoders_come_from_the_hub_at_a_revision_and_nothing_damaged_is_believed(
    encoder: Path, tmp_path: Path
) -> None:
    first, second = "a" * 40, "b" * 40
    files = {file.name: file.read_bytes() for file in encoder.iterdir() if file.is_file()}
    names = ("good", "busy", "short", "weights", "settings", "pieces", "cut")
    made = {f"made/{name}": {first: files} for name in names}
    made["made/good"][second] = {"config.json": b"{}"}
    names_at_revision = [f"made/{name}@{first}" for name in names]
    absent = [f"made/good@{'c' * 40}", "made/nothing", f"made/good@{second}"]
    with Hub(made) as hub:
        hub.faults += [
            Fault("busy", f"made/busy/resolve/{first}/config.json"),
            Fault("short", f"made/short/resolve/{first}/model.safetensors"),
            # What is damaged is fetched twice at the first call, and the client tries a cut connection six times.
            Fault("torn", f"made/weights/resolve/{first}/model.safetensors", 2),
            Fault("torn", f"made/settings/resolve/{first}/config.json", 2),
            Fault("torn", f"made/pieces/resolve/{first}/tokenizer.json", 2),
            Fault("cut", f"made/cut/resolve/{first}/model.safetensors", 6),
        ]
        settings = {"HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0", "NO_PROXY": "127.0.0.1"}
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, json.dumps([*names_at_revision, *absent, *names_at_revision])],
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **settings},
            timeout=100,
        )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    network, tokenizer = load_encoder(encoder)
    right = [weights_digest(network), len(tokenizer)]
    assert found[:3] == [right] * 3
    refused = found[3 : len(names_at_revision) + len(absent)]
    assert {kind for kind, _ in refused} == {"ModelError"}
    assert all("could not be loaded" in sentence and "\n" not in sentence for _, sentence in refused)
    assert found[-len(names_at_revision) :] == [right] * len(names_at_revision)
    assert [fault.times for fault in hub.faults] == [0] * len(hub.faults)
