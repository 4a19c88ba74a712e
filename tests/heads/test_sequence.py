"""SequenceHead: rows to tensors, weighted loss, what is refused."""

from pathlib import Path

import pytest
import torch
from datasets import Dataset
from torch.nn.functional import cross_entropy
from transformers.modeling_outputs import SequenceClassifierOutput

from xquality import toy
from xquality.errors import ColumnError, LabelError
from xquality.models import load_encoder

HEAD = toy.topics.head


def test_rows_are_padded_to_the_longest_and_masked(encoder: Path, spanish: Dataset) -> None:
    _, tokenizer = load_encoder(encoder)
    encoded = HEAD.encode(spanish.select(range(5)), tokenizer, 12)
    assert max(encoded.lengths()) <= 12
    batch = HEAD.batch(encoded, [3, 1], tokenizer)
    assert batch["input_ids"].shape == batch["attention_mask"].shape == (2, max(encoded.lengths()[[3, 1]]))
    assert batch["attention_mask"].sum(1).tolist() == encoded.lengths()[[3, 1]].tolist()
    assert batch["labels"].tolist() == [spanish[3]["label"], spanish[1]["label"]]


def test_a_pair_is_encoded_as_a_pair(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    rows = toy.inference.load("es", "test").select(range(2))
    ids = toy.inference.head.encode(rows, tokenizer, 128).input_ids[0]
    assert ids.tolist() == tokenizer(rows[0]["premise"], rows[0]["hypothesis"])["input_ids"]


def test_the_probabilities_are_those_of_the_classes() -> None:
    logits = torch.tensor([[0.0, 0.0, 2.0, 0.0, 0.0, 0.0], [9.0, -9.0, 0.0, 0.0, 0.0, 0.0]])
    found = HEAD.probabilities(SequenceClassifierOutput(logits=logits), {})
    assert torch.allclose(torch.tensor(found), torch.softmax(logits, dim=-1))
    assert [sum(shares) for shares in found] == pytest.approx([1, 1], abs=1e-12)


def test_the_loss_is_the_weighted_mean() -> None:
    logits, labels = torch.randn(4, 6), torch.tensor([0, 1, 2, 3])
    weights = torch.tensor([1.0, 0.0, 0.5, 2.0])
    out = SequenceClassifierOutput(logits=logits)
    each = cross_entropy(logits, labels, reduction="none")
    assert torch.allclose(HEAD.loss(out, {"labels": labels}), each.mean())
    weighted = HEAD.loss(out, {"labels": labels, "weights": weights})
    assert torch.allclose(weighted, (each * weights).mean())


def test_a_fresh_head_is_drawn_from_the_present_random_state(encoder: Path) -> None:
    heads = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        heads.append(HEAD.build(encoder).classifier.dense.weight.detach().clone())
    assert torch.equal(heads[0], heads[1])
    assert not torch.equal(heads[0], heads[2])


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda rows: rows.remove_columns("text"), ColumnError),
        (lambda rows: rows.remove_columns("label"), ColumnError),
        (lambda rows: rows.remove_columns("text").add_column("text", list(range(len(rows)))), ColumnError),
        (lambda rows: rows.map(lambda _: {"label": -1}), LabelError),
        (lambda rows: toy.inference.load("es", "train").rename_column("premise", "text"), LabelError),
        (lambda rows: rows.remove_columns("label").add_column("label", ["food"] * len(rows)), LabelError),
    ],
)
def test_rows_it_cannot_read_are_refused(spanish: Dataset, change, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        HEAD.check(change(spanish))


def test_models_with_segments_get_those_of_a_pair(tmp_path: Path) -> None:
    from transformers import BertTokenizer

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"]
    tokenizer = BertTokenizer(vocab={word: place for place, word in enumerate(words)})
    rows = toy.inference.load("es", "test").select(range(3))
    head = toy.inference.head
    encoded = head.encode(rows, tokenizer, 64)
    batch = head.batch(encoded, [0, 2], tokenizer)
    assert batch["token_type_ids"].shape == batch["input_ids"].shape
    assert batch["token_type_ids"].max() == 1


@pytest.mark.parametrize("weights", [[float("nan")], [-1.0], ["heavy"], [None]])
def test_invalid_weights_are_refused(spanish: Dataset, weights: list[object]) -> None:
    with pytest.raises(ColumnError, match="weight"):
        HEAD.check(spanish.add_column("weight", weights * len(spanish)))
