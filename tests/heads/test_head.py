"""Encoded: lengths and weights."""

from xquality.heads import Encoded


def test_lengths_are_those_of_the_rows() -> None:
    encoded = Encoded([[0, 5, 2], [0, 2], []], [1, 0, 1])
    assert encoded.lengths().tolist() == [3, 2, 0]
    assert len(encoded) == 3
