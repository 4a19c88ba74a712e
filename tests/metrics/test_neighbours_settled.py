"""Neighbours are those of 64-bit products, also among copies and where 32 bits cannot tell vectors apart."""

import numpy as np
import pytest

from xquality.metrics.neighbours import both_ways
from xquality.metrics.neighbours_settled import settled
from xquality.metrics.retrieval import mine, nearest_neighbours
from xquality.metrics.vectors import normalised


@pytest.mark.parametrize("device", [None, "cpu"])
@pytest.mark.parametrize(("copies", "rows", "width"), [(4, 250, 768), (50, 60, 64)])
def test_of_many_copies_the_first_is_nearest(copies, rows, width, device):
    vectors = np.random.default_rng(0).normal(size=(rows, width)).astype(np.float32)
    found = nearest_neighbours(vectors, np.concatenate([vectors] * copies), device=device)
    assert found.tolist() == list(range(rows))


def test_the_blocks_do_not_show_among_copies():
    vectors = normalised(np.random.default_rng(1).normal(size=(60, 64)).astype(np.float32))
    many = np.concatenate([vectors] * 9)
    found = [both_ways(vectors, many, 4, block=one) for one in ((1024, 8192), (64, 64), (7, 13))]
    for forward, backward in found[1:]:
        assert (forward.indices == found[0][0].indices).all()
        assert (backward.indices == found[0][1].indices).all()


@pytest.mark.parametrize("device", [None, "cpu"])
@pytest.mark.parametrize("offset", [100, 1000])
def test_vectors_in_a_narrow_cone_have_their_64_bit_neighbours(offset, device):
    draw = np.random.default_rng(2)
    queries, corpus = ((draw.normal(size=(rows, 64)) + offset).astype(np.float32) for rows in (200, 1000))
    exact = normalised(queries).astype(np.float64) @ normalised(corpus).astype(np.float64).T
    assert (nearest_neighbours(queries, corpus, device=device) == exact.argmax(axis=1)).all()
    lengths = ((queries[:, None].astype(np.float64) - corpus) ** 2).sum(-1)
    assert (nearest_neighbours(queries, corpus, distance="l2", device=device) == lengths.argmin(axis=1)).all()


def test_mining_on_a_device_finds_the_same_pairs_among_copies():
    vectors = np.random.default_rng(3).normal(size=(60, 16)).astype(np.float32)
    many = np.concatenate([vectors] * 8)
    pairs = [{one[1:] for one in mine(many, vectors, device=device)} for device in (None, "cpu")]
    assert pairs[0] == pairs[1]


def test_a_certain_selection_is_left_as_it_is():
    x = np.eye(3, 8, dtype=np.float32)
    found = np.array([[0], [1], [2]]), np.ones((3, 1))
    assert settled(x, np.eye(8, dtype=np.float32), found, np.zeros(3), None) is found
