"""Encoded: lengths, examples of several rows, rows of several sequences, joining, digests and padded batches."""

import numpy as np
import torch

from xquality.heads import Encoded
from xquality.heads.encoded import fill_rectangle, join_encoded, mean_loss, network_inputs, pad, row_keys


def test_lengths_are_those_of_the_rows() -> None:
    encoded = Encoded([[0, 5, 2], [0, 2], []], [1, 0, 1])
    assert encoded.lengths().tolist() == [3, 2, 0]
    assert len(encoded) == encoded.examples == 3


def test_a_row_of_several_sequences_is_as_long_as_all_of_them() -> None:
    encoded = Encoded([[0, 5, 2], [0, 2], [0], [0, 1, 1, 2]], [0, 1], counts=np.array([3, 1]))
    assert encoded.lengths().tolist() == [6, 4]
    assert encoded.sequences([1, 0]) == [3, 0, 1, 2]


def test_examples_of_several_rows_keep_their_rows_when_parts_are_joined() -> None:
    first = Encoded([[1], [2]], [0, 0], owners=np.array([0, 0]), references=["a"])
    second = Encoded([[3], [4], [5]], [0, 0, 0], owners=np.array([0, 2, 2]), references=["b", "empty", "c"])
    both = join_encoded([first, second])
    assert both.owners.tolist() == [0, 0, 1, 3, 3]
    assert list(both.references_or_targets) == ["a", "b", "empty", "c"]
    assert len(both) == 5


def test_rows_of_one_example_have_keys_of_their_own_and_the_first_the_examples() -> None:
    keys = np.array([11, 12, 13], np.uint64)
    owners = np.array([0, 0, 0, 2])
    made = row_keys(keys, owners)
    assert made[0] == 11
    assert made[3] == 13
    assert len(set(made.tolist())) == 4
    assert (row_keys(keys[:1], owners[:2]) == made[:2]).all()  # whatever stands around the example


def test_the_digest_depends_on_the_token_ids_and_the_references() -> None:
    plain = Encoded([[0, 5, 2], [0, 2]], [1, 0])
    others = [
        Encoded([[0, 5], [2, 0, 2]], [1, 0]),
        Encoded([[0, 5, 2], [0, 2]], [1, 1]),
        Encoded([[0, 5, 2], [0, 2]], [1, 0], counts=np.array([1, 1])),
    ]
    assert len({encoded.digest() for encoded in (plain, *others)}) == 4
    assert plain.digest() == Encoded([np.array([0, 5, 2], np.int32), [0, 2]], [1, 0]).digest()


def test_rows_are_filled_up_on_the_right_also_the_empty_ones() -> None:
    assert fill_rectangle([[], [4, 5]], 9).tolist() == [[9, 9], [4, 5]]
    assert fill_rectangle([[], []], 9).shape == (2, 0)


def test_sequences_of_rows_are_padded_together() -> None:
    encoded = Encoded(
        [[1], [2, 3], [4, 5, 6]], [0, 1], np.array([0.5, 2.0]), [[0], [0, 1], [1, 1, 1]], counts=np.array([2, 1])
    )
    batch = pad(encoded, [1, 0], padding=7)
    assert batch["input_ids"].tolist() == [[4, 5, 6], [1, 7, 7], [2, 3, 7]]
    assert batch["attention_mask"].sum(1).tolist() == [3, 1, 2]
    assert batch["token_type_ids"].tolist() == [[1, 1, 1], [0, 0, 0], [0, 1, 0]]
    assert batch["weights"].tolist() == [2.0, 0.5]


def test_a_network_gets_only_its_own_inputs() -> None:
    batch = {"input_ids": torch.zeros(1, 1), "labels": torch.zeros(1), "weights": torch.zeros(1)}
    assert list(network_inputs(batch)) == ["input_ids"]


def test_the_effect_of_a_row_does_not_depend_on_the_weights_of_the_others() -> None:
    losses = torch.tensor([1.0, 3.0])
    assert mean_loss(losses, {}) == 2.0
    assert mean_loss(losses, {"weights": torch.tensor([1.0, 0.0])}) == 0.5
