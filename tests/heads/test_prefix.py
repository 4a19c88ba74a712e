"""A prefix before every text: it is tokenised with the text, on both sides of a pair, and recorded where it is set."""

import dataclasses
from pathlib import Path

import pytest
from datasets import Dataset

from xquality import toy
from xquality.errors import SettingError
from xquality.evaluation import evaluate
from xquality.heads import MiningHead, RetrievalHead, SequenceHead
from xquality.models import load_encoder

PREFIX = "query: "


def test_it_is_tokenised_with_the_text(encoder: Path, spanish: Dataset) -> None:
    _, tokenizer = load_encoder(encoder)
    assert isinstance(toy.topics.head, SequenceHead)
    head, rows = dataclasses.replace(toy.topics.head, prefix=PREFIX), spanish.select(range(5))
    expected = tokenizer([PREFIX + text for text in rows["text"]], truncation=True, max_length=12)["input_ids"]
    assert [ids.tolist() for ids in head.encode(rows, tokenizer, 12).input_ids] == expected


def test_both_texts_of_a_pair_have_it(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    assert isinstance(toy.inference.head, SequenceHead)
    head, rows = dataclasses.replace(toy.inference.head, prefix=PREFIX), toy.inference.load("es", "test").select([0])
    (ids,) = head.encode(rows, tokenizer, 128).input_ids
    assert ids.tolist() == tokenizer(PREFIX + rows[0]["premise"], PREFIX + rows[0]["hypothesis"])["input_ids"]


def test_retrieval_and_mining_have_it_on_both_sides(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    pairs = toy.sentences.load("es", "test").select(range(2))
    ids = RetrievalHead(prefix=PREFIX).encode(pairs, tokenizer, 64).input_ids
    texts = [PREFIX + pairs[row][f"{side}_sentence"].strip() for row in (0, 1) for side in ("source", "target")]
    assert [row.tolist() for row in ids] == tokenizer(texts)["input_ids"]
    rows = {"id": ["a", "b"], "sentence": ["hola", "hello"], "side": ["source", "target"], "pairs": [["b"], []]}
    ids = MiningHead(prefix=PREFIX).encode(Dataset.from_dict(rows), tokenizer, 64).input_ids
    assert [row.tolist() for row in ids] == tokenizer([PREFIX + text for text in rows["sentence"]])["input_ids"]


def test_scores_name_the_prefix_and_the_layer(encoder: Path) -> None:
    settings = {"threads": 1, "progress": False}
    plain = evaluate(encoder, toy.sentences, ["es"], head=RetrievalHead(layer=0), **settings)[0]
    other = evaluate(encoder, toy.sentences, ["es"], head=RetrievalHead(layer=0, prefix=PREFIX), **settings)[0]
    assert "prefix" not in plain.signature
    assert (other.signature["prefix"], other.signature["layer"]) == (PREFIX, 0)
    assert other.value != plain.value


def test_it_is_in_the_repr_only_where_it_is_set() -> None:
    for head in (RetrievalHead(), MiningHead(), toy.topics.head):
        assert "prefix" not in repr(head)
        assert repr(dataclasses.replace(head, prefix=PREFIX)).count("prefix='query: '") == 1
        assert dataclasses.replace(head, prefix=PREFIX).signature() == head.signature()


@pytest.mark.parametrize("prefix", [None, 3, ["query: "], "\ud800"])
def test_a_prefix_that_is_no_text_is_refused(prefix: object) -> None:
    with pytest.raises(SettingError, match="prefix"):
        RetrievalHead(prefix=prefix)
    with pytest.raises(SettingError, match="prefix"):
        SequenceHead(("text",), ("a", "b"), prefix=prefix)
