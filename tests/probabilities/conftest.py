"""Fixtures: short noisy texts whose class one word decides, and what good probabilities of them are."""

from collections.abc import Callable

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, Value

import xquality as xq

WORDS = (("casa", "puerta", "mesa", "cama"), ("perro", "gato", "vaca", "lobo"), ("lluvia", "nieve", "viento", "sol"))
FILLERS = ("veo", "hay", "tengo", "quiero", "busco", "miro", "pinto", "llega", "cae", "viene")


@pytest.fixture(scope="module")
def noisy() -> Dataset:
    """Return 120 texts of three classes, a fifth of the labels wrong."""
    rows = [(f"{filler} {word}", label) for label, words in enumerate(WORDS) for word in words for filler in FILLERS]
    features = Features({"text": Value("string"), "label": ClassLabel(names=["home", "animal", "weather"])})
    texts, labels = zip(*rows, strict=True)
    return xq.LabelNoise(0.2)(Dataset.from_dict({"text": texts, "label": labels}, features=features), seed=1)


@pytest.fixture
def check_probabilities() -> Callable[[Dataset], None]:
    """Return a check that the probabilities of the noisy texts are distributions and reveal the noise."""

    def check(data: Dataset) -> None:
        probabilities = np.array(data["probabilities"][:])
        assert probabilities.shape == (120, 3)
        assert probabilities.sum(axis=1) == pytest.approx(1)
        found = xq.audit(xq.CleanlabFilter(action="flag", probabilities="probabilities")(data, seed=1))
        assert found.precision > 0.4  # chance is 0.2
        assert found.recall > 0.5

    return check
