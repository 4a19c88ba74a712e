"""Fixtures: short noisy texts whose class one word decides."""

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
