"""Missing texts and answers, under every spelling that data have for them: null, an empty text, or blanks alone."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xquality.data.arrow import Mask, is_text
from xquality.errors import warn


def is_blank(value: object) -> bool:
    """Return whether a text, or every token of a list, is null, empty or white space.

    Example:
        >>> is_blank(None), is_blank(" "), is_blank(["", None]), is_blank("a")
        (True, True, True, False)
    """
    if isinstance(value, str):
        return not value.strip()
    return value is None or all(token is None or not token.strip() for token in value)  # type: ignore[attr-defined]  # a list


def rows_without_text(columns: Sequence[pa.ChunkedArray | Sequence[Any]]) -> Mask:
    """Return which rows have no text in any of some columns, of texts or lists of tokens, shape (rows,)."""
    missing = np.ones(len(columns[0]), np.bool_)
    for values in columns:
        if isinstance(values, pa.ChunkedArray) and is_text(values.type):
            blank = pc.fill_null(pc.equal(pc.utf8_trim_whitespace(values), ""), True)
            missing &= np.asarray(blank.to_numpy(), np.bool_)
        else:
            listed = values.to_pylist() if isinstance(values, pa.ChunkedArray) else values
            missing &= np.fromiter(map(is_blank, listed), np.bool_, len(missing))
    return missing


def rows_of_nulls(columns: Sequence[pa.ChunkedArray]) -> Mask:
    """Return which rows are null in all of some columns, shape (rows,); an empty text is a text here."""
    missing = np.ones(len(columns[0]), np.bool_)
    for values in columns:
        missing &= np.asarray(values.is_null().to_numpy(), np.bool_)
    return missing


def warn_without_text(owner: str, names: Sequence[str], missing: Mask, outcome: str) -> None:
    """Warn where rows have no text.

    Args:
        owner: who reads the texts.
        names: the columns that were read.
        missing: which rows have no text in any of them, shape (rows,).
        outcome: what becomes of these rows, as the end of the sentence.
    """
    if missing.any():
        warn(
            f"{owner}: {int(missing.sum())} rows have no text in {' or '.join(names)}, the first of them row "
            f"{int(np.argmax(missing))}; {outcome}."
        )


def filled_answers(answer: Mapping[str, Any]) -> list[tuple[str, int | None]]:
    """Return the texts of a row's answers that are not blank, each with its offset, which may be missing.

    Example:
        >>> filled_answers({"text": ["", "Lima", None], "answer_start": [0, 13, 2]})
        [('Lima', 13)]
    """
    texts, starts = answer["text"] or [], list(answer["answer_start"] or [])
    starts += [None] * (len(texts) - len(starts))
    return [(text, start) for text, start in zip(texts, starts, strict=False) if not is_blank(text)]
