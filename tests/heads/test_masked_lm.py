"""MaskedLMHead: what is hidden is keyed by seed, row and epoch, in the documented shares."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset
from torch.nn.functional import cross_entropy
from transformers.modeling_outputs import MaskedLMOutput

from xquality import toy
from xquality.errors import ColumnError, SettingError
from xquality.heads import Encoded, EpochContext, MaskedLMHead
from xquality.models import load_encoder

HEAD = MaskedLMHead()


@pytest.fixture(scope="module")
def tokenizer(encoder: Path):
    return load_encoder(encoder)[1]


@pytest.fixture(scope="module")
def encoded(tokenizer) -> Encoded:
    return HEAD.encode(toy.topics.load("es", "test"), tokenizer, 128)


def hidden(encoded: Encoded, tokenizer, rows: list[int], epoch: EpochContext | None = None) -> list[list[int]]:
    """Return the places that are hidden in each row, and what they show."""
    batch = HEAD.batch(encoded, rows, tokenizer, epoch)
    return [
        [*np.flatnonzero(labels != -100).tolist(), *ids[labels != -100].tolist()]
        for ids, labels in zip(batch["input_ids"].numpy(), batch["labels"].numpy(), strict=True)
    ]


def test_the_same_pieces_are_hidden_whatever_the_batch(encoded: Encoded, tokenizer) -> None:
    together = hidden(encoded, tokenizer, [5, 2, 9], EpochContext(1, [0, 3, 1]))
    assert together == [
        hidden(encoded, tokenizer, [row], EpochContext(1, [turn]))[0] for row, turn in ((5, 0), (2, 3), (9, 1))
    ]


def test_other_passes_seeds_and_rows_hide_others(encoded: Encoded, tokenizer) -> None:
    def over(rows: range, epoch: EpochContext) -> list[list[int]]:
        return hidden(encoded, tokenizer, list(rows), epoch)

    rows = range(50)
    plain = over(rows, EpochContext(1, [0] * 50))
    assert plain != over(rows, EpochContext(1, [1] * 50))
    assert plain != over(rows, EpochContext(2, [0] * 50))
    assert plain == over(rows, EpochContext(1, [0] * 50))


def test_rows_are_identified_by_their_uid_not_by_their_number(tokenizer) -> None:
    data = toy.topics.load("es", "test")
    whole, part = (HEAD.encode(rows, tokenizer, 128) for rows in (data, data.select([7, 3])))
    first = EpochContext(1, [0, 0])
    assert hidden(whole, tokenizer, [7, 3], first) == hidden(part, tokenizer, [0, 1], first)


def test_the_shares_of_hidden_and_masked_pieces(encoded: Encoded, tokenizer) -> None:
    batch = HEAD.batch(encoded, list(range(300)), tokenizer, EpochContext(1, [0] * 300))
    labels, shown = batch["labels"].numpy(), batch["input_ids"].numpy()
    pieces = encoded.lengths() - 2
    unknown = np.array([(np.asarray(ids) == tokenizer.unk_token_id).sum() for ids in encoded.input_ids])
    counts = (labels != -100).sum(1)
    assert (counts == np.maximum(1, np.rint(0.15 * (pieces - unknown)))).all()
    chosen = labels != -100
    masked = (shown == tokenizer.mask_token_id)[chosen].mean()
    kept = (shown == labels)[chosen].mean()
    assert masked == pytest.approx(0.8, abs=0.04)
    assert kept == pytest.approx(0.1, abs=0.03)
    assert not np.isin(labels[chosen], tokenizer.all_special_ids).any()
    untouched = HEAD.batch(encoded, list(range(300)), tokenizer, EpochContext(2, [0] * 300))["input_ids"].numpy()
    both = ~chosen & (untouched != tokenizer.mask_token_id)
    assert (shown == untouched)[both].mean() > 0.99


def test_evaluation_always_hides_the_same_pieces(encoded: Encoded, tokenizer) -> None:
    assert hidden(encoded, tokenizer, [1, 2]) == hidden(encoded, tokenizer, [1, 2])


def test_the_loss_counts_hidden_pieces_only_and_weighs_rows() -> None:
    logits, labels = torch.randn(2, 3, 11), torch.tensor([[1, -100, 2], [-100, 5, -100]])
    out = MaskedLMOutput(logits=logits)
    plain = cross_entropy(logits.reshape(-1, 11), labels.reshape(-1), ignore_index=-100)
    assert torch.allclose(HEAD.loss(out, {"labels": labels}), plain)
    weighted = HEAD.loss(out, {"labels": labels, "weights": torch.tensor([0.0, 3.0])})
    assert torch.allclose(weighted, 3 * cross_entropy(logits[1, 1:2], labels[1, 1:2], reduction="sum") / 3)


def test_scores_are_the_share_predicted_right_and_the_perplexity() -> None:
    accuracy, perplexity = HEAD.score([(2 * math.log(4), 1, 2), (2 * math.log(4), 1, 2)], [0, 0], "es")
    assert (accuracy.metric, accuracy.value) == ("masked_accuracy", 50.0)
    assert (perplexity.metric, perplexity.value) == ("perplexity", pytest.approx(4.0))
    assert accuracy.signature == {"hidden": 4, "rate": 0.15}


def test_a_row_without_pieces_hides_nothing_and_breaks_nothing(tokenizer) -> None:
    encoded = HEAD.encode(Dataset.from_dict({"text": ["", "hola"]}), tokenizer, 128)
    batch = HEAD.batch(encoded, [0], tokenizer)
    assert (batch["labels"] == -100).all()
    assert float(HEAD.loss(MaskedLMOutput(logits=torch.randn(1, 2, 9)), batch)) == 0.0


def test_rows_it_cannot_read_are_refused() -> None:
    with pytest.raises(ColumnError):
        HEAD.check(Dataset.from_dict({"text": [1]}))
    with pytest.raises(SettingError):
        MaskedLMHead(rate=1.5)
