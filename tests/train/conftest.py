"""Fixtures of the tests of training."""

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def write_bert(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Return what writes a small BERT of some layers, with a pooler and dropout, and the tokenizer of `encoder`."""

    def write(layers: int) -> Path:
        import torch
        from transformers import BertConfig, BertModel

        from xquality.models import load_encoder

        _, tokenizer = load_encoder(encoder)
        sizes = {"hidden_size": 16, "num_hidden_layers": layers, "num_attention_heads": 2, "intermediate_size": 16}
        torch.manual_seed(0)
        network = BertModel(BertConfig(vocab_size=len(tokenizer), max_position_embeddings=130, **sizes))
        folder = tmp_path_factory.mktemp("bert")
        network.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return write


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a stage is trained."""
    monkeypatch.setattr("transformers.Trainer.train", lambda *_, **__: pytest.fail("a stage was trained"))
