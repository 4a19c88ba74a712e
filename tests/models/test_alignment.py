"""Alignment: parallel rows come close, and the seed decides."""

import torch

from xquality.models.alignment import align_embeddings

# Two languages over different pieces; row i of one is the translation of row i of the other.
LEFT = [[0, 4 + row, 4 + (row * 7) % 30, 2] for row in range(30)]
RIGHT = [[0, 34 + row, 34 + (row * 7) % 30, 2] for row in range(30)]


def test_pieces_of_translations_come_close() -> None:
    torch.set_num_threads(1)
    table = align_embeddings([{"a": LEFT, "b": RIGHT}], pieces=64, width=16, steps=300, seed=1, eps=1.0)
    normal = torch.nn.functional.normalize(table, dim=1)
    similarity = normal[4:34] @ normal[34:64].T
    assert similarity.diagonal().mean() > 0.4
    assert abs(similarity.mean()) < 0.2


def test_the_seed_decides() -> None:
    first, same, other = (align_embeddings([{"a": LEFT, "b": RIGHT}], 64, 8, 5, seed, eps=1.0) for seed in (1, 1, 2))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)
