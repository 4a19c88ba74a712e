"""Alignment of word-piece embeddings by contrastive learning on parallel sentences."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

Tokens = Mapping[str, Sequence[Sequence[int]]]

_BATCH = 256  # sentences a step; the others of the batch are the negatives
_DROP = 0.65  # share of pieces left out, so that no single piece identifies the sentence
_TEMPERATURE = 0.25
_LEARNING_RATE = 1e-2
_START = 0.05  # standard deviation of the initial embeddings; with 1.0 the loss does not fall


def align_embeddings(
    collections: Sequence[Tokens], pieces: int, width: int, steps: int, seed: int, *, eps: float
) -> "torch.Tensor":
    """Return word-piece embeddings in which translations are close, shape (pieces, width).

    Each step draws sentences in two languages of one collection, takes the mean of a random part of each
    sentence's pieces, normalised as the encoder's embedding layer will normalise them, and trains with InfoNCE
    (van den Oord et al. 2018) in both directions; Adam, with a learning rate that falls linearly to 0.

    Args:
        collections: token ids of parallel sentences by language; without any, the initial embeddings are returned.
        pieces: the size of the vocabulary.
        width: the size of an embedding.
        steps: how many optimiser steps.
        seed: for the initial embeddings and all draws.
        eps: the layer normalisation's epsilon.
    """
    import torch
    from torch.nn import functional

    source = torch.Generator().manual_seed(seed)
    draws = np.random.default_rng(seed)
    table = (_START * torch.randn(pieces, width, generator=source)).requires_grad_()
    if not collections:
        return table.detach()
    padded = [{language: _pad(rows) for language, rows in collection.items()} for collection in collections]
    sizes = np.array([len(next(iter(collection.values()))) for collection in padded], np.float64)
    optimiser = torch.optim.Adam([table], lr=_LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: 1 - step / steps)
    for _ in range(steps):
        collection = padded[int(draws.choice(len(padded), p=sizes / sizes.sum()))]
        languages = sorted(collection)
        pair = draws.choice(len(languages), 2, replace=False)
        count = len(collection[languages[0]])
        rows = torch.from_numpy(draws.choice(count, min(_BATCH, count), replace=False))
        normal = functional.layer_norm(table, (width,), eps=eps)
        left, right = (_random_means(normal, collection[languages[place]][rows], source) for place in pair)
        scores = left @ right.T / _TEMPERATURE
        partners = torch.arange(len(rows))
        loss = functional.cross_entropy(scores, partners) + functional.cross_entropy(scores.T, partners)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch's own
        optimiser.step()
        schedule.step()
    return table.detach()


def _pad(rows: Sequence[Sequence[int]]) -> "torch.Tensor":
    """Return token ids without those of begin and end, padded with -1, shape (rows, longest)."""
    import torch

    inner = [list(ids[1:-1]) for ids in rows]
    longest = max(1, *map(len, inner))
    return torch.tensor([ids + [-1] * (longest - len(ids)) for ids in inner])


def _random_means(table: "torch.Tensor", ids: "torch.Tensor", source: "torch.Generator") -> "torch.Tensor":
    """Return the normalised mean of a random part of each sentence's pieces, shape (rows, width)."""
    import torch
    from torch.nn import functional

    kept = (ids >= 0) & (torch.rand(ids.shape, generator=source) > _DROP)
    ids = ids[:, : int((ids >= 0).sum(1).max())]
    kept = kept[:, : ids.shape[1]].float()
    summed = torch.einsum("rl,rlw->rw", kept, functional.embedding(ids.clamp_min(0), table))
    return functional.normalize(summed / kept.sum(1, keepdim=True).clamp_min(1), dim=1)
