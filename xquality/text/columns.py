"""Text columns: which are read where none is named, lists of tokens read as text, and one spelling for equal texts."""

import unicodedata
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from datasets import Features

from xquality.data.arrow import is_text_list
from xquality.data.rows import Rows
from xquality.errors import ColumnError

SPELLINGS = ("nfkc", "casefold", "spaces")


def string_columns(features: Features) -> tuple[str, ...]:
    """Return the columns of strings that say something of a row: not its `uid`, and no first values (`*_before`).

    Example:
        >>> from datasets import Value
        >>> string_columns(Features({"uid": Value("string"), "text": Value("string"), "label": Value("int64")}))
        ('text',)
    """
    return tuple(
        name
        for name, feature in features.items()
        if getattr(feature, "dtype", None) in ("string", "large_string")
        and name != "uid"
        and not name.endswith("_before")
    )


def text_columns(rows: Rows, names: tuple[str, ...] | None) -> tuple[str, ...]:
    """Return the columns to read text from: those named, or every string column but `uid` and `*_before`.

    Raises:
        ColumnError: where none is named and there is none.
    """
    found = names or string_columns(rows.features)
    if not found:
        raise ColumnError(
            f"{rows.owner} reads text, but the data have no string column among {list(rows.features)}; name columns."
        )
    return found


def read_text(rows: Rows, name: str) -> pa.ChunkedArray:
    """Return a column as text, a null as the empty string; the tokens of a list are joined by spaces.

    Raises:
        ColumnError: where the column is missing, or holds neither strings nor lists of strings.
    """
    values = rows.column(name)
    if is_text_list(values.type):
        joined = [" ".join(token or "" for token in tokens or ()) for tokens in values.to_pylist()]
        return pa.chunked_array([pa.array(joined, pa.large_string())])
    return pc.fill_null(rows.text(name).cast(pa.large_string()), "")


def respelled(texts: Sequence[str], steps: Sequence[str]) -> list[str]:
    """Return texts in one spelling, so that texts that a reader holds for equal are equal strings.

    Args:
        texts: the texts.
        steps: which of `SPELLINGS` to apply, always in that order: "nfkc" is Unicode's compatibility form (full-width
            letters, ligatures, composed accents), "casefold" Unicode's case folding, "spaces" makes every run of white
            space one space and leaves none at the ends.

    Example:
        >>> respelled(["El  GATO ", "el gato"], SPELLINGS)
        ['el gato', 'el gato']
    """
    found = list(texts)
    if "nfkc" in steps:
        found = [unicodedata.normalize("NFKC", one) for one in found]
    if "casefold" in steps:
        found = [one.casefold() for one in found]
    if "spaces" in steps:
        found = [" ".join(one.split()) for one in found]
    return found
