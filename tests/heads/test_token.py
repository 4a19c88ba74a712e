"""TokenHead: tags at first pieces, long sentences cut and joined again, official scores, what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import ClassLabel, Dataset, Features, List, Value
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy
from transformers.modeling_outputs import TokenClassifierOutput

from xquality import toy
from xquality.errors import ColumnError, LabelError, SettingError
from xquality.heads import TokenHead, tokenisation
from xquality.heads.token import cut_between_words, pieces_of_words
from xquality.metrics import tagging
from xquality.models import load_encoder
from xquality.tasks.shapes import with_head_labels

HEAD = toy.entities.head
LABELS = HEAD.labels


def rows(tokens: list[list[str]], tags: list[list[int]]) -> Dataset:
    features = Features({"tokens": List(Value("string")), "ner_tags": List(ClassLabel(names=list(LABELS)))})
    return Dataset.from_dict({"tokens": tokens, "ner_tags": tags}, features=features)


def as_predicted(encoded) -> list[np.ndarray]:
    """Return the gold tags in the form in which `predict` gives tags."""
    return [labels[labels != -100] for labels in encoded.targets]


def test_only_first_pieces_have_a_label(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    encoded = HEAD.encode(rows([["Wolkenkratzer", "in", "Lima"]], [[0, 0, 5]]), tokenizer, 128)
    ids, labels = encoded.input_ids[0], encoded.targets[0]
    assert len(ids) > 5
    assert labels[0] == labels[-1] == -100  # special tokens
    assert labels[labels != -100].tolist() == [0, 0, 5]
    pieces = tokenizer(["Wolkenkratzer"], is_split_into_words=True, add_special_tokens=False)["input_ids"]
    assert labels[1 : 1 + len(pieces)].tolist() == [0] + [-100] * (len(pieces) - 1)


@pytest.mark.parametrize("max_length", [4, 7, 12, 128])
def test_no_word_is_lost_however_short_the_rows(encoder: Path, max_length: int) -> None:
    _, tokenizer = load_encoder(encoder)
    data = rows(
        [*toy.entities.load("de", "test")["tokens"][:20], [], ["\u200b", "Donaudampfschifffahrtsgesellschaft", ""]],
        [*toy.entities.load("de", "test")["ner_tags"][:20], [], [1, 2, 0]],
    )
    encoded = HEAD.encode(data, tokenizer, max_length)
    assert encoded.lengths().max() <= max_length
    assert encoded.examples == 22
    found = HEAD.join_rows(as_predicted(encoded), encoded)
    assert (
        found == encoded.references_or_targets == [[LABELS[tag] for tag in sentence] for sentence in data["ner_tags"]]
    )


def test_parts_of_a_sentence_have_its_weight_and_keys_of_their_own(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    data = toy.entities.load("de", "test").select(range(5)).add_column("weight", [0.0, 1.0, 2.0, 3.0, 4.0])
    encoded = HEAD.encode(data, tokenizer, 8)
    assert len(encoded) > 5
    assert encoded.weights.tolist() == encoded.owners.tolist()
    assert len(set(encoded.keys.tolist())) == len(encoded)


def test_predictions_are_the_tags_at_first_pieces(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    encoded = HEAD.encode(toy.entities.load("es", "test").select(range(3)), tokenizer, 128)
    batch = HEAD.batch(encoded, [2, 0], tokenizer)
    logits = torch.nn.functional.one_hot(batch["labels"].clamp(min=0), len(LABELS)).float()
    found = HEAD.predict(TokenClassifierOutput(logits=logits), batch)
    assert [tags.tolist() for tags in found] == [as_predicted(encoded)[row].tolist() for row in (2, 0)]


def test_the_loss_is_the_mean_over_words_weighted_by_their_rows() -> None:
    logits, labels = torch.randn(2, 3, 7), torch.tensor([[1, -100, 2], [0, -100, -100]])
    out = TokenClassifierOutput(logits=logits)
    plain = cross_entropy(logits.reshape(-1, 7), labels.reshape(-1), ignore_index=-100)
    assert torch.allclose(HEAD.loss(out, {"labels": labels}), plain)
    weighted = HEAD.loss(out, {"labels": labels, "weights": torch.tensor([1.0, 0.0])})
    assert torch.allclose(weighted, cross_entropy(logits[0][[0, 2]], labels[0][[0, 2]], reduction="sum") / 3)


def test_scores_are_those_of_the_metrics_and_add_up_from_the_sentences() -> None:
    gold = [["B-PER", "I-PER", "O"], ["B-LOC"], ["O", "O"], []]
    found = [["B-PER", "O", "B-LOC"], ["B-LOC"], ["I-PER", "O"], []]
    head = TokenHead(LABELS, metrics=("accuracy", "f1", "precision", "recall"))
    values = {value.metric: value for value in head.score(found, gold, "de")}
    expected = {**tagging.chunk_f1(found, gold), **tagging.token_accuracy(found, gold)}
    assert list(values) == ["accuracy", "f1", "precision", "recall"]
    for name, value in values.items():
        assert value.value == expected[name]
        sums = value.statistics[:, 0].sum(0)
        assert 100 * sums[0] / sums[1] == pytest.approx(value.value)


def test_words_that_are_ignored_are_neither_learnt_nor_scored(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    data = rows([["Wolkenkratzer", "in", "Lima"]], [[0, -100, 5]])
    encoded = HEAD.encode(data, tokenizer, 128)
    assert [labels.tolist() for labels in as_predicted(encoded)] == [[0, 5]]
    assert HEAD.references(data) == [[LABELS[0], LABELS[5]]]
    assert with_head_labels(data, HEAD)["ner_tags"][:] == [[0, -100, 5]]
    other = ClassLabel(names=list(LABELS[::-1]))
    renamed = data.cast_column("ner_tags", List(other))
    last = len(LABELS) - 1
    assert with_head_labels(renamed, HEAD)["ner_tags"][:] == [[last, -100, last - 5]]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (rows([["a", "b"]], [[0]]), LabelError),
        (rows([["a"]], [[-1]]), LabelError),
        (rows([["a"]], [None]), LabelError),
        (rows([["a"]], [[0]]).remove_columns("tokens"), ColumnError),
        (Dataset.from_dict({"tokens": ["a b"], "ner_tags": [[0]]}), ColumnError),
        (Dataset.from_dict({"tokens": [["a"]], "ner_tags": [[0]]}), LabelError),
    ],
)
def test_rows_it_cannot_read_are_refused(data: Dataset, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        HEAD.check(data)


def test_no_room_for_words_is_refused(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    with pytest.raises(SettingError, match="room"):
        HEAD.encode(rows([["a"]], [[0]]), tokenizer, 3)


SENTENCES = [["Anna", "", "\u200b", "tenis"], [], ["viento"], ["a"] * 5]


@given(lengths=st.lists(st.integers(1, 9), max_size=30), room=st.integers(1, 12))
def test_every_word_is_in_one_part_and_parts_fit(lengths: list[int], room: int) -> None:
    parts = cut_between_words(lengths, room)
    assert [place for start, end in parts for place in range(start, end)] == list(range(len(lengths)))
    assert all(sum(lengths[start:end]) <= room or end - start == 1 for start, end in parts)
    # No part could take the next word.
    assert all(sum(lengths[start : end + 1]) > room for start, end in parts[:-1])


def test_a_word_without_pieces_is_one_unknown_piece(encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, tokenizer = load_encoder(encoder)
    monkeypatch.setattr(tokenisation, "SLICE", 2)
    found = list(pieces_of_words(tokenizer, SENTENCES))
    assert list(map(len, found)) == [4, 0, 1, 5]
    assert [found[0][place].tolist() for place in (1, 2)] == [[tokenizer.unk_token_id]] * 2
    assert found[0][3].tolist() == tokenizer("tenis", add_special_tokens=False)["input_ids"]
