"""Encoded: lengths, examples of several rows, rows of several sequences, joining and digests."""

import numpy as np

from xquality.heads import Encoded
from xquality.heads.encoded import joined, row_keys


def test_lengths_are_those_of_the_rows() -> None:
    encoded = Encoded([[0, 5, 2], [0, 2], []], [1, 0, 1])
    assert encoded.lengths().tolist() == [3, 2, 0]
    assert len(encoded) == encoded.examples == 3


def test_a_row_of_several_sequences_is_as_long_as_all_of_them() -> None:
    encoded = Encoded([[0, 5, 2], [0, 2], [0], [0, 1, 1, 2]], [0, 1], counts=np.array([3, 1]))
    assert encoded.lengths().tolist() == [6, 4]
    assert encoded.sequences([1, 0]) == [3, 0, 1, 2]


def test_examples_of_several_rows_keep_their_rows_when_parts_are_joined() -> None:
    one = Encoded([[1], [2]], [0, 0], owners=np.array([0, 0]), references=["a"])
    other = Encoded([[3], [4], [5]], [0, 0, 0], owners=np.array([0, 2, 2]), references=["b", "empty", "c"])
    both = joined([one, other])
    assert both.owners.tolist() == [0, 0, 1, 3, 3]
    assert list(both.gold) == ["a", "b", "empty", "c"]
    assert len(both) == 5


def test_rows_of_one_example_have_keys_of_their_own_and_the_first_the_examples() -> None:
    keys = np.array([11, 12, 13], np.uint64)
    owners = np.array([0, 0, 0, 2])
    made = row_keys(keys, owners)
    assert made[0] == 11
    assert made[3] == 13
    assert len(set(made.tolist())) == 4
    assert (row_keys(keys[:1], owners[:2]) == made[:2]).all()  # whatever stands around the example


def test_the_digest_tells_apart_what_is_read_and_what_it_is_scored_against() -> None:
    plain = Encoded([[0, 5, 2], [0, 2]], [1, 0])
    others = [
        Encoded([[0, 5], [2, 0, 2]], [1, 0]),
        Encoded([[0, 5, 2], [0, 2]], [1, 1]),
        Encoded([[0, 5, 2], [0, 2]], [1, 0], counts=np.array([1, 1])),
    ]
    assert len({one.digest() for one in (plain, *others)}) == 4
    assert plain.digest() == Encoded([np.array([0, 5, 2], np.int32), [0, 2]], [1, 0]).digest()
