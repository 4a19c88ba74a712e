"""Tags: lists that follow a column of tokens, each token with its own; BIO stays valid where tokens moved."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from xquality.data.arrow import Indices, list_lengths, make_lists_like
from xquality.errors import ColumnError, LabelError
from xquality.text.tag_schemes import TagScheme, sentence_starts
from xquality.transforms.translation_noise.plan import Plan
from xquality.transforms.translation_noise.segmentation import Units

IGNORED = -100  # the tag of a token that no loss and no metric reads


def check_tags(owner: str, name: str, tags: pa.Array, units: Units, names: Sequence[str], uids: pa.Array) -> None:
    """Check the tags of some rows; a row without a list of tags is passed over.

    Args:
        owner: who asks, for messages.
        name: the column of tags, for messages.
        tags: lists of class numbers or others, shape (rows,).
        units: the tokens of the rows.
        names: the names of the classes, none for other lists.
        uids: the rows' uids, for messages.

    Raises:
        ColumnError: where a row has another number of tags than of tokens.
        LabelError: for a tag that is null, -1 or outside the classes; -100 is none.
    """
    counts = list_lengths(tags)
    uneven = (counts != units.counts) & tags.is_valid().to_numpy(zero_copy_only=False)
    if uneven.any():
        row = int(np.argmax(uneven))
        raise ColumnError(
            f"{owner} moves {name!r} along with the tokens, but their lengths differ: {units.counts[row]} tokens have "
            f"{counts[row]} tags in the row with the uid {uids[row].as_py()!r}; name the columns of tags in tags=."
        )
    if not names:
        return
    flat = tags.flatten()
    numbers = np.asarray(flat.fill_null(-1).to_numpy(), np.int64)
    wrong = ((numbers < 0) & (numbers != IGNORED)) | (numbers >= len(names))
    if wrong.any():
        first = int(np.argmax(wrong))
        row = int(np.repeat(np.arange(len(tags)), counts)[first])
        raise LabelError(
            f"{owner} moves the tags of {name!r}, which go from 0 to {len(names) - 1}, or {IGNORED} for none, but a "
            f"token of the row with the uid {uids[row].as_py()!r} has {flat[first].as_py()}; drop the unlabelled rows."
        )


def written_tags(tags: pa.Array, units: Units, plan: Plan, names: Sequence[str]) -> pa.Array:
    """Return the lists of tags after a plan: each token keeps its own, and a span that stays together stays one.

    Args:
        tags: lists of class numbers or others, as long as the lists of tokens, or null.
        units: the tokens.
        plan: what comes out.
        names: the names of the classes, none for other lists. Among BIO tags, the tokens of one span that stand
            together are one span, and those that were parted from it, or said again, are spans of their own. A row
            whose tokens only got another spelling keeps its tags.
    """
    tagged = tags.is_valid().to_numpy(zero_copy_only=False)[units.row[plan.unit]]
    unit, added = plan.unit[tagged], plan.slot[tagged] < 0
    row = units.row[unit]
    counts = list_lengths(tags)
    first = np.cumsum(counts) - counts
    place = unit - units.first[row] + first[row]
    after = np.bincount(row, minlength=len(tags))
    flat = tags.flatten()
    if not TagScheme.of(names).bio:
        return make_lists_like(tags, flat.take(pa.array(place)), after)
    numbers = np.asarray(flat.to_numpy(), np.int64)
    known = np.where(numbers == IGNORED, len(names), numbers)  # an ignored token stands outside every span
    opens = np.arange(len(row)) == (np.cumsum(after) - after)[row]
    scheme = TagScheme.of([*names, "O"])
    span = scheme.number_spans(known, sentence_starts(counts))[place]
    repaired = scheme.mark_spans(known[place], span, opens | added)
    there = _moved(place, first, counts, after)[row] & (numbers[place] != IGNORED)
    return make_lists_like(tags, pa.array(np.where(there, repaired, numbers[place])).cast(flat.type), after)


def _moved(place: Indices, first: Indices, counts: Indices, after: Indices) -> NDArray[np.bool_]:
    """Return in which rows the tokens have another number or order than before, shape (rows,)."""
    found = np.not_equal(counts, after)
    row = np.repeat(np.arange(len(after)), after)
    step = np.arange(len(place)) - (np.cumsum(after) - after)[row]
    found[row[place != first[row] + step]] = True
    return found
