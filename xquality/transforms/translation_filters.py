"""Filters for translated data: they compare each text with its source, which `<column>_before` keeps."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, final

import numpy as np
import pyarrow as pa
import regex
from numpy.typing import NDArray

from xquality import _settings
from xquality._settings import Names, Prefix, Rate, Stream, at_least, check_settings, optional
from xquality.data.arrow import read_strings
from xquality.data.rows import Change, Count, Rows
from xquality.errors import ColumnError
from xquality.randomness import Draw, smallest
from xquality.text.columns import read_text
from xquality.text.words import split_words
from xquality.transforms.base import Transform

Sides = tuple[list[str], list[str]]
"""The source texts and the translations of a column."""

_NO_LETTER = regex.compile(r"\P{L}+")


@final
@dataclass(frozen=True)
class UntranslatedFilter(Transform):
    """Drop rows whose translation has too many words of its source text: what an engine does not know, it copies.

    The share is that of the translation's words that also stand in the source text, without regard to case and to
    anything but letters; numbers do not count. Names are copied rightly, and related languages share words: in SIB-200,
    which was translated by humans, the mean share is 0.06 from English to Spanish and 0.24 from Spanish to Portuguese,
    where 1 % of the rows exceed the default maximum. A null in `<column>_before` says that the text is as it was: all
    of its words are untranslated. Each row is treated alone, so streams are filtered too.

    Attributes:
        maximum: the highest share of a row that is kept, of each column.
        columns: the translated columns, strings or lists of tokens.
        stream: separates the draws of several calls with one seed.

    Raises:
        SettingError: for a share outside [0, 1].
        ColumnError: for a missing column or one that holds no text, or where no `<column>_before` keeps its source.

    Example:
        >>> from datasets import Dataset
        >>> columns = {"text": ["El perro de Ana", "The dog of Ana"], "text_before": ["The dog of Ana"] * 2}
        >>> UntranslatedFilter()(Dataset.from_dict(columns), seed=1)["text"][:]
        ['El perro de Ana']
    """

    per_row = True

    maximum: Rate = 0.5
    columns: Names = ("text",)
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)

    def apply(self, rows: Rows, draw: Draw) -> Change:  # noqa: ARG002 (nothing is drawn)
        """Keep the rows whose shares are all low."""
        kept = np.ones(len(rows), np.bool_)
        untranslated: dict[str, int] = {}
        for name in self.columns:
            sides = zip(*_read_sides(rows, name), strict=True)
            over = np.array([_share_of_source(*texts) > self.maximum for texts in sides], np.bool_)
            untranslated[name] = int(over.sum())
            kept &= ~over
        details = {"untranslated": Count(untranslated)}
        return Change(rows.table.filter(pa.array(kept)), acted=int((~kept).sum()), details=details)


def _check_encoder(owner: str, name: str, value: object) -> str:
    """Return the folder or the Hub id of an encoder as text."""
    return _settings.text(owner, name, str(value) if isinstance(value, Path) else value)


@final
@dataclass(frozen=True)
class SimilarityFilter(Transform):
    """Keep the rows whose translations are the most similar to their source texts, as an encoder sees them.

    The similarity is the cosine of the two texts' embeddings, each the mean of a layer's hidden states; of several
    columns the mean. The threshold is a rank, so a smaller share is nested in a larger one, and no encoder's scale of
    similarities matters. A text that was copied, or whose `<column>_before` is null since it is as it was, is as
    similar as can be: call `UntranslatedFilter` or `LanguageFilter` first.

    Encoders that were not trained on parallel texts (XLM-R, multilingual BERT) rank best by a layer in the middle;
    those that were (LaBSE, E5) by the last.

    Attributes:
        encoder: a local folder, or a Hub id with its revision (`id@revision`).
        keep: the share of the rows to keep, `round(keep * rows)` of them.
        columns: the translated columns, strings or lists of tokens.
        layer: the layer that is read: 0 for the embeddings, 1 for the first layer, -1 for the last; None for the last.
        max_length: in word pieces; text beyond it is not read.
        prefix: put before every text, such as "query: " for E5.
        stream: separates the draws of several calls with one seed.

    Raises:
        SettingError: for a number out of range.
        ColumnError: for a missing column or one that holds no text, or where no `<column>_before` keeps its source.
        ModelError: where the encoder cannot be loaded, or does not have the layer.

    Example:
        >>> SimilarityFilter("sentence-transformers/LaBSE@836121a", keep=0.8)  # doctest: +ELLIPSIS
        SimilarityFilter(encoder='sentence-transformers/LaBSE@836121a', keep=0.8, columns=('text',), ...)
    """

    needs_all_rows: ClassVar[str] = "ranks all rows"
    strength: ClassVar[tuple[str, ...]] = ("keep",)

    encoder: Annotated[str, _check_encoder]
    keep: Rate = 0.8
    columns: Names = ("text",)
    layer: Annotated[int | None, optional(_settings.integer)] = None
    max_length: Annotated[int, at_least(4)] = 128
    prefix: Prefix = ""
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Keep the rows of the highest ranks."""
        sides = [_read_sides(rows, name) for name in self.columns]
        if not len(rows):
            return Change(rows.table, acted=0)
        similarity, digest = self._measure(sides)
        kept = smallest(-similarity, draw.uids, round(self.keep * len(rows)))
        lowest = round(float(similarity[kept].min()), 4) if len(kept) else None
        details = {"encoder": digest, "lowest_similarity": lowest}
        return Change(rows.take(kept), acted=len(rows) - len(kept), details=details)

    def _measure(self, sides: Sequence[Sides]) -> tuple[NDArray[np.float64], str]:
        """Return the similarity of each row, shape (rows,), and the encoder's digest."""
        from xquality.heads.frozen_encoder import FrozenEncoder
        from xquality.models import Model, load_encoder
        from xquality.models.isolation import isolate
        from xquality.models.model import on_best_device

        # Each text once and in one order, so that the same texts share a batch whatever the order of the rows.
        texts = sorted({text for pair in sides for side in pair for text in side})
        with isolate():
            model = Model(*load_encoder(self.encoder), 0, {})
            reader = FrozenEncoder(
                model.encoder(), model.tokenizer, self.max_length, self.prefix, self.layer, owner="SimilarityFilter"
            )
            with on_best_device(reader.network):
                vectors = reader.embed_texts(texts)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
        place = {text: number for number, text in enumerate(texts)}
        numbers = [tuple([place[text] for text in side] for side in pair) for pair in sides]
        cosines = [(vectors[first] * vectors[second]).sum(axis=1) for first, second in numbers]
        return np.mean(cosines, axis=0), model.digest


def _read_sides(rows: Rows, name: str) -> Sides:
    """Return the source texts and the translations of a column; a text that is as it was is its own source."""
    before = f"{name}_before"
    translations = read_strings(read_text(rows, name))
    if before not in rows.features:
        raise ColumnError(
            f"{rows.owner} compares {name!r} with its source text in {before!r}, which TranslateTrain leaves there, "
            "but there is no such column; translate the data first, or name other columns."
        )
    changed = rows.column(before).is_valid().to_pylist()
    sources = zip(read_strings(read_text(rows, before)), translations, changed, strict=True)
    return [source if other else text for source, text, other in sources], translations


def _share_of_source(source: str, translation: str) -> float:
    """Return the share of a translation's words that stand in the source text; 0 where it has no words."""
    words = _words(translation)
    known = set(_words(source))
    return sum(word in known for word in words) / len(words) if words else 0.0


def _words(text: str) -> list[str]:
    """Return the words of a text as their letters alone, in one case."""
    letters = (_NO_LETTER.sub("", word) for word in split_words(text.casefold()))
    return [word for word in letters if word]
