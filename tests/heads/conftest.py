"""A tokenizer of another make than the tiny encoder's: it reads Chinese character by character, and has segments."""

import pytest
from transformers import BertTokenizer

from xquality import toy


@pytest.fixture(scope="session")
def by_character() -> BertTokenizer:
    data = toy.questions.load("zh", "test")
    characters = sorted({character for name in ("context", "question") for text in data[name] for character in text})
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters]
    return BertTokenizer(vocab={word: place for place, word in enumerate(words)})
