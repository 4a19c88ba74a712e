"""TranslateTrain: rows of one language become rows of another, by an engine."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, final

import numpy as np
import pyarrow as pa

from xquality._settings import Name, Stream, check_settings, names_between
from xquality.data.arrow import is_text, is_text_list
from xquality.data.rows import Change, Rows
from xquality.data.uids import UID
from xquality.errors import ColumnError, DataKindError, SettingError
from xquality.languages import identity
from xquality.randomness import Draw
from xquality.transforms.base import Transform
from xquality.transforms.translation.cells import Cells, NewCells, TextCells
from xquality.transforms.translation.passage import OneEngine, Passage, check_translator
from xquality.transforms.translation_noise.followers import find_followers, first_value_columns
from xquality.translators import MarkedTranslation, Translator


@final
@dataclass(frozen=True)
class TranslateTrain(Transform):
    """Translate columns of training rows from one language to another, by a real engine.

    A column holds one text on each row, or a list of texts (the options of multiple choice), which are translated each
    alone; pairs are two columns. Labels stay as they are, and so does a null, an empty text or one of spaces. The first
    values are kept in `<column>_before`.

    The rows are of the target language afterwards: a `Stage` counts it as the one it was trained in. The record holds
    the engine, its version and both languages.

    Each distinct text is translated once. With an engine that is context-free (see `translators.Translator`), such as
    any in `translators.Cached`, each row is treated alone, so streams and batches are translated too; with another one
    all rows are needed.

    Attributes:
        translator: the engine.
        source: the language of the rows, in any spelling: "en", "eng", "eng_Latn".
        target: the language to translate to.
        columns: the columns of texts, or of lists of texts.
        stream: separates the calls of several transforms of this class with one seed; nothing is drawn.

    Raises:
        SettingError: where source and target are one language, or a column is named twice.
        DataKindError: where `translator` is none, or the rows were loaded in another language than the source.
        ColumnError: for a column that is missing, holds no text, or identifies the rows or keeps first values.
        LanguagePairError: where the engine does not translate the pair.
        NotInstalledError, TranslationError: as the engine does.

    Example:
        >>> from datasets import Dataset
        >>> from xquality.translators import FunctionTranslator
        >>> def shout(texts, source, target):
        ...     return [text.upper() for text in texts]
        >>> data = Dataset.from_dict({"text": ["a cat", "a dog"], "label": [0, 1]})
        >>> translated = TranslateTrain(FunctionTranslator(shout, "shout", "1"), "en", "es", ("text",))(data, seed=0)
        >>> translated["text"][:], translated["label"][:]
        (['A CAT', 'A DOG'], [0, 1])
    """

    needs_all_rows: ClassVar[str] = (
        "has an engine whose translations depend on the other texts (unless it is in Cached), so it needs all rows"
    )

    translator: Annotated[Translator, check_translator]
    source: Name
    target: Name
    columns: Annotated[tuple[str, ...], names_between(1)] = ("text",)
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)
        if identity(self.source) == identity(self.target):
            raise SettingError(
                f"TranslateTrain(source={self.source!r}, target={self.target!r}) must name two different languages."
            )

    @property
    def per_row(self) -> bool:  # type: ignore[override]  # a class attribute of most transforms
        """Whether each row is treated alone: whether the engine is context-free."""
        return self.translator.context_free

    def apply(self, rows: Rows, draw: Draw) -> Change:  # noqa: ARG002 (nothing is drawn)
        """Translate the columns."""
        passage = OneEngine(self.translator, self.source, self.target)
        passage.check()
        _check_languages(rows, self.source)
        _check_columns(rows, self.columns)
        details = {"engine": self.translator.version_of(self.source, self.target), "languages": [self.target]}
        return _translate(rows, passage, [TextCells(name, _as_array(rows, name)) for name in self.columns], details)


def _check_languages(rows: Rows, source: str) -> None:
    """Raise where the rows are known to be of another language than the one they are translated from."""
    other = [language for language in rows.languages if identity(language) != identity(source)]
    if other:
        raise DataKindError(
            f"{rows.owner} translates from {source!r}, but the rows were loaded in {list(rows.languages)}; give the "
            "rows of one language, and name it in source=."
        )


def _check_columns(rows: Rows, columns: Sequence[str]) -> None:
    """Raise where a column cannot be translated."""
    for name in columns:
        kind = rows.column(name).type
        if not is_text(kind) and not is_text_list(kind):
            raise ColumnError(
                f"{rows.owner} translates texts or lists of texts, but {name!r} holds {kind}; name others."
            )
        if name == UID or name in first_value_columns(rows):
            raise ColumnError(
                f"{rows.owner} may not change {name!r}, which identifies the rows or keeps first values; name others."
            )
        rows.check_first_values(name)
    followers = find_followers(rows, columns, context="context", answers="answers", tags=None)
    if followers.names:
        raise ColumnError(f"{rows.owner} cannot translate {list(columns)}, which {list(followers.names)} follow.")


def _translate(rows: Rows, passage: Passage, columns: Sequence[Cells], details: dict[str, Any]) -> Change:
    """Return the rows with the translations of some columns."""
    inputs = [cells.inputs() for cells in columns]
    marked = [text for texts in inputs for text in texts if text.spans]
    plain = [text.text for texts in inputs for text in texts if not text.spans]
    of_marked, of_plain = iter(passage.translate_marked(marked)), iter(passage.translate(plain))
    found = [
        [next(of_marked) if text.spans else MarkedTranslation(next(of_plain), ()) for text in texts] for texts in inputs
    ]
    new = [cells.outputs(translations) for cells, translations in zip(columns, found, strict=True)]
    return _replace(rows, new, details)


def _replace(rows: Rows, new: Sequence[NewCells], details: dict[str, Any]) -> Change:
    """Return the rows with new values."""
    table, features, changed = rows.table, dict[str, Any](), 0
    acted = np.zeros(len(rows), np.bool_)
    for name, values in ((name, values) for cells in new for name, values in cells.values.items()):
        current = dataclasses.replace(rows, table=table)
        array = pa.array(values, rows.column(name).type)
        cells_changed = current.changed_cells(name, array)
        table, added = current.replace(name, array, cells_changed)
        features.update(added)
        changed += int(cells_changed.sum())
        acted |= cells_changed
    return Change(table, features, changed=changed, acted=int(acted.sum()), details=details)


def _as_array(rows: Rows, name: str) -> pa.Array:
    """Return a column as one array."""
    values = rows.column(name)
    return values.chunk(0) if values.num_chunks == 1 else pa.concat_arrays([pa.array([], values.type), *values.chunks])
