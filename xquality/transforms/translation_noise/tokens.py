"""Tokens: a plan for some rows written out as lists of tokens, with the tags that follow them.

May import: transforms.translation_noise.pieces, transforms.translation_noise.plan,
transforms.translation_noise.segmentation | numpy, pyarrow.
"""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xquality.transforms.translation_noise.plan import Plan
from xquality.transforms.translation_noise.segmentation import Places


def written_tokens(tokens: pa.Array, plan: Plan) -> pa.Array:
    """Return the lists of tokens after a plan."""
    flat = tokens.flatten()
    place = np.arange(len(flat))
    place[plan.renewed] = len(flat) + np.arange(len(plan.renewed))
    values = pa.concat_arrays([flat, plan.texts.cast(flat.type)])
    return _lists(tokens, values.take(pa.array(place[plan.unit])), plan)


def written_tags(tags: pa.Array, plan: Plan, names: Sequence[str]) -> pa.Array:
    """Return the lists of tags after a plan: each token keeps its own, and a span that stays together stays one.

    Args:
        tags: lists of class numbers or others, as long as the lists of tokens.
        plan: what comes out.
        names: the names of the classes, none for other lists. Among BIO tags, the tokens of one span that stand
            together are one span, and those that were parted from it, or said again, are spans of their own.
    """
    flat = tags.flatten()
    if not any(one.startswith("B-") for one in names):
        return _lists(tags, flat.take(pa.array(plan.unit)), plan)
    numbers = np.asarray(flat.to_numpy(zero_copy_only=False), np.int64)
    rows = np.asarray(pc.list_parent_indices(tags).to_numpy(zero_copy_only=False), np.int64)
    span = _span_of(numbers, rows, names)[plan.unit]
    repaired = _repaired(numbers[plan.unit], span, plan, names)
    there = plan.touched[np.repeat(np.arange(len(tags)), np.diff(plan.first))]
    return _lists(tags, pa.array(np.where(there, repaired, numbers[plan.unit])).cast(flat.type), plan)


def _span_of(tags: Places, rows: Places, names: Sequence[str]) -> Places:
    """Return the number of the span that each token belongs to; tokens outside have numbers of their own."""
    inside = np.array([one.startswith("I-") for one in names])
    kind = np.array([sorted({other[2:] for other in names}).index(one[2:]) for one in names])
    goes_on = np.zeros(len(tags), np.bool_)
    goes_on[1:] = inside[tags[1:]] & (kind[tags[1:]] == kind[tags[:-1]]) & (rows[1:] == rows[:-1])
    return np.cumsum(~goes_on)


def _repaired(tags: Places, span: Places, plan: Plan, names: Sequence[str]) -> Places:
    """Return valid BIO: a token of a span is B where the one before it is of another span or row, else I."""
    number = {name: place for place, name in enumerate(names)}
    inside = np.array([number.get(f"I-{one[2:]}", place) for place, one in enumerate(names)])
    opening = np.array([number.get(f"B-{one[2:]}", place) for place, one in enumerate(names)])
    opens = np.ones(len(tags), np.bool_)
    opens[1:] = span[1:] != span[:-1]
    opens[plan.first[:-1][np.diff(plan.first) > 0]] = True
    opens |= plan.slot < 0
    return np.where(opens, opening[tags], inside[tags])


def _lists(like: pa.Array, values: pa.Array, plan: Plan) -> pa.Array:
    """Return values as lists with the lengths of a plan, null where they were null."""
    kind = pa.LargeListArray if pa.types.is_large_list(like.type) else pa.ListArray
    offsets = pa.array(plan.first, pa.int64() if kind is pa.LargeListArray else pa.int32())
    return kind.from_arrays(offsets, values, type=like.type, mask=like.is_null() if like.null_count else None)
