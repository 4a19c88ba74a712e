"""One batch of rows under translation noise: every column struck, planned and written, with what must follow.

May import: errors, rows, randomness, transforms.translation_noise.answers, transforms.translation_noise.plan,
transforms.translation_noise.recipe, transforms.translation_noise.replacement,
transforms.translation_noise.segmentation, transforms.translation_noise.strikes, transforms.translation_noise.texts,
transforms.translation_noise.tokens | numpy, pyarrow.
"""

from collections import Counter
from dataclasses import dataclass
from typing import final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from xquality.errors import ColumnError
from xquality.randomness import Draw
from xquality.rows import Rows
from xquality.transforms.translation_noise.answers import followed
from xquality.transforms.translation_noise.plan import Plan, plan
from xquality.transforms.translation_noise.recipe import Recipe
from xquality.transforms.translation_noise.replacement import Replacement
from xquality.transforms.translation_noise.segmentation import Units, units_of
from xquality.transforms.translation_noise.strikes import strike
from xquality.transforms.translation_noise.texts import write
from xquality.transforms.translation_noise.tokens import written_tags, written_tokens

Mask = NDArray[np.bool_]


@final
@dataclass(frozen=True)
class Batch:
    """What came out of a batch.

    Attributes:
        values: the new values of each column.
        touched: the rows in which each column was written anew.
        kept: the rows that stay.
        counts: how often each kind of error struck.
        units: how many units there were.
        lost: how many rows lost their answer.
    """

    values: dict[str, pa.Array]
    touched: dict[str, Mask]
    kept: Mask
    counts: Counter[str]
    units: int
    lost: int


def noised(recipe: Recipe, rows: Rows, draw: Draw) -> Batch:
    """Return a batch of rows with errors in every column, and what follows them."""
    values: dict[str, pa.Array] = {}
    touched: dict[str, Mask] = {}
    counts: Counter[str] = Counter(dict.fromkeys(recipe.errors, 0))
    lost, total = np.zeros(len(rows), np.bool_), 0
    for name in recipe.columns:
        old = _array(rows.column(name))
        units = units_of(old)
        assert units is not None
        source = units_of(_array(rows.column(recipe.parallel[name]))) if name in recipe.parallel else None
        strikes = strike(units, draw, recipe.severity, recipe.errors, Replacement(recipe.vocabulary, source), name)
        made, total = plan(units, strikes), total + len(units.start)
        counts.update(strikes.counts())
        touched[name] = made.touched
        if pa.types.is_nested(old.type):
            values[name] = written_tokens(old, made)
            _tags(recipe, rows, units, made, values, touched)
            continue
        written = write(units, made)
        new = written.texts().cast(old.type)
        values[name] = pc.if_else(old.is_valid(), new, old) if old.null_count else new
        if recipe.answers and recipe.answers[1] == name:
            answers = recipe.answers[0]
            given = _array(rows.column(answers))
            values[answers], touched[answers], lost = followed(
                recipe.owner, old, values[name], units, written, made.touched, given, refuse=recipe.lost == "error"
            )
            if recipe.lost == "keep_original":
                values[name] = pc.if_else(pa.array(lost), old, values[name])
                touched[name] &= ~lost
    kept = ~lost if recipe.lost == "drop" else np.ones(len(rows), np.bool_)
    return Batch(values, touched, kept, counts, total, int(lost.sum()))


def _tags(
    recipe: Recipe, rows: Rows, units: Units, made: Plan, values: dict[str, pa.Array], touched: dict[str, Mask]
) -> None:
    """Write the tags of a column of tokens."""
    for name, names in recipe.tags.items():
        tags = _array(rows.column(name))
        lengths = pc.fill_null(pc.list_value_length(tags), 0).to_numpy(zero_copy_only=False)
        if (lengths != units.counts).any():
            raise ColumnError(
                f"{recipe.owner} moves {name!r} along with the tokens, but their lengths differ in some rows; name the "
                "columns of tags in tags=."
            )
        values[name], touched[name] = written_tags(tags, made, names), made.touched


def _array(values: pa.ChunkedArray) -> pa.Array:
    """Return a column of a batch as one array."""
    return (
        values.chunk(0)
        if values.num_chunks == 1
        else pa.concat_arrays(values.chunks)
        if values.num_chunks
        else pa.array([], values.type)
    )
