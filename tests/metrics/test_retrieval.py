"""Nearest neighbours and ranks, against sorting all distances; the official cases are in test_parity.py."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xquality.errors import MetricError
from xquality.metrics.retrieval import (
    mean_reciprocal_rank,
    mine,
    nearest_each,
    nearest_neighbour_accuracy,
    nearest_neighbours,
)

seeds = st.integers(0, 2**32)
sizes = st.integers(1, 40)


def vectors(seed: int, rows: int) -> Any:
    return np.random.default_rng(seed).standard_normal((rows, 5)).astype(np.float32)


@given(seeds, sizes, sizes, st.sampled_from([None, "cpu"]))
def test_the_nearest_lies_at_the_smallest_angle(seed: int, rows: int, columns: int, device: Any) -> None:
    queries, corpus = vectors(seed, rows), vectors(seed + 1, columns)
    cosines = queries @ corpus.T / np.linalg.norm(corpus, axis=1)
    assert (nearest_neighbours(queries, corpus, device=device) == cosines.argmax(axis=1)).all()


@given(seeds, sizes, sizes)
def test_the_nearest_lies_at_the_smallest_distance(seed: int, rows: int, columns: int) -> None:
    queries, corpus = vectors(seed, rows), vectors(seed + 1, columns)
    distances = np.linalg.norm(queries[:, None].astype(float) - corpus[None], axis=2)
    assert (nearest_neighbours(queries, corpus, distance="l2") == distances.argmin(axis=1)).all()


@given(seeds, sizes, sizes, st.integers(-5, 5))
def test_lengths_do_not_matter_between_angles(seed: int, rows: int, columns: int, power: int) -> None:
    queries, corpus = vectors(seed, rows), vectors(seed + 1, columns)
    scaled = nearest_neighbours(queries * np.float32(2.0**power), corpus * np.float32(3.0))
    assert (scaled == nearest_neighbours(queries, corpus)).all()


@given(seeds, sizes)
def test_each_row_is_nearest_to_itself(seed: int, rows: int) -> None:
    corpus = vectors(seed, rows)
    assert nearest_neighbour_accuracy(corpus, corpus) == {"accuracy": 100.0}
    order = np.random.default_rng(seed).permutation(rows)
    assert nearest_neighbour_accuracy(corpus[order], corpus, gold=order) == {"accuracy": 100.0}
    assert (nearest_neighbours(corpus[order], corpus) == order).all()


def test_of_equal_rows_the_first_is_nearest() -> None:
    corpus = np.array([[0, 1], [1, 0], [1, 0], [2, 0]], np.float32)
    assert nearest_neighbours([[1.0, 0.0], [3.0, 0.0]], corpus).tolist() == [1, 1]


def test_a_row_of_zeros_lies_at_60_degrees() -> None:
    corpus = np.array([[1, 0], [0, 0]], np.float32)
    queries = np.array([[1, 1.7], [1, 1.8]], np.float32)  # just below and above 60 degrees
    assert nearest_neighbours(queries, corpus).tolist() == [0, 1]


def test_each_query_is_right_or_wrong() -> None:
    corpus = np.eye(3, dtype=np.float32)
    assert nearest_each(corpus, corpus, gold=[0, 2, 2]).tolist() == [True, False, True]
    assert nearest_neighbour_accuracy(corpus, corpus, gold=np.array([0, 2, 2]))["accuracy"] == 2 / 3 * 100


def test_no_query_has_no_neighbour_and_no_score() -> None:
    assert nearest_neighbours(np.zeros((0, 3)), np.eye(3)).tolist() == []
    with pytest.raises(MetricError, match="at least one query"):
        nearest_neighbour_accuracy(np.zeros((0, 3)), np.eye(3))


def test_lists_arrays_and_tensors_are_searched_alike_and_not_changed() -> None:
    queries, corpus = np.array([[3.0, 4.0], [0.5, -4.0]], np.float32), np.array([[0.0, -2.0], [1.5, 2.0]], np.float32)
    for kind in (np.ndarray.tolist, np.float64, lambda rows: torch.tensor(rows, dtype=torch.bfloat16)):
        assert nearest_neighbours(kind(queries), kind(corpus)).tolist() == [1, 0]
    assert nearest_neighbours(queries, corpus).tolist() == [1, 0]
    assert queries.tolist() == [[3.0, 4.0], [0.5, -4.0]]


@pytest.mark.parametrize(
    "given",
    [
        "abc",
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
def test_embeddings_must_be_a_table_of_finite_numbers(given: Any) -> None:
    with pytest.raises(MetricError, match="The queries must"), np.errstate(over="ignore"):
        nearest_neighbours(given, np.eye(2))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"corpus": np.zeros((0, 3))}, "a corpus of at least one row"),
        ({"corpus": np.eye(2)}, "width 3 cannot be compared with vectors of width 2"),
        ({"distance": "dot"}, "'cosine', 'l2'"),
        ({"gold": [0]}, "one row for each of 3 queries"),
        ({"gold": [0.0, 1.0, 2.0]}, "one row for each"),
        ({"corpus": np.eye(3)[:2]}, "3 queries have no row each among 2"),
    ],
)
def test_invalid_arguments_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(MetricError, match=said):
        nearest_neighbour_accuracy(**{"queries": np.eye(3), "corpus": np.eye(3), **given})


@pytest.mark.parametrize("call", [mine, nearest_neighbours])
def test_vectors_too_long_for_euclidean_products_are_refused(call: Any) -> None:
    with pytest.raises(MetricError, match="divide"):
        call(np.eye(4) * 1e20, np.eye(4) * 1e20, distance="l2")


def test_ranks_are_averaged_and_cut() -> None:
    right = {"a": ["Q1"], "b": ["Q2", "Q9"], "c": ["Q3"], "d": ["Q4"]}
    found = {"a": ["Q1"], "b": ["Q9", "Q2"], "d": [*(f"Q{row}" for row in range(100, 120)), "Q4"]}
    assert mean_reciprocal_rank(found, right) == {"map@20": (1 + 1 / 2) / 4 * 100}
    assert mean_reciprocal_rank(found, right, cut=21)["map@21"] == pytest.approx((1 + 1 / 2 + 1 / 21) / 4 * 100)


@pytest.mark.parametrize("entities", [[], [None], None])
def test_a_mention_needs_a_right_entity(entities: Any) -> None:
    with pytest.raises(MetricError, match="needs a right entity"):
        mean_reciprocal_rank({"a": ["Q1"]}, {"a": entities})
