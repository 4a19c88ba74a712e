"""RetrievalHead: pairs, the official direction of the search, layers and pooling in the score."""

from pathlib import Path

import numpy as np
import pytest
from datasets import Dataset

from xquality import toy
from xquality.errors import ColumnError
from xquality.heads import RetrievalHead
from xquality.models import load_encoder

HEAD = RetrievalHead(layer=1)


def test_a_pair_is_one_example_of_two_rows(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    data = toy.sentences.load("es", "test").select(range(5))
    encoded = HEAD.encode(data, tokenizer, 512)
    assert (encoded.examples, len(encoded)) == (5, 10)
    pairs = HEAD.join_rows(list(range(10)), encoded)
    assert pairs[2] == (4, 5)
    assert encoded.input_ids[5].tolist() == tokenizer(data[2]["target_sentence"])["input_ids"]


def test_line_ends_are_stripped(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    plain, with_line_end = (
        HEAD.encode(Dataset.from_dict({"source_sentence": [text], "target_sentence": ["y"]}), tokenizer, 512)
        for text in ("hola", "hola\n")
    )
    assert plain.digest() == with_line_end.digest()


def test_each_target_looks_for_the_nearest_source_by_its_direction() -> None:
    sources = np.array([[1.0, 0.0], [0.0, 5.0], [1.0, 1.0]], np.float32)
    targets = np.array([[9.0, 0.1], [3.0, 3.1], [0.2, 0.2]], np.float32)  # the second is nearer to the third source
    pairs = [({1: source}, {1: target}) for source, target in zip(sources, targets, strict=True)]
    (value,) = HEAD.score(pairs, [0, 1, 2], "es")
    assert value.value == pytest.approx(200 / 3)
    assert value.statistics[:, 0, 0].tolist() == [1.0, 0.0, 1.0]
    assert value.signature == {"layer": 1, "pooling": "mean"}


def test_metrics_of_several_layers_have_different_names() -> None:
    head = RetrievalHead(layers=(0, 1), special_tokens=False)
    pairs = [({0: row, 1: row}, {0: row, 1: -row}) for row in np.eye(2, dtype=np.float32)]
    values = head.score(pairs, [0, 1], "es")
    assert [(value.metric, value.value) for value in values] == [("accuracy@0", 100.0), ("accuracy@1", 0.0)]
    assert values[0].signature == {"layer": 0, "pooling": "mean", "special_tokens": False}


def test_rows_it_cannot_read_are_refused() -> None:
    with pytest.raises(ColumnError):
        HEAD.check(Dataset.from_dict({"source_sentence": ["a"]}))
