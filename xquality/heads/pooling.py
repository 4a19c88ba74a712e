"""Pooling: one vector for a sentence from the vectors of its tokens.

The official XTREME code takes the mean over all attended tokens, the special ones among them, or the first token.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

POOLINGS = ("mean", "cls")


def pooled(hidden: "torch.Tensor", mask: "torch.Tensor", how: str) -> "torch.Tensor":
    """Return one vector for each sentence, shape (sentences, width).

    Args:
        hidden: the tokens' vectors, shape (sentences, tokens, width).
        mask: which tokens count, shape (sentences, tokens); a sentence in which none does gives zeros.
        how: "mean" for the mean over the tokens that count, "cls" for the first token.
    """
    if how == "cls":
        return hidden[:, 0].float()
    counted = mask.to(hidden.device).float()[:, :, None]
    return (hidden.float() * counted).sum(1) / counted.sum(1).clamp(min=1)
