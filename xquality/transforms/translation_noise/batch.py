"""Batches of rows under translation noise: every column struck, planned and written, with what must follow."""

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xquality.data.arrow import Mask
from xquality.data.rows import Change, Count, Rows
from xquality.data.uids import UID
from xquality.errors import LabelError
from xquality.randomness import Draw
from xquality.transforms.translation_noise.answers import Answers
from xquality.transforms.translation_noise.lists import differing
from xquality.transforms.translation_noise.plan import Plan, plan
from xquality.transforms.translation_noise.recipe import Recipe
from xquality.transforms.translation_noise.replacement import Replacement
from xquality.transforms.translation_noise.segmentation import Units, units_of
from xquality.transforms.translation_noise.strikes import WORD_KINDS, Strikes, strike
from xquality.transforms.translation_noise.tags import check_tags, written_tags
from xquality.transforms.translation_noise.texts import write
from xquality.transforms.translation_noise.tokens import written_tokens

_ROWS = 10_000  # rows at a time: their bytes and units stay in the processor's cache
_BYTES = 2 << 20  # of text at a time, where rows are long: the work on them takes some twenty times as much memory


@final
@dataclass(frozen=True)
class Batch:
    """What came out of a batch.

    Attributes:
        values: the new values of each column.
        touched: the rows in which each column holds something else than before.
        kept: the rows that stay.
        counts: how often each kind of error struck, in the rows and columns that kept their errors.
        units: how many units there are in the rows that stay.
        lost: how many rows lost their answer.
    """

    values: dict[str, pa.Array]
    touched: dict[str, Mask]
    kept: Mask
    counts: Counter[str]
    units: int
    lost: int


def cut(table: pa.Table) -> Iterator[tuple[int, int]]:
    """Yield the first row of each batch of a table and the row after its last, at least one batch.

    A batch has ten thousand rows at most, and two megabytes unless one row alone has more.
    """

    def halves(start: int, end: int) -> Iterator[tuple[int, int]]:
        middle = (start + end) // 2
        if middle == start or table.slice(start, end - start).nbytes <= _BYTES:
            yield start, end
        else:
            yield from halves(start, middle)
            yield from halves(middle, end)

    for start in range(0, max(1, len(table)), _ROWS):
        yield from halves(start, min(start + _ROWS, len(table)))


def noised(recipe: Recipe, rows: Rows, draw: Draw) -> Batch:
    """Return a batch of rows with errors in every column, and what follows them."""
    values: dict[str, pa.Array] = {}
    touched: dict[str, Mask] = {}
    struck: dict[str, tuple[Units, Strikes]] = {}
    lost = np.zeros(len(rows), np.bool_)
    for name in recipe.columns:
        old = _array(rows, name)
        units = units_of(old)
        source = units_of(_array(rows, recipe.parallel[name])).filled() if name in recipe.parallel else None
        strikes = strike(units, draw, recipe.severity, recipe.errors, Replacement(recipe.vocabulary, source), name)
        struck[name] = units, strikes
        made = plan(units, strikes)
        if pa.types.is_nested(old.type):
            values[name] = written_tokens(old, made)
            values |= _tags(recipe, rows, units, made)
            continue
        written = write(units, made)
        new = written.texts()
        values[name] = pc.if_else(old.is_null(), old, new.cast(old.type)) if old.null_count else new.cast(old.type)
        if recipe.answers and name == recipe.context:
            answers = Answers.of(recipe.owner, _array(rows, recipe.answers), units, _array(rows, UID))
            values[recipe.answers], touched[recipe.answers], lost = answers.followed(written, new)
            values[name] = pc.if_else(pa.array(lost), old, values[name])
    if recipe.lost == "error" and lost.any():
        raise LabelError(
            f"{recipe.owner} broke the answer of {int(lost.sum())} rows, the first with the uid "
            f"{rows.column(UID)[int(np.argmax(lost))].as_py()!r}; set lost='drop' or lost='keep_original' to go on."
        )
    for name in {*recipe.written} - {*touched}:
        touched[name] = differing(_array(rows, name), values[name])
    kept = ~lost if recipe.lost == "drop" else np.ones(len(rows), np.bool_)
    counts: Counter[str] = Counter(dict.fromkeys(recipe.errors, 0))
    for name, (units, strikes) in struck.items():
        counts.update(strikes.counts(units, kept & ~lost if name == recipe.context else kept))
    total = sum(int(units.counts[kept].sum()) for units, _ in struck.values())
    return Batch(values, touched, kept, counts, total, int(lost.sum()))


def joined(rows: Rows, batches: Sequence[Batch], recipe: Recipe) -> Change:
    """Return the rows with the new columns of every batch, and what is recorded of them."""
    counts: Counter[str] = Counter()
    for one in batches:
        counts.update(one.counts)
    kept = np.concatenate([one.kept for one in batches])
    table, changed = rows.table, 0
    added: dict[str, Any] = {}
    for name in recipe.written:
        touched = np.concatenate([one.touched[name] for one in batches])
        current = dataclasses.replace(rows, table=table)
        table, more = current.replace(name, pa.chunked_array([one.values[name] for one in batches]), touched)
        added.update(more)
        changed += int((touched & kept).sum())
    units = sum(one.units for one in batches)
    details = {
        "kinds": Count(dict(counts)),
        "units": Count(units),
        "answers_lost": Count(sum(one.lost for one in batches)),
        "followed": [one for one in recipe.written if one not in recipe.columns],
    }
    of_units = [kind for kind in recipe.errors if kind in WORD_KINDS]
    acted = sum(counts[kind] for kind in of_units or recipe.errors)
    texts = int(kept.sum()) * len(recipe.columns)
    table = table if kept.all() else table.filter(pa.array(kept))
    return Change(table, added, changed=changed, acted=acted, of=units if of_units else texts, details=details)


def _tags(recipe: Recipe, rows: Rows, units: Units, made: Plan) -> dict[str, pa.Array]:
    """Return the columns of tags that follow a column of tokens."""
    found = {}
    for name, names in recipe.tags.items():
        tags = _array(rows, name)
        check_tags(recipe.owner, name, tags, units, names, _array(rows, UID))
        found[name] = written_tags(tags, units, made, names)
    return found


def _array(rows: Rows, name: str) -> pa.Array:
    """Return a column of a batch as one array."""
    values = rows.column(name)
    return values.chunk(0) if values.num_chunks == 1 else pa.concat_arrays([pa.array([], values.type), *values.chunks])
