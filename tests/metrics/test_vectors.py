"""Embeddings: what is taken, what is refused, and lengths."""

from typing import Any

import numpy as np
import pytest
import torch

from xquality.errors import MetricError
from xquality.metrics.vectors import normalised, rows_of, same_width, squared_lengths


def test_lists_arrays_and_tensors_give_the_same_rows() -> None:
    wanted = np.array([[1.5, 2.0], [3.0, -4.0]], np.float32)
    for given in (wanted.tolist(), wanted.astype(np.float64), torch.tensor(wanted, dtype=torch.bfloat16)):
        assert (rows_of("queries", given) == wanted).all()
    assert rows_of("queries", wanted) is wanted


@pytest.mark.parametrize(
    "given",
    [
        [1.0, 2.0],
        [[1.0], [2.0, 3.0]],
        [["a"]],
        np.zeros((2, 0)),
        np.zeros((2, 2, 2)),
        None,
        [[1.0, np.nan]],
        [[np.inf, 1.0]],
        [[1e39, 1.0]],
    ],
)
def test_what_is_no_table_of_finite_numbers_is_refused(given: Any) -> None:
    with pytest.raises(MetricError, match="The queries must"), np.errstate(over="ignore"):
        rows_of("queries", given)


def test_normalised_rows_have_length_1_and_zeros_stay() -> None:
    rows = np.random.default_rng(0).standard_normal((9000, 7)).astype(np.float32)
    rows[5] = 0
    lengths = np.linalg.norm(normalised(rows), axis=1)
    assert lengths[5] == 0
    assert np.delete(lengths, 5) == pytest.approx(1, abs=1e-6)
    assert squared_lengths(rows) == pytest.approx((rows.astype(np.float64) ** 2).sum(axis=1))


def test_the_given_rows_are_left_as_they_are() -> None:
    rows = np.array([[3, 4]], np.float32)
    normalised(rows)
    assert rows.tolist() == [[3, 4]]


def test_widths_must_fit() -> None:
    with pytest.raises(MetricError, match="width 2 cannot be compared with vectors of width 3"):
        same_width(np.zeros((1, 2), np.float32), np.zeros((1, 3), np.float32))
