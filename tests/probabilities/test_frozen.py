"""A frozen encoder's embeddings: means over pieces, whatever stands beside a text in its batch."""

from pathlib import Path

import numpy as np
import pytest
import torch

from xquality import toy
from xquality.errors import SettingError
from xquality.models import load_encoder
from xquality.probabilities.frozen import Encoder


@pytest.fixture(scope="module")
def frozen(encoder: Path) -> Encoder:
    return Encoder(*load_encoder(encoder), 64)


def states(frozen: Encoder, text: str | list[str]) -> tuple[torch.Tensor, torch.Tensor, list[int | None]]:
    """Return the first and last hidden states of one text alone, and the word of each piece."""
    read = frozen.tokenizer([text], is_split_into_words=isinstance(text, list), return_tensors="pt")
    with torch.inference_mode():
        found = frozen.network(**read, output_hidden_states=True)
    return found.hidden_states[0][0], found.last_hidden_state[0], read.word_ids(0)


def test_a_text_is_the_mean_of_its_last_states(frozen: Encoder) -> None:
    texts = toy.topics.load("es", "validation")["text"][:40]
    found = frozen.of_texts(texts)
    assert found.shape == (40, 32)
    for row in (0, 17, 39):
        _, last, _ = states(frozen, texts[row])
        assert found[row] == pytest.approx(last.mean(dim=0).numpy(), abs=1e-5)


def test_a_token_is_the_mean_of_the_states_of_its_pieces(frozen: Encoder) -> None:
    sentences = toy.entities.load("es", "test")["tokens"][:30]
    counts = np.array([len(one) for one in sentences])
    found, judged = frozen.of_tokens([one for row in sentences for one in row], counts)
    assert judged.all()
    assert found.shape == (counts.sum(), 64)
    start = counts[:7].sum()
    first, last, words = states(frozen, list(sentences[7]))
    for place in range(counts[7]):
        pieces = [at for at, word in enumerate(words) if word == place]
        wanted = torch.cat([first[pieces].mean(dim=0), last[pieces].mean(dim=0)])
        assert found[start + place] == pytest.approx(wanted.numpy(), abs=1e-5)


def test_tokens_beyond_the_length_are_not_judged(encoder: Path) -> None:
    short = Encoder(*load_encoder(encoder), 6)
    words = ["uno", "dos", "tres", "cuatro", "cinco", "seis", "siete"]
    found, judged = short.of_tokens([*words, "uno"], np.array([7, 0, 1]))
    assert judged[0]
    assert judged[-1]
    assert not judged[6]
    assert len(found) == judged.sum() < 8


def test_more_tokens_than_the_encoder_reads_are_refused(encoder: Path) -> None:
    with pytest.raises(SettingError, match="512 tokens"):
        Encoder(*load_encoder(encoder), 513)
