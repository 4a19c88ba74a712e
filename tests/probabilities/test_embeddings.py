"""Probabilities from embeddings: out of sample, whatever the order of the rows, and good enough to find noise."""

from pathlib import Path

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, Value

import xquality as xq
from xquality import toy
from xquality.errors import ColumnError, LabelError, ModelError, SettingError
from xquality.models import Model, load_encoder
from xquality.probabilities import from_embeddings

WORDS = (("casa", "puerta", "mesa", "cama"), ("perro", "gato", "vaca", "lobo"), ("lluvia", "nieve", "viento", "sol"))
FILLERS = ("veo", "hay", "tengo", "quiero", "busco", "miro", "pinto", "llega", "cae", "viene")


def rows() -> Dataset:
    """Return 120 texts whose class is told by one word."""
    found = [(f"{filler} {word}", label) for label, words in enumerate(WORDS) for word in words for filler in FILLERS]
    features = Features({"text": Value("string"), "label": ClassLabel(names=["home", "animal", "weather"])})
    texts, labels = zip(*found, strict=True)
    return Dataset.from_dict({"text": texts, "label": labels}, features=features)


@pytest.fixture(scope="module")
def noisy() -> Dataset:
    return xq.LabelNoise(0.2)(rows(), seed=1)


def test_it_finds_more_noise_than_chance(noisy: Dataset, encoder: Path) -> None:
    judged = from_embeddings(noisy, encoder, seed=1, threads=1)
    probabilities = np.array(judged["probabilities"][:])
    assert probabilities.shape == (120, 3)
    assert probabilities.sum(axis=1) == pytest.approx(1)
    found = xq.audit(xq.CleanlabFilter(action="flag", probabilities="probabilities")(judged, seed=1))
    assert found.precision > 0.4  # chance is 0.2
    assert found.recall > 0.5


def test_pairs_of_texts_are_read(encoder: Path) -> None:
    data = toy.inference.load("es", "train").select(range(120))
    judged = from_embeddings(data, encoder, seed=1, threads=1, folds=3)
    assert np.array(judged["probabilities"][:]).shape == (120, 3)
    assert xq.history(judged)[-1].settings["text_columns"] == ["premise", "hypothesis"]
    named = from_embeddings(data, encoder, seed=1, threads=1, folds=3, text_columns=["hypothesis"], name="other")
    assert named["other"][:] != judged["probabilities"][:]


def test_tokens_are_judged_with_null_where_they_were_not_read(encoder: Path) -> None:
    noisy = xq.TagNoise(0.3)(toy.entities.load("es", "train").select(range(200)), seed=1)
    judged = from_embeddings(noisy, encoder, seed=1, threads=1, column="ner_tags")
    assert [len(one) for one in judged["probabilities"]] == [len(one) for one in judged["tokens"]]
    flagged = xq.CleanlabFilter(action="flag", probabilities="probabilities", column="ner_tags")(judged, seed=1)
    found = xq.audit(flagged, column="ner_tags")
    assert found.precision > 2 * found.noisy / found.rows
    short = from_embeddings(noisy, encoder, seed=1, threads=1, column="ner_tags", max_length=8)
    cut = [token for one in short["probabilities"] for token in one]
    assert None in cut
    assert any(one is not None for one in cut)
    flags = xq.CleanlabFilter(action="flag", probabilities="probabilities", column="ner_tags")(short, seed=1)
    issues = np.concatenate(flags["label_issue"][:])
    assert issues.any()
    assert not issues[[one is None for one in cut]].any()


def test_the_order_of_rows_changes_nothing(noisy: Dataset, encoder: Path) -> None:
    some = noisy.select(range(60))
    one = from_embeddings(some, encoder, seed=1, threads=1)
    other = from_embeddings(some.shuffle(seed=3), encoder, seed=1, threads=1)
    assert {row["uid"]: row["probabilities"] for row in one} == {row["uid"]: row["probabilities"] for row in other}
    again = from_embeddings(some, encoder, seed=2, threads=1)
    assert again["probabilities"][:] != one["probabilities"][:]


def test_copies_of_a_row_do_not_betray_its_label(noisy: Dataset, encoder: Path) -> None:
    # Labels that the text does not tell: only a model that saw the twin knows them.
    random = np.random.default_rng(0).integers(0, 2, len(noisy))
    data = noisy.select_columns(["text", "uid"]).add_column("label", random).cast_column("label", ClassLabel(2))
    doubled = xq.concatenate([data, data], names=["one", "two"])
    judged = from_embeddings(doubled, encoder, seed=1, threads=1, folds=4)
    probabilities = np.array(judged["probabilities"][:])
    assert probabilities[:120] == pytest.approx(probabilities[120:])
    assert (probabilities.argmax(axis=1) == np.tile(random, 2)).mean() < 0.65


def test_a_trained_model_gives_the_same_as_its_encoder(noisy: Dataset, encoder: Path) -> None:
    some = noisy.select(range(60))
    model = Model(*load_encoder(encoder), 0, {})
    one, other = (from_embeddings(some, which, seed=1, threads=1) for which in (encoder, model))
    assert one["probabilities"][:] == other["probabilities"][:]
    assert xq.history(one)[-1].details == {"model": model.digest}
    assert xq.history(one)[-1].versions.keys() >= {"torch", "transformers", "scikit-learn"}


def test_what_cannot_be_judged_is_refused(noisy: Dataset, encoder: Path) -> None:
    with pytest.raises(ColumnError, match="'nothing'"):
        from_embeddings(noisy, encoder, seed=1, column="nothing")
    with pytest.raises(LabelError, match="class names"):
        from_embeddings(noisy, encoder, seed=1, column="text")
    with pytest.raises(LabelError, match="needs 5 different texts"):
        from_embeddings(noisy.select(range(4)), encoder, seed=1)
    with pytest.raises(SettingError, match="max_length"):
        from_embeddings(noisy, encoder, seed=1, max_length=1)
    with pytest.raises(ModelError, match="could not be loaded"):
        from_embeddings(noisy, "/nonexistent", seed=1)
