"""MatrixNoise: exact counts by largest remainders, the matrix met in the mean, no class lost."""

import numpy as np
import pytest
from conftest import label_rows as rows
from hypothesis import given
from hypothesis import strategies as st

import xquality as xq
from xquality.errors import LabelError, RateWarning, SettingError
from xquality.transforms.matrix_noise import largest_remainders

MATRIX = ((0.7, 0.3, 0.0), (0.05, 0.9, 0.05), (0.2, 0.3, 0.5))


def joint(data, noisy) -> np.ndarray:
    table = np.zeros((3, 3), int)
    np.add.at(table, (np.array(data["label"][:], int), np.array(noisy["label"][:], int)), 1)
    return table


@pytest.mark.filterwarnings("ignore::xquality.errors.RateWarning")
@given(st.integers(0, 2000), st.integers(0, 5))
def test_counts_follow_the_matrix_to_within_one_row(count: int, seed: int) -> None:
    data = rows(count, 3, seed)
    found = joint(data, xq.MatrixNoise(MATRIX)(data, seed=seed))
    wanted = np.array(MATRIX) * found.sum(1, keepdims=True)
    assert (np.abs(found - wanted) < 1).all()


@given(st.lists(st.integers(0, 20), min_size=2, max_size=100).filter(sum), st.integers(0, 100_000))
def test_largest_remainders_lose_nothing(weights: list[int], total: int) -> None:
    shares = np.array(weights) / sum(weights)
    counts = largest_remainders(shares, total)
    assert counts.sum() == total
    assert (np.abs(counts - shares * total) < 1 + 1e-6).all()


def test_each_row_alone_meets_the_matrix_in_the_mean() -> None:
    data = rows(60_000, 3)
    found = joint(data, xq.MatrixNoise(MATRIX, exact=False)(data, seed=1))
    assert np.abs(found / found.sum(1, keepdims=True) - MATRIX).max() < 0.012
    assert found[0, 2] == 0


def test_a_class_with_too_few_rows_for_its_noise_is_named() -> None:
    with pytest.warns(RateWarning, match="rows of class"):
        xq.MatrixNoise(((0.9, 0.1), (0.1, 0.9)))(rows(6, 2), seed=0)


@pytest.mark.parametrize(
    "matrix",
    [7, (), ((1.0,),), ((0.5, 0.5),), ((0.5, 0.5), (1.0,)), ((0.5, 0.4), (0.5, 0.5)), ((1.5, -0.5), (0, 1)), "ab"],
)
def test_what_is_no_transition_matrix_is_refused(matrix: object) -> None:
    with pytest.raises(SettingError):
        xq.MatrixNoise(matrix)


def test_a_matrix_of_another_size_is_refused() -> None:
    with pytest.raises(LabelError):
        xq.MatrixNoise(MATRIX)(rows(20, 4), seed=0)
