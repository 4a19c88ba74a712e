"""Answers: spans of a text that move along when the text is written anew.

May import: errors, transforms.translation_noise.segmentation, transforms.translation_noise.texts | numpy, pyarrow.
"""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from xquality.errors import LabelError
from xquality.transforms.translation_noise.segmentation import Units
from xquality.transforms.translation_noise.texts import Written

Mask = NDArray[np.bool_]


def followed(
    owner: str,
    old: pa.Array,
    new: pa.Array,
    units: Units,
    written: Written,
    touched: Mask,
    answers: pa.Array,
    *,
    refuse: bool,
) -> tuple[pa.Array, Mask, Mask]:
    """Return the answers with the offsets they have in the new texts.

    Args:
        owner: who asks, for messages.
        old: the texts before, shape (rows,).
        new: the texts after, shape (rows,).
        units: the units of the old texts.
        written: the pieces of the new ones.
        touched: which rows were written anew, shape (rows,).
        answers: structs of `text` and `answer_start`, shape (rows,); offsets count code points.
        refuse: whether to raise where an answer is not whole in the new text.

    Returns:
        The answers, which rows' offsets moved, and which rows' answers were lost (theirs stay as they were).

    Raises:
        LabelError: for an answer that does not stand at its offset, or a lost one where `refuse` is set.
    """
    found: list[Any] = answers.to_pylist()
    moved, lost = np.zeros(len(found), np.bool_), np.zeros(len(found), np.bool_)
    for row in np.flatnonzero(touched).tolist():
        answer = found[row]
        if answer is None or not answer["text"]:
            continue
        text = old[row].as_py()
        starts = []
        for start, one in zip(answer["answer_start"], answer["text"], strict=True):
            if text[start : start + len(one)] != one:
                raise LabelError(f"{owner} found the answer {one!r}, which does not stand at {start} of its context.")
            low = int(units.bounds[row]) + len(text[:start].encode())
            place = written.moved(row, low, low + len(one.encode()))
            starts.append(None if place is None else len(new[row].as_py().encode()[:place].decode()))
        if None in starts:
            if refuse:
                raise LabelError(
                    f"{owner} broke the answer {answer['text'][0]!r}; set lost='drop' or lost='keep_original' to go on."
                )
            lost[row] = True
        elif starts != list(answer["answer_start"]):
            found[row] = {**answer, "answer_start": starts}
            moved[row] = True
    return pa.array(found, answers.type), moved, lost
