"""What the transforms of this folder share: which columns are translated and which follow, and what is written."""

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import pyarrow as pa

from xquality.data.arrow import Mask, is_text, is_text_list, list_lengths
from xquality.data.rows import Change, Count, Rows
from xquality.data.uids import UID
from xquality.errors import ColumnError, LabelError, SettingError
from xquality.randomness import Draw
from xquality.transforms.quality import ROWS_IN_RECORD, QualityDetail, find_rows, pair_rows
from xquality.transforms.translation.cells import AnswerCells, Cells, NewCells, TagCells, TextCells
from xquality.transforms.translation.passage import Passage
from xquality.transforms.translation_noise.followers import (
    Followers,
    check_tags,
    find_followers,
    first_value_columns,
)
from xquality.translators import MarkedTranslation


@final
@dataclass(frozen=True)
class Selection:
    """The columns to translate, and how those that follow are found.

    Attributes:
        columns: the columns of texts, of lists of texts, or of tokens.
        context: the column that answers point into.
        answers: the column of answers.
        tags: the columns of tags; None for every list of class labels.
        lost: what is done with a row whose answer or tags are not found in the translation: "drop", "keep_original" or
            "error".
    """

    columns: tuple[str, ...]
    context: str
    answers: str
    tags: tuple[str, ...] | None
    lost: str


@final
@dataclass(frozen=True)
class Translated:
    """Rows after a passage.

    Attributes:
        change: what the transform returns; its details count what was projected and lost where columns follow.
        sources: what the rows that came out were before.
        draw: that of the rows that came out.
        found: which rows that came out are translated, and not kept as they were for being lost, shape (rows,).
    """

    change: Change
    sources: pa.Table
    draw: Draw
    found: Mask

    @property
    def kept_original(self) -> bool:
        """Whether a lost row was kept as it was."""
        return not self.found.all()

    def sample(self) -> "Sample":
        """Return some translated rows, drawn by uid, whose quality is measured for the record."""
        there = np.flatnonzero(self.found)
        draws = self.draw.of(self.draw.uids[there])
        chosen = draws.smallest("quality", ROWS_IN_RECORD)
        numbers = pa.array(there[chosen])
        return Sample(
            self.change.table.take(numbers), self.sources.take(numbers), draws.uniform("quality")[chosen].tolist()
        )


@final
@dataclass(frozen=True)
class Sample:
    """Some translated rows.

    Attributes:
        translated: the rows.
        sources: what they were before.
        draws: the draw of each row, by which the samples of several blocks are joined.
    """

    translated: pa.Table
    sources: pa.Table
    draws: list[float]

    def against_sources(self, owner: str, columns: Sequence[str], back: Passage | None = None) -> QualityDetail:
        """Return the quality of texts that are in their own language again, or after `back` will be."""
        pairs = pair_rows(owner, self.translated, self.sources, columns)
        if back is not None:
            returned = iter(back.translate([text for row in pairs for text, _ in row]))
            pairs = [[(next(returned), source) for _, source in row] for row in pairs]
        return QualityDetail("source", dict(zip(self.draws, pairs, strict=True)))

    def against_references(self, owner: str, columns: Sequence[str], references: pa.Table) -> QualityDetail:
        """Return the quality of the texts beside those of the rows with the same uids, where there are any."""
        found = find_rows(self.translated.column(UID), references.column(UID))
        here = np.flatnonzero(found >= 0)
        pairs = pair_rows(owner, self.translated.take(pa.array(here)), references.take(pa.array(found[here])), columns)
        return QualityDetail("references", dict(zip([self.draws[row] for row in here], pairs, strict=True)))


def translate_rows(rows: Rows, draw: Draw, selection: Selection, passage: Passage) -> Translated:
    """Return the rows with some columns after a passage, and the answers or tags that follow them.

    Raises:
        ColumnError: for a column that cannot be translated, or one that cannot follow.
        LabelError: for an answer that is not at its offset, a tag without a class, or where a lost row is an error.
        SettingError: where each token would have to be marked, and the passage cannot.
    """
    followers = _check_columns(rows, selection)
    columns = [_read_cells(rows, name, selection, followers) for name in selection.columns]
    if not passage.marks_tokens and any(isinstance(cells, TagCells) and cells.marks_tokens for cells in columns):
        raise SettingError(
            f"{rows.owner} gives each token of a translation the tag of a source token, which needs an alignment; give "
            "aligner=WordAligner(encoder), or an engine with marks, such as Apertium."
        )
    inputs = [cells.inputs() for cells in columns]
    marked = iter(passage.translate_marked([text for texts in inputs for text in texts if text.spans]))
    plain = iter(passage.translate([text.text for texts in inputs for text in texts if not text.spans]))
    new = [
        cells.outputs([next(marked) if text.spans else MarkedTranslation(next(plain), ()) for text in texts])
        for cells, texts in zip(columns, inputs, strict=True)
    ]
    return _write(rows, draw, new, selection.lost, followers)


