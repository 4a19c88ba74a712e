"""Fixtures of the tests of training."""

import pytest


@pytest.fixture
def no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail where a stage is trained."""
    monkeypatch.setattr("transformers.Trainer.train", lambda *_, **__: pytest.fail("a stage was trained"))
