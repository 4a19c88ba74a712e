"""TranslationNoise: simulated machine-translation error in text columns."""

import dataclasses
import functools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Dataset

from xquality._settings import Name, Names, Rate, Stream, check_settings, choice, choices, instance, optional, texts
from xquality.data.arrow import Mask, is_text, is_text_list, list_lengths
from xquality.data.rows import Change, Count, Rows
from xquality.data.uids import UID
from xquality.errors import ColumnError, LabelError, SettingError
from xquality.randomness import Draw
from xquality.transforms.base import Transform
from xquality.transforms.quality import TranslationQuality
from xquality.transforms.translation_noise.calibration import Calibration, find_severity
from xquality.transforms.translation_noise.drawing import ROW_KINDS, UNIT_KINDS, DrawnErrors, TextSource, draw_errors
from xquality.transforms.translation_noise.edits import EditPlan, edit_texts, edit_tokens, plan_edits
from xquality.transforms.translation_noise.followers import (
    DEFAULT_ANSWERS,
    Answers,
    Followers,
    check_tags,
    find_followers,
    first_value_columns,
    move_tags,
)
from xquality.transforms.translation_noise.segmentation import Units, breaks_clusters, find_units
from xquality.transforms.translation_noise.vocabulary import Vocabulary

_DEFAULT_ERRORS = ("omission", "repetition", "reordering", "entity", "truncation", "hallucination")
_BATCH_ROWS = 10_000  # the bytes and units of so many rows stay in the processor's cache
_BATCH_BYTES = 2 << 20  # of text, where rows are long: the work on them takes some twenty times as much memory


