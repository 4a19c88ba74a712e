"""Probabilities from embeddings: out of sample, whatever the order of the rows, and good enough to find noise."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import ClassLabel, Dataset

import xquality as xq
from xquality import toy
from xquality.errors import ColumnError, LabelError, ModelError, SettingError
from xquality.heads.frozen_encoder import FrozenEncoder
from xquality.models import Model, load_encoder
from xquality.probabilities import from_embeddings


def test_more_noise_is_found_than_by_chance(
    noisy: Dataset, encoder: Path, check_probabilities: Callable[[Dataset], None]
) -> None:
    check_probabilities(from_embeddings(noisy, encoder, seed=1, threads=1))


def test_pairs_of_texts_are_read(encoder: Path) -> None:
    data = toy.inference.load("es", "train").select(range(120))
    predicted = from_embeddings(data, encoder, seed=1, threads=1, folds=3)
    assert np.array(predicted["probabilities"][:]).shape == (120, 3)
    assert xq.history(predicted)[-1].settings["text_columns"] == ["premise", "hypothesis"]
    named = from_embeddings(data, encoder, seed=1, threads=1, folds=3, text_columns=["hypothesis"], name="other")
    assert named["other"][:] != predicted["probabilities"][:]


def test_tokens_get_probabilities_and_null_if_they_were_not_read(encoder: Path) -> None:
    noisy = xq.TagNoise(0.3)(toy.entities.load("es", "train").select(range(200)), seed=1)
    predicted = from_embeddings(noisy, encoder, seed=1, threads=1, column="ner_tags")
    lengths = [len(tokens) for tokens in predicted["tokens"]]
    assert [len(tokens) for tokens in predicted["probabilities"]] == lengths
    flagged = xq.CleanlabFilter(action="flag", probabilities="probabilities", column="ner_tags")(predicted, seed=1)
    found = xq.audit(flagged, column="ner_tags")
    assert found.precision > 2 * found.noisy / found.rows
    short = from_embeddings(noisy, encoder, seed=1, threads=1, column="ner_tags", max_length=8)
    unread = np.array([token is None for tokens in short["probabilities"] for token in tokens])
    assert unread.any()
    assert not unread.all()
    flags = xq.CleanlabFilter(action="flag", probabilities="probabilities", column="ner_tags")(short, seed=1)
    issues = np.concatenate(flags["label_issue"][:])
    assert issues.any()
    assert not issues[unread].any()


def test_the_order_of_rows_changes_nothing(noisy: Dataset, encoder: Path) -> None:
    some = noisy.select(range(60))
    straight, shuffled = (
        {row["uid"]: row["probabilities"] for row in from_embeddings(data, encoder, seed=1, threads=1)}
        for data in (some, some.shuffle(seed=3))
    )
    assert straight == shuffled
    other_seed = from_embeddings(some, encoder, seed=2, threads=1)
    assert other_seed["probabilities"][:] != list(straight.values())


def test_a_copy_of_a_row_does_not_reveal_its_label(noisy: Dataset, encoder: Path) -> None:
    # Random labels: only a model that saw the copy can predict them.
    random = np.random.default_rng(0).integers(0, 2, len(noisy))
    data = noisy.select_columns(["text", "uid"]).add_column("label", random).cast_column("label", ClassLabel(2))
    doubled = xq.concatenate([data, data], names=["first", "second"])
    predicted = from_embeddings(doubled, encoder, seed=1, threads=1, folds=4)
    probabilities = np.array(predicted["probabilities"][:])
    assert probabilities[:120] == pytest.approx(probabilities[120:])
    assert (probabilities.argmax(axis=1) == np.tile(random, 2)).mean() < 0.65


def test_a_trained_model_gives_the_same_as_its_encoder(noisy: Dataset, encoder: Path) -> None:
    some = noisy.select(range(60))
    model = Model(*load_encoder(encoder), 0, {})
    of_folder, of_model = (from_embeddings(some, source, seed=1, threads=1) for source in (encoder, model))
    assert of_folder["probabilities"][:] == of_model["probabilities"][:]
    assert xq.history(of_folder)[-1].details == {"model": model.digest}
    assert xq.history(of_folder)[-1].versions.keys() >= {"torch", "transformers", "scikit-learn"}


def test_invalid_arguments_are_refused(noisy: Dataset, encoder: Path) -> None:
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


@pytest.fixture(scope="module")
def frozen(encoder: Path) -> FrozenEncoder:
    return FrozenEncoder(*load_encoder(encoder), 64)


def states(frozen: FrozenEncoder, text: str | list[str]) -> tuple[torch.Tensor, torch.Tensor, list[int | None]]:
    """Return the first and last hidden states of one text alone, and the word of each piece."""
    read = frozen.tokenizer([text], is_split_into_words=isinstance(text, list), return_tensors="pt")
    with torch.inference_mode():
        outputs = frozen.network(**read, output_hidden_states=True)
    return outputs.hidden_states[0][0], outputs.last_hidden_state[0], read.word_ids(0)


def test_a_text_is_the_mean_of_its_last_states_whatever_is_in_its_batch(frozen: FrozenEncoder) -> None:
    texts = toy.topics.load("es", "validation")["text"][:40]
    embeddings = frozen.embed_texts(texts)
    assert embeddings.shape == (40, 32)
    for row in (0, 17, 39):
        _, last, _ = states(frozen, texts[row])
        assert embeddings[row] == pytest.approx(last.mean(dim=0).numpy(), abs=1e-5)


def test_a_token_is_the_mean_of_the_states_of_its_pieces(frozen: FrozenEncoder) -> None:
    sentences = toy.entities.load("es", "test")["tokens"][:30]
    counts = np.array([len(sentence) for sentence in sentences])
    embeddings, read = frozen.embed_tokens([token for sentence in sentences for token in sentence], counts)
    assert read.all()
    assert embeddings.shape == (counts.sum(), 64)
    start = counts[:7].sum()
    first, last, words = states(frozen, list(sentences[7]))
    for token in range(counts[7]):
        pieces = [piece for piece, word in enumerate(words) if word == token]
        wanted = torch.cat([first[pieces].mean(dim=0), last[pieces].mean(dim=0)])
        assert embeddings[start + token] == pytest.approx(wanted.numpy(), abs=1e-5)


def test_tokens_beyond_the_length_have_no_embedding(encoder: Path) -> None:
    short = FrozenEncoder(*load_encoder(encoder), 6)
    words = ["uno", "dos", "tres", "cuatro", "cinco", "seis", "siete"]
    embeddings, read = short.embed_tokens([*words, "uno"], np.array([7, 0, 1]))
    assert read[0]
    assert read[-1]
    assert not read[6]
    assert len(embeddings) == read.sum() < 8


def test_more_tokens_than_the_encoder_reads_are_refused(noisy: Dataset, encoder: Path) -> None:
    with pytest.raises(SettingError, match="512 tokens"):
        from_embeddings(noisy, encoder, seed=1, max_length=513)


def test_a_prefix_and_a_layer_are_read_and_recorded(noisy: Dataset, encoder: Path) -> None:
    some, settings = noisy.select(range(60)), {"seed": 1, "threads": 1}
    plain = from_embeddings(some, encoder, **settings)
    last = from_embeddings(some, encoder, layer=-1, **settings)
    assert last["probabilities"][:] == plain["probabilities"][:]
    assert "layer" not in xq.history(plain)[-1].settings
    assert xq.history(last)[-1].settings["layer"] > 0
    lowest = from_embeddings(some, encoder, layer=0, **settings)
    asked = from_embeddings(some, encoder, prefix="query: ", **settings)
    for other, name, value in ((lowest, "layer", 0), (asked, "prefix", "query: ")):
        assert other["probabilities"][:] != plain["probabilities"][:]
        assert xq.history(other)[-1].settings[name] == value
    with pytest.raises(ModelError, match="layer 99"):
        from_embeddings(some, encoder, layer=99, **settings)
    with pytest.raises(SettingError, match="prefix"):
        from_embeddings(some, encoder, prefix=None, **settings)


def test_the_prefix_of_a_tagged_row_is_a_word_that_gets_no_embedding(encoder: Path) -> None:
    network, tokenizer = load_encoder(encoder)
    tokens, counts = ["hola", "mundo", "sí"], np.array([2, 1])
    plain, read = FrozenEncoder(network, tokenizer, 64).embed_tokens(tokens, counts)
    found, asked = FrozenEncoder(network, tokenizer, 64, "query: ").embed_tokens(tokens, counts)
    assert read.all()
    assert asked.all()
    expected = FrozenEncoder(network, tokenizer, 64).embed_tokens(
        ["query:", "hola", "mundo", "query:", "sí"], np.array([3, 2])
    )[0]
    assert np.allclose(found, expected[[1, 2, 4]])
    assert not np.allclose(found, plain)
