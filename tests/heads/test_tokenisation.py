"""Tokenisation: slices change nothing, and a frame is what the tokenizer puts around its texts."""

from pathlib import Path

import pytest
from transformers import BertTokenizer

from xquality.heads import tokenisation
from xquality.heads.tokenisation import Frame, tokenise
from xquality.models import load_encoder

BERT = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b", "##b"]
TEXTS = ["hola", "tenis y viento", "", "die Musik"]


def test_rows_are_tokenised_in_slices_as_all_at_once(encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, tokenizer = load_encoder(encoder)
    whole, _ = tokenise(tokenizer, [TEXTS, TEXTS[::-1]], 9)
    monkeypatch.setattr(tokenisation, "SLICE", 3)
    sliced, _ = tokenise(tokenizer, [TEXTS, TEXTS[::-1]], 9)
    expected = tokenizer(TEXTS, TEXTS[::-1], truncation=True, max_length=9)["input_ids"]
    assert [row.tolist() for row in whole] == [row.tolist() for row in sliced] == expected


@pytest.mark.parametrize("texts", [["tenis y viento"], ["tenis", "la música"]])
def test_a_framed_text_equals_the_tokenizers_output(encoder: Path, texts: list[str]) -> None:
    bert = BertTokenizer(vocab={word: place for place, word in enumerate(BERT)})
    for tokenizer in (load_encoder(encoder)[1], bert):
        frame = Frame.of(tokenizer, len(texts))
        bare = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts]
        ids, segments = frame.wrap(*bare)
        expected = tokenizer(*texts, return_token_type_ids=True)
        assert ids.tolist() == expected["input_ids"]
        assert segments.tolist() == expected["token_type_ids"]
        assert frame.size == len(ids) - sum(map(len, bare))
        start = frame.start(*map(len, bare[:-1]))
        assert ids[start : start + len(bare[-1])].tolist() == bare[-1]
