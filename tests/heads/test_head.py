"""Encoded: lengths and weights; a head's own answers where it gives none."""

import pytest

from xquality.errors import TrainingError
from xquality.heads import Encoded, Head


def test_lengths_are_those_of_the_rows() -> None:
    encoded = Encoded([[0, 5, 2], [0, 2], []], [1, 0, 1])
    assert encoded.lengths().tolist() == [3, 2, 0]
    assert len(encoded) == 3


def test_a_head_that_is_not_asked_for_probabilities_has_none() -> None:
    class Bare(Head):
        check = encode = batch = build = loss = predict = score = signature = None  # type: ignore[assignment]

    with pytest.raises(TrainingError, match="Bare gives no probabilities"):
        Bare().probabilities(None, {})
