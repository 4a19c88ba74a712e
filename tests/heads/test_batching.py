"""Batching: padding, masks, segments and weights, the same for every head."""

import numpy as np
import torch

from xquality.heads import Encoded
from xquality.heads.batching import inputs, mean_loss, padded, rectangle


def test_rows_are_filled_up_on_the_right_also_the_empty_ones() -> None:
    assert rectangle([[], [4, 5]], 9).tolist() == [[9, 9], [4, 5]]
    assert rectangle([[], []], 9).shape == (2, 0)


def test_sequences_of_rows_are_padded_together() -> None:
    encoded = Encoded(
        [[1], [2, 3], [4, 5, 6]], [0, 1], np.array([0.5, 2.0]), [[0], [0, 1], [1, 1, 1]], counts=np.array([2, 1])
    )
    batch = padded(encoded, [1, 0], padding=7)
    assert batch["input_ids"].tolist() == [[4, 5, 6], [1, 7, 7], [2, 3, 7]]
    assert batch["attention_mask"].sum(1).tolist() == [3, 1, 2]
    assert batch["token_type_ids"].tolist() == [[1, 1, 1], [0, 0, 0], [0, 1, 0]]
    assert batch["weights"].tolist() == [2.0, 0.5]


def test_a_network_gets_nothing_that_is_the_heads() -> None:
    batch = {"input_ids": torch.zeros(1, 1), "labels": torch.zeros(1), "weights": torch.zeros(1)}
    assert list(inputs(batch)) == ["input_ids"]


def test_a_rows_pull_does_not_depend_on_the_weights_of_the_others() -> None:
    each = torch.tensor([1.0, 3.0])
    assert mean_loss(each, {}) == 2.0
    assert mean_loss(each, {"weights": torch.tensor([1.0, 0.0])}) == 0.5