def _check_columns(rows: Rows, selection: Selection) -> Followers:
    """Return the columns that follow, after checking all that are read or written."""
    for name in selection.columns:
        kind = rows.column(name).type
        if not is_text(kind) and not is_text_list(kind):
            raise ColumnError(
                f"{rows.owner} translates texts or lists of texts, but {name!r} holds {kind}; name others."
            )
    followers = find_followers(
        rows, selection.columns, context=selection.context, answers=selection.answers, tags=selection.tags
    )
    for name in (*selection.columns, *followers.names):
        if name == UID or name in first_value_columns(rows):
            raise ColumnError(
                f"{rows.owner} may not change {name!r}, which identifies the rows or keeps first values; name others."
            )
        rows.check_first_values(name)
    return followers


def _read_cells(rows: Rows, name: str, selection: Selection, followers: Followers) -> Cells:
    """Return the cells of a column with those that follow."""
    cells, uids = _as_array(rows, name), _as_array(rows, UID)
    if followers.answers and name == selection.context:
        return AnswerCells(rows.owner, (name, followers.answers), cells, _as_array(rows, followers.answers), uids)
    if followers.tags and is_text_list(cells.type):
        tags = {column: (classes, _as_array(rows, column)) for column, classes in followers.tags.items()}
        for column, (classes, values) in tags.items():
            check_tags(rows.owner, column, values, list_lengths(cells), classes, uids)
        return TagCells(name, cells, tags)
    return TextCells(name, cells)


def _write(rows: Rows, draw: Draw, new: Sequence[NewCells], lost: str, followers: Followers) -> Translated:
    """Return the rows with new values, without those that are lost or with them as they were."""
    reasons = {row: reason for cells in new for row, reason in sorted(cells.lost.items())}
    if reasons and lost == "error":
        first = min(reasons)
        raise LabelError(
            f"{rows.owner} cannot find the answer or the tags of {len(reasons)} rows in the translation, the first "
            f"with the uid {rows.column(UID)[first].as_py()!r} ({reasons[first]}); set lost='drop' or "
            "lost='keep_original'."
        )
    found = np.ones(len(rows), np.bool_)
    found[list(reasons)] = False
    table, features, changed, acted = rows.table, dict[str, Any](), 0, np.zeros(len(rows), np.bool_)
    for name, values in ((name, values) for cells in new for name, values in cells.values.items()):
        current = dataclasses.replace(rows, table=table)
        array = _restore(rows, name, values, found)
        differs = current.changed_cells(name, array)
        table, added = current.replace(name, array, differs)
        features.update(added)
        changed += int(differs.sum())
        acted |= differs
    sources = rows.table
    if reasons and lost == "drop":
        table, sources, draw = table.filter(pa.array(found)), sources.filter(pa.array(found)), draw.of(draw.uids[found])
        found = found[found]
    counts: Counter[str] = Counter()
    for cells in new:
        counts.update(cells.projected)
    details = _count_lost(reasons, counts) if followers.names else {}
    change = Change(table, features, changed=changed, acted=int(acted.sum()), details=details)
    return Translated(change, sources, draw, found)


def _count_lost(reasons: Mapping[int, str], counts: Mapping[str, int]) -> dict[str, Any]:
    """Return what a record says about answers and tags."""
    return {
        "followed": Count({name: count for name, count in counts.items() if count}),
        "lost": Count(dict(Counter(reasons.values()))),
        "rows_lost": Count(len(reasons)),
    }


def _restore(rows: Rows, name: str, values: Sequence[Any], found: Mask) -> pa.Array:
    """Return the new values of a column, with the present ones on the rows that are lost."""
    kind = rows.column(name).type
    if found.all():
        return pa.array(values, kind)
    present = rows.column(name).to_pylist()
    return pa.array([new if there else old for new, old, there in zip(values, present, found, strict=True)], kind)


def _as_array(rows: Rows, name: str) -> pa.Array:
    """Return a column as one array."""
    values = rows.column(name)
    return values.chunk(0) if values.num_chunks == 1 else pa.concat_arrays([pa.array([], values.type), *values.chunks])
