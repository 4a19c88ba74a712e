"""Sentences of words to word pieces, and cutting what is too long between words."""

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from xquality.heads.tokens import slices

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def pieces_of_words(
    tokenizer: "PreTrainedTokenizerBase", sentences: Sequence[Sequence[str]]
) -> Iterator[list[NDArray[np.int32]]]:
    """Yield for each sentence the piece ids of each of its words, at least one a word.

    A word that the tokenizer leaves nothing of is read as the unknown piece, as in the official XTREME code.

    Args:
        tokenizer: a fast tokenizer.
        sentences: lists of words.
    """
    unknown = np.array([tokenizer.unk_token_id], np.int32)
    for part in slices(len(sentences)):
        several = [[word or "" for word in one] for one in sentences[part]]
        full = [one for one in several if one]  # the tokenizer takes an empty list for an empty text
        made = tokenizer(full, is_split_into_words=True, add_special_tokens=False, verbose=False) if full else None
        place = 0
        for words in several:
            if not words or made is None:
                yield []
                continue
            ids = np.asarray(made["input_ids"][place], np.int32)
            owners = np.asarray(made.word_ids(place), np.int64)
            place += 1
            bounds = np.searchsorted(owners, np.arange(len(words) + 1))
            yield [ids[a:b] if b > a else unknown for a, b in itertools.pairwise(bounds)]


def cut(lengths: Sequence[int], room: int) -> list[tuple[int, int]]:
    """Return (first word, word after the last) of each part of a sentence, none longer than `room` pieces.

    A word that is longer by itself is a part of its own.

    Example:
        >>> cut([2, 2, 2, 9, 1], room=4)
        [(0, 2), (2, 3), (3, 4), (4, 5)]
    """
    parts: list[tuple[int, int]] = []
    start = used = 0
    for place, length in enumerate(lengths):
        if place > start and used + length > room:
            parts.append((start, place))
            start, used = place, 0
        used += length
    return [*parts, (start, len(lengths))] if lengths else parts