@final
@dataclass(frozen=True)
class TranslationNoise(Transform):
    """Make the errors of a poor machine translation in text columns, keyed by row and position.

    Units are words, or written characters in Chinese, Japanese, Thai and other scripts without spaces; in a column of
    tokens each token is one. Each unit gets an error with probability `severity`, of a kind drawn uniformly among the
    kinds for units that are possible for it; rows get errors of the kinds for rows in the same way. The errors of a low
    severity are among those of a higher one, which need not do more damage: where all units move, some return to their
    old neighbours. Edits are spans of the original text, and every byte between them stays as it was. Punctuation keeps
    its place, but an omitted unit takes the gap before it along (the first one, the gap after it). No text loses all
    its units. No grapheme cluster is cut, and none joins another: a text in which the errors would do so stays as it
    is, which takes marks without a letter and the like.

    For units: "omission"; "repetition"; "reordering" by up to three places (Lample et al. 2018); "wrong_word", one
    about as frequent, from a `vocabulary`; "untranslated", the unit at the same share of a `parallel` column; "entity",
    a digit of a number changed or two letters of a name swapped (scripts without capitals show only numbers).
    For rows: "truncation" of up to half of the units, "hallucination" of a tail that repeats a phrase of the row two or
    three times (the oscillation that Raunak et al. 2021 describe).

    The record counts the errors in the text that comes out; its rate is the share of units with an error, or of texts
    where all kinds are for rows. It names the columns that `followed`.

    Attributes:
        severity: the probability that a unit, and that a row, gets an error.
        columns: the columns of text, or of lists of tokens.
        errors: the kinds of error.
        vocabulary: `Vocabulary.fit(...)` on the full data, for "wrong_word".
        parallel: for "untranslated", the column with the source text of each column.
        context: the column that `answers` point into.
        answers: a column of answers, `{text: [..], answer_start: [..]}`, whose offsets move along with the context,
            where the data have it and `context` is among the columns. An answer without a text stays as it is.
        lost: what is done with a row whose answer is not whole after the edits: "keep_original" leaves its context as
            it was, "drop" removes the row, "error" raises. A row that is lost at one severity need not be at a higher
            one, so these rows do not nest.
        tags: the columns whose lists follow a column of tokens; None for every list of class labels, () for none. BIO
            (or IO, IOBES, BILOU) stays valid where tokens move; a token tagged -100 is outside every span.
        calibration: what `calibrate` found; it changes nothing.
        stream: separates the draws of several calls with one seed.

    Raises:
        SettingError: for a severity outside [0, 1], unknown kinds, a kind without the vocabulary or the column that it
            needs, or tags without one column of tokens that they follow.
        ColumnError: for a column that is missing, holds no text or identifies the rows or their first values (`uid`,
            `*_before`), for tags of other lengths than the tokens, and for offsets that would go stale.
        LabelError: for an answer that is not at its offset, one that is lost where `lost` is "error", a token without a
            class (null or -1), or tags of no known scheme.

    Example:
        >>> from xquality import toy
        >>> data = toy.topics.load("es", "train")
        >>> noisy = TranslationNoise(0.3, columns=("text",), errors=("omission",))(data, seed=1)
        >>> data["text"][2]
        'La lista de Tokio incluía hotel, campeonato y guitarra.'
        >>> noisy["text"][2]
        'La lista de Tokio incluía, campeonato y guitarra.'
    """

    per_row = True
    strength: ClassVar[tuple[str, ...]] = ("severity",)
    partial: ClassVar[bool] = True

    severity: Rate
    columns: Names = ("text",)
    errors: Annotated[tuple[str, ...], choices(*UNIT_KINDS, *ROW_KINDS)] = _DEFAULT_ERRORS
    vocabulary: Annotated[Vocabulary | None, optional(instance(Vocabulary))] = None
    parallel: Annotated[tuple[str, ...] | None, optional(texts)] = None
    context: Name = "context"
    answers: Name = DEFAULT_ANSWERS
    lost: Annotated[str, choice("keep_original", "drop", "error")] = "keep_original"
    tags: Annotated[tuple[str, ...] | None, optional(functools.partial(texts, least=0))] = None
    calibration: Annotated[Calibration | None, optional(instance(Calibration))] = None
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)
        for name in ("columns", "tags"):
            names = getattr(self, name) or ()
            if len(set(names)) < len(names):
                raise SettingError(f"TranslationNoise({name}={names!r}) must name each column once.")
        if "wrong_word" in self.errors and self.vocabulary is None:
            raise SettingError(
                "TranslationNoise chooses a 'wrong_word' from a vocabulary, but got none; give "
                "vocabulary=Vocabulary.fit(data, columns)."
            )
        if "untranslated" in self.errors and self.parallel is None:
            raise SettingError(
                "TranslationNoise leaves a word 'untranslated' by taking it from the source text, but got none; name "
                "its column in parallel=."
            )
        if self.parallel is not None and len(self.parallel) != len(self.columns):
            raise SettingError(
                f"TranslationNoise(parallel={self.parallel!r}) must name one column for each of {self.columns!r}."
            )
        both = [name for name in self.columns if name in (self.tags or ())]
        if both:
            raise SettingError(f"TranslationNoise makes errors in {both}, which cannot be tags as well; name others.")

    @classmethod
    def calibrate(
        cls,
        data: Dataset,
        columns: Sequence[str] = ("text",),
        *,
        chrf: float | TranslationQuality | None = None,
        bleu: float | TranslationQuality | None = None,
        seed: int = 0,
        rows: int = 500,
        **settings: object,
    ) -> Self:
        """Return the noise whose severity gives a wanted score against the clean text, to within one point.

        The score is sacrebleu's for the whole sample, with the noisy text as the hypothesis and the clean text as its
        reference; rows that are dropped for a lost answer are left out of both. BLEU counts characters where most units
        are written characters, else words. Where several severities give the score, the lowest is returned: the search
        goes up in steps of an eighth until the score is no longer above the wanted one, and halves the last step.

        Args:
            data: the clean data, best all of them: the sample is keyed by uid.
            columns: the columns to make errors in.
            chrf: the wanted chrF, in (0, 100); or the `TranslationQuality` of an engine, to reach the same.
            bleu: instead, the wanted BLEU, or such a quality.
            seed: the seed of the sample and of the errors while searching.
            rows: how many rows to search on, at most.
            settings: the other fields of the noise, such as `errors` and `vocabulary`.

        Raises:
            SettingError: for neither or both scores, one out of range, or one that these errors cannot reach; for BLEU
                where most texts have fewer than four words (characters in scripts without spaces); for a field that
                the noise does not have, or that calibration itself finds.

        Example:
            >>> from xquality import toy
            >>> noise = TranslationNoise.calibrate(toy.topics.load("es", "train"), chrf=70)
            >>> abs(noise.calibration.reached - 70) <= 1
            True
        """
        owner = "TranslationNoise.calibrate"
        others = {field.name for field in dataclasses.fields(cls)} - {"severity", "columns", "calibration"}
        if not set(settings) <= others:
            raise SettingError(
                f"{owner} finds the severity, and takes {sorted(others)} besides; it got {sorted(settings)}."
            )
        base = cls(1.0, texts(owner, "columns", columns), **settings)  # type: ignore[arg-type]  # checked by the class itself
        severity, calibration = find_severity(
            lambda severity: dataclasses.replace(base, severity=severity), data, base.columns, chrf, bleu, seed, rows
        )
        return dataclasses.replace(base, severity=severity, calibration=calibration)

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Make the errors, one batch of rows after the other."""
        followers = self._check_columns(rows)
        read = rows.table.select([*self.columns, *followers.names, *self._sources.values()])
        batches = [
            self._make_errors(
                dataclasses.replace(rows, table=rows.table.slice(start, end - start)),
                draw.of(draw.uids[start:end]),
                followers,
            )
            for start, end in _batch_ranges(read)
        ]
        return self._join(rows, batches, followers)

    @property
    def _sources(self) -> dict[str, str]:
        """The column with the source text of each column, where a kind needs it."""
        return dict(zip(self.columns, self.parallel or (), strict=False)) if "untranslated" in self.errors else {}

    def _check_columns(self, rows: Rows) -> Followers:
        """Return the columns that follow, after checking all columns that are read or written."""
        for name in (*self.columns, *(self.parallel or ())):
            kind = rows.column(name).type
            if not is_text(kind) and not is_text_list(kind):
                raise ColumnError(
                    f"{rows.owner} changes text or lists of tokens, but {name!r} holds {kind}; name others."
                )
        followers = find_followers(rows, self.columns, context=self.context, answers=self.answers, tags=self.tags)
        for name in (*self.columns, *followers.names):
            if name == UID or name in first_value_columns(rows):
                raise ColumnError(
                    f"{rows.owner} may not change {name!r}, which identifies the rows or keeps first values; name "
                    "others."
                )
            rows.check_first_values(name)
        return followers

    def _make_errors(self, rows: Rows, draw: Draw, followers: Followers) -> "_Batch":
        """Return the new values of a batch of rows, in the columns with errors and in those that follow."""
        values: dict[str, pa.Array] = {}
        changed: dict[str, Mask] = {}
        drawn: dict[str, tuple[Units, DrawnErrors]] = {}
        lost = np.zeros(len(rows), np.bool_)
        for name in self.columns:
            old = _as_array(rows, name)
            units, errors = drawn[name] = self._draw_errors(rows, draw, name)
            plan = plan_edits(units, errors)
            if is_text_list(old.type):
                values[name] = edit_tokens(old, plan)
                values |= _edit_tags(rows, followers.tags, units, plan)
                continue
            pieces = edit_texts(units, plan)
            new = pieces.to_strings()
            broken = _find_broken(old, new, units, errors)
            if broken.any():
                errors = errors.without_rows(units, broken)
                drawn[name] = units, errors
                pieces = edit_texts(units, plan_edits(units, errors))
                new = pieces.to_strings()
            values[name] = new.cast(old.type)
            if old.null_count:
                values[name] = pc.if_else(old.is_null(), old, values[name])
            if followers.answers and name == self.context:
                answers = Answers.locate(rows.owner, _as_array(rows, followers.answers), units, _as_array(rows, UID))
                values[followers.answers], changed[followers.answers], lost = answers.move(pieces, new)
                values[name] = pc.if_else(pa.array(lost), old, values[name])
        if self.lost == "error" and lost.any():
            raise LabelError(
                f"{rows.owner} broke the answer of {int(lost.sum())} rows, the first with the uid "
                f"{rows.column(UID)[int(np.argmax(lost))].as_py()!r}; set lost='drop' or lost='keep_original'."
            )
        for name in values.keys() - changed.keys():
            changed[name] = _differing_rows(_as_array(rows, name), values[name])
        kept = ~lost if self.lost == "drop" else np.ones(len(rows), np.bool_)
        counts: Counter[str] = Counter(dict.fromkeys(self.errors, 0))
        for name, (units, errors) in drawn.items():
            counts.update(errors.counts(units, kept & ~lost if name == self.context else kept))
        total = sum(int(units.counts[kept].sum()) for units, _ in drawn.values())
        return _Batch(values, changed, kept, counts, total, int(lost.sum()))

    def _draw_errors(self, rows: Rows, draw: Draw, name: str) -> tuple[Units, DrawnErrors]:
        """Return the units of a column and the errors that they get."""
        units = find_units(_as_array(rows, name))
        source = self._sources.get(name)
        parallel = find_units(_as_array(rows, source)).drop_empty() if source else None
        if parallel is not None:
            units = dataclasses.replace(units, fragile=units.fragile | parallel.fragile)
        return units, draw_errors(units, draw, self.severity, self.errors, TextSource(self.vocabulary, parallel), name)

    def _join(self, rows: Rows, batches: Sequence["_Batch"], followers: Followers) -> Change:
        """Return all rows with the new values of every batch, and what is recorded of them."""
        counts: Counter[str] = Counter()
        for batch in batches:
            counts.update(batch.counts)
        kept = np.concatenate([batch.kept for batch in batches])
        table, cells = rows.table, 0
        features: dict[str, Any] = {}
        for name in (*self.columns, *followers.names):
            changed = np.concatenate([batch.changed[name] for batch in batches])
            values = pa.chunked_array([batch.values[name] for batch in batches])
            table, added = dataclasses.replace(rows, table=table).replace(name, values, changed)
            features.update(added)
            cells += int((changed & kept).sum())
        units = sum(batch.units for batch in batches)
        details = {
            "kinds": Count(dict(counts)),
            "units": Count(units),
            "answers_lost": Count(sum(batch.lost for batch in batches)),
            "followed": list(followers.names),
        }
        of_units = [kind for kind in self.errors if kind in UNIT_KINDS]
        acted = sum(counts[kind] for kind in of_units or self.errors)
        cells_read = int(kept.sum()) * len(self.columns)
        table = table if kept.all() else table.filter(pa.array(kept))
        return Change(
            table, features, changed=cells, acted=acted, of=units if of_units else cells_read, details=details
        )


@final
@dataclass(frozen=True)
class _Batch:
    """A batch of rows with errors.

    Attributes:
        values: the new values of each column that is written.
        changed: which rows hold another value than before, for each of these columns, shape (rows,).
        kept: which rows remain, shape (rows,).
        counts: the number of errors of each kind, in the rows and columns that keep their errors.
        units: the number of units in the rows that remain.
        lost: the number of rows whose answer was lost.
    """

    values: dict[str, pa.Array]
    changed: dict[str, Mask]
    kept: Mask
    counts: Counter[str]
    units: int
    lost: int


def _batch_ranges(table: pa.Table) -> Iterator[tuple[int, int]]:
    """Yield the first row of each batch of a table and the row after its last, at least one batch.

    A batch has ten thousand rows at most, and two megabytes unless a single row has more.
    """

    def halve(start: int, end: int) -> Iterator[tuple[int, int]]:
        middle = (start + end) // 2
        if middle == start or table.slice(start, end - start).nbytes <= _BATCH_BYTES:
            yield start, end
        else:
            yield from halve(start, middle)
            yield from halve(middle, end)

    for start in range(0, max(1, len(table)), _BATCH_ROWS):
        yield from halve(start, min(start + _BATCH_ROWS, len(table)))


def _as_array(rows: Rows, name: str) -> pa.Array:
    """Return a column as one array."""
    values = rows.column(name)
    return values.chunk(0) if values.num_chunks == 1 else pa.concat_arrays([pa.array([], values.type), *values.chunks])


def _find_broken(old: pa.Array, new: pa.Array, units: Units, errors: DrawnErrors) -> Mask:
    """Return in which rows the errors would join or cut grapheme clusters, shape (rows,)."""
    broken = units.fragile.copy()
    if not broken.any():
        return broken
    added: defaultdict[int, list[str]] = defaultdict(list)
    for row, text in zip(units.row[errors.replaced].tolist(), errors.texts.to_pylist(), strict=True):
        added[row].append(text)
    for row in np.flatnonzero(broken).tolist():
        broken[row] = breaks_clusters(old[row].as_py(), new[row].as_py(), added[row])
    return broken


def _edit_tags(rows: Rows, columns: Mapping[str, tuple[str, ...]], units: Units, plan: EditPlan) -> dict[str, pa.Array]:
    """Return the new values of the columns of tags that follow a column of tokens."""
    edited = {}
    for name, classes in columns.items():
        tags = _as_array(rows, name)
        check_tags(rows.owner, name, tags, units.counts, classes, _as_array(rows, UID))
        edited[name] = move_tags(tags, units, plan, classes)
    return edited


def _differing_rows(old: pa.Array, new: pa.Array) -> Mask:
    """Return which rows hold another value than before, shape (rows,), of strings or of lists; nulls are equal."""
    if not pa.types.is_nested(old.type):
        return _differing_values(old, new)
    lengths, new_lengths = list_lengths(old), list_lengths(new)
    differs = np.not_equal(lengths, new_lengths)
    rows = np.repeat(np.arange(len(old)), np.where(differs, 0, lengths))
    old_values = old.flatten().filter(pa.array(np.repeat(~differs, lengths)))
    new_values = new.flatten().filter(pa.array(np.repeat(~differs, new_lengths)))
    differs[rows[_differing_values(old_values, new_values)]] = True
    return differs


def _differing_values(old: pa.Array, new: pa.Array) -> Mask:
    """Return where two arrays hold different values, shape (values,); a null is equal to a null alone."""
    differs = pc.not_equal(old, new)
    if old.null_count or new.null_count:
        differs = pc.or_(pc.fill_null(differs, False), pc.xor(old.is_null(), new.is_null()))
    return np.asarray(differs.to_numpy(zero_copy_only=False), np.bool_)
